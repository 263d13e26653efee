//! The fused engine's step in two dispatches, for software adapters: `shaders/octet/rows.wgsl`, made for the
//! network's shape, takes tiles of rows through everything but the end, which is the same as elsewhere.

use super::fused;
use super::resident::Resident;
use crate::error::Result;
use crate::gpu::{Buffer, Dispatch, Gpu, kernels};
use crate::loss::{NONE, TaskLayout};
use crate::network::Network;
use std::fmt::Write;

/// Rows of a tile: eight lanes with four each.
const TILE: usize = 32;
/// Tiles for which it pays to load the weights and to store the gradient once more.
const TILES_A_SHARE: usize = 16;
const MOST_SHARES: usize = 64;
/// Units and weights beyond which a workgroup's private memory outgrows a core's cache and a thread's stack.
const MOST_UNITS: usize = 2_048;
const MOST_WEIGHTS: usize = 131_072;

/// The step's dispatches, or `None` where the tiled kernels have to do: on other adapters, for networks that are too
/// large, and for dropout.
pub(super) fn step(resident: &Resident) -> Result<Option<Vec<Dispatch>>> {
    let gpu = &resident.gpu;
    let network = &resident.recipe.network;
    let shape = Shape::new(network);
    if !gpu.has_octets() || !shape.fits() || network.dropout() > 0.0 {
        return Ok(None);
    }
    let parameters = network.parameter_count();
    let tasks = network.tasks().len();
    let most_bytes = gpu.device().limits().max_storage_buffer_binding_size;
    let shares = shares(resident.batch, &shape);
    if shares > most_bytes as usize / (4 * parameters) {
        return Ok(None);
    }
    let gradient_shares = Buffer::<f32>::zeros(gpu, "gradient shares", shares * parameters)?;
    let loss_shares = Buffer::<f32>::zeros(gpu, "loss shares", (shares + 2) * tasks)?;
    let buffers = [
        resident.features.binding(),
        resident.labels.binding(),
        resident.tasks.binding(),
        resident.order.binding(),
        resident.parameters.binding(),
        resident.normalisers.binding(),
        gradient_shares.binding(),
        loss_shares.binding(),
    ];
    let prologue = shape.prologue() + &flags(&resident.layouts);
    let kernel = gpu.shaped_kernel(&kernels::OCTET_ROWS, &prologue, &[resident.scheme()]);
    let rows = kernel.dispatch(gpu, &buffers, shares);
    let (gradients, losses) = (gradient_shares.binding(), loss_shares.binding());
    let mut dispatches = vec![rows];
    dispatches.extend(fused::finish(resident, gradients, shares, losses, shares)?);
    Ok(Some(dispatches))
}

/// What no task has need not be looked for.
fn flags(tasks: &[TaskLayout]) -> String {
    let is_smoothed = |task: &TaskLayout| task.is_smoothed();
    format!(
        "const HAS_MASKS = {};\nconst HAS_SMOOTHING = {};\nconst HAS_CLASS_WEIGHTS = {};\n",
        tasks.iter().any(|task| task.mask != NONE),
        tasks.iter().any(is_smoothed),
        tasks.iter().any(|task| task.class_weights != NONE),
    )
}

/// Workgroups of a step: few, since each costs as much as a tile, but one for every core, and as many as the driver's
/// limit on loops asks for.
fn shares(batch: usize, shape: &Shape) -> usize {
    let tiles = batch.div_ceil(TILE);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let most_tiles = (Gpu::MOST_ROUNDS - shape.rounds_a_share()) / shape.rounds_a_tile();
    let shares = (tiles / TILES_A_SHARE).min(MOST_SHARES).max(cores).min(tiles);
    shares.max(tiles.div_ceil(most_tiles)).max(1)
}

/// Where each layer lies in the kernel's private arrays.
struct Shape {
    layers: Vec<Place>,
    features: usize,
    activation: u32,
    parameters: usize,
    tasks: usize,
    units: usize,
    weights: usize,
    sums: usize,
}

/// `Layer` in `octet/layers.wgsl`.
struct Place {
    inputs: usize,
    outputs: usize,
    padded_inputs: usize,
    padded_outputs: usize,
    parameter: usize,
    input: usize,
    output: usize,
    weight: usize,
    sum: usize,
}

impl Shape {
    fn new(network: &Network) -> Self {
        let layers = network.layers();
        let mut shape = Self {
            layers: Vec::new(),
            features: network.features(),
            activation: network.activation().code(),
            parameters: network.parameter_count(),
            tasks: network.tasks().len(),
            units: 0,
            weights: 0,
            sums: 0,
        };
        for (index, layer) in layers.iter().enumerate() {
            let padding = if index + 1 == layers.len() { 8 } else { 16 };
            let padded_inputs = layer.inputs.next_multiple_of(16);
            let padded_outputs = layer.outputs.next_multiple_of(padding);
            shape.layers.push(Place {
                inputs: layer.inputs,
                outputs: layer.outputs,
                padded_inputs,
                padded_outputs,
                parameter: layer.weight,
                input: shape.units,
                output: shape.units + padded_inputs,
                weight: shape.weights,
                sum: shape.sums,
            });
            shape.units += padded_inputs;
            // A lane holds every eighth weight: four of them an element, and two of their sums.
            shape.weights += padded_inputs * padded_outputs / 32;
            shape.sums += padded_inputs * padded_outputs / 16;
        }
        shape.units += shape.layers.last().map_or(0, |heads| heads.padded_outputs);
        shape
    }

    fn fits(&self) -> bool {
        self.units <= MOST_UNITS
            && 32 * self.weights <= MOST_WEIGHTS
            && self.rounds_a_share() + self.rounds_a_tile() <= Gpu::MOST_ROUNDS
    }

    /// Rounds of all loops that a tile is taken through, at most.
    fn rounds_a_tile(&self) -> usize {
        let rounds = |layer: &Place| {
            let (inputs, outputs) = (layer.padded_inputs, layer.padded_outputs);
            let forward = outputs / 8 * (2 + inputs / 4);
            let parameters = outputs + inputs / 16 * (2 + outputs);
            let backward = inputs / 8 * (2 + outputs / 8);
            // Each loop once more, when it is found to be over, and the two that this layer is a round of.
            6 + forward + parameters + backward
        };
        let heads = self.layers.last().map_or(0, |heads| heads.outputs);
        let losses = 3 * heads + 5 * self.tasks;
        5 + self.features + losses + self.layers.iter().map(rounds).sum::<usize>()
    }

    /// Rounds of the loops that load the parameters and store a share of the gradient, at most.
    fn rounds_a_share(&self) -> usize {
        let rounds = |layer: &Place| {
            let (inputs, outputs) = (layer.padded_inputs, layer.padded_outputs);
            let load = outputs / 8 * (2 + inputs / 4);
            let clear = outputs * inputs / 16 + outputs;
            let store = outputs * (2 + inputs / 16);
            6 + load + clear + store
        };
        16 + 3 * self.tasks + self.layers.iter().map(rounds).sum::<usize>()
    }

    /// The WGSL that comes before the kernel's files.
    fn prologue(&self) -> String {
        let heads = self.layers.last().map_or(0, |heads| heads.output);
        let padded_features = self.layers.first().map_or(0, |layer| layer.padded_inputs);
        let mut text = String::from("// Made by engine::octet for one network.\n");
        for (name, value) in [
            ("LAYERS", self.layers.len()),
            ("TASKS", self.tasks),
            ("FEATURES", self.features),
            ("PADDED_FEATURES", padded_features),
            ("HEADS", heads),
            ("PARAMETERS", self.parameters),
            ("UNITS", self.units),
            ("SLOPES", self.units),
            ("BLOCKS", self.units / 8),
            ("WEIGHTS", self.weights),
            ("SUMS", self.sums),
            ("ACTIVATION", self.activation as usize),
        ] {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "const {name} = {value}u;");
        }
        text += "fn layer_at(i: u32) -> Layer {\n    let z = unknown_zero();\n    switch i {\n";
        for (index, layer) in self.layers.iter().enumerate() {
            let Place { inputs, outputs, padded_inputs, padded_outputs, parameter, .. } = layer;
            let Place { input, output, weight, sum, .. } = layer;
            let is_last = index + 1 == self.layers.len();
            let label = if is_last { "default".into() } else { format!("case {index}u") };
            let _ = writeln!(
                text,
                "        {label}: {{ return Layer({inputs}u, z + {outputs}u, z + {padded_inputs}u, \
                 z + {padded_outputs}u, {parameter}u, {input}u, {output}u, {weight}u, {sum}u, {is_last}); }}"
            );
        }
        text + "    }\n}\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::check_shader;
    use crate::loss::Task;
    use crate::{Activation, Loss};

    fn shape(hidden: &[usize]) -> Shape {
        let tasks = [Task::new("value", Loss::Mse, 2), Task::new("kind", Loss::cross_entropy(), 9)];
        Shape::new(&Network::new(5, hidden, Activation::Tanh, &tasks).expect("a network"))
    }

    #[test]
    fn the_kernel_is_valid_for_any_shape() {
        for hidden in [&[][..], &[16], &[128, 3, 40, 128]] {
            for has in [false, true] {
                let flags = ["HAS_MASKS", "HAS_SMOOTHING", "HAS_CLASS_WEIGHTS"];
                let flags = flags.map(|name| format!("const {name} = {has};\n")).concat();
                check_shader(&kernels::OCTET_ROWS, &(shape(hidden).prologue() + &flags));
            }
        }
    }

    #[test]
    fn four_layers_of_128_fit_and_two_of_512_do_not() {
        assert!(shape(&[128; 4]).fits());
        assert!(!shape(&[512, 512]).fits());
    }

    #[test]
    fn no_workgroup_makes_more_rounds_than_the_driver_allows() {
        for hidden in [&[128; 4][..], &[128, 128], &[32]] {
            let shape = shape(hidden);
            for batch in [1, 256, 65_536, 1 << 20] {
                let tiles = batch_tiles(batch).div_ceil(shares(batch, &shape));
                let rounds = shape.rounds_a_share() + tiles * shape.rounds_a_tile();
                assert!(rounds <= Gpu::MOST_ROUNDS, "{hidden:?}, batch {batch}: {rounds}");
            }
        }
    }

    fn batch_tiles(batch: usize) -> usize {
        batch.div_ceil(TILE)
    }
}
