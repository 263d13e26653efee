//! `split.csv` of a run: which part each row of its table was in, so that later commands can be asked about one part.
//!
//! A row is named by its line in the table, and known again by a hash of its features as the encoder makes them: rows of another
//! table, or of a changed one, are refused.

use super::failure::Failure;
use super::rows_seen::feature_hashes;
use awl::{Matrix, Table};
use std::path::Path;

/// A part of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum PartName {
    /// The rows that the run was trained on.
    Train,
    /// Those that its epochs were chosen by.
    Validation,
    /// Those that nothing was chosen by.
    Test,
}

impl PartName {
    const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// A row of the table.
struct Row {
    line: u64,
    part: PartName,
    hash: u64,
}

/// The parts of a run's rows.
pub struct SplitFile {
    /// Where it was read from.
    file: String,
    /// By line.
    rows: Vec<Row>,
}

const HEADER: &str = "line,part,features";

impl SplitFile {
    /// Of the rows of these parts, with their features.
    pub fn of(parts: &[(PartName, &Table, &Matrix)]) -> Self {
        let mut rows = Vec::new();
        for (part, table, features) in parts {
            let of_part = feature_hashes(features).into_iter().enumerate();
            rows.extend(of_part.map(|(row, hash)| Row {
                line: table.line(row),
                part: *part,
                hash,
            }));
        }
        rows.sort_unstable_by_key(|row| row.line);
        Self { file: String::new(), rows }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = format!("{HEADER}\n");
        for Row { line, part, hash } in &self.rows {
            text += &format!("{line},{},{hash:016x}\n", part.name());
        }
        text.into_bytes()
    }

    /// Reads a run's file.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let file = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::input(format!(
                "{file}: {error}: this run does not say which part its rows were in; train it again to have that"
            ))
        })?;
        Self::parse(file.to_string(), &text)
    }

    /// Reads it from its text; `file` stands for it in messages.
    pub fn parse(file: String, text: &str) -> Result<Self, Failure> {
        if !text.ends_with('\n') {
            return Err(Failure::input(format!(
                "{file}: its last line is cut short: restore the file, or train again"
            )));
        }
        let mut lines = text.lines().zip(1..);
        let row = |(line, number): (&str, usize)| {
            parse(line).ok_or_else(|| {
                Failure::input(format!(
                    "{file}: line {number}: \"{line}\" is not what awl train writes: restore the file, or train again"
                ))
            })
        };
        let first = lines.next().map(|(line, _)| line).filter(|line| *line == HEADER);
        if first.is_none() {
            return Err(Failure::input(format!(
                "{file}: the first line is not \"{HEADER}\": restore the file, or train again"
            )));
        }
        let rows = lines.map(row).collect::<Result<_, _>>()?;
        Ok(Self { file, rows })
    }

    /// The rows of a table, or of a block of it, that are of a part.
    pub fn rows_of(
        &self,
        part: PartName,
        table: &Table,
        features: &Matrix,
    ) -> Result<Vec<usize>, Failure> {
        let mut rows = Vec::new();
        for (row, hash) in feature_hashes(features).into_iter().enumerate() {
            let line = table.line(row);
            let known = self.rows.binary_search_by_key(&line, |it| it.line);
            if known.is_err() && self.rows.last().is_none_or(|last| last.line < line) {
                return Err(Failure::input(format!(
                    "{}: it ends before line {line} of {}: restore the file if it was cut short, or name the very table that the run was \
                     trained on, or leave --part out",
                    self.file,
                    table.name()
                )));
            }
            match known.ok().map(|at| &self.rows[at]).filter(|it| it.hash == hash) {
                Some(known) if known.part == part => rows.push(row),
                Some(_) => {}
                None => {
                    return Err(Failure::input(format!(
                        "{}: line {line} is not the row that the run had there: name the very table that it was trained on, or \
                         leave --part out",
                        table.name()
                    )));
                }
            }
        }
        Ok(rows)
    }

    /// Checks that all of a part's rows were found, and that there are some.
    pub fn check_found(&self, part: PartName, found: usize, table: &str) -> Result<(), Failure> {
        let rows = self.rows.iter().filter(|row| row.part == part).count();
        match (rows, found) {
            (0, _) => Err(Failure::input(format!(
                "--part {}: the run had no such rows: its parts are {}",
                part.name(),
                self.parts().join(", ")
            ))),
            (rows, found) if rows != found => Err(Failure::input(format!(
                "{table}: {found} of the {rows} rows of the part {} are there: name the very table that the run was trained on",
                part.name()
            ))),
            _ => Ok(()),
        }
    }

    /// The parts that have rows.
    fn parts(&self) -> Vec<&'static str> {
        let has = |part: &PartName| self.rows.iter().any(|row| row.part == *part);
        PartName::ALL.into_iter().filter(has).map(PartName::name).collect()
    }
}

fn parse(line: &str) -> Option<Row> {
    let mut cells = line.split(',');
    let (number, part, hash) = (cells.next()?, cells.next()?, cells.next()?);
    Some(Row {
        line: number.parse().ok()?,
        part: PartName::ALL.into_iter().find(|it| it.name() == part)?,
        hash: u64::from_str_radix(hash, 16).ok()?,
    })
}
