//! What a submission came to: a record a step, and why training stopped, if it did.

use super::recipe::Recipe;
use super::step::{Record, Step, TaskRecord};
use crate::error::{Error, FirstRow};
use crate::weighting::Weighting;

/// The kernels' mark for "no step has stopped training".
pub(super) const NEVER: u32 = u32::MAX;
/// Values recorded of each task (`shaders/shared/records.wgsl`).
pub(super) const FIELDS: usize = 4;

/// Why training stopped.
#[derive(Clone, Copy, Debug)]
pub(super) enum Failure {
    /// A loss or the total was not finite; the step was not made.
    Loss { step: u64, task: usize, value: f64, first: Option<FirstRow> },
    /// The weighting has no weights at the losses of a step's batch; the step was not made. The task is that of the least loss.
    Weights { step: u64, task: usize, loss: f64 },
    /// A gradient, or what it would make of a parameter, was not finite; the step was not made.
    Gradient { step: u64, first: Option<FirstRow> },
}

impl Failure {
    /// Reads a member's stop marks: the first step whose loss, and whose gradient, was not finite.
    ///
    /// `records` are the member's of the first submission that carries a mark, hence of the step that set it.
    pub fn read<'a>(
        [loss, gradient]: [u32; 2],
        mut records: impl Iterator<Item = &'a Record>,
    ) -> Option<Self> {
        if loss == NEVER && gradient == NEVER {
            return None;
        }
        if gradient < loss {
            return Some(Self::Gradient { step: gradient.into(), first: None });
        }
        let step = u64::from(loss);
        let record = records.find(|record| record.step == step);
        let single = |value: f64| f64::from(value as f32);
        let blame = |record| first_non_finite(record, single);
        Some(match (record.and_then(blame), record) {
            (Some((task, value)), _) => Self::Loss { step, task, value, first: None },
            (None, Some(record)) => Self::weights(step, record),
            (None, None) => Self::Loss { step, task: 0, value: f64::NAN, first: None },
        })
    }

    /// The weighting has no weights at the losses of this step.
    pub fn weights(step: u64, record: &Record) -> Self {
        let losses = record.tasks.iter().map(|task| task.loss.unwrap_or(f64::INFINITY));
        let least = losses.enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
        let (task, loss) = least.unwrap_or((0, f64::NAN));
        Self::Weights { step, task, loss }
    }

    /// The same with the row where it began.
    pub fn at_row(mut self, found: Option<FirstRow>) -> Self {
        if let Self::Loss { first, .. } | Self::Gradient { first, .. } = &mut self {
            *first = found;
        }
        self
    }

    /// The last step that was made.
    pub fn last_good(self) -> u64 {
        match self {
            Self::Loss { step, .. } | Self::Weights { step, .. } | Self::Gradient { step, .. } => {
                step - 1
            }
        }
    }

    /// What a user is told.
    pub fn error(self, recipe: &Recipe) -> Error {
        match self {
            Self::Gradient { step, first } => Error::NonFiniteGradient { step, first },
            Self::Weights { step, task, loss } => Error::NoWeights {
                step,
                weighting: recipe.weighting.name(),
                task: recipe.network.tasks()[task].name.clone(),
                loss: loss as f32,
            },
            Self::Loss { step, task, value, first } => Error::NonFiniteLoss {
                step,
                task: recipe.network.tasks()[task].name.clone(),
                value: value as f32,
                first,
            },
        }
    }
}

/// The task to blame where a loss or the total left the finite numbers, with the value: the first task
/// whose loss did, else the first with which the total did. `round` gives a number the engine's precision.
pub(super) fn first_non_finite(record: &Record, round: fn(f64) -> f64) -> Option<(usize, f64)> {
    let mut total = 0.0;
    let totals = record.tasks.iter().map(|task| {
        total = round(total + round(contribution(task)));
        total
    });
    let losses = record.tasks.iter().map(|task| task.loss.unwrap_or(0.0));
    let bad = |(_, value): &(usize, f64)| !value.is_finite();
    losses.enumerate().find(bad).or_else(|| totals.enumerate().find(bad))
}

/// What a task adds to the total; nothing without a label.
fn contribution(task: &TaskRecord) -> f64 {
    task.loss.map_or(0.0, |loss| task.weight * loss + task.regulariser)
}

/// A step's record of a member from its slot: total, then loss, weight, the weighting's parameter and normaliser of each task.
pub(super) fn record(step: &Step, member: usize, slot: &[f32], weighting: &Weighting) -> Record {
    let task = |(index, fields): (usize, &[f32])| TaskRecord {
        loss: (fields[3] > 0.0).then_some(fields[0].into()),
        weight: fields[1].into(),
        regulariser: weighting.regulariser(fields[2].into()),
        sigma: weighting.sigma(index, fields[2].into()),
    };
    Record {
        member,
        step: step.number,
        total: slot[0].into(),
        tasks: slot[1..].chunks(FIELDS).enumerate().map(task).collect(),
    }
}
