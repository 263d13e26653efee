//! A whole training run: epochs, validation, the best epoch, early stopping, and stopping when asked.

use super::{Checkpoint, TaskMetrics, Trainer, Weights};
use crate::data::Dataset;
use crate::engine::{Engine, Record, State};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// How long to train.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Passes over the data.
    pub epochs: usize,
    /// Stop after this many epochs in a row without a better validation score; `None`: never.
    pub patience: Option<usize>,
}

/// How far a run has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Epochs finished.
    pub epochs: usize,
    /// The epoch with the lowest validation score so far; `None` without one that has a score.
    pub best: Option<BestEpoch>,
    /// Of the epoch under way.
    sums: Sums,
    /// The epoch from which on patience counts, after a run that was out of it was told to go on.
    #[serde(default)]
    patient_since: usize,
}

impl Progress {
    /// Why a run that has come so far is at its end, if it is.
    pub fn end(&self, plan: &Plan) -> Option<End> {
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
}

/// The epoch whose weights are kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BestEpoch {
    /// Counted from 1.
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

/// What an epoch came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Epoch {
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

/// How good the network was on the validation rows after an epoch: what the best epoch is chosen by. The other figures cost
/// more than the epoch itself where classes are many, and are for the weights that are kept: see [`Run::finish`].
#[derive(Clone, Debug, PartialEq)]
pub struct Validation {
    /// The mean loss of each task over all of those rows; `None` for a task without a label there.
    pub losses: Vec<Option<f64>>,
    /// The sum of the tasks' losses, each counted once, whatever its weight in training: σ moves while training goes on, so the
    /// weighted total of one epoch cannot be compared with another's. `None` if no task has a label there: nothing can be
    /// chosen by it.
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
    /// A step was made.
    ///
    /// # Errors
    /// Whatever stops the run.
    fn step(&mut self, record: &Record) -> Result<()>;

    /// An epoch ended.
    ///
    /// # Errors
    /// Whatever stops the run.
    fn epoch(&mut self, epoch: &Epoch) -> Result<()>;

    /// Asked several times a second: what next?
    fn next(&mut self) -> Next;

    /// A checkpoint to keep; its notes are null.
    ///
    /// # Errors
    /// Whatever stops the run.
    fn save(&mut self, checkpoint: Checkpoint, progress: &Progress) -> Result<()>;
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All epochs were made.
    Finished,
    /// The validation score had not fallen for as many epochs as the plan's patience.
    OutOfPatience,
    /// The onlooker asked for it.
    Asked,
}

/// A training run.
///
/// How often it is looked at, saved, or stopped and resumed changes no bit of what it computes.
pub struct Run<'a, E> {
    trainer: Trainer<E>,
    validation: Option<&'a Dataset>,
    plan: Plan,
    progress: Progress,
    best: Option<Weights>,
}

/// About how long to train between two questions to the onlooker.
const LOOK: Duration = Duration::from_millis(200);

impl<'a, E: Engine> Run<'a, E> {
    /// A run from wherever the engine stands.
    pub fn new(engine: E, validation: Option<&'a Dataset>, plan: Plan) -> Self {
        let (progress, best) = (Progress::default(), None);
        Self { trainer: Trainer::new(engine), validation, plan, progress, best }
    }

    /// A run that goes on from a checkpoint and the progress that was handed over with it.
    ///
    /// # Errors
    /// Those of [`Engine::load`], and [`Error::Invalid`] where checkpoint and progress do not belong together.
    pub fn resume(
        engine: E,
        validation: Option<&'a Dataset>,
        plan: Plan,
        checkpoint: &Checkpoint,
        progress: Progress,
    ) -> Result<Self> {
        let trainer = Trainer::resume(engine, &checkpoint.state)?;
        let steps = trainer.steps_per_epoch() as u64;
        let made =
            (progress.epochs as u64).saturating_mul(steps).saturating_add(progress.sums.steps);
        if made != checkpoint.state.step || progress.best.is_some() != checkpoint.best.is_some() {
            return Err(Error::invalid(
                format!(
                    "the checkpoint's state and its progress differ: {} and {made} steps",
                    checkpoint.state.step
                ),
                "resume with the batch size and the rows that the run was started with",
            ));
        }
        Ok(Self { trainer, validation, plan, progress, best: checkpoint.best.clone() })
    }

    /// Trains until the plan is fulfilled, patience is out, or the onlooker says stop.
    ///
    /// # Errors
    /// Those of [`Trainer::each_step`], [`Engine::hold_out`], [`Engine::validate`] and [`Trainer::evaluate`], and the
    /// onlooker's.
    pub async fn run(&mut self, watch: &mut impl Watch) -> Result<End> {
        if let Some(rows) = self.validation {
            self.trainer.engine().hold_out(rows).await?;
        }
        let per_epoch = self.trainer.steps_per_epoch() as u64;
        // Starts small, since nobody knows yet how long a step takes.
        let mut chunk = 1;
        loop {
            if self.progress.sums.steps == per_epoch {
                self.end_epoch(watch).await?;
            }
            let end = self.progress.end(&self.plan);
            match watch.next() {
                Next::GoOn if end.is_none() => {}
                Next::Save if end.is_none() => self.save(watch).await?,
                _ => {
                    self.save(watch).await?;
                    return Ok(end.unwrap_or(End::Asked));
                }
            }
            let left = per_epoch - self.progress.sums.steps;
            let steps = left.min(chunk);
            let start = Instant::now();
            self.steps(steps as usize, watch).await?;
            // An epoch's end cuts a chunk short, and says little of how many steps fit.
            if steps == chunk {
                chunk = match start.elapsed() {
                    took if took * 2 < LOOK => chunk.saturating_mul(2),
                    took if took > LOOK * 2 => (chunk / 2).max(1),
                    _ => chunk,
                };
            }
        }
    }

    async fn steps(&mut self, count: usize, watch: &mut impl Watch) -> Result<()> {
        let mut outcome = Ok(());
        let sums = &mut self.progress.sums;
        let made = self.trainer.each_step(count, |record| {
            sums.add(&record);
            if outcome.is_ok() {
                outcome = watch.step(&record);
            }
        });
        made.await?;
        outcome
    }

    async fn end_epoch(&mut self, watch: &mut impl Watch) -> Result<()> {
        let sums = std::mem::take(&mut self.progress.sums);
        self.progress.epochs += 1;
        let validation = match self.validation {
            Some(rows) => Some(self.validate(rows).await?),
            None => None,
        };
        watch.epoch(&Epoch {
            epoch: self.progress.epochs,
            step: self.trainer.engine().last_step(),
            losses: sums.means(),
            total: sums.total / sums.steps as f64,
            validation,
        })
    }

    async fn validate(&mut self, rows: &Dataset) -> Result<Validation> {
        let mut losses = self.trainer.engine().validate().await?;
        // What f32 cannot hold f64 can; where a prediction itself is not finite, this is an error that names its row.
        if losses.iter().flatten().any(|loss| !loss.is_finite()) {
            let metrics = self.trainer.evaluate(rows).await?;
            losses = metrics.iter().map(|it| it.as_ref().and_then(TaskMetrics::loss)).collect();
        }
        let score = losses.iter().flatten().copied().reduce(|sum, loss| sum + loss);
        let better =
            score.filter(|&score| self.progress.best.is_none_or(|best| score < best.score));
        if let Some(score) = better {
            let epoch = self.progress.epochs;
            self.progress.best = Some(BestEpoch { epoch, score });
            self.best = Some(Weights::of(&self.trainer.engine().state().await?));
        }
        Ok(Validation { losses, score, is_best: better.is_some() })
    }

    async fn save(&mut self, watch: &mut impl Watch) -> Result<()> {
        let state = self.trainer.engine().state().await?;
        let notes = serde_json::Value::Null;
        watch.save(Checkpoint { state, best: self.best.clone(), notes }, &self.progress)
    }

    /// How far the run has come.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Puts the best epoch's weights (the last ones, if nothing chose) into the engine and hands it over with them, to predict
    /// with.
    ///
    /// # Errors
    /// Those of [`Engine::state`] and [`Engine::load`].
    pub async fn finish(mut self) -> Result<(Trainer<E>, Weights)> {
        let state: State = self.trainer.engine().state().await?;
        let weights = self.best.take().unwrap_or_else(|| Weights::of(&state));
        self.trainer.engine().load(&weights.put_into(&state))?;
        Ok((self.trainer, weights))
    }
}
