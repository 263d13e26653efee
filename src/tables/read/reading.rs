//! What was found while a table was read, and decided: to be told, and to read other tables alike.

use super::numbers::{Decimal, NumberFormat, parse_number};
use crate::tables::table::{counted, quoted};
use serde::Serialize;
use std::collections::BTreeMap;

/// What was found while a table was read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Reading {
    /// What separates the cells; `None` in a file that has typed columns (Parquet).
    pub separator: Option<char>,
    /// Whether the separator was recognised rather than said, by the user or by the file's name.
    pub separator_recognised: bool,
    /// Whether the first line told Excel the separator and was passed over.
    pub excel_line: bool,
    /// The encoding, if it is not UTF-8.
    pub encoding: Option<String>,
    /// The line from which on text that is not UTF-8 was taken for that encoding, where nobody said so.
    pub encoding_guessed_at: Option<u64>,
    /// Whether the first column has no name, and was left out since it names the rows.
    pub row_names: bool,
    /// Number of empty columns without a name that were left out.
    pub nameless: usize,
    /// Rows without any cell, which were left out.
    pub empty_rows: EmptyRows,
    /// Rows that end in separators beyond the header's, with nothing between them.
    pub longer_rows: usize,
    /// Blank lines between rows, which were passed over.
    pub blank_lines: u64,
    /// Columns of numbers with zeros before their other digits, as codes have, and an example of each.
    pub leading_zeros: BTreeMap<String, String>,
    /// How the columns of numbers are written that are written for people, and an example of each.
    pub formats: BTreeMap<String, (NumberFormat, String)>,
}

/// Rows without any cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EmptyRows {
    /// How many.
    pub count: usize,
    /// The line of the first one.
    pub first: u64,
    /// The line of the last one.
    pub last: u64,
}

impl EmptyRows {
    pub(super) fn add(&mut self, line: u64) {
        if self.count == 0 {
            self.first = line;
        }
        self.count += 1;
        self.last = line;
    }

    /// `59 rows without any cell are left out (lines 102 to 160)`; `None` if there is none.
    pub fn sentence(&self) -> Option<String> {
        let Self { count, first, last } = *self;
        match count {
            0 => None,
            1 => Some(format!("1 row without any cell is left out (line {first})")),
            _ => Some(format!(
                "{count} rows without any cell are left out (lines {first} to {last})"
            )),
        }
    }
}

impl Reading {
    /// Goes on with what was found in the next part of the same file, whose counts are those from its start.
    pub(super) fn extend(&mut self, next: &Self) {
        let mut formats = std::mem::take(&mut self.formats);
        let mut leading_zeros = std::mem::take(&mut self.leading_zeros);
        formats.extend(next.formats.clone());
        leading_zeros.extend(next.leading_zeros.clone());
        *self = Self { formats, leading_zeros, ..next.clone() };
    }

    /// What a user should be told, a sentence each; nothing where nothing was out of the ordinary.
    pub fn sentences(&self) -> Vec<String> {
        let mut told = Vec::new();
        if self.excel_line {
            told.push("line 1, which tells Excel the separator, is passed over".into());
        }
        if let (true, Some(separator)) = (self.separator_recognised, self.separator)
            && separator != ','
        {
            let name = super::layout::name_of(separator as u8);
            told.push(format!("the cells are separated by a {name} (--separator says otherwise)"));
        }
        match (&self.encoding, self.encoding_guessed_at) {
            (Some(encoding), Some(line)) => told.push(format!(
                "the text is not UTF-8 from line {line} on and is taken for {encoding} (--encoding says otherwise)"
            )),
            (Some(encoding), None) => told.push(format!("the text is read as {encoding}")),
            _ => {}
        }
        if self.row_names {
            told.push(
                "the first column has no name: it is left out as the rows' names (write the table without them: \
                 index=False in pandas, row.names=FALSE in R)"
                    .into(),
            );
        }
        if self.nameless > 0 {
            let columns = counted(self.nameless, "column", "columns");
            let verb = if self.nameless == 1 { "is" } else { "are" };
            told.push(format!("{columns} without a name and without a cell {verb} left out"));
        }
        if self.longer_rows > 0 {
            let (rows, verb) = match self.longer_rows {
                1 => ("1 row".into(), "ends"),
                count => (format!("{count} rows"), "end"),
            };
            told.push(format!(
                "{rows} {verb} in separators beyond the header's, with nothing between them"
            ));
        }
        match self.blank_lines {
            0 => {}
            1 => told.push("1 blank line between rows is passed over".into()),
            count => told.push(format!("{count} blank lines between rows are passed over")),
        }
        told.extend(self.empty_rows.sentence());
        told.extend(self.format_sentences());
        told
    }

    /// One sentence for all columns that are written alike.
    fn format_sentences(&self) -> Vec<String> {
        let mut alike: Vec<(String, Decimal, &str, Vec<&str>)> = Vec::new();
        for (column, (format, example)) in &self.formats {
            let words = format.words();
            match alike.iter_mut().find(|(known, ..)| *known == words) {
                Some((.., columns)) => columns.push(column),
                None => alike.push((words, format.decimal, example, vec![column])),
            }
        }
        let sentence = |(words, decimal, example, columns): (String, Decimal, &str, Vec<&str>)| {
            let columns = quoted(columns.into_iter());
            let value = parse_number(example, decimal)
                .map_or(String::new(), |it| format!(" (read as {it})"));
            format!(
                "numbers with {words}, such as \"{example}\"{value}: {columns} (--text keeps a column as it is written)"
            )
        };
        alike.into_iter().map(sentence).collect()
    }
}

impl NumberFormat {
    /// `thousands separators`, `a decimal comma and "€"`, …
    fn words(&self) -> String {
        let mut parts = Vec::new();
        match (self.grouped, self.decimal) {
            (true, Decimal::Point) => parts.push("thousands separators".to_string()),
            (true, Decimal::Comma) => parts.push("points between thousands".into()),
            (false, Decimal::Comma) => parts.push("a decimal comma".into()),
            (false, Decimal::Point) => {}
        }
        parts.extend(self.sign.iter().map(|sign| format!("\"{sign}\"")));
        if parts.is_empty() { "another minus sign".into() } else { parts.join(" and ") }
    }
}
