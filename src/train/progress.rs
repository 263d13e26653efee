//! How far a member of a run has come, and whether it is at its end.

use crate::engine::Record;
use crate::error::Error;
use serde::{Deserialize, Serialize};

/// How long to train.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Passes over the data.
    pub epochs: usize,
    /// Stop after this many epochs in a row without a better validation score; `None`: never.
    pub patience: Option<usize>,
}

/// Why a member, or a run, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All epochs were made; of a run: by one member at least.
    Finished,
    /// The validation score had not fallen for as many epochs as the plan's patience.
    OutOfPatience,
    /// A number left the finite ones; never of a run, which goes on while a member does.
    Failed,
    /// The onlooker asked for it.
    Asked,
}

/// How far a member of a run has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Epochs finished.
    pub epochs: usize,
    /// The epoch with the lowest validation score so far; `None` without one that has a score.
    pub best: Option<BestEpoch>,
    /// Why training stopped before its end, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Each task's training loss in the epoch that is kept; nothing before the first one, or from before this was noted.
    #[serde(default)]
    pub kept_losses: Vec<Option<f64>>,
    /// Of the epoch under way.
    sums: Sums,
    /// The epoch from which on patience counts, after a run that was out of it was told to go on.
    #[serde(default)]
    patient_since: usize,
}

impl Progress {
    /// Why a member that has come so far is at its end, if it is.
    pub fn end(&self, plan: &Plan) -> Option<End> {
        if self.failure.is_some() {
            return Some(End::Failed);
        }
        if self.epochs >= plan.epochs {
            return Some(End::Finished);
        }
        let best = self.best.map_or(self.epochs, |best| best.epoch);
        let since = self.epochs.saturating_sub(best.max(self.patient_since));
        let patience = plan.patience.filter(|&patience| since >= patience.max(1));
        patience.map(|_| End::OutOfPatience)
    }

    /// Lets patience count anew from here.
    pub fn renew_patience(&mut self) {
        self.patient_since = self.epochs;
    }

    /// The epoch whose weights are kept: the best one, or the last where nothing chose.
    pub fn kept_epoch(&self) -> usize {
        self.best.map_or(self.epochs, |best| best.epoch)
    }

    /// Steps made, of so many an epoch.
    pub(super) fn steps(&self, per_epoch: u64) -> u64 {
        (self.epochs as u64).saturating_mul(per_epoch).saturating_add(self.sums.steps)
    }

    /// Steps made of the epoch under way.
    pub(super) fn steps_of_epoch(&self) -> u64 {
        self.sums.steps
    }

    /// Counts a step.
    pub(super) fn add(&mut self, record: &Record) {
        self.sums.add(record);
    }

    /// Ends the epoch: each task's mean loss, and that of the total.
    pub(super) fn end_epoch(&mut self) -> (Vec<Option<f64>>, f64) {
        let sums = std::mem::take(&mut self.sums);
        self.epochs += 1;
        let means = sums.means();
        if self.best.is_none() {
            self.kept_losses.clone_from(&means);
        }
        (means, sums.total / sums.steps as f64)
    }

    /// Takes note of the score of the last epoch, in which the tasks had these losses; whether it is the best so far.
    pub(super) fn judge(&mut self, score: Option<f64>, losses: &[Option<f64>]) -> bool {
        let better = score.filter(|&score| self.best.is_none_or(|best| score < best.score));
        if let Some(score) = better {
            self.best = Some(BestEpoch { epoch: self.epochs, score });
            self.kept_losses = losses.to_vec();
        }
        better.is_some()
    }

    /// Takes note of why training stopped.
    pub(super) fn fail(&mut self, error: &Error) {
        self.failure = Some(error.to_string());
    }
}

/// The epoch whose weights are kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BestEpoch {
    /// Counted from 1; 0 for what training started from.
    pub epoch: usize,
    /// Its validation score.
    pub score: f64,
}

/// Sums over the steps of an epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Sums {
    /// A task's losses, and the number of steps that had one.
    losses: Vec<(f64, u64)>,
    total: f64,
    steps: u64,
}

impl Sums {
    fn add(&mut self, record: &Record) {
        self.losses.resize(record.tasks.len(), (0.0, 0));
        for ((sum, steps), task) in self.losses.iter_mut().zip(&record.tasks) {
            if let Some(loss) = task.loss {
                *sum += loss;
                *steps += 1;
            }
        }
        self.total += record.total;
        self.steps += 1;
    }

    fn means(&self) -> Vec<Option<f64>> {
        let mean = |&(sum, steps): &(f64, u64)| (steps > 0).then(|| sum / steps as f64);
        self.losses.iter().map(mean).collect()
    }
}
