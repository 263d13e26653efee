//! The runs that are tested: every candidate by its best trial, from every seed.

use super::job::Job;
use super::tuning::Tuned;
use super::{Stopped, Study};
use awl::compare::{Candidate, Entry, Outcome, SeedRun, Trial};

impl Study<'_> {
    /// Trains every candidate by its best trial from every seed, and tests it.
    pub fn test(&mut self, tuned: Vec<Tuned>) -> Result<Vec<Entry>, Stopped> {
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
}
