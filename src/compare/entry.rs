//! What of a candidate goes into a comparison: its trials, what they chose, and the runs that were tested.

use super::candidate::Trial;
use super::outcome::{Curve, TestFigures};
use super::statistics::Figure;
use serde::{Deserialize, Serialize};

/// What of a candidate goes into a comparison.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What it does, in a line.
    pub summary: String,
    /// Why it was not compared, if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_compared: Option<String>,
    /// What it was trained with: one entry, of single-task networks one a task.
    pub chosen: Vec<Chosen>,
    /// All trials, in the order in which they were made.
    pub tried: Vec<Tried>,
    /// The runs that were tested, a seed each.
    pub runs: Vec<SeedRun>,
    /// Bytes that a step's kernels read and write; `None` on the CPU.
    pub bytes_a_step: Option<u64>,
    /// Bytes of the buffers on the device.
    pub bytes_on_device: Option<u64>,
}

/// The trial that won.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    /// Of single-task networks: whose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The trial.
    #[serde(flatten)]
    pub trial: Trial,
    /// Its score.
    pub score: f64,
}

/// A trial and what it came to on the validation rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// Of single-task networks: whose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The trial.
    #[serde(flatten)]
    pub trial: Trial,
    /// The mean relative validation loss of its best epoch; `None` if it failed.
    pub score: Option<f64>,
    /// Which epoch that was.
    pub best_epoch: usize,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// A run that was tested: of single-task networks all of them together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SeedRun {
    /// Its seed.
    pub seed: u64,
    /// The mean relative validation loss of what was kept.
    pub score: Option<f64>,
    /// Epochs made; an entry a network.
    pub epochs: Vec<usize>,
    /// The epoch that is kept; an entry a network.
    pub best_epoch: Vec<usize>,
    /// Why it failed, if it did: then it has no figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Figures of the test rows, a task each.
    pub test: Vec<Option<TestFigures>>,
    /// From epoch to epoch; an entry a network.
    pub curves: Vec<Curve>,
}

impl SeedRun {
    pub(super) fn figures(&self, task: usize) -> Option<&TestFigures> {
        self.test.get(task).and_then(Option::as_ref).filter(|_| self.failure.is_none())
    }

    /// What is counted in Δm and ranks: accuracy, or the root of the mean squared error.
    pub(super) fn counted(&self, task: usize) -> Option<Figure> {
        let figures = self.figures(task)?;
        let accuracy = figures.accuracy.map(|value| Figure { value, higher_is_better: true });
        accuracy.or(figures.rmse.map(|value| Figure { value, higher_is_better: false }))
    }
}
