//! Parquet: flat columns of numbers, text and yes/no, a row group at a time.
//!
//! Its columns have types, so that nothing is guessed: a column of strings is text even where all of them are numbers.
//! The words for missing cells count as in CSV, so that one table reads the same from either.

use super::builder::{MissingCounts, count_missing};
use super::missing::{Cell, MissingWords};
use super::options::Ready;
use super::source::{Opened, failed};
use crate::error::{Error, Result};
use crate::memory::check_room;
use crate::tables::column::{Cells, MISSING, Texts, code};
use crate::tables::table::{File, Table};
use crate::tables::whole::{INEXACT, digits_beyond};
use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;
use std::io::Read;
use std::path::Path;

/// After so many rows it is looked how much memory is left.
const BLOCK: usize = 1 << 16;

/// A Parquet file as it is read on.
pub(super) struct Parts {
    name: String,
    reader: Box<dyn FileReader>,
    headers: Vec<String>,
    /// Of each column, whether it holds unsigned integers.
    unsigned: Vec<bool>,
    next_group: usize,
    /// The columns of the row group that is being read, and how many of its rows are left.
    group: Vec<ColumnReader>,
    left: usize,
    /// How many rows have been read.
    over: u64,
    /// Whether a part without rows was given of a table without rows.
    is_over: bool,
    /// Of each column, the words for missing cells.
    words: Vec<MissingWords>,
    usual: MissingWords,
    /// Of each column, how many cells of the rows that were read last are missing, by word.
    missing: Vec<MissingCounts>,
}

/// Reads a whole file.
pub(super) fn read(
    name: &str,
    opened: Opened<'_>,
    path: Option<&Path>,
    options: &Ready,
) -> Result<Table> {
    let mut parts = Parts::open(name, opened, path, options)?;
    let mut columns = parts.empty_columns();
    let mut rows = 0;
    while let Some(count) = parts.read_on(BLOCK, &mut columns)? {
        rows += count;
        check_room(rows).map_err(|problem| parts.error(&format!("row {rows}: {problem}")))?;
    }
    if rows == 0 {
        return Err(parts.error("there is a header but no row: add at least one"));
    }
    let table = parts.table(columns, rows);
    let mut text = options.text.iter().filter(|name| parts.headers.contains(name));
    text.try_fold(table, |table, name| table.as_text(name))
}

impl Parts {
    /// Looks at the file's header; `path` if the file can be read anywhere.
    pub(super) fn open(
        name: &str,
        mut opened: Opened<'_>,
        path: Option<&Path>,
        options: &Ready,
    ) -> Result<Self> {
        let gzipped = opened.gzipped;
        let reader: Result<Box<dyn FileReader>, ParquetError> = match path {
            Some(path) if !gzipped => SerializedFileReader::new(super::source::file(path)?)
                .map(|reader| Box::new(reader) as _),
            _ => {
                let mut bytes = Vec::new();
                opened
                    .reader
                    .read_to_end(&mut bytes)
                    .map_err(|source| failed(name, gzipped, source))?;
                SerializedFileReader::new(bytes::Bytes::from(bytes))
                    .map(|reader| Box::new(reader) as _)
            }
        };
        let reader = reader.map_err(|error| damaged(name, &error))?;
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        let headers: Vec<String> =
            schema.columns().iter().map(|column| column.path().string()).collect();
        let unsigned = schema.columns().iter().map(|column| {
            check_type(column).map_err(|problem| Error::Table {
                table: name.into(),
                problem: format!("column \"{}\" {problem}", column.path().string()),
            })
        });
        let unsigned = unsigned.collect::<Result<_>>()?;
        Ok(Self {
            name: name.into(),
            reader,
            missing: vec![Vec::new(); headers.len()],
            words: headers.iter().map(|name| options.words(name, &headers)).collect(),
            usual: MissingWords::new(&options.missing),
            headers,
            unsigned,
            next_group: 0,
            group: Vec::new(),
            left: 0,
            over: 0,
            is_over: false,
        })
    }

    /// The next part of at most this many rows, none of them of two row groups.
    pub(super) fn next(&mut self, most: usize) -> Result<Option<Table>> {
        let mut columns = self.empty_columns();
        let first = self.over == 0;
        match self.read_on(most, &mut columns)? {
            Some(rows) => Ok(Some(self.table(columns, rows))),
            None if first && !self.is_over => {
                self.is_over = true;
                Ok(Some(self.table(columns, 0)))
            }
            None => Ok(None),
        }
    }

    fn empty_columns(&self) -> Vec<Cells> {
        let schema = self.reader.metadata().file_metadata().schema_descr_ptr();
        let empty = |column: &ColumnDescriptor| match column.physical_type() {
            Type::BOOLEAN | Type::BYTE_ARRAY => Cells::Text(Vec::new(), Texts::new()),
            _ => Cells::Numbers(Vec::new(), None),
        };
        schema.columns().iter().map(|column| empty(column)).collect()
    }

    /// Adds rows to the columns and says how many, `None` at the end.
    fn read_on(&mut self, most: usize, columns: &mut [Cells]) -> Result<Option<usize>> {
        while self.left == 0 {
            if self.next_group == self.reader.num_row_groups() {
                return Ok(None);
            }
            let group = self
                .reader
                .get_row_group(self.next_group)
                .map_err(|error| damaged(&self.name, &error))?;
            let readers = (0..self.headers.len()).map(|index| group.get_column_reader(index));
            self.group =
                readers.collect::<Result<_, _>>().map_err(|error| damaged(&self.name, &error))?;
            self.left = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
            self.next_group += 1;
        }
        let count = most.min(self.left);
        for (index, cells) in columns.iter_mut().enumerate() {
            let before = cells.rows();
            let (reader, unsigned) = (&mut self.group[index], self.unsigned[index]);
            let missing = Missing { words: &self.words[index], counts: &mut self.missing[index] };
            extend(cells, reader, unsigned, count, missing)
                .map_err(|error| damaged(&self.name, &error))?;
            if let Cells::Numbers(values, _) = cells
                && let Some(row) = values[before..].iter().position(|value| value.is_infinite())
            {
                return Err(self.error(&format!(
                    "row {}, column \"{}\": \"{}\" is not a finite number: correct it, or leave the cell empty",
                    self.over + row as u64 + 1,
                    self.headers[index],
                    values[before + row]
                )));
            }
        }
        self.left -= count;
        self.over += count as u64;
        Ok(Some(count))
    }

    /// The table of the rows that were read last.
    fn table(&mut self, columns: Vec<Cells>, rows: usize) -> Table {
        let first = self.over - rows as u64;
        let mut file = File::named(&self.name, "row", self.usual.clone());
        for ((name, cells), missing) in self.headers.iter().zip(columns).zip(&mut self.missing) {
            file.push(name, cells, std::mem::take(missing), None);
        }
        file.lines = (first + 1..=self.over).collect::<Vec<u64>>().into();
        Table::new(file)
    }

    fn error(&self, problem: &str) -> Error {
        Error::Table { table: self.name.clone(), problem: problem.into() }
    }
}

fn damaged(name: &str, error: &ParquetError) -> Error {
    let problem = match error {
        ParquetError::General(message) if message.contains("Disabled feature") => {
            format!("{message}: write the Parquet file without compression, or with snappy or lz4")
        }
        error => format!(
            "the Parquet file cannot be read ({error}): write it again, or save the table as CSV"
        ),
    };
    Error::Table { table: name.into(), problem }
}

/// Whether a column holds unsigned integers, or what is wrong with its type.
fn check_type(column: &ColumnDescriptor) -> Result<bool, String> {
    if column.max_rep_level() > 0 || column.path().parts().len() > 1 {
        return Err("is nested: write each of its parts as a column of its own".into());
    }
    let plain = match (column.logical_type_ref(), column.converted_type()) {
        (Some(logical), _) => matches!(
            logical,
            LogicalType::String
                | LogicalType::Enum
                | LogicalType::Json
                | LogicalType::Integer { .. }
        ),
        (None, converted) => !matches!(
            converted,
            ConvertedType::DECIMAL
                | ConvertedType::DATE
                | ConvertedType::TIME_MILLIS
                | ConvertedType::TIME_MICROS
                | ConvertedType::TIMESTAMP_MILLIS
                | ConvertedType::TIMESTAMP_MICROS
                | ConvertedType::BSON
        ),
    };
    if !plain || matches!(column.physical_type(), Type::INT96 | Type::FIXED_LEN_BYTE_ARRAY) {
        let kind = match column.logical_type_ref() {
            Some(logical) => format!("{logical:?}"),
            None => format!("{} {}", column.converted_type(), column.physical_type()),
        };
        return Err(format!(
            "is of type {kind}, which is no number, text or yes/no: write it as one of those, or without the column"
        ));
    }
    Ok(matches!(
        column.converted_type(),
        ConvertedType::UINT_8
            | ConvertedType::UINT_16
            | ConvertedType::UINT_32
            | ConvertedType::UINT_64
    ))
}

/// Words for missing cells, and how often each occurred in a column.
struct Missing<'a> {
    words: &'a MissingWords,
    counts: &'a mut MissingCounts,
}

/// Adds this many cells of a column.
fn extend(
    cells: &mut Cells,
    reader: &mut ColumnReader,
    unsigned: bool,
    count: usize,
    missing: Missing<'_>,
) -> Result<(), ParquetError> {
    let Missing { words, counts } = missing;
    match cells {
        Cells::Numbers(values, written) => {
            let mut push = |number: Option<f64>| {
                let number = number.filter(|number| !number.is_nan());
                let word = number.filter(|&number| words.has_number(number));
                if number.is_none() || word.is_some() {
                    let word = word.map_or(String::new(), |number| number.to_string());
                    count_missing(counts, &word, 1);
                }
                let number = number.filter(|_| word.is_none());
                values.push(number.unwrap_or(f64::NAN));
                number.map(|_| values.len() - 1)
            };
            match reader {
                ColumnReader::Int32ColumnReader(reader) => each(reader, count, |cell| {
                    push(cell.map(|&x| if unsigned { f64::from(x as u32) } else { f64::from(x) }));
                    Ok(())
                }),
                ColumnReader::Int64ColumnReader(reader) => each(reader, count, |cell| {
                    let number = cell.map(|&x| if unsigned { x as u64 as f64 } else { x as f64 });
                    let row = push(number);
                    if let (Some(row), Some(&x), Some(number)) = (row, cell, number)
                        && number.abs() >= INEXACT
                    {
                        let text = if unsigned { (x as u64).to_string() } else { x.to_string() };
                        if let Some(digits) = digits_beyond(&text, number) {
                            written.get_or_insert_default().push_at(row, digits);
                        }
                    }
                    Ok(())
                }),
                ColumnReader::FloatColumnReader(reader) => each(reader, count, |cell| {
                    push(cell.map(|&x| f64::from(x)));
                    Ok(())
                }),
                ColumnReader::DoubleColumnReader(reader) => each(reader, count, |cell| {
                    push(cell.copied());
                    Ok(())
                }),
                _ => Err(ParquetError::General(
                    "a column of numbers has values of another type".into(),
                )),
            }
        }
        Cells::Text(codes, texts) => {
            let mut push = |cell: Option<&str>| {
                codes.push(match words.classify(cell.unwrap_or_default(), false) {
                    Cell::Missing(word) => {
                        count_missing(counts, word, 1);
                        MISSING
                    }
                    Cell::Doubtful(text) | Cell::Present(text) => code(texts, text),
                });
            };
            match reader {
                ColumnReader::BoolColumnReader(reader) => each(reader, count, |cell| {
                    push(cell.map(|&yes| if yes { "true" } else { "false" }));
                    Ok(())
                }),
                ColumnReader::ByteArrayColumnReader(reader) => {
                    each(reader, count, |cell: Option<&ByteArray>| {
                        push(cell.map(ByteArray::as_utf8).transpose()?);
                        Ok(())
                    })
                }
                _ => {
                    Err(ParquetError::General("a column of text has values of another type".into()))
                }
            }
        }
    }
}

/// Hands over this many cells, `None` for a null.
fn each<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    count: usize,
    mut take: impl FnMut(Option<&T::T>) -> Result<(), ParquetError>,
) -> Result<(), ParquetError> {
    const BATCH: usize = 8_192;
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    let mut left = count;
    while left > 0 {
        values.clear();
        levels.clear();
        let (rows, found, _) =
            reader.read_records(left.min(BATCH), Some(&mut levels), None, &mut values)?;
        if rows == 0 {
            return Err(ParquetError::EOF("a column is shorter than its row group".into()));
        }
        let mut values = values[..found].iter();
        // A column that must have all its cells has no levels.
        for row in 0..rows {
            take(if levels.get(row).is_none_or(|&level| level > 0) {
                values.next()
            } else {
                None
            })?;
        }
        left -= rows;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
