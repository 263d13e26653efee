//! Where each tensor lies in the flat parameter buffer, and what PyTorch calls it.

use super::Network;
use std::ops::Range;

/// One linear layer: `outputs = inputs · weightᵀ + bias`, at these places of the flat parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Number of inputs.
    pub inputs: usize,
    /// Number of outputs.
    pub outputs: usize,
    /// Where the weight starts, shape `[outputs, inputs]`.
    pub weight: usize,
    /// Where the bias starts, shape `[outputs]`; it follows the weight at once.
    pub bias: usize,
}

/// A named tensor of the state dictionary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// PyTorch's name: `trunk.0.weight`, `heads.<key>.bias`, …
    pub name: String,
    /// PyTorch's shape: `[outputs, inputs]` for a weight, `[outputs]` for a bias.
    pub shape: Vec<usize>,
    /// Its elements among the flat parameters.
    pub range: Range<usize>,
}

impl Network {
    /// The linear layers from input to output; the last one is all heads side by side.
    pub fn layers(&self) -> Vec<Layer> {
        let mut next = 0;
        let mut inputs = self.features;
        let widths = self.hidden.iter().copied().chain([self.outputs()]);
        widths
            .map(|outputs| {
                let weight = next;
                let bias = weight + outputs * inputs;
                next = bias + outputs;
                let layer = Layer { inputs, outputs, weight, bias };
                inputs = outputs;
                layer
            })
            .collect()
    }

    /// Number of parameters of the network, σ not counted.
    pub fn parameter_count(&self) -> usize {
        let layers = self.layers();
        layers.last().map_or(0, |heads| heads.bias + heads.outputs)
    }

    /// Every tensor of the network under the name that PyTorch's state dictionary has for it. Together
    /// their ranges cover the flat parameters once, but not in this order: all heads' weights lie before
    /// all heads' biases.
    ///
    /// An activation sits between the trunk's layers, as in `nn.Sequential`, so their numbers are even. A head has the
    /// name of its task, as far as PyTorch can hold it: its [key](Self::head_keys).
    pub fn tensors(&self) -> Vec<Tensor> {
        self.tensors_of_heads(&self.head_keys())
    }

    /// The same tensors in the same order, the heads under their tasks' very names: those of old files.
    pub(crate) fn tensors_by_task(&self) -> Vec<Tensor> {
        let names: Vec<String> = self.tasks().iter().map(|task| task.name.clone()).collect();
        self.tensors_of_heads(&names)
    }

    fn tensors_of_heads(&self, keys: &[String]) -> Vec<Tensor> {
        let layers = self.layers();
        let (heads, trunk) = layers.split_last().expect("a network has a layer of heads");
        let mut tensors = Vec::new();
        for (index, layer) in trunk.iter().enumerate() {
            push_linear(&mut tensors, &format!("trunk.{}", 2 * index), *layer);
        }
        for ((task, key), first) in self.tasks().iter().zip(keys).zip(self.offsets()) {
            let head = Layer {
                inputs: heads.inputs,
                outputs: task.outputs(),
                weight: heads.weight + first * heads.inputs,
                bias: heads.bias + first,
            };
            push_linear(&mut tensors, &format!("heads.{key}"), head);
        }
        tensors
    }
}

fn push_linear(tensors: &mut Vec<Tensor>, name: &str, layer: Layer) {
    tensors.push(Tensor {
        name: format!("{name}.weight"),
        shape: vec![layer.outputs, layer.inputs],
        range: layer.weight..layer.weight + layer.outputs * layer.inputs,
    });
    tensors.push(Tensor {
        name: format!("{name}.bias"),
        shape: vec![layer.outputs],
        range: layer.bias..layer.bias + layer.outputs,
    });
}

#[cfg(test)]
mod tests {
    use crate::{Activation, Loss, Network, Task};

    #[test]
    fn tensors_have_the_names_and_shapes_of_pytorch_and_cover_every_parameter_once() {
        let tasks = [Task::new("price", Loss::Mse, 1), Task::new("cut", Loss::Mse, 3)];
        let network = Network::new(5, &[4, 2], Activation::Relu, &tasks).unwrap();
        let tensors = network.tensors();
        let found: Vec<_> = tensors.iter().map(|t| (t.name.as_str(), &*t.shape)).collect();
        let expected: [(&str, &[usize]); 8] = [
            ("trunk.0.weight", &[4, 5]),
            ("trunk.0.bias", &[4]),
            ("trunk.2.weight", &[2, 4]),
            ("trunk.2.bias", &[2]),
            ("heads.price.weight", &[1, 2]),
            ("heads.price.bias", &[1]),
            ("heads.cut.weight", &[3, 2]),
            ("heads.cut.bias", &[3]),
        ];
        assert_eq!(found, expected);
        let mut visits = vec![0; network.parameter_count()];
        for tensor in tensors {
            assert_eq!(tensor.shape.iter().product::<usize>(), tensor.range.len());
            visits[tensor.range].iter_mut().for_each(|count| *count += 1);
        }
        assert!(visits.iter().all(|&count| count == 1), "{visits:?}");
        assert_eq!(visits.len(), (5 + 1) * 4 + (4 + 1) * 2 + (2 + 1) * 4);
    }
}
