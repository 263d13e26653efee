//! How good predictions are: accuracy for classes, root mean squared error for numbers.
//!
//! Metrics are taken over all labelled rows at once, in `f64` and in the order of the rows, so that they
//! do not depend on batches or on the engine. Knows nothing of how the predictions were made.

use crate::data::{Dataset, Matrix, Target, Values, highest};
use crate::error::{Error, Result};
use crate::loss::{Loss, Task};
use crate::network::Network;

/// How good the predictions of one task are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TaskMetrics {
    /// For `cross_entropy` and `bce`.
    Classification {
        /// The share of right answers, from 0 to 1, over the labelled rows (and, for `bce`, the columns).
        accuracy: f64,
        /// Number of rows that have a label.
        labelled: usize,
    },
    /// For `mse`, `mae` and `huber`.
    Regression {
        /// The root of the mean squared error over the labelled rows and the columns, in the unit of the
        /// dataset's targets.
        rmse: f64,
        /// Number of rows that have a label.
        labelled: usize,
    },
}

impl TaskMetrics {
    /// The same figures where 1 in the dataset is `unit` outside of it: the standard deviation of a target that an
    /// [`Encoder`](crate::Encoder) standardised gives its error in the column's own unit. An accuracy has no unit.
    pub fn in_unit(self, unit: f64) -> Self {
        match self {
            Self::Regression { rmse, labelled } => Self::Regression { rmse: rmse * unit, labelled },
            Self::Classification { .. } => self,
        }
    }
}

impl std::fmt::Display for TaskMetrics {
    /// `97.1 %` of right answers, or the error `312.4`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Classification { accuracy, .. } => write!(f, "{:.1} %", 100.0 * accuracy),
            Self::Regression { rmse, .. } if *rmse >= 10.0 => write!(f, "{rmse:.1}"),
            Self::Regression { rmse, .. } => write!(f, "{rmse:.4}"),
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
/// [`Task::check_target`] finds, and [`Error::Invalid`] for a prediction, of a labelled row, that is NaN or
/// infinite.
pub fn metrics(
    network: &Network,
    predictions: &Matrix,
    data: &Dataset,
) -> Result<Vec<Option<TaskMetrics>>> {
    let tasks = network.tasks();
    check_shapes(network, predictions, data)?;
    let tasks = tasks.iter().zip(data.targets()).zip(network.offsets());
    tasks.map(|((task, target), offset)| task_metrics(task, target, predictions, offset)).collect()
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

/// The metrics of the task whose predictions start at the column `offset`.
fn task_metrics(
    task: &Task,
    target: &Target,
    predictions: &Matrix,
    offset: usize,
) -> Result<Option<TaskMetrics>> {
    task.check_target(target)?;
    // A sum over the labelled rows of right answers, or of squared errors.
    let mut sum = 0.0;
    let mut labelled = 0;
    for row in (0..target.rows()).filter(|&row| target.has_label(row)) {
        let predicted = &predictions.row(row)[offset..][..task.width];
        if let Some(value) = predicted.iter().find(|value| !value.is_finite()) {
            return Err(Error::invalid(
                format!("task \"{}\": a prediction for row {row} is {value}", task.name),
                "look for extreme features in that row, or train with a lower learning rate",
            ));
        }
        sum += match target.values() {
            Values::Classes(classes) => f64::from(highest(predicted) == classes[row] as usize),
            Values::Numbers(labels) if task.loss == Loss::Bce => {
                count_right(predicted, labels.row(row))
            }
            Values::Numbers(labels) => squared_error(predicted, labels.row(row)),
        };
        labelled += 1;
    }
    if labelled == 0 {
        return Ok(None);
    }
    let answers = labelled * if task.loss.predicts_class() { 1 } else { task.width };
    let mean = sum / answers as f64;
    Ok(Some(match task.loss {
        Loss::Bce | Loss::CrossEntropy { .. } => {
            TaskMetrics::Classification { accuracy: mean, labelled }
        }
        Loss::Mse | Loss::Mae | Loss::Huber { .. } => {
            TaskMetrics::Regression { rmse: mean.sqrt(), labelled }
        }
    }))
}

/// Number of columns in which the logit and the label are on the same side.
fn count_right(logits: &[f32], labels: &[f32]) -> f64 {
    let pairs = logits.iter().zip(labels);
    pairs.filter(|&(&logit, &label)| (logit > 0.0) == (label > 0.5)).count() as f64
}

fn squared_error(predicted: &[f32], labels: &[f32]) -> f64 {
    let pairs = predicted.iter().zip(labels);
    pairs.map(|(&p, &t)| (f64::from(p) - f64::from(t)).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Activation;

    /// Metrics of a single task, from its predictions and target.
    fn of(task: Task, predictions: &[f32], target: Target) -> Result<Option<TaskMetrics>> {
        let network = Network::new(1, &[], Activation::Relu, &[task])?;
        let features = Matrix::new(1, vec![0.0; target.rows()])?;
        let predictions = Matrix::new(network.outputs(), predictions.to_vec())?;
        let data = Dataset::new(features, vec![target])?;
        Ok(metrics(&network, &predictions, &data)?.remove(0))
    }

    fn numbers(columns: usize, values: &[f32]) -> Target {
        Target::numbers(Matrix::new(columns, values.to_vec()).unwrap())
    }

    fn accuracy(accuracy: f64, labelled: usize) -> Option<TaskMetrics> {
        Some(TaskMetrics::Classification { accuracy, labelled })
    }

    fn rmse(rmse: f64, labelled: usize) -> Option<TaskMetrics> {
        Some(TaskMetrics::Regression { rmse, labelled })
    }

    #[test]
    fn metrics_are_what_a_hand_computes() {
        let classes = |classes: &[u32]| Target::classes(classes.to_vec());
        for (what, task, predictions, target, expected) in [
            (
                "three of four classes right, one of them a tie that goes to the first",
                Task::new("t", Loss::cross_entropy(), 3),
                &[2., 1., 0., -3., -2., -1., 5., 5., 0., 1., 9., 0.][..],
                classes(&[0, 2, 0, 0]),
                accuracy(0.75, 4),
            ),
            (
                "one of two labelled classes right; NaN and class 99 have no label",
                Task::new("t", Loss::cross_entropy(), 2),
                &[1., 0., f32::NAN, 0., 0., 1.],
                classes(&[0, 99, 0]).labelled(vec![true, false, true]).unwrap(),
                accuracy(0.5, 2),
            ),
            (
                "two columns of bce: right, wrong (a logit of 0 is no); right, right; unlabelled",
                Task::new("t", Loss::Bce, 2),
                &[0.1, 0., -1., 2., 9., 9.],
                numbers(2, &[1., 1., 0., 0.9, 0., 0.]).labelled(vec![true, true, false]).unwrap(),
                accuracy(0.75, 2),
            ),
            (
                "errors of 3 and 4: the root of 12.5",
                Task::new("t", Loss::Mse, 1),
                &[1., -1., 7.],
                numbers(1, &[4., 3., f32::NAN]).labelled(vec![true, true, false]).unwrap(),
                rmse(12.5_f64.sqrt(), 2),
            ),
            (
                "two columns of mae: squares 1 + 1 + 1 + 13, over 4",
                Task::new("t", Loss::Mae, 2),
                &[1., 1., 1., 0.],
                numbers(2, &[0., 0., 2., 13_f32.sqrt()]),
                rmse(2.0, 2),
            ),
            (
                "huber is measured like the others",
                Task::new("t", Loss::Huber { delta: 0.1 }, 1),
                &[0., 0.],
                numbers(1, &[-10., 10.]),
                rmse(10.0, 2),
            ),
            (
                "nothing is labelled",
                Task::new("t", Loss::Mse, 1),
                &[1.],
                numbers(1, &[1.]).labelled(vec![false]).unwrap(),
                None,
            ),
        ] {
            let found = of(task, predictions, target).unwrap();
            let close = match (found, expected) {
                (
                    Some(TaskMetrics::Regression { rmse: a, labelled: n }),
                    Some(TaskMetrics::Regression { rmse: b, labelled: m }),
                ) => (a - b).abs() < 1e-6 && n == m,
                _ => found == expected,
            };
            assert!(close, "{what}: {found:?}, not {expected:?}");
        }
    }

    #[test]
    fn each_task_is_judged_by_its_own_columns() {
        let tasks = [
            Task::new("kind", Loss::cross_entropy(), 2),
            Task::new("mass", Loss::Mse, 1),
            Task::new("ringed", Loss::Bce, 1),
        ];
        let network = Network::new(1, &[], Activation::Relu, &tasks).unwrap();
        let data = Dataset::new(
            Matrix::new(1, vec![0.0; 2]).unwrap(),
            vec![Target::classes(vec![1, 0]), numbers(1, &[2.0, 2.0]), numbers(1, &[1.0, 1.0])],
        )
        .unwrap();
        // kind, kind, mass, ringed
        let predictions = vec![0.0, 1.0, 5.0, -1.0, 1.0, 0.0, -1.0, 1.0];
        let predictions = Matrix::new(4, predictions).unwrap();
        assert_eq!(
            metrics(&network, &predictions, &data).unwrap(),
            [accuracy(1.0, 2), rmse(3.0, 2), accuracy(0.5, 2)]
        );
    }

    #[test]
    fn an_error_is_told_in_another_unit_and_accuracy_has_none() {
        let in_grams = |metrics: Option<TaskMetrics>| metrics.map(|m| m.in_unit(800.0));
        assert_eq!(in_grams(rmse(0.5, 7)), rmse(400.0, 7));
        assert_eq!(in_grams(accuracy(0.5, 7)), accuracy(0.5, 7));
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        let mse = || Task::new("mass", Loss::Mse, 1);
        for (task, predictions, target, message) in [
            (
                mse(),
                vec![1.0, 2.0, 3.0],
                numbers(1, &[0.0, 0.0]),
                "the number of rows of the matrix of predictions is 3, but must be 2",
            ),
            (
                mse(),
                vec![1.0, f32::NAN],
                numbers(1, &[0.0, 0.0]),
                "task \"mass\": a prediction for row 1 is NaN: look for extreme features",
            ),
            (
                mse(),
                vec![1.0],
                Target::classes(vec![0]),
                "task \"mass\": mse needs numbers as targets, not classes",
            ),
            (
                Task::new("kind", Loss::cross_entropy(), 2),
                vec![1.0, 0.0],
                Target::classes(vec![2]),
                "task \"kind\": class 2 at row 0 is outside 0..2",
            ),
        ] {
            let found = of(task, &predictions, target).unwrap_err().to_string();
            assert!(found.starts_with(message), "{found}");
        }
        let network = Network::new(1, &[], Activation::Relu, &[mse()]).unwrap();
        let wide = Matrix::new(2, vec![0.0; 2]).unwrap();
        let data = |targets| Dataset::new(Matrix::new(1, vec![0.0]).unwrap(), targets).unwrap();
        let one = data(vec![numbers(1, &[0.0])]);
        assert!(
            metrics(&network, &wide, &one).unwrap_err().to_string().starts_with(
                "the number of columns of the matrix of predictions is 2, but must be 1"
            )
        );
        let none = data(vec![]);
        assert!(
            metrics(&network, &Matrix::new(1, vec![0.0]).unwrap(), &none)
                .unwrap_err()
                .to_string()
                .starts_with("the number of targets of the dataset is 0, but must be 1")
        );
    }
}
