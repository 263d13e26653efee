//! A step in two dispatches (`shaders/small/shares.wgsl`, then `finish`).

use super::text::text;
use super::{rounds, vectors};
use crate::engine::fused;
use crate::engine::program::Program;
use crate::engine::resident::Resident;
use crate::error::Result;
use crate::gpu::{Buffer, Gpu, SMALL_SHARE, kernels};

/// Lanes below which compilation takes too long, and the code and its data outgrow the caches too far: `octet` is as
/// fast then.
const FEWEST_LANES: usize = 16;
/// Registers of parameters, as in `run`.
const MOST_VECTORS: usize = 420;

/// The program, or `None` where another has to do.
pub(super) fn program(resident: &Resident, lanes: usize) -> Result<Option<Program>> {
    let gpu = &resident.gpu;
    let network = &resident.recipe.network;
    let batch = resident.batch;
    if lanes < FEWEST_LANES || vectors(network, lanes) > MOST_VECTORS {
        return Ok(None);
    }
    let parameters = network.parameter_count();
    let tasks = network.tasks().len();
    let shares = shares(batch, lanes);
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
    let text = text(network, &resident.layouts, lanes, SMALL_SHARE);
    let kernel = gpu.shaped_kernel(&kernels::SMALL_SHARES, &text, &[resident.scheme()]);
    let mut dispatches = vec![kernel.dispatch(gpu, &buffers, shares)];
    let (gradients, losses) = (gradient_shares.binding(), loss_shares.binding());
    dispatches.extend(fused::finish(resident, gradients, shares, losses, shares)?);
    Ok(Some(Program::step(dispatches)))
}

/// Workgroups of a step: one for every core, and as many as the driver's limit on loops asks for.
fn shares(batch: usize, lanes: usize) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    // The loops over parameters make a few hundred rounds.
    let most_tiles = (Gpu::MOST_ROUNDS - 1_000) / rounds(lanes, lanes);
    let tiles = batch.div_ceil(lanes);
    cores.min(tiles).max(tiles.div_ceil(most_tiles)).max(1)
}
