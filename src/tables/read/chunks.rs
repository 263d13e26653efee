//! A table in parts, one in memory at a time.

use super::rows::{Part, Rows, Separator};
use super::{STDIN, source};
use crate::error::{Error, Result};
use crate::tables::Table;
use std::io::Read;
use std::path::Path;

/// The parts of a table: see [`Table::chunks`].
pub struct Chunks {
    rows: usize,
    state: State,
}

enum State {
    /// To be reported first.
    Failed(Error),
    Text {
        rows: Box<Rows<'static>>,
        is_first: bool,
    },
    #[cfg(feature = "parquet")]
    Parquet(Box<super::parquet::Parts>),
    Over,
}

impl Chunks {
    pub(super) fn open(path: &Path, rows: usize) -> Self {
        let state = if rows == 0 {
            Err(Error::invalid(
                "a table is to be read in parts of 0 rows",
                "read at least one at a time",
            ))
        } else {
            open(path)
        };
        Self { rows, state: state.unwrap_or_else(State::Failed) }
    }

    /// The next part, or `None` at the end.
    fn advance(&mut self) -> Result<Option<Table>> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Failed(error) => Err(error),
            State::Over => Ok(None),
            State::Text { mut rows, is_first } => {
                let part = Part::read(&mut rows, |_| true, self.rows)?;
                if part.is_empty() && !is_first {
                    return Ok(None);
                }
                let table = part.finish(&rows.name, &rows.headers)?;
                self.state = State::Text { rows, is_first: false };
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

fn open(path: &Path) -> Result<State> {
    let is_stdin = path.as_os_str() == STDIN.0;
    let (name, raw): (String, Box<dyn Read>) = if is_stdin {
        (STDIN.1.into(), Box::new(std::io::stdin().lock()))
    } else {
        (path.display().to_string(), Box::new(source::file(path)?))
    };
    let opened = source::open(&name, raw)?;
    if source::is_parquet(&opened.look) {
        #[cfg(feature = "parquet")]
        {
            let path = (!is_stdin && path.is_file()).then_some(path);
            return Ok(State::Parquet(Box::new(super::parquet::Parts::open(&name, opened, path)?)));
        }
        #[cfg(not(feature = "parquet"))]
        return Err(super::no_parquet(&name));
    }
    let rows = Box::new(Rows::new(&name, opened, Separator::of(path))?);
    Ok(State::Text { rows, is_first: true })
}
