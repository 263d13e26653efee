//! The objective: task losses over a batch, their weighted sum, and its gradients.
//!
//! With `L` a task's mean loss over its labelled rows and `w` its weight,
//! `total = Σ w·L + regulariser`, `∂total/∂prediction = w · ∂L/∂prediction`, and `∂total/∂σ` (or
//! `∂total/∂(ln σ²)`) is the weighting's. A task without a label in the batch is left out of every one of them.

use crate::data::{Target, Values};
use crate::engine::recipe::Recipe;
use crate::engine::step::TaskRecord;
use crate::loss::Task;
use std::ops::Range;

/// The objective's value and gradients at a batch of predictions.
pub(super) struct Objective {
    /// `Σ w·L + regulariser` over the tasks that have a label.
    pub(super) total: f64,
    /// Loss, weight and σ of each task.
    pub(super) tasks: Vec<TaskRecord>,
    /// The total's gradient for the weighting's parameter, shape `[tasks]`.
    pub(super) sigma: Vec<f64>,
    /// `∂total/∂prediction`, shape `[rows, outputs]`.
    pub(super) predictions: Vec<f64>,
}

impl Objective {
    /// Evaluates the objective for these rows of the dataset; `parameters` are the weighting's, shape `[tasks]`, and
    /// `predictions` have shape `[rows, outputs]`.
    pub(super) fn evaluate(
        recipe: &Recipe,
        targets: &[Target],
        rows: &[usize],
        parameters: &[f64],
        predictions: &[f64],
    ) -> Self {
        let Recipe { network, weighting, .. } = recipe;
        let mut objective = Self {
            total: 0.0,
            tasks: Vec::new(),
            sigma: Vec::new(),
            predictions: vec![0.0; predictions.len()],
        };
        for (index, task) in network.tasks().iter().enumerate() {
            let first = network.offsets()[index];
            let head = Head {
                task,
                target: &targets[index],
                columns: first..first + task.outputs(),
                outputs: network.outputs(),
            };
            let parameter = parameters[index];
            let weight = weighting.weight(parameter);
            let loss = head.mean_loss(rows, predictions, weight, &mut objective.predictions);
            let regulariser = weighting.regulariser(parameter);
            if let Some(loss) = loss {
                objective.total += weight * loss + regulariser;
            }
            let gradient = |loss| match weighting.is_held(index) {
                true => 0.0,
                false => weighting.parameter_gradient(loss, parameter),
            };
            objective.sigma.push(loss.map_or(0.0, gradient));
            let sigma = weighting.sigma(index, parameter);
            objective.tasks.push(TaskRecord { loss, weight, regulariser, sigma });
        }
        objective
    }
}

/// A task at its place among the predictions.
struct Head<'a> {
    task: &'a Task,
    target: &'a Target,
    /// The task's columns of the predictions.
    columns: Range<usize>,
    /// All columns of the predictions.
    outputs: usize,
}

impl Head<'_> {
    /// The mean loss over the labelled rows, `None` without one; writes `weight · ∂L/∂prediction` to the
    /// task's columns of `gradients`. Predictions and gradients have shape `[rows, outputs]`.
    fn mean_loss(
        &self,
        rows: &[usize],
        predictions: &[f64],
        weight: f64,
        gradients: &mut [f64],
    ) -> Option<f64> {
        let normaliser: f64 = rows.iter().map(|&row| self.task.row_weight(self.target, row)).sum();
        if normaliser == 0.0 {
            return None;
        }
        let mut sum = 0.0;
        let predictions = predictions.chunks_exact(self.outputs);
        let gradients = gradients.chunks_exact_mut(self.outputs);
        for ((&row, prediction), gradient) in rows.iter().zip(predictions).zip(gradients) {
            if !self.target.has_label(row) {
                continue;
            }
            let gradient = &mut gradient[self.columns.clone()];
            let own = f64::from(self.target.sample_weight(row));
            sum += own * self.row_loss(row, &prediction[self.columns.clone()], gradient);
            for g in gradient {
                *g *= own * weight / normaliser;
            }
        }
        Some(sum / normaliser)
    }

    /// A labelled row's loss, with its derivatives in `gradient`, neither divided by the normaliser;
    /// prediction and gradient have shape `[outputs]`.
    fn row_loss(&self, row: usize, prediction: &[f64], gradient: &mut [f64]) -> f64 {
        let loss = &self.task.loss;
        match self.target.values() {
            Values::Classes(classes) => loss.class_row(prediction, classes[row], gradient),
            Values::Numbers(numbers) => {
                let labels: Vec<f64> = numbers.row(row).iter().map(|&t| t.into()).collect();
                loss.number_row(prediction, &labels, gradient)
            }
        }
    }
}
