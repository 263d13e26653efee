//! Who looks on while a run goes on: what is shown of every epoch, and what may be asked for.

use super::Checkpoint;
use super::progress::Progress;
use crate::engine::Record;
use crate::error::{Error, Result};

/// What an epoch of a member came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Epoch {
    /// The member of a fleet; 0 for a network alone.
    pub member: usize,
    /// Counted from 1.
    pub epoch: usize,
    /// The number of its last step.
    pub step: u64,
    /// Each task's loss, a mean over the epoch's steps; `None` where no step had a label.
    pub losses: Vec<Option<f64>>,
    /// The weighted total, a mean over the steps.
    pub total: f64,
    /// Metrics of the validation rows; `None` without such rows.
    pub validation: Option<Validation>,
}

/// How good a network was on the validation rows after an epoch: what the best epoch is chosen by. The other figures cost
/// more than the epoch itself where classes are many, and are for the weights that are kept: see
/// [`Run::finish`](super::Run::finish).
#[derive(Clone, Debug, PartialEq)]
pub struct Validation {
    /// The mean loss of each task over all of those rows; `None` for a task without a label there.
    pub losses: Vec<Option<f64>>,
    /// The sum of the tasks' losses ([`Run::relative_to`](super::Run::relative_to): the mean of their ratios), each counted once,
    /// whatever its weight in training: σ moves while training goes on, so the weighted total of one epoch cannot be compared with
    /// another's. `None` if no task has a label there: nothing can be chosen by it.
    pub score: Option<f64>,
    /// Whether it has a score, and no epoch before had a lower one.
    pub is_best: bool,
}

/// What a run should do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Train on.
    GoOn,
    /// Hand over a checkpoint, then train on.
    Save,
    /// Hand over a checkpoint and end.
    Stop,
}

/// Who looks on while a run goes on.
pub trait Watch {
    /// A member made a step.
    ///
    /// # Errors
    /// Whatever stops the run.
    fn step(&mut self, record: &Record) -> Result<()>;

    /// An epoch of a member ended.
    ///
    /// # Errors
    /// Whatever stops the run.
    fn epoch(&mut self, epoch: &Epoch) -> Result<()>;

    /// A member's training stopped before its end, and others go on. Where none is left, [`Run::run`](super::Run::run) says why
    /// instead.
    ///
    /// # Errors
    /// Whatever stops the run.
    fn failed(&mut self, member: usize, why: &Error) -> Result<()>;

    /// Asked several times a second: what next?
    fn next(&mut self) -> Next;

    /// A checkpoint to keep, and how far each member has come; its notes are null.
    ///
    /// # Errors
    /// Whatever stops the run.
    fn save(&mut self, checkpoint: Checkpoint, progress: &[Progress]) -> Result<()>;
}
