//! What goes into a step, and what is recorded of it.

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
