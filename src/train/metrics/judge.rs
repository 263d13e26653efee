//! Judging predictions by the rows of a table.

use super::head::Head;
use super::{TaskMetrics, each_task};
use crate::data::Matrix;
use crate::error::{Error, Result};
use crate::loss::Task;
use crate::tables::{Encoder, Table, TargetColumn};

/// What is said of one task.
#[derive(Debug)]
pub enum Judgement {
    /// Its figures, in the unit of its columns.
    Figures(TaskMetrics),
    /// No row has a label.
    Unlabelled,
    /// It cannot be judged: the table lacks its column, or holds a text among its numbers.
    Impossible(Error),
}

impl Judgement {
    /// The figures, where there are some.
    pub fn figures(&self) -> Option<&TaskMetrics> {
        match self {
            Self::Figures(figures) => Some(figures),
            _ => None,
        }
    }
}

/// How good predictions for the rows of a table are, task by task: figures of exactly what [`Encoder::decode`] answers, with
/// the table's own numbers as labels, in the columns' units. `predictions` have the shape `[rows, outputs]`.
///
/// A label of a class that a task does not have counts as wrong. A task whose column the table lacks keeps no other one from
/// being judged.
///
/// # Errors
/// [`Error::Mismatch`] if predictions, encoder and table do not belong together, and [`Error::Invalid`] for a prediction, of
/// a labelled row, that is NaN or infinite.
pub fn judge(encoder: &Encoder, table: &Table, predictions: &Matrix) -> Result<Vec<Judgement>> {
    let offsets = check(encoder, table, predictions)?;
    let judged = |index: usize| {
        let target = &encoder.targets()[index];
        let task = target.task();
        Ok(match head(target, &task, table, predictions, offsets[index])? {
            Err(error) => Judgement::Impossible(error),
            Ok((head, units)) => match head.metrics() {
                None => Judgement::Unlabelled,
                Some(figures) => Judgement::Figures(figures.in_units(&units)),
            },
        })
    };
    each_task(offsets.len(), predictions, judged).into_iter().collect()
}

/// Checks that they belong together; the first column of each task among the predictions.
pub(super) fn check(encoder: &Encoder, table: &Table, predictions: &Matrix) -> Result<Vec<usize>> {
    let outputs = encoder.targets().iter().map(TargetColumn::width).sum();
    for (unit, found, expected, why) in [
        ("columns", predictions.columns(), outputs, "all tasks' widths together"),
        ("rows", predictions.rows(), table.rows(), "one a row of the table"),
    ] {
        if found != expected {
            let (what, why) = ("the matrix of predictions".into(), why.into());
            return Err(Error::Mismatch { what, unit, found, expected, why });
        }
    }
    let widths = encoder.targets().iter().map(TargetColumn::width);
    let offset = |next: &mut usize, width| {
        let offset = *next;
        *next += width;
        Some(offset)
    };
    Ok(widths.scan(0, offset).collect())
}

/// A task's labelled rows with their predictions, and the units of its columns; or why it cannot be judged.
pub(super) fn head<'a>(
    target: &'a TargetColumn,
    task: &'a Task,
    table: &Table,
    predictions: &'a Matrix,
    offset: usize,
) -> Result<Result<(Head<'a>, Vec<f64>)>> {
    let (labels, labelled) = match target.labels(table) {
        Ok(labels) => labels,
        Err(error) => return Ok(Err(error)),
    };
    let rows = (0..table.rows()).filter(|&row| labelled[row]).collect();
    let mut head = Head::new(task, labels, rows, predictions, offset)?;
    if let Some(units) = target.encoding.units() {
        let scalings = target.encoding.numbers().iter().map(|it| it.scaling);
        head.origin = scalings.map(|it| (it.mean / it.std).abs()).fold(0.0, f64::max);
        return Ok(Ok((head, units)));
    }
    // Also labels that have no place on the curve are judged: as they are.
    let numbers = match target.cells(table, |_, number| number) {
        Ok(numbers) => numbers,
        Err(error) => return Ok(Err(error)),
    };
    Ok(Ok((head.in_columns_units(target, numbers), Vec::new())))
}
