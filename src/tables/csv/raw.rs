//! What the parser does not tell of a file's raw bytes: lines as an editor counts them, and a quote left open.

/// Counts lines as a text editor does: `\n`, `\r\n` and a lone `\r` each end one.
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
    counted: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, counted: 0, line: 1 }
    }

    /// The line of the first text at or after this byte, which must not lie before the last one asked for.
    pub(super) fn line_at(&mut self, start: usize) -> u64 {
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

/// Where the parser stands inside a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    CellStart,
    InCell,
    InQuotes,
    /// Just after a quote inside quotes: the cell's end, or the first half of a doubled quote.
    AfterQuote,
}

/// Whether the text of a record ends inside quotes: the parser then takes all that follows the quote, line after line,
/// for the cell's text, and says nothing.
pub(super) fn ends_in_quotes(record: &[u8]) -> bool {
    let step = |at, &byte: &u8| match (at, byte) {
        (At::InQuotes, b'"') => At::AfterQuote,
        (At::InQuotes, _) | (At::CellStart | At::AfterQuote, b'"') => At::InQuotes,
        (_, b',' | b'\n' | b'\r') => At::CellStart,
        _ => At::InCell,
    };
    record.iter().fold(At::CellStart, step) == At::InQuotes
}
