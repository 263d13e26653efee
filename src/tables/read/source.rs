//! Where a table's bytes come from, and what they are: plain or gzipped, text or Parquet, or nothing that can be read.

use crate::error::{Error, Result};
use flate2::read::MultiGzDecoder;
use std::io::{Cursor, ErrorKind, Read, Write};
use std::path::Path;

/// How many bytes are looked at to tell what they are.
const LOOK: u64 = 8_192;

/// Bytes that were looked at before they are read.
pub(super) struct Opened<'a> {
    /// The text, or the Parquet file, from its first byte on, decompressed.
    pub reader: Box<dyn Read + 'a>,
    /// Its first bytes.
    pub look: Vec<u8>,
    /// Whether it was gzipped, as errors while reading then are.
    pub gzipped: bool,
}

/// Looks at the first bytes, decompresses what is gzipped, and refuses what is neither text nor Parquet.
pub(super) fn open<'a>(name: &str, raw: impl Read + 'a) -> Result<Opened<'a>> {
    let (look, reader) = look_at(raw).map_err(|source| failed(name, false, source))?;
    let gzipped = look.starts_with(&[0x1f, 0x8b]);
    let (mut look, reader): (_, Box<dyn Read + 'a>) = if gzipped {
        let (look, reader) =
            look_at(MultiGzDecoder::new(reader)).map_err(|source| failed(name, true, source))?;
        (look, Box::new(reader))
    } else {
        (look, Box::new(reader))
    };
    if let Some(problem) = not_text(&look) {
        return Err(Error::Table { table: name.into(), problem: problem.into() });
    }
    let mut reader = reader;
    let mark = "\u{feff}".as_bytes();
    if look.starts_with(mark) {
        // The first bytes lie in memory: no error can come of them.
        let _ = reader.read_exact(&mut [0; 3]);
        look.drain(..mark.len());
    }
    Ok(Opened { reader, look, gzipped })
}

fn look_at<'a>(mut raw: impl Read + 'a) -> std::io::Result<(Vec<u8>, impl Read + 'a)> {
    let mut look = Vec::new();
    raw.by_ref().take(LOOK).read_to_end(&mut look)?;
    Ok((look.clone(), Cursor::new(look).chain(raw)))
}

/// Whether these are the first bytes of a Parquet file.
pub(super) fn is_parquet(look: &[u8]) -> bool {
    look.starts_with(b"PAR1")
}

/// What is wrong with a file that begins so, if it cannot be a table.
fn not_text(look: &[u8]) -> Option<&'static str> {
    let starts = |bytes: &[u8]| look.starts_with(bytes);
    if is_parquet(look) {
        None
    } else if starts(b"PK\x03\x04") {
        Some(
            "this is a zip archive or a spreadsheet's workbook: unpack it, or save the sheet as CSV",
        )
    } else if starts(b"\xff\xfe") || starts(b"\xfe\xff") {
        Some("the text is UTF-16: save the file as UTF-8")
    } else if starts(b"\x28\xb5\x2f\xfd") || starts(b"\xfd7zXZ\0") || starts(b"BZh") {
        Some("the file is compressed, but not by gzip: unpack it, or compress it with gzip")
    } else if look.contains(&0) {
        Some("this is a binary file, not a table of text: save it as CSV, TSV or Parquet")
    } else {
        None
    }
}

/// An error of reading, which for gzipped data is one of the data unless the system says otherwise.
pub(super) fn failed(name: &str, gzipped: bool, source: std::io::Error) -> Error {
    let problem = match source.kind() {
        _ if !gzipped || source.raw_os_error().is_some() => {
            return Error::File { path: name.into(), source };
        }
        ErrorKind::UnexpectedEof => {
            "the gzipped data ends too early: copy or download the file again, it is cut short"
        }
        ErrorKind::InvalidData | ErrorKind::InvalidInput => {
            "the gzipped data is damaged: copy or download the file again"
        }
        _ => return Error::File { path: name.into(), source },
    };
    Error::Table { table: name.into(), problem: problem.into() }
}

/// Opens a file, which must be no directory.
pub(super) fn file(path: &Path) -> Result<std::fs::File> {
    let failed = |source| Error::File { path: path.into(), source };
    let file = std::fs::File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(Error::Table {
            table: path.display().to_string(),
            problem: "this is a directory: name a file in it".into(),
        });
    }
    Ok(file)
}

/// Copies what is read, so that it can be read again: up to 16 MiB in memory, more in a temporary file.
pub(super) struct Copying<'a, R> {
    pub reader: R,
    pub copy: &'a mut tempfile::SpooledTempFile,
}

/// A place for such a copy.
pub(super) fn copy() -> tempfile::SpooledTempFile {
    tempfile::SpooledTempFile::new(1 << 24)
}

impl<R: Read> Read for Copying<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.reader.read(into)?;
        self.copy.write_all(&into[..count]).map_err(|error| {
            let place = std::env::temp_dir();
            let why = format!(
                "no copy of it can be kept in {}: {error}: save it as a file first",
                place.display()
            );
            std::io::Error::new(error.kind(), why)
        })?;
        Ok(count)
    }
}
