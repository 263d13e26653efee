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

use super::device::Resident;
use crate::error::Result;
use crate::gpu::{Dispatch, Source, Work};

/// The end of a step whose gradient is laid out as the parameters are: a dispatch; one or two more where gradients are
/// clipped or there are many losses.
pub(super) fn dispatches(resident: &Resident, shares: &Shares) -> Result<Vec<Dispatch>> {
    match resident.gpu.vector_lanes() {
        Some(_) => serial::dispatches(resident, shares),
        None => parallel::dispatches(resident, shares, None),
    }
}

/// A step in two dispatches: one of a kernel made for the network, with this much work, whose workgroups each store a share of
/// the gradients and losses; and the ending. `None` where the shares are more than the device binds.
pub(super) fn in_shares(
    resident: &Resident,
    source: &'static Source,
    text: &str,
    work: Work,
) -> Result<Option<Vec<Dispatch>>> {
    let gpu = &resident.gpu;
    let parameters = resident.recipe.network.parameter_count();
    if !Shares::fit(resident, work.workgroups, parameters) {
        return Ok(None);
    }
    let shares = Shares::new(resident, [work.workgroups, parameters], work.workgroups, 0)?;
    let buffers = [
        resident.rows.features.binding(),
        resident.rows.labels.binding(),
        resident.rows.tasks.binding(),
        resident.order.binding(),
        resident.state.binding(),
        resident.normalisers.binding(),
        shares.gradients(),
        shares.losses(),
    ];
    let kernel = gpu.shaped_kernel(source, text, &[]);
    let mut step = vec![kernel.dispatch(gpu, &buffers, work)?];
    step.extend(dispatches(resident, &shares)?);
    Ok(Some(step))
}
