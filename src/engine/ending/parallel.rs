//! The ending on GPUs (`parallel.wgsl`): several lanes a parameter, which share its sum.

use super::shares::{MOST_LOSSES, Shares};
use crate::engine::device::Workspace;
use crate::engine::rules;
use crate::error::Result;
use crate::gpu::{Buffer, Dispatch, REDUCTION, Work, kernels, rounds_of};

/// Lanes of a workgroup.
const LANES: usize = 64;
/// Loads that a lane has on their way at once.
const LOADS: usize = 8;
/// Lanes that share the sum of a cell, at most.
const MOST_PARTS: usize = 8;

/// The copy of the parameters that a program's kernel reads, in its own layout.
pub(crate) struct Packed<'a> {
    pub buffer: &'a Buffer<f32>,
    /// The kernel that keeps it, `block/finish`, for the network.
    pub text: String,
}

/// The end of a step: a dispatch; one more before it where gradients are clipped or there are many losses. A `packed` copy of
/// the parameters is kept up to date.
pub(crate) fn dispatches(
    workspace: &Workspace,
    shares: &Shares,
    packed: Option<Packed<'_>>,
) -> Result<Vec<Dispatch>> {
    let tasks = workspace.recipe.network.tasks().len();
    if workspace.recipe.clip.is_none() && tasks * shares.of_losses <= MOST_LOSSES {
        return Ok(vec![apply(workspace, shares, 0, packed)?]);
    }
    let gpu = &workspace.gpu;
    let parts = Parts::new(shares, tasks);
    let norms = shares.cells.div_ceil(LANES / parts.of_cell);
    let sums = Shares::new(workspace, [1, shares.cells], 1, norms)?;
    let mut constants = parts.constants(shares, tasks);
    constants.push(("CELLS", shares.cells as f64));
    constants.push(("SUMMED_LOSSES_AT", sums.losses_at() as f64));
    constants.push(("NORMS_AT", sums.end() as f64));
    let of_cell = parts.rounds_of_cell(shares) + REDUCTION;
    let of_task = rounds_of(shares.of_losses.div_ceil(LANES), 0) + REDUCTION;
    let work = Work::new(norms + tasks, of_cell + of_task);
    let kernel = gpu.kernel(&kernels::SUMS, &constants);
    let add_up = kernel.dispatch(gpu, &[shares.all(), sums.all()], work)?;
    Ok(vec![add_up, apply(workspace, &sums, norms, packed)?])
}

fn apply(
    workspace: &Workspace,
    shares: &Shares,
    norms: usize,
    packed: Option<Packed<'_>>,
) -> Result<Dispatch> {
    let gpu = &workspace.gpu;
    let tasks = workspace.recipe.network.tasks().len();
    let optimizers = workspace.optimizers([shares.of_gradient, shares.of_losses, 0])?;
    let mut buffers = vec![
        optimizers.binding(),
        workspace.state.binding(),
        shares.all(),
        workspace.normalisers.binding(),
        workspace.records.binding(),
        workspace.stop.binding(),
    ];
    let parts = Parts::new(shares, tasks);
    let mut constants = parts.constants(shares, tasks);
    if let Some(most) = workspace.recipe.clip {
        constants.push(("CLIP", most));
        constants.push(("NORMS", norms as f64));
        constants.push(("NORMS_AT", shares.end() as f64));
    }
    let a_task = rounds_of(shares.of_losses.div_ceil(parts.of_task), 0) + REDUCTION;
    let losses = rounds_of(tasks.div_ceil(LANES / parts.of_task), a_task);
    let norm_rounds = rounds_of(norms.div_ceil(LANES), 0) + REDUCTION;
    let rounds = parts.rounds_of_cell(shares) + 2 * losses + REDUCTION + norm_rounds;
    let rounds = rounds + rules::rounds_after(&workspace.recipes);
    let work = Work::new(shares.cells.div_ceil(LANES / parts.of_cell), rounds);
    let after = rules::after_parallel(&workspace.recipes);
    let kernel = match &packed {
        Some(Packed { buffer, text }) => {
            buffers.push(buffer.binding());
            gpu.shaped_kernel(&kernels::BLOCK_FINISH, &(after + text), &constants)
        }
        None => {
            constants.push(("CELLS", shares.cells as f64));
            gpu.shaped_kernel(&kernels::PARALLEL_FINISH, &after, &constants)
        }
    };
    kernel.dispatch(gpu, &buffers, work)
}

/// Into how many lanes' parts the sums are split; powers of two.
struct Parts {
    of_cell: usize,
    of_task: usize,
}

impl Parts {
    fn new(shares: &Shares, tasks: usize) -> Self {
        let of_cell = shares.of_gradient.div_ceil(LOADS).next_power_of_two().min(MOST_PARTS);
        let room = (LANES / tasks.next_power_of_two()).max(1);
        Self { of_cell, of_task: room.min(shares.of_losses.next_power_of_two()) }
    }

    fn constants(&self, shares: &Shares, tasks: usize) -> Vec<(&'static str, f64)> {
        [
            ("GRADIENT_SHARES", shares.of_gradient),
            ("LOSS_SHARES", shares.of_losses),
            ("LOSSES_AT", shares.losses_at()),
            ("TASKS", tasks),
            ("CELL_PARTS", self.of_cell),
            ("TASK_PARTS", self.of_task),
        ]
        .map(|(name, value)| (name, value as f64))
        .to_vec()
    }

    /// Rounds of the loops that add up a cell.
    fn rounds_of_cell(&self, shares: &Shares) -> usize {
        rounds_of(shares.of_gradient.div_ceil(LOADS * self.of_cell), 0) + REDUCTION
    }
}
