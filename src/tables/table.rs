//! A table: named columns of numbers or text, any cell of which may be missing.
//!
//! Tables come from files ([`Table::open`]), fall into parts ([`Table::split`]) and become what an
//! engine trains on through an [`Encoder`](super::Encoder). A table remembers its name and the line that
//! each row had in its file, through every split, so that whatever is found wrong with a cell later on
//! can still be looked up in a text editor. Parts of a table share its cells: what a split costs is 4 bytes a row.

use super::column::{Cells, Column};
use crate::error::{Error, Result};
use crate::nearest::nearest;
use std::borrow::Cow;
use std::sync::Arc;

/// The cell that made a column text though most of its cells are numbers: a slip more often than a category.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stray {
    /// What stands there.
    pub cell: String,
    /// Its line in the file.
    pub line: u64,
    /// How many cells of the whole file are numbers, of how many that are not missing.
    pub numbers: usize,
    pub present: usize,
}

/// What a file holds.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub name: String,
    /// What [`lines`](Self::lines) counts: `line`, or `row` in a file that has no lines.
    pub unit: &'static str,
    pub headers: Vec<String>,
    pub columns: Vec<Arc<Cells>>,
    pub strays: Vec<Option<Stray>>,
    /// The line on which each row starts.
    pub lines: Arc<Vec<u64>>,
}

/// Named columns of one length.
#[derive(Clone)]
pub struct Table {
    file: Arc<File>,
    /// The places of the rows in the file, where not all of them are meant in their order.
    rows: Option<Arc<[u32]>>,
}

impl Table {
    /// All rows of a file.
    pub(super) fn new(file: File) -> Self {
        debug_assert_eq!(file.headers.len(), file.columns.len());
        debug_assert!(file.columns.iter().all(|column| column.rows() == file.lines.len()));
        Self { file: file.into(), rows: None }
    }

    /// The table's name: its path, where it was read from a file.
    pub fn name(&self) -> &str {
        &self.file.name
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows.as_ref().map_or(self.file.lines.len(), |rows| rows.len())
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows() == 0
    }

    /// The columns' names, in the order of the file.
    pub fn names(&self) -> &[String] {
        &self.file.headers
    }

    /// The columns, in the order of [`names`](Self::names).
    pub fn columns(&self) -> impl ExactSizeIterator<Item = Column<'_>> {
        self.file.columns.iter().map(|cells| Column { cells, rows: self.rows.as_deref() })
    }

    /// The line of the file, counted from 1, on which a row starts; of a file without lines (Parquet) its row, counted
    /// from 1.
    ///
    /// # Panics
    /// If `row` is not below [`rows`](Self::rows), as indexing a slice does.
    pub fn line(&self, row: usize) -> u64 {
        self.file.lines[self.at(row)]
    }

    /// The column of this name.
    ///
    /// # Errors
    /// [`Error::Table`] if there is none, with the name that was probably meant.
    pub fn column(&self, name: &str) -> Result<Column<'_>> {
        Ok(Column { cells: &self.file.columns[self.index(name)?], rows: self.rows.as_deref() })
    }

    fn index(&self, name: &str) -> Result<usize> {
        let headers = &self.file.headers;
        headers.iter().position(|header| header == name).ok_or_else(|| {
            let headers = headers.iter().map(String::as_str);
            let remedy = match nearest(name, headers.clone()) {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => format!("its columns are {}", quoted(headers)),
            };
            self.error(format!("there is no column \"{name}\": {remedy}"))
        })
    }

    fn at(&self, row: usize) -> usize {
        self.rows.as_ref().map_or(row, |rows| rows[row] as usize)
    }

    /// The same table with this column taken as [text](Column::is_text), so that as a feature it becomes one input a
    /// category: for codes such as `1`, `2` and `2b`, or numbers that only name something.
    ///
    /// ```
    /// let table = awl::Table::from_csv("people", "class,age\n1,40\n3,22\ncrew,31\n".as_bytes())?;
    /// let table = table.as_text("class")?;
    /// let encoder = awl::Encoder::fit(&table, &["class"], &[("age", awl::Loss::Mse)])?;
    /// assert_eq!(encoder.feature_names(), ["class=1", "class=3", "class=crew"]);
    /// # Ok::<(), awl::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Table`] if there is no such column, with the name that was probably meant.
    pub fn as_text(mut self, name: &str) -> Result<Self> {
        let index = self.index(name)?;
        let file = Arc::make_mut(&mut self.file);
        if let Cells::Numbers(..) = *file.columns[index] {
            file.columns[index] = file.columns[index].to_text().into();
        }
        file.strays[index] = None;
        Ok(self)
    }

    /// Checks that a column is not text because of a few cells among numbers.
    ///
    /// The file as a whole is judged, even where this table is a part of it that has none of those cells.
    pub(super) fn check_no_stray(&self, name: &str) -> Result<()> {
        let Some(stray) = &self.file.strays[self.index(name)?] else { return Ok(()) };
        let (Stray { cell, line, numbers, present }, unit) = (stray, self.file.unit);
        Err(self.error(format!(
            "{unit} {line}, column \"{name}\": \"{cell}\" is not a number, but {numbers} of the column's {present} \
             cells are: correct the cell, leave it empty, or say that the column is text \
             (--text \"{name}\"; in Rust, Table::as_text)"
        )))
    }

    /// The column of this name as numbers, NaN where a cell is missing.
    ///
    /// A column of text will do if every cell that is not missing happens to be a number, as after a
    /// split that put its other cells elsewhere.
    ///
    /// # Errors
    /// [`Error::Table`] if there is no such column, or at the first cell that is not a number.
    pub fn numbers(&self, name: &str) -> Result<Cow<'_, [f64]>> {
        let column = self.column(name)?;
        if let (Cells::Numbers(values, _), None) = (column.cells, column.rows) {
            return Ok(Cow::Borrowed(values));
        }
        if let Some(values) = column.values() {
            return Ok(values.collect());
        }
        let number = |row| {
            match (column.text(row), column.number(row)) {
            (None, _) => Ok(f64::NAN),
            (_, Some(number)) => Ok(number),
            (Some(text), None) => Err(self.error_at(
                row,
                name,
                format!("\"{text}\" is not a number: write a number such as 1234.5, or leave the cell empty"),
            )),
        }
        };
        (0..column.rows()).map(number).collect()
    }

    /// These rows, in this order, as a table of the same name; rows may repeat. The cells are shared, not copied.
    ///
    /// # Panics
    /// If a row is not below [`rows`](Self::rows), as indexing a slice does.
    pub fn select(&self, rows: &[usize]) -> Self {
        let count = self.rows();
        let place = |&row: &usize| {
            assert!(row < count, "row {row} of a table of {count}");
            self.at(row) as u32
        };
        Self { file: self.file.clone(), rows: Some(rows.iter().map(place).collect()) }
    }

    /// An error about this table.
    pub(super) fn error(&self, problem: impl Into<String>) -> Error {
        Error::Table { table: self.name().into(), problem: problem.into() }
    }

    /// An error about one of the cells.
    pub(super) fn error_at(&self, row: usize, column: &str, problem: impl AsRef<str>) -> Error {
        let (unit, line, problem) = (self.file.unit, self.line(row), problem.as_ref());
        self.error(format!("{unit} {line}, column \"{column}\": {problem}"))
    }
}

/// Equal are tables of one name with the same columns and cells, from the same lines.
impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
            && self.names() == other.names()
            && self.rows() == other.rows()
            && (0..self.rows()).all(|row| self.line(row) == other.line(row))
            && self.columns().eq(other.columns())
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let columns = self.names().iter().map(|name| name.as_str()).zip(self.columns());
        write!(f, "{}, {} ", self.name(), counted(self.rows(), "row", "rows"))?;
        f.debug_map().entries(columns).finish()
    }
}

/// A number of things for a message: `1 column`, `2 columns`.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Names for a message: quoted, with commas between, and no more than a reader wants to see.
pub(crate) fn quoted<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    const MOST: usize = 12;
    let count = names.len();
    let shown: Vec<String> = names.take(MOST).map(|name| format!("\"{name}\"")).collect();
    let rest = if count > MOST { format!(" … ({count} in all)") } else { String::new() };
    shown.join(", ") + &rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn birds() -> Table {
        let text = "bird,wing_mm,Note\nrobin,75,a\nwren,NA,b\nrook,310.5,NA\n";
        Table::from_csv("birds", text.as_bytes()).unwrap()
    }

    #[test]
    fn selected_rows_keep_their_order_and_their_lines() {
        let some = birds().select(&[2, 0, 2]);
        assert_eq!(some.name(), "birds");
        assert_eq!(some.names(), birds().names());
        assert_eq!(*some.numbers("wing_mm").unwrap(), [310.5, 75.0, 310.5]);
        assert_eq!(some.column("bird").unwrap().text(0).as_deref(), Some("rook"));
        assert_eq!([some.line(0), some.line(1), some.line(2)], [4, 2, 4]);
        assert_eq!(birds().select(&[]).rows(), 0);
    }

    #[test]
    fn a_misspelt_column_is_met_with_the_nearest_name() {
        for (asked, answer) in [
            ("wing_m", "birds: there is no column \"wing_m\": did you mean \"wing_mm\"?"),
            ("note", "birds: there is no column \"note\": did you mean \"Note\"?"),
            (
                "price",
                "birds: there is no column \"price\": its columns are \"bird\", \"wing_mm\", \"Note\"",
            ),
        ] {
            assert_eq!(birds().column(asked).unwrap_err().to_string(), answer);
        }
    }

    #[test]
    fn a_column_of_text_gives_numbers_only_where_all_its_cells_are_numbers() {
        let table = Table::from_csv("t", "a,b\n1,x\n2.5,y\n,x\nlots,y\n".as_bytes()).unwrap();
        assert_eq!(
            table.numbers("a").unwrap_err().to_string(),
            "t: line 5, column \"a\": \"lots\" is not a number: \
             write a number such as 1234.5, or leave the cell empty"
        );
        let numbers = table.select(&[1, 0, 2]);
        let numbers = numbers.numbers("a").unwrap();
        assert_eq!(numbers[..2], [2.5, 1.0]);
        assert!(numbers[2].is_nan());
    }

    #[test]
    fn long_lists_of_names_are_cut_short() {
        let names: Vec<String> = (0..30).map(|i| format!("p{i}")).collect();
        let text = quoted(names.iter().map(String::as_str));
        assert!(text.ends_with("\"p10\", \"p11\" … (30 in all)"), "{text}");
    }
}
