//! The runs of a comparison: first those by which every candidate is tuned on the validation rows, then those that are tested.

use super::arguments::Arguments;
use super::job::{Job, RUNS};
use super::plan::Plan;
use super::progress::Tally;
use super::{Stopped, cost, rules};
use crate::cli::failure::Failure;
use crate::cli::run_dir::RunDir;
use crate::cli::train::config::Config;
use crate::cli::train::data::{Data, Part};
use crate::cli::train::recipe::{self, Device};
use awl::compare::{
    Candidate, Chosen, Comparison, DataFacts, EQUAL, Entry, Outcome, Protocol, SeedRun, TaskFacts,
    Times, Trial, Tried,
};
use awl::train::Baselines;
use awl::weighting::Kind;
use awl::{Network, Recipe};
use pollster::block_on;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// A comparison that is ready to go on.
pub struct Study<'a> {
    pub config: Config,
    pub data: Data,
    plan: &'a Plan,
    candidates: Vec<Candidate>,
    pub directory: RunDir,
    pub device: Device,
    /// Of all tasks.
    pub network: Network,
    base: Recipe,
    /// The validation losses of always the same answer, a task each.
    pub constants: Vec<Option<f64>>,
    constants_test: Vec<Option<f64>>,
    pub tally: Tally,
    /// From one checkpoint to the next.
    pub save_every: Duration,
    /// Seconds spent before this process, and when it began.
    pub before: f64,
    pub since: Instant,
}

/// What became of a candidate's trials.
struct Tuned {
    candidate: Candidate,
    /// An entry a network: of single-task networks one a task.
    tried: Vec<Vec<(Trial, Outcome)>>,
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

    fn seconds(&self) -> f64 {
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

    /// All runs, and what they come to.
    pub fn compare(&mut self) -> Result<Comparison, Stopped> {
        let runs = self.directory.path().join(RUNS);
        std::fs::create_dir_all(&runs).map_err(|error| Failure::writing(&runs, &error))?;
        let tuned = self.tune()?;
        let mut warnings = self.plan.warnings.clone();
        warnings.extend(self.without_reference());
        warnings.extend(rules::at_the_edge(
            &self.plan.rates,
            tuned.iter().flat_map(|it| {
                it.best()
                    .into_iter()
                    .flatten()
                    .map(|(trial, _)| (it.candidate.name(), trial.learning_rate))
            }),
        ));
        let mut entries = self.test(tuned)?;
        let mut milliseconds = BTreeMap::new();
        for (entry, candidate) in entries.iter_mut().zip(&self.candidates) {
            if entry.not_compared.is_none() {
                let cost =
                    block_on(cost::of(self, *candidate, &entry.chosen)).map_err(Stopped::of)?;
                (entry.bytes_a_step, entry.bytes_on_device) =
                    (cost.bytes_a_step, cost.bytes_on_device);
                milliseconds.insert(entry.name.clone(), cost.milliseconds);
            }
        }
        let now = jiff::Timestamp::now().as_second();
        let date = jiff::Timestamp::from_second(now).map(|date| date.to_string());
        let times = Times {
            date: date.unwrap_or_default(),
            seconds: self.seconds(),
            milliseconds_a_step: milliseconds,
        };
        self.save_seconds()?;
        let (protocol, data, tasks) = (self.protocol()?, self.facts(), self.tasks());
        let comparison = Comparison::of(protocol, data, tasks, entries, warnings, times);
        Ok(Comparison { choices: self.plan.choices.clone(), ..comparison })
    }

    fn seed(&self) -> u64 {
        self.plan.seeds.first().copied().unwrap_or_default()
    }

    /// Candidates whose runs keep pace, an entry a fleet: those that share a network by the kind of the scheme.
    fn together(&self) -> Vec<Vec<Candidate>> {
        let kinds = [Kind::Parameter, Kind::Losses, Kind::Gradients];
        let of = |kind| -> Vec<Candidate> {
            self.candidates.iter().filter(|it| it.kind() == Some(kind)).copied().collect()
        };
        kinds.into_iter().map(of).filter(|it| !it.is_empty()).collect()
    }

    /// Trains every candidate by its trials: all learning rates, then its settings at the best.
    fn tune(&mut self) -> Result<Vec<Tuned>, Stopped> {
        let tasks = self.network.tasks().len();
        let mut tuned: Vec<Tuned> = Vec::new();
        for &candidate in &self.candidates {
            let networks = if candidate.kind().is_none() { tasks } else { 1 };
            tuned.push(Tuned { candidate, tried: vec![Vec::new(); networks] });
        }
        for task in 0..tasks {
            let trials = Candidate::Alone.rates(&self.plan.rates);
            let jobs = self.trials(Candidate::Alone, Some(task), trials, "rates");
            self.made(&mut tuned, "choosing learning rates of single tasks", jobs)?;
        }
        for candidates in self.together() {
            let jobs = candidates.iter().flat_map(|candidate| {
                self.trials(*candidate, None, candidate.rates(&self.plan.rates), "rates")
            });
            let jobs = jobs.collect();
            self.made(&mut tuned, "choosing learning rates", jobs)?;
        }
        // The weights of `equal` are among those that `fixed` may have.
        let of_equal = tuned.iter().find(|it| it.candidate.name() == EQUAL);
        let of_equal = of_equal.map(|it| it.tried.clone()).unwrap_or_default();
        let fixed = tuned.iter_mut().filter(|it| it.candidate.rates(&self.plan.rates).is_empty());
        fixed.for_each(|it| it.tried.clone_from(&of_equal));
        let left = self.plan.budget.saturating_sub(self.plan.rates.len());
        let seed = self.seed();
        for candidates in self.together() {
            let mut jobs = Vec::new();
            for candidate in candidates {
                let own = tuned.iter().find(|it| it.candidate.name() == candidate.name());
                let best = own.and_then(|it| it.best().into_iter().next().flatten());
                match best {
                    Some((trial, _)) => {
                        let trials = candidate.settings(trial.learning_rate, tasks, left, seed);
                        jobs.extend(self.trials(candidate, None, trials, "settings"));
                    }
                    None => {
                        let dropped = candidate.settings(1.0, tasks, left, seed).len();
                        self.tally.drop_runs(dropped, self.config.train.epochs);
                    }
                }
            }
            self.made(&mut tuned, "choosing settings", jobs)?;
        }
        Ok(tuned)
    }

    fn trials(
        &self,
        candidate: Candidate,
        task: Option<usize>,
        trials: Vec<Trial>,
        round: &str,
    ) -> Vec<Job> {
        let seed = self.seed();
        let numbered = trials.into_iter().enumerate();
        numbered
            .map(|(number, trial)| Job::trial(candidate, task, trial, seed, round, number + 1))
            .collect()
    }

    /// Makes trials, and notes what they came to with their candidates.
    fn made(&mut self, tuned: &mut [Tuned], what: &str, jobs: Vec<Job>) -> Result<(), Stopped> {
        if jobs.is_empty() {
            return Ok(());
        }
        let outcomes = self.outcomes(what, &jobs)?;
        for (job, outcome) in jobs.into_iter().zip(outcomes) {
            let own = tuned.iter_mut().find(|it| it.candidate.name() == job.candidate.name());
            if let Some(tried) = own.and_then(|it| it.tried.get_mut(job.task.unwrap_or(0))) {
                tried.push((job.trial, outcome));
            }
        }
        Ok(())
    }

    /// Trains every candidate by its best trial from every seed, and tests it.
    fn test(&mut self, tuned: Vec<Tuned>) -> Result<Vec<Entry>, Stopped> {
        let tasks = self.network.tasks().len();
        let seeds = self.plan.seeds.clone();
        let mut entries: Vec<Entry> = tuned.iter().map(|it| self.entry(it)).collect();
        let epochs = self.config.train.epochs;
        let dropped = entries.iter().zip(&tuned).filter(|(it, _)| it.not_compared.is_some());
        let dropped: usize = dropped.map(|(_, it)| it.tried.len() * seeds.len()).sum();
        self.tally.drop_runs(dropped, epochs);
        let chosen = |entries: &[Entry], name: &str, network: usize| {
            let entry = entries.iter().find(|it| it.name == name && it.not_compared.is_none())?;
            entry.chosen.get(network).map(|it| it.trial.clone())
        };
        let jobs = |candidate: Candidate, task: Option<usize>, trial: &Trial| -> Vec<Job> {
            seeds.iter().map(|&seed| Job::tested(candidate, task, trial.clone(), seed)).collect()
        };
        let mut alone: Vec<Vec<Outcome>> = Vec::new();
        for task in 0..tasks {
            let Some(trial) = chosen(&entries, Candidate::Alone.name(), task) else { break };
            let jobs = jobs(Candidate::Alone, Some(task), &trial);
            alone.push(self.outcomes("training single tasks to be tested", &jobs)?);
        }
        if alone.len() == tasks {
            let of_seed = |(at, &seed): (usize, &u64)| {
                self.of_seed(seed, alone.iter().map(|of_task| of_task[at].clone()).collect())
            };
            let runs = seeds.iter().enumerate().map(of_seed).collect();
            if let Some(entry) = entries.iter_mut().find(|it| it.name == Candidate::Alone.name()) {
                entry.runs = runs;
            }
        }
        for candidates in self.together() {
            let trials =
                candidates.iter().filter_map(|it| Some((*it, chosen(&entries, it.name(), 0)?)));
            let all: Vec<Job> =
                trials.flat_map(|(candidate, trial)| jobs(candidate, None, &trial)).collect();
            if all.is_empty() {
                continue;
            }
            let outcomes = self.outcomes("training to be tested", &all)?;
            for (job, outcome) in all.iter().zip(outcomes) {
                let run = self.of_seed(job.seed, vec![outcome]);
                if let Some(entry) = entries.iter_mut().find(|it| it.name == job.candidate.name()) {
                    entry.runs.push(run);
                }
            }
        }
        for entry in entries.iter_mut().filter(|it| it.not_compared.is_none()) {
            let failures = entry.runs.iter().filter_map(|run| run.failure.as_ref());
            if failures.clone().count() == entry.runs.len() {
                let first = failures.clone().next().cloned().unwrap_or_default();
                entry.not_compared = Some(format!("every run of it failed: {first}"));
            }
        }
        Ok(entries)
    }

    /// The networks of a seed together: one of all tasks, or one a task.
    fn of_seed(&self, seed: u64, networks: Vec<Outcome>) -> SeedRun {
        let failure = networks.iter().find_map(|it| it.failure.clone());
        let scores: Vec<f64> = networks.iter().filter_map(|it| it.score).collect();
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        SeedRun {
            seed,
            score: failure.is_none().then_some(mean).filter(|it| it.is_finite()),
            epochs: networks.iter().map(|it| it.epochs).collect(),
            best_epoch: networks.iter().map(|it| it.best_epoch).collect(),
            failure,
            test: networks.iter().flat_map(|it| it.test.clone()).collect(),
            curves: networks.into_iter().map(|it| it.curve).collect(),
        }
    }

    fn entry(&self, tuned: &Tuned) -> Entry {
        let names = self.network.tasks().iter().map(|task| task.name.clone());
        let names: Vec<Option<String>> = match tuned.candidate.kind() {
            None => names.map(Some).collect(),
            Some(_) => vec![None],
        };
        let best = tuned.best();
        let chosen: Option<Vec<Chosen>> = best
            .into_iter()
            .zip(&names)
            .map(|(best, task)| {
                let (trial, score) = best?;
                Some(Chosen { task: task.clone(), trial: trial.clone(), score })
            })
            .collect();
        let tried = tuned.tried.iter().zip(&names).flat_map(|(tried, task)| {
            tried.iter().map(|(trial, outcome)| Tried {
                task: task.clone(),
                trial: trial.clone(),
                score: outcome.score,
                best_epoch: outcome.best_epoch,
                failure: outcome.failure.clone(),
            })
        });
        let tried: Vec<Tried> = tried.collect();
        let not_compared = chosen.is_none().then(|| {
            let why = tried.iter().find_map(|it| it.failure.clone()).unwrap_or_default();
            format!("no trial of it could be trained: {why}")
        });
        Entry {
            name: tuned.candidate.name().into(),
            summary: tuned.candidate.summary().into(),
            not_compared,
            chosen: chosen.unwrap_or_default(),
            tried,
            ..Entry::default()
        }
    }

    /// What is said of tasks that have no part in any choice.
    fn without_reference(&self) -> Vec<String> {
        let pairs = self.network.tasks().iter().zip(&self.constants);
        let without = pairs.filter(|(_, constant)| constant.is_none());
        without.map(|(task, _)| format!(
            "task \"{}\" has no validation loss of a constant answer to be measured by: rates, settings and epochs are chosen by the others",
            task.name
        )).collect()
    }

    fn tasks(&self) -> Vec<TaskFacts> {
        let losses = self.constants.iter().zip(&self.constants_test);
        let tasks = self.network.tasks().iter().zip(losses);
        tasks
            .map(|(task, (&constant, &constant_test))| TaskFacts {
                name: task.name.clone(),
                loss: task.loss.name().into(),
                figure: if task.loss.is_of_classes() { "accuracy" } else { "r2" }.into(),
                constant,
                constant_test,
            })
            .collect()
    }

    fn facts(&self) -> DataFacts {
        let [training, validation, test] = self.data.sizes();
        DataFacts {
            file: self.config.data.path.as_ref().map(|path| path.display().to_string()),
            fingerprint: self.plan.fingerprint.clone(),
            training,
            validation,
            test,
            inputs: self.network.features(),
        }
    }

    fn protocol(&self) -> Result<Protocol, Failure> {
        let text = self.config.rooted().to_toml()?;
        let table: toml::Table = toml::from_str(&text).map_err(|error| {
            Failure::Run(format!("the configuration cannot be read again: {error}"))
        })?;
        let train = &self.config.train;
        Ok(Protocol {
            seeds: self.plan.seeds.clone(),
            tuning_seed: self.seed(),
            split_seed: self.config.data.seed_of_the_split(train),
            learning_rates: self.plan.rates.clone(),
            budget: self.plan.budget,
            epochs: train.epochs,
            patience: train.patience,
            batch_size: train.batch_size,
            parameters: self.network.parameter_count(),
            engine: serde_json::to_value(train.engine)
                .ok()
                .and_then(|it| Some(it.as_str()?.to_string()))
                .unwrap_or_default(),
            adapter: self.device.name(),
            rules: rules::all(),
            config: serde_json::json!(table),
        })
    }
}

impl Tuned {
    /// Of each network the trial with the lowest score, the first of several.
    fn best(&self) -> Vec<Option<(&Trial, f64)>> {
        let of = |tried: &Vec<(Trial, Outcome)>| -> Option<(Trial, f64)> {
            let scored = tried.iter().filter_map(|(trial, it)| Some((trial.clone(), it.score?)));
            scored.min_by(|a, b| a.1.total_cmp(&b.1))
        };
        let place = |tried: &'_ Vec<(Trial, Outcome)>| {
            let best = of(tried)?;
            tried.iter().position(|(trial, _)| *trial == best.0).map(|at| (at, best.1))
        };
        self.tried
            .iter()
            .map(|tried| place(tried).map(|(at, score)| (&tried[at].0, score)))
            .collect()
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
