//! What the numbers of a comparison support, and what they do not, in sentences.

use super::candidate::{EQUAL, FIXED, STL};
use super::comparison::{Comparison, LEVEL, OfScheme};

/// Schemes that a sentence names are no more than these.
const MOST_NAMES: usize = 6;

/// The sentences, the verdict first.
pub(super) fn conclusion(all: &Comparison) -> Vec<String> {
    let mut sentences = vec![verdict(all)];
    sentences.extend(found(all, true));
    sentences.extend(found(all, false));
    sentences.extend(searched(all));
    sentences.extend(single(all));
    sentences.extend(first_ranked(all));
    sentences.push(limits(all));
    sentences.extend(left_out(all));
    sentences
}

/// Whether anything but single-task networks can be told from equal weights.
fn verdict(all: &Comparison) -> String {
    let tests = all.tests().count();
    let seeds = all.protocol.seeds.len();
    let how = format!(
        "paired t tests of the test losses over {seeds} seeds, corrected by Holm for {}",
        counted(tests, "test")
    );
    let schemes = || {
        let all = all.schemes.iter().filter(|it| !matches!(&*it.entry.name, STL | EQUAL));
        all.filter(|it| it.entry.not_compared.is_none())
    };
    let names: Vec<&str> = schemes().map(|it| it.entry.name.as_str()).collect();
    let told_apart = |scheme: &&OfScheme| {
        scheme.tasks.iter().filter_map(|it| it.against_equal).any(|it| it.holm < LEVEL)
    };
    match (schemes().filter(told_apart).count(), names.len()) {
        (_, 0) => "Nothing but single-task networks was compared with equal weights.".into(),
        (0, 1) => format!(
            "On this table {} cannot be distinguished from equal weights ({how}).",
            names[0]
        ),
        (0, _) => format!("No scheme is distinguishable from equal weights on this table ({how})."),
        (some, of) => format!(
            "{some} of {} can be distinguished from equal weights on a task at least ({how}).",
            counted(of, "scheme")
        ),
    }
}

/// Which schemes are better, or worse, than equal weights at which tasks.
fn found(all: &Comparison, better: bool) -> Option<String> {
    let is_one = |name: &str| name != STL;
    let tests = all.tests().filter(|(scheme, _, it)| {
        is_one(&scheme.entry.name) && it.holm < LEVEL && (it.difference < 0.0) == better
    });
    let words = tests.map(|(scheme, task, it)| {
        format!(
            "{} at {} ({}, p {})",
            scheme.entry.name,
            task.task,
            change(it.relative),
            probability(it.holm)
        )
    });
    let words: Vec<String> = words.collect();
    let word = if better { "Better" } else { "Worse" };
    (!words.is_empty()).then(|| format!("{word} than equal weights: {}.", few(&words)))
}

/// What came of the search for fixed weights.
fn searched(all: &Comparison) -> Option<String> {
    let fixed = all.scheme(FIXED).filter(|it| it.entry.not_compared.is_none())?;
    let is_equal = fixed.entry.chosen.iter().all(|it| it.trial.weights.is_none());
    is_equal.then(|| {
        "Of the fixed weights that were tried none did better than equal ones on the validation rows: fixed is equal here.".into()
    })
}

/// How networks of their own do beside equal weights.
fn single(all: &Comparison) -> Option<String> {
    let stl = all.scheme(STL).filter(|it| it.entry.not_compared.is_none())?;
    let of = |better: bool| -> Vec<String> {
        let tasks = stl.tasks.iter().filter_map(|it| Some((&it.task, it.against_equal?)));
        let tasks = tasks.filter(|(_, it)| it.holm < LEVEL && (it.difference < 0.0) == better);
        tasks
            .map(|(task, it)| {
                format!("{task} ({}, p {})", change(it.relative), probability(it.holm))
            })
            .collect()
    };
    Some(match (of(true), of(false)) {
        (better, worse) if better.is_empty() && worse.is_empty() => {
            "A network a task (stl) cannot be told from one network with equal weights: sharing the trunk neither helps nor harms \
             measurably.".into()
        }
        (better, worse) => {
            let part = |word: &str, tasks: Vec<String>| {
                (!tasks.is_empty()).then(|| format!("{word} at {}", few(&tasks)))
            };
            let parts = [part("better", better), part("worse", worse)];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            format!("A network a task (stl) is {} than one network with equal weights.", parts.join(", and "))
        }
    })
}

/// Which has the lowest mean rank, and what that is worth.
fn first_ranked(all: &Comparison) -> Option<String> {
    let ranked = all.schemes.iter().filter_map(|it| Some((it, it.mean_rank?)));
    let mut ranked: Vec<(&OfScheme, f64)> = ranked.collect();
    ranked.sort_by(|a, b| a.1.total_cmp(&b.1));
    let [(first, rank), _, ..] = &ranked[..] else { return None };
    let is_sure = first
        .tasks
        .iter()
        .filter_map(|it| it.against_equal)
        .any(|it| it.holm < LEVEL && it.difference < 0.0);
    let worth = match (is_sure, &*first.entry.name) {
        (_, EQUAL) => "",
        (true, _) => "",
        (false, _) => {
            ", which is no more than an order: it is not measurably better than equal weights at any task"
        }
    };
    Some(format!(
        "The lowest mean rank has {} ({rank:.2} among {}){worth}.",
        first.entry.name,
        ranked.len()
    ))
}

/// What no such numbers say.
fn limits(all: &Comparison) -> String {
    let seeds = all.protocol.seeds.len();
    format!(
        "All of it is of one split of one table: the intervals tell how much first weights, order of the rows and dropout change \
         ({seeds} seeds), and not how much another split would (--split-seed). That a difference was not found does not say that \
         there is none; small ones take more seeds."
    )
}

/// What was not compared, or not whole.
fn left_out(all: &Comparison) -> Option<String> {
    let words = all.schemes.iter().filter_map(|it| {
        let entry = &it.entry;
        let failed = entry.runs.iter().filter(|run| run.failure.is_some()).count();
        match (&entry.not_compared, failed) {
            (Some(why), _) => Some(format!("{} was not compared: {why}", entry.name)),
            (None, 0) => None,
            (None, failed) => Some(format!(
                "{failed} of {} runs of {} failed, and its figures are of the others",
                entry.runs.len(),
                entry.name
            )),
        }
    });
    let words: Vec<String> = words.collect();
    (!words.is_empty()).then(|| {
        let text = words.join("; ");
        format!("{text}{}", if text.ends_with('.') { "" } else { "." })
    })
}

/// `loss −3.2 %`
fn change(relative: f64) -> String {
    format!("loss {:+.1} %", 100.0 * relative).replace('-', "−")
}

/// `0.012`, `< 0.001`
fn probability(p: f64) -> String {
    if p < 0.001 { "< 0.001".into() } else { format!("{p:.3}") }
}

fn few(words: &[String]) -> String {
    match words.len() {
        all if all <= MOST_NAMES => words.join(", "),
        all => format!("{} and {} more", words[..MOST_NAMES].join(", "), all - MOST_NAMES),
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::super::comparison::tests::example;

    #[test]
    fn what_is_found_is_told_with_its_size_and_what_failed_by_name() {
        let told = example().conclusion.join("\n");
        assert!(told.contains("3 seeds, corrected by Holm for 3 tests"), "{told}");
        assert!(told.contains("1 of 2 schemes can be distinguished"), "{told}");
        assert!(told.contains("Better than equal weights: rlw at kind (loss −50.0 %"), "{told}");
        assert!(told.contains("gls was not compared: it needs positive losses"), "{told}");
        assert!(told.contains("1 of 3 runs of awl failed"), "{told}");
    }

    #[test]
    fn where_nothing_is_found_that_is_the_result() {
        let mut all = example();
        for task in all.schemes.iter_mut().flat_map(|it| &mut it.tasks) {
            if let Some(test) = &mut task.against_equal {
                test.holm = 0.7;
            }
        }
        let told = super::conclusion(&all).join("\n");
        assert!(
            told.starts_with("No scheme is distinguishable from equal weights on this table"),
            "{told}"
        );
        assert!(told.contains("no more than an order"), "{told}");
    }
}
