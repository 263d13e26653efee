//! The first row of a batch at which numbers left the finite ones, looked for once training has stopped.
//!
//! The kernels mark the step alone: a mark a row would cost every step something, and a step fails once. The parameters from before
//! it are kept and its batch is known, so its rows are taken through the network one by one here, in the order of the dataset and with
//! the step's dropout: by the formulas in `f64`, every result of which is rounded to the engine's precision. Programs add up in other
//! orders, so only a row whose numbers are within a rounding of the largest may be judged otherwise than by its kernel.

use super::outcome::Failure;
use super::recipe::Recipe;
use super::step::Step;
use crate::error::{Extreme, FirstRow};
use crate::loss::{Labels, NONE, Task};
use crate::network::{Dropout, Layer};
use std::ops::Range;

/// A failed step's batch, to be looked through.
pub(super) struct Search<'a> {
    recipe: &'a Recipe,
    labels: &'a Labels,
    layers: Vec<Layer>,
    parameters: &'a [f64],
    /// What a row's slope of each task is multiplied by: the task's weight over its normaliser.
    scales: Vec<f64>,
    /// The task whose loss failed; none where a gradient did.
    task: Option<usize>,
    dropout: Option<Dropout>,
    /// Rows of the dataset with their places in the batch, in the dataset's order.
    visits: Vec<(usize, usize)>,
    round: fn(f64) -> f64,
}

impl<'a> Search<'a> {
    /// A search through the batch of the step that failed, with the network's parameters and the weighting's from before it; `None`
    /// where no row is to blame. `round` gives a number the engine's precision.
    pub fn new(
        recipe: &'a Recipe,
        failure: &Failure,
        labels: &'a Labels,
        rows: usize,
        [parameters, sigma]: [&'a [f64]; 2],
        round: fn(f64) -> f64,
    ) -> Option<Self> {
        let (number, task) = match *failure {
            Failure::Loss { step, task, .. } => (step, Some(task)),
            Failure::Gradient { step, .. } => (step, None),
            Failure::Weights { .. } => return None,
        };
        let probability = recipe.network.dropout();
        let visits = visits(recipe, &Step::numbered(number, rows, recipe.batch), rows);
        let mut search = Self {
            recipe,
            labels,
            layers: recipe.network.layers(),
            parameters,
            scales: Vec::new(),
            task,
            dropout: (probability > 0.0).then(|| Dropout::new(probability, recipe.seed, number)),
            visits,
            round,
        };
        search.scales = (0..sigma.len()).map(|task| search.scale(task, sigma[task])).collect();
        Some(search)
    }

    /// The first row of the batch among these of the dataset, from row `start` on, whose loss or gradient is not finite. Features have
    /// shape `[rows, features]`.
    pub fn among(&self, start: usize, features: &[f32]) -> Option<FirstRow> {
        let width = self.recipe.network.features();
        let own = self.within(&(start..start + features.len() / width)).iter();
        own.map(|&(row, place)| (row, place, &features[(row - start) * width..][..width]))
            .find(|&(row, place, features)| self.fails(row, place, features))
            .map(|(row, _, features)| self.first_row(row, features))
    }

    /// Whether the batch has a row among these.
    pub fn concerns(&self, rows: &Range<usize>) -> bool {
        !self.within(rows).is_empty()
    }

    /// The batch's visits to these rows.
    fn within(&self, rows: &Range<usize>) -> &[(usize, usize)] {
        let first_from = |row: usize| self.visits.partition_point(|(of, _)| *of < row);
        &self.visits[first_from(rows.start)..first_from(rows.end)]
    }

    fn scale(&self, task: usize, parameter: f64) -> f64 {
        let of = &self.recipe.network.tasks()[task];
        let weights = self.visits.iter().filter_map(|&(row, _)| {
            let label = self.label(task, row)?;
            Some(label.weight * of.loss.row_weight(of.width, label.class(of)))
        });
        let normaliser: f64 = weights.sum();
        (self.round)(self.recipe.weighting.weight(parameter) / normaliser)
    }

    /// A row's label of a task, if it has one; of no weight too, since 0 times what is infinite is no number.
    fn label(&self, task: usize, row: usize) -> Option<Label<'_>> {
        let layout = &self.labels.layouts[task];
        let word = |at: u32, offset: usize| self.labels.words[at as usize + offset];
        let has_label = layout.mask == NONE || word(layout.mask, row / 32) >> (row % 32) & 1 == 1;
        let weight = match layout.sample_weights {
            NONE => 1.0,
            at => f64::from(f32::from_bits(word(at, row))),
        };
        let stride = layout.label_stride as usize;
        let words = &self.labels.words[layout.label as usize + row * stride..][..stride];
        has_label.then_some(Label { words, weight })
    }

    fn fails(&self, row: usize, place: usize, features: &[f32]) -> bool {
        let way = self.forward(place, features);
        let predictions = &way.values[self.layers.len()];
        let tasks = self.recipe.network.tasks();
        let mut delta = vec![0.0; predictions.len()];
        for (task, first) in self.recipe.network.offsets().into_iter().enumerate() {
            let Some(label) = self.label(task, row) else { continue };
            let columns = first..first + tasks[task].outputs();
            let loss = label.loss(
                &tasks[task],
                &predictions[columns.clone()],
                &mut delta[columns.clone()],
            );
            if self.task == Some(task) {
                return !(self.round)(label.weight * (self.round)(loss)).is_finite();
            }
            for slope in &mut delta[columns] {
                *slope = (self.round)((self.round)(label.weight * self.scales[task]) * *slope);
            }
        }
        self.task.is_none() && self.gradient_fails(&way, delta)
    }

    /// What a row comes to on its way through the layers.
    fn forward(&self, place: usize, features: &[f32]) -> Way {
        let round = self.round;
        let mut way =
            Way { values: vec![features.iter().map(|&x| x.into()).collect()], slopes: Vec::new() };
        for (index, layer) in self.layers.iter().enumerate() {
            let inputs = &way.values[index];
            let output = |unit: usize| {
                let weights =
                    &self.parameters[layer.weight + unit * layer.inputs..][..layer.inputs];
                let products = weights.iter().zip(inputs).map(|(w, x)| round(w * x));
                products.fold(self.parameters[layer.bias + unit], |sum, it| round(sum + it))
            };
            let mut outputs: Vec<f64> = (0..layer.outputs).map(output).collect();
            if index + 1 < self.layers.len() {
                way.slopes.push(self.activate(layer, place, &mut outputs));
            }
            way.values.push(outputs);
        }
        way
    }

    /// Replaces a layer's outputs by what the next one reads; the slopes of that.
    fn activate(&self, layer: &Layer, place: usize, outputs: &mut [f64]) -> Vec<f64> {
        let slope = |(unit, value): (usize, &mut f64)| {
            let (activated, slope) = self.recipe.network.activation().evaluate(*value);
            let factor = |it: &Dropout| it.factor(place as u32, (layer.bias + unit) as u32);
            let factor = self.dropout.as_ref().map_or(1.0, factor);
            *value = (self.round)(factor * activated);
            (self.round)(factor * slope)
        };
        outputs.iter_mut().enumerate().map(slope).collect()
    }

    /// Whether a derivative, or its square, which Adam keeps, is beyond the finite numbers for a row whose slopes at the predictions
    /// are `delta`.
    fn gradient_fails(&self, way: &Way, mut delta: Vec<f64>) -> bool {
        let round = self.round;
        let is_bad = |gradient: f64| !round(gradient * gradient).is_finite();
        for (index, layer) in self.layers.iter().enumerate().rev() {
            let inputs = &way.values[index];
            let products = delta.iter().flat_map(|d| inputs.iter().map(move |x| round(d * x)));
            if delta.iter().copied().chain(products).any(is_bad) {
                return true;
            }
            if index == 0 {
                break;
            }
            let back = |input: usize| {
                let weights = (0..layer.outputs)
                    .map(|unit| self.parameters[layer.weight + unit * layer.inputs + input]);
                let sum =
                    delta.iter().zip(weights).fold(0.0, |sum, (d, w)| round(sum + round(d * w)));
                round(sum * way.slopes[index - 1][input])
            };
            delta = (0..layer.inputs).map(back).collect();
        }
        false
    }

    /// A row with the largest of its features and of the labels that concern the failure.
    fn first_row(&self, row: usize, features: &[f32]) -> FirstRow {
        let features =
            features.iter().enumerate().map(|(column, &x)| (Extreme::Feature { column }, x));
        let tasks = self.recipe.network.tasks().iter().enumerate();
        let concerned = tasks.filter(|(task, of)| {
            self.task.is_none_or(|failed| failed == *task) && !of.loss.predicts_class()
        });
        let labels = concerned.filter_map(|(task, _)| Some((task, self.label(task, row)?)));
        let labels = labels.flat_map(|(task, label)| {
            let numbers = label.words.iter().enumerate();
            numbers
                .map(move |(column, &word)| (Extreme::Label { task, column }, f32::from_bits(word)))
        });
        let largest = features.chain(labels).max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
        let (extreme, value) = largest.unwrap_or((Extreme::Feature { column: 0 }, f32::NAN));
        FirstRow { row, extreme, value }
    }
}

/// The values that every layer reads, the predictions last, and the slopes of the activations in between.
struct Way {
    values: Vec<Vec<f64>>,
    slopes: Vec<Vec<f64>>,
}

/// A row's label of a task.
struct Label<'a> {
    /// As [`Labels`] has them.
    words: &'a [u32],
    /// How much the row counts.
    weight: f64,
}

impl Label<'_> {
    fn class(&self, task: &Task) -> Option<u32> {
        task.loss.predicts_class().then(|| self.words[0])
    }

    /// The row's loss, with its slopes in `gradient`; predictions and gradient have shape `[outputs]`.
    fn loss(&self, task: &Task, predictions: &[f64], gradient: &mut [f64]) -> f64 {
        match self.class(task) {
            Some(class) => task.loss.class_row(predictions, class, gradient),
            None => {
                let numbers: Vec<f64> =
                    self.words.iter().map(|&word| f32::from_bits(word).into()).collect();
                task.loss.number_row(predictions, &numbers, gradient)
            }
        }
    }
}

/// The rows of a step's batch with their places in it, in the dataset's order.
fn visits(recipe: &Recipe, step: &Step, rows: usize) -> Vec<(usize, usize)> {
    let visited = recipe.visited(rows, step.epoch, step.first..step.first + step.rows);
    let mut visits: Vec<_> = visited.into_iter().map(|row| row as usize).zip(0..).collect();
    visits.sort_unstable();
    visits
}
