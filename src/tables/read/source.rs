//! Where a table's bytes come from, and what they are: plain or gzipped, text or Parquet, or nothing that can be read.

use crate::error::{Error, Result};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use encoding_rs_io::DecodeReaderBytesBuilder;
use flate2::read::MultiGzDecoder;
use std::cell::RefCell;
use std::io::{Cursor, ErrorKind, Read, Seek, Write};
use std::path::Path;
use std::rc::Rc;

/// How many bytes are looked at to tell what they are.
pub(super) const LOOK: u64 = 8_192;

/// Bytes that were looked at before they are read.
pub(super) struct Opened<'a> {
    /// The text, or the Parquet file, from its first byte on, decompressed.
    pub reader: Box<dyn Read + 'a>,
    /// Its first bytes.
    pub look: Vec<u8>,
    /// Whether it was gzipped, as errors while reading then are.
    pub gzipped: bool,
    /// The encoding that it was decoded from, if it was not UTF-8.
    pub encoding: Option<&'static str>,
}

/// Looks at the first bytes, decompresses what is gzipped, decodes what is in the encoding that was named, or in UTF-16, and
/// refuses what is neither text nor Parquet.
pub(super) fn open<'a>(
    name: &str,
    raw: impl Read + 'a,
    encoding: Option<&'static Encoding>,
) -> Result<Opened<'a>> {
    let (look, reader) = look_at(raw).map_err(|source| failed(name, false, source))?;
    let gzipped = look.starts_with(&[0x1f, 0x8b]);
    let (look, reader): (_, Box<dyn Read + 'a>) = if gzipped {
        let (look, reader) =
            look_at(MultiGzDecoder::new(reader)).map_err(|source| failed(name, true, source))?;
        (look, Box::new(reader))
    } else {
        (look, Box::new(reader))
    };
    let encoding = encoding.or_else(|| utf_16(&look)).filter(|&encoding| encoding != UTF_8);
    let encoding = encoding.filter(|_| !is_parquet(&look));
    let (mut look, mut reader) = match encoding {
        None => (look, reader),
        Some(encoding) => {
            let mut decoder = DecodeReaderBytesBuilder::new();
            let decoder = decoder.encoding(Some(encoding)).build(reader);
            let (look, reader) =
                look_at(decoder).map_err(|source| failed(name, gzipped, source))?;
            (look, Box::new(reader) as Box<dyn Read + 'a>)
        }
    };
    if let Some(problem) = not_text(&look) {
        return Err(Error::Table { table: name.into(), problem: problem.into() });
    }
    let mark = "\u{feff}".as_bytes();
    if look.starts_with(mark) {
        // The first bytes lie in memory: no error can come of them.
        let _ = reader.read_exact(&mut [0; 3]);
        look.drain(..mark.len());
    }
    Ok(Opened { reader, look, gzipped, encoding: encoding.map(Encoding::name) })
}

/// UTF-16, by its mark, or without one by the zeros of the letters that ASCII has too.
fn utf_16(look: &[u8]) -> Option<&'static Encoding> {
    let is_zero_at = |odd: usize| {
        let of = look.iter().skip(odd).step_by(2);
        (of.clone().filter(|byte| **byte == 0).count(), of.count())
    };
    let ((even_zeros, evens), (odd_zeros, odds)) = (is_zero_at(0), is_zero_at(1));
    match look {
        [0xff, 0xfe, ..] => Some(UTF_16LE),
        [0xfe, 0xff, ..] => Some(UTF_16BE),
        _ if even_zeros == 0 && odds > 1 && 2 * odd_zeros > odds => Some(UTF_16LE),
        _ if odd_zeros == 0 && evens > 1 && 2 * even_zeros > evens => Some(UTF_16BE),
        _ => None,
    }
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
pub(super) struct Copying<R> {
    pub reader: R,
    pub copy: Copy,
}

/// A place for such a copy. Clones are the same place.
#[derive(Clone)]
pub(super) struct Copy(Rc<RefCell<tempfile::SpooledTempFile>>);

impl Copy {
    pub(super) fn new() -> Self {
        Self(Rc::new(RefCell::new(tempfile::SpooledTempFile::new(1 << 24))))
    }

    /// To be read from the start.
    pub(super) fn rewound(&self) -> std::io::Result<Self> {
        self.0.borrow_mut().rewind()?;
        Ok(self.clone())
    }
}

impl Read for Copy {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().read(into)
    }
}

impl<R: Read> Read for Copying<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.reader.read(into)?;
        self.copy.0.borrow_mut().write_all(&into[..count]).map_err(|error| {
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
