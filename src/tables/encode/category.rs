//! Categories: the distinct cells of a column, and finding a cell among them.

use crate::tables::Column;
use std::collections::{BTreeSet, HashMap};

/// The distinct cells of a column as text, sorted: numbers by value, texts by their bytes.
pub(super) fn distinct(column: &Column) -> Vec<String> {
    match column {
        Column::Numbers(cells) => {
            // Adding 0 makes one number of 0 and −0.
            let mut numbers: Vec<f64> = cells.iter().flatten().map(|number| number + 0.0).collect();
            numbers.sort_unstable_by(f64::total_cmp);
            numbers.dedup();
            numbers.iter().map(f64::to_string).collect()
        }
        Column::Text(cells) => {
            let texts: BTreeSet<&String> = cells.iter().flatten().collect();
            texts.into_iter().cloned().collect()
        }
    }
}

/// What a cell is to the categories of the training part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Missing,
    Known(usize),
    Unseen,
}

/// Finds cells among categories.
///
/// A column may be text in one file and numbers in another, say where the second has only the rows
/// whose cell is `22`; so a number also finds the category that can be read as that number.
pub(super) struct Lookup<'a> {
    texts: HashMap<&'a str, usize>,
    numbers: HashMap<u64, usize>,
}

impl<'a> Lookup<'a> {
    pub(super) fn new(categories: &'a [String]) -> Self {
        let mut texts = HashMap::new();
        let mut numbers = HashMap::new();
        for (index, name) in categories.iter().enumerate() {
            texts.insert(name.as_str(), index);
            if let Ok(number) = name.parse() {
                numbers.entry(bits(number)).or_insert(index);
            }
        }
        Self { texts, numbers }
    }

    pub(super) fn find(&self, column: &Column, row: usize) -> Found {
        let (present, index) = match column {
            Column::Numbers(cells) => (
                cells[row].is_some(),
                cells[row].and_then(|number| self.numbers.get(&bits(number))),
            ),
            Column::Text(cells) => {
                (cells[row].is_some(), cells[row].as_deref().and_then(|text| self.texts.get(text)))
            }
        };
        match (present, index) {
            (false, _) => Found::Missing,
            (true, Some(&index)) => Found::Known(index),
            (true, None) => Found::Unseen,
        }
    }
}

/// The bits by which equal numbers are equal: 0 and −0 have the same.
fn bits(number: f64) -> u64 {
    (number + 0.0).to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sort_by_value_and_texts_by_their_bytes() {
        let numbers = Column::Numbers(vec![Some(10.0), Some(-0.0), None, Some(2.0), Some(0.0)]);
        assert_eq!(distinct(&numbers), ["0", "2", "10"]);
        let cells = ["wren", "10", "Rook", "2", "wren"];
        let texts = Column::Text(cells.iter().map(|&text| Some(text.into())).collect());
        assert_eq!(distinct(&texts), ["10", "2", "Rook", "wren"]);
    }

    #[test]
    fn a_cell_is_found_in_a_column_of_either_kind() {
        let categories = ["0".into(), "022".into(), "B5".into()];
        let lookup = Lookup::new(&categories);
        let texts = Column::Text(vec![Some("B5".into()), Some("22".into()), None]);
        let found: Vec<_> = (0..3).map(|row| lookup.find(&texts, row)).collect();
        assert_eq!(found, [Found::Known(2), Found::Unseen, Found::Missing]);
        let numbers = Column::Numbers(vec![Some(22.0), Some(-0.0), Some(5.0), None]);
        let found: Vec<_> = (0..4).map(|row| lookup.find(&numbers, row)).collect();
        assert_eq!(found, [Found::Known(1), Found::Known(0), Found::Unseen, Found::Missing]);
    }
}
