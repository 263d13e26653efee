//! What a comparison says of itself: how it was made, its table, its tasks, and the times it took.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a comparison was made: what determines it, and what its figures mean.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Protocol {
    /// The seeds of the runs that are tested, the same of every scheme.
    pub seeds: Vec<u64>,
    /// The seed of the runs that only serve to choose.
    pub tuning_seed: u64,
    /// The seed of the split.
    pub split_seed: u64,
    /// The learning rates that are tried.
    pub learning_rates: Vec<f64>,
    /// Trials a scheme, at most.
    pub budget: usize,
    /// Epochs of a run, at most.
    pub epochs: usize,
    /// Epochs without a better validation score after which it stops; 0: never.
    pub patience: usize,
    /// Rows a step.
    pub batch_size: usize,
    /// Parameters of the network that all tasks share.
    pub parameters: usize,
    /// The engine's name, and what it ran on.
    pub engine: String,
    /// The device.
    pub adapter: String,
    /// What was compared by what, in sentences: what chooses, what is counted, what is tested.
    pub rules: BTreeMap<String, String>,
    /// The configuration: everything that `awl train` takes too.
    pub config: serde_json::Value,
}

/// The table and its split.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DataFacts {
    /// The file.
    pub file: Option<String>,
    /// Of the encoded rows for training and validation.
    pub fingerprint: String,
    /// Rows to train on.
    pub training: usize,
    /// Rows to choose by.
    pub validation: usize,
    /// Rows that nothing was chosen by.
    pub test: usize,
    /// Inputs of the network.
    pub inputs: usize,
}

/// A task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskFacts {
    /// Its name.
    pub name: String,
    /// Its loss.
    pub loss: String,
    /// What it is told by: `accuracy` or `r2`.
    pub figure: String,
    /// The validation loss of always the same answer, by which losses are divided; `None` where there is no label, or nothing to
    /// divide by: such a task has no part in any choice.
    pub constant: Option<f64>,
    /// The same of the test rows, for comparison; nothing is chosen by it.
    pub constant_test: Option<f64>,
}

/// Dates and times, which no two comparisons share.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// When it ended (UTC).
    pub date: String,
    /// How long it took, all its processes together.
    pub seconds: f64,
    /// A step of one network alone, by scheme; the least of some.
    pub milliseconds_a_step: BTreeMap<String, f64>,
}
