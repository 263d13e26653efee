//! What labels tell of the networks' answers: how much noise there is, and how far the labels lie.

use super::members::{centre, starts};
use super::{Family, Parts, Scores};
use crate::data::{Matrix, Target, Values};
use crate::error::{Error, Result};
use crate::tables::{Encoder, TargetColumn};

/// Means and variances of the predictions of networks that come one after the other, of every column of numbers of the same rows, on
/// the scale that is learned. It takes no more room for many networks than for one.
#[derive(Clone, Debug)]
pub struct Moments<'a> {
    targets: &'a [TargetColumn],
    starts: Vec<usize>,
    members: usize,
    rows: usize,
    /// Task by task, column by column, row by row.
    numbers: Vec<Vec<Vec<Running>>>,
}

/// A mean and a sum of squared distances from it that grow with every value (Welford 1962).
#[derive(Clone, Copy, Debug, Default)]
struct Running {
    mean: f64,
    squares: f64,
    /// The mean of the variances that the loss itself has learned.
    noise: f64,
}

impl<'a> Moments<'a> {
    /// Of so many rows, and no network yet.
    pub fn new(encoder: &'a Encoder, rows: usize) -> Self {
        let targets = encoder.targets();
        let columns = |target: &TargetColumn| target.encoding.numbers().len();
        let of_target = |it: &TargetColumn| vec![vec![Running::default(); rows]; columns(it)];
        let numbers = targets.iter().map(of_target).collect();
        Self { targets, starts: starts(targets).0, members: 0, rows, numbers }
    }

    /// Adds a network's predictions, of shape `[rows, outputs]`.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for another shape.
    pub fn add(&mut self, predictions: &Matrix) -> Result<()> {
        let columns = starts(self.targets).1;
        for (unit, found, expected) in
            [("columns", predictions.columns(), columns), ("rows", predictions.rows(), self.rows)]
        {
            if found != expected {
                let what = format!("the predictions of member {}", self.members);
                let why = "the tasks' outputs, and the rows that were named".to_string();
                return Err(Error::Mismatch { what, unit, found, expected, why });
            }
        }
        self.members += 1;
        let count = self.members as f64;
        for ((target, &start), columns) in
            self.targets.iter().zip(&self.starts).zip(&mut self.numbers)
        {
            for (column, (rows, encoding)) in
                columns.iter_mut().zip(target.encoding.numbers()).enumerate()
            {
                for (row, running) in rows.iter_mut().enumerate() {
                    let own = &predictions.row(row)[start..start + target.outputs()];
                    let (value, noise) = centre(target, encoding, own, column);
                    let distance = value - running.mean;
                    running.mean += distance / count;
                    running.squares += distance * (value - running.mean);
                    running.noise += (noise.unwrap_or(0.0) - running.noise) / count;
                }
            }
        }
        Ok(())
    }

    /// The variance of the noise of each column of a task whose loss says nothing of it, by labels of the same rows: the mean square
    /// of what the answers are off by, less the mean variance between the networks, and at least 0. Noise and ignorance together are
    /// then what the answers are off by. `None` for other tasks, without a labelled row, and where an answer is not finite.
    pub fn noise(&self, task: usize, labels: &Target) -> Option<Vec<f64>> {
        let target = self.targets.get(task).filter(|it| it.noise_is_measured())?;
        let columns = 0..target.encoding.numbers().len();
        let of_column = |column: usize| {
            let (mut squares, mut ignorance, mut rows) = (0.0, 0.0, 0.0);
            for (row, label) in labelled(labels, column) {
                let (centre, variance) = self.of(task, column, row);
                squares += (label - centre).powi(2);
                ignorance += variance.ignorance;
                rows += 1.0;
            }
            let noise = ((squares - ignorance) / rows).max(0.0);
            (rows > 0.0 && squares.is_finite() && ignorance.is_finite()).then_some(noise)
        };
        columns.map(of_column).collect()
    }

    /// How far labels of the same rows are from the answers, in total standard deviations with this encoder's
    /// [noise](TargetColumn::noise): for every column of numbers whose noise is known and that has a labelled row.
    pub fn scores(&self, encoder: &Encoder, labels: &[Target]) -> Scores {
        let mut scores = Scores::default();
        for (task, (target, labels)) in encoder.targets().iter().zip(labels).enumerate() {
            for (column, name) in target.columns.iter().enumerate() {
                let measured = match target.noise_is_measured() {
                    true => target.noise().get(column).copied(),
                    false => Some(0.0),
                };
                let is_known = super::members::family(&target.loss) != Family::Unknown;
                let Some(measured) = measured.filter(|_| is_known) else { continue };
                let of_row = |(row, label): (usize, f64)| {
                    let (centre, variance) = self.of(task, column, row);
                    let noise = measured + variance.noise.unwrap_or(0.0);
                    Scores::score(label - centre, (noise + variance.ignorance).sqrt())
                };
                scores.insert(name, labelled(labels, column).map(of_row).collect());
            }
        }
        scores
    }

    /// The centre of a number, and its variance with the noise that the loss has learned.
    fn of(&self, task: usize, column: usize, row: usize) -> (f64, Parts) {
        let it = self.numbers[task][column][row];
        let ignorance = it.squares / self.members.max(1) as f64;
        (it.mean, Parts { noise: Some(it.noise), ignorance })
    }
}

/// The labels of a column of numbers, and their rows.
fn labelled(labels: &Target, column: usize) -> impl Iterator<Item = (usize, f64)> {
    let matrix = match labels.values() {
        Values::Numbers(matrix) => Some(matrix),
        Values::Classes(_) => None,
    };
    let rows = (0..labels.rows()).filter(|&row| labels.has_label(row));
    rows.filter_map(move |row| Some((row, f64::from(matrix?.row(row)[column]))))
}
