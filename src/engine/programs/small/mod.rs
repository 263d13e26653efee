//! Steps for small networks on software adapters, by kernels made for the network's shape (`shaders/small/`): all steps of
//! an epoch in one dispatch (`run`), or two dispatches a step (`shares`).
//!
//! A dispatch costs such an adapter as much as a whole step of a small network, and one core takes a network whose
//! parameters stay in its first cache through a step faster than two cores take one that does not.
//!
//! Taken by llvmpipe's Vulkan driver, whose subgroups are a core's vectors, for up to five layers and eight tasks without
//! dropout; of each file's own limits it speaks itself.

pub(super) mod run;
mod shape;
pub(super) mod shares;

use crate::engine::device::Workspace;
use crate::network::{Layer, Network};

/// Layers, each of which is code of its own.
const MOST_LAYERS: usize = 5;
/// A lane holds a task's σ.
const MOST_TASKS: usize = 8;

/// Lanes of the adapter's vectors, or `None` where neither program is for the adapter or the network.
fn lanes(workspace: &Workspace) -> Option<usize> {
    let network = &workspace.recipe.network;
    let fits = network.layers().len() <= MOST_LAYERS && network.tasks().len() <= MOST_TASKS;
    // No dropout here.
    // Lanes are columns there, and a column's noise would be another lane's.
    let own_noise = network.tasks().iter().any(|task| task.loss.predicts_noise());
    let fits = fits && network.dropout() == 0.0 && !own_noise;
    workspace.gpu.vector_lanes().filter(|_| fits)
}

/// Registers of a network's parameters: a vector of a layer's outputs for each of its inputs.
fn vectors(network: &Network, lanes: usize) -> usize {
    let of_layer = |layer: &Layer| layer.outputs.div_ceil(lanes) * (layer.inputs + 1);
    network.layers().iter().map(of_layer).sum()
}

/// Rounds of the loops that take so many rows through a network: one for a row of each lane, one for each two of them,
/// and the last of every loop, which finds that it is over.
fn rounds(rows: usize, lanes: usize) -> usize {
    2 + (2 + lanes / 2) * rows.div_ceil(lanes)
}
