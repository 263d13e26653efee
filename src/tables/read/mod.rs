//! Reading tables: delimited text, gzipped or not, from files and streams, whole or in chunks; Parquet behind a feature.
//!
//! The text is parsed as it comes in and never held. Each column's kind is settled by all of its cells: numbers if every
//! cell that is not missing is one, else text. Spaces around a cell do not count. Whatever is wrong is reported with the
//! line that a text editor shows, and whatever was decided is in the table's [`Reading`].
//!
//! | file | what it knows |
//! |---|---|
//! | `options` | what a user may say |
//! | `source` | opening, decompressing, decoding |
//! | `layout` | what separates the cells |
//! | `records` | parsing |
//! | `header` | the columns' names |
//! | `rows` | rows as long as the header |
//! | `part` | columns made of rows |
//! | `builder` | one column while its cells come in |
//! | `missing`, `numbers` | words for missing cells; numbers as people write them |
//! | `reading` | what was found |

mod builder;
mod chunks;
mod header;
mod layout;
mod missing;
mod numbers;
mod options;
#[cfg(feature = "parquet")]
mod parquet;
mod part;
mod reading;
mod records;
mod rows;
mod source;

pub use self::chunks::Chunks;
pub use self::numbers::{Decimal, NumberFormat};
pub use self::options::ReadOptions;
pub use self::reading::{EmptyRows, Reading};

pub(super) use self::builder::MissingCounts;
pub(super) use self::missing::MissingWords;
pub(super) use self::numbers::CURRENCIES;

use self::options::Ready;
use self::part::Part;
use self::rows::Rows;
use super::names;
use super::table::Table;
use crate::error::{Error, Result};
use std::collections::HashSet;
use std::io::Read;
use std::path::Path;

/// What stands for the path of standard input, and what it is called in messages.
const STDIN: (&str, &str) = ("-", "standard input");

impl Table {
    /// Reads a table from a file, or from standard input where the path is `-`.
    ///
    /// Delimited text has the columns' names in the first line, is quoted as RFC 4180 says, and may be gzipped. Commas,
    /// semicolons, tabs or vertical bars separate the cells: what `.csv`, `.tsv` and `.tab` promise, if header and rows agree
    /// with it, else what makes them agree. A first line `sep=;`, meant for Excel, is believed. Text is UTF-8, or UTF-16, or, if
    /// its first letter beyond ASCII says so, windows-1252. Parquet is read where this crate is built with its feature
    /// `parquet`. [`open_with`](Self::open_with) for saying all that.
    ///
    /// A cell is missing if it is empty, or `NA`, `N/A`, `#N/A`, `NaN`, `null` or `<NA>` outside of quotes, in capitals or not.
    /// Among numbers these are missing in quotes too, and so are `none`, `nil`, `?`, `-`, `--`, `.` and `n.a.`; among
    /// texts they are texts like any other. [`missing`](Self::missing) counts them by word.
    ///
    /// A column in which every other cell is a number is a column of numbers, else of [text](super::Column::is_text). A number
    /// has a decimal point: `1234.5`, `-2e3`; or all numbers of a column are written alike for people: with thousands
    /// separators, a decimal comma, a currency, a percent sign (`45%` is 45).
    ///
    /// Rows without any cell are left out, and so are columns that have neither name nor cells, and a first column without a
    /// name, which names the rows. [`reading`](Self::reading) tells of all that.
    ///
    /// A table of numbers takes 8 bytes a cell; reading it takes no more than that, and a little for buffers. A stream is
    /// copied to a temporary file on the way, because a column of numbers may turn out to be text at its very end.
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be read; [`Error::Table`], naming line, column and remedy, if it is a directory,
    /// neither text nor gzip nor Parquet, damaged or cut short gzip, if it
    /// has no rows, cells under no name, two columns of one name or of names that look alike, a row with
    /// more or fewer cells than the header, a quote that is never closed, text that is damaged, or an infinite
    /// number.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &ReadOptions::default())
    }

    /// Reads a table as [`open`](Self::open) does, but for what these options say.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`Error::Invalid`] for a separator or an encoding that cannot be.
    pub fn open_with(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self> {
        read_path(path.as_ref(), &options.ready()?)
    }

    /// Reads a CSV file as [`open`](Self::open) does, commas between its cells whatever its name.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn read_csv(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &ReadOptions::separated_by(','))
    }

    /// Reads delimited text from anything that can be read; `name` stands for it in messages.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_csv(name: impl Into<String>, reader: impl Read) -> Result<Self> {
        Self::from_csv_with(name, reader, &ReadOptions::default())
    }

    /// Reads delimited text as [`from_csv`](Self::from_csv) does, but for what these options say.
    ///
    /// # Errors
    /// As [`open_with`](Self::open_with).
    pub fn from_csv_with(
        name: impl Into<String>,
        reader: impl Read,
        options: &ReadOptions,
    ) -> Result<Self> {
        read_stream(&name.into(), reader, Some(b','), &options.ready()?)
    }

    /// Reads a table as [`open_with`](Self::open_with) does, but gives it in parts of at most this many rows, one at a time: for
    /// files larger than the memory. Of a table without rows there is one part, which has none.
    ///
    /// A part knows nothing of the others: the same column may be of numbers in one and of [text](super::Column::is_text)
    /// in the next. An [`Encoder`](crate::Encoder) encodes each as it would have encoded the whole, if the options have the
    /// [formats](ReadOptions::formats) of the table that it was fitted on.
    ///
    /// Errors come as items, those of the start as the first, and end the iteration.
    ///
    /// ```no_run
    /// # fn encode(encoder: &awl::Encoder) -> awl::Result<()> {
    /// for part in awl::Table::chunks("new.csv.gz", 10_000, &Default::default()) {
    ///     let features = encoder.encode_features(&part?)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn chunks(path: impl AsRef<Path>, rows: usize, options: &ReadOptions) -> Chunks {
        Chunks::open(path.as_ref(), rows, options)
    }
}

fn read_path(path: &Path, options: &Ready) -> Result<Table> {
    let named = layout::of_name(path);
    if path.as_os_str() == STDIN.0 {
        return read_stream(STDIN.1, std::io::stdin().lock(), named, options);
    }
    let name = path.display().to_string();
    let file = source::file(path)?;
    // A pipe, say that of a shell's <(…), can be read but once.
    if !file.metadata().is_ok_and(|data| data.is_file()) {
        return read_stream(&name, file, named, options);
    }
    let opened = source::open(&name, file, options.encoding)?;
    if source::is_parquet(&opened.look) {
        return read_parquet(&name, opened, Some(path), options);
    }
    let rows = Rows::new(&name, opened, named, options)?;
    read_rows(rows, options, || {
        let opened = source::open(&name, source::file(path)?, options.encoding)?;
        Ok(Box::new(Rows::new(&name, opened, named, options)?))
    })
}

fn read_stream(name: &str, reader: impl Read, named: Option<u8>, options: &Ready) -> Result<Table> {
    let copy = source::Copy::new();
    let copying = source::Copying { reader, copy: copy.clone() };
    let opened = source::open(name, copying, options.encoding)?;
    if source::is_parquet(&opened.look) {
        return read_parquet(name, opened, None, options);
    }
    let rows = Rows::new(name, opened, named, options)?;
    read_rows(rows, options, || {
        let copy = copy.rewound().map_err(|source| Error::File { path: name.into(), source })?;
        let opened = source::open(name, copy, options.encoding)?;
        Ok(Box::new(Rows::new(name, opened, named, options)?))
    })
}

/// Reads all rows; `again` opens the same text once more, for what only its end tells.
fn read_rows<'a>(
    mut rows: Rows<'_>,
    options: &Ready,
    again: impl Fn() -> Result<Box<Rows<'a>>>,
) -> Result<Table> {
    let kept = options.text.iter().chain(&options.written);
    let kept: HashSet<String> = kept.map(|name| names::key(name)).collect();
    let is_kept = |name: &str| kept.contains(&names::key(name));
    let mut part = Part::read(&mut rows, options, is_kept, usize::MAX)?;
    let grouped = part.grouped(&rows, options);
    if !grouped.is_empty() {
        let keeps = |name: &str| is_kept(name) || grouped.iter().any(|it| it == name);
        part = Part::read(&mut *again()?, options, keeps, usize::MAX)?;
    }
    if part.lost() > 0 {
        part.recover(&mut *again()?)?;
    }
    if part.is_empty() {
        let problem = "there is a header but no row: add at least one below it".into();
        return Err(Error::Table { table: rows.name, problem });
    }
    let table = part.finish(&rows, options);
    let mut text = options.text.iter().filter(|name| rows.header.names.contains(name));
    text.try_fold(table, |table, name| table.as_text(name))
}
#[cfg(feature = "parquet")]
fn read_parquet(
    name: &str,
    opened: source::Opened<'_>,
    path: Option<&Path>,
    options: &Ready,
) -> Result<Table> {
    parquet::read(name, opened, path, options)
}

#[cfg(not(feature = "parquet"))]
fn read_parquet(name: &str, _: source::Opened<'_>, _: Option<&Path>, _: &Ready) -> Result<Table> {
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
