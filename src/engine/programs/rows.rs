//! A step in two dispatches, on any adapter: a workgroup takes blocks of rows through everything but the end (`shaders/rows/`).
//!
//! Taken for layers up to 256 wide, by drivers that compile so large a kernel soon, where what lies between the layers fits into
//! one binding; and not for dropout where the driver also has vectors.

use crate::engine::device::infos::LayerInfo;
use crate::engine::device::{Program, Resident};
use crate::engine::ending;
use crate::engine::layers::{TILE, product_rounds};
use crate::error::Result;
use crate::gpu::{Buffer, REDUCTION, Work, kernels, rounds_of};
use crate::loss::pass;
use crate::network::Layer;

pub(super) const NAME: &str = "rows";

/// Width beyond which a layer's tiles are better shared among workgroups.
const MOST_WIDTH: usize = 256;
/// Workgroups of a step, each of which takes many blocks of rows: enough for a large GPU, few enough that their shares
/// are quickly added up.
const WORKGROUPS: usize = 128;

/// The program, or `None` for networks and batches that are too large, for drivers that the kernel is too large for,
/// and where others are faster.
pub(super) fn program(resident: &Resident) -> Result<Option<Program>> {
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
    let work = work(resident, &layers);
    let workgroups = work.workgroups;
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
    let results = Buffer::<f32>::zeros(gpu, "work", length)?;
    let buffers = [
        infos.binding(),
        resident.features.binding(),
        resident.labels.binding(),
        resident.tasks.binding(),
        resident.order.binding(),
        resident.parameters.binding(),
        resident.normalisers.binding(),
        results.binding(),
    ];
    let mut constants = vec![resident.scheme()];
    constants.extend(resident.loss_constants());
    constants.extend(resident.dropout());
    let mut dispatches =
        vec![gpu.kernel(&kernels::ROWS, &constants).dispatch(gpu, &buffers, work)?];
    let shares = ending::Shares {
        gradients: results.range(gradients_at, workgroups * parameters),
        gradient_shares: workgroups,
        losses: results.range(0, losses),
        loss_shares: workgroups,
    };
    dispatches.extend(ending::dispatches(resident, shares)?);
    Ok(Some(Program::step(NAME, dispatches)))
}

/// How the blocks are spread over the GPU.
fn work(resident: &Resident, layers: &[Layer]) -> Work {
    let tasks = resident.recipe.network.tasks().len();
    let parameters = resident.recipe.network.parameter_count();
    let blocks = resident.batch.div_ceil(TILE);
    // Where a short batch leaves a workgroup without a block.
    let besides = rounds_of(parameters.div_ceil(64), 0) + rounds_of(tasks.div_ceil(64), 0);
    resident.gpu.share_out(blocks, WORKGROUPS, rounds_a_block(resident, layers), besides)
}

/// Rounds of all loops that a block is taken through, at most.
fn rounds_a_block(resident: &Resident, layers: &[Layer]) -> usize {
    let product = |rows: usize, columns: usize, depth: usize| {
        rounds_of(rows.div_ceil(TILE), rounds_of(columns.div_ceil(TILE), product_rounds(depth)))
    };
    let of_layer = |layer: &Layer| {
        let Layer { inputs, outputs, .. } = *layer;
        2 + product(TILE, outputs, inputs)
            + product(outputs, inputs + 1, TILE)
            + product(TILE, inputs, outputs)
    };
    let lanes = resident.lanes_per_row();
    let tiles = TILE.div_ceil(64 / lanes);
    let of_task = |task: &crate::Task| {
        1 + rounds_of(tiles, pass::rounds_a_tile(task.width, lanes)) + REDUCTION
    };
    3 + layers.iter().map(of_layer).sum::<usize>()
        + resident.recipe.network.tasks().iter().map(of_task).sum::<usize>()
}
