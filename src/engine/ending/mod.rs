//! The end of a fused step, which all fused programs have but those whose kernels make whole steps (`shaders/ending/`).
//!
//! A program leaves [`Shares`] of the gradients and losses, one a workgroup or so; here they are added up in a fixed order, σ's
//! gradient follows, and Adam is applied to everything: by several lanes a parameter on GPUs ([`parallel`]), by lanes that take
//! several parameters each on software adapters ([`serial`]), where a barrier costs more than a sum.

mod parallel;
mod serial;
mod shares;

pub(super) use self::parallel::{Packed, dispatches as packed};
pub(super) use self::shares::Shares;

use super::device::{Look, Workspace};
use crate::error::Result;
use crate::gpu::{Buffer, Dispatch, Source, Work};
use wgpu::BindingResource as Binding;

/// The end of a step whose gradient is laid out as the parameters are: a dispatch; one or two more where gradients are
/// clipped or there are many losses.
pub(super) fn dispatches(workspace: &Workspace, shares: &Shares) -> Result<Vec<Dispatch>> {
    match workspace.gpu.vector_lanes() {
        Some(_) => serial::dispatches(workspace, shares),
        None => parallel::dispatches(workspace, shares, None),
    }
}

/// A step in two dispatches: one of a kernel made for the network, with this much work, whose workgroups each store a share of
/// the gradients and losses; and the ending. `None` where the shares are more than the device binds.
pub(super) fn in_shares(
    workspace: &Workspace,
    source: &'static Source,
    text: &str,
    work: Work,
) -> Result<Option<Vec<Dispatch>>> {
    let parameters = workspace.recipe.network.parameter_count();
    if !Shares::fit(workspace, work.workgroups, parameters) {
        return Ok(None);
    }
    let shares = Shares::new(workspace, [work.workgroups, parameters], work.workgroups, 0)?;
    let mut step =
        vec![rows(workspace, source, text, work, [shares.gradients(), shares.losses()])?];
    step.extend(dispatches(workspace, &shares)?);
    Ok(Some(step))
}

/// The losses of a step's batch, by such a kernel that leaves out the gradients.
pub(super) fn losses_in_shares(
    workspace: &Workspace,
    source: &'static Source,
    text: &str,
    work: Work,
) -> Result<Look> {
    let look = Look::new(workspace, work.workgroups)?;
    let no_gradient = Buffer::<f32>::zeros(&workspace.gpu, "no gradient", 1)?;
    let shares = [no_gradient.binding(), look.losses.binding()];
    let dispatches = vec![rows(workspace, source, text, work, shares)?];
    Ok(Look { dispatches, ..look })
}

/// The dispatch of a kernel whose workgroups each take a share of the rows.
fn rows(
    workspace: &Workspace,
    source: &'static Source,
    text: &str,
    work: Work,
    [gradients, losses]: [Binding<'_>; 2],
) -> Result<Dispatch> {
    let buffers = [
        workspace.rows.features.binding(),
        workspace.rows.labels.binding(),
        workspace.rows.tasks.binding(),
        workspace.order.binding(),
        workspace.state.binding(),
        workspace.normalisers.binding(),
        gradients,
        losses,
    ];
    let gpu = &workspace.gpu;
    gpu.shaped_kernel(source, text, &[]).dispatch(gpu, &buffers, work)
}
