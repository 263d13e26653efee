//! What one run of a comparison came to.

use crate::train::TaskMetrics;
use serde::{Deserialize, Serialize};

/// A run: of the network's tasks, of single-task networks the one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Epochs made.
    pub epochs: usize,
    /// The epoch that is kept.
    pub best_epoch: usize,
    /// The mean of the tasks' validation losses at that epoch, each divided by the constant answer's: what all choices are made by.
    /// `None` of a run that failed.
    pub score: Option<f64>,
    /// Why it stopped before its end, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Validation losses, weights and σ from epoch to epoch, thinned; only of runs that are tested.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve: Curve,
    /// Figures of the test rows, a task each; none of a run that only served to choose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test: Vec<Option<TestFigures>>,
}

/// Some of a run's epochs.
pub type Curve = Vec<Point>;

/// An epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Counted from 1.
    pub epoch: usize,
    /// Validation losses, a task each.
    pub validation: Vec<Option<f64>>,
    /// Weights, means over the epoch's steps.
    pub weight: Vec<f64>,
    /// σ likewise, where there is one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sigma: Vec<f64>,
}

/// How good a task is answered on the test rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TestFigures {
    /// The mean loss, as it is trained.
    pub loss: f64,
    /// Rows with a label.
    pub labelled: usize,
    /// Of classes: the share of right answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// The mean F1 score of the classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub macro_f1: Option<f64>,
    /// The area under the ROC curve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auc: Option<f64>,
    /// Of numbers: the root of the mean squared error, in the column's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rmse: Option<f64>,
    /// The mean absolute error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mae: Option<f64>,
    /// The share of the labels' variance that is explained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r2: Option<f64>,
}

impl TestFigures {
    /// Those of a task's metrics; `None` without a loss.
    pub fn of(metrics: &TaskMetrics) -> Option<Self> {
        let (loss, labelled) = (metrics.loss()?, metrics.labelled());
        Some(match metrics {
            TaskMetrics::Classification(it) => Self {
                loss,
                labelled,
                accuracy: Some(it.scores.accuracy),
                macro_f1: Some(it.scores.macro_f1),
                auc: it.scores.auc,
                ..Self::default()
            },
            TaskMetrics::Regression(it) => Self {
                loss,
                labelled,
                rmse: Some(it.fit.rmse),
                mae: Some(it.fit.mae),
                r2: it.fit.r2,
                ..Self::default()
            },
        })
    }

    /// The figure that a task is told by: accuracy, or R².
    pub fn main(&self) -> Option<f64> {
        self.accuracy.or(self.r2)
    }
}
