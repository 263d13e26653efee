//! The fused engine's step in two dispatches, on any adapter: `shaders/rows.wgsl` takes blocks of rows through
//! everything but the end, which is the same as elsewhere.

use super::fused;
use super::infos::LayerInfo;
use super::layers::TILE;
use super::resident::Resident;
use crate::error::Result;
use crate::gpu::{Buffer, Dispatch, Gpu, kernels};
use crate::network::Layer;

/// Width beyond which a layer's tiles are better shared among workgroups.
const MOST_WIDTH: usize = 256;
/// Workgroups of a step, each of which takes many blocks of rows: enough for a large GPU, few enough that their shares
/// are quickly added up.
const MOST_WORKGROUPS: usize = 128;

/// The step's dispatches, or `None` for networks and batches that are too large, for drivers that the kernel is too large for,
/// and where others are faster.
pub(super) fn step(resident: &Resident) -> Result<Option<Vec<Dispatch>>> {
    let gpu = &resident.gpu;
    let network = &resident.recipe.network;
    let layers = network.layers();
    let tasks = network.tasks().len();
    let parameters = network.parameter_count();
    let is_wide = layers.iter().any(|layer| layer.inputs.max(layer.outputs) > MOST_WIDTH);
    if is_wide || !gpu.compiles_large_kernels() {
        return Ok(None);
    }
    // Where `vector` declines for dropout, a dispatch a layer is faster: 5.0 ms a step against 16.3 (32, 32, batch 512).
    if gpu.vector_lanes().is_some() && network.dropout() > 0.0 {
        return Ok(None);
    }
    // Outputs, slopes and gradients of a block.
    let scratch = 3 * TILE * layers.iter().map(|layer| layer.outputs).sum::<usize>();
    let workgroups = workgroups(resident, &layers);
    let losses = (workgroups + 2) * tasks;
    let gradients_at = losses.next_multiple_of(64);
    let scratch_at = gradients_at + (workgroups * parameters).next_multiple_of(64);
    let length = scratch_at + workgroups * scratch;
    if 4 * length as u64 > gpu.device().limits().max_storage_buffer_binding_size {
        return Ok(None);
    }
    let mut next = 0;
    let infos = layers.iter().enumerate().map(|(index, layer)| {
        let activation = (index + 1 < layers.len()).then_some(network.activation());
        let info = LayerInfo::new(layer, activation, index == 0, resident.shares);
        let info = info.with_scratch(next);
        next += 3 * TILE * layer.outputs;
        info
    });
    let infos = Buffer::storage(gpu, "the layers", &infos.collect::<Vec<_>>())?;
    let work = Buffer::<f32>::zeros(gpu, "work", length)?;
    let buffers = [
        infos.binding(),
        resident.features.binding(),
        resident.labels.binding(),
        resident.tasks.binding(),
        resident.order.binding(),
        resident.parameters.binding(),
        resident.normalisers.binding(),
        work.binding(),
    ];
    let mut constants = vec![resident.scheme()];
    constants.extend(resident.loss_constants());
    constants.extend(resident.dropout());
    let rows = gpu.kernel(&kernels::ROWS, &constants).dispatch(gpu, &buffers, workgroups);
    let gradients = work.range(gradients_at, workgroups * parameters);
    let mut dispatches = vec![rows];
    let losses = work.range(0, losses);
    dispatches.extend(fused::finish(resident, gradients, workgroups, losses, workgroups)?);
    Ok(Some(dispatches))
}

/// Workgroups of a step; more on software adapters, which limit the rounds of a workgroup's loops.
fn workgroups(resident: &Resident, layers: &[Layer]) -> usize {
    let blocks = resident.batch.div_ceil(TILE);
    let fewest = match resident.gpu.is_software() {
        true => blocks.div_ceil((Gpu::MOST_ROUNDS / rounds_a_block(resident, layers)).max(1)),
        false => 1,
    };
    blocks.min(MOST_WORKGROUPS).max(fewest)
}

/// Rounds of all loops that a block is taken through, at most.
fn rounds_a_block(resident: &Resident, layers: &[Layer]) -> usize {
    // A slice of 16: its four or so rounds of staging, sixteen of products, and the ends of both.
    let product = |rows: usize, columns: usize, depth: usize| {
        rows.div_ceil(TILE) * (2 + columns.div_ceil(TILE) * (4 + 24 * depth.div_ceil(16)))
    };
    let of_layer = |layer: &Layer| {
        let Layer { inputs, outputs, .. } = *layer;
        4 + product(TILE, outputs, inputs)
            + product(outputs, inputs + 1, TILE)
            + product(TILE, inputs, outputs)
    };
    let lanes = resident.lanes_per_row();
    let of_task = |task: &crate::Task| 8 + (1 + TILE * lanes / 64) * (24 + 4 * task.width);
    8 + layers.iter().map(of_layer).sum::<usize>()
        + resident.recipe.network.tasks().iter().map(of_task).sum::<usize>()
}
