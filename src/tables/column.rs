//! A column: its cells as they lie in memory, and the view of them that a table's rows have.
//!
//! Numbers take 8 bytes a cell, NaN where one is missing; text takes 4, the number of a text in the column's dictionary.
//! A table that is a part of another shares the cells with it and only lists its rows.

use super::encode::are_one_number;
use super::whole::{INEXACT, digits_beyond};
use indexmap::IndexSet;
use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The code of a missing cell of text.
pub(super) const MISSING: u32 = u32::MAX;

/// The texts of a column, each once, in the order in which they first occur.
pub(super) type Texts = IndexSet<Box<str>>;

/// All cells of a column of a file.
#[derive(Clone, Debug)]
pub(super) enum Cells {
    /// Finite numbers, NaN where missing; where kept, also as they were written: all of them, or those whole numbers alone that
    /// `f64` does not hold.
    Numbers(Vec<f64>, Option<Written>),
    /// A code in the dictionary a cell, [`MISSING`] where missing.
    Text(Vec<u32>, Texts),
}

/// Cells as they were written, one after the other; a missing one is empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    text: String,
    ends: Vec<usize>,
    /// The cells' rows, in order, where not every row's is kept.
    rows: Option<Vec<u32>>,
}

impl Written {
    pub(super) fn push(&mut self, cell: Option<&str>) {
        self.text.push_str(cell.unwrap_or_default());
        self.ends.push(self.text.len());
    }

    /// Keeps the cell of this row, and of no other one between it and the last that was kept.
    pub(super) fn push_at(&mut self, row: usize, cell: &str) {
        self.rows.get_or_insert_default().push(row as u32);
        self.push(Some(cell));
    }

    pub(super) fn get(&self, row: usize) -> Option<&str> {
        let row = match &self.rows {
            Some(rows) => rows.binary_search(&u32::try_from(row).ok()?).ok()?,
            None => row,
        };
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        let cell = &self.text[start..self.ends[row]];
        (!cell.is_empty()).then_some(cell)
    }
}

impl Cells {
    pub(super) fn rows(&self) -> usize {
        match self {
            Self::Numbers(values, _) => values.len(),
            Self::Text(codes, _) => codes.len(),
        }
    }

    /// The same cells as text.
    pub(super) fn to_text(&self) -> Self {
        let all = Column { cells: self, rows: None };
        let mut texts = Texts::new();
        // Words that are missing among numbers, and numbers that are not finite, are texts like any other here.
        let text = |row| all.written(row).map(Cow::Borrowed).or_else(|| all.text(row));
        let codes = (0..self.rows()).map(|row| match text(row) {
            Some(text) => code(&mut texts, &text),
            None => MISSING,
        });
        Self::Text(codes.collect(), texts)
    }
}

/// The code of a text, which gets one if it is new.
pub(super) fn code(texts: &mut Texts, text: &str) -> u32 {
    let index = texts.get_index_of(text).unwrap_or_else(|| texts.insert_full(text.into()).0);
    u32::try_from(index)
        .ok()
        .filter(|&code| code != MISSING)
        .expect("a table has fewer rows than codes")
}

/// One column's cells in the rows of a table: numbers or text, any of which may be missing.
///
/// ```
/// let table = awl::Table::from_csv("birds", "bird,wing_mm\nrobin,75\nwren,NA\n".as_bytes())?;
/// let wing = table.column("wing_mm")?;
/// assert_eq!((wing.is_text(), wing.missing()), (false, 1));
/// assert_eq!((wing.number(0), wing.number(1)), (Some(75.0), None));
/// assert_eq!(table.column("bird")?.text(1).as_deref(), Some("wren"));
/// # Ok::<(), awl::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Column<'a> {
    pub(super) cells: &'a Cells,
    /// The places of the rows in the file, where not all of them are meant in their order.
    pub(super) rows: Option<&'a [u32]>,
}

impl<'a> Column<'a> {
    /// Number of cells, missing or not.
    pub fn rows(&self) -> usize {
        self.rows.map_or(self.cells.rows(), <[u32]>::len)
    }

    /// Whether this is a column of text: one with a cell, in this table or elsewhere in its file, that is no number.
    pub fn is_text(&self) -> bool {
        matches!(self.cells, Cells::Text(..))
    }

    /// Whether a cell is missing.
    ///
    /// # Panics
    /// If `row` is not below [`rows`](Self::rows), as indexing a slice does.
    pub fn is_missing(&self, row: usize) -> bool {
        match self.cells {
            Cells::Numbers(values, _) => values[self.at(row)].is_nan(),
            Cells::Text(codes, _) => codes[self.at(row)] == MISSING,
        }
    }

    /// Number of missing cells.
    pub fn missing(&self) -> usize {
        (0..self.rows()).filter(|&row| self.is_missing(row)).count()
    }

    /// A cell as a finite number, or `None` where it is missing or is none.
    ///
    /// # Panics
    /// If `row` is not below [`rows`](Self::rows), as indexing a slice does.
    pub fn number(&self, row: usize) -> Option<f64> {
        match self.cells {
            Cells::Numbers(values, _) => Some(values[self.at(row)]).filter(|value| !value.is_nan()),
            Cells::Text(..) => {
                self.text(row)?.parse().ok().filter(|number: &f64| number.is_finite())
            }
        }
    }

    /// A cell as text, or `None` where it is missing. A cell of a column of numbers is in its shortest form (`2007`,
    /// `18.7`); as it is written where it is a whole number too long for an `f64` (`9007199254740993`), in a [chunk](crate::Table::chunks), which cannot know what the rest of the file holds, and
    /// where the column's numbers are written for people (`1,163.74`).
    ///
    /// # Panics
    /// If `row` is not below [`rows`](Self::rows), as indexing a slice does.
    pub fn text(&self, row: usize) -> Option<Cow<'a, str>> {
        let at = self.at(row);
        match self.cells {
            Cells::Numbers(values, _) if values[at].is_nan() => None,
            Cells::Numbers(values, written) => {
                let written = written.as_ref().and_then(|written| written.get(at));
                Some(written.map_or_else(|| values[at].to_string().into(), Cow::Borrowed))
            }
            Cells::Text(codes, texts) => {
                texts.get_index(codes[at] as usize).map(|text| Cow::Borrowed(&**text))
            }
        }
    }

    /// Whether all cells are present and the same, numbers up to rounding; so they are where there is none.
    pub fn is_constant(&self) -> bool {
        (0..self.rows()).all(|row| !self.is_missing(row)) && self.says_one_thing()
    }

    /// Whether all cells that are present are the same, numbers up to rounding; so they are where there is none.
    pub(super) fn says_one_thing(self) -> bool {
        if let Some((codes, _)) = self.codes() {
            let mut present = codes.filter(|&code| code != MISSING);
            let first = present.next();
            return present.all(|code| Some(code) == first);
        }
        are_one_number(self.values().into_iter().flatten().filter(|value| !value.is_nan()))
    }

    /// The numbers of a column of numbers, row after row, NaN where one is missing; `None` for text.
    pub(super) fn values(self) -> Option<impl Iterator<Item = f64> + 'a> {
        match self.cells {
            Cells::Numbers(values, _) => {
                Some((0..self.rows()).map(move |row| values[self.at(row)]))
            }
            Cells::Text(..) => None,
        }
    }

    /// The codes of a column of text, row after row, and what they stand for; `None` for numbers.
    pub(super) fn codes(self) -> Option<(impl Iterator<Item = u32> + 'a, &'a Texts)> {
        match self.cells {
            Cells::Numbers(..) => None,
            Cells::Text(codes, texts) => {
                Some(((0..self.rows()).map(move |row| codes[self.at(row)]), texts))
            }
        }
    }

    /// A cell of a column of numbers as it is written, where that is known.
    pub(super) fn written(&self, row: usize) -> Option<&'a str> {
        match self.cells {
            Cells::Numbers(_, Some(written)) => written.get(self.at(row)),
            _ => None,
        }
    }

    /// The digits of a cell of a column of numbers that is a [whole number beyond `f64`](digits_beyond).
    pub(super) fn beyond(&self, row: usize) -> Option<&'a str> {
        digits_beyond(self.written(row)?, self.number(row)?)
    }

    /// Two cells of a column of numbers that are written as different whole numbers, but have the same `f64`.
    pub(super) fn merged(&self) -> Option<[String; 2]> {
        let Cells::Numbers(_, Some(_)) = self.cells else { return None };
        let mut spelt: HashMap<u64, Cow<'_, str>> = HashMap::new();
        for row in 0..self.rows() {
            let Some(number) = self.number(row).filter(|number| number.abs() >= INEXACT) else {
                continue;
            };
            let text = self.beyond(row).map_or_else(|| number.to_string().into(), Cow::Borrowed);
            match spelt.entry(number.to_bits()) {
                Entry::Vacant(entry) => _ = entry.insert(text),
                Entry::Occupied(known) if *known.get() == text => {}
                Entry::Occupied(known) => return Some([known.get().to_string(), text.into()]),
            }
        }
        None
    }

    /// The place of a row in the file.
    fn at(&self, row: usize) -> usize {
        self.rows.map_or(row, |rows| rows[row] as usize)
    }
}

/// Equal are columns of one kind with the same cells.
impl PartialEq for Column<'_> {
    fn eq(&self, other: &Self) -> bool {
        let same = |row| match self.is_text() {
            true => self.text(row) == other.text(row),
            false => self.number(row) == other.number(row) && self.beyond(row) == other.beyond(row),
        };
        self.is_text() == other.is_text()
            && self.rows() == other.rows()
            && (0..self.rows()).all(same)
    }
}

impl std::fmt::Debug for Column<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = if self.is_text() { "text" } else { "numbers" };
        write!(f, "{kind} ")?;
        f.debug_list().entries((0..self.rows()).map(|row| self.text(row))).finish()
    }
}

#[cfg(test)]
mod tests {
    use crate::Table;

    #[test]
    fn cells_read_as_text_and_numbers_whatever_their_kind() {
        let table = Table::from_csv("t", "a,b\n2007,7\n18.70,x\nNA,NA\n".as_bytes()).unwrap();
        for (name, texts, numbers) in [
            ("a", [Some("2007"), Some("18.7"), None], [Some(2007.0), Some(18.7), None]),
            ("b", [Some("7"), Some("x"), None], [Some(7.0), None, None]),
        ] {
            let column = table.column(name).unwrap();
            assert_eq!(
                [0, 1, 2].map(|row| column.text(row)).each_ref().map(Option::as_deref),
                texts
            );
            assert_eq!([0, 1, 2].map(|row| column.number(row)), numbers);
            assert_eq!((column.rows(), column.missing()), (3, 1));
        }
    }

    #[test]
    fn whole_numbers_beyond_f64_keep_their_digits() {
        let cells = "7.50\n9007199254740993\nNA\n-18446744073709551615\n9007199254740992\n";
        let table = Table::from_csv("t", format!("a\n{cells}").as_bytes()).unwrap();
        let texts = |table: &Table, rows: &[usize]| -> Vec<Option<String>> {
            let column = table.column("a").unwrap();
            rows.iter().map(|&row| column.text(row).map(|text| text.into_owned())).collect()
        };
        let column = table.column("a").unwrap();
        assert!(!column.is_text());
        assert_eq!(column.number(1), column.number(4), "as numbers they are rounded");
        let expected = [
            Some("7.5"),
            Some("9007199254740993"),
            None,
            Some("-18446744073709551615"),
            Some("9007199254740992"),
        ]
        .map(|text| text.map(String::from));
        assert_eq!(texts(&table, &[0, 1, 2, 3, 4]), expected);
        assert_eq!(
            texts(&table.select(&[4, 1]), &[0, 1]),
            [expected[4].clone(), expected[1].clone()]
        );
        assert_eq!(texts(&table.clone().as_text("a").unwrap(), &[0, 1, 2, 3, 4]), expected);
        assert_ne!(
            table.select(&[1]).column("a").unwrap(),
            table.select(&[4]).column("a").unwrap()
        );
    }

    #[test]
    fn a_column_is_constant_if_every_cell_is_there_and_the_same() {
        let text = "a,b,c,d,e\n1,x,1,x,\n1.0,x,,,\n1,x,1,x,\n";
        let table = Table::from_csv("t", text.as_bytes()).unwrap();
        for (name, constant) in [("a", true), ("b", true), ("c", false), ("d", false), ("e", false)]
        {
            assert_eq!(table.column(name).unwrap().is_constant(), constant, "{name}");
        }
    }
}
