//! A step in two dispatches (`shaders/small/shares.wgsl`, then `finish`).

use super::text::text;
use super::{rounds, vectors};
use crate::engine::fused;
use crate::engine::program::Program;
use crate::engine::resident::Resident;
use crate::error::Result;
use crate::gpu::{Gpu, SMALL_SHARE, kernels};
use crate::network::Network;

/// Lanes below which compilation takes too long, and the code and its data outgrow the caches too far: `vector` is as
/// fast then.
const FEWEST_LANES: usize = 16;
/// Registers of parameters, as in `run`.
const MOST_VECTORS: usize = 420;

/// Rounds of the loops that load parameters and store gradients, four vectors in each, at most.
const ROUNDS_A_SHARE: usize = 3 * (MOST_VECTORS / 4 + 10);

/// The program, or `None` where another has to do.
pub(super) fn program(resident: &Resident, lanes: usize) -> Result<Option<Program>> {
    let network = &resident.recipe.network;
    if !takes(network, lanes) {
        return Ok(None);
    }
    let text = text(network, &resident.layouts, lanes, SMALL_SHARE);
    let shares = shares(resident.batch, lanes);
    let step = fused::in_shares(resident, &kernels::SMALL_SHARES, &text, shares)?;
    Ok(step.map(Program::step))
}

/// Whether a network is one for this program.
pub(super) fn takes(network: &Network, lanes: usize) -> bool {
    lanes >= FEWEST_LANES && vectors(network, lanes) <= MOST_VECTORS
}

/// Workgroups of a step: one for every core, and as many as the driver's limit on loops asks for.
fn shares(batch: usize, lanes: usize) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let most_tiles = (Gpu::MOST_ROUNDS - ROUNDS_A_SHARE) / rounds(lanes, lanes);
    let tiles = batch.div_ceil(lanes);
    cores.min(tiles).max(tiles.div_ceil(most_tiles)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_workgroup_makes_more_rounds_than_the_driver_allows() {
        for batch in [1usize, 17, 1_024, 65_536, 1 << 20, 1 << 24] {
            let tiles = batch.div_ceil(16);
            let most = tiles.div_ceil(shares(batch, 16));
            // A tile's rounds, and the last one of the loop over them.
            assert!(ROUNDS_A_SHARE + most * rounds(16, 16) <= Gpu::MOST_ROUNDS, "batch {batch}");
        }
    }

    #[test]
    fn a_batch_is_split_over_the_cores_but_no_further_than_its_tiles() {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        assert_eq!(shares(1 << 14, 16), cores.min(1 << 10));
        assert_eq!(shares(10, 16), 1);
    }
}
