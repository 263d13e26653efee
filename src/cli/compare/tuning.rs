//! The runs by which every candidate is tuned on the validation rows, and what they chose.

use super::job::Job;
use super::{Stopped, Study};
use awl::compare::{Candidate, Chosen, EQUAL, Entry, Outcome, Trial, Tried};

/// What became of a candidate's trials.
pub struct Tuned {
    pub candidate: Candidate,
    /// An entry a network: of single-task networks one a task.
    pub tried: Vec<Vec<(Trial, Outcome)>>,
}

impl Study<'_> {
    /// Trains every candidate by its trials: all learning rates, then its settings at the best.
    pub fn tune(&mut self) -> Result<Vec<Tuned>, Stopped> {
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

    /// What goes of it into the comparison, before its runs are tested.
    pub fn entry(&self, tuned: &Tuned) -> Entry {
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
}

impl Tuned {
    /// Of each network the trial with the lowest score, the first of several.
    pub fn best(&self) -> Vec<Option<(&Trial, f64)>> {
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
