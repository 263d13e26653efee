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

use super::device::Workspace;
use crate::error::Result;
use crate::gpu::{Dispatch, Source, Work};

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
    let gpu = &workspace.gpu;
    let parameters = workspace.recipe.network.parameter_count();
    if !Shares::fit(workspace, work.workgroups, parameters) {
        return Ok(None);
    }
    let shares = Shares::new(workspace, [work.workgroups, parameters], work.workgroups, 0)?;
    let buffers = [
        workspace.rows.features.binding(),
        workspace.rows.labels.binding(),
        workspace.rows.tasks.binding(),
        workspace.order.binding(),
        workspace.state.binding(),
        workspace.normalisers.binding(),
        shares.gradients(),
        shares.losses(),
    ];
    let kernel = gpu.shaped_kernel(source, text, &[]);
    let mut step = vec![kernel.dispatch(gpu, &buffers, work)?];
    step.extend(dispatches(workspace, &shares)?);
    Ok(Some(step))
}
