//! Every task's gradient by itself, for schemes that weigh by them.

use super::pass::Pass;
use crate::loss::Task;
use crate::network::Network;

/// The gradients of each task's loss.
pub(super) struct ByTask {
    /// `∂Lₖ/∂parameter`, for every parameter, `[tasks, parameters]`.
    gradients: Vec<Vec<f64>>,
    /// `∂Lₖ/∂z` at the last shared layer's outputs z, which the heads take, `[tasks, rows × units]`.
    at_representation: Vec<Vec<f64>>,
    /// How many parameters, the first, all tasks share.
    shared: usize,
}

impl ByTask {
    /// Of a batch at these predictions' gradients, `∂Lₖ/∂prediction` at the columns of task k, `[rows, outputs]`.
    pub fn new(network: &Network, parameters: &[f64], pass: &Pass, predictions: &[f64]) -> Self {
        let outputs = network.outputs();
        let of_task = |(first, width): (usize, usize)| {
            let columns = first..first + width;
            let own = |(at, &gradient): (usize, &f64)| {
                if columns.contains(&(at % outputs)) { gradient } else { 0.0 }
            };
            predictions.iter().enumerate().map(own).collect()
        };
        let widths = network.tasks().iter().map(Task::outputs);
        let of_tasks: Vec<Vec<f64>> =
            network.offsets().iter().copied().zip(widths).map(of_task).collect();
        let backward = |own: &Vec<f64>| pass.backward(network, parameters, own);
        let layers = network.layers();
        let heads = layers.last();
        let through = |own: &Vec<f64>| {
            let Some(heads) = heads else { return Vec::new() };
            let weights = &parameters[heads.weight..][..heads.outputs * heads.inputs];
            let of_row = |row: &[f64]| {
                let mut sums = vec![0.0; heads.inputs];
                for (slope, weights) in row.iter().zip(weights.chunks_exact(heads.inputs)) {
                    sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += slope * weight);
                }
                sums
            };
            own.chunks_exact(outputs).flat_map(of_row).collect()
        };
        Self {
            gradients: of_tasks.iter().map(backward).collect(),
            at_representation: of_tasks.iter().map(through).collect(),
            shared: heads.map_or(0, |heads| heads.weight),
        }
    }

    /// The products of every two tasks' gradients, `[tasks, tasks]`: for the shared parameters, or at the representation.
    pub fn gram(&self, at_representation: bool) -> Vec<f64> {
        let gradients: Vec<&[f64]> = match at_representation {
            true => self.at_representation.iter().map(Vec::as_slice).collect(),
            false => self.gradients.iter().map(|gradient| &gradient[..self.shared]).collect(),
        };
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum();
        let with_all = |a: &&[f64]| gradients.iter().map(|b| product(a, b)).collect::<Vec<f64>>();
        gradients.iter().flat_map(with_all).collect()
    }

    /// The shared parameters' gradients by these weights, and the plain ones of what each task has alone.
    pub fn combined(&self, weights: &[f64]) -> Vec<f64> {
        let parameters = self.gradients.first().map_or(0, Vec::len);
        let of_parameter = |at: usize| {
            let weight = |weight: &f64| if at < self.shared { *weight } else { 1.0 };
            let each = self.gradients.iter().zip(weights);
            each.map(|(gradient, own)| weight(own) * gradient[at]).sum()
        };
        (0..parameters).map(of_parameter).collect()
    }
}
