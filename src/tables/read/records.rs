//! Records of delimited text, one after the other: cells, which of them are quoted, and the line on which they start.
//!
//! The parser is that of the `csv` crate (`csv-core`), driven here by hand because it must be known which bytes make a
//! record: an editor's line numbers, which after `\r\n`, blank lines or line breaks inside quotes are not what the
//! parser's own counter says; a quote left open, and quotes around a cell, of which the parser says nothing.
//!
//! Text is UTF-8. If the first record with a letter beyond ASCII is not, all of the file is taken for windows-1252, as
//! spreadsheets in western Europe write; if a later one is not, the file is damaged.

mod lines;

use self::lines::Lines;
use csv_core::ReadRecordResult;
use encoding_rs::WINDOWS_1252;
use std::io::{ErrorKind, Read};

/// More bytes or cells than these have no row; of gzip a small file could ask for any number.
const MOST_BYTES: usize = 1 << 26;
const MOST_CELLS: usize = 1 << 24;

/// Why there is no next record.
pub(super) enum Problem {
    /// The bytes cannot be read.
    Reading(std::io::Error),
    /// They are no table: the line, what is wrong and the remedy.
    Text(String),
}

/// The records of a text.
pub(super) struct Records<R> {
    reader: R,
    parser: csv_core::Reader,
    input: Box<[u8]>,
    /// The part of the input that is not parsed yet.
    start: usize,
    end: usize,
    lines: Lines,
    output: Vec<u8>,
    ends: Vec<usize>,
    /// The record that was parsed last: its line, its text, and how many of `ends` are its cells'.
    line: u64,
    text: String,
    cells: usize,
    separator: u8,
    /// The bytes of the record as they stand in the file.
    raw: Vec<u8>,
    letters: Letters,
    /// The encoding from which the reader decodes, if it does.
    decoded_from: Option<&'static str>,
    /// The line on which text that is not UTF-8 was first taken for windows-1252.
    foreign: Option<u64>,
    /// Blank lines between records.
    blank: u64,
}

/// What letters beyond ASCII have been found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letters {
    /// None has been met.
    Open,
    Utf8,
    Windows1252,
}

/// One record.
pub(super) struct Record<'a> {
    /// The line on which it starts, counted from 1.
    pub line: u64,
    text: &'a str,
    ends: &'a [usize],
    raw: &'a [u8],
    separator: u8,
}

impl<'a> Record<'a> {
    /// Number of cells.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// How long its cells' text is.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The cells, in order.
    pub(super) fn cells(&self) -> impl ExactSizeIterator<Item = &'a str> {
        let (text, mut start) = (self.text, 0);
        self.ends.iter().map(move |&end| &text[std::mem::replace(&mut start, end)..end])
    }

    /// Whether each cell stands in quotes; empty where none does.
    pub(super) fn quoted(&self) -> Vec<bool> {
        match memchr::memchr(b'"', self.raw) {
            None => Vec::new(),
            Some(_) => quoted_cells(self.raw, self.separator),
        }
    }
}

/// Where in a cell a byte stands.
enum Place {
    Start,
    /// In a cell without quotes, or behind the closing one.
    Plain,
    Inside,
    /// Behind a quote inside quotes: the closing one, or the first of two that stand for one.
    Quote,
}

/// Which of the cells of a record begin with a quote. Blank lines may stand before it.
fn quoted_cells(raw: &[u8], separator: u8) -> Vec<bool> {
    let start = raw.iter().position(|byte| !matches!(byte, b'\n' | b'\r')).unwrap_or(raw.len());
    let mut quoted = Vec::new();
    let mut place = Place::Start;
    for &byte in &raw[start..] {
        if matches!(place, Place::Start) {
            quoted.push(byte == b'"');
        }
        place = match (place, byte) {
            (Place::Start | Place::Quote, b'"') => Place::Inside,
            (Place::Inside, b'"') => Place::Quote,
            (Place::Inside, _) => Place::Inside,
            (_, byte) if byte == separator => Place::Start,
            _ => Place::Plain,
        };
    }
    quoted
}

impl<R: Read> Records<R> {
    /// The records of what this gives, whose cells have this byte between them.
    pub(super) fn new(reader: R, separator: u8) -> Self {
        Self {
            reader,
            parser: csv_core::ReaderBuilder::new().delimiter(separator).build(),
            input: vec![0; 1 << 17].into(),
            start: 0,
            end: 0,
            lines: Lines::default(),
            output: vec![0; 1 << 10],
            ends: vec![0; 1 << 6],
            line: 0,
            text: String::new(),
            cells: 0,
            separator,
            raw: Vec::new(),
            letters: Letters::Open,
            decoded_from: None,
            foreign: None,
            blank: 0,
        }
    }

    /// The records behind a line that was passed over.
    pub(super) fn after_a_line(mut self) -> Self {
        self.lines.over = 1;
        self
    }

    /// Text that must be UTF-8, decoded from this encoding if from any.
    pub(super) fn strictly_utf8(mut self, decoded_from: Option<&'static str>) -> Self {
        self.letters = Letters::Utf8;
        self.decoded_from = decoded_from;
        self
    }

    /// How many blank lines stood between the records so far.
    pub(super) fn blank_lines(&self) -> u64 {
        self.blank
    }

    /// The line from which on text is taken for windows-1252, if it is.
    pub(super) fn foreign(&self) -> Option<u64> {
        self.foreign
    }

    /// The next record that is not a blank line.
    pub(super) fn next(&mut self) -> Result<Option<Record<'_>>, Problem> {
        Ok(self.advance()?.then(|| self.record()))
    }

    /// The record that was parsed last.
    pub(super) fn record(&self) -> Record<'_> {
        let (line, separator) = (self.line, self.separator);
        Record { line, text: &self.text, ends: &self.ends[..self.cells], raw: &self.raw, separator }
    }

    /// Parses the next record that is not a blank line; false at the end.
    pub(super) fn advance(&mut self) -> Result<bool, Problem> {
        let (mut written, mut ended) = (0, 0);
        let is_first = self.line == 0;
        self.lines.start_record();
        let before = self.lines.over;
        self.raw.clear();
        loop {
            let whole = self.start == self.end && !self.fill().map_err(Problem::Reading)?;
            if whole && self.lines.started().is_none() {
                return Ok(false);
            }
            // A line break ends the last record if none did. The parser takes it for text inside quotes.
            let input = if whole { b"\n" } else { &self.input[self.start..self.end] };
            let (result, read, wrote, cells) = self.parser.read_record(
                input,
                &mut self.output[written..],
                &mut self.ends[ended..],
            );
            if !whole {
                self.lines.pass(&input[..read]);
                self.raw.extend_from_slice(&input[..read]);
                if self.lines.started().is_none() {
                    // Blank lines, of which there may be any number.
                    self.raw.clear();
                }
                self.start += read;
            }
            written += wrote;
            ended += cells;
            match result {
                ReadRecordResult::Record => break,
                ReadRecordResult::InputEmpty if whole => {
                    return Err(Problem::Text(format!(
                        "line {}: a quote opened here is never closed: close it, or remove it",
                        self.lines.started().unwrap_or_default()
                    )));
                }
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.output.len() < MOST_BYTES => {
                    self.output.resize(2 * self.output.len(), 0);
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() < MOST_CELLS => {
                    self.ends.resize(2 * self.ends.len(), 0);
                }
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    return Err(Problem::Text(format!(
                        "line {}: the row that begins here has more than {} MiB or {} million cells: close the quote that is left \
                         open in it, or break its lines",
                        self.lines.started().unwrap_or_default(),
                        MOST_BYTES >> 20,
                        MOST_CELLS >> 20
                    )));
                }
                ReadRecordResult::End => return Ok(false),
            }
        }
        self.line = self.lines.started().unwrap_or_default();
        // Those above the header say nothing.
        let blank = self.line.saturating_sub(before + 1);
        self.blank += if is_first { 0 } else { blank };
        self.cells = ended;
        self.decode(written)?;
        Ok(true)
    }

    /// The record's text from as many bytes.
    fn decode(&mut self, bytes: usize) -> Result<(), Problem> {
        let (bytes, ends) = (&self.output[..bytes], &mut self.ends[..self.cells]);
        self.text.clear();
        if self.letters != Letters::Windows1252 {
            match utf8(bytes, ends, self.line) {
                Ok(text) => {
                    if let Some(encoding) = self.decoded_from {
                        whole(text, ends, self.line, encoding)?;
                    }
                    if !text.is_ascii() {
                        self.letters = Letters::Utf8;
                    }
                    self.text.push_str(text);
                    return Ok(());
                }
                Err(problem) if self.letters == Letters::Utf8 => return Err(problem),
                Err(_) => self.letters = Letters::Windows1252,
            }
        }
        if !bytes.is_ascii() {
            self.foreign.get_or_insert(self.line);
        }
        windows_1252(bytes, ends, &mut self.text);
        Ok(())
    }

    /// Reads on; false at the end.
    fn fill(&mut self) -> std::io::Result<bool> {
        (self.start, self.end) = (0, 0);
        loop {
            match self.reader.read(&mut self.input) {
                Ok(count) => {
                    self.end = count;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Adds cells whose every byte is a letter to the text, and moves their ends.
fn windows_1252(bytes: &[u8], ends: &mut [usize], text: &mut String) {
    let mut start = 0;
    for end in ends {
        let cell = &bytes[std::mem::replace(&mut start, *end)..*end];
        text.push_str(&WINDOWS_1252.decode_without_bom_handling(cell).0);
        *end = text.len();
    }
}

/// Refuses text with the letter that decoders put where bytes make none.
fn whole(text: &str, ends: &[usize], line: u64, encoding: &str) -> Result<(), Problem> {
    match text.find('\u{fffd}') {
        None => Ok(()),
        Some(at) => Err(Problem::Text(format!(
            "line {line}, column {}: the text is not {encoding}: say which encoding the file has (--encoding utf-8, say), \
             or correct the cell",
            ends.partition_point(|&end| end <= at) + 1
        ))),
    }
}

/// The cells as UTF-8, each by itself.
fn utf8<'a>(bytes: &'a [u8], ends: &[usize], line: u64) -> Result<&'a str, Problem> {
    let text = std::str::from_utf8(bytes);
    match text {
        Ok(text) if ends.iter().all(|&end| text.is_char_boundary(end)) => Ok(text),
        _ => {
            let starts = std::iter::once(&0).chain(ends);
            let mut cells = starts.zip(ends).map(|(&start, &end)| &bytes[start..end]);
            let wrong = cells.position(|cell| std::str::from_utf8(cell).is_err());
            Err(Problem::Text(format!(
                "line {line}, column {}: the text is not UTF-8: save the file as UTF-8, or name its encoding \
                 (--encoding windows-1252, say)",
                wrong.map_or(1, |index| index + 1)
            )))
        }
    }
}

#[cfg(test)]
mod tests;
