//! A step in two dispatches, on GPUs: a workgroup takes blocks of rows through everything but the end, with what the layers put
//! out in workgroup memory and the gradients of the weights in registers (`shaders/block/`, a template made for the shape).
//!
//! Taken on GPUs for networks up to about 24,000 parameters and 64 predictions, whose gradient a workgroup can hold in its registers and
//! whose units of eight rows in its memory. On software adapters, which compile such a kernel for seconds, only where it is asked
//! for by name.
//!
//! The kernel reads the parameters from a packed copy, weights padded to vectors and once more transposed; `block/pack` makes
//! it anew at the start of every submission, and `block/finish` keeps it.

mod shape;
#[cfg(test)]
mod tests;

use self::shape::{Means, Shape};
use crate::engine::device::infos::MOST_ROWS;
use crate::engine::device::{Program, Resident};
use crate::engine::ending::{self, Packed, Shares};
use crate::error::Result;
use crate::gpu::{Buffer, Gpu, Work, kernels, render};

pub(super) const NAME: &str = "block";

/// Rows of a block, the most first: more rows make more of every weight that is read, fewer leave none waiting.
const ROWS_OF_BLOCKS: [usize; 2] = [16, 8];
/// Rows of a batch up to which blocks are small, so that many workgroups take part.
const SMALL_BATCH: usize = 1_024;
/// Bytes of all shares, which are written and read in every step, and shares that are quickly added up.
const MOST_BYTES: usize = 12 << 20;
const MOST_SHARES: usize = 512;

/// Workgroups of a dimension, by WebGPU's default limits.
const MOST_WORKGROUPS: usize = 65_535;

/// The program, or `None` where another has to do.
pub(super) fn program(resident: &Resident) -> Result<Option<Program>> {
    let gpu = &resident.gpu;
    let network = &resident.recipe.network;
    let tasks = network.tasks().len();
    let fewest = usize::from(resident.batch <= SMALL_BATCH);
    let means = means(gpu);
    let shapes = ROWS_OF_BLOCKS[fewest..]
        .iter()
        .map(|&rows| Shape::new(network, &resident.layouts, rows, means));
    let Some(shape) = shapes.flatten().next() else {
        return Ok(None);
    };
    let work = work(resident.batch, &shape);
    let cells = 4 * shape.cells;
    // The kernel's grid has one dimension.
    if work.workgroups > MOST_WORKGROUPS || !Shares::fit(gpu, work.workgroups, cells, tasks) {
        return Ok(None);
    }
    let shares = Shares::new(gpu, [work.workgroups, cells], [work.workgroups, tasks], 0)?;
    let packed = Buffer::<f32>::zeros(gpu, "the packed parameters", 4 * shape.packed)?;
    let buffers = [
        resident.features.binding(),
        resident.labels.binding(),
        resident.tasks.binding(),
        resident.order.binding(),
        packed.binding(),
        resident.normalisers.binding(),
        shares.gradients(),
        shares.losses(),
    ];
    let mut constants = vec![resident.scheme()];
    constants.extend(resident.dropout());
    let text = render(kernels::BLOCK_STEP.label, &shape)?;
    let step = gpu.shaped_kernel(&kernels::BLOCK_STEP, &text, &constants);
    let mut dispatches = vec![step.dispatch(gpu, &buffers, work)?];
    let finish = render(kernels::BLOCK_FINISH.label, &shape)?;
    let kept = Packed { buffer: &packed, text: finish };
    dispatches.extend(ending::packed(resident, &shares, Some(kept))?);
    let pack = render(kernels::BLOCK_PACK.label, &shape)?;
    let pack = gpu.shaped_kernel(&kernels::BLOCK_PACK, &pack, &[]);
    let buffers = [resident.parameters.binding(), packed.binding()];
    let opening = vec![pack.dispatch(gpu, &buffers, Work::elements(cells + tasks))?];
    Ok(Some(Program { opening, ..Program::step(NAME, dispatches) }))
}

/// What the adapter gives a workgroup; browsers do not say whose it is.
fn means(gpu: &Gpu) -> Means {
    const AMD: u32 = 0x1002;
    const NVIDIA: u32 = 0x10de;
    let limits = gpu.device().limits();
    let memory = limits.max_compute_workgroup_storage_size as usize;
    let lanes = limits.max_compute_invocations_per_workgroup as usize;
    let has_plenty = [AMD, NVIDIA].contains(&gpu.device().adapter_info().vendor);
    match has_plenty || gpu.is_software() {
        true => Means::plenty(memory, lanes),
        false => Means::lean(memory, lanes),
    }
}

/// Workgroups from the batch alone, so that all adapters add up alike: a block each, as long as their shares stay few enough to
/// be added up quickly; and no more than 4,096 rows each, which f32 adds up one after the other.
fn work(batch: usize, shape: &Shape) -> Work {
    let blocks = batch.div_ceil(shape.rows);
    let most = (MOST_BYTES / (16 * shape.cells)).clamp(1, MOST_SHARES);
    let fewest = batch.div_ceil(MOST_ROWS);
    // A power of two, among which the blocks of most batches are shared out evenly.
    let most = 1 << most.ilog2();
    let workgroups = blocks.min(most).max(fewest).max(1);
    let rounds = 1 + blocks.div_ceil(workgroups) * (1 + shape.rounds_a_block());
    Work::new(workgroups, rounds)
}
