//! Delimited text as a table's rows: every row as long as the header, those without a cell passed over.

use super::header::{Header, Role};
use super::layout::{Layout, name_of};
use super::options::Ready;
use super::reading::{EmptyRows, Reading};
use super::records::{Problem, Record, Records};
use super::source::{Opened, failed};
use crate::error::{Error, Result};
use crate::tables::table::counted;
use std::io::Read;

/// The rows below a header.
pub(super) struct Rows<'a> {
    pub name: String,
    pub header: Header,
    pub layout: Layout,
    /// The encoding that the text was decoded from, if it is not UTF-8.
    encoding: Option<&'static str>,
    gzipped: bool,
    records: Records<Box<dyn Read + 'a>>,
    empty: EmptyRows,
    /// Rows that end in separators beyond the header's.
    longer: usize,
    first: bool,
}

impl<'a> Rows<'a> {
    /// Reads the header; `named` is the separator that the file's name tells of.
    pub(super) fn new(
        name: &str,
        opened: Opened<'a>,
        named: Option<u8>,
        options: &Ready,
    ) -> Result<Self> {
        let Opened { mut reader, look, gzipped, encoding } = opened;
        let layout = Layout::of(&look, options.separator, named);
        let mut excel = vec![0; layout.excel];
        reader.read_exact(&mut excel).map_err(|source| failed(name, gzipped, source))?;
        let mut records = Records::new(reader, layout.separator);
        if layout.excel > 0 {
            records = records.after_a_line();
        }
        if options.encoding.is_some() || encoding.is_some() {
            records = records.strictly_utf8(encoding);
        }
        let error = |problem: String| Error::Table { table: name.into(), problem };
        let header = match records.next() {
            Ok(Some(header)) => {
                Header::check(&header, layout.separator, !layout.is_recognised).map_err(error)?
            }
            Ok(None) => {
                return Err(error("the file is empty: name the columns in its first line".into()));
            }
            Err(problem) => return Err(explain(name, gzipped, problem)),
        };
        let (name, empty) = (name.into(), EmptyRows::default());
        Ok(Self { name, header, layout, encoding, gzipped, records, empty, longer: 0, first: true })
    }

    /// The next row that has a cell.
    pub(super) fn next(&mut self) -> Result<Option<Record<'_>>> {
        while self
            .records
            .advance()
            .map_err(|problem| explain(&self.name, self.gzipped, problem))?
        {
            let (record, header) = (self.records.record(), &self.header);
            let error = |problem| Error::Table { table: self.name.clone(), problem };
            let wanted = header.roles.len();
            // Separators at the end of a row alone are no cells.
            let is_longer = record.len() > wanted
                && !record.cells().skip(wanted).any(|it| !it.trim().is_empty());
            if record.len() != wanted && !is_longer {
                return Err(error(self.wrong_length(&record)));
            }
            self.first = false;
            self.longer += usize::from(is_longer);
            if header.roles.len() > 1 && record.cells().all(|cell| cell.trim().is_empty()) {
                self.empty.add(record.line);
                continue;
            }
            check_nameless(&record, header).map_err(error)?;
            return Ok(Some(self.records.record()));
        }
        Ok(None)
    }

    /// What is wrong with a row of another length than the header's.
    fn wrong_length(&self, record: &Record<'_>) -> String {
        let (found, wanted) = (record.len(), self.header.roles.len());
        let open_quote = record.cells().any(|cell| cell.starts_with(" \""));
        let remedy = if open_quote {
            "a quote must follow the separator at once: take the space before it away".into()
        } else if self.first && found == wanted + 1 {
            "if its first cell names the row, as in R's write.table, write the table with row.names=FALSE; else name \
             the column"
                .into()
        } else {
            format!(
                "write NA for a missing cell, quote text that holds a {}, and close every quote",
                name_of(self.layout.separator)
            )
        };
        let columns = counted(wanted, "column", "columns");
        format!(
            "line {}: the number of cells is {found}, but the header names {columns}: {remedy}",
            record.line
        )
    }

    /// What was found so far.
    pub(super) fn reading(&self) -> Reading {
        let guessed = self.records.foreign();
        Reading {
            separator: Some(char::from(self.layout.separator)),
            separator_recognised: self.layout.is_recognised,
            excel_line: self.layout.excel > 0,
            encoding: self.encoding.or(guessed.map(|_| "windows-1252")).map(Into::into),
            encoding_guessed_at: guessed,
            row_names: self.header.roles.first() == Some(&Role::RowNames),
            nameless: self.header.roles.iter().filter(|role| **role == Role::Nameless).count(),
            empty_rows: self.empty,
            longer_rows: self.longer,
            blank_lines: self.records.blank_lines(),
            leading_zeros: Default::default(),
            formats: Default::default(),
        }
    }
}

/// Checks that a column without a name has no cell.
fn check_nameless(record: &Record<'_>, header: &Header) -> Result<(), String> {
    if header.left_out() == 0 {
        return Ok(());
    }
    let cells = record.cells().zip(&header.roles).enumerate();
    let named = |(_, (cell, role)): &(usize, (&str, &Role))| {
        **role == Role::Nameless && !cell.trim().is_empty()
    };
    match cells.into_iter().find(named) {
        None => Ok(()),
        Some((index, (cell, _))) => Err(format!(
            "line {}: column {} holds \"{}\" but has no name: name it in the header, or save the table without it",
            record.line,
            index + 1,
            cell.trim()
        )),
    }
}

fn explain(name: &str, gzipped: bool, problem: Problem) -> Error {
    match problem {
        Problem::Reading(source) => failed(name, gzipped, source),
        Problem::Text(problem) => Error::Table { table: name.into(), problem },
    }
}
