//! What goes into a step, and what is recorded of it.

use super::{MOST_STEPS, Recipe};
use crate::error::{Error, Result};

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
    /// Checks a submission for a dataset of `rows` rows, so that an engine can trust every index in it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for more than [`MOST_STEPS`] steps, a step numbered 0, a batch without rows or
    /// with more than the recipe's, or one that ends outside the dataset.
    pub(crate) fn check_all(steps: &[Self], recipe: &Recipe, rows: usize) -> Result<()> {
        if steps.len() > MOST_STEPS {
            return Err(Error::invalid(
                format!("{} steps in one submission", steps.len()),
                format!("submit at most {MOST_STEPS} at once"),
            ));
        }
        let mut steps = steps.iter();
        steps.try_for_each(|step| step.check(recipe.batch, rows))
    }

    fn check(&self, batch: usize, rows: usize) -> Result<()> {
        let bad = |what: String, remedy: String| Err(Error::invalid(what, remedy));
        let Self { number, first, .. } = self;
        if *number == 0 {
            return bad("a step is numbered 0".into(), "count steps from 1".into());
        }
        if !(1..=batch).contains(&self.rows) {
            return bad(
                format!("step {number} has {} rows", self.rows),
                format!("use 1 to {batch}, the recipe's batch"),
            );
        }
        match first.checked_add(self.rows) {
            Some(end) if end <= rows => Ok(()),
            _ => bad(
                format!("step {number} takes {} rows from row {first} on", self.rows),
                format!("stay within the dataset's {rows} rows"),
            ),
        }
    }
}

/// What a step saw, *before* the update that it made.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
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
    /// The weighting's parameter (σ).
    pub sigma: f64,
}
