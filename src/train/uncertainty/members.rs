//! The predictions of all networks for a block of rows.

use super::classes::{log_sigmoid, log_softmax};
use super::{Component, Family, Mixture, OfClasses};
use crate::data::Matrix;
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::tables::{Encoder, NumberEncoding, TargetColumn, TargetEncoding};

/// The predictions of one or several networks for the same rows, and what they mean.
#[derive(Clone, Debug)]
pub struct Members<'a> {
    targets: &'a [TargetColumn],
    /// Where each task's predictions begin in a row.
    starts: Vec<usize>,
    predictions: Vec<Matrix>,
}

impl<'a> Members<'a> {
    /// Of these predictions, one matrix `[rows, outputs]` a network.
    ///
    /// # Errors
    /// [`Error::Invalid`] without a network; [`Error::Mismatch`] for predictions of another shape than the tasks have or the first
    /// network's.
    pub fn new(encoder: &'a Encoder, predictions: Vec<Matrix>) -> Result<Self> {
        let targets = encoder.targets();
        let Some(first) = predictions.first() else {
            return Err(Error::invalid(
                "there are no predictions",
                "give those of one network at least",
            ));
        };
        let (starts, outputs) = starts(targets);
        for (member, found) in predictions.iter().enumerate() {
            for (unit, found, expected, why) in [
                ("columns", found.columns(), outputs, "the tasks' outputs"),
                ("rows", found.rows(), first.rows(), "those of member 0"),
            ] {
                if found != expected {
                    let what = format!("the predictions of member {member}");
                    return Err(Error::Mismatch { what, unit, found, expected, why: why.into() });
                }
            }
        }
        Ok(Self { targets, starts, predictions })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.predictions.first().map_or(0, Matrix::rows)
    }

    /// What they say of a column of a task of numbers.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a task of classes, and where the noise of the task was not measured.
    ///
    /// # Panics
    /// For a row or a task that is not there.
    pub fn number(&self, row: usize, task: usize, column: usize) -> Result<Mixture<'a>> {
        let target = &self.targets[task];
        let Some(encoding) = target.encoding.numbers().get(column) else {
            return Err(Error::invalid(
                format!("task \"{}\" has no numbers in column {column}", target.name),
                "ask for a column of a task of numbers",
            ));
        };
        let family = family(&target.loss);
        let component = |own: &[f32]| component(target, encoding, own, column);
        let members = self.own(row, task).map(component).collect::<Result<_>>()?;
        Ok(Mixture::new(encoding, family, members))
    }

    /// What they say of a task of classes: one of `cross_entropy`, one a column of `bce`; none of numbers.
    ///
    /// # Panics
    /// For a row or a task that is not there.
    pub fn classes(&self, row: usize, task: usize) -> Vec<OfClasses> {
        match &self.targets[task].encoding {
            TargetEncoding::Numbers(_) => Vec::new(),
            TargetEncoding::Classes(_) => {
                vec![OfClasses::new(&self.own(row, task).map(log_softmax).collect::<Vec<_>>())]
            }
            TargetEncoding::Binary(pairs) => (0..pairs.len())
                .map(|column| {
                    let of_each = self.own(row, task).map(|own| log_sigmoid(own[column]));
                    OfClasses::new(&of_each.collect::<Vec<_>>())
                })
                .collect(),
        }
    }

    /// A task's predictions of each network for a row.
    fn own(&self, row: usize, task: usize) -> impl Iterator<Item = &[f32]> {
        let own = self.starts[task]..self.starts[task] + self.targets[task].outputs();
        self.predictions.iter().map(move |it| &it.row(row)[own.clone()])
    }
}

/// Where each task's predictions begin in a row, and how many there are of all.
pub(super) fn starts(targets: &[TargetColumn]) -> (Vec<usize>, usize) {
    let mut end = 0;
    let start = |target: &TargetColumn| {
        let start = end;
        end += target.outputs();
        start
    };
    let starts = targets.iter().map(start).collect();
    (starts, end)
}

/// What networks of this loss take a label to be distributed like.
pub(super) fn family(loss: &Loss) -> Family {
    match loss {
        Loss::Mse | Loss::Huber { .. } | Loss::GaussianNll { .. } => Family::Normal,
        Loss::Mae | Loss::LaplaceNll => Family::Laplace,
        Loss::Poisson => Family::Poisson,
        Loss::Quantile { .. } | Loss::Bce | Loss::CrossEntropy { .. } => Family::Unknown,
    }
}

/// What a network says of a column by a task's predictions of a row.
fn component(
    target: &TargetColumn,
    encoding: &NumberEncoding,
    own: &[f32],
    column: usize,
) -> Result<Component> {
    let (centre, own_variance) = centre(target, encoding, own, column);
    let variance = match own_variance {
        Some(variance) => variance,
        None if !target.noise_is_measured() => 0.0,
        None => *target.noise().get(column).ok_or_else(|| {
            Error::invalid(
                format!("the model says nothing of the noise of task \"{}\"", target.name),
                "train it again: since this version training measures it",
            )
        })?,
    };
    Ok(Component { centre, variance })
}

/// A column's centre by a task's predictions of a row, and the variance that the loss itself has learned.
pub(super) fn centre(
    target: &TargetColumn,
    encoding: &NumberEncoding,
    own: &[f32],
    column: usize,
) -> (f64, Option<f64>) {
    let predicted = f64::from(own[column]);
    match target.loss {
        Loss::Poisson => {
            // The variance of a count is its mean; of counts over their mean it is that once more divided.
            let rate = predicted.exp();
            (rate, Some(rate / encoding.scaling.std))
        }
        // Its logarithm of the scale follows those of all columns.
        _ if target.loss.predicts_noise() => {
            let log_scale = own[target.width() + column];
            (predicted, target.loss.noise_variance(log_scale.into()))
        }
        _ => (predicted, None),
    }
}
