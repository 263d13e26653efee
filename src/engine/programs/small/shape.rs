//! What the kernels are made for: the values of the templates `shaders/small/`.

use crate::loss::{NONE, TaskLayout};
use crate::network::Network;
use serde::Serialize;

/// A network on vectors of so many lanes.
#[derive(Debug, Serialize)]
pub(super) struct Shape {
    lanes: usize,
    features: usize,
    parameters: usize,
    activation: u32,
    layers: Vec<LayerShape>,
    tasks: Vec<TaskShape>,
    /// Vectors that hold a row of each layer's inputs, and of the predictions.
    units: Vec<usize>,
}

#[derive(Debug, Serialize)]
struct LayerShape {
    number: usize,
    inputs: usize,
    outputs: usize,
    /// Where the weight starts among the parameters.
    parameter: usize,
    is_first: bool,
    is_last: bool,
}

#[derive(Debug, Serialize)]
struct TaskShape {
    number: usize,
    loss: u32,
    width: u32,
    /// The first of its predictions.
    first: u32,
    /// Labels a row.
    labels: u32,
    is_masked: bool,
    is_smoothed: bool,
    is_weighted: bool,
    is_sample_weighted: bool,
}

impl Shape {
    pub fn new(network: &Network, tasks: &[TaskLayout], lanes: usize) -> Self {
        let layers = network.layers();
        let of_layer = |(number, layer): (usize, &crate::network::Layer)| LayerShape {
            number,
            inputs: layer.inputs,
            outputs: layer.outputs,
            parameter: layer.weight,
            is_first: number == 0,
            is_last: number + 1 == layers.len(),
        };
        let widths = layers.iter().map(|layer| layer.inputs).chain([network.outputs()]);
        Self {
            lanes,
            features: network.features(),
            parameters: network.parameter_count(),
            activation: network.activation().code(),
            layers: layers.iter().enumerate().map(of_layer).collect(),
            tasks: tasks.iter().enumerate().map(TaskShape::new).collect(),
            units: widths.map(|width| width.div_ceil(lanes)).collect(),
        }
    }
}

impl TaskShape {
    fn new((number, task): (usize, &TaskLayout)) -> Self {
        Self {
            number,
            loss: task.loss,
            width: task.width,
            first: task.prediction,
            labels: task.label_stride,
            is_masked: task.mask != NONE,
            is_smoothed: task.is_smoothed(),
            is_weighted: task.class_weights != NONE,
            is_sample_weighted: task.sample_weights != NONE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::run::Values;
    use super::*;
    use crate::data::{Matrix, Target};
    use crate::gpu::{check_shader, kernels, render};
    use crate::loss::Task;
    use crate::{Activation, Loss};

    fn shape(hidden: &[usize], tasks: &[Task], lanes: usize) -> Shape {
        let network = Network::new(5, hidden, Activation::Gelu, tasks).expect("a network");
        let target = |task: &Task| match task.loss.predicts_class() {
            true => Target::classes(vec![0, 1]).labelled(vec![true, false]),
            false => {
                let zeros = vec![0.0; 2 * task.width];
                Ok(Target::numbers(Matrix::new(task.width, zeros).expect("a matrix")))
            }
        };
        let targets: Vec<Target> = tasks.iter().map(|t| target(t).expect("a target")).collect();
        let labels = crate::loss::Labels::pack(tasks, &targets).expect("labels");
        Shape::new(&network, &labels.layouts, lanes)
    }

    #[test]
    fn the_kernels_made_for_a_shape_are_valid_everywhere() {
        let smoothed =
            Loss::CrossEntropy { label_smoothing: 0.1, class_weights: Some(vec![1.0, 2.0, 3.0]) };
        let tasks = [
            Task::new("value", Loss::Mse, 9),
            Task::new("kind", smoothed, 3),
            Task::new("flag", Loss::Bce, 1),
        ];
        for hidden in [&[][..], &[8], &[3, 17, 1]] {
            for (tasks, lanes) in [(&tasks[..], 8), (&tasks[1..2], 16)] {
                let shape = shape(hidden, tasks, lanes);
                let share = render(kernels::SMALL_SHARES.label, &shape).expect("a kernel");
                check_shader(&kernels::SMALL_SHARES, &share);
                let values = Values { shape, steps_a_dispatch: 7 };
                let run = render(kernels::SMALL_STEPS.label, &values).expect("a kernel");
                check_shader(&kernels::SMALL_STEPS, &run);
            }
        }
    }
}
