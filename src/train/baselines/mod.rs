//! What a network should beat: always the same answer, and a linear model.
//!
//! Both are networks without hidden layers, of the same features and tasks, so that all that predicts, judges or saves a network
//! does so with them. They are trained on the same rows, task by task; of the linear model only the strength of its penalty is
//! chosen by the validation rows, as the network's epoch is.

mod linear;
#[cfg(test)]
mod tests;

use self::linear::fit;
use crate::data::{Dataset, Matrix, Target, Values};
use crate::engine::check_features;
use crate::error::Result;
use crate::loss::{Loss, Task};
use crate::network::{Activation, Network, Tensor};
use std::collections::BTreeMap;

/// Trivial and linear models of the tasks of a network.
#[derive(Clone, Debug)]
pub struct Baselines {
    /// Without hidden layers, and with the network's features and tasks.
    pub network: Network,
    /// Parameters with which it always gives the same answer: the labels' mean (of `mae` their median, of
    /// `quantile` theirs), and the classes' shares.
    pub constant: Vec<f64>,
    /// Those of a linear model: ridge regression for numbers, logistic regression with an L2 penalty for classes.
    pub linear: Vec<f64>,
    /// Tasks whose linear model would have too many weights for the time there is and was not fitted: it always gives the same answer.
    pub unfitted: Vec<String>,
    /// By which the linear model answers, by task, where not with the likelier class
    /// ([`Encoder::with_thresholds`](crate::Encoder::with_thresholds)); none are fitted.
    pub thresholds: BTreeMap<String, Vec<f64>>,
}

impl Baselines {
    /// Fits both on training rows, and chooses the penalty by the validation rows; without these it is that which scikit-learn's
    /// `Ridge` and `LogisticRegression` have by default (`alpha` and `C` of 1).
    ///
    /// Class weights weigh the linear model's rows as they do the network's; the constant answers are the plain shares. Labels are not
    /// smoothed. Of very many rows a part is taken.
    ///
    /// # Errors
    /// Those of [`Network::new`].
    pub fn fit(tasks: &[Task], training: &Dataset, validation: Option<&Dataset>) -> Result<Self> {
        let features = training.features().columns();
        let network = Self::network(features, tasks)?;
        let mut constant = vec![0.0; network.parameter_count()];
        let mut linear = constant.clone();
        let tensors = network.tensors();
        let mut tensors = tensors.iter();
        let mut unfitted = Vec::new();
        for (index, task) in tasks.iter().enumerate() {
            // Weight, then bias.
            let (Some(weight), Some(bias)) = (tensors.next(), tensors.next()) else { break };
            let answer = constant_answer(task, &training.targets()[index]);
            put(&mut constant, bias, &answer);
            let validation = validation.map(|rows| (rows.features(), &rows.targets()[index]));
            let training = (training.features(), &training.targets()[index]);
            match fit(task, training, validation, &answer) {
                Some((weights, biases)) => {
                    put(&mut linear, weight, &weights);
                    put(&mut linear, bias, &biases);
                }
                None => {
                    unfitted.push(task.name.clone());
                    put(&mut linear, bias, &answer);
                }
            }
        }
        Ok(Self { network, constant, linear, unfitted, thresholds: BTreeMap::new() })
    }

    /// What both are networks of.
    ///
    /// # Errors
    /// Those of [`Network::new`].
    pub fn network(features: usize, tasks: &[Task]) -> Result<Network> {
        Network::new(features, &[], Activation::Relu, tasks)
    }

    /// Their predictions, of shape `[rows, outputs]`: those of the constant answers, then those of the linear model.
    ///
    /// # Errors
    /// [`Error::Mismatch`](crate::Error::Mismatch) for another number of features.
    pub fn predict(&self, features: &Matrix) -> Result<[Matrix; 2]> {
        check_features(&self.network, features)?;
        let [constant, linear] =
            [&self.constant, &self.linear].map(|it| self.outputs(it, features));
        Ok([constant?, linear?])
    }

    fn outputs(&self, parameters: &[f64], features: &Matrix) -> Result<Matrix> {
        let (inputs, outputs) = (self.network.features(), self.network.outputs());
        let (weights, biases) = parameters.split_at(inputs * outputs);
        let row = |row: usize| {
            let features = features.row(row);
            let output = move |(weights, bias): (&[f64], &f64)| {
                let products = weights.iter().zip(features).map(|(w, &x)| w * f64::from(x));
                (bias + products.sum::<f64>()) as f32
            };
            weights.chunks_exact(inputs).zip(biases).map(output)
        };
        Matrix::new(outputs, (0..features.rows()).flat_map(row).collect())
    }
}

fn put(parameters: &mut [f64], tensor: &Tensor, values: &[f64]) {
    parameters[tensor.range.clone()].copy_from_slice(values);
}

/// The best answer that is the same for all rows, as the network would give it: numbers, or logits.
fn constant_answer(task: &Task, target: &Target) -> Vec<f64> {
    let rows: Vec<usize> = (0..target.rows()).filter(|&row| target.has_label(row)).collect();
    match target.values() {
        Values::Classes(classes) => {
            // Half a row each, so that the logarithm of none is finite.
            let mut counts = vec![0.5; task.width];
            for &row in &rows {
                counts[classes[row] as usize] += 1.0;
            }
            let all: f64 = counts.iter().sum();
            counts.iter().map(|count| (count / all).ln()).collect()
        }
        Values::Numbers(numbers) => {
            let column = |column: usize| {
                let mut values: Vec<f64> =
                    rows.iter().map(|&row| numbers.row(row)[column].into()).collect();
                match task.loss {
                    _ if values.is_empty() => 0.0,
                    Loss::Bce => {
                        let yes: f64 = values.iter().sum();
                        ((yes + 0.5) / (values.len() as f64 - yes + 0.5)).ln()
                    }
                    Loss::Mae => middle(&mut values, 0.5),
                    Loss::Quantile { quantile } => middle(&mut values, quantile.into()),
                    // Half a count at least, whose logarithm is finite.
                    Loss::Poisson => {
                        let sum = values.iter().sum::<f64>();
                        let least =
                            0.5 * values.iter().copied().filter(|it| *it > 0.0).fold(1.0, f64::min);
                        (sum.max(least) / values.len() as f64).ln()
                    }
                    _ => values.iter().sum::<f64>() / values.len() as f64,
                }
            };
            (0..task.width).map(column).collect()
        }
    }
}

/// The number below which this share of some numbers lies, one at least; in a straight line between two.
fn middle(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = share * (values.len() - 1) as f64;
    let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
    below + place.fract() * (above - below)
}

/// How much a row of this class counts.
fn row_weight(task: &Task, class: usize) -> f64 {
    match &task.loss {
        Loss::CrossEntropy { class_weights: Some(weights), .. } => weights[class].into(),
        _ => 1.0,
    }
}
