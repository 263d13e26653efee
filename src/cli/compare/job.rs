//! A run of a comparison, and the file that keeps what it came to.

use crate::cli::failure::Failure;
use crate::cli::run_dir;
use awl::compare::{Candidate, Outcome, Trial};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A run to be made.
#[derive(Clone, Debug)]
pub struct Job {
    pub candidate: Candidate,
    /// Of single-task networks: whose.
    pub task: Option<usize>,
    pub trial: Trial,
    pub seed: u64,
    /// Its name among all: its file's.
    pub id: String,
    /// Whether it is tested, or only serves to choose.
    pub is_tested: bool,
}

/// What a file of a run holds.
#[derive(Serialize, Deserialize)]
struct Saved {
    trial: Trial,
    seed: u64,
    outcome: Outcome,
}

/// Folder of the runs in a comparison's directory.
pub const RUNS: &str = "runs";

impl Job {
    /// A run that serves to choose: the trial of this number of a round.
    pub fn trial(
        candidate: Candidate,
        task: Option<usize>,
        trial: Trial,
        seed: u64,
        round: &str,
        number: usize,
    ) -> Self {
        let id = format!("{round}-{}-{number}", named(candidate, task));
        Self { candidate, task, trial, seed, id, is_tested: false }
    }

    /// A run that is tested.
    pub fn tested(candidate: Candidate, task: Option<usize>, trial: Trial, seed: u64) -> Self {
        let id = format!("tested-{}-seed-{seed}", named(candidate, task));
        Self { candidate, task, trial, seed, id, is_tested: true }
    }

    fn path(&self, directory: &Path) -> PathBuf {
        directory.join(RUNS).join(format!("{}.json", self.id))
    }

    /// What it came to, where it has been made.
    pub fn saved(&self, directory: &Path) -> Option<Outcome> {
        let bytes = std::fs::read(self.path(directory)).ok()?;
        let saved: Saved = serde_json::from_slice(&bytes).ok()?;
        (saved.trial == self.trial && saved.seed == self.seed).then_some(saved.outcome)
    }

    /// Keeps what it came to.
    pub fn save(&self, directory: &Path, outcome: &Outcome) -> Result<(), Failure> {
        let saved = Saved { trial: self.trial.clone(), seed: self.seed, outcome: outcome.clone() };
        let bytes = serde_json::to_vec(&saved)
            .map_err(|error| Failure::Run(format!("{}: {error}", self.id)))?;
        run_dir::save(&self.path(directory), &bytes)
    }
}

/// `awl`, `stl-2`
fn named(candidate: Candidate, task: Option<usize>) -> String {
    let task = task.map_or(String::new(), |task| format!("-{}", task + 1));
    format!("{}{task}", candidate.name())
}
