//! A table in parts, one in memory at a time.

use super::options::{ReadOptions, Ready};
use super::part::Part;
use super::reading::Reading;
use super::rows::Rows;
use super::{STDIN, layout, source};
use crate::error::{Error, Result};
use crate::tables::Table;
use std::io::Read;
use std::path::Path;

/// The parts of a table: see [`Table::chunks`].
pub struct Chunks {
    rows: usize,
    state: State,
    reading: Option<Reading>,
}

enum State {
    /// To be reported first.
    Failed(Error),
    Text {
        rows: Box<Rows<'static>>,
        options: Box<Ready>,
        is_first: bool,
    },
    #[cfg(feature = "parquet")]
    Parquet(Box<super::parquet::Parts>),
    Over,
}

impl Chunks {
    pub(super) fn open(path: &Path, rows: usize, options: &ReadOptions) -> Self {
        let state = if rows == 0 {
            Err(Error::invalid(
                "a table is to be read in parts of 0 rows",
                "read at least one at a time",
            ))
        } else {
            open(path, options)
        };
        Self { rows, state: state.unwrap_or_else(State::Failed), reading: None }
    }

    /// What was found in the parts so far, and behind the last one; `None` before the first.
    pub fn reading(&self) -> Option<&Reading> {
        self.reading.as_ref()
    }

    /// The next part, or `None` at the end.
    fn advance(&mut self) -> Result<Option<Table>> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Failed(error) => Err(error),
            State::Over => Ok(None),
            State::Text { mut rows, mut options, is_first } => {
                let part = Part::read(&mut rows, &options, |_| true, self.rows)?;
                let settled = part.settle(&rows, &options);
                let is_over = part.is_empty() && !is_first;
                let table = part.finish(&rows, &options);
                options.settled = settled;
                match &mut self.reading {
                    Some(reading) => reading.extend(table.reading()),
                    none => *none = Some(table.reading().clone()),
                }
                if is_over {
                    return Ok(None);
                }
                self.state = State::Text { rows, options, is_first: false };
                Ok(Some(table))
            }
            #[cfg(feature = "parquet")]
            State::Parquet(mut parts) => {
                let table = parts.next(self.rows)?;
                self.state = State::Parquet(parts);
                Ok(table)
            }
        }
    }
}

impl Iterator for Chunks {
    type Item = Result<Table>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}

impl std::iter::FusedIterator for Chunks {}

fn open(path: &Path, options: &ReadOptions) -> Result<State> {
    let options = options.ready()?;
    let is_stdin = path.as_os_str() == STDIN.0;
    let (name, raw): (String, Box<dyn Read>) = if is_stdin {
        (STDIN.1.into(), Box::new(std::io::stdin().lock()))
    } else {
        (path.display().to_string(), Box::new(source::file(path)?))
    };
    let opened = source::open(&name, raw, options.encoding)?;
    if source::is_parquet(&opened.look) {
        #[cfg(feature = "parquet")]
        {
            let path = (!is_stdin && path.is_file()).then_some(path);
            return Ok(State::Parquet(Box::new(super::parquet::Parts::open(
                &name, opened, path, &options,
            )?)));
        }
        #[cfg(not(feature = "parquet"))]
        return Err(super::no_parquet(&name));
    }
    let rows = Box::new(Rows::new(&name, opened, layout::of_name(path), &options)?);
    Ok(State::Text { rows, options: options.into(), is_first: true })
}
