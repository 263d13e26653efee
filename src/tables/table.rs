//! A table: named columns of numbers or text, any cell of which may be missing.
//!
//! Tables come from files ([`Table::read_csv`]), fall into parts ([`Table::split`]) and become what an
//! engine trains on through an [`Encoder`](super::Encoder). A table remembers its name and the line that
//! each row had in its file, through every split, so that whatever is found wrong with a cell later on
//! can still be looked up in a text editor.

use super::nearest::nearest;
use crate::error::{Error, Result};
use std::borrow::Cow;

/// One column's cells, `None` where a cell is missing.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Finite numbers: every cell that is not missing could be read as one.
    Numbers(Vec<Option<f64>>),
    /// Anything else; without spaces at either end.
    Text(Vec<Option<String>>),
}

impl Column {
    /// Number of cells, missing or not.
    pub fn rows(&self) -> usize {
        match self {
            Self::Numbers(cells) => cells.len(),
            Self::Text(cells) => cells.len(),
        }
    }

    /// Number of missing cells.
    pub fn missing(&self) -> usize {
        match self {
            Self::Numbers(cells) => cells.iter().filter(|cell| cell.is_none()).count(),
            Self::Text(cells) => cells.iter().filter(|cell| cell.is_none()).count(),
        }
    }

    /// Whether a cell is missing.
    ///
    /// # Panics
    /// If `row` is not below [`rows`](Self::rows), as indexing a slice does.
    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Self::Numbers(cells) => cells[row].is_none(),
            Self::Text(cells) => cells[row].is_none(),
        }
    }

    /// Whether all cells are present and the same; so they are where there is none.
    pub fn is_constant(&self) -> bool {
        fn same<T: PartialEq>(cells: &[Option<T>]) -> bool {
            cells.iter().all(|cell| cell.is_some() && *cell == cells[0])
        }
        match self {
            Self::Numbers(cells) => same(cells),
            Self::Text(cells) => same(cells),
        }
    }

    /// A cell as text (a number in its shortest form: `2007`, `18.7`), or `None` where it is missing.
    ///
    /// # Panics
    /// If `row` is not below [`rows`](Self::rows), as indexing a slice does.
    pub fn text(&self, row: usize) -> Option<Cow<'_, str>> {
        match self {
            Self::Numbers(cells) => cells[row].map(|number| number.to_string().into()),
            Self::Text(cells) => cells[row].as_deref().map(Cow::Borrowed),
        }
    }

    fn select(&self, rows: &[usize]) -> Self {
        match self {
            Self::Numbers(cells) => Self::Numbers(rows.iter().map(|&row| cells[row]).collect()),
            Self::Text(cells) => Self::Text(rows.iter().map(|&row| cells[row].clone()).collect()),
        }
    }
}

/// The cell that made a column text though most of its cells are numbers: a slip more often than a category.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stray {
    /// What stands there.
    cell: String,
    /// Its line in the file.
    line: u64,
    /// How many cells of the whole file are numbers, of how many that are not missing.
    numbers: usize,
    present: usize,
}

impl Stray {
    /// The first cell that is no number in a column of text that is mostly numbers.
    pub(super) fn find(column: &Column, lines: &[u64]) -> Option<Self> {
        let Column::Text(cells) = column else { return None };
        let is_number = |cell: &String| cell.parse::<f64>().is_ok();
        let numbers = cells.iter().flatten().filter(|cell| is_number(cell)).count();
        let present = cells.iter().flatten().count();
        let row =
            cells.iter().position(|cell| cell.as_ref().is_some_and(|cell| !is_number(cell)))?;
        let stray = || Self {
            cell: cells[row].clone().unwrap_or_default(),
            line: lines[row],
            numbers,
            present,
        };
        (2 * numbers > present).then(stray)
    }
}

/// Named columns of one length.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    name: String,
    headers: Vec<String>,
    columns: Vec<Column>,
    strays: Vec<Option<Stray>>,
    lines: Vec<u64>,
}

impl Table {
    /// Joins columns of one length; `lines` holds the line of the file that each row comes from.
    pub(super) fn new(
        name: &str,
        headers: Vec<String>,
        columns: Vec<Column>,
        strays: Vec<Option<Stray>>,
        lines: Vec<u64>,
    ) -> Self {
        debug_assert_eq!(headers.len(), columns.len());
        debug_assert!(columns.iter().all(|column| column.rows() == lines.len()));
        Self { name: name.into(), headers, columns, strays, lines }
    }

    /// The table's name: its path, where it was read from a file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The columns' names, in the order of the file.
    pub fn names(&self) -> &[String] {
        &self.headers
    }

    /// The columns, in the order of [`names`](Self::names).
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The line of the file, counted from 1, on which a row starts.
    ///
    /// # Panics
    /// If `row` is not below [`rows`](Self::rows), as indexing a slice does.
    pub fn line(&self, row: usize) -> u64 {
        self.lines[row]
    }

    /// The column of this name.
    ///
    /// # Errors
    /// [`Error::Table`] if there is none, with the name that was probably meant.
    pub fn column(&self, name: &str) -> Result<&Column> {
        Ok(&self.columns[self.index(name)?])
    }

    fn index(&self, name: &str) -> Result<usize> {
        self.headers.iter().position(|header| header == name).ok_or_else(|| {
            let headers = self.headers.iter().map(String::as_str);
            let remedy = match nearest(name, headers.clone()) {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => format!("its columns are {}", quoted(headers)),
            };
            self.error(format!("there is no column \"{name}\": {remedy}"))
        })
    }

    /// The same table with this column taken as [text](Column::Text), so that as a feature it becomes one input a
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
        let column = &self.columns[index];
        let texts = (0..column.rows()).map(|row| column.text(row).map(Cow::into_owned));
        self.columns[index] = Column::Text(texts.collect());
        self.strays[index] = None;
        Ok(self)
    }

    /// Checks that a column is not text because of a few cells among numbers.
    ///
    /// The file as a whole is judged, even where this table is a part of it that has none of those cells.
    pub(super) fn check_no_stray(&self, name: &str) -> Result<()> {
        let Some(stray) = &self.strays[self.index(name)?] else { return Ok(()) };
        let Stray { cell, line, numbers, present } = stray;
        Err(self.error(format!(
            "line {line}, column \"{name}\": \"{cell}\" is not a number, but {numbers} of the column's {present} \
             cells are: correct the cell, leave it empty, or say that the column is text with \
             Table::as_text(\"{name}\")"
        )))
    }

    /// The column of this name as numbers.
    ///
    /// A column of text will do if every cell that is not missing happens to be a number, as after a
    /// split that put its other cells elsewhere.
    ///
    /// # Errors
    /// [`Error::Table`] if there is no such column, or at the first cell that is not a number.
    pub fn numbers(&self, name: &str) -> Result<Cow<'_, [Option<f64>]>> {
        let cells = match self.column(name)? {
            Column::Numbers(cells) => return Ok(Cow::Borrowed(cells)),
            Column::Text(cells) => cells,
        };
        let number = |(row, cell): (usize, &Option<String>)| {
            let Some(text) = cell else { return Ok(None) };
            let parsed = text.parse().ok().filter(|number: &f64| number.is_finite());
            parsed.map(Some).ok_or_else(|| {
                self.error_at(
                    row,
                    name,
                    format!(
                        "\"{text}\" is not a number: write a number such as 1234.5, or leave the cell empty"
                    ),
                )
            })
        };
        cells.iter().enumerate().map(number).collect()
    }

    /// These rows, in this order, as a table of the same name; rows may repeat.
    ///
    /// # Panics
    /// If a row is not below [`rows`](Self::rows), as indexing a slice does.
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            name: self.name.clone(),
            headers: self.headers.clone(),
            columns: self.columns.iter().map(|c| c.select(rows)).collect(),
            strays: self.strays.clone(),
            lines: rows.iter().map(|&row| self.lines[row]).collect(),
        }
    }

    /// An error about this table.
    pub(super) fn error(&self, problem: impl Into<String>) -> Error {
        Error::Table { table: self.name.clone(), problem: problem.into() }
    }

    /// An error about one of the cells.
    pub(super) fn error_at(&self, row: usize, column: &str, problem: impl AsRef<str>) -> Error {
        let (line, problem) = (self.lines[row], problem.as_ref());
        self.error(format!("line {line}, column \"{column}\": {problem}"))
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
        assert_eq!(
            some.column("wing_mm").unwrap(),
            &Column::Numbers(vec![Some(310.5), Some(75.0), Some(310.5)])
        );
        assert_eq!(some.column("bird").unwrap().text(0).as_deref(), Some("rook"));
        assert_eq!([some.line(0), some.line(1), some.line(2)], [4, 2, 4]);
        assert_eq!(birds().select(&[]).rows(), 0);
    }

    #[test]
    fn cells_read_as_text_whatever_their_kind() {
        let column = Column::Numbers(vec![Some(2007.0), Some(18.7), None]);
        let texts: Vec<_> = (0..3).map(|row| column.text(row)).collect();
        assert_eq!(texts, [Some("2007".into()), Some("18.7".into()), None]);
        assert_eq!((column.rows(), column.missing()), (3, 1));
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
        assert_eq!(*numbers.numbers("a").unwrap(), [Some(2.5), Some(1.0), None]);
    }

    #[test]
    fn long_lists_of_names_are_cut_short() {
        let names: Vec<String> = (0..30).map(|i| format!("p{i}")).collect();
        let text = quoted(names.iter().map(String::as_str));
        assert!(text.ends_with("\"p10\", \"p11\" … (30 in all)"), "{text}");
    }
}
