//! One task among the predictions: its labelled rows, checked, its mean loss, and which figures it has.

use super::{ClassScores, Classification, Fit, Regression, TaskMetrics};
use crate::data::Matrix;
use crate::error::{Error, Result};
use crate::loss::{Loss, Task};
use crate::tables::{Labels, TargetColumn, answer, cut};
use crate::train::parallel::in_parallel;
use std::sync::Arc;

/// A task's predictions and labels.
pub(super) struct Head<'a> {
    pub(super) task: &'a Task,
    labels: Arc<Labels>,
    predictions: &'a Matrix,
    /// The first of the task's columns among the predictions.
    offset: usize,
    /// The labelled rows, in order.
    pub(super) rows: Vec<usize>,
    /// How far a label of 0 lies from the zero of the column's own unit: what rounding is relative to.
    pub(super) origin: f64,
    /// Where labels are on a curve: what predictions are restored by, and the labels in their columns' units.
    curved: Option<(&'a TargetColumn, Arc<Vec<f64>>)>,
    /// How much each row of the dataset counts in the mean loss; `None`: alike.
    weights: Option<Arc<Vec<f64>>>,
    /// Those of the task between two classes, if it has other ones than ½.
    thresholds: &'a [f64],
}

impl<'a> Head<'a> {
    /// Checks that the predictions of labelled rows are finite.
    pub(super) fn new(
        task: &'a Task,
        labels: Labels,
        rows: Vec<usize>,
        predictions: &'a Matrix,
        offset: usize,
    ) -> Result<Self> {
        let labels = Arc::new(labels);
        let (origin, curved, weights, thresholds) = (0.0, None, None, &[][..]);
        let head =
            Self { task, labels, predictions, offset, rows, origin, curved, weights, thresholds };
        for &row in &head.rows {
            if let Some(value) = head.predicted(row).iter().find(|value| !value.is_finite()) {
                return Err(Error::invalid(
                    format!("task \"{}\": a prediction for row {row} is {value}", task.name),
                    "look for extreme features in that row, or train with a lower learning rate",
                ));
            }
        }
        Ok(head)
    }

    /// Its labels, an entry or a row of them a row of the dataset.
    pub(super) fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The same task that answers by these thresholds.
    pub(super) fn with_thresholds(self, thresholds: &'a [f64]) -> Self {
        Self { thresholds, ..self }
    }

    /// The class that is answered for a row of a task of classes.
    pub(super) fn answer(&self, row: usize) -> usize {
        answer(self.thresholds, self.predicted(row))
    }

    /// The logit of `bce` above which a column's answer is yes.
    pub(super) fn cut(&self, column: usize) -> f64 {
        cut(self.thresholds, column)
    }

    /// The same task with other rows, which may be there more than once.
    pub(super) fn with_rows(&self, rows: Vec<usize>) -> Self {
        let (labels, curved) = (self.labels.clone(), self.curved.clone());
        Self { rows, labels, curved, weights: self.weights.clone(), ..*self }
    }

    /// The same task whose figures are of predictions and these labels in the columns' units, row after row; its loss stays as it is.
    pub(super) fn in_columns_units(self, target: &'a TargetColumn, labels: Vec<f64>) -> Self {
        Self { curved: Some((target, labels.into())), ..self }
    }

    /// The same task whose rows count so much in its mean loss: an entry a row of the dataset.
    pub(super) fn weighted(self, weights: Option<Vec<f64>>) -> Self {
        Self { weights: weights.map(Arc::new), ..self }
    }

    /// The task's predictions for a row, shape `[outputs]`.
    pub(super) fn predicted(&self, row: usize) -> &'a [f32] {
        &self.predictions.row(row)[self.offset..][..self.task.outputs()]
    }

    /// Predictions and labels of one column of numbers, over the labelled rows; a label that the task does not know is NaN.
    pub(super) fn pairs(&self, labels: &[f64], column: usize) -> Vec<(f64, f64)> {
        let at = |row: usize| row * self.task.width + column;
        if let Some((target, labels)) = &self.curved {
            let encoding = &target.encoding.numbers()[column];
            let restored = |row: usize| encoding.restore(self.predicted(row)[column].into());
            return self.rows.iter().map(|&row| (restored(row), labels[at(row)])).collect();
        }
        let label = |row: usize| labels[at(row)];
        self.rows.iter().map(|&row| (self.predicted(row)[column].into(), label(row))).collect()
    }

    /// The task's figures; `None` without a labelled row.
    pub(super) fn metrics(&self) -> Option<TaskMetrics> {
        if self.rows.is_empty() {
            return None;
        }
        let (loss, labelled) = (self.mean_loss(), self.rows.len());
        let cells = self.task.width * labelled;
        let classes = |(scores, columns)| {
            TaskMetrics::Classification(Classification { loss, labelled, scores, columns })
        };
        Some(match &*self.labels {
            Labels::Classes(labels) => classes((ClassScores::of_classes(self, labels), Vec::new())),
            Labels::Numbers(labels) if self.task.loss == Loss::Bce => {
                let of_column =
                    |column| ClassScores::of_binary(&self.pairs(labels, column), self.cut(column));
                let columns = in_parallel(self.task.width, cells, of_column);
                classes(whole(columns, ClassScores::of_columns))
            }
            Labels::Numbers(labels) => {
                let of_column = |column| Fit::of(&self.pairs(labels, column), self.origin);
                let columns = in_parallel(self.task.width, cells, of_column);
                let (fit, columns) = whole(columns, Fit::of_columns);
                TaskMetrics::Regression(Regression { loss, labelled, fit, columns })
            }
        })
    }

    /// The mean loss as every engine defines it: the rows' losses over the sum of their weights. Rows with a label that the
    /// task does not know have none.
    pub(super) fn mean_loss(&self) -> Option<f64> {
        let (loss, width) = (&self.task.loss, self.task.width);
        let mut derivatives = vec![0.0; self.task.outputs()];
        let (mut sum, mut normaliser) = (0.0, 0.0);
        for &row in &self.rows {
            let predicted = self.predicted(row).iter().map(|&value| f64::from(value));
            let weight = self.weights.as_ref().map_or(1.0, |weights| weights[row]);
            match &*self.labels {
                Labels::Classes(classes) => {
                    let Some(class) = classes[row] else { continue };
                    let logits: Vec<f64> = predicted.collect();
                    sum += weight * loss.class_row(&logits, class, &mut derivatives);
                    normaliser += weight * loss.row_weight(width, Some(class));
                }
                Labels::Numbers(labels) => {
                    let labels = &labels[row * width..][..width];
                    if labels.iter().any(|label| label.is_nan()) {
                        continue;
                    }
                    let predicted: Vec<f64> = predicted.collect();
                    sum += weight * loss.number_row(&predicted, labels, &mut derivatives);
                    normaliser += weight * loss.row_weight(width, None);
                }
            }
        }
        (normaliser != 0.0).then(|| sum / normaliser)
    }
}

/// The figures of the whole task, and those of its columns if it has several.
fn whole<T: Clone>(columns: Vec<T>, of_columns: fn(&[T]) -> T) -> (T, Vec<T>) {
    match &columns[..] {
        [only] => (only.clone(), Vec::new()),
        several => (of_columns(several), columns),
    }
}

/// The mean of what is there; `None` if nothing is.
pub(super) fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let (sum, count) = values.flatten().fold((0.0, 0), |(sum, n), value| (sum + value, n + 1));
    (count > 0).then(|| sum / f64::from(count))
}
