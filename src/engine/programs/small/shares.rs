//! A step in two dispatches (`shares.wgsl`, then the ending): taken at sixteen lanes, up to 420 vectors of parameters.

use super::shape::Shape;
use super::{lanes, rounds, vectors};
use crate::engine::device::infos::MOST_ROWS;
use crate::engine::device::{Program, Workspace};
use crate::engine::ending;
use crate::error::Result;
use crate::gpu::{MOST_ROUNDS, Work, kernels, render};
use crate::network::Network;

pub(crate) const NAME: &str = "small/shares";

/// Lanes below which compilation takes too long, and the code and its data outgrow the caches too far: `vector` is as
/// fast then.
const FEWEST_LANES: usize = 16;
/// Registers of parameters, as in `run`.
const MOST_VECTORS: usize = 420;

/// Rounds of the loops that load parameters and store gradients, four vectors in each, at most.
const ROUNDS_A_SHARE: usize = 3 * (MOST_VECTORS / 4 + 10);

/// The program, or `None` where another has to do.
pub(crate) fn program(workspace: &Workspace) -> Result<Option<Program>> {
    let network = &workspace.recipe.network;
    let Some(lanes) = lanes(workspace).filter(|&lanes| takes(network, lanes)) else {
        return Ok(None);
    };
    let shape = Shape::new(network, &workspace.rows.layouts, lanes);
    let text = render(kernels::SMALL_SHARES.label, &shape)?;
    let work = work(workspace.batch, lanes);
    let step = ending::in_shares(workspace, &kernels::SMALL_SHARES, &text, work)?;
    Ok(step.map(|step| Program::step(NAME, step)))
}

/// Whether a network is one for this program.
pub(super) fn takes(network: &Network, lanes: usize) -> bool {
    lanes >= FEWEST_LANES && vectors(network, lanes) <= MOST_VECTORS
}

/// Workgroups of a step: one for every core, and as many as the driver's limit on loops and sums in f32 ask for.
fn work(batch: usize, lanes: usize) -> Work {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let most_tiles = ((MOST_ROUNDS - ROUNDS_A_SHARE) / rounds(lanes, lanes)).min(MOST_ROWS / lanes);
    let tiles = batch.div_ceil(lanes);
    let shares = cores.min(tiles).max(tiles.div_ceil(most_tiles)).max(1);
    Work::new(shares, ROUNDS_A_SHARE + tiles.div_ceil(shares) * rounds(lanes, lanes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_workgroup_makes_more_rounds_than_the_driver_allows() {
        for batch in [1usize, 17, 1_024, 65_536, 1 << 20, 1 << 24] {
            assert!(work(batch, 16).rounds <= MOST_ROUNDS, "batch {batch}");
        }
    }

    #[test]
    fn a_batch_is_split_over_the_cores_but_no_further_than_its_tiles() {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        assert_eq!(work(1 << 12, 16).workgroups, cores.min(1 << 8));
        assert_eq!(work(10, 16).workgroups, 1);
        // Nor are more rows added up than f32 can.
        assert!(work(1 << 20, 16).workgroups >= 1 << 8);
    }
}
