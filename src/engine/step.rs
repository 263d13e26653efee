//! What goes into a step, and what is recorded of it.

use super::recipe::Recipe;
use crate::error::{Error, Result};

/// The most steps that one [`submit`](super::Engine::submit) may carry. A submission's time is the caller's to bound, as
/// [`Trainer`](crate::Trainer) does.
pub const MOST_STEPS: usize = 256;

/// Which rows make up a training step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The step's number, counted from 1 over the whole run; also Adam's t.
    pub number: u64,
    /// The epoch, counted from 0.
    pub epoch: u64,
    /// The batch in its epoch, counted from 0.
    pub batch: usize,
    /// Position of the batch's first row in the epoch's order.
    pub first: usize,
    /// Number of rows.
    pub rows: usize,
}

impl Step {
    /// The first of every run, but for its rows.
    pub(crate) const FIRST: Self = Self { number: 1, epoch: 0, batch: 0, first: 0, rows: 0 };

    /// The step of this number (from 1) in a run over `rows` rows, `batch` rows at a time: batches do not wrap, so the
    /// last one of an epoch may be short.
    ///
    /// Numbers, rows and batches of 0 are taken for 1; an engine refuses such steps.
    pub fn numbered(number: u64, rows: usize, batch: usize) -> Self {
        let (number, rows, batch) = (number.max(1), rows.max(1), batch.max(1));
        let batches = rows.div_ceil(batch) as u64;
        let index = ((number - 1) % batches) as usize;
        let first = index * batch;
        Self {
            number,
            epoch: (number - 1) / batches,
            batch: index,
            first,
            rows: batch.min(rows - first),
        }
    }

    /// Checks a submission for a dataset of `rows` rows, so that an engine can trust every index in it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for more than [`MOST_STEPS`] steps, or a step that is not one of
    /// [`numbered`](Self::numbered)'s.
    pub(crate) fn check_all(steps: &[Self], recipe: &Recipe, rows: usize) -> Result<()> {
        if steps.len() > MOST_STEPS {
            return Err(Error::invalid(
                format!("{} steps in one submission", steps.len()),
                format!("submit at most {MOST_STEPS} at once"),
            ));
        }
        let fits = |step: &&Self| {
            // The kernels count in u32, whose last number means "never".
            (1..u64::from(u32::MAX)).contains(&step.number)
                && **step == Self::numbered(step.number, rows, recipe.batch)
        };
        match steps.iter().find(|step| !fits(step)) {
            Some(step) => Err(Error::invalid(
                format!(
                    "{step:?} is not a step of a run over {rows} rows, {} at a time",
                    recipe.batch
                ),
                format!("count steps from 1 to {} and make them with Step::numbered", u32::MAX - 1),
            )),
            None => Ok(()),
        }
    }
}

/// What a step saw, *before* the update that it made.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The member of the fleet, counted from 0; 0 where there is only one.
    pub member: usize,
    /// The step's number, counted from 1.
    pub step: u64,
    /// The weighted sum of all tasks' losses, with the weighting's own terms.
    pub total: f64,
    /// One entry a task.
    pub tasks: Vec<TaskRecord>,
}

/// One task's part of a [`Record`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TaskRecord {
    /// The mean loss over the labelled rows; `None` where the batch had no label of this task.
    pub loss: Option<f64>,
    /// The task's weight, `∂total/∂loss`.
    pub weight: f64,
    /// What the task adds to the total beside its weighted loss.
    pub regulariser: f64,
    /// σ, where it is learned, in whichever form.
    pub sigma: Option<f64>,
}
