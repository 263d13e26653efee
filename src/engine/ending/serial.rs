//! The ending on software adapters (`finish.wgsl`): lanes that take several parameters each, and no barrier.

use super::shares::{MOST_LOSSES, Shares};
use crate::engine::device::Workspace;
use crate::engine::rules;
use crate::error::Result;
use crate::gpu::{Buffer, Dispatch, REDUCTION, Work, kernels, rounds_of};
use wgpu::BindingResource as Binding;

/// Parameters that a lane of `finish` updates: enough to make light of what all lanes add up alike.
const PARAMETERS_A_LANE: usize = 8;

/// Workgroups whose squares every lane of `finish` adds up.
const NORMS: usize = 128;

/// Shares of a step, or their sums.
struct Terms<'a> {
    gradients: Binding<'a>,
    gradient_shares: usize,
    losses: Binding<'a>,
    loss_shares: usize,
}

/// The end of a step: a dispatch; one more where gradients are clipped, and one where there are many losses.
pub(super) fn dispatches(workspace: &Workspace, shares: &Shares) -> Result<Vec<Dispatch>> {
    let gpu = &workspace.gpu;
    let tasks = workspace.recipe.network.tasks().len();
    let mut dispatches = Vec::new();
    let (mut gradients, mut gradient_shares) = (shares.gradients(), shares.of_gradient);
    let (mut losses, mut loss_shares) = (shares.losses(), shares.of_losses);
    let sums;
    if tasks * loss_shares > MOST_LOSSES {
        sums = Buffer::<f32>::zeros(gpu, "the losses", 3 * tasks * workspace.seats())?;
        let work = Work::new(tasks, rounds_of(loss_shares.div_ceil(64), 0) + REDUCTION);
        let kernel = gpu.kernel(&kernels::LOSS_SUMS, &[]);
        dispatches.push(kernel.dispatch(gpu, &[losses, sums.binding()], work)?);
        (losses, loss_shares) = (sums.binding(), 1);
    }
    let mut constants = Vec::new();
    let gradient;
    let mut norms = 0;
    if let Some(most) = workspace.recipe.clip {
        let parameters = workspace.recipe.network.parameter_count();
        let preferred = parameters.div_ceil(64 * PARAMETERS_A_LANE).min(NORMS);
        let inside = rounds_of(gradient_shares, 0);
        let work = gpu.share_out(parameters.div_ceil(64), preferred, inside, REDUCTION);
        norms = work.workgroups;
        let length = workspace.seats() * (parameters + norms);
        gradient = Buffer::<f32>::zeros(gpu, "the gradient", length)?;
        let kernel = gpu.kernel(&kernels::GRADIENT_NORM, &[]);
        dispatches.push(kernel.dispatch(gpu, &[gradients, gradient.binding()], work)?);
        (gradients, gradient_shares) = (gradient.binding(), 1);
        constants.push(("CLIP", most));
    }
    let terms = Terms { gradients, gradient_shares, losses, loss_shares };
    dispatches.push(apply(workspace, terms, norms, &constants)?);
    Ok(dispatches)
}

fn apply(
    workspace: &Workspace,
    terms: Terms<'_>,
    norms: usize,
    constants: &[(&'static str, f64)],
) -> Result<Dispatch> {
    let gpu = &workspace.gpu;
    let Terms { gradients, gradient_shares, losses, loss_shares } = terms;
    let optimizers = workspace.optimizers([gradient_shares, loss_shares, norms])?;
    let buffers = [
        optimizers.binding(),
        workspace.state.binding(),
        gradients,
        losses,
        workspace.normalisers.binding(),
        workspace.records.binding(),
        workspace.stop.binding(),
    ];
    let network = &workspace.recipe.network;
    let tasks = network.tasks().len();
    let all = network.parameter_count() + tasks;
    let a_loss = rounds_of(loss_shares, 0);
    let besides = rounds_of(tasks, a_loss) + rounds_of(tasks.div_ceil(64), a_loss) + norms + 1;
    let besides = besides + rules::rounds_after(&workspace.recipes);
    let preferred = all.div_ceil(64 * PARAMETERS_A_LANE);
    let work = gpu.share_out(all.div_ceil(64), preferred, rounds_of(gradient_shares, 0), besides);
    let text = rules::after_serial(&workspace.recipes);
    gpu.shaped_kernel(&kernels::FINISH, &text, constants).dispatch(gpu, &buffers, work)
}
