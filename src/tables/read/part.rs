//! Rows as columns: of a whole file, or of a part of one.

use super::builder::{Builder, Built};
use super::header::Role;
use super::missing::MissingWords;
use super::numbers::{Decimal, Hints, NumberFormat};
use super::options::Ready;
use super::rows::Rows;
use crate::error::{Error, Result};
use crate::memory::check_room;
use crate::tables::column::{Cells, Column};
use crate::tables::table::{File, Stray, Table, Wrong};
use std::collections::BTreeMap;

/// After so many bytes of rows it is looked how much memory is left.
const LOOK: usize = 1 << 24;

/// Rows that have been read, as columns.
pub(super) struct Part {
    columns: Vec<Builder>,
    lines: Vec<u64>,
}

impl Part {
    /// Reads at most this many rows. `keeps_written` says of which columns numbers are kept as they are written: those that
    /// will serve as text, or all if the rows are never to be [recovered](Self::recover).
    pub(super) fn read(
        rows: &mut Rows<'_>,
        options: &Ready,
        keeps_written: impl Fn(&str) -> bool,
        most: usize,
    ) -> Result<Self> {
        let names = &rows.header.names;
        let is_part = most < usize::MAX;
        let builder =
            |name: &String| Builder::new(options.words(name, names), keeps_written(name), is_part);
        let mut columns: Vec<Builder> = names.iter().map(builder).collect();
        let roles = rows.header.roles.clone();
        let mut lines = Vec::new();
        let mut since = 0;
        while lines.len() < most
            && let Some(record) = rows.next()?
        {
            let quoted = record.quoted();
            let cells = record.cells().zip(&roles).enumerate();
            let cells = cells.filter(|(_, (_, role))| **role == Role::Column);
            for (column, (index, (cell, _))) in columns.iter_mut().zip(cells) {
                column.push(cell, quoted.get(index).copied().unwrap_or(false));
            }
            lines.push(record.line);
            since += 8 * record.len() + record.bytes();
            if since > LOOK {
                since = 0;
                check_room(lines.len()).map_err(|problem| Error::Table {
                    table: rows.name.clone(),
                    problem: format!("line {}: {problem}", lines.last().unwrap_or(&0)),
                })?;
            }
            if lines.len() == u32::MAX as usize {
                return Err(Error::Table {
                    table: rows.name.clone(),
                    problem: format!("there are more than {} rows: split the file", u32::MAX - 1),
                });
            }
        }
        lines.shrink_to_fit();
        Ok(Self { columns, lines })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// How many of the first rows must be read again, because columns of numbers became columns of text below them.
    pub(super) fn lost(&self) -> usize {
        self.columns.iter().map(Builder::lost).max().unwrap_or(0)
    }

    /// Reads the lost rows again from the start of the same text.
    pub(super) fn recover(&mut self, again: &mut Rows<'_>) -> Result<()> {
        let roles = again.header.roles.clone();
        for row in 0..self.lost() {
            let (name, columns) = (again.name.clone(), roles.len());
            let Some(record) = again.next()?.filter(|record| record.len() >= columns) else {
                return Err(Error::Table {
                    table: name,
                    problem: "the file changed while it was read: read it again".into(),
                });
            };
            let quoted = record.quoted();
            let cells = record.cells().zip(&roles).enumerate();
            let cells = cells.filter(|(_, (_, role))| **role == Role::Column);
            for (column, (index, (cell, _))) in self.columns.iter_mut().zip(cells) {
                column.recover(row, cell, quoted.get(index).copied().unwrap_or(false));
            }
        }
        Ok(())
    }

    /// What most columns that prove anything prove of the decimal sign.
    fn file_decimal(&self) -> Option<Decimal> {
        let proven: Vec<Decimal> = self.columns.iter().filter_map(Builder::proven).collect();
        let commas = proven.iter().filter(|it| **it == Decimal::Comma).count();
        let likely = if 2 * commas > proven.len() { Decimal::Comma } else { Decimal::Point };
        (!proven.is_empty()).then_some(likely)
    }

    /// What is known of how a column's numbers are written; `None` for one that is to stay text. `file` is what the other
    /// columns prove.
    fn hints(
        &self,
        column: &Builder,
        name: &String,
        rows: &Rows<'_>,
        options: &Ready,
        file: Option<Decimal>,
    ) -> Option<Hints> {
        let separator = rows.layout.separator;
        // Numbers that can be read as they are need better reasons than the file's separator.
        let is_plain = column.may_be_grouped();
        // What the column was in another file holds where that had the sign in question: where it grouped thousands, or was decimal.
        // A point says nothing of commas, nor a decimal comma of points in a file with commas between its cells.
        let holds = |known: &&NumberFormat| match (known.decimal, is_plain) {
            (Decimal::Point, true) => true,
            (Decimal::Point, false) => known.grouped,
            (Decimal::Comma, true) => known.grouped || separator != b',',
            (Decimal::Comma, false) => true,
        };
        let known = options.formats.get(name).filter(holds);
        let by_separator = match separator {
            b';' if !is_plain => Decimal::Comma,
            _ => Decimal::Point,
        };
        let likely = column
            .proven()
            .or_else(|| options.settled.get(name).copied())
            .or(known.map(|format| format.decimal))
            .or(file)
            .or_else(|| column.likely())
            .unwrap_or(by_separator);
        (!options.text.contains(name)).then_some(Hints { said: options.decimal, likely })
    }

    /// How each column's numbers must be read in the parts of a file that follow: as these are.
    pub(super) fn settle(&self, rows: &Rows<'_>, options: &Ready) -> BTreeMap<String, Decimal> {
        let file = self.file_decimal();
        let mut settled = options.settled.clone();
        for (column, name) in self.columns.iter().zip(&rows.header.names) {
            if (column.is_open() || column.proven().is_some())
                && let Some(hints) = self.hints(column, name, rows, options, file)
            {
                settled.entry(name.clone()).or_insert(hints.likely);
            }
        }
        settled
    }

    /// Whether a column proves another decimal sign than parts of the file before were read with.
    fn contradicts(column: &Builder, name: &String, options: &Ready) -> bool {
        let (proven, before) = (column.proven(), options.settled.get(name));
        options.decimal.is_none()
            && proven.is_some()
            && before.is_some()
            && proven != before.copied()
    }

    /// The columns of numbers whose points group thousands, as far as is known: they must be read again as they are written.
    pub(super) fn grouped(&self, rows: &Rows<'_>, options: &Ready) -> Vec<String> {
        let file = self.file_decimal();
        let is_comma = |column: &Builder, name: &String| {
            let hints = self.hints(column, name, rows, options, file);
            hints.is_some_and(|hints| hints.said.unwrap_or(hints.likely) == Decimal::Comma)
        };
        let named = self.columns.iter().zip(&rows.header.names);
        let grouped = named.filter(|(it, name)| it.may_be_grouped() && is_comma(it, name));
        grouped.map(|(_, name)| name.clone()).collect()
    }

    /// The table of these rows.
    pub(super) fn finish(self, rows: &Rows<'_>, options: &Ready) -> Table {
        let mut reading = rows.reading();
        let decimal = self.file_decimal();
        let names = &rows.header.names;
        let columns = self.columns.iter().zip(names);
        let hints: Vec<Option<Hints>> =
            columns.map(|(it, name)| self.hints(it, name, rows, options, decimal)).collect();
        let mut file = File::named(&rows.name, "line", MissingWords::new(&options.missing));
        for ((builder, name), hints) in self.columns.into_iter().zip(names).zip(hints) {
            let contradicts = hints.is_some() && Self::contradicts(&builder, name, options);
            let Built { cells, missing, format, stray, leading_zero } = builder.finish(hints);
            if let Some(format) = format {
                reading.formats.insert(name.clone(), format);
            }
            if let Some(example) = leading_zero {
                reading.leading_zeros.insert(name.clone(), example.into());
            }
            let stray = if contradicts {
                let (row, cell) = first_cell(&cells);
                Some((row, cell, Wrong::OtherDecimal))
            } else {
                stray
            };
            let stray = stray.map(|(row, cell, wrong)| {
                let line = self.lines.get(row).copied().unwrap_or_default();
                Stray { cell, line, wrong }
            });
            file.push(name, cells, missing, stray);
        }
        file.lines = self.lines.into();
        file.reading = reading;
        Table::new(file)
    }
}

/// The row and the text of the first cell of a column that has one.
fn first_cell(cells: &Cells) -> (usize, String) {
    let column = Column { cells, rows: None };
    let mut texts = (0..column.rows()).filter_map(|row| Some((row, column.text(row)?.into())));
    texts.next().unwrap_or_default()
}
