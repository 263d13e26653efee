//! Ridge and logistic regression with an L2 penalty, by a truncated Newton method: each step is solved for by conjugate gradients,
//! which need no more than products of the Hessian with a vector (Nocedal and Wright, *Numerical Optimization*, algorithm 7.1).
//!
//! The objective is `(Σ wᵢ·lossᵢ + α/2·‖W‖²)/Σ wᵢ`, that of numbers half the squared error, the biases without a penalty: α is
//! `alpha` of scikit-learn's `Ridge` and `1/C` of its `LogisticRegression`. Sums are taken in pieces that do
//! not depend on the number of cores, so that every machine has the same result.

use super::super::parallel::in_parallel;
use super::row_weight;
use crate::data::{Matrix, Target, Values};
use crate::loss::{Loss, Task};
use std::collections::HashSet;

/// Strengths of the penalty to choose from, the strongest first, and the one without a choice.
const PENALTIES: [f64; 5] = [1_000.0, 100.0, 10.0, 1.0, 0.1];
pub(super) const USUAL: f64 = 1.0;

/// How strong the penalty is.
pub(super) enum Penalty<'a> {
    Given(f64),
    /// By these validation rows.
    Chosen(Rows<'a>),
}

/// A linear model: weights, shape `[width, features]`, biases, and the strength of its penalty.
pub(super) struct Fitted {
    pub weights: Vec<f64>,
    pub biases: Vec<f64>,
    pub penalty: f64,
}

/// Multiply-adds of one pass over the rows; of more rows a part is taken, evenly.
const MOST_WORK: usize = 40_000_000;
/// Rows of which it is counted how many values are not 0.
const SOME: usize = 1_000;
/// Probabilities that are kept.
const MOST_CELLS: usize = 4_000_000;

const MOST_STEPS: usize = 15;
const MOST_ROUNDS: usize = 30;
/// The gradient's norm, of that at the start, at which the fit is done.
const DONE: f64 = 1e-5;

/// Pieces of the rows, whose sums are added in order.
const PIECES: usize = 16;

/// Features and labels of some rows.
pub(super) type Rows<'a> = (&'a Matrix, &'a Target);

/// Weights of a model, at most; and the fewest rows of many that are worth a fit.
const MOST_WEIGHTS: usize = 4_000_000;
const FEWEST: usize = 1_000;

/// The linear model of a task, which starts from always this answer; nothing where
/// it has too many weights, or would be fitted to too few of the rows.
pub(super) fn fit(
    task: &Task,
    training: Rows<'_>,
    penalty: Penalty<'_>,
    answer: &[f64],
) -> Option<Fitted> {
    let problem = Problem::new(task, training);
    if problem.penalised() > MOST_WEIGHTS || problem.is_cut && problem.rows.len() < FEWEST {
        return None;
    }
    // Labels that no training row has would drown the choice.
    let (judge, usual) = match penalty {
        Penalty::Given(usual) => (None, usual),
        Penalty::Chosen(rows) => (Some(Problem::new(task, rows).of_classes_in(&problem)), USUAL),
    };
    let judge = judge.filter(|it| !it.rows.is_empty());
    let mut at = vec![0.0; problem.penalised()];
    at.extend(answer);
    let penalties = if judge.is_some() { &PENALTIES[..] } else { &[usual] };
    let mut best: Option<(f64, f64, Vec<f64>)> = None;
    for penalty in penalties {
        at = problem.minimised(at, *penalty);
        let score = judge.as_ref().map_or(0.0, |judge| judge.evaluate(&at, 0.0).loss);
        if best.as_ref().is_none_or(|(lowest, ..)| score < *lowest) {
            best = Some((score, *penalty, at.clone()));
        }
    }
    let (penalty, fitted) = best.map_or((usual, at), |(_, penalty, fitted)| (penalty, fitted));
    let (weights, biases) = fitted.split_at(problem.penalised());
    let of_output = |output| weights.iter().skip(output).step_by(task.width).copied();
    let weights = (0..task.width).flat_map(of_output).collect();
    Some(Fitted { weights, biases: biases.to_vec(), penalty })
}

/// A task's labelled rows. Its parameters are the weights, shape `[features, width]`, then the biases: a feature that is 0, as most
/// of a category's are, costs nothing.
struct Problem<'a> {
    task: &'a Task,
    features: &'a Matrix,
    target: &'a Target,
    rows: Vec<usize>,
    /// Whether these are but a part.
    is_cut: bool,
    weights: f64,
}

/// A point of the objective.
struct Point {
    loss: f64,
    gradient: Vec<f64>,
    /// Of classes the probabilities, of counts those that are expected, shape `[rows, width]`; nothing of other numbers.
    probabilities: Vec<Vec<f64>>,
}

impl<'a> Problem<'a> {
    fn new(task: &'a Task, (features, target): Rows<'a>) -> Self {
        let rows: Vec<usize> = (0..target.rows()).filter(|&row| target.has_label(row)).collect();
        let some = rows.iter().step_by(rows.len().div_ceil(SOME).max(1));
        let values = some.clone().flat_map(|&row| features.row(row)).filter(|x| **x != 0.0);
        let a_row = 1 + values.count() / some.count().max(1);
        let most = (MOST_WORK / (task.width * a_row)).min(MOST_CELLS / task.width);
        let every = rows.len().div_ceil(most.max(1)).max(1);
        let rows: Vec<usize> = rows.into_iter().step_by(every).collect();
        let mut problem = Self { task, features, target, rows, is_cut: every > 1, weights: 0.0 };
        problem.weights = problem.rows.iter().map(|&row| problem.weight(row)).sum();
        problem
    }

    /// The same without rows of classes that another has none of.
    fn of_classes_in(mut self, other: &Problem<'_>) -> Self {
        let class = |problem: &Problem<'_>, row: usize| match problem.target.values() {
            Values::Classes(classes) => Some(classes[row]),
            Values::Numbers(_) => None,
        };
        let known: HashSet<_> = other.rows.iter().map(|&row| class(other, row)).collect();
        let rows = std::mem::take(&mut self.rows).into_iter();
        self.rows = rows.filter(|&row| known.contains(&class(&self, row))).collect();
        self.weights = self.rows.iter().map(|&row| self.weight(row)).sum();
        self
    }

    /// Numbers that have a penalty, which come first: all but the biases.
    fn penalised(&self) -> usize {
        self.features.columns() * self.task.width
    }

    fn weight(&self, row: usize) -> f64 {
        let own = f64::from(self.target.sample_weight(row));
        match self.target.values() {
            Values::Classes(classes) => own * row_weight(self.task, classes[row] as usize),
            Values::Numbers(_) => own,
        }
    }

    /// The label of an output.
    fn label(&self, row: usize, output: usize) -> f64 {
        match self.target.values() {
            Values::Classes(classes) => f64::from(classes[row] as usize == output),
            Values::Numbers(numbers) => numbers.row(row)[output].into(),
        }
    }

    /// The outputs of a row.
    fn outputs(&self, row: usize, at: &[f64]) -> Vec<f64> {
        let (weights, biases) = at.split_at(self.penalised());
        let mut outputs = biases.to_vec();
        let features = self.features.row(row).iter().zip(weights.chunks_exact(self.task.width));
        for (&x, weights) in features.filter(|(x, _)| **x != 0.0) {
            add(&mut outputs, x.into(), weights);
        }
        outputs
    }

    /// Adds the outer product of a row's features and what is there of its outputs.
    fn add(&self, to: &mut [f64], row: usize, of_outputs: &[f64]) {
        let (weights, biases) = to.split_at_mut(self.penalised());
        let weights = weights.chunks_exact_mut(self.task.width);
        let features = self.features.row(row).iter().zip(weights);
        for (&x, sums) in features.filter(|(x, _)| **x != 0.0) {
            add(sums, x.into(), of_outputs);
        }
        add(biases, 1.0, of_outputs);
    }

    /// Sums over the rows, piece by piece.
    fn over_rows<T: Send>(&self, of_piece: impl Fn(usize, &[usize]) -> T + Sync) -> Vec<T> {
        let size = self.rows.len().div_ceil(PIECES).max(1);
        let pieces: Vec<&[usize]> = self.rows.chunks(size).collect();
        let cells = self.rows.len() * self.features.columns();
        in_parallel(pieces.len(), cells, |piece| of_piece(piece, pieces[piece]))
    }

    fn evaluate(&self, at: &[f64], penalty: f64) -> Point {
        let piece = |_, rows: &[usize]| {
            let (mut loss, mut gradient) = (0.0, vec![0.0; at.len()]);
            let mut probabilities = Vec::new();
            for &row in rows {
                let mut outputs = self.outputs(row, at);
                let weight = self.weight(row) / self.weights;
                loss += weight * self.loss(row, &mut outputs);
                let residual = outputs.iter().enumerate();
                let residual = residual.map(|(k, p)| weight * (p - self.label(row, k)));
                let residual: Vec<f64> = residual.collect();
                self.add(&mut gradient, row, &residual);
                if self.is_curved() {
                    probabilities.extend(outputs);
                }
            }
            (loss, gradient, probabilities)
        };
        let mut point =
            Point { loss: 0.0, gradient: vec![0.0; at.len()], probabilities: Vec::new() };
        for (loss, gradient, probabilities) in self.over_rows(piece) {
            point.loss += loss;
            add(&mut point.gradient, 1.0, &gradient);
            point.probabilities.push(probabilities);
        }
        let strength = penalty / self.weights;
        for (at, gradient) in at.iter().zip(&mut point.gradient).take(self.penalised()) {
            point.loss += strength / 2.0 * at * at;
            *gradient += strength * at;
        }
        point
    }

    /// Whether the loss's curvature changes from place to place: that of squares, which stand for all other losses of numbers, does not.
    fn is_curved(&self) -> bool {
        matches!(self.task.loss, Loss::Bce | Loss::CrossEntropy { .. } | Loss::Poisson)
    }

    /// A row's loss; the outputs become what labels are compared with: numbers, expected counts, or probabilities.
    fn loss(&self, row: usize, outputs: &mut [f64]) -> f64 {
        let labels = (0..outputs.len()).map(|output| self.label(row, output));
        match self.task.loss {
            Loss::Bce => {
                let loss = |(logit, label): (&mut f64, f64)| {
                    let loss = logit.max(0.0) - *logit * label + (-logit.abs()).exp().ln_1p();
                    *logit = 1.0 / (1.0 + (-*logit).exp());
                    loss
                };
                outputs.iter_mut().zip(labels).map(loss).sum()
            }
            Loss::CrossEntropy { .. } => {
                let largest = outputs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = outputs.iter().map(|logit| (logit - largest).exp()).sum();
                let normaliser = largest + sum.ln();
                let picked: f64 =
                    outputs.iter().zip(labels).map(|(logit, label)| logit * label).sum();
                outputs.iter_mut().for_each(|logit| *logit = (*logit - normaliser).exp());
                normaliser - picked
            }
            Loss::Poisson => {
                let loss = |(rate, label): (&mut f64, f64)| {
                    let loss = Loss::Poisson.element(*rate, label).0;
                    *rate = rate.exp();
                    loss
                };
                outputs.iter_mut().zip(labels).map(loss).sum()
            }
            _ => outputs.iter().zip(labels).map(|(p, label)| (p - label).powi(2) / 2.0).sum(),
        }
    }

    /// The Hessian at a point times a vector.
    fn curvature(&self, point: &Point, vector: &[f64], penalty: f64) -> Vec<f64> {
        let piece = |piece: usize, rows: &[usize]| {
            let mut product = vec![0.0; vector.len()];
            let mut probabilities = &point.probabilities[piece][..];
            for &row in rows {
                let mut outputs = self.outputs(row, vector);
                let weight = self.weight(row) / self.weights;
                if self.is_curved() {
                    let (own, others) = probabilities.split_at(self.task.width);
                    probabilities = others;
                    curve(&self.task.loss, &mut outputs, own);
                }
                outputs.iter_mut().for_each(|output| *output *= weight);
                self.add(&mut product, row, &outputs);
            }
            product
        };
        let mut product = vec![0.0; vector.len()];
        for of_piece in self.over_rows(piece) {
            add(&mut product, 1.0, &of_piece);
        }
        let strength = penalty / self.weights;
        for (vector, product) in vector.iter().zip(&mut product).take(self.penalised()) {
            *product += strength * vector;
        }
        product
    }

    /// The minimum of the objective, from a start.
    fn minimised(&self, mut at: Vec<f64>, penalty: f64) -> Vec<f64> {
        if self.rows.is_empty() || self.weights <= 0.0 {
            return at;
        }
        let mut point = self.evaluate(&at, penalty);
        let done = DONE * norm(&point.gradient).max(1e-3);
        for _ in 0..MOST_STEPS {
            let size = norm(&point.gradient);
            if size <= done {
                break;
            }
            let step = self.newton_step(&point, penalty, size.sqrt().min(0.5) * size);
            let slope = dot(&step, &point.gradient);
            let mut length = 1.0;
            // Halved until the loss falls by a part of what the slope promises.
            let next = loop {
                let mut there = at.clone();
                add(&mut there, length, &step);
                let next = self.evaluate(&there, penalty);
                if next.loss <= point.loss + 1e-4 * length * slope {
                    break Some((there, next));
                }
                length /= 2.0;
                if length < 1e-6 {
                    break None;
                }
            };
            let Some((there, next)) = next else { break };
            (at, point) = (there, next);
        }
        at
    }

    /// An approximate solution of `H·step = −gradient`, with so large a residual at most.
    fn newton_step(&self, point: &Point, penalty: f64, enough: f64) -> Vec<f64> {
        let mut step = vec![0.0; point.gradient.len()];
        let mut residual: Vec<f64> = point.gradient.iter().map(|value| -value).collect();
        let mut direction = residual.clone();
        let mut square = dot(&residual, &residual);
        for _ in 0..MOST_ROUNDS {
            let product = self.curvature(point, &direction, penalty);
            let curvature = dot(&direction, &product);
            if curvature <= 0.0 {
                break;
            }
            let length = square / curvature;
            add(&mut step, length, &direction);
            add(&mut residual, -length, &product);
            let next = dot(&residual, &residual);
            if next.sqrt() <= enough {
                break;
            }
            let ratio = next / square;
            direction.iter_mut().zip(&residual).for_each(|(d, r)| *d = r + ratio * *d);
            square = next;
        }
        step
    }
}

/// What a change of the outputs changes of the gradient at them, by the probabilities or counts there.
fn curve(loss: &Loss, change: &mut [f64], probabilities: &[f64]) {
    match loss {
        Loss::Bce => {
            change.iter_mut().zip(probabilities).for_each(|(change, p)| *change *= p * (1.0 - p));
        }
        Loss::Poisson => {
            change.iter_mut().zip(probabilities).for_each(|(change, rate)| *change *= rate);
        }
        _ => {
            let mean = dot(change, probabilities);
            change
                .iter_mut()
                .zip(probabilities)
                .for_each(|(change, p)| *change = p * (*change - mean));
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

fn add(to: &mut [f64], times: f64, of: &[f64]) {
    to.iter_mut().zip(of).for_each(|(to, of)| *to += times * of);
}
