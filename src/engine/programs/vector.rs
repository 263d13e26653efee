//! A step in two dispatches, for software adapters: a kernel made for the network's shape takes tiles of rows through
//! everything but the end (`shaders/vector/`).
//!
//! Taken by llvmpipe's Vulkan driver, whose subgroups are a core's vectors, for networks without dropout that fit into a core's
//! cache (about 130,000 parameters).

use crate::engine::device::{Program, Workspace};
use crate::engine::{ending, rules};
use crate::error::Result;
use crate::gpu::{MOST_ROUNDS, Work, kernels, render};
use crate::loss::{Loss, NONE, TaskLayout};
use crate::network::Network;
use serde::Serialize;

pub(super) const NAME: &str = "vector";

/// Rows of a tile: eight lanes with four each, or sixteen with two.
const TILE: usize = 32;
/// Units that are padded together: the most lanes.
const PADDING: usize = 16;
/// Tiles for which it pays to load the weights and to store the gradient once more.
const TILES_A_SHARE: usize = 16;
const MOST_SHARES: usize = 64;
/// Tiles beyond which their units outgrow what is won by taking them together.
const MOST_BUNCH: usize = 8;
/// Units, of all tiles that are taken together, and weights beyond which a workgroup's private memory outgrows a core's
/// cache and a thread's stack.
const MOST_UNITS: usize = 2_048;
const MOST_WEIGHTS: usize = 131_072;

/// The program, or `None` where another has to do: on other adapters, for networks that are too
/// large, and for dropout.
pub(super) fn program(workspace: &Workspace) -> Result<Option<Program>> {
    let gpu = &workspace.gpu;
    let network = &workspace.recipe.network;
    let Some(lanes) = gpu.vector_lanes() else {
        return Ok(None);
    };
    let shape = Shape::new(network, lanes);
    if !shape.fits() || network.dropout() > 0.0 {
        return Ok(None);
    }
    let shares = shares(workspace.batch, &shape);
    let bunch = bunch(workspace.batch, shares, shape.units);
    let needs = Needs::of(&workspace.rows.layouts);
    let mut values = Values { shape: &shape, bunch, losses_only: false, needs };
    let text = render(kernels::VECTOR_ROWS.label, &values)?;
    let rounds = shape.rounds(most_tiles(workspace.batch, shares, bunch));
    let work = Work::new(shares, rounds);
    let Some(step) = ending::in_shares(workspace, &kernels::VECTOR_ROWS, &text, work)? else {
        return Ok(None);
    };
    let mut look = None;
    if rules::look_first(&workspace.recipes) {
        values.losses_only = true;
        let text = render(kernels::VECTOR_ROWS.label, &values)?;
        look = Some(ending::losses_in_shares(workspace, &kernels::VECTOR_ROWS, &text, work)?);
    }
    Ok(Some(Program { look, ..Program::step(NAME, step) }))
}

/// The values of the kernel's template.
#[derive(Serialize)]
struct Values<'a> {
    #[serde(flatten)]
    shape: &'a Shape,
    /// Tiles that are taken together.
    bunch: usize,
    /// Whether there is no way back.
    losses_only: bool,
    #[serde(flatten)]
    needs: Needs,
}

/// What some task has: what none has need not be looked for.
#[derive(Serialize)]
struct Needs {
    has_more_than_mse: bool,
    has_own_noise: bool,
    has_masks: bool,
    has_smoothing: bool,
    has_class_weights: bool,
    has_sample_weights: bool,
}

impl Needs {
    fn of(tasks: &[TaskLayout]) -> Self {
        let others = [Loss::Mse.code(), Loss::cross_entropy().code()];
        Self {
            has_more_than_mse: tasks.iter().any(|task| !others.contains(&task.loss)),
            has_own_noise: tasks.iter().any(TaskLayout::predicts_noise),
            has_masks: tasks.iter().any(|task| task.mask != NONE),
            has_smoothing: tasks.iter().any(TaskLayout::is_smoothed),
            has_class_weights: tasks.iter().any(|task| task.class_weights != NONE),
            has_sample_weights: tasks.iter().any(|task| task.sample_weights != NONE),
        }
    }
}

/// Workgroups of a step: few, since each costs as much as a tile, but one for every core, and as many as the driver's
/// limit on loops asks for.
fn shares(batch: usize, shape: &Shape) -> usize {
    let tiles = batch.div_ceil(TILE);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let most_tiles = (MOST_ROUNDS - shape.rounds_a_share()) / shape.rounds_a_tile();
    // `bunch` may give one of them an eighth more.
    let most_tiles = (most_tiles * 8 / 9).max(1);
    let shares = (tiles / TILES_A_SHARE).min(MOST_SHARES).max(cores).min(tiles);
    shares.max(tiles.div_ceil(most_tiles)).max(1)
}

/// Tiles that a workgroup takes through one layer after the other, whose code and weights then lie in the core's first
/// caches: as many as fit, if no workgroup gets much more to do than its share.
fn bunch(batch: usize, shares: usize, units: usize) -> usize {
    let tiles = batch.div_ceil(TILE);
    let fair = tiles.div_ceil(shares);
    let most = (MOST_UNITS / units).clamp(1, MOST_BUNCH);
    let is_fair =
        |bunch: &usize| tiles.div_ceil(*bunch).div_ceil(shares) * bunch <= fair + fair / 8;
    (1..=most).rev().find(is_fair).unwrap_or(1)
}

/// The most tiles that one workgroup takes.
fn most_tiles(batch: usize, shares: usize, bunch: usize) -> usize {
    let bunches = batch.div_ceil(TILE).div_ceil(bunch);
    bunches.div_ceil(shares) * bunch
}

/// Where each layer lies in the kernel's private arrays.
#[derive(Serialize)]
struct Shape {
    lanes: usize,
    /// Rows of a tile that each of them has.
    rows: usize,
    layers: Vec<Place>,
    features: usize,
    activation: u32,
    parameters: usize,
    tasks: usize,
    units: usize,
    weights: usize,
    sums: usize,
}

/// `Layer` in `vector/layers.wgsl`.
#[derive(Serialize)]
struct Place {
    inputs: usize,
    outputs: usize,
    input_quads: usize,
    output_quads: usize,
    parameter: usize,
    input: usize,
    output: usize,
    weight: usize,
    sum: usize,
}

impl Shape {
    fn new(network: &Network, lanes: usize) -> Self {
        let layers = network.layers();
        let mut shape = Self {
            lanes,
            rows: TILE / lanes,
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
            let padding = if index + 1 == layers.len() { lanes } else { PADDING };
            let padded_inputs = layer.inputs.next_multiple_of(PADDING);
            let padded_outputs = layer.outputs.next_multiple_of(padding);
            shape.layers.push(Place {
                inputs: layer.inputs,
                outputs: layer.outputs,
                input_quads: padded_inputs / 4,
                output_quads: padded_outputs / 4,
                parameter: layer.weight,
                input: shape.units / 4,
                output: (shape.units + padded_inputs) / 4,
                weight: shape.weights,
                sum: shape.sums,
            });
            shape.units += padded_inputs;
            shape.weights += padded_inputs * padded_outputs / (4 * lanes);
            shape.sums += padded_inputs * padded_outputs / 64;
        }
        shape.units += shape.layers.last().map_or(0, |heads| 4 * heads.output_quads);
        shape
    }

    fn fits(&self) -> bool {
        self.units <= MOST_UNITS
            && 4 * self.lanes * self.weights <= MOST_WEIGHTS
            && self.rounds(1) <= MOST_ROUNDS
    }

    /// Rounds of all loops of a workgroup that takes so many tiles, at most.
    fn rounds(&self, tiles: usize) -> usize {
        self.rounds_a_share() + tiles * self.rounds_a_tile()
    }

    /// Rounds of all loops that a tile is taken through, at most: of each one more, in which it is found to be over.
    fn rounds_a_tile(&self) -> usize {
        let rounds = |layer: &Place| {
            let (inputs, outputs) = (4 * layer.input_quads, 4 * layer.output_quads);
            let forward = outputs / self.lanes * (3 + self.lanes / 4 + inputs / 4);
            let weight = inputs / 16 * (2 + outputs / 4);
            let backward = inputs / self.lanes * (3 + self.lanes / 4 + outputs / 4);
            // The loops over layers and tiles, and those over blocks when they are over.
            12 + forward + weight + backward
        };
        let heads = self.layers.last().map_or(0, |heads| 4 * heads.output_quads);
        let losses = 2 * heads / 4 + 3 * heads + 8 * self.tasks;
        12 + self.features.div_ceil(4) + losses + self.layers.iter().map(rounds).sum::<usize>()
    }

    /// Rounds of the loops that load the parameters and store a share of the gradient, at most.
    fn rounds_a_share(&self) -> usize {
        let rounds = |layer: &Place| {
            let (inputs, outputs) = (4 * layer.input_quads, 4 * layer.output_quads);
            let load = outputs / self.lanes * (2 + inputs / 4);
            let clear = outputs / 4 * (1 + inputs / 16);
            let store = outputs / 4 * (2 + inputs / 16);
            let transposed = inputs / self.lanes * (2 + outputs / 4);
            10 + load + transposed + clear + store
        };
        16 + 3 * self.tasks + self.layers.iter().map(rounds).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::check_shader;
    use crate::loss::Task;
    use crate::{Activation, Loss};

    fn shape(hidden: &[usize], lanes: usize) -> Shape {
        let tasks = [Task::new("value", Loss::Mse, 2), Task::new("kind", Loss::cross_entropy(), 9)];
        Shape::new(&Network::new(5, hidden, Activation::Tanh, &tasks).expect("a network"), lanes)
    }

    #[test]
    fn the_kernel_is_valid_for_any_shape() {
        for hidden in [&[][..], &[16], &[128, 3, 40, 128]] {
            for has in [false, true] {
                for lanes in [8, 16] {
                    let needs = Needs {
                        has_more_than_mse: has,
                        has_own_noise: has,
                        has_masks: has,
                        has_smoothing: has,
                        has_class_weights: has,
                        has_sample_weights: has,
                    };
                    let shape = shape(hidden, lanes);
                    // Without the way back where half of what may be needed is.
                    let losses_only = needs.has_masks;
                    let values = Values { shape: &shape, bunch: 3, losses_only, needs };
                    let text = render(kernels::VECTOR_ROWS.label, &values).expect("a kernel");
                    check_shader(&kernels::VECTOR_ROWS, &text);
                }
            }
        }
    }

    #[test]
    fn four_layers_of_128_fit_and_two_of_512_do_not() {
        assert!(shape(&[128; 4], 8).fits() && shape(&[128; 4], 16).fits());
        assert!(!shape(&[512, 512], 8).fits());
    }

    /// The most tiles that one workgroup takes, counted as the kernel's loop does.
    fn counted_tiles(batch: usize, shares: usize, bunch: usize) -> usize {
        let tiles = batch.div_ceil(TILE);
        let taken = |workgroup: usize| -> usize {
            let firsts = (workgroup * bunch..tiles).step_by(shares * bunch);
            firsts.map(|first| bunch.min(tiles - first)).sum()
        };
        (0..shares).map(taken).max().unwrap_or(0)
    }

    #[test]
    fn no_workgroup_makes_more_rounds_than_the_driver_allows() {
        for (hidden, lanes) in [(&[128; 4][..], 8), (&[128, 128], 16), (&[32], 8)] {
            let shape = shape(hidden, lanes);
            for batch in [1, 256, 65_536, 1 << 20] {
                let shares = shares(batch, &shape);
                let bunch = bunch(batch, shares, shape.units);
                let tiles = most_tiles(batch, shares, bunch);
                assert!(counted_tiles(batch, shares, bunch) <= tiles, "{hidden:?}, batch {batch}");
                let rounds = shape.rounds(tiles);
                assert!(rounds <= MOST_ROUNDS, "{hidden:?}, batch {batch}: {rounds}");
            }
        }
    }

    #[test]
    fn bunches_give_no_workgroup_much_more_than_its_share() {
        let shape = shape(&[64, 64], 8);
        assert_eq!(bunch(1_024, 2, shape.units), MOST_BUNCH);
        for batch in (1..3_000usize).step_by(37) {
            for shares in 1..=4 {
                let fair = batch.div_ceil(TILE).div_ceil(shares);
                let most = counted_tiles(batch, shares, bunch(batch, shares, shape.units));
                assert!(most <= fair + fair / 8, "batch {batch}, {shares} shares: {most} tiles");
            }
        }
    }
}
