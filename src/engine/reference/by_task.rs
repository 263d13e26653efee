//! Every task's gradient by itself, for schemes that weigh by them.

use super::pass::Pass;
use crate::network::Network;

/// The gradients of each task's loss.
pub(super) struct ByTask {
    /// `∂Lₖ/∂parameter`, for every parameter, `[tasks, parameters]`.
    gradients: Vec<Vec<f64>>,
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
            let own: Vec<f64> = predictions.iter().enumerate().map(own).collect();
            pass.backward(network, parameters, &own)
        };
        let widths = network.tasks().iter().map(|task| task.width);
        let gradients = network.offsets().iter().copied().zip(widths).map(of_task).collect();
        let heads = network.layers().last().map_or(0, |heads| heads.weight);
        Self { gradients, shared: heads }
    }

    /// The products of every two tasks' gradients for the shared parameters, `[tasks, tasks]`.
    pub fn gram(&self) -> Vec<f64> {
        let shared = || self.gradients.iter().map(|gradient| &gradient[..self.shared]);
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum();
        shared().flat_map(|a| shared().map(move |b| product(a, b))).collect()
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
