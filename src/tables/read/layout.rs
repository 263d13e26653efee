//! How a text is laid out as a table: what separates its cells, as the user, the first line, the file's name or the first
//! records say.

use super::records::Records;
use super::source::LOOK;
use std::path::Path;

/// What may separate cells without anybody saying so.
const USUAL: [u8; 4] = [b',', b';', b'\t', b'|'];

/// As many records are looked at.
const MOST_RECORDS: usize = 50;

/// How a text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub separator: u8,
    /// How many bytes the line takes by which Excel is told the separator.
    pub excel: usize,
    /// Whether nobody said what the separator is.
    pub is_recognised: bool,
}

impl Layout {
    /// Of a text that begins so; `said` by the user, `named` by the file.
    pub(super) fn of(look: &[u8], said: Option<u8>, named: Option<u8>) -> Self {
        let (excel, written) = match excel_line(look) {
            Some((bytes, separator)) => (bytes, separator),
            None => (0, None),
        };
        let separator = said.or(written);
        let is_recognised = separator.is_none();
        let separator = separator.unwrap_or_else(|| recognise(&look[excel..], named));
        Self { separator, excel, is_recognised }
    }
}

/// What a file's name says of its separator.
pub(super) fn of_name(path: &Path) -> Option<u8> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    match name.strip_suffix(".gz").unwrap_or(&name).rsplit_once('.') {
        Some((_, "csv")) => Some(b','),
        Some((_, "tsv" | "tab")) => Some(b'\t'),
        _ => None,
    }
}

/// What a separator is called.
pub(super) fn name_of(separator: u8) -> String {
    match separator {
        b',' => "comma".into(),
        b';' => "semicolon".into(),
        b'\t' => "tab".into(),
        b'|' => "vertical bar".into(),
        other => format!("\"{}\"", char::from(other)),
    }
}

/// The length of a first line `sep=;`, quoted or not, with its line break, and the separator that it names, if it does. A
/// spreadsheet that saves it again puts its own separators behind it.
fn excel_line(look: &[u8]) -> Option<(usize, Option<u8>)> {
    let end = look.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
    let is_windows = look[end..].starts_with(b"\r\n");
    let length = end + 1 + usize::from(is_windows);
    let line = std::str::from_utf8(&look[..end]).ok()?.trim_matches([' ', '"']);
    let (word, rest) = line.split_once('=')?;
    if !word.trim().eq_ignore_ascii_case("sep") {
        return None;
    }
    let rest = rest.trim_start_matches(' ').replace('"', "");
    let Some(&separator) = rest.as_bytes().first() else { return Some((length, None)) };
    let is_separator = separator.is_ascii() && !separator.is_ascii_alphanumeric();
    let is_line = is_separator
        && rest[1..]
            .bytes()
            .all(|byte| byte == separator || (byte != b' ' && USUAL.contains(&byte)));
    is_line.then_some((length, Some(separator)))
}

/// The separator with which the first records have as many cells as the header: the one that the file's name says, if it
/// has, else the one that makes the most cells.
fn recognise(look: &[u8], named: Option<u8>) -> u8 {
    let shapes = USUAL.map(|separator| (separator, shape(look, separator)));
    let cells = |wanted: Option<u8>, even: bool| {
        let of = shapes.iter().filter(|(separator, _)| wanted.is_none_or(|it| it == *separator));
        let fit = of.filter(|(_, (cells, is_even))| *cells > 1 && (*is_even || !even));
        // The first of those with the most cells.
        fit.rev().max_by_key(|(_, (cells, _))| *cells).map(|(separator, _)| *separator)
    };
    let default = named.unwrap_or(b',');
    cells(Some(default), true)
        .or_else(|| cells(None, true))
        .or_else(|| cells(Some(default), false))
        .or_else(|| cells(None, false))
        .unwrap_or(default)
}

/// How many cells the header has with this separator, and whether the next records have as many.
fn shape(look: &[u8], separator: u8) -> (usize, bool) {
    let mut records = Records::new(look, separator);
    let mut counts = Vec::new();
    while counts.len() < MOST_RECORDS
        && let Ok(Some(record)) = records.next()
    {
        counts.push(record.len());
    }
    // The last one may be cut off. What is looked at is short of `LOOK` by marks and lines passed over, and UTF-16 shrinks.
    if look.len() as u64 > LOOK / 4 && counts.len() > 1 && counts.len() < MOST_RECORDS {
        counts.pop();
    }
    let header = counts.first().copied().unwrap_or(0);
    (header, counts.iter().all(|&count| count == header))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_recognised() {
        for (text, named, separator) in [
            ("a,b\n1,2\n", Some(b','), b','),
            ("a;b\n1,5;2,5\n", Some(b','), b';'),
            ("a;b;c\n1,5;2,5;3,5\n", Some(b','), b';'),
            ("Name, first;Age\nBob;3\n", Some(b','), b';'),
            ("a\tb\n1\t2\n", Some(b','), b'\t'),
            ("a|b\n1|2\n", None, b'|'),
            ("a,b\n1,2\n", Some(b'\t'), b','),
            ("x\n1,5\n2,5\n", Some(b'\t'), b'\t'),
            ("\"a;b\",c\n1,2\n", None, b','),
            ("a,b\tc,d\n1\t2\n", None, b'\t'),
            ("x\n1\n", None, b','),
            // Ragged rows: whoever reads them says so.
            ("a,b\n1\n", Some(b','), b','),
            ("a;b\n1\n", Some(b','), b';'),
            ("", None, b','),
        ] {
            assert_eq!(Layout::of(text.as_bytes(), None, named).separator, separator, "{text:?}");
        }
        assert_eq!(Layout::of(b"a;b\n1;2\n", Some(b','), None).separator, b',');
    }

    #[test]
    fn the_line_for_excel_is_believed_and_passed_over() {
        for (text, bytes, separator) in [
            ("sep=,\na,b\n", 6, b','),
            ("\"sep=;\"\r\na;b\r\n", 9, b';'),
            ("SEP=\t\r\na\tb\r\n", 7, b'\t'),
            ("sep=|\ra|b\r", 6, b'|'),
            ("sep=,,,,\na,b,c\n", 9, b','),
            ("\"sep=;\";;\na;b;c\n", 10, b';'),
            ("sep =;\na;b\n", 7, b';'),
            ("sep=\na;b\n1;2\n", 5, b';'),
            ("sep=x\na\n", 0, b','),
            ("sep=,", 0, b','),
            ("separate,b\n1,2\n", 0, b','),
        ] {
            let layout = Layout::of(text.as_bytes(), None, Some(b','));
            assert_eq!((layout.excel, layout.separator), (bytes, separator), "{text:?}");
        }
    }
}
