//! Which cells are missing, and by which word.
//!
//! Few words always mean that a cell is missing: the [usual ones](USUAL), outside of quotes. The [doubtful](DOUBTFUL) ones, and
//! any usual one in quotes, are missing among numbers, where they can mean nothing else, and a text like any other among texts:
//! damage may be `None`, a blood group's factor `-`.

use crate::tables::names::find;

/// What stands for a missing cell, in small letters, beside the empty cell.
const USUAL: [&str; 7] = ["na", "n/a", "#n/a", "nan", "-nan", "null", "<na>"];

/// What stands for one among numbers alone.
const DOUBTFUL: [&str; 7] = ["none", "?", "-", "--", ".", "n.a.", "nil"];

/// The words that stand for a missing cell.
#[derive(Clone, Debug, Default)]
pub(in crate::tables) struct MissingWords {
    /// Whether the usual and the doubtful ones do.
    usual: bool,
    more: Vec<String>,
    numbers: Vec<f64>,
}

/// What a cell is, before it is known whether its column is of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    /// Missing, by this word, which is empty for an empty cell.
    Missing(&'a str),
    /// Missing among numbers, a text among texts.
    Doubtful(&'a str),
    /// Without the spaces around it.
    Present(&'a str),
}

impl MissingWords {
    /// The words of a column among these, of which some are said to be those of one column: `sensor=-200`.
    pub(super) fn of_column(words: &[String], column: &str, columns: &[String]) -> Self {
        let own = words.iter().filter_map(|entry| {
            // The longest name, should one be the beginning of another.
            let signs = entry.rmatch_indices('=').map(|(at, _)| entry.split_at(at));
            let named = signs.into_iter().find(|(name, _)| find(name.trim(), columns).is_some());
            match named {
                None => Some(entry.clone()),
                Some((name, word)) => {
                    let is_own = find(name.trim(), columns).is_some_and(|at| columns[at] == column);
                    is_own.then(|| word[1..].to_string())
                }
            }
        });
        Self::new(&own.collect::<Vec<_>>())
    }

    /// The usual words and these, or these alone if an empty one is among them.
    pub(super) fn new(words: &[String]) -> Self {
        let trimmed = || words.iter().map(|word| word.trim());
        let more = trimmed().filter(|word| !word.is_empty()).map(str::to_lowercase);
        Self {
            usual: trimmed().all(|word| !word.is_empty()),
            numbers: trimmed().filter_map(|word| word.parse().ok()).collect(),
            more: more.collect(),
        }
    }

    /// What a cell is.
    pub(super) fn classify<'a>(&self, cell: &'a str, is_quoted: bool) -> Cell<'a> {
        let cell = cell.trim();
        let is = |word: &&str| cell.eq_ignore_ascii_case(word);
        if cell.is_empty() || self.is_named(cell) {
            Cell::Missing(cell)
        } else if self.usual && USUAL.iter().any(is) {
            if is_quoted { Cell::Doubtful(cell) } else { Cell::Missing(cell) }
        } else if self.usual && DOUBTFUL.iter().any(is) {
            Cell::Doubtful(cell)
        } else {
            Cell::Present(cell)
        }
    }

    /// Whether this number was named as one that stands for a missing cell.
    pub(super) fn has_number(&self, number: f64) -> bool {
        !self.numbers.is_empty() && self.numbers.contains(&number)
    }

    fn is_named(&self, cell: &str) -> bool {
        !self.more.is_empty() && {
            let number = cell.parse().is_ok_and(|number| self.has_number(number));
            number || self.more.contains(&cell.to_lowercase())
        }
    }

    /// Whether a text means nothing where a number is wanted.
    pub(in crate::tables) fn is_no_number(&self, text: &str) -> bool {
        self.usual && USUAL.iter().chain(&DOUBTFUL).any(|word| text.eq_ignore_ascii_case(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_may_be_that_of_one_column() {
        let columns = ["a", "b=c", "x"].map(String::from);
        let words = ["a=-1", "b=c=none", "q=5", "all"].map(String::from);
        let is_missing = |column: &str, cell: &str| {
            let words = MissingWords::of_column(&words, column, &columns);
            matches!(words.classify(cell, false), Cell::Missing(_))
        };
        for (column, cell, missing) in [
            ("a", "-1", true),
            ("x", "-1", false),
            ("b=c", "NONE", true),
            ("a", "none", false),
            ("x", "q=5", true),
            ("x", "all", true),
            ("a", "all", true),
            ("a", "NA", true),
        ] {
            assert_eq!(is_missing(column, cell), missing, "{column}: {cell}");
        }
    }

    #[test]
    fn words_are_missing_doubtful_or_texts() {
        use Cell::{Doubtful, Missing, Present};
        let usual = MissingWords::new(&[]);
        let more = MissingWords::new(&["Unknown".into(), " -200 ".into()]);
        let alone = MissingWords::new(&[String::new(), "gone".into()]);
        for (words, cell, quoted, expected) in [
            (&usual, "  ", false, Missing("")),
            (&usual, "", true, Missing("")),
            (&usual, " na ", false, Missing("na")),
            (&usual, "N/A", false, Missing("N/A")),
            (&usual, "NA", true, Doubtful("NA")),
            (&usual, "None", false, Doubtful("None")),
            (&usual, "-", true, Doubtful("-")),
            (&usual, "nano", false, Present("nano")),
            (&usual, "-200", false, Present("-200")),
            (&more, "UNKNOWN", true, Missing("UNKNOWN")),
            (&more, "-200.0", false, Missing("-200.0")),
            (&more, "-2e2", false, Missing("-2e2")),
            (&more, "-2000", false, Present("-2000")),
            (&more, "NA", false, Missing("NA")),
            (&alone, "NA", false, Present("NA")),
            (&alone, "none", false, Present("none")),
            (&alone, "gone", false, Missing("gone")),
            (&alone, "", false, Missing("")),
        ] {
            assert_eq!(words.classify(cell, quoted), expected, "{cell:?}");
        }
    }
}
