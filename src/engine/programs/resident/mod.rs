//! A run of steps in one dispatch, on GPUs: one workgroup a network has its parameters in workgroup memory from the first step to
//! the last, and takes each step's batch through everything in blocks of rows (`shaders/resident/`, a template made for the shape).
//!
//! Taken on GPUs for batches so small that one workgroup, which waits for no dispatch, is faster than all of them with two
//! dispatches a step: up to 64 rows of two layers of 32 units; and for fleets of such networks that fill the GPU with a workgroup
//! each, whatever the batch. Asked for by name it takes any batch of up to 4,096 rows, and any
//! network of up to 8 layers and 64 predictions whose parameters fit a workgroup's memory beside the units of eight rows: about
//! 6,000 of them in 32 KiB, 2,300 in 16 KiB. On software adapters, which compile such a kernel for seconds, only so.

#[cfg(test)]
mod tests;

use crate::engine::device::infos::{MOST_ROWS, OptimizerInfo, StepInfo};
use crate::engine::device::{Program, Workspace};
use crate::engine::rules;
use crate::engine::step::MOST_STEPS;
use crate::engine::workgroup::{Means, Parameters, Shape};
use crate::error::Result;
use crate::gpu::{Buffer, MOST_ROUNDS, Work, kernels, render, rounds_of};
use crate::loss::TaskLayout;
use crate::network::Network;
use bytemuck::Zeroable;
use serde::Serialize;

pub(super) const NAME: &str = "resident";

/// Rows of a block, the most first.
const ROWS_OF_BLOCKS: [usize; 3] = [32, 16, 8];
/// Lanes of a workgroup, the best first: those of two waves leave none waiting for long.
const LANES: [usize; 3] = [128, 256, 64];
/// Members of a fleet: with 64 tasks they fill a uniform binding.
const MOST_MEMBERS: usize = 768;
/// Parameters of a network up to which a run pays; of one network also rows of a batch, and one times the other: 64 rows of two
/// layers of 32 units.
const MOST_PARAMETERS: usize = 3_000;
const MOST_ROWS_OF_ONE: usize = 64;
const MOST_PRODUCTS: usize = 1 << 17;
/// Members of a fleet from which on it pays for any batch.
const MANY: usize = 64;

/// The values of the kernel's template.
#[derive(Debug, Serialize)]
struct Values {
    #[serde(flatten)]
    shape: Shape,
    /// Steps of a run, at most.
    steps_a_dispatch: usize,
    /// Steps of a submission, at most.
    slots: usize,
    /// Members of a fleet, at most.
    most_members: usize,
    /// Whether gradients are clipped.
    clips: bool,
}

/// What the kernel reads as uniforms: `Settings` in `resident/steps.wgsl`.
fn settings(workspace: &Workspace) -> Vec<u8> {
    let padded = |bytes: &[u8]| {
        let mut padded = bytes.to_vec();
        padded.resize(bytes.len().next_multiple_of(16), 0);
        padded
    };
    let tasks = workspace.rows.layouts.iter().map(|task| padded(bytemuck::bytes_of(task)));
    // The gradients of this kernel come in no shares.
    let info = |recipe| OptimizerInfo::new(recipe, [1, 1, 0]);
    let mut optimizers: Vec<OptimizerInfo> = workspace.recipes.iter().map(info).collect();
    optimizers.resize(MOST_MEMBERS, OptimizerInfo::zeroed());
    // Without the schemes' settings, for which it has no use and uniforms no room.
    let optimizers = optimizers.iter().map(|info| bytemuck::bytes_of(info)[..80].to_vec());
    tasks.chain(optimizers).flatten().collect()
}

/// The program, or `None` where another has to do.
pub(super) fn program(workspace: &Workspace) -> Result<Option<Program>> {
    let gpu = &workspace.gpu;
    let Some(values) = values(workspace) else {
        return Ok(None);
    };
    let settings = Buffer::uniform_and_storage(gpu, "tasks and optimizers", &settings(workspace))?;
    let [steps, members] = workspace.steps.bindings();
    let buffers = [
        workspace.rows.features.binding(),
        workspace.rows.labels.binding(),
        workspace.order.binding(),
        workspace.normalisers.binding(),
        members,
        workspace.state.binding(),
        workspace.records.binding(),
        workspace.stop.binding(),
        settings.binding(),
        steps,
    ];
    let clip = workspace.recipe.clip.map(|norm| ("CLIP", norm));
    let constants: Vec<_> = workspace.dropout().into_iter().chain(clip).collect();
    let text = render(kernels::RESIDENT_STEPS.label, &values)?;
    let kernel = gpu.shaped_kernel(&kernels::RESIDENT_STEPS, &text, &constants);
    let most = values.steps_a_dispatch;
    let a_step = rounds(workspace.batch, &values.shape);
    let work = Work::new(1, values.shape.rounds_to_load() + rounds_of(most, a_step));
    Ok(Some(Program::run(NAME, vec![kernel.dispatch(gpu, &buffers, work)?], most)))
}

/// What the kernel is made with, or `None` where there is none for the network, the batch and the adapter.
fn values(workspace: &Workspace) -> Option<Values> {
    let Workspace { recipe, recipes, rows, batch, gpu, .. } = workspace;
    // The steps take the most that WebGPU promises a uniform binding, the settings about as much.
    let uniform = gpu.device().limits().max_uniform_buffer_binding_size;
    let is_small = *batch <= MOST_ROWS && recipes.len() <= MOST_MEMBERS;
    let is_small = is_small && !rules::are_needed(recipes);
    if !is_small || (uniform as usize) < StepInfo::STRIDE as usize * MOST_STEPS {
        return None;
    }
    let shape = shape(&recipe.network, &rows.layouts, *batch, Means::of(gpu))?;
    let besides = shape.rounds_to_load() + 1;
    let most = ((MOST_ROUNDS - besides) / (1 + rounds(*batch, &shape))).min(MOST_STEPS);
    let clips = recipe.clip.is_some();
    (most > 0).then_some(Values {
        shape,
        steps_a_dispatch: most,
        slots: MOST_STEPS,
        most_members: MOST_MEMBERS,
        clips,
    })
}

/// The blocks of the most rows that the adapter has room for and the batch has a use for.
fn shape(network: &Network, tasks: &[TaskLayout], batch: usize, means: Means) -> Option<Shape> {
    let useful = batch.next_power_of_two();
    let rows = ROWS_OF_BLOCKS.into_iter().filter(|rows| *rows <= useful.max(8));
    let sizes = rows.flat_map(|rows| LANES.map(|lanes| [rows, lanes]));
    sizes.into_iter().find_map(|size| Shape::with(network, tasks, size, Parameters::Kept, means))
}

/// Rounds of the loops of a step.
fn rounds(batch: usize, shape: &Shape) -> usize {
    rounds_of(batch.div_ceil(shape.rows), shape.rounds_a_block())
}

/// Whether a workgroup a network is faster on a GPU than many with two dispatches a step, by the model (docs/performance.md): for
/// networks whose layers its lanes are made for, and either rows that are few beside what two dispatches cost, or members that
/// keep the GPU busy with a workgroup each.
pub(super) fn pays(network: &Network, batch: usize, members: usize) -> bool {
    let parameters = network.parameter_count();
    let are_few = batch <= MOST_ROWS_OF_ONE && parameters * batch <= MOST_PRODUCTS;
    parameters <= MOST_PARAMETERS && (are_few || members >= MANY)
}
