//! Reading tables from CSV: comma-separated, a header first, UTF-8, quoted as RFC 4180 says.
//!
//! The whole text is held while it is read. Each column's kind is settled by all of its cells: numbers if
//! every cell that is not missing is one, else text. Spaces around a cell do not count. Whatever is wrong
//! is reported with the line that a text editor shows, which after `\r\n`, blank lines or line breaks
//! inside quotes is not what the parser's own counter says, so lines are counted here.

mod raw;

use self::raw::{Lines, ends_in_quotes};
use super::table::{Column, Stray, Table, counted};
use crate::error::{Error, Result};
use csv::{ByteRecord, ReaderBuilder, StringRecord};
use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

impl Table {
    /// Reads a CSV file whose first line names the columns.
    ///
    /// A cell is missing if it is empty, `NA`, `N/A`, `#N/A`, `NaN`, `null`, `none`, `?` or `-`, in capitals or not, in every
    /// column: a category that is to count needs another name, say `no alley` for `none`. A column in which every
    /// other cell is a number is a column of [numbers](Column::Numbers), else of [text](Column::Text).
    ///
    /// A number has a decimal point and no separator of thousands: `1234.5`, `-2e3`.
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be read; [`Error::Table`], naming line, column and remedy, if
    /// it has no rows, semicolons or tabs for commas, a column without a name or two of one name, a row with
    /// more or fewer cells than the header, a quote that is never closed, text that is not UTF-8, or an infinite
    /// number.
    pub fn read_csv(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes =
            std::fs::read(path).map_err(|source| Error::File { path: path.into(), source })?;
        parse(&path.display().to_string(), &bytes)
    }

    /// Reads CSV from anything that can be read; `name` stands for it in messages.
    ///
    /// # Errors
    /// As [`read_csv`](Self::read_csv).
    pub fn from_csv(name: impl Into<String>, mut reader: impl Read) -> Result<Self> {
        let name = name.into();
        let mut bytes = Vec::new();
        match reader.read_to_end(&mut bytes) {
            Ok(_) => parse(&name, &bytes),
            Err(source) => Err(Error::File { path: name.into(), source }),
        }
    }
}

/// One record of the file and the line on which it starts, counted from 1.
struct Record {
    line: u64,
    cells: StringRecord,
}

fn parse(name: &str, bytes: &[u8]) -> Result<Table> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let error = |problem: String| Error::Table { table: name.into(), problem };
    let mut records = read_records(bytes).map_err(error)?.into_iter();
    let header = records
        .next()
        .ok_or_else(|| error("the file is empty: name the columns in its first line".into()))?;
    let headers = check_header(&header).map_err(error)?;
    let records: Vec<Record> = records.collect();
    if records.is_empty() {
        return Err(error("there is a header but no row: add at least one below it".into()));
    }
    for record in &records {
        check_width(record, headers.len()).map_err(error)?;
    }
    let columns = headers.iter().enumerate().map(|(index, header)| {
        column(&records, index).map_err(|(line, problem)| {
            error(format!("line {line}, column \"{header}\": {problem}"))
        })
    });
    let columns: Vec<Column> = columns.collect::<Result<_>>()?;
    let lines: Vec<u64> = records.iter().map(|record| record.line).collect();
    let strays = columns.iter().map(|column| Stray::find(column, &lines)).collect();
    Ok(Table::new(name, headers, columns, strays, lines))
}

/// All records, the header among them, or what is wrong with the text.
fn read_records(bytes: &[u8]) -> Result<Vec<Record>, String> {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut lines = Lines::new(bytes);
    let mut records = Vec::new();
    let mut start = 0;
    for record in reader.byte_records() {
        let record = record.map_err(|error| error.to_string())?;
        start = record.position().map_or(0, |at| at.byte() as usize);
        let line = lines.line_at(start);
        let cells = decode(record, line)?;
        records.push(Record { line, cells });
    }
    match records.last() {
        // Such a record takes in the rest of the file, so it is the last.
        Some(last) if ends_in_quotes(&bytes[start..]) => Err(format!(
            "line {}: a quote opened here is never closed: close it, or remove it",
            last.line
        )),
        _ => Ok(records),
    }
}

fn decode(record: ByteRecord, line: u64) -> Result<StringRecord, String> {
    StringRecord::from_byte_record(record).map_err(|error| {
        let column = error.utf8_error().field() + 1;
        format!("line {line}, column {column}: the text is not UTF-8: save the file as UTF-8")
    })
}

/// The columns' names, or what is wrong with them.
fn check_header(header: &Record) -> Result<Vec<String>, String> {
    let line = header.line;
    let names: Vec<String> = header.cells.iter().map(|cell| cell.trim().into()).collect();
    if let [name] = &names[..] {
        check_separator(name).map_err(|problem| format!("line {line}: {problem}"))?;
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

/// Checks that a header's only name is not a whole header with other separators than commas.
fn check_separator(name: &str) -> Result<(), String> {
    match [(';', "semicolons"), ('\t', "tabs")].into_iter().find(|(sign, _)| name.contains(*sign)) {
        Some((_, signs)) => Err(format!(
            "the header names one column, \"{}\", with {signs} in it: separate the cells by commas \
             (and write numbers with a decimal point)",
            name.escape_debug()
        )),
        None => Ok(()),
    }
}

fn check_width(record: &Record, expected: usize) -> Result<(), String> {
    let found = record.cells.len();
    if found == expected {
        return Ok(());
    }
    Err(format!(
        "line {}: the number of cells is {found}, but the header names {}: write NA for \
         a missing cell, quote text that holds a comma, and close every quote",
        record.line,
        counted(expected, "column", "columns")
    ))
}

/// One column of all records, or the line and what is wrong there.
fn column(records: &[Record], index: usize) -> Result<Column, (u64, String)> {
    let cells = || records.iter().map(|record| present(&record.cells[index]));
    let numbers: Option<Vec<Option<f64>>> = cells()
        .map(|cell| match cell {
            Some(text) => text.parse().ok().map(Some),
            None => Some(None),
        })
        .collect();
    let Some(numbers) = numbers else {
        return Ok(Column::Text(cells().map(|cell| cell.map(Into::into)).collect()));
    };
    let infinite = |number: &Option<f64>| number.is_some_and(|number| !number.is_finite());
    match numbers.iter().position(infinite) {
        None => Ok(Column::Numbers(numbers)),
        Some(row) => Err((
            records[row].line,
            format!(
                "\"{}\" is not a finite number: correct it, or leave the cell empty",
                records[row].cells[index].trim()
            ),
        )),
    }
}

/// What stands in files for a cell that is missing, in small letters.
const MISSING: [&str; 9] = ["", "na", "n/a", "#n/a", "nan", "null", "none", "?", "-"];

/// A cell without the spaces around it, or `None` if it is missing.
fn present(cell: &str) -> Option<&str> {
    let cell = cell.trim();
    (!MISSING.iter().any(|word| cell.eq_ignore_ascii_case(word))).then_some(cell)
}

#[cfg(test)]
mod tests;
