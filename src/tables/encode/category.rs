//! Categories: the distinct cells of a column, and finding a cell among them.
//!
//! Capitals count, but for words that say yes or no: `TRUE`, `True` and `true` are one category, named in small letters where
//! a table mixes them, and found in any capitals.

use super::yes_no::{fold, is_yes_no};
use crate::tables::Column;
use crate::tables::column::MISSING;
use crate::tables::whole::digits_beyond;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::HashMap;

/// The categories of a text feature that share one input, since each has few training rows or there are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rare {
    /// How many categories of the training part they are.
    pub categories: usize,
    /// How many rows of the training part have one of them.
    pub rows: usize,
}

impl Rare {
    /// Categories of a feature with inputs of their own, at most: an input each of an identifier or of free text would fill the
    /// memory.
    pub const MOST_APART: usize = 1_024;
}

/// The categories of a text column that `least` rows or more have, of more than [`Rare::MOST_APART`] the most frequent (of equally
/// frequent ones the first), sorted; and what is left of the others.
pub(super) fn frequent(column: Column<'_>, least: usize) -> (Vec<String>, Option<Rare>) {
    let all = distinct(column);
    let mut rows = vec![0; all.len()];
    for found in Lookup::new(&all, column).all() {
        if let Found::Known(category) = found {
            rows[category] += 1;
        }
    }
    let mut kept: Vec<usize> = (0..all.len()).filter(|&category| rows[category] >= least).collect();
    kept.sort_by_key(|&category| Reverse(rows[category]));
    kept.truncate(Rare::MOST_APART);
    kept.sort_unstable();
    let kept: Vec<String> = kept.into_iter().map(|category| all[category].clone()).collect();
    // Counted as they will be encoded: where yes and no are left, "YES" is found as "yes".
    let lookup = Lookup::new(&kept, column);
    let is_left = |found: &Found| *found == Found::Unseen;
    let categories = all.iter().filter(|text| is_left(&lookup.find(text))).count();
    let rows = lookup.all().iter().filter(|found| is_left(found)).count();
    let rare = (rows > 0).then_some(Rare { categories, rows });
    (kept, rare)
}

/// The distinct cells of a column as text, sorted: numbers by value, texts by their bytes.
pub(super) fn distinct(column: Column<'_>) -> Vec<String> {
    let Some((codes, texts)) = column.codes() else {
        return distinct_numbers(column).iter().map(f64::to_string).collect();
    };
    let mut occurs = vec![false; texts.len()];
    for code in codes.filter(|&code| code != MISSING) {
        occurs[code as usize] = true;
    }
    let occurring = texts.iter().zip(occurs).filter(|(_, occurs)| *occurs);
    let texts: Vec<String> = occurring.map(|(text, _)| text.to_string()).collect();
    let mut texts = fold(texts);
    texts.sort_unstable();
    texts
}

/// The distinct numbers of a column of numbers, sorted.
pub(super) fn distinct_numbers(column: Column<'_>) -> Vec<f64> {
    // Adding 0 makes one number of 0 and −0.
    let values = column.values().into_iter().flatten();
    let mut numbers: Vec<f64> =
        values.filter(|number| !number.is_nan()).map(|number| number + 0.0).collect();
    numbers.sort_unstable_by(f64::total_cmp);
    numbers.dedup();
    numbers
}

/// What a cell is to the categories of the training part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Missing,
    Known(usize),
    Unseen,
}

/// Finds the cells of a column among categories.
///
/// A column may be text in one file and numbers in another, say where the second has only the rows
/// whose cell is `22`; so a number also finds the category that can be read as that number.
pub(super) struct Lookup<'a> {
    column: Column<'a>,
    texts: HashMap<&'a str, usize>,
    numbers: HashMap<u64, usize>,
    /// By their small letters, where all say yes or no.
    folded: HashMap<String, usize>,
    /// Whether the categories may be of a column of numbers: all are numbers in their shortest form.
    of_numbers: bool,
}

impl<'a> Lookup<'a> {
    pub(super) fn new(categories: &'a [String], column: Column<'a>) -> Self {
        let mut texts = HashMap::new();
        let mut numbers = HashMap::new();
        for (index, name) in categories.iter().enumerate() {
            texts.insert(name.as_str(), index);
            // Of a whole number beyond f64, its f64 may be that of another one.
            if let Ok(number) = name.parse()
                && digits_beyond(name, number).is_none()
            {
                numbers.entry(bits(number)).or_insert(index);
            }
        }
        let is_shortest =
            |name: &String| name.parse().is_ok_and(|number: f64| number.to_string() == *name);
        let folded = match is_yes_no(categories) {
            true => categories.iter().map(|name| name.to_lowercase()).zip(0..).collect(),
            false => HashMap::new(),
        };
        Self { column, texts, numbers, folded, of_numbers: categories.iter().all(is_shortest) }
    }

    fn find(&self, text: &str) -> Found {
        let folded = || self.folded.get(&text.to_lowercase());
        match self.texts.get(text).or_else(|| if self.folded.is_empty() { None } else { folded() })
        {
            Some(&index) => Found::Known(index),
            None => Found::Unseen,
        }
    }

    /// What each row's cell is.
    pub(super) fn all(&self) -> Vec<Found> {
        if let Some((codes, texts)) = self.column.codes() {
            let of_code: Vec<Found> = texts.iter().map(|text| self.find(text)).collect();
            return codes
                .map(|code| of_code.get(code as usize).copied().unwrap_or(Found::Missing))
                .collect();
        }
        let values = self.column.values().into_iter().flatten().enumerate();
        let find = |(row, number): (usize, f64)| {
            let written = self.column.written(row);
            if let Some(digits) = written.and_then(|text| digits_beyond(text, number)) {
                return self.find(digits);
            }
            match written {
                // None and ? are missing among numbers, but may be categories of the text that the column was.
                Some(text) if number.is_nan() => match self.find(text) {
                    Found::Unseen => Found::Missing,
                    found => found,
                },
                _ if number.is_nan() => Found::Missing,
                // 01 and 1 may be two categories, where the cell of another column of numbers only knows its value.
                Some(text) if !self.of_numbers => self.find(text),
                _ => match self.numbers.get(&bits(number)) {
                    Some(&index) => Found::Known(index),
                    None => Found::Unseen,
                },
            }
        };
        values.map(find).collect()
    }
}

/// The bits by which equal numbers are equal: 0 and −0 have the same.
fn bits(number: f64) -> u64 {
    (number + 0.0).to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Table;

    fn find(categories: &[&str], csv: &str) -> Vec<Found> {
        let categories: Vec<String> = categories.iter().map(|&name| name.into()).collect();
        let table = Table::from_csv("t", csv.as_bytes()).unwrap();
        Lookup::new(&categories, table.column("x").unwrap()).all()
    }

    #[test]
    fn numbers_sort_by_value_and_texts_by_their_bytes() {
        for (cells, names) in [
            ("10\n-0.0\nNA\n2\n0", &["0", "2", "10"][..]),
            ("wren\n10\nRook\n2\nwren", &["10", "2", "Rook", "wren"]),
        ] {
            let table = Table::from_csv("t", format!("x\n{cells}\n").as_bytes()).unwrap();
            assert_eq!(distinct(table.column("x").unwrap()), names);
        }
    }

    #[test]
    fn only_the_texts_of_these_rows_count() {
        let table = Table::from_csv("t", "x\na\nb\nNA\na\n".as_bytes()).unwrap();
        assert_eq!(distinct(table.select(&[0, 2, 3]).column("x").unwrap()), ["a"]);
    }

    #[test]
    fn a_cell_is_found_in_a_column_of_either_kind() {
        use Found::{Known, Missing, Unseen};
        let categories = ["0", "022", "B5"];
        assert_eq!(find(&categories, "x\nB5\n22\n\"\"\n"), [Known(2), Unseen, Missing]);
        let found = find(&categories, "x\n22\n-0.0\n5\n\"\"\n");
        assert_eq!(found, [Known(1), Known(0), Unseen, Missing]);
    }

    /// 9007199254740993 has no f64: as a number it is 9007199254740992.
    #[test]
    fn whole_numbers_beyond_f64_are_found_by_their_digits() {
        use Found::{Known, Unseen};
        let categories =
            ["-9007199254740993", "9007199254740992", "9007199254740993", "9007199254740997"];
        for (cells, found) in [
            ("9007199254740993\n9007199254740992", [Known(2), Known(1)]),
            ("9007199254740992\n+9007199254740993.0", [Known(1), Known(2)]),
            ("-9007199254740993\n-9007199254740992", [Known(0), Unseen]),
            // Text, for a cell that is none.
            ("9007199254740993\nx", [Known(2), Unseen]),
            // 9007199254740996 is what f64 makes of 9007199254740997.
            ("9007199254740996\n9007199254740997", [Unseen, Known(3)]),
        ] {
            assert_eq!(find(&categories, &format!("x\n{cells}\n")), found, "{cells}");
        }
        // Nor is it one of those that have one.
        assert_eq!(
            find(&["9007199254740992", "5"], "x\n9007199254740993\n5\n"),
            [Unseen, Known(1)]
        );
    }

    #[test]
    fn yes_and_no_are_found_in_any_capitals_and_other_words_in_their_own() {
        use Found::{Known, Unseen};
        for (cells, names) in [
            ("TRUE\nfalse\nTrue", &["false", "true"][..]),
            ("Yes\nNo\nYES\nno", &["no", "yes"]),
            ("Yes\nNo", &["No", "Yes"]),
            ("Yes\nYes", &["Yes"]),
            ("Y\nn\nN", &["n", "y"]),
            ("TRUE\ntrue\nmaybe", &["TRUE", "maybe", "true"]),
            ("Male\nmale", &["Male", "male"]),
            ("yes\nFALSE\nFalse", &["FALSE", "False", "yes"]),
        ] {
            let table = Table::from_csv("t", format!("x\n{cells}\n").as_bytes()).unwrap();
            assert_eq!(distinct(table.column("x").unwrap()), names, "{cells}");
        }
        assert_eq!(find(&["No", "Yes"], "x\nYES\nno\nmaybe\n"), [Known(1), Known(0), Unseen]);
        assert_eq!(find(&["a", "b"], "x\nA\nb\n"), [Unseen, Known(1)]);
    }
}
