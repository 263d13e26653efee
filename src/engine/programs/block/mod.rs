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
use crate::engine::device::{Program, Workspace};
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
pub(super) fn program(workspace: &Workspace) -> Result<Option<Program>> {
    let gpu = &workspace.gpu;
    let Some(shape) = shape(workspace) else {
        return Ok(None);
    };
    let work = work(workspace.batch, &shape);
    let cells = 4 * shape.cells;
    // The kernel's grid has one dimension.
    if work.workgroups > MOST_WORKGROUPS || !Shares::fit(workspace, work.workgroups, cells) {
        return Ok(None);
    }
    let shares = Shares::new(workspace, [work.workgroups, cells], work.workgroups, 0)?;
    let length = 4 * shape.packed * workspace.seats();
    let packed = Buffer::<f32>::zeros(gpu, "the packed parameters", length)?;
    let mut dispatches = vec![step(workspace, &shape, &packed, &shares, work)?];
    let text = render(kernels::BLOCK_FINISH.label, &shape)?;
    dispatches.extend(ending::packed(workspace, &shares, Some(Packed { buffer: &packed, text }))?);
    let text = render(kernels::BLOCK_PACK.label, &shape)?;
    let pack = gpu.shaped_kernel(&kernels::BLOCK_PACK, &text, &[]);
    let buffers = [workspace.state.binding(), packed.binding()];
    let tasks = workspace.recipe.network.tasks().len();
    let opening = vec![pack.dispatch(gpu, &buffers, Work::elements(cells + tasks))?];
    Ok(Some(Program { opening, ..Program::step(NAME, dispatches) }))
}

/// The blocks of the most rows that the adapter has room for.
fn shape(workspace: &Workspace) -> Option<Shape> {
    let means = Means::of(&workspace.gpu);
    let is_small = workspace.batch <= SMALL_BATCH;
    let rows = ROWS_OF_BLOCKS.into_iter().skip(usize::from(is_small));
    let of = |rows| Shape::new(&workspace.recipe.network, &workspace.rows.layouts, rows, means);
    rows.filter_map(of).next()
}

/// Everything but the end.
fn step(
    workspace: &Workspace,
    shape: &Shape,
    packed: &Buffer<f32>,
    shares: &Shares,
    work: Work,
) -> Result<Dispatch> {
    let gpu = &workspace.gpu;
    let buffers = [
        workspace.rows.features.binding(),
        workspace.rows.labels.binding(),
        workspace.rows.tasks.binding(),
        workspace.order.binding(),
        packed.binding(),
        workspace.normalisers.binding(),
        shares.gradients(),
        shares.losses(),
    ];
    let constants = workspace.dropout();
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
