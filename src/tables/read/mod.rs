//! Reading tables: CSV and TSV, gzipped or not, from files and streams, whole or in chunks; Parquet behind a feature.
//!
//! The text is parsed as it comes in and never held. Each column's kind is settled by all of its cells: numbers if every
//! cell that is not missing is one, else text. Spaces around a cell do not count. Whatever is wrong is reported with the
//! line that a text editor shows.
//!
//! [`source`] opens and decompresses, [`records`] parses, [`rows`] knows the header, [`builder`] makes columns.

mod builder;
mod chunks;
#[cfg(feature = "parquet")]
mod parquet;
mod records;
mod rows;
mod source;

pub use self::chunks::Chunks;

use self::rows::{Part, Rows, Separator};
use super::table::Table;
use crate::error::{Error, Result};
use std::io::{Read, Seek};
use std::path::Path;

/// What stands for the path of standard input, and what it is called in messages.
const STDIN: (&str, &str) = ("-", "standard input");

impl Table {
    /// Reads a table from a file, or from standard input where the path is `-`.
    ///
    /// CSV and TSV have the columns' names in the first line, are UTF-8 and quoted as RFC 4180 says, and may be gzipped.
    /// `.csv` says that commas separate the cells, `.tsv` and `.tab` that tabs do (`.gz` may follow); under another name,
    /// the first line tells. Parquet is read where this crate is built with its feature `parquet`.
    ///
    /// A cell is missing if it is empty, `NA`, `N/A`, `#N/A`, `NaN`, `null`, `none`, `?` or `-`, in capitals or not, in every
    /// column: a category that is to count needs another name, say `no alley` for `none`. A column in which every
    /// other cell is a number is a column of numbers, else of [text](super::Column::is_text).
    ///
    /// A number has a decimal point and no separator of thousands: `1234.5`, `-2e3`.
    ///
    /// A table of numbers takes 8 bytes a cell; reading it takes no more than that, and a little for buffers. A stream is
    /// copied to a temporary file on the way, because a column of numbers may turn out to be text at its very end.
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be read; [`Error::Table`], naming line, column and remedy, if it is a directory,
    /// neither text nor gzip nor Parquet, damaged or cut short gzip, if it
    /// has no rows, other separators than its name says, a column without a name or two of one name, a row with
    /// more or fewer cells than the header, a quote that is never closed, text that is not UTF-8, or an infinite
    /// number.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        read_path(path, Separator::of(path), &[])
    }

    /// Reads a table as [`open`](Self::open) does, and takes these columns as text, each cell as it is written: for codes
    /// such as `00501`, which as a number, or through [`as_text`](Self::as_text), would be the same as `501`.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`Error::Table`] if there is no such column.
    pub fn open_with_text(path: impl AsRef<Path>, text: &[impl AsRef<str>]) -> Result<Self> {
        let path = path.as_ref();
        let text: Vec<&str> = text.iter().map(AsRef::as_ref).collect();
        let table = read_path(path, Separator::of(path), &text)?;
        text.iter().try_fold(table, |table, column| table.as_text(column))
    }

    /// Reads a CSV file as [`open`](Self::open) does, commas between its cells whatever its name.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn read_csv(path: impl AsRef<Path>) -> Result<Self> {
        read_path(path.as_ref(), Separator::Comma, &[])
    }

    /// Reads CSV from anything that can be read; `name` stands for it in messages.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_csv(name: impl Into<String>, reader: impl Read) -> Result<Self> {
        read_stream(&name.into(), reader, Separator::Comma, &[])
    }

    /// Reads a table as [`open`](Self::open) does, but gives it in parts of at most this many rows, one at a time: for
    /// files larger than the memory.
    ///
    /// A part knows nothing of the others: the same column may be of numbers in one and of [text](super::Column::is_text)
    /// in the next. An [`Encoder`](crate::Encoder) encodes each as it would have encoded the whole.
    ///
    /// Errors come as items, those of the start as the first, and end the iteration.
    ///
    /// ```no_run
    /// # fn encode(encoder: &awl::Encoder) -> awl::Result<()> {
    /// for part in awl::Table::chunks("new.csv.gz", 10_000) {
    ///     let features = encoder.encode_features(&part?)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn chunks(path: impl AsRef<Path>, rows: usize) -> Chunks {
        Chunks::open(path.as_ref(), rows)
    }
}

fn read_path(path: &Path, separator: Separator, text: &[&str]) -> Result<Table> {
    if path.as_os_str() == STDIN.0 {
        return read_stream(STDIN.1, std::io::stdin().lock(), separator, text);
    }
    let name = path.display().to_string();
    let file = source::file(path)?;
    // A pipe, say that of a shell's <(…), can be read but once.
    if !file.metadata().is_ok_and(|data| data.is_file()) {
        return read_stream(&name, file, separator, text);
    }
    let opened = source::open(&name, file)?;
    if source::is_parquet(&opened.look) {
        return read_parquet(&name, opened, Some(path));
    }
    let mut rows = Rows::new(&name, opened, separator)?;
    let mut part = Part::read(&mut rows, |name| text.contains(&name), usize::MAX)?;
    if part.lost() > 0 {
        let opened = source::open(&name, source::file(path)?)?;
        part.recover(&mut Rows::new(&name, opened, separator)?)?;
    }
    part.finish(&rows.name, &rows.headers)
}

fn read_stream(
    name: &str,
    reader: impl Read,
    separator: Separator,
    text: &[&str],
) -> Result<Table> {
    let mut copy = source::copy();
    let opened = source::open(name, source::Copying { reader, copy: &mut copy })?;
    if source::is_parquet(&opened.look) {
        return read_parquet(name, opened, None);
    }
    let mut rows = Rows::new(name, opened, separator)?;
    let mut part = Part::read(&mut rows, |name| text.contains(&name), usize::MAX)?;
    let headers = rows.into_headers();
    if part.lost() > 0 {
        copy.rewind().map_err(|source| Error::File { path: name.into(), source })?;
        part.recover(&mut Rows::new(name, source::open(name, &mut copy)?, separator)?)?;
    }
    part.finish(name, &headers)
}

#[cfg(feature = "parquet")]
fn read_parquet(name: &str, opened: source::Opened<'_>, path: Option<&Path>) -> Result<Table> {
    parquet::read(name, opened, path)
}

#[cfg(not(feature = "parquet"))]
fn read_parquet(name: &str, _: source::Opened<'_>, _: Option<&Path>) -> Result<Table> {
    Err(no_parquet(name))
}

#[cfg(not(feature = "parquet"))]
fn no_parquet(name: &str) -> Error {
    Error::Table {
        table: name.into(),
        problem: "this is a Parquet file, which needs the feature parquet: build awl with it (cargo install awl-wgpu \
                  --features parquet), or save the table as CSV"
            .into(),
    }
}

#[cfg(test)]
mod tests;
