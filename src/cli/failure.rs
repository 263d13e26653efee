//! What a command fails with: a message, and whose fault it was.

use super::terminal::printable;
use awl::{Encoder, Error, Extreme, FirstRow, Table};
use std::path::Path;
use std::process::ExitCode;

/// Why a command did not succeed.
#[derive(Debug)]
pub enum Failure {
    /// Bad usage or bad input: exit status 2.
    Input(String),
    /// Something at run time: exit status 1.
    Run(String),
}

impl Failure {
    pub fn input(message: impl Into<String>) -> Self {
        Self::Input(message.into())
    }

    /// A file of a run could not be written.
    pub fn writing(path: &Path, error: &std::io::Error) -> Self {
        Self::Run(format!("{}: {error}", path.display()))
    }

    /// An error from a time when all input had been found good.
    pub fn at_run_time(error: Error) -> Self {
        match error.into() {
            Self::Input(message) | Self::Run(message) => Self::Run(message),
        }
    }

    /// The same with what is left after it.
    pub fn and(self, left: &str) -> Self {
        match self {
            Self::Input(message) => Self::Input(format!("{message}\n{left}")),
            Self::Run(message) => Self::Run(format!("{message}\n{left}")),
        }
    }

    /// The same with whom it is of before it.
    pub fn of(self, whom: &str) -> Self {
        match self {
            Self::Input(message) => Self::Input(format!("{whom}: {message}")),
            Self::Run(message) => Self::Run(format!("{whom}: {message}")),
        }
    }

    /// Says it on stderr and gives the exit status.
    pub fn report(&self) -> ExitCode {
        let (message, status) = match self {
            Self::Input(message) => (message, 2),
            Self::Run(message) => (message, 1),
        };
        eprintln!("awl: {}", printable(message));
        ExitCode::from(status)
    }
}

/// Where in its table, and of which column, the row is at which training stopped; nothing where that was no row's doing.
pub fn place_of(error: &Error, table: &Table, encoder: &Encoder) -> Option<String> {
    let FirstRow { row, extreme, .. } = error.first_row()?;
    let column = match extreme {
        Extreme::Feature { column } => encoder.feature_names().swap_remove(column),
        Extreme::Label { task, column } => encoder.targets()[task].columns[column].clone(),
    };
    Some(format!(
        "that row is {} of {}, and the number \"{column}\" there, as the network sees it",
        table.place(row),
        table.name()
    ))
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Input(message)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            // Its own words are for programs, which have a device to open again.
            Error::DeviceLost { message } => Self::Run(format!(
                "the GPU device was lost ({message}): if it happens again, `awl doctor` says more"
            )),
            Error::NoAdapter { .. }
            | Error::NoDevice { .. }
            | Error::OutOfMemory { .. }
            | Error::Validation { .. } => Self::Run(error.to_string()),
            error if error.is_of_training() => Self::Run(error.to_string()),
            _ => Self::Input(error.to_string()),
        }
    }
}
