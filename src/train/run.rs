//! A whole training run, of one network or a fleet: epochs, validation, the best epoch, early stopping, and stopping when asked.

use super::progress::{End, Plan, Progress};
use super::watch::{Epoch, Next, Validation, Watch};
use super::{Checkpoint, Saved, TaskMetrics, Trainer, Weights};
use crate::data::Dataset;
use crate::engine::Engine;
use crate::error::{Error, Result};
use std::time::{Duration, Instant};

/// A training run, of one network or of a fleet, whose members each have a best epoch and an end of their own.
///
/// How often it is looked at, saved, or stopped and resumed changes no bit of what it computes.
pub struct Run<'a, E> {
    trainer: Trainer<E>,
    validation: Option<&'a Dataset>,
    plan: Plan,
    /// How far each member has come.
    progress: Vec<Progress>,
    /// The weights of each one's best epoch.
    best: Vec<Option<Weights>>,
    /// What each task's loss is divided by in the score, if it is.
    references: Option<Vec<Option<f64>>>,
}

/// About how long to train between two questions to the onlooker.
const LOOK: Duration = Duration::from_millis(200);

impl<'a, E: Engine> Run<'a, E> {
    /// A run from wherever the engine stands.
    pub fn new(engine: E, validation: Option<&'a Dataset>, plan: Plan) -> Self {
        let members = engine.recipes().len();
        let (progress, best) = (vec![Progress::default(); members], vec![None; members]);
        Self { trainer: Trainer::new(engine), validation, plan, progress, best, references: None }
    }

    /// A run that goes on from a checkpoint and the progress that was handed over with it.
    ///
    /// # Errors
    /// Those of [`Engine::load_into`], and [`Error::Invalid`] where checkpoint, progress and engine do not belong together.
    pub fn resume(
        mut engine: E,
        validation: Option<&'a Dataset>,
        plan: Plan,
        checkpoint: &Checkpoint,
        progress: Vec<Progress>,
    ) -> Result<Self> {
        let counts = [engine.recipes().len(), checkpoint.members.len(), progress.len()];
        if counts != [counts[0]; 3] {
            let [engine, checkpoint, progress] = counts;
            return Err(Error::invalid(
                format!(
                    "the engine trains {engine} members, the checkpoint has {checkpoint}, its progress {progress}"
                ),
                "resume with as many members as the run was started with",
            ));
        }
        for (member, saved) in checkpoint.members.iter().enumerate() {
            engine.load_into(member, &saved.state)?;
        }
        let trainer = Trainer::new(engine);
        let steps = trainer.steps_per_epoch() as u64;
        for (saved, progress) in checkpoint.members.iter().zip(&progress) {
            let made = progress.steps(steps);
            if made != saved.state.step || progress.best.is_some() != saved.best.is_some() {
                return Err(Error::invalid(
                    format!(
                        "the checkpoint's state and its progress differ: {} and {made} steps",
                        saved.state.step
                    ),
                    "resume with the batch size and the rows that the run was started with",
                ));
            }
        }
        let best = checkpoint.members.iter().map(|saved| saved.best.clone()).collect();
        Ok(Self { trainer, validation, plan, progress, best, references: None })
    }

    /// Has epochs scored by the mean of the tasks' validation losses, each divided by its reference, in place of their sum: for losses
    /// whose units cannot be compared. Tasks without a reference have no part in it.
    #[must_use]
    pub fn relative_to(self, references: Vec<Option<f64>>) -> Self {
        Self { references: Some(references), ..self }
    }

    /// Takes what each member starts from for the best so far: an epoch 0, whose weights are kept unless a later one's are better. For a
    /// start that answers something already, such as [`Baselines::start`](super::Baselines::start)'s. Does nothing without validation
    /// rows, or once a step is made.
    ///
    /// # Errors
    /// Those of [`Engine::hold_out`], [`Engine::validate_members`] and [`Trainer::evaluate_by`].
    pub async fn judge_start(&mut self) -> Result<()> {
        let began = |it: &Progress| it.epochs > 0 || it.steps_of_epoch() > 0;
        let Some(rows) = self.validation.filter(|_| !self.progress.iter().any(began)) else {
            return Ok(());
        };
        self.trainer.engine().hold_out(rows).await?;
        let members: Vec<usize> = (0..self.progress.len()).collect();
        let nothing = vec![(Vec::new(), 0.0); members.len()];
        let mut failed = Vec::new();
        self.validate(rows, &members, &nothing, &mut failed).await?;
        failed.pop().map_or(Ok(()), |(_, error)| Err(error))
    }

    /// Trains until every member has fulfilled the plan, is out of patience or has failed, or the onlooker says stop.
    ///
    /// # Errors
    /// Why the last one failed, where every member has; those of [`Trainer::each_step`], [`Engine::hold_out`],
    /// [`Engine::validate_members`] and [`Trainer::evaluate_by`], and the onlooker's.
    pub async fn run(&mut self, watch: &mut impl Watch) -> Result<End> {
        if let Some(rows) = self.validation {
            self.trainer.engine().hold_out(rows).await?;
        }
        let per_epoch = self.trainer.steps_per_epoch() as u64;
        // Starts small, since nobody knows yet how long a step takes.
        let mut chunk = 1;
        loop {
            let members = self.choose();
            let done = members.first().map_or(0, |&it| self.progress[it].steps_of_epoch());
            if done == per_epoch {
                self.end_epoch(&members, watch).await?;
                continue;
            }
            let end = members.is_empty().then(|| self.end());
            match watch.next() {
                Next::GoOn if end.is_none() => {}
                Next::Save if end.is_none() => self.save(watch).await?,
                _ => {
                    self.save(watch).await?;
                    return Ok(end.unwrap_or(End::Asked));
                }
            }
            let steps = (per_epoch - done).min(chunk);
            let start = Instant::now();
            self.steps(&members, steps as usize, watch).await?;
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

    /// The members that train next, by which the others rest: of those that are not at their end, the ones that have made the
    /// fewest steps. Those are all of them, unless a run goes on whose members ended at different epochs.
    fn choose(&mut self) -> Vec<usize> {
        let per_epoch = self.trainer.steps_per_epoch() as u64;
        // An epoch that is full has yet to be closed, before those who begin the next one train.
        let is_full = |member: usize| self.progress[member].steps_of_epoch() == per_epoch;
        let left =
            |&member: &usize| is_full(member) || self.progress[member].end(&self.plan).is_none();
        let left: Vec<usize> = (0..self.progress.len()).filter(left).collect();
        let place = |&member: &usize| (self.progress[member].steps(per_epoch), !is_full(member));
        let first = left.iter().map(place).min();
        let chosen: Vec<usize> = left.into_iter().filter(|it| Some(place(it)) == first).collect();
        let engine = self.trainer.engine();
        for member in 0..self.progress.len() {
            match chosen.binary_search(&member) {
                Ok(_) => engine.wake(member),
                Err(_) => engine.rest(member),
            }
        }
        chosen
    }

    /// Why a run ended of which no member is left to train.
    fn end(&self) -> End {
        let ends: Vec<_> = self.progress.iter().map(|it| it.end(&self.plan)).collect();
        match ends.contains(&Some(End::Finished)) {
            true => End::Finished,
            false => End::OutOfPatience,
        }
    }

    async fn steps(
        &mut self,
        members: &[usize],
        count: usize,
        watch: &mut impl Watch,
    ) -> Result<()> {
        let mut outcome = Ok(());
        let progress = &mut self.progress;
        let made = self.trainer.each_step(count, |record| {
            progress[record.member].add(&record);
            if outcome.is_ok() {
                outcome = watch.step(&record);
            }
        });
        let made = made.await;
        let failed = members.iter().filter_map(|&member| {
            let error = self.trainer.engine().failure(member)?;
            Some((member, error))
        });
        let failed: Vec<_> = failed.collect();
        match made {
            // Training stopped since no member is left that trains, for reasons of their own.
            Err(_) if !failed.is_empty() => {}
            made => made?,
        }
        outcome?;
        self.note_failures(failed, watch)
    }

    /// Takes note of members that failed.
    ///
    /// # Errors
    /// The last one's where that was the last of all, and the onlooker's.
    fn note_failures(
        &mut self,
        mut failed: Vec<(usize, Error)>,
        watch: &mut impl Watch,
    ) -> Result<()> {
        failed.iter().for_each(|(member, error)| self.progress[*member].fail(error));
        if self.progress.iter().all(|it| it.failure.is_some())
            && let Some((_, error)) = failed.pop()
        {
            return Err(error);
        }
        failed.iter().try_for_each(|(member, error)| watch.failed(*member, error))
    }

    async fn end_epoch(&mut self, members: &[usize], watch: &mut impl Watch) -> Result<()> {
        let step = self.trainer.engine().last_step();
        let means: Vec<_> = members.iter().map(|&it| self.progress[it].end_epoch()).collect();
        let mut failed = Vec::new();
        let validations = match self.validation {
            Some(rows) => self.validate(rows, members, &means, &mut failed).await?,
            None => vec![None; members.len()],
        };
        let epochs = members.iter().zip(means).zip(validations);
        for ((&member, (losses, total)), validation) in epochs {
            if failed.iter().all(|(failed, _)| *failed != member) {
                let epoch = self.progress[member].epochs;
                watch.epoch(&Epoch { member, epoch, step, losses, total, validation })?;
            }
        }
        self.note_failures(failed, watch)
    }

    /// Validates these members, which ended an epoch with these losses, and keeps the weights of those that were never better; adds
    /// those that failed.
    async fn validate(
        &mut self,
        rows: &Dataset,
        members: &[usize],
        means: &[(Vec<Option<f64>>, f64)],
        failed: &mut Vec<(usize, Error)>,
    ) -> Result<Vec<Option<Validation>>> {
        let mut all = self.trainer.engine().validate_members().await?;
        let mut validations = Vec::with_capacity(members.len());
        let mut better = Vec::new();
        for (&member, (of_training, _)) in members.iter().zip(means) {
            let losses = std::mem::take(&mut all[member]);
            match self.finite_losses(rows, member, losses).await {
                Ok(losses) => {
                    let score = self.score(&losses);
                    let is_best = self.progress[member].judge(score, of_training);
                    better.extend(is_best.then_some(member));
                    validations.push(Some(Validation { losses, score, is_best }));
                }
                Err(error @ Error::Invalid { .. }) => {
                    failed.push((member, error));
                    validations.push(None);
                }
                Err(error) => return Err(error),
            }
        }
        let states = self.trainer.engine().states_of(&better).await?;
        for (member, state) in better.into_iter().zip(states) {
            self.best[member] = Some(Weights::of(&state));
        }
        Ok(validations)
    }

    /// What the best epoch is chosen by.
    fn score(&self, losses: &[Option<f64>]) -> Option<f64> {
        let sum = |values: &[f64]| values.iter().copied().reduce(|sum, value| sum + value);
        let Some(references) = &self.references else {
            return sum(&losses.iter().flatten().copied().collect::<Vec<_>>());
        };
        let pairs = losses.iter().zip(references);
        let relative: Vec<f64> = pairs
            .filter_map(|(loss, reference)| Some(loss.as_ref()? / reference.as_ref()?))
            .collect();
        sum(&relative).map(|sum| sum / relative.len() as f64)
    }

    /// A member's losses on the validation rows; in `f64` where `f32` cannot hold them.
    async fn finite_losses(
        &mut self,
        rows: &Dataset,
        member: usize,
        losses: Vec<Option<f64>>,
    ) -> Result<Vec<Option<f64>>> {
        if losses.iter().flatten().all(|loss| loss.is_finite()) {
            return Ok(losses);
        }
        // Where a prediction itself is not finite, this is an error that names its row.
        let metrics = self.trainer.evaluate_by(member, rows).await?;
        Ok(metrics.iter().map(|it| it.as_ref().and_then(TaskMetrics::loss)).collect())
    }

    async fn save(&mut self, watch: &mut impl Watch) -> Result<()> {
        let members: Vec<usize> = (0..self.progress.len()).collect();
        let states = self.trainer.engine().states_of(&members).await?;
        let saved = states.into_iter().zip(&self.best);
        let members = saved.map(|(state, best)| Saved { state, best: best.clone() }).collect();
        let notes = serde_json::Value::Null;
        watch.save(Checkpoint { members, notes }, &self.progress)
    }

    /// How far each member has come.
    pub fn progress(&self) -> &[Progress] {
        &self.progress
    }

    /// Puts the best epoch's weights (the last ones, if nothing chose) into every member and hands the engine over with them, to
    /// predict with; none of a member that failed.
    ///
    /// # Errors
    /// Those of [`Engine::states_of`] and [`Engine::load_into`].
    pub async fn finish(mut self) -> Result<(Trainer<E>, Vec<Option<Weights>>)> {
        let engine = self.trainer.engine();
        let members: Vec<usize> = (0..self.progress.len()).collect();
        let states = engine.states_of(&members).await?;
        let mut kept = Vec::with_capacity(members.len());
        for (member, (state, best)) in states.into_iter().zip(self.best).enumerate() {
            if self.progress[member].failure.is_some() {
                kept.push(None);
                continue;
            }
            let weights = best.unwrap_or_else(|| Weights::of(&state));
            engine.load_into(member, &weights.put_into(&state))?;
            kept.push(Some(weights));
        }
        Ok((self.trainer, kept))
    }
}
