//! Reading tables from CSV: comma-separated, a header first, UTF-8, quoted as RFC 4180 says.
//!
//! The whole text is held while it is read. Each column's kind is settled by all of its cells: numbers if
//! every cell that is not missing is one, else text. Spaces around a cell do not count. Whatever is wrong
//! is reported with the line that a text editor shows, which after `\r\n`, blank lines or line breaks
//! inside quotes is not what the parser's own counter says, so lines are counted here.

use super::table::{Column, Table};
use crate::error::{Error, Result};
use csv::{ByteRecord, ReaderBuilder, StringRecord};
use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

impl Table {
    /// Reads a CSV file whose first line names the columns.
    ///
    /// A cell is missing if it is empty, `NA`, `N/A`, `NaN`, `null`, `?` or `-`, in capitals or not. A column in which
    /// every other cell is a number is a column of [numbers](Column::Numbers), else of
    /// [text](Column::Text).
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be read; [`Error::Table`], naming line, column and remedy, if
    /// it has no rows, a column without a name or two of one name, a row with more or fewer cells than
    /// the header, a quote that is never closed, text that is not UTF-8, or an infinite number.
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
    let columns = columns.collect::<Result<_>>()?;
    let lines = records.iter().map(|record| record.line).collect();
    Ok(Table::new(name, headers, columns, lines))
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
        Some(last) if swallowed_the_rest(&last.cells, &bytes[start..]) => Err(format!(
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

/// Whether the file's last record, of these raw bytes, ends in a quoted cell that is never closed: the
/// parser then takes all that follows, line after line, for the cell's text.
fn swallowed_the_rest(cells: &StringRecord, raw: &[u8]) -> bool {
    let last = cells.iter().next_back().unwrap_or_default();
    last.contains(['\n', '\r']) && !raw.trim_ascii_end().ends_with(b"\"")
}

/// The columns' names, or what is wrong with them.
fn check_header(header: &Record) -> Result<Vec<String>, String> {
    let line = header.line;
    let names: Vec<String> = header.cells.iter().map(|cell| cell.trim().into()).collect();
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

fn check_width(record: &Record, expected: usize) -> Result<(), String> {
    let found = record.cells.len();
    if found == expected {
        return Ok(());
    }
    Err(format!(
        "line {}: the number of cells is {found}, but the header names {expected} columns: write NA for \
         a missing cell, quote text that holds a comma, and close every quote",
        record.line
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

/// A cell without the spaces around it, or `None` if it is missing.
fn present(cell: &str) -> Option<&str> {
    let cell = cell.trim();
    let missing = ["", "na", "n/a", "#n/a", "nan", "null", "?", "-"];
    (!missing.iter().any(|word| cell.eq_ignore_ascii_case(word))).then_some(cell)
}

/// Counts lines as a text editor does: `\n`, `\r\n` and a lone `\r` each end one.
struct Lines<'a> {
    bytes: &'a [u8],
    counted: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, counted: 0, line: 1 }
    }

    /// The line of the first text at or after this byte, which must not lie before the last one asked for.
    fn line_at(&mut self, start: usize) -> u64 {
        while self.counted < self.bytes.len() {
            let byte = self.bytes[self.counted];
            let line_break = matches!(byte, b'\n' | b'\r');
            if self.counted >= start && !line_break {
                break;
            }
            self.counted += 1;
            let halfway = byte == b'\r' && self.bytes.get(self.counted) == Some(&b'\n');
            self.line += u64::from(line_break && !halfway);
        }
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Table> {
        Table::from_csv("t.csv", text.as_bytes())
    }

    fn numbers(cells: &[Option<f64>]) -> Column {
        Column::Numbers(cells.to_vec())
    }

    fn text(cells: &[Option<&str>]) -> Column {
        Column::Text(cells.iter().map(|cell| cell.map(Into::into)).collect())
    }

    #[test]
    fn a_column_is_numbers_if_every_cell_present_is_one() {
        for (cells, column) in [
            ("1\n-2.5\n+3e2\n.5", numbers(&[Some(1.0), Some(-2.5), Some(300.0), Some(0.5)])),
            (" 7 \nNA\n na\nNaN\nNULL\n\"\"", numbers(&[Some(7.0), None, None, None, None, None])),
            ("NA\nnull", numbers(&[None, None])),
            ("1\n2 mm\nNA", text(&[Some("1"), Some("2 mm"), None])),
            ("\"1,000\"\n2", text(&[Some("1,000"), Some("2")])),
            ("inf\nzero", text(&[Some("inf"), Some("zero")])),
            (" Zoë \nnan", text(&[Some("Zoë"), None])),
        ] {
            let table = read(&format!("x\n{cells}\n")).unwrap();
            assert_eq!(table.column("x").unwrap(), &column, "{cells}");
        }
    }

    #[test]
    fn rows_know_their_lines_as_an_editor_counts_them() {
        for (what, csv, lines) in [
            ("plain", "a,b\n1,x\n2,y\n", [2, 3]),
            ("no line break at the end", "a,b\n1,x\n2,y", [2, 3]),
            ("Windows", "a,b\r\n1,x\r\n2,y\r\n", [2, 3]),
            ("old Macintosh", "a,b\r1,x\r2,y\r", [2, 3]),
            ("blank lines", "a,b\n\n1,x\n\n\n2,y\n\n", [3, 6]),
            ("blank lines, Windows", "a,b\r\n\r\n1,x\r\n\r\n2,y\r\n", [3, 5]),
            ("a line break in quotes", "a,b\n1,\"x\ny\"\n2,z\n", [2, 4]),
            ("a byte order mark", "\u{feff}a,b\n1,x\n2,y\n", [2, 3]),
            ("spaces around names", " a , b \n1,x\n2,y\n", [2, 3]),
        ] {
            let table = read(csv).unwrap();
            assert_eq!(table.names(), ["a", "b"], "{what}");
            assert_eq!([table.line(0), table.line(1)], lines, "{what}");
            assert_eq!(table.column("a").unwrap(), &numbers(&[Some(1.0), Some(2.0)]), "{what}");
        }
    }

    #[test]
    fn whatever_is_wrong_is_named_with_its_place_and_a_remedy() {
        for (csv, message) in [
            ("", "the file is empty: name the columns in its first line"),
            ("\n\n", "the file is empty"),
            ("a,b\n", "there is a header but no row: add at least one"),
            ("a,,c\n1,2,3\n", "line 1: column 2 has no name: name it"),
            ("\na,b, a\n1,2,3\n", "line 2: columns 1 and 3 are both named \"a\": rename one"),
            (
                "a,b\n1,2\n\n3\n",
                "line 4: the number of cells is 1, but the header names 2 columns: write NA",
            ),
            (
                "a,b\r\n1,2\r\n3,4,5\r\n",
                "line 3: the number of cells is 3, but the header names 2 columns",
            ),
            (
                "a,b\n1,2\n-inf,3\n",
                "line 3, column \"a\": \"-inf\" is not a finite number: correct it",
            ),
            ("a\n1\n1e999\n", "line 3, column \"a\": \"1e999\" is not a finite number"),
            (
                "a,b\n1,2\n3,\"4\n5,6\n7,8\n",
                "line 3: a quote opened here is never closed: close it",
            ),
        ] {
            let found = read(csv).unwrap_err().to_string();
            let expected = format!("t.csv: {message}");
            assert!(found.starts_with(&expected), "{csv:?}: {found}");
        }
    }

    #[test]
    fn a_last_cell_of_several_lines_is_no_open_quote() {
        let table = read("a,b\n1,\"x\ny\n\" \n\n").unwrap();
        assert_eq!(table.column("b").unwrap(), &text(&[Some("x\ny")]));
    }

    #[test]
    fn text_in_another_encoding_is_refused() {
        let latin1 = b"name,town\nZoe,Lyon\nNoah,Orl\xe9ans\n";
        assert_eq!(
            Table::from_csv("latin1.csv", &latin1[..]).unwrap_err().to_string(),
            "latin1.csv: line 3, column 2: the text is not UTF-8: save the file as UTF-8"
        );
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let error = Table::read_csv("no/such/table.csv").unwrap_err();
        assert!(matches!(&error, Error::File { path, .. } if path.ends_with("table.csv")));
        assert!(error.to_string().starts_with("no/such/table.csv: "));

        struct Torn;
        impl Read for Torn {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("the cable is out"))
            }
        }
        let error = Table::from_csv("net.csv", Torn).unwrap_err();
        assert_eq!(error.to_string(), "net.csv: the cable is out");
    }
}
