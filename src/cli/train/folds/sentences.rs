//! What several runs were told, said once: sentences that differ in their figures alone are one.

use std::collections::BTreeMap;

/// Runs that are named in a sentence are no more than these.
const MOST_RUNS: usize = 3;

/// The sentences of all runs, each with its name: as it stands where all have the very same, else with whom it is of.
pub fn together<'a>(of_runs: impl Iterator<Item = (&'a str, &'a [String])>) -> Vec<String> {
    let mut kinds: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut known = BTreeMap::new();
    let mut are_same = Vec::new();
    let mut runs = 0;
    for (run, sentences) in of_runs {
        runs += 1;
        for sentence in sentences {
            let kind = without_figures(sentence);
            let at = *known.entry(kind).or_insert_with(|| {
                kinds.push((sentence, Vec::new()));
                are_same.push(true);
                kinds.len() - 1
            });
            are_same[at] &= kinds[at].0 == sentence;
            // A run may have two of a kind.
            if kinds[at].1.last() != Some(&run) {
                kinds[at].1.push(run);
            }
        }
    }
    let told = kinds.into_iter().zip(are_same).map(|((sentence, of), same)| {
        match (of.len() == runs, same) {
            (true, true) => sentence.to_string(),
            (true, false) => format!("in all {runs} runs, as in {}: {sentence}", of[0]),
            (false, true) => format!("in {}: {sentence}", listed(&of, runs)),
            (false, false) => format!("in {}, as in {}: {sentence}", listed(&of, runs), of[0]),
        }
    });
    told.collect()
}

/// `fold-1, fold-4`, or `12 of 50 runs`.
pub fn listed(of: &[&str], runs: usize) -> String {
    match of.len() <= MOST_RUNS {
        true => of.join(", "),
        false => format!("{} of {runs} runs", of.len()),
    }
}

/// The sentence with its numbers taken out.
fn without_figures(sentence: &str) -> String {
    let is_of_figure = |sign: char| sign.is_ascii_digit() || matches!(sign, '.' | '-' | '−');
    let mut kind = String::new();
    let mut rest = sentence;
    while let Some(at) = rest.find(|sign: char| sign.is_ascii_digit()) {
        kind += rest[..at].trim_end_matches(is_of_figure);
        kind.push('0');
        rest = rest[at..].trim_start_matches(is_of_figure);
    }
    kind + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_that_differ_in_figures_alone_are_said_once_with_whom_they_are_of() {
        let told = |sentences: &[&str]| sentences.iter().map(|it| it.to_string()).collect();
        let runs: Vec<(&str, Vec<String>)> = vec![
            ("fold-1", told(&["the same", "R² is -0.5", "σ of \"a\" is 1.5", "rare"])),
            ("fold-2", told(&["the same", "R² is 2", "rare"])),
            ("fold-3", told(&["the same", "R² is 3", "σ of \"a\" is 0.25", "σ of \"a\" is 7"])),
        ];
        let found = together(runs.iter().map(|(name, sentences)| (*name, &sentences[..])));
        let expected = [
            "the same",
            "in all 3 runs, as in fold-1: R² is -0.5",
            "in fold-1, fold-3, as in fold-1: σ of \"a\" is 1.5",
            "in fold-1, fold-2: rare",
        ];
        assert_eq!(found, expected);
    }
}
