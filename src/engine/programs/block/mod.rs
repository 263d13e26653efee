//! A step in two dispatches, on GPUs: a workgroup takes blocks of rows through everything but the end, with what the layers put
//! out in workgroup memory and the gradients of the weights in registers (`shaders/block/`, a template made for the shape).
//!
//! Taken on GPUs for networks up to about 24,000 parameters and 64 predictions, whose gradient a workgroup can hold in its registers and
//! whose units of eight rows in its memory. On software adapters, which compile such a kernel for seconds, only where it is asked
//! for by name.
//!
//! The kernel reads the parameters from a packed copy, weights padded to vectors and once more transposed; `block/pack` makes
//! it anew at the start of every submission, and `block/finish` keeps it.

#[cfg(test)]
mod tests;

use crate::engine::device::infos::MOST_ROWS;
use crate::engine::device::{Program, Resident};
use crate::engine::ending::{self, Packed, Shares};
use crate::engine::workgroup::{Means, Shape};
use crate::error::Result;
use crate::gpu::{Buffer, Dispatch, Work, kernels, render};

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
    let Some(shape) = shape(resident) else {
        return Ok(None);
    };
    let work = work(resident.batch, &shape);
    let cells = 4 * shape.cells;
    // The kernel's grid has one dimension.
    if work.workgroups > MOST_WORKGROUPS || !Shares::fit(resident, work.workgroups, cells) {
        return Ok(None);
    }
    let shares = Shares::new(resident, [work.workgroups, cells], work.workgroups, 0)?;
    let length = 4 * shape.packed * resident.seats();
    let packed = Buffer::<f32>::zeros(gpu, "the packed parameters", length)?;
    let mut dispatches = vec![step(resident, &shape, &packed, &shares, work)?];
    let text = render(kernels::BLOCK_FINISH.label, &shape)?;
    dispatches.extend(ending::packed(resident, &shares, Some(Packed { buffer: &packed, text }))?);
    let text = render(kernels::BLOCK_PACK.label, &shape)?;
    let pack = gpu.shaped_kernel(&kernels::BLOCK_PACK, &text, &[]);
    let buffers = [resident.state.binding(), packed.binding()];
    let tasks = resident.recipe.network.tasks().len();
    let opening = vec![pack.dispatch(gpu, &buffers, Work::elements(cells + tasks))?];
    Ok(Some(Program { opening, ..Program::step(NAME, dispatches) }))
}

/// The blocks of the most rows that the adapter has room for.
fn shape(resident: &Resident) -> Option<Shape> {
    let means = Means::of(&resident.gpu);
    let is_small = resident.batch <= SMALL_BATCH;
    let rows = ROWS_OF_BLOCKS.into_iter().skip(usize::from(is_small));
    let of = |rows| Shape::new(&resident.recipe.network, &resident.rows.layouts, rows, means);
    rows.filter_map(of).next()
}

/// Everything but the end.
fn step(
    resident: &Resident,
    shape: &Shape,
    packed: &Buffer<f32>,
    shares: &Shares,
    work: Work,
) -> Result<Dispatch> {
    let gpu = &resident.gpu;
    let buffers = [
        resident.rows.features.binding(),
        resident.rows.labels.binding(),
        resident.rows.tasks.binding(),
        resident.order.binding(),
        packed.binding(),
        resident.normalisers.binding(),
        shares.gradients(),
        shares.losses(),
    ];
    let constants = resident.dropout();
    let text = render(kernels::BLOCK_STEP.label, shape)?;
    let kernel = gpu.shaped_kernel(&kernels::BLOCK_STEP, &text, &constants);
    kernel.dispatch(gpu, &buffers, work)
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
