//! Records of delimited text, one after the other: cells, and the line on which they start.
//!
//! The parser is that of the `csv` crate (`csv-core`), driven here by hand because it must be known which bytes make a
//! record: an editor's line numbers, which after `\r\n`, blank lines or line breaks inside quotes are not what the
//! parser's own counter says, and a quote left open, of which the parser says nothing.

use csv_core::ReadRecordResult;
use std::io::{ErrorKind, Read};

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
}

/// One record.
pub(super) struct Record<'a> {
    /// The line on which it starts, counted from 1.
    pub line: u64,
    text: &'a str,
    ends: &'a [usize],
}

impl<'a> Record<'a> {
    /// Number of cells.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cells, in order.
    pub(super) fn cells(&self) -> impl ExactSizeIterator<Item = &'a str> {
        let (text, mut start) = (self.text, 0);
        self.ends.iter().map(move |&end| &text[std::mem::replace(&mut start, end)..end])
    }
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
        }
    }

    /// The next record that is not a blank line.
    pub(super) fn next(&mut self) -> Result<Option<Record<'_>>, Problem> {
        let (mut written, mut ended) = (0, 0);
        self.lines.start_record();
        loop {
            let whole = self.start == self.end && !self.fill().map_err(Problem::Reading)?;
            if whole && self.lines.started().is_none() {
                return Ok(None);
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
                ReadRecordResult::OutputFull => self.output.resize(2 * self.output.len(), 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                ReadRecordResult::End => return Ok(None),
            }
        }
        let line = self.lines.started().unwrap_or_default();
        let (text, ends) = (&self.output[..written], &self.ends[..ended]);
        Ok(Some(Record { line, text: decode(text, ends, line)?, ends }))
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

/// The cells as UTF-8, each by itself.
fn decode<'a>(bytes: &'a [u8], ends: &[usize], line: u64) -> Result<&'a str, Problem> {
    let text = std::str::from_utf8(bytes);
    match text {
        Ok(text) if ends.iter().all(|&end| text.is_char_boundary(end)) => Ok(text),
        _ => {
            let starts = std::iter::once(&0).chain(ends);
            let mut cells = starts.zip(ends).map(|(&start, &end)| &bytes[start..end]);
            let wrong = cells.position(|cell| std::str::from_utf8(cell).is_err());
            Err(Problem::Text(format!(
                "line {line}, column {}: the text is not UTF-8: save the file as UTF-8",
                wrong.map_or(1, |index| index + 1)
            )))
        }
    }
}

/// Counts lines as a text editor does: `\n`, `\r\n` and a lone `\r` each end one.
#[derive(Default)]
struct Lines {
    /// How many are over.
    over: u64,
    after_return: bool,
    started: Option<u64>,
}

impl Lines {
    fn start_record(&mut self) {
        self.started = None;
    }

    /// The line of the record's first byte that is no line break, once it has been passed.
    fn started(&self) -> Option<u64> {
        self.started
    }

    fn pass(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        if self.started.is_none() {
            let is_text = |byte: &u8| !matches!(byte, b'\n' | b'\r');
            let text = bytes.iter().position(is_text).unwrap_or(bytes.len());
            self.count(&bytes[..text]);
            rest = &bytes[text..];
            self.started = (!rest.is_empty()).then_some(self.over + 1);
        }
        self.count(rest);
    }

    fn count(&mut self, bytes: &[u8]) {
        for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
            let after_return = if at == 0 { self.after_return } else { bytes[at - 1] == b'\r' };
            let halfway = after_return && bytes[at] == b'\n';
            self.over += u64::from(!halfway);
        }
        if let Some(&last) = bytes.last() {
            self.after_return = last == b'\r';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives a byte at a time.
    struct Trickle<'a>(&'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            self.0.read(&mut into[..1])
        }
    }

    /// The records and their lines, and whether a quote is left open.
    fn all(reader: impl Read) -> (Vec<(u64, Vec<String>)>, bool) {
        let (mut records, mut found) = (Records::new(reader, b','), Vec::new());
        loop {
            match records.next() {
                Ok(Some(record)) => {
                    found.push((record.line, record.cells().map(String::from).collect()));
                }
                Ok(None) => return (found, false),
                Err(_) => return (found, true),
            }
        }
    }

    proptest! {
        #[test]
        fn records_are_those_of_the_csv_crate_on_the_lines_of_an_editor(text in "[a1,\"\n\r ]{0,30}") {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let mut expected = Vec::new();
            for record in reader.records() {
                let record = record.expect("UTF-8");
                let start = record.position().expect("it was read").byte() as usize;
                let before = text[start..].find(|c| !matches!(c, '\n' | '\r')).expect("a record has text") + start;
                let line = text[..before].replace("\r\n", "\n").replace('\r', "\n").matches('\n').count() as u64 + 1;
                expected.push((line, record.iter().map(String::from).collect::<Vec<_>>()));
            }
            // A further line that falls into the last cell says that a quote is open.
            let further = format!("{text}\nQ");
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(further.as_bytes());
            let last = reader.records().last().expect("Q at least").expect("UTF-8");
            let open = last.iter().next_back() != Some("Q");
            if open {
                expected.pop();
            }
            prop_assert_eq!(&all(text.as_bytes()), &(expected, open));
            prop_assert_eq!(all(Trickle(text.as_bytes())), all(text.as_bytes()));
        }
    }
}
