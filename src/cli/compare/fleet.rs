//! Runs that train together: of one network shape, each with its own weighting, rates and seed.

use super::job::Job;
use super::watch::{Notes, Onlooker, Seen};
use super::{Stopped, Study};
use awl::compare::{Curve, Outcome, TestFigures};
use awl::engine::Engine;
use awl::train::{Baselines, Checkpoint, End, Progress, Run, Saved, Trainer, check_whole, judge};
use awl::{Dataset, Error, Matrix, Network, Recipe};
use pollster::block_on;
use std::time::Instant;

/// The fleet under way, in a comparison's directory.
const UNDER_WAY: &str = "under_way.safetensors";
/// Points that are kept of a curve of all epochs, about.
const MOST_POINTS: usize = 100;

impl Study<'_> {
    /// What these runs of one shape come to: read where they have been made, else trained.
    ///
    /// A run that cannot be made, or that fails, is an outcome with the reason.
    pub fn outcomes(&mut self, what: &str, jobs: &[Job]) -> Result<Vec<Outcome>, Stopped> {
        let directory = self.directory.path();
        let saved: Option<Vec<Outcome>> = jobs.iter().map(|job| job.saved(directory)).collect();
        let epochs = self.config.train.epochs;
        if let Some(saved) = saved {
            self.tally.end(jobs.len(), epochs, 0);
            return Ok(saved);
        }
        match self.trained(what, jobs) {
            // Which of them it is that cannot be trained is seen when each is alone.
            Err(Stopped::Engine(Error::Invalid { .. })) if several(jobs) => {
                let mut outcomes = Vec::with_capacity(jobs.len());
                for of_one in jobs.chunk_by(|a, b| a.candidate.name() == b.candidate.name()) {
                    outcomes.extend(self.outcomes(what, of_one)?);
                }
                Ok(outcomes)
            }
            Err(Stopped::Engine(error @ Error::Invalid { .. })) => {
                let outcome = Outcome { failure: Some(error.to_string()), ..Outcome::default() };
                let outcomes = vec![outcome; jobs.len()];
                self.keep(jobs, &outcomes, 0)?;
                Ok(outcomes)
            }
            outcomes => outcomes,
        }
    }

    fn keep(&mut self, jobs: &[Job], outcomes: &[Outcome], made: u64) -> Result<(), Stopped> {
        let directory = self.directory.path();
        for (job, outcome) in jobs.iter().zip(outcomes) {
            job.save(directory, outcome)?;
        }
        self.tally.end(jobs.len(), self.config.train.epochs, made);
        let _ = std::fs::remove_file(directory.join(UNDER_WAY));
        Ok(self.save_seconds()?)
    }

    fn trained(&mut self, what: &str, jobs: &[Job]) -> Result<Vec<Outcome>, Stopped> {
        let task = jobs.first().and_then(|job| job.task);
        let whole = |data: &Dataset| match task {
            None => Ok(data.clone()),
            Some(task) => Dataset::new(data.features().clone(), vec![data.targets()[task].clone()]),
        };
        let training = whole(&self.data.training).map_err(Stopped::of)?;
        let validation = whole(&self.validation().data).map_err(Stopped::of)?;
        let recipes = jobs.iter().map(|job| self.recipe(job)).collect::<awl::Result<Vec<_>>>();
        let recipes = recipes.map_err(Stopped::of)?;
        let engine = self.device.engine(&self.config, recipes.clone(), &training);
        let engine = block_on(engine).map_err(Stopped::of)?;
        let network = &recipes[0].network;
        let starts_linear = self.config.train.starts_linear(network, training.rows());
        let linear = || Baselines::fit(network.tasks(), &training, Some(&validation));
        let linear = starts_linear.then(linear).transpose().map_err(Stopped::of)?;
        let (checkpoint, notes) = self.taken_up(jobs, &recipes)?.map_or_else(
            || begun(engine.recipes(), linear.as_ref(), jobs).map_err(Stopped::of),
            Ok,
        )?;
        let references = match task {
            None => self.constants.clone(),
            Some(task) => vec![self.constants[task]],
        };
        let plan = crate::cli::train::plan(&self.config);
        let run = Run::resume(engine, Some(&validation), plan, &checkpoint, notes.progress);
        let mut run = run.map_err(Stopped::of)?.relative_to(references);
        let mut onlooker = Onlooker {
            what,
            ids: notes.ids,
            recipes: recipes.clone(),
            found: notes.seen.iter().map(|it| it.curve.len() as u64).sum(),
            seen: notes.seen,
            checkpoint: self.directory.path().join(UNDER_WAY),
            before: self.before,
            since: self.since,
            saved: Instant::now(),
            save_every: self.save_every,
            tally: &mut self.tally,
        };
        if starts_linear {
            block_on(run.judge_start()).map_err(Stopped::of)?;
        }
        match block_on(run.run(&mut onlooker)) {
            Ok(End::Asked) => return Err(Stopped::Asked),
            Err(error) if run.progress().iter().any(|it| it.failure.is_none()) => {
                return Err(Stopped::of(error));
            }
            _ => {}
        }
        let made = onlooker.made() - onlooker.found.min(onlooker.made());
        let curves: Vec<Seen> = onlooker.seen;
        let progress = run.progress().to_vec();
        let finished = block_on(run.finish()).map_err(Stopped::of)?;
        let mut trainer = finished.0;
        let mut outcomes = Vec::with_capacity(jobs.len());
        for (member, ((job, progress), seen)) in jobs.iter().zip(progress).zip(curves).enumerate() {
            let mut outcome = outcome(&progress);
            if job.is_tested && outcome.failure.is_none() {
                outcome.curve =
                    thinned(seen.curve, self.config.train.epochs, progress.kept_epoch());
                match block_on(self.tested(&mut trainer, member, task)) {
                    Ok(figures) => outcome.test = figures,
                    Err(error) => outcome.failure = Some(error.to_string()),
                }
            }
            outcomes.push(outcome);
        }
        self.keep(jobs, &outcomes, made)?;
        Ok(outcomes)
    }

    /// The fleet as a process that was stopped left it, where it is of these runs.
    fn taken_up(
        &self,
        jobs: &[Job],
        recipes: &[Recipe],
    ) -> Result<Option<(Checkpoint, Notes)>, Stopped> {
        let path = self.directory.path().join(UNDER_WAY);
        let file = path.display().to_string();
        let Ok(bytes) = std::fs::read(&path) else { return Ok(None) };
        if let Err(damage) = check_whole(&file, &bytes) {
            eprintln!("warning: {damage}; its runs begin again");
            return Ok(None);
        }
        let Ok((_, notes)) = Checkpoint::read_notes(&file, &bytes) else { return Ok(None) };
        let Ok(notes) = serde_json::from_value::<Notes>(notes) else { return Ok(None) };
        if !notes.ids.iter().eq(jobs.iter().map(|job| &job.id)) {
            return Ok(None);
        }
        let checkpoint = Checkpoint::from_bytes(&file, &bytes, recipes).map_err(Stopped::of)?;
        Ok(Some((checkpoint, notes)))
    }

    /// Figures of a member's answers for the test rows.
    async fn tested(
        &self,
        trainer: &mut Trainer<Box<dyn Engine>>,
        member: usize,
        task: Option<usize>,
    ) -> awl::Result<Vec<Option<TestFigures>>> {
        let Some(test) = &self.data.test else { return Ok(Vec::new()) };
        let predictions = trainer.engine().predict_by(member, test.data.features()).await?;
        let predictions = match task {
            None => predictions,
            Some(task) => widened(&predictions, &self.network, task)?,
        };
        let judged = judge(&self.data.encoder, &test.table, &predictions)?;
        let figures: Vec<Option<TestFigures>> =
            judged.iter().map(|it| it.figures().and_then(TestFigures::of)).collect();
        Ok(match task {
            None => figures,
            Some(task) => figures.into_iter().skip(task).take(1).collect(),
        })
    }
}

/// Whether there are runs of several candidates.
fn several(jobs: &[Job]) -> bool {
    jobs.iter().any(|job| job.candidate.name() != jobs[0].candidate.name())
}

/// A fleet before its first step.
fn begun(
    recipes: &[Recipe],
    linear: Option<&Baselines>,
    jobs: &[Job],
) -> awl::Result<(Checkpoint, Notes)> {
    let mut members = Vec::with_capacity(recipes.len());
    for recipe in recipes {
        let mut state = awl::engine::State::initial(recipe);
        if let Some(linear) = linear {
            linear.start(&recipe.network, &mut state.parameters)?;
        }
        members.push(Saved { state, best: None });
    }
    let notes = Notes {
        ids: jobs.iter().map(|job| job.id.clone()).collect(),
        progress: vec![Progress::default(); jobs.len()],
        seen: vec![Seen::default(); jobs.len()],
        seconds: 0.0,
    };
    Ok((Checkpoint { members, notes: serde_json::Value::Null }, notes))
}

/// What a run came to on the validation rows.
fn outcome(progress: &Progress) -> Outcome {
    let score = progress.best.map(|best| best.score);
    let failure = progress.failure.clone().or_else(|| {
        score.is_none().then(|| "no epoch had a validation loss that is a number".to_string())
    });
    Outcome {
        epochs: progress.epochs,
        best_epoch: progress.kept_epoch(),
        score: score.filter(|_| failure.is_none()),
        failure,
        ..Outcome::default()
    }
}

/// Some of a curve's points, the last and the kept one among them; the others are of the same epochs in all runs.
fn thinned(curve: Curve, epochs: usize, kept: usize) -> Curve {
    let every = epochs.div_ceil(MOST_POINTS).max(1);
    let last = curve.len();
    let is_kept =
        |epoch: usize| epoch == 1 || epoch.is_multiple_of(every) || epoch == last || epoch == kept;
    curve.into_iter().filter(|point| is_kept(point.epoch)).collect()
}

/// Predictions of one task among the columns of all, the others 0.
fn widened(predictions: &Matrix, network: &Network, task: usize) -> awl::Result<Matrix> {
    let (outputs, offset) = (network.outputs(), network.offsets()[task]);
    let mut values = vec![0.0; predictions.rows() * outputs];
    for row in 0..predictions.rows() {
        let own = predictions.row(row);
        values[row * outputs + offset..][..own.len()].copy_from_slice(own);
    }
    Matrix::new(outputs, values)
}
