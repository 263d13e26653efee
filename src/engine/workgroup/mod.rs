//! How a kernel whose workgroups take blocks of rows through a whole network is laid out for it: which lane computes what, and
//! what lies where. For `programs::block` and `programs::resident`, whose templates share `shaders/workgroup/`.

mod layer;
mod means;

use self::layer::Layer;
pub(super) use self::means::Means;
use crate::gpu::rounds_of;
use crate::loss::{Loss, NONE, TaskLayout};
use crate::network::{Activation, Network};
use serde::Serialize;

/// Lanes of a workgroup, the fewest first: fewer lanes hold more of the gradient each, and wait less for each other.
const LANES: [usize; 3] = [64, 128, 256];
/// Columns of predictions that a lane holds for its row.
const MOST_OUTPUTS: usize = 64;
/// Layers, each of which is code of its own.
const MOST_LAYERS: usize = 8;
/// Labels of a row that are few.
const MOST_WORDS: usize = 8;

/// Where a kernel reads the parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parameters {
    /// In storage: packed, weights also transposed.
    Packed,
    /// In workgroup memory.
    Kept,
}

impl Parameters {
    /// The WGSL that reads a task's σ, of which the first is packed in this vector.
    fn sigma(self, task: usize, first: usize) -> String {
        match self {
            Self::Kept => format!("sigmas[{task}u]"),
            Self::Packed => {
                let component = ["x", "y", "z", "w"][task % 4];
                format!("parameters[seat][{}u].{component}", first + task / 4)
            }
        }
    }
}

/// The values of the templates `shaders/workgroup/`, and of those of the programs that include them.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Shape {
    /// Rows of a block.
    pub rows: usize,
    /// Lanes of a workgroup.
    pub lanes: usize,
    /// Rows side by side in workgroup memory: those that the smallest tile of a lane has.
    group: usize,
    ahead: usize,
    keeps_parameters: bool,
    features: usize,
    activation: u32,
    is_relu: bool,
    drops: bool,
    /// Vectors of the features that a lane brings to workgroup memory, at most.
    staged: usize,
    /// Vectors of a share of the gradient: a layer's weight, padded, then its bias, layer by layer.
    pub cells: usize,
    /// Vectors of the packed parameters: the cells, σ, then every weight transposed.
    pub packed: usize,
    /// σ's first vector.
    sigma: usize,
    /// Vectors of all biases, and of a lane, at most.
    bias_quads: usize,
    bias_rounds: usize,
    /// Whether a row's labels are on their way while it goes through the layers: where they are few.
    loads_labels_early: bool,
    widths: Vec<Width>,
    pub layers: Vec<Layer>,
    tasks: Vec<TaskShape>,
    parameters: usize,
}

/// Units of a layer in workgroup memory.
#[derive(Clone, Debug, Serialize)]
struct Width {
    quads: usize,
    blocks: usize,
}

#[derive(Clone, Debug, Serialize)]
struct TaskShape {
    number: usize,
    /// The first of its predictions.
    first: usize,
    width: usize,
    loss: u32,
    is_class: bool,
    predicts_noise: bool,
    is_masked: bool,
    is_weighted: bool,
    is_sample_weighted: bool,
    is_smoothed: bool,
    /// The WGSL that reads its σ.
    sigma: String,
}

impl Shape {
    /// The kernel for blocks of so many rows that reads packed parameters, or `None` where there is none for this network with
    /// these means.
    pub fn new(network: &Network, tasks: &[TaskLayout], rows: usize, means: Means) -> Option<Self> {
        let of = |lanes| Self::with(network, tasks, [rows, lanes], Parameters::Packed, means);
        LANES.into_iter().find_map(of)
    }

    /// The same with so many lanes.
    pub fn with(
        network: &Network,
        tasks: &[TaskLayout],
        [rows, lanes]: [usize; 2],
        parameters: Parameters,
        means: Means,
    ) -> Option<Self> {
        let fits = network.layers().len() <= MOST_LAYERS && network.outputs() <= MOST_OUTPUTS;
        let widest = network.layers().iter().map(|layer| layer.inputs.max(layer.outputs)).max()?;
        // A row's losses are one lane's.
        if !fits || widest > 4 * LANES[2] || rows > lanes || lanes > means.lanes {
            return None;
        }
        let shape = Self::laid_out(network, tasks, [rows, lanes], parameters, means)?;
        let fits = shape.memory() <= means.memory && shape.fits_registers(means);
        fits.then_some(shape)
    }

    fn laid_out(
        network: &Network,
        tasks: &[TaskLayout],
        [rows, lanes]: [usize; 2],
        parameters: Parameters,
        means: Means,
    ) -> Option<Self> {
        let keeps_parameters = parameters == Parameters::Kept;
        let mut layers = layer::all(network, [rows, lanes], means)?;
        if keeps_parameters {
            layer::slice(&mut layers, [rows, lanes], means);
        }
        let last = layers.last()?;
        let cells = last.bias + last.output_quads;
        let bias_quads = last.first_bias + last.output_quads;
        let mut packed = cells + tasks.len().div_ceil(4);
        for layer in &mut layers {
            layer.transposed = packed;
            packed += 4 * layer.input_quads * layer.output_quads;
        }
        let quads = network.layers()[0].inputs.div_ceil(4);
        let quads = [quads].into_iter().chain(layers.iter().map(|layer| layer.output_quads));
        let widths: Vec<Width> =
            quads.map(|quads| Width { quads, blocks: quads.div_ceil(4) }).collect();
        let label_words = tasks.iter().map(|task| task.label_stride as usize).sum::<usize>();
        let of_task =
            |(number, task)| TaskShape::new(number, task, parameters.sigma(number, cells));
        Some(Self {
            rows,
            lanes,
            group: layers.iter().map(|layer| layer.tile).min()?,
            ahead: means.ahead,
            keeps_parameters,
            features: network.features(),
            activation: network.activation().code(),
            is_relu: network.activation() == Activation::Relu,
            drops: network.dropout() > 0.0,
            staged: (rows * widths[0].quads).div_ceil(lanes),
            cells,
            packed,
            sigma: cells,
            bias_quads,
            bias_rounds: bias_quads.div_ceil(lanes),
            loads_labels_early: keeps_parameters && label_words <= MOST_WORDS,
            widths,
            tasks: tasks.iter().enumerate().map(of_task).collect(),
            parameters: network.parameter_count(),
            layers,
        })
    }

    /// Bytes of workgroup memory.
    pub fn memory(&self) -> usize {
        let units: usize = self.widths.iter().map(|width| 16 * width.blocks).sum();
        let besides = match self.keeps_parameters {
            true => self.kept_memory(),
            // The rows' losses.
            false => 4 * self.rows * self.tasks.len(),
        };
        4 * self.rows * units + besides
    }

    /// Of it, what the parameters take: weights, biases and σ; and with them the terms of the total and a sum of squares a lane.
    /// What else the lanes tell each other at the end of a step lies in the place of the units.
    fn kept_memory(&self) -> usize {
        let of_weight = |layer: &Layer| 4 * layer.output_quads * layer.kept_stride;
        let weights: usize = self.layers.iter().map(of_weight).sum();
        16 * (weights + self.bias_quads) + 8 * self.tasks.len() + 4 * self.lanes
    }

    /// Whether the registers of a lane suffice.
    fn fits_registers(&self, means: Means) -> bool {
        self.registers() <= means.registers
            && (!self.keeps_parameters || self.registers_at_end() <= means.registers_at_end)
    }

    /// Registers of what outlives a block's products.
    pub fn registers(&self) -> usize {
        let of_layer = |layer: &Layer| {
            let slopes = if self.is_relu || layer.is_last { 0 } else { 4 * layer.tile };
            4 * layer.gradient.cells() + slopes + 4
        };
        // A task's loss, and what its losses and gradients are multiplied by.
        let of_tasks = 3 * self.tasks.len();
        4 * self.staged + of_tasks + self.layers.iter().map(of_layer).sum::<usize>()
    }

    /// Registers of what a lane updates at the end of a step: gradients and moments of weights and biases.
    fn registers_at_end(&self) -> usize {
        let cells: usize = self.layers.iter().map(|layer| layer.gradient.cells()).sum();
        12 * (cells + self.bias_rounds)
    }

    /// Rounds of the loops that bring the parameters to workgroup memory.
    pub fn rounds_to_load(&self) -> usize {
        let of_layer = |layer: &Layer| {
            rounds_of((4 * layer.output_quads * layer.input_quads).div_ceil(self.lanes), 0)
        };
        self.layers.iter().map(of_layer).sum::<usize>() + self.rounds_of_biases()
    }

    /// Rounds of a loop over all biases, which are there as vectors.
    fn rounds_of_biases(&self) -> usize {
        rounds_of(self.bias_quads.div_ceil(self.lanes), 0)
    }

    /// Rounds of all loops that a block takes, at most.
    pub fn rounds_a_block(&self) -> usize {
        let of_layer = |layer: &Layer| {
            let products = layer.input_quads / 4 + layer.output_quads / 4;
            2 + products + 1 + self.rows / 4 + 1
        };
        self.layers.iter().map(of_layer).sum()
    }
}

impl TaskShape {
    fn new(number: usize, task: &TaskLayout, sigma: String) -> Self {
        Self {
            number,
            first: task.prediction as usize,
            width: task.width as usize,
            loss: task.loss,
            is_class: task.loss == Loss::cross_entropy().code(),
            predicts_noise: task.predicts_noise(),
            is_masked: task.mask != NONE,
            is_weighted: task.class_weights != NONE,
            is_sample_weighted: task.sample_weights != NONE,
            is_smoothed: task.is_smoothed(),
            sigma,
        }
    }
}
