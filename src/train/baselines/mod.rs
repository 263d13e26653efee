//! What a network should beat: always the same answer, and a linear model.
//!
//! Both are networks without hidden layers, of the same features and tasks, so that all that predicts, judges or saves a network
//! does so with them. They are trained on the same rows, task by task; of the linear model only the strength of its penalty is
//! chosen by the validation rows, as the network's epoch is.

mod linear;
mod start;
#[cfg(test)]
mod tests;

use self::linear::{Fitted, Penalty, USUAL, fit};
use crate::data::{Dataset, Matrix, Target, Values};
use crate::engine::check_features;
use crate::error::{Error, Result};
use crate::loss::{Loss, Task};
use crate::network::{Activation, Network, Tensor};
use crate::train::{TaskMetrics, metrics};
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
    /// The strength of each task's penalty: `alpha` of scikit-learn's `Ridge`, `1/C` of its `LogisticRegression`.
    pub penalties: Vec<f64>,
    /// By which the linear model answers, by task, where not with the likelier class
    /// ([`Encoder::with_thresholds`](crate::Encoder::with_thresholds)); none are fitted.
    pub thresholds: BTreeMap<String, Vec<f64>>,
}

impl Baselines {
    /// Fits both on training rows, and chooses the penalty by the validation rows; without these it is that which scikit-learn's
    /// `Ridge` and `LogisticRegression` have by default (`alpha` and `C` of 1).
    ///
    /// Weights of rows weigh both models' rows as they do the network's, class weights those of the linear one; the constant answers know
    /// nothing of these. Labels are not smoothed. Of very many rows a part is taken.
    ///
    /// # Errors
    /// Those of [`Network::new`].
    pub fn fit(tasks: &[Task], training: &Dataset, validation: Option<&Dataset>) -> Result<Self> {
        Self::fit_by(tasks, training, |index| match validation {
            Some(rows) => Penalty::Chosen((rows.features(), &rows.targets()[index])),
            None => Penalty::Given(USUAL),
        })
    }

    /// Fits both on training rows, the linear model with these [penalties](Self::penalties), one a task.
    ///
    /// # Errors
    /// Those of [`Network::new`], and [`Error::Mismatch`](crate::Error::Mismatch) for another number of penalties.
    pub fn fit_with(tasks: &[Task], training: &Dataset, penalties: &[f64]) -> Result<Self> {
        if penalties.len() != tasks.len() {
            return Err(Error::Mismatch {
                what: "the penalties of the linear models".into(),
                unit: "entries",
                found: penalties.len(),
                expected: tasks.len(),
                why: "one a task".into(),
            });
        }
        Self::fit_by(tasks, training, |index| Penalty::Given(penalties[index]))
    }

    fn fit_by<'a>(
        tasks: &[Task],
        training: &Dataset,
        penalty: impl Fn(usize) -> Penalty<'a>,
    ) -> Result<Self> {
        let features = training.features().columns();
        let network = Self::network(features, tasks)?;
        let mut constant = vec![0.0; network.parameter_count()];
        let mut linear = constant.clone();
        let tensors = network.tensors();
        let mut tensors = tensors.iter();
        let (mut unfitted, mut penalties) = (Vec::new(), Vec::new());
        for (index, task) in tasks.iter().enumerate() {
            // Weight, then bias.
            let (Some(weight), Some(bias)) = (tensors.next(), tensors.next()) else { break };
            let answer = constant_answer(task, &training.targets()[index]);
            put(&mut constant, bias, &answer);
            let training = (training.features(), &training.targets()[index]);
            match fit(task, training, penalty(index), &answer[..task.width]) {
                Some(Fitted { mut weights, mut biases, penalty }) => {
                    biases.extend(log_scales(task, training.1, |row, column| {
                        let weights = weights[column * features..][..features].iter();
                        let products = weights.zip(training.0.row(row));
                        biases[column] + products.map(|(w, &x)| w * f64::from(x)).sum::<f64>()
                    }));
                    weights.resize(task.outputs() * features, 0.0);
                    put(&mut linear, weight, &weights);
                    put(&mut linear, bias, &biases);
                    penalties.push(penalty);
                }
                None => {
                    unfitted.push(task.name.clone());
                    penalties.push(USUAL);
                    put(&mut linear, bias, &answer);
                }
            }
        }
        let thresholds = BTreeMap::new();
        Ok(Self { network, constant, linear, unfitted, penalties, thresholds })
    }

    /// The mean loss of each task over other rows, were all of them given the answer that is best for the training rows: what a network
    /// that has learned nothing comes to. `None` of a task without a label there.
    ///
    /// # Errors
    /// Those of [`Network::new`] and [`metrics`].
    pub fn constant_losses(
        tasks: &[Task],
        training: &Dataset,
        rows: &Dataset,
    ) -> Result<Vec<Option<f64>>> {
        let network = Self::network(training.features().columns(), tasks)?;
        let answers = tasks.iter().zip(training.targets());
        let answers = answers.flat_map(|(task, target)| constant_answer(task, target));
        let answers: Vec<f32> = answers.map(|answer| answer as f32).collect();
        let predictions = Matrix::new(answers.len(), answers.repeat(rows.rows()))?;
        let metrics = metrics(&network, &predictions, rows)?;
        Ok(metrics.iter().map(|it| it.as_ref().and_then(TaskMetrics::loss)).collect())
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

/// The best answer that is the same for all rows, as the network would give it: numbers and the logarithms of their noise's scales, or
/// logits.
fn constant_answer(task: &Task, target: &Target) -> Vec<f64> {
    let mut answer = constant_columns(task, target);
    let scales = log_scales(task, target, |_, column| answer[column]);
    answer.extend(scales);
    answer
}

/// The logarithms of the scales of a noise that is the same for all rows, a column each, by what these predictions (of a row and
/// column) leave of the labels; none of losses that predict no noise.
fn log_scales(task: &Task, target: &Target, predicted: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let Values::Numbers(numbers) = target.values() else { return Vec::new() };
    let rows: Vec<usize> = (0..target.rows()).filter(|&row| target.has_label(row)).collect();
    let relative = relative_weights(target, &rows);
    let column = |column: usize| {
        let sum = |of: fn(f64) -> f64| -> f64 {
            let term = |&row: &usize| {
                relative[row] * of(f64::from(numbers.row(row)[column]) - predicted(row, column))
            };
            rows.iter().map(term).sum::<f64>() / (rows.len().max(1) as f64)
        };
        let variance = match task.loss {
            Loss::LaplaceNll => 2.0 * sum(f64::abs).powi(2),
            _ => sum(|difference| difference * difference),
        };
        task.loss.log_scale(variance)
    };
    (0..task.width).filter_map(column).collect()
}

/// Of every column or class.
fn constant_columns(task: &Task, target: &Target) -> Vec<f64> {
    let rows: Vec<usize> = (0..target.rows()).filter(|&row| target.has_label(row)).collect();
    let relative = relative_weights(target, &rows);
    match target.values() {
        Values::Classes(classes) => {
            // Half a row each, so that the logarithm of none is finite.
            let mut counts = vec![0.5; task.width];
            for &row in &rows {
                counts[classes[row] as usize] += relative[row];
            }
            let all: f64 = counts.iter().sum();
            counts.iter().map(|count| (count / all).ln()).collect()
        }
        Values::Numbers(numbers) => {
            let column = |column: usize| {
                // Numbers and how much each counts.
                let mut values: Vec<(f64, f64)> = rows
                    .iter()
                    .map(|&row| (numbers.row(row)[column].into(), relative[row]))
                    .collect();
                let sum: f64 = values.iter().map(|(value, weight)| weight * value).sum();
                let count: f64 = values.iter().map(|(_, weight)| weight).sum();
                match task.loss {
                    _ if values.is_empty() => 0.0,
                    Loss::Bce => ((sum + 0.5) / (count - sum + 0.5)).ln(),
                    Loss::Mae | Loss::LaplaceNll => middle(&mut values, 0.5),
                    Loss::Quantile { quantile } => middle(&mut values, quantile.into()),
                    // Half a count at least, whose logarithm is finite.
                    Loss::Poisson => {
                        let counts = values.iter().map(|(value, _)| *value);
                        let least = 0.5 * counts.filter(|it| *it > 0.0).fold(1.0, f64::min);
                        (sum.max(least) / count).ln()
                    }
                    _ => sum / count,
                }
            };
            (0..task.width).map(column).collect()
        }
    }
}

/// How much each row counts, shape `[rows]`, as many times 1 as those named are together; 1 each where all of them count for nothing.
fn relative_weights(target: &Target, rows: &[usize]) -> Vec<f64> {
    let weights = (0..target.rows()).map(|row| f64::from(target.sample_weight(row)));
    let weights: Vec<f64> = weights.collect();
    let sum: f64 = rows.iter().map(|&row| weights[row]).sum();
    let scale = rows.len() as f64 / sum;
    weights.into_iter().map(|weight| if sum > 0.0 { weight * scale } else { 1.0 }).collect()
}

/// The number below which this share of some numbers lies by their weights, one at least; of equal weights in a straight line between
/// two, as everybody has it.
fn middle(values: &mut [(f64, f64)], share: f64) -> f64 {
    values.sort_by(|one, other| one.0.total_cmp(&other.0));
    if values.windows(2).all(|pair| pair[0].1 == pair[1].1) {
        let place = share * (values.len() - 1) as f64;
        let (below, above) = (values[place.floor() as usize].0, values[place.ceil() as usize].0);
        return below + place.fract() * (above - below);
    }
    let mut left = share * values.iter().map(|(_, weight)| weight).sum::<f64>();
    for (value, weight) in &*values {
        left -= weight;
        if left <= 0.0 && *weight > 0.0 {
            return *value;
        }
    }
    values.last().map_or(0.0, |(value, _)| *value)
}

/// How much a row of this class counts.
fn row_weight(task: &Task, class: usize) -> f64 {
    match &task.loss {
        Loss::CrossEntropy { class_weights: Some(weights), .. } => weights[class].into(),
        _ => 1.0,
    }
}
