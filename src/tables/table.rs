//! A table: named columns of numbers or text, any cell of which may be missing.
//!
//! Tables come from files ([`Table::open`]), fall into parts ([`Table::split`]) and become what an
//! engine trains on through an [`Encoder`](super::Encoder). A table remembers its name and the line that
//! each row had in its file, through every split, so that whatever is found wrong with a cell later on
//! can still be looked up in a text editor. Parts of a table share its cells: what a split costs is 4 bytes a row.

use super::column::{Cells, Column};
use super::names;
use super::read::{MissingCounts, MissingWords, Reading};
use crate::error::{Error, Result};
use crate::nearest::nearest;
use std::borrow::Cow;
use std::sync::Arc;

/// A cell that is wrong in a column of numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stray {
    /// What stands there.
    pub cell: String,
    /// Its line in the file.
    pub line: u64,
    pub wrong: Wrong,
}

/// Why a cell is wrong in a column of numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wrong {
    /// It made the column text though most of its cells are numbers: a slip more often than a category. How many cells of the
    /// whole file are numbers, of how many that are not missing.
    Text { numbers: usize, present: usize },
    /// It is a number, but not finite.
    NotFinite,
    /// From here on the file shows another decimal sign than above.
    OtherDecimal,
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
    /// Of each column, by which words its cells are missing.
    pub missing: Vec<MissingCounts>,
    /// The line on which each row starts.
    pub lines: Arc<Vec<u64>>,
    pub words: MissingWords,
    pub reading: Reading,
}

impl File {
    /// A file of this name without a column yet.
    pub(super) fn named(name: &str, unit: &'static str, words: MissingWords) -> Self {
        Self {
            name: name.into(),
            unit,
            headers: Vec::new(),
            columns: Vec::new(),
            strays: Vec::new(),
            missing: Vec::new(),
            lines: Arc::default(),
            words,
            reading: Reading::default(),
        }
    }

    /// Adds a column.
    pub(super) fn push(
        &mut self,
        name: &str,
        cells: Cells,
        missing: MissingCounts,
        stray: Option<Stray>,
    ) {
        self.headers.push(name.into());
        self.columns.push(cells.into());
        self.missing.push(missing);
        self.strays.push(stray);
    }
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

    /// Where a row is, in words: `line 17`, or `row 16` of a file without lines; see [`line`](Self::line).
    ///
    /// # Panics
    /// As `line` does.
    pub fn place(&self, row: usize) -> String {
        format!("{} {}", self.file.unit, self.line(row))
    }

    /// The same rows without a column, whose cells it does not keep in memory: their places, and the table's name.
    pub fn places(&self) -> Self {
        let mut file = File::named(&self.file.name, self.file.unit, self.file.words.clone());
        file.lines = Arc::clone(&self.file.lines);
        Self { file: file.into(), rows: self.rows.clone() }
    }

    /// All rows of the file that this table is a part of.
    pub(super) fn whole(&self) -> Self {
        Self { file: self.file.clone(), rows: None }
    }

    /// What was found while the file was read.
    pub fn reading(&self) -> &Reading {
        &self.file.reading
    }

    /// By which words cells of this column are missing, and how many, in the whole file; empty cells by the empty word.
    ///
    /// # Errors
    /// As [`column`](Self::column).
    pub fn missing(&self, name: &str) -> Result<&[(Box<str>, usize)]> {
        Ok(&self.file.missing[self.index(name)?])
    }

    /// Whether there is a column of this name.
    pub fn has(&self, name: &str) -> bool {
        names::find(name, &self.file.headers).is_some()
    }

    /// The column of this name, also where the table has it in another form of Unicode or with invisible signs.
    ///
    /// # Errors
    /// [`Error::Table`] if there is none, with the name that was probably meant.
    pub fn column(&self, name: &str) -> Result<Column<'_>> {
        Ok(Column { cells: &self.file.columns[self.index(name)?], rows: self.rows.as_deref() })
    }

    fn index(&self, name: &str) -> Result<usize> {
        let headers = &self.file.headers;
        names::find(name, headers).ok_or_else(|| {
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
            let text = file.columns[index].to_text();
            // Words that have become texts are not missing any more.
            let missing =
                (0..text.rows()).filter(|&row| Column { cells: &text, rows: None }.is_missing(row));
            let mut left = missing.count();
            for (_, cells) in &mut file.missing[index] {
                *cells = (*cells).min(left);
                left -= *cells;
            }
            file.missing[index].retain(|(_, cells)| *cells > 0);
            file.columns[index] = text.into();
        }
        file.strays[index] = None;
        Ok(self)
    }

    /// Whether a column is text because of a few cells among numbers; not if there is no such column.
    pub(super) fn has_stray(&self, name: &str) -> bool {
        self.index(name).is_ok_and(|index| self.file.strays[index].is_some())
    }

    /// Checks that a column is not text because of a few cells among numbers, and that its numbers are finite.
    ///
    /// The file as a whole is judged, even where this table is a part of it that has none of those cells.
    pub(super) fn check_no_stray(&self, name: &str) -> Result<()> {
        let Some(stray) = &self.file.strays[self.index(name)?] else { return Ok(()) };
        let (Stray { cell, line, wrong }, unit) = (stray, self.file.unit);
        // A comma separates words.
        let missing = match cell.contains(',') {
            true => String::new(),
            false => format!(
                ", say that this word means a missing cell (--missing={})",
                names::shell_word(cell)
            ),
        };
        let cell = shown(cell);
        let at = format!("{unit} {line}, column \"{name}\": \"{cell}\"");
        Err(self.error(match wrong {
            Wrong::NotFinite => {
                format!(
                    "{at} is not a finite number: correct it, leave the cell empty{missing}, or say that the column is \
                     text (--text={})",
                    names::shell_word(name)
                )
            }
            Wrong::OtherDecimal => format!(
                "{at} shows another decimal sign than cells above, which were read by theirs: say which it is (--decimal . or ,)"
            ),
            Wrong::Text { numbers, present } => format!(
                "{at} is not a number, but {numbers} of the column's {present} cells are: correct the cell, leave it \
                 empty{missing}, or say that the column is text (--text={}; in Rust, Table::as_text)",
                names::shell_word(name)
            ),
        }))
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
        if !column.is_text() {
            self.check_no_stray(name)?;
        }
        if let (Cells::Numbers(values, _), None) = (column.cells, column.rows) {
            return Ok(Cow::Borrowed(values));
        }
        if let Some(values) = column.values() {
            return Ok(values.collect());
        }
        let number = |row| {
            let Some(text) = column.text(row) else { return Ok(f64::NAN) };
            match column.number(row) {
                Some(number) => Ok(number),
                None if self.file.words.is_no_number(&text) => Ok(f64::NAN),
                None => {
                    // The cell that makes the column text is the one to be seen to, if there is but one kind.
                    self.check_no_stray(name)?;
                    let text = shown(&text);
                    Err(self.error_at(
                        row,
                        name,
                        format!(
                            "\"{text}\" is not a number: write a number such as 1234.5, all cells in one way, or leave the cell \
                             empty"
                        ),
                    ))
                }
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

    /// The rows of this part of a table and of another part of it, in the table's order.
    ///
    /// # Errors
    /// [`Error::Invalid`] if they are of two tables.
    pub fn joined(&self, other: &Self) -> Result<Self> {
        if !Arc::ptr_eq(&self.file, &other.file) {
            return Err(Error::invalid(
                format!("{} and {} are two tables", self.name(), other.name()),
                "join parts of one table",
            ));
        }
        let places =
            |part: &Self| (0..part.rows()).map(|row| part.at(row) as u32).collect::<Vec<_>>();
        let mut rows: Vec<u32> = [places(self), places(other)].concat();
        rows.sort_unstable();
        Ok(Self { file: self.file.clone(), rows: Some(rows.into()) })
    }

    /// An error about this table.
    pub(super) fn error(&self, problem: impl Into<String>) -> Error {
        Error::Table { table: self.name().into(), problem: problem.into() }
    }

    /// An error about one of the cells.
    pub(super) fn error_at(&self, row: usize, column: &str, problem: impl AsRef<str>) -> Error {
        let problem = problem.as_ref();
        self.error(format!("{}, column \"{column}\": {problem}", self.place(row)))
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

/// A cell for a message: no longer than people read, and without signs that would move the cursor.
pub(super) fn shown(cell: &str) -> String {
    const LONGEST: usize = 80;
    let mut text: String = cell.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if cell.chars().count() > LONGEST {
        text.push('…');
    }
    text.replace("\\'", "'").replace("\\\"", "\"")
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
mod tests;
