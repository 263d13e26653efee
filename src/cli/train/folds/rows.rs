//! `out_of_fold.csv`: a line a tested row, with its labels and the answers of a run that was not trained on it. Every run has its own
//! rows there, and the directory of all runs has all of them.

use super::Place;
use crate::cli::answers::{Cell, Names, answers};
use crate::cli::failure::Failure;
use crate::cli::run_dir::{self, RunDir};
use crate::cli::train::data::{Data, Part};
use crate::cli::train::judged::Judged;
use awl::data::Values;
use awl::tables::{TargetColumn, TargetEncoding};
use csv::StringRecord;
use std::borrow::Cow;
use std::path::Path;

/// Columns before the tasks'.
pub const PLACE: usize = 3;

const FILE: &str = "out_of_fold.csv";

/// Whether a run's rows are there, which is the last that it writes.
pub fn are_in(run: &Path) -> bool {
    run.join(FILE).exists()
}

/// Writes the test rows of a run, by line.
pub fn save(run: &RunDir, place: &Place, data: &Data, judged: &Judged<'_>) -> Result<(), Failure> {
    let Some(tested) = judged.parts.last().filter(|it| it.name == "test") else {
        return Err(Failure::Run("the run has no test rows".into()));
    };
    let targets = judged.encoder.targets();
    let mut out = csv::Writer::from_writer(Vec::new());
    let wrong = |error: csv::Error| Failure::Run(format!("{FILE}: {error}"));
    out.write_record(header(data)).map_err(wrong)?;
    let labels: Vec<Labels<'_>> = (0..targets.len())
        .map(|task| Labels::new(&targets[task], tested.part, task))
        .collect::<Result<_, _>>()?;
    let mut rows: Vec<usize> = (0..tested.part.table.rows()).collect();
    rows.sort_unstable_by_key(|&row| tested.part.table.line(row));
    for row in rows {
        let mut cells = Vec::new();
        let mut rest = tested.predictions.row(row);
        for (target, labels) in targets.iter().zip(&labels) {
            labels.cells(row, &mut cells);
            let (own, others) = rest.split_at(target.outputs());
            rest = others;
            answers(target, own, &mut cells)?;
        }
        let fold = place.fold.map_or(String::new(), |fold| fold.to_string());
        let place = [tested.part.table.line(row).to_string(), place.repeat.to_string(), fold];
        let cells = cells.iter().map(Cell::text);
        out.write_record(place.into_iter().chain(cells)).map_err(wrong)?;
    }
    let bytes = out.into_inner().map_err(|error| Failure::Run(format!("{FILE}: {error}")))?;
    run_dir::save(&run.path().join(FILE), &bytes)
}

/// Where the row is from, then task by task its labels, the answers and the probabilities, these as `awl predict` calls them.
fn header(data: &Data) -> Vec<String> {
    let mut names = Names::default();
    let answers = names.answers(&data.encoder);
    let tasks = data.encoder.targets().iter().zip(answers).flat_map(|(target, answers)| {
        let of = answers[..target.columns.len()].iter();
        let labels: Vec<String> = of.map(|name| names.free(&format!("{name}.label"), "")).collect();
        labels.into_iter().chain(answers)
    });
    let tasks: Vec<String> = tasks.collect();
    let place: [_; PLACE] = ["line", "repeat", "fold"].map(|name| names.free(name, ""));
    place.into_iter().chain(tasks).collect()
}

/// The labels of a task, spelled as its answers are.
struct Labels<'a> {
    target: &'a TargetColumn,
    labels: &'a awl::Target,
    /// The columns of a task of numbers, as the table has them.
    numbers: Vec<Cow<'a, [f64]>>,
}

impl<'a> Labels<'a> {
    fn new(target: &'a TargetColumn, part: &'a Part, task: usize) -> Result<Self, Failure> {
        let numbers = match target.encoding {
            TargetEncoding::Numbers(_) => target.columns.iter(),
            _ => [].iter(),
        };
        let numbers = numbers.map(|column| part.table.numbers(column));
        let numbers = numbers.collect::<awl::Result<_>>()?;
        Ok(Self { target, labels: &part.data.targets()[task], numbers })
    }

    /// A cell a column, missing ones where the row has no label of the task.
    fn cells(&self, row: usize, cells: &mut Vec<Cell>) {
        let columns = 0..self.target.columns.len();
        if !self.labels.has_label(row) {
            cells.extend(columns.map(|_| Cell::Missing));
            return;
        }
        match (&self.target.encoding, self.labels.values()) {
            (TargetEncoding::Classes(names), Values::Classes(classes)) => {
                cells.push(Cell::Text(names[classes[row] as usize].clone()));
            }
            (TargetEncoding::Binary(pairs), Values::Numbers(yes)) => {
                let pairs = pairs.iter().zip(yes.row(row));
                cells.extend(
                    pairs.map(|(pair, &yes)| Cell::Text(pair[usize::from(yes > 0.5)].clone())),
                );
            }
            _ => cells.extend(self.numbers.iter().map(|column| Cell::Number(column[row]))),
        }
    }
}

/// The rows of all runs.
pub struct Rows {
    header: StringRecord,
    /// By repeat and line.
    rows: Vec<StringRecord>,
}

impl Rows {
    /// Gathers them into the directory of all runs.
    pub fn gather(all: &RunDir, places: &[Place]) -> Result<Self, Failure> {
        let mut rows: Vec<(usize, u64, StringRecord)> = Vec::new();
        let mut header = StringRecord::new();
        for place in places {
            let path = all.path().join(&place.directory).join(FILE);
            let wrong = |error: csv::Error| Failure::input(format!("{}: {error}", path.display()));
            let mut file = csv::Reader::from_path(&path).map_err(wrong)?;
            header.clone_from(file.headers().map_err(wrong)?);
            for row in file.records() {
                let row = row.map_err(wrong)?;
                let line = row.get(0).and_then(|line| line.parse().ok()).ok_or_else(|| {
                    Failure::input(format!(
                        "{}: a row does not begin with its line in the table: delete the file, and resume the runs",
                        path.display()
                    ))
                })?;
                rows.push((place.repeat, line, row));
            }
        }
        rows.sort_by_key(|(repeat, line, _)| (*repeat, *line));
        let rows = Self { header, rows: rows.into_iter().map(|(.., row)| row).collect() };
        run_dir::save(&all.path().join(FILE), &rows.to_bytes()?)?;
        Ok(rows)
    }

    fn to_bytes(&self) -> Result<Vec<u8>, Failure> {
        let mut out = csv::Writer::from_writer(Vec::new());
        let written = std::iter::once(&self.header)
            .chain(&self.rows)
            .try_for_each(|row| out.write_record(row));
        written.map_err(|error| Failure::Run(format!("{FILE}: {error}")))?;
        out.into_inner().map_err(|error| Failure::Run(format!("{FILE}: {error}")))
    }

    /// Labels and answers, by the places of their columns, of the rows that have a label.
    pub fn pairs(&self, labels: usize, answers: usize) -> Vec<(&str, &str)> {
        let labelled =
            self.rows.iter().filter(|row| row.get(labels).is_some_and(|it| !it.is_empty()));
        labelled.filter_map(|row| row.get(labels).zip(row.get(answers))).collect()
    }
}
