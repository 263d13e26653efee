//! Judging predictions by the rows of a table.

use super::head::Head;
use super::{TaskMetrics, each_task};
use crate::data::{Dataset, Matrix, Values};
use crate::error::{Error, Result};
use crate::loss::Task;
use crate::tables::{Encoder, Labels, Table, TargetColumn};

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
/// Where the table has the rows' [weights](Encoder::weighted_by), the mean losses are weighted; every other figure takes all rows alike.
/// A label of a class that a task does not have counts as wrong. A task whose column the table lacks keeps no other one from
/// being judged.
///
/// # Errors
/// [`Error::Mismatch`] if predictions, encoder and table do not belong together, and [`Error::Invalid`] for a prediction, of
/// a labelled row, that is NaN or infinite.
pub fn judge(encoder: &Encoder, table: &Table, predictions: &Matrix) -> Result<Vec<Judgement>> {
    let offsets = check(encoder, table.rows(), predictions)?;
    let judged = |index: usize| {
        let target = &encoder.targets()[index];
        let task = target.task();
        Ok(match head(encoder, target, &task, table, predictions, offsets[index])? {
            Err(error) => Judgement::Impossible(error),
            Ok((head, units)) => match head.metrics() {
                None => Judgement::Unlabelled,
                Some(figures) => Judgement::Figures(figures.in_units(&units)),
            },
        })
    };
    each_task(offsets.len(), predictions, judged).into_iter().collect()
}

/// The same for encoded rows, such as those that were trained on: their labels have the digits that `f32` has on the scale that is
/// learned.
///
/// # Errors
/// Those of [`judge`].
pub fn judge_encoded(
    encoder: &Encoder,
    data: &Dataset,
    predictions: &Matrix,
) -> Result<Vec<Judgement>> {
    let offsets = check(encoder, data.rows(), predictions)?;
    let judged = |index: usize| {
        let (target, labels) = (&encoder.targets()[index], &data.targets()[index]);
        let task = target.task();
        task.check_target(labels)?;
        let rows = (0..labels.rows()).filter(|&row| labels.has_label(row)).collect();
        let head = Head::new(&task, Labels::of(labels), rows, predictions, offsets[index])?;
        let head = head.with_thresholds(&target.thresholds);
        let head = head.weighted(labels.sample_weights().map(in_f64));
        let (head, units) = in_units(head, target, || {
            let Values::Numbers(matrix) = labels.values() else { return Ok(Vec::new()) };
            let encodings = target.encoding.numbers().iter().cycle();
            let pairs = encodings.zip(matrix.values());
            Ok(pairs.map(|(encoding, &label)| encoding.number(label.into())).collect())
        })?;
        Ok(match head.metrics() {
            None => Judgement::Unlabelled,
            Some(figures) => Judgement::Figures(figures.in_units(&units)),
        })
    };
    each_task(offsets.len(), predictions, judged).into_iter().collect()
}

fn in_f64(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().copied().map(f64::from).collect()
}

/// Has a task's figures in its columns' units: these are what the figures are to be multiplied by. `numbers` are the labels there.
fn in_units<'a>(
    mut head: Head<'a>,
    target: &'a TargetColumn,
    numbers: impl FnOnce() -> Result<Vec<f64>>,
) -> Result<(Head<'a>, Vec<f64>)> {
    if let Some(units) = target.encoding.units() {
        let scalings = target.encoding.numbers().iter().map(|it| it.scaling);
        head.origin = scalings.map(|it| (it.mean / it.std).abs()).fold(0.0, f64::max);
        return Ok((head, units));
    }
    Ok((head.in_columns_units(target, numbers()?), Vec::new()))
}

/// Checks that they belong together; the first column of each task among the predictions.
pub(super) fn check(encoder: &Encoder, rows: usize, predictions: &Matrix) -> Result<Vec<usize>> {
    let outputs = encoder.targets().iter().map(TargetColumn::outputs).sum();
    for (unit, found, expected, why) in [
        ("columns", predictions.columns(), outputs, "all tasks' outputs together"),
        ("rows", predictions.rows(), rows, "one a row of the table"),
    ] {
        if found != expected {
            let (what, why) = ("the matrix of predictions".into(), why.into());
            return Err(Error::Mismatch { what, unit, found, expected, why });
        }
    }
    let widths = encoder.targets().iter().map(TargetColumn::outputs);
    let offset = |next: &mut usize, width| {
        let offset = *next;
        *next += width;
        Some(offset)
    };
    Ok(widths.scan(0, offset).collect())
}

/// A task's labelled rows with their predictions, and the units of its columns; or why it cannot be judged.
pub(super) fn head<'a>(
    encoder: &Encoder,
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
    let head = Head::new(task, labels, rows, predictions, offset)?;
    let head = head.with_thresholds(&target.thresholds).weighted(encoder.weights_of(table)?);
    // Also labels that have no place on the curve are judged: as they are.
    Ok(Ok(in_units(head, target, || target.cells(table, |_, number| number))?))
}

/// What is found of every task that has labels among the rows of a table; `None` for the others, and for those that cannot be judged.
///
/// # Errors
/// Those of [`judge`].
pub(super) fn of_heads<T>(
    encoder: &Encoder,
    table: &Table,
    predictions: &Matrix,
    find: impl Fn(&Head<'_>) -> T,
) -> Result<Vec<Option<T>>> {
    let offsets = check(encoder, table.rows(), predictions)?;
    let of_task = |(target, offset): (&TargetColumn, usize)| {
        let task = target.task();
        Ok(match head(encoder, target, &task, table, predictions, offset)? {
            Ok((head, _)) if !head.rows.is_empty() => Some(find(&head)),
            _ => None,
        })
    };
    encoder.targets().iter().zip(offsets).map(of_task).collect()
}
