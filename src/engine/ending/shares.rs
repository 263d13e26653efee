//! A step in two dispatches: one of a kernel made for the network, whose workgroups each store a share of the gradients and
//! losses, and the ending.

use super::finish::{Shares, dispatches};
use crate::engine::device::Resident;
use crate::error::Result;
use crate::gpu::{Buffer, Dispatch, Source, Work};

/// The step's dispatches, one with this much work and those of the ending; `None` where the shares are more than the device binds.
pub(crate) fn in_shares(
    resident: &Resident,
    source: &'static Source,
    text: &str,
    work: Work,
) -> Result<Option<Vec<Dispatch>>> {
    let gpu = &resident.gpu;
    let shares = work.workgroups;
    let parameters = resident.recipe.network.parameter_count();
    let tasks = resident.recipe.network.tasks().len();
    let most_bytes = gpu.device().limits().max_storage_buffer_binding_size;
    if shares > most_bytes as usize / (4 * parameters) {
        return Ok(None);
    }
    let gradient_shares = Buffer::<f32>::zeros(gpu, "gradient shares", shares * parameters)?;
    let loss_shares = Buffer::<f32>::zeros(gpu, "loss shares", (shares + 2) * tasks)?;
    let buffers = [
        resident.features.binding(),
        resident.labels.binding(),
        resident.tasks.binding(),
        resident.order.binding(),
        resident.parameters.binding(),
        resident.normalisers.binding(),
        gradient_shares.binding(),
        loss_shares.binding(),
    ];
    let kernel = gpu.shaped_kernel(source, text, &[resident.scheme()]);
    let mut step = vec![kernel.dispatch(gpu, &buffers, work)?];
    let shares = Shares {
        gradients: gradient_shares.binding(),
        gradient_shares: shares,
        losses: loss_shares.binding(),
        loss_shares: shares,
    };
    step.extend(dispatches(resident, shares)?);
    Ok(Some(step))
}
