//! How good predictions are: accuracy, F1, AUC and log loss of classes; errors and R² of numbers.
//!
//! Metrics are taken over all labelled rows at once, in `f64` and in the order of the rows, so that they
//! do not depend on batches or on the engine. Knows nothing of how the predictions were made.
//!
//! [`metrics`] judges by a dataset, whose labels are `f32`, while training goes on; [`judge`] by a table, whose labels keep
//! all their digits and may be of classes that training never saw, in the unit of the answers that are given.
//!
//! | file | what it holds |
//! |---|---|
//! | `mod.rs` | the figures' types, and [`metrics`] |
//! | `head.rs` | one task's labelled rows, checked, and its mean loss |
//! | `judge.rs` | [`judge`] |
//! | `intervals.rs` | [`intervals`]: how sure its figures are |
//! | `classes.rs` | [`ClassScores`]: of `cross_entropy`, and of a column of `bce` |
//! | `by_class.rs` | [`by_class`]: each class alone, and whether probabilities can be believed |
//! | `main_figure.rs` | accuracy or R² alone, and the loss |
//! | `numbers.rs` | [`Fit`]: of a column of `mse`, `mae` or `huber` |
//! | `thresholds.rs` | [`choose_thresholds`] between two classes |
//! | `rank.rs` | the area under the ROC curve, the average precision |

mod by_class;
mod classes;
mod head;
mod intervals;
mod judge;
mod main_figure;
mod numbers;
mod rank;
#[cfg(test)]
mod tests;
mod thresholds;

pub use self::by_class::{Bin, ByClass, Calibration, OfClass, PrecisionRecall, by_class};
pub use self::intervals::{Intervals, intervals};
pub use self::judge::{Judgement, judge, judge_encoded};
pub(in crate::train) use self::main_figure::{MainFigure, main_figures};
pub use self::thresholds::{ChosenThreshold, ThresholdAim, choose_thresholds};

use self::head::Head;
use super::parallel::{cores, in_parallel};
use crate::data::{Dataset, Matrix, Target, Values};
use crate::error::{Error, Result};
use crate::network::Network;
use crate::tables::Labels;
use serde::{Deserialize, Serialize};

/// How good the predictions of one task are. In JSON an object of the figures alone: where it has an `accuracy` the
/// task has classes, where it has an `rmse` it has numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TaskMetrics {
    /// For `cross_entropy` and `bce`.
    Classification(Classification),
    /// For `mse`, `mae` and `huber`.
    Regression(Regression),
}

/// Figures of a task of classes, over its labelled rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Classification {
    /// The task's mean loss, as [`Record`](crate::engine::Record) has it of a batch: with its class weights and label
    /// smoothing. `None` if the class weights of all labelled rows are 0.
    pub loss: Option<f64>,
    /// Number of rows that have a label.
    pub labelled: usize,
    /// The figures of the whole task. For `bce` with several columns: the accuracy over all of them, the sum of their
    /// confusion matrices, and the means of their other figures.
    #[serde(flatten)]
    pub scores: ClassScores,
    /// For `bce` with several columns the figures of each, else empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ClassScores>,
}

/// Figures of answers among classes; in `bce` the classes are no (0) and yes (1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassScores {
    /// The share of right answers, from 0 to 1.
    pub accuracy: f64,
    /// The mean F1 score, `2·TP/(2·TP + FP + FN)`, of the classes that occur among labels or answers; classes that the task
    /// does not have are one more, with a score of 0.
    pub macro_f1: f64,
    /// The area under the ROC curve: how probably a row of a class has a higher predicted probability of that class
    /// than a row of another one, where equal ones count half. Of two classes there is one such area; of more it is the
    /// mean of each class against the rest, over the classes that have a label. `None` if all labels are of one class.
    pub auc: Option<f64>,
    /// The average precision: the mean over the positive rows of the share of positive rows among all whose probability is as high
    /// or higher, `Σ (Rₙ − Rₙ₋₁)·Pₙ`, as scikit-learn's `average_precision_score` has it. Of `bce` that of yes; of classes the mean
    /// of each against the rest, over the classes that have a label. What chance alone comes to is the share of the positive rows.
    /// `None` where [`auc`](Self::auc) is.
    pub average_precision: Option<f64>,
    /// The mean negative logarithm of the probability given to the label, without class weights and label smoothing, over the
    /// rows whose class the task has; `None` without such a row.
    pub log_loss: Option<f64>,
    /// How often a row of class `i` got the answer `j`: `confusion[i][j]`.
    pub confusion: Vec<Vec<u64>>,
    /// Labels of classes that the task does not have: no answer could have been right, so that they count as wrong in accuracy
    /// and F1. AUC, average precision, log loss, the task's loss and the confusion matrix leave them out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unknown: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Figures of a task of numbers, over its labelled rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Regression {
    /// The task's mean loss, as [`Record`](crate::engine::Record) has it of a batch, in the unit of the dataset's
    /// targets whatever the unit of the other figures.
    pub loss: Option<f64>,
    /// Number of rows that have a label.
    pub labelled: usize,
    /// The figures of the whole task: errors over all columns, and the mean R² of those columns that have one.
    #[serde(flatten)]
    pub fit: Fit,
    /// For a task of several columns the figures of each, else empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Fit>,
}

/// How far predicted numbers are from the labels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// The root of the mean squared error, in the unit of the dataset's targets.
    pub rmse: f64,
    /// The mean absolute error, in the same unit.
    pub mae: f64,
    /// The share of the labels' variance that is explained: `1 − Σ(p − t)²/Σ(t − t̄)²`; 0 is what their mean scores.
    /// `None` if all labels are the same.
    pub r2: Option<f64>,
}

impl TaskMetrics {
    /// The task's mean loss over the labelled rows; `None` if their class weights are all 0.
    pub fn loss(&self) -> Option<f64> {
        match self {
            Self::Classification(Classification { loss, .. })
            | Self::Regression(Regression { loss, .. }) => *loss,
        }
    }

    /// Number of rows that have a label.
    pub fn labelled(&self) -> usize {
        match self {
            Self::Classification(Classification { labelled, .. })
            | Self::Regression(Regression { labelled, .. }) => *labelled,
        }
    }

    /// The same figures where 1 in the dataset is a column's `unit` outside of it, one unit a column (the last one also
    /// for any columns beyond): the standard deviation of a target that an [`Encoder`](crate::Encoder) standardised gives
    /// its errors in the column's own unit. Loss, R² and the figures of classes have no unit and stay as they are.
    pub fn in_units(self, units: &[f64]) -> Self {
        match self {
            Self::Regression(figures) => Self::Regression(figures.in_units(units)),
            Self::Classification(_) => self,
        }
    }
}

impl std::fmt::Display for TaskMetrics {
    /// `97.1 %` of right answers, or the error `312.4`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Classification(it) => write!(f, "{:.1} %", 100.0 * it.scores.accuracy),
            Self::Regression(it) if it.fit.rmse >= 10.0 => write!(f, "{:.1}", it.fit.rmse),
            Self::Regression(it) => write!(f, "{:.4}", it.fit.rmse),
        }
    }
}

/// The metrics of every task from predictions for the rows of a dataset, shape `[rows, outputs]` with
/// class scores as logits; `None` for a task without a labelled row.
///
/// In `cross_entropy` the answer is the class of the highest logit, the first of several equal ones. In
/// `bce` each column is an answer of its own: yes for a logit above 0, right if that is what a label above
/// ½ says.
///
/// # Errors
/// [`Error::Mismatch`] if predictions, network and dataset do not belong together, whatever
/// [`Task::check_target`](crate::Task::check_target) finds, and [`Error::Invalid`] for a prediction, of a labelled row,
/// that is NaN or infinite.
pub fn metrics(
    network: &Network,
    predictions: &Matrix,
    data: &Dataset,
) -> Result<Vec<Option<TaskMetrics>>> {
    check_shapes(network, predictions, data)?;
    let offsets = network.offsets();
    let of_task = |index: usize| {
        let (task, target) = (&network.tasks()[index], &data.targets()[index]);
        task.check_target(target)?;
        let labels = Labels::of(target);
        let rows = (0..target.rows()).filter(|&row| target.has_label(row)).collect();
        Ok(Head::new(task, labels, rows, predictions, offsets[index])?.metrics())
    };
    each_task(network.tasks().len(), predictions, of_task).into_iter().collect()
}

/// What is found of each task: many of them at once, or else one after the other, whose classes and columns are then taken
/// at once.
fn each_task<T: Send>(
    tasks: usize,
    predictions: &Matrix,
    find: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    match tasks >= cores() {
        true => in_parallel(tasks, predictions.values().len(), find),
        false => (0..tasks).map(find).collect(),
    }
}

impl Labels {
    /// Those of a dataset.
    fn of(target: &Target) -> Self {
        match target.values() {
            Values::Numbers(matrix) => {
                Self::Numbers(matrix.values().iter().map(|&label| label.into()).collect())
            }
            Values::Classes(classes) => Self::Classes(classes.iter().copied().map(Some).collect()),
        }
    }
}

fn check_shapes(network: &Network, predictions: &Matrix, data: &Dataset) -> Result<()> {
    let (tasks, outputs) = (network.tasks().len(), network.outputs());
    let (found, targets) = (predictions.columns(), data.targets().len());
    for (what, unit, found, expected, why) in [
        ("the matrix of predictions", "columns", found, outputs, "the network's outputs"),
        (
            "the matrix of predictions",
            "rows",
            predictions.rows(),
            data.rows(),
            "one a row of the dataset",
        ),
        ("the dataset", "targets", targets, tasks, "one a task"),
    ] {
        if found != expected {
            return Err(Error::Mismatch {
                what: what.into(),
                unit,
                found,
                expected,
                why: why.into(),
            });
        }
    }
    Ok(())
}
