//! Words that say yes or no, in which capitals do not count.

/// The pairs of words, in small letters.
const PAIRS: [[&str; 2]; 5] =
    [["false", "true"], ["no", "yes"], ["f", "t"], ["n", "y"], ["off", "on"]];

/// Whether all of these words belong to one pair.
pub(super) fn is_yes_no(words: &[String]) -> bool {
    let is_of = |pair: &[&str; 2]| {
        words.iter().all(|word| pair.iter().any(|it| word.eq_ignore_ascii_case(it)))
    };
    !words.is_empty() && PAIRS.iter().any(is_of)
}

/// The same words, in small letters if they say yes or no in several ways of writing.
pub(super) fn fold(words: Vec<String>) -> Vec<String> {
    if !is_yes_no(&words) {
        return words;
    }
    let mut folded: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    folded.sort_unstable();
    folded.dedup();
    if folded.len() < words.len() { folded } else { words }
}

/// Every way in which a category may be written, with its index: the names themselves, and, where they say yes or no, other
/// capitals.
pub(crate) fn spellings(categories: &[String]) -> Vec<(String, usize)> {
    let mut all: Vec<(String, usize)> = categories.iter().cloned().zip(0..).collect();
    if is_yes_no(categories) {
        for (index, name) in categories.iter().enumerate() {
            let small = name.to_lowercase();
            let capital = small[..1].to_uppercase() + &small[1..];
            for spelling in [small.to_uppercase(), capital, small] {
                if !all.iter().any(|(known, _)| *known == spelling) {
                    all.push((spelling, index));
                }
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_has_the_index_of_its_word() {
        let names = |words: &[&str]| words.iter().map(|&word| word.into()).collect::<Vec<String>>();
        let expected = [("No", 0), ("Yes", 1), ("NO", 0), ("no", 0), ("YES", 1), ("yes", 1)];
        assert_eq!(spellings(&names(&["No", "Yes"])), expected.map(|(word, at)| (word.into(), at)));
        assert_eq!(spellings(&names(&["b", "a"])), [("b".into(), 0), ("a".into(), 1)]);
    }
}
