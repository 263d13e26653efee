//! A comparison that is ready to go on: its rows, candidates and device, and what each of its runs trains.

use super::arguments::Arguments;
use super::job::Job;
use super::plan::Plan;
use super::progress::Tally;
use crate::cli::failure::Failure;
use crate::cli::run_dir::RunDir;
use crate::cli::train::config::Config;
use crate::cli::train::data::{Data, Part};
use crate::cli::train::recipe::{self, Device};
use awl::compare::Candidate;
use awl::train::Baselines;
use awl::weighting::Kind;
use awl::{Network, Recipe};
use pollster::block_on;
use std::path::Path;
use std::time::{Duration, Instant};

/// A comparison that is ready to go on.
pub struct Study<'a> {
    pub config: Config,
    pub data: Data,
    pub plan: &'a Plan,
    pub candidates: Vec<Candidate>,
    pub directory: RunDir,
    pub device: Device,
    /// Of all tasks.
    pub network: Network,
    pub base: Recipe,
    /// The validation losses of always the same answer, a task each.
    pub constants: Vec<Option<f64>>,
    pub constants_test: Vec<Option<f64>>,
    pub tally: Tally,
    /// From one checkpoint to the next.
    pub save_every: Duration,
    /// Seconds spent before this process, and when it began.
    pub before: f64,
    pub since: Instant,
}

/// What a file in the directory says of the time that was spent.
const SECONDS: &str = "runs/seconds";

impl<'a> Study<'a> {
    pub fn new(
        arguments: &Arguments,
        config: Config,
        plan: &'a Plan,
        data: Data,
    ) -> Result<Self, Failure> {
        let candidates = awl::compare::candidates(&plan.schemes)?;
        let base = recipe::recipes(&config, &data.encoder, data.training.rows())?.swap_remove(0);
        base.check(&data.training)?;
        if let Some(task) = base.network.tasks().iter().find(|it| it.loss.predicts_noise()) {
            return Err(Failure::input(format!(
                "task \"{}\": weightings are compared by how many times as large losses are, but {} may be below 0: compare with mse or \
                 mae, and train with it",
                task.name,
                task.loss.name()
            )));
        }
        let network = base.network.clone();
        let constants = |part: &Part| {
            let losses = Baselines::constant_losses(network.tasks(), &data.training, &part.data)?;
            Ok::<_, Failure>(losses.into_iter().map(|it| it.filter(|loss| *loss > 0.0)).collect())
        };
        let none = || vec![None; network.tasks().len()];
        let of_validation: Vec<_> =
            data.validation.as_ref().map_or_else(|| Ok(none()), constants)?;
        let constants_test = data.test.as_ref().map_or_else(|| Ok(none()), constants)?;
        if of_validation.iter().all(Option::is_none) {
            return Err(Failure::input(
                "no validation row has a label of any task, so that nothing can be chosen: give more rows (--validation)",
            ));
        }
        let device = block_on(Device::open(&config))?;
        let (tasks, epochs) = (network.tasks().len(), config.train.epochs);
        let runs = runs(&candidates, plan, tasks);
        let tally = Tally::new(runs, epochs, arguments.quiet);
        let directory = RunDir::at(Path::new("."));
        Ok(Self {
            config,
            data,
            plan,
            candidates,
            directory,
            device,
            network,
            base,
            constants: of_validation,
            constants_test,
            tally,
            save_every: Duration::from_secs_f64(arguments.checkpoint_every),
            before: 0.0,
            since: Instant::now(),
        })
    }

    /// The same in its directory.
    pub fn within(self, directory: RunDir) -> Self {
        let seconds = std::fs::read_to_string(directory.path().join(SECONDS)).unwrap_or_default();
        Self { before: seconds.trim().parse().unwrap_or(0.0), directory, ..self }
    }

    pub fn validation(&self) -> &Part {
        // Checked before.
        match &self.data.validation {
            Some(part) => part,
            None => unreachable!("a comparison has validation rows"),
        }
    }

    /// Keeps the time that was spent.
    pub fn save_seconds(&self) -> Result<(), Failure> {
        let text = format!("{}\n", self.seconds());
        crate::cli::run_dir::save(&self.directory.path().join(SECONDS), text.as_bytes())
    }

    pub fn seconds(&self) -> f64 {
        self.before + self.since.elapsed().as_secs_f64()
    }

    /// What a run trains, and how.
    pub fn recipe(&self, job: &Job) -> awl::Result<Recipe> {
        let mut recipe = self.base.clone();
        if let Some(task) = job.task {
            let own = [self.network.tasks()[task].clone()];
            let network = Network::new(
                self.network.features(),
                self.network.hidden(),
                self.network.activation(),
                &own,
            )?;
            recipe.network = network.with_dropout(self.network.dropout())?;
        }
        let tasks = recipe.network.tasks();
        let classes: Vec<bool> = tasks.iter().map(|task| task.loss.is_of_classes()).collect();
        recipe.weighting = job.candidate.weighting(&job.trial, &classes)?;
        recipe.optimizer.network.learning_rate = job.trial.learning_rate;
        recipe.optimizer.sigma.learning_rate = job.trial.rate_of_scheme();
        recipe.seed = job.seed;
        Ok(recipe)
    }

    pub fn seed(&self) -> u64 {
        self.plan.seeds.first().copied().unwrap_or_default()
    }

    /// Candidates whose runs keep pace, an entry a fleet: those that share a network by the kind of the scheme.
    pub fn together(&self) -> Vec<Vec<Candidate>> {
        let kinds = [Kind::Parameter, Kind::Losses, Kind::Gradients];
        let of = |kind| -> Vec<Candidate> {
            self.candidates.iter().filter(|it| it.kind() == Some(kind)).copied().collect()
        };
        kinds.into_iter().map(of).filter(|it| !it.is_empty()).collect()
    }
}

/// How many runs there are to be, if none fails.
fn runs(candidates: &[Candidate], plan: &Plan, tasks: usize) -> usize {
    let left = plan.budget.saturating_sub(plan.rates.len());
    let of = |candidate: &Candidate| {
        let tuning = candidate.rates(&plan.rates).len();
        match candidate.kind() {
            None => tasks * (tuning + plan.seeds.len()),
            Some(_) => tuning + candidate.settings(1.0, tasks, left, 0).len() + plan.seeds.len(),
        }
    };
    candidates.iter().map(of).sum()
}
