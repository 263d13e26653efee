//! The network's pass: linear layers and activations forward, and the chain rule back through them.
//!
//! Knows nothing of losses: it hands out predictions, and is handed the gradient at each of them.

use super::draws::Drops;
use crate::network::{Layer, Network};

/// A forward pass over a batch, with what the way back needs of it.
pub(super) struct Pass {
    /// What each layer reads, shape `[rows, inputs]`; the first layer reads the features.
    inputs: Vec<Vec<f64>>,
    /// The derivative of activation and dropout at each output of each of the trunk's layers, shape `[rows, outputs]`.
    slopes: Vec<Vec<f64>>,
    /// All heads' predictions side by side, shape `[rows, outputs]`.
    pub(super) predictions: Vec<f64>,
}

impl Pass {
    /// Predictions from features, shape `[rows, features]`; those of a training step with its dropout.
    pub(super) fn forward(
        network: &Network,
        parameters: &[f64],
        features: Vec<f64>,
        drops: Option<&Drops>,
    ) -> Self {
        let trunk = network.hidden().len();
        let (mut inputs, mut slopes) = (Vec::new(), Vec::new());
        let mut values = features;
        for (index, layer) in network.layers().iter().enumerate() {
            let mut outputs = linear(layer, parameters, &values);
            if index < trunk {
                let mut derivatives = activate(network, &mut outputs);
                if let Some(drops) = drops {
                    drop_units(layer, drops, [&mut outputs, &mut derivatives]);
                }
                slopes.push(derivatives);
            }
            inputs.push(values);
            values = outputs;
        }
        Self { inputs, slopes, predictions: values }
    }

    /// `∂total/∂parameter` for every parameter, flat, from `∂total/∂prediction`, shape `[rows, outputs]`.
    pub(super) fn backward(
        &self,
        network: &Network,
        parameters: &[f64],
        predictions: &[f64],
    ) -> Vec<f64> {
        let mut gradients = vec![0.0; parameters.len()];
        // ∂total/∂(the layer's outputs), before their activation.
        let mut delta = predictions.to_vec();
        for (index, layer) in network.layers().iter().enumerate().rev() {
            layer_gradients(layer, &self.inputs[index], &delta, &mut gradients);
            if index > 0 {
                delta = input_gradients(layer, parameters, &delta);
                for (d, slope) in delta.iter_mut().zip(&self.slopes[index - 1]) {
                    *d *= slope;
                }
            }
        }
        gradients
    }
}

/// `outputs = inputs · weightᵀ + bias`: `[rows, inputs]` to `[rows, outputs]`.
fn linear(layer: &Layer, parameters: &[f64], inputs: &[f64]) -> Vec<f64> {
    let weight = &parameters[layer.weight..layer.bias];
    let bias = &parameters[layer.bias..][..layer.outputs];
    let mut outputs = Vec::with_capacity(inputs.len() / layer.inputs * layer.outputs);
    for input in inputs.chunks_exact(layer.inputs) {
        for (weights, b) in weight.chunks_exact(layer.inputs).zip(bias) {
            outputs.push(b + weights.iter().zip(input).map(|(w, x)| w * x).sum::<f64>());
        }
    }
    outputs
}

/// Replaces each value by its activation and returns the derivatives there.
fn activate(network: &Network, values: &mut [f64]) -> Vec<f64> {
    let activate = |value: &mut f64| {
        let (activated, slope) = network.activation().evaluate(*value);
        *value = activated;
        slope
    };
    values.iter_mut().map(activate).collect()
}

/// Multiplies each value `[rows, outputs]` by its factor.
fn drop_units(layer: &Layer, drops: &Drops, values: [&mut Vec<f64>; 2]) {
    for values in values {
        for (row, values) in values.chunks_exact_mut(layer.outputs).enumerate() {
            for (unit, value) in (layer.bias..).zip(values) {
                *value *= drops.factor(row, unit);
            }
        }
    }
}

/// Adds `∂weight = deltaᵀ · inputs` and `∂bias = Σ_rows delta` to the flat gradients.
fn layer_gradients(layer: &Layer, inputs: &[f64], delta: &[f64], gradients: &mut [f64]) {
    let (weight, bias) = gradients[layer.weight..].split_at_mut(layer.bias - layer.weight);
    let rows = inputs.chunks_exact(layer.inputs);
    for (input, delta) in rows.zip(delta.chunks_exact(layer.outputs)) {
        for (o, d) in delta.iter().enumerate() {
            bias[o] += d;
            let weights = &mut weight[o * layer.inputs..][..layer.inputs];
            for (w, x) in weights.iter_mut().zip(input) {
                *w += d * x;
            }
        }
    }
}

/// `∂inputs = delta · weight`: `[rows, outputs]` to `[rows, inputs]`.
fn input_gradients(layer: &Layer, parameters: &[f64], delta: &[f64]) -> Vec<f64> {
    let weight = &parameters[layer.weight..layer.bias];
    let mut gradients = vec![0.0; delta.len() / layer.outputs * layer.inputs];
    let rows = gradients.chunks_exact_mut(layer.inputs);
    for (gradient, delta) in rows.zip(delta.chunks_exact(layer.outputs)) {
        for (weights, d) in weight.chunks_exact(layer.inputs).zip(delta) {
            for (g, w) in gradient.iter_mut().zip(weights) {
                *g += d * w;
            }
        }
    }
    gradients
}
