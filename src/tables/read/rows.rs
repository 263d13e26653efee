//! Delimited text as a table's rows: the header checked, every row as long as it, and columns made of them.

use super::builder::Builder;
use super::records::{Problem, Record, Records};
use super::source::{Opened, failed};
use crate::error::{Error, Result};
use crate::tables::table::{File, Table, counted};
use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

/// What stands between cells.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    Comma,
    Tab,
    /// Tabs if the first line has more of them than commas, else commas.
    Told,
}

impl Separator {
    /// What a file's name says.
    pub(super) fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        match name.strip_suffix(".gz").unwrap_or(&name).rsplit_once('.') {
            Some((_, "csv")) => Self::Comma,
            Some((_, "tsv" | "tab")) => Self::Tab,
            _ => Self::Told,
        }
    }

    /// What the first bytes of the text say.
    fn told_by(self, look: &[u8]) -> Self {
        let lines = look.split(|byte| matches!(byte, b'\n' | b'\r'));
        let header = lines.into_iter().find(|line| !line.is_empty()).unwrap_or_default();
        let count = |sign| header.iter().filter(|&&byte| byte == sign).count();
        match self {
            Self::Told if count(b'\t') > count(b',') => Self::Tab,
            Self::Told => Self::Comma,
            told => told,
        }
    }

    fn byte(self) -> u8 {
        if self == Self::Tab { b'\t' } else { b',' }
    }

    fn name(self) -> &'static str {
        if self == Self::Tab { "tab" } else { "comma" }
    }
}

/// The rows below a header.
pub(super) struct Rows<'a> {
    pub name: String,
    pub headers: Vec<String>,
    separator: Separator,
    gzipped: bool,
    records: Records<Box<dyn Read + 'a>>,
}

impl<'a> Rows<'a> {
    /// Reads the header.
    pub(super) fn new(name: &str, opened: Opened<'a>, separator: Separator) -> Result<Self> {
        let Opened { reader, look, gzipped } = opened;
        let separator = separator.told_by(&look);
        let mut records = Records::new(reader, separator.byte());
        let error = |problem: String| Error::Table { table: name.into(), problem };
        let headers = match records.next() {
            Ok(Some(header)) => check_header(&header, separator).map_err(error)?,
            Ok(None) => {
                return Err(error("the file is empty: name the columns in its first line".into()));
            }
            Err(problem) => return Err(explain(name, gzipped, problem)),
        };
        Ok(Self { name: name.into(), headers, separator, gzipped, records })
    }

    /// The next row.
    pub(super) fn next(&mut self) -> Result<Option<Record<'_>>> {
        let Self { name, headers, separator, gzipped, records } = self;
        match records.next() {
            Ok(Some(record)) if record.len() != headers.len() => Err(Error::Table {
                table: name.clone(),
                problem: format!(
                    "line {}: the number of cells is {}, but the header names {}: write NA for a missing cell, quote \
                     text that holds a {}, and close every quote",
                    record.line,
                    record.len(),
                    counted(headers.len(), "column", "columns"),
                    separator.name()
                ),
            }),
            Ok(record) => Ok(record),
            Err(problem) => Err(explain(name, *gzipped, problem)),
        }
    }

    /// The header alone, once nothing more is to be read.
    pub(super) fn into_headers(self) -> Vec<String> {
        self.headers
    }
}

fn explain(name: &str, gzipped: bool, problem: Problem) -> Error {
    match problem {
        Problem::Reading(source) => failed(name, gzipped, source),
        Problem::Text(problem) => Error::Table { table: name.into(), problem },
    }
}

/// The columns' names, or what is wrong with them.
fn check_header(header: &Record<'_>, separator: Separator) -> Result<Vec<String>, String> {
    let line = header.line;
    let names: Vec<String> = header.cells().map(|cell| cell.trim().into()).collect();
    if let [name] = &names[..] {
        check_separator(name, separator).map_err(|problem| format!("line {line}: {problem}"))?;
    }
    let mut seen = HashMap::new();
    for (index, name) in names.iter().enumerate() {
        let column = index + 1;
        if name.is_empty() {
            return Err(format!(
                "line {line}: column {column} has no name: name it, or save the table without it"
            ));
        }
        if let Some(first) = seen.insert(name, column) {
            return Err(format!(
                "line {line}: columns {first} and {column} are both named \"{name}\": rename one"
            ));
        }
    }
    Ok(names)
}

/// Checks that a header's only name is not a whole header with other separators than expected.
fn check_separator(name: &str, separator: Separator) -> Result<(), String> {
    let mut others = [(';', "semicolons"), ('\t', "tabs"), (',', "commas")].into_iter();
    match others
        .find(|&(sign, _)| name.contains(sign) && (sign != ',' || separator == Separator::Tab))
    {
        Some((_, signs)) => Err(format!(
            "the header names one column, \"{}\", with {signs} in it: separate the cells by {}s \
             (and write numbers with a decimal point)",
            name.escape_debug(),
            separator.name()
        )),
        None => Ok(()),
    }
}

/// Rows that have been read, as columns.
pub(super) struct Part {
    columns: Vec<Builder>,
    lines: Vec<u64>,
}

impl Part {
    /// Reads at most this many rows. `keeps_written` says of which columns numbers are kept as they are written: those that
    /// will serve as text, or all if the rows are never to be [recovered](Self::recover).
    pub(super) fn read(
        rows: &mut Rows<'_>,
        keeps_written: impl Fn(&str) -> bool,
        most: usize,
    ) -> Result<Self> {
        let builder = |name: &String| Builder::new(keeps_written(name));
        let mut columns: Vec<Builder> = rows.headers.iter().map(builder).collect();
        let mut lines = Vec::new();
        while lines.len() < most
            && let Some(record) = rows.next()?
        {
            for (column, cell) in columns.iter_mut().zip(record.cells()) {
                column.push(cell, record.line);
            }
            lines.push(record.line);
            if lines.len() == u32::MAX as usize {
                return Err(Error::Table {
                    table: rows.name.clone(),
                    problem: format!("there are more than {} rows: split the file", u32::MAX - 1),
                });
            }
        }
        lines.shrink_to_fit();
        Ok(Self { columns, lines })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// How many of the first rows must be read again, because columns of numbers became columns of text below them.
    pub(super) fn lost(&self) -> usize {
        self.columns.iter().map(Builder::lost).max().unwrap_or(0)
    }

    /// Reads the lost rows again from the start of the same text.
    pub(super) fn recover(&mut self, again: &mut Rows<'_>) -> Result<()> {
        for row in 0..self.lost() {
            let (name, columns) = (again.name.clone(), self.columns.len());
            let Some(record) = again.next()?.filter(|record| record.len() == columns) else {
                return Err(Error::Table {
                    table: name,
                    problem: "the file changed while it was read: read it again".into(),
                });
            };
            for (column, cell) in self.columns.iter_mut().zip(record.cells()) {
                column.recover(row, cell);
            }
        }
        Ok(())
    }

    /// The table of these rows, if there are any.
    pub(super) fn finish(self, name: &str, headers: &[String]) -> Result<Table> {
        let error = |problem| Error::Table { table: name.into(), problem };
        if self.is_empty() {
            return Err(error("there is a header but no row: add at least one below it".into()));
        }
        let (mut columns, mut strays) = (Vec::new(), Vec::new());
        for (builder, header) in self.columns.into_iter().zip(headers) {
            let (cells, stray) = builder.finish().map_err(|(line, cell)| {
                error(format!(
                    "line {line}, column \"{header}\": \"{cell}\" is not a finite number: correct it, or leave the cell empty"
                ))
            })?;
            columns.push(cells.into());
            strays.push(stray);
        }
        let (name, headers, lines) = (name.into(), headers.to_vec(), self.lines.into());
        Ok(Table::new(File { name, unit: "line", headers, columns, strays, lines }))
    }
}
