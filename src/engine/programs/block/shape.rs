//! How the kernel is laid out for a network: which lane computes what, and what lies where.

use crate::loss::{Loss, NONE, TaskLayout};
use crate::network::{Activation, Network};
use serde::Serialize;

/// Lanes of a workgroup, the fewest first: fewer lanes hold more of the gradient each, and wait less for each other.
const LANES: [usize; 3] = [64, 128, 256];
/// Columns of predictions that a lane holds for its row.
const MOST_OUTPUTS: usize = 64;
/// Layers, each of which is code of its own.
const MOST_LAYERS: usize = 8;
/// Rows that a lane takes through a product at once.
const MOST_TILE: usize = 8;

/// What the adapter gives a workgroup.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Means {
    /// Bytes of workgroup memory.
    pub memory: usize,
    /// Lanes of a workgroup, at most.
    pub lanes: usize,
    /// Registers that a lane may fill with what outlives a block's products: the gradient, slopes.
    pub registers: usize,
    /// Rounds of a product by which loads stand before their use, in registers besides.
    pub ahead: usize,
    /// Whether two lanes may share the rows of both, which takes the sums of both.
    pub splits: bool,
}

impl Means {
    /// With what a lane has on GPUs of AMD and NVIDIA: 255 registers.
    pub fn plenty(memory: usize, lanes: usize) -> Self {
        Self { memory, lanes, registers: 142, ahead: 1, splits: true }
    }

    /// With what a lane has on those of Intel and Apple, and perhaps on others: about 128 registers.
    pub fn lean(memory: usize, lanes: usize) -> Self {
        Self { memory, lanes, registers: 70, ahead: 0, splits: false }
    }
}

/// The values of the templates `shaders/block/`.
#[derive(Clone, Debug, Serialize)]
pub(in crate::engine) struct Shape {
    /// Rows of a block.
    pub rows: usize,
    /// Lanes of a workgroup.
    pub lanes: usize,
    /// Rows side by side in workgroup memory: those that the smallest tile of a lane has.
    group: usize,
    ahead: usize,
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

/// A layer; all places in the packed parameters count vectors.
#[derive(Clone, Debug, Serialize)]
pub(in crate::engine) struct Layer {
    number: usize,
    is_last: bool,
    inputs: usize,
    outputs: usize,
    input_quads: usize,
    output_quads: usize,
    /// Where the weight `[outputs, inputs]` starts, both padded to vectors.
    natural: usize,
    bias: usize,
    /// Where the weight `[inputs, outputs]` starts.
    transposed: usize,
    /// Where weight and bias start in the engine's own parameters, which are not padded.
    weight: usize,
    unit: usize,
    /// Rows of a lane's outputs, one vector wide.
    tile: usize,
    /// Lanes that have such a tile.
    lanes: usize,
    /// Whether two lanes share the rows of both, forward for its outputs, backward for its inputs.
    pub splits_forward: bool,
    pub splits_backward: bool,
    gradient: GradientTile,
}

/// The part of a weight's gradient that a lane holds: `down` x `across` squares of 4 x 4, `rows` and `columns` apart.
#[derive(Clone, Copy, Debug, Serialize)]
struct GradientTile {
    down: usize,
    across: usize,
    rows: usize,
    columns: usize,
    lanes: usize,
}

#[derive(Clone, Debug, Serialize)]
struct TaskShape {
    number: usize,
    /// The first of its predictions.
    first: usize,
    width: usize,
    loss: u32,
    is_class: bool,
    is_masked: bool,
    is_weighted: bool,
    is_smoothed: bool,
    /// The WGSL that reads its σ.
    sigma: String,
}

impl Shape {
    /// The kernel for blocks of so many rows, or `None` where there is none for this network with these means.
    pub fn new(network: &Network, tasks: &[TaskLayout], rows: usize, means: Means) -> Option<Self> {
        let fits = network.layers().len() <= MOST_LAYERS && network.outputs() <= MOST_OUTPUTS;
        let widest = network.layers().iter().map(|layer| layer.inputs.max(layer.outputs)).max()?;
        if !fits || widest > 4 * LANES[2] {
            return None;
        }
        let fitting = LANES.into_iter().filter(|lanes| *lanes <= means.lanes);
        let shapes = fitting.filter_map(|lanes| Self::with(network, tasks, [rows, lanes], means));
        shapes
            .into_iter()
            .find(|shape| shape.memory() <= means.memory && shape.registers() <= means.registers)
    }

    fn with(
        network: &Network,
        tasks: &[TaskLayout],
        [rows, lanes]: [usize; 2],
        means: Means,
    ) -> Option<Self> {
        let mut layers = Vec::new();
        let mut at = 0;
        let count = network.layers().len();
        for (number, layer) in network.layers().iter().enumerate() {
            let mut layer = Layer::new(number, number + 1 == count, layer, at, rows, lanes)?;
            at = layer.bias + layer.output_quads;
            if means.splits {
                layer.splits_forward = layer.splits(rows, layer.input_quads);
                let below: Option<&Layer> = layers.last();
                let splits = below.is_some_and(|below| below.splits(rows, layer.output_quads));
                layer.splits_backward = splits;
            }
            layers.push(layer);
        }
        let cells = at;
        at += tasks.len().div_ceil(4);
        for layer in &mut layers {
            layer.transposed = at;
            at += 4 * layer.input_quads * layer.output_quads;
        }
        let quads = network.layers()[0].inputs.div_ceil(4);
        let quads = [quads].into_iter().chain(layers.iter().map(|layer| layer.output_quads));
        let widths: Vec<Width> =
            quads.map(|quads| Width { quads, blocks: quads.div_ceil(4) }).collect();
        let sigma = cells;
        let of_task = |(number, task)| TaskShape::new(number, task, sigma);
        Some(Self {
            rows,
            lanes,
            group: layers.iter().map(|layer| layer.tile).min()?,
            ahead: means.ahead,
            features: network.features(),
            activation: network.activation().code(),
            is_relu: network.activation() == Activation::Relu,
            drops: network.dropout() > 0.0,
            staged: (rows * widths[0].quads).div_ceil(lanes),
            cells,
            packed: at,
            sigma,
            widths,
            tasks: tasks.iter().enumerate().map(of_task).collect(),
            parameters: network.parameter_count(),
            layers,
        })
    }

    /// Bytes of workgroup memory.
    pub fn memory(&self) -> usize {
        let units: usize = self.widths.iter().map(|width| 16 * width.blocks).sum();
        4 * self.rows * (units + self.tasks.len())
    }

    /// Registers of what outlives a block's products.
    pub fn registers(&self) -> usize {
        let of_layer = |layer: &Layer| {
            let gradient = 16 * layer.gradient.down * layer.gradient.across;
            let slopes = if self.is_relu || layer.is_last { 0 } else { 4 * layer.tile };
            gradient + slopes + 4
        };
        // A task's loss, and what its losses and gradients are multiplied by.
        let of_tasks = 3 * self.tasks.len();
        4 * self.staged + of_tasks + self.layers.iter().map(of_layer).sum::<usize>()
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

impl Layer {
    fn new(
        number: usize,
        is_last: bool,
        layer: &crate::network::Layer,
        at: usize,
        rows: usize,
        lanes: usize,
    ) -> Option<Self> {
        let input_quads = layer.inputs.div_ceil(4);
        let output_quads = layer.outputs.div_ceil(4);
        let across = (lanes / output_quads).checked_ilog2()?;
        let tile = rows / rows.min(1 << across);
        Some(Self {
            number,
            is_last,
            inputs: layer.inputs,
            outputs: layer.outputs,
            input_quads,
            output_quads,
            natural: at,
            bias: at + 4 * output_quads * input_quads,
            transposed: 0,
            weight: layer.weight,
            unit: layer.bias,
            tile: Some(tile).filter(|tile| *tile <= MOST_TILE)?,
            lanes: output_quads * (rows / tile),
            splits_forward: false,
            splits_backward: false,
            gradient: GradientTile::new(output_quads, input_quads, lanes)?,
        })
    }
}

impl Layer {
    /// Whether a product of this depth pays to be split: for tiles of few rows, and halves of whole blocks of four vectors.
    fn splits(&self, rows: usize, depth: usize) -> bool {
        self.tile <= 2 && rows / self.tile >= 2 && depth.is_multiple_of(8)
    }
}

impl GradientTile {
    /// The smallest tile with which the lanes hold all of the gradient, the squarest of those.
    fn new(output_quads: usize, input_quads: usize, lanes: usize) -> Option<Self> {
        let sides = [1, 2, 4, 8];
        let pairs = sides.into_iter().flat_map(|down| sides.map(|across| (down, across)));
        let tiles = pairs.map(|(down, across)| {
            let (rows, columns) = (output_quads.div_ceil(down), input_quads.div_ceil(across));
            Self { down, across, rows, columns, lanes: rows * columns }
        });
        tiles
            .filter(|tile| tile.lanes <= lanes)
            .min_by_key(|tile| (tile.down * tile.across, tile.down.abs_diff(tile.across)))
    }
}

impl TaskShape {
    fn new(number: usize, task: &TaskLayout, sigma: usize) -> Self {
        let component = ["x", "y", "z", "w"][number % 4];
        Self {
            number,
            first: task.prediction as usize,
            width: task.width as usize,
            loss: task.loss,
            is_class: task.loss == Loss::cross_entropy().code(),
            is_masked: task.mask != NONE,
            is_weighted: task.class_weights != NONE,
            is_smoothed: task.is_smoothed(),
            sigma: format!("parameters[seat][{}u].{component}", sigma + number / 4),
        }
    }
}
