//! The end of a fused step, which all fused programs have but those whose kernels make whole steps (`shaders/ending/`).
//!
//! A program leaves [`Shares`] of the gradients and losses, one a workgroup or so; here they are added up in a fixed order, σ's
//! gradient follows, and Adam is applied to everything: by several lanes a parameter on GPUs ([`parallel`]), by lanes that take
//! several parameters each on software adapters ([`serial`]), where a barrier costs more than a sum.

mod parallel;
mod serial;
mod shares;

pub(super) use self::parallel::{Packed, dispatches as packed};
pub(super) use self::shares::{Shares, in_shares};

use super::device::Resident;
use crate::error::Result;
use crate::gpu::Dispatch;

/// Losses, tasks times shares, that every workgroup of the ending adds up; more are added up once, by a dispatch before.
const MOST_LOSSES: usize = 4_096;

/// The end of a step whose gradient is laid out as the parameters are: a dispatch; one or two more where gradients are
/// clipped or there are many losses.
pub(super) fn dispatches(resident: &Resident, shares: &Shares) -> Result<Vec<Dispatch>> {
    match resident.gpu.vector_lanes() {
        Some(_) => serial::dispatches(resident, shares),
        None => parallel::dispatches(resident, shares, None),
    }
}
