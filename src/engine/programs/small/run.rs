//! A run of steps in one dispatch (`steps.wgsl`): taken where one core is faster than all of them with two dispatches a step, up
//! to 360 vectors of parameters, without clipping.

use super::shape::Shape;
use super::{lanes, rounds, shares, vectors};
use crate::engine::device::infos::MOST_ROWS;
use crate::engine::device::{Program, Workspace};
use crate::engine::recipe::Recipe;
use crate::engine::rules;
use crate::engine::step::MOST_STEPS;
use crate::error::Result;
use crate::gpu::{MOST_ROUNDS, Work, kernels, render};
use crate::network::Network;
use serde::Serialize;

pub(crate) const NAME: &str = "small/run";

/// Registers of parameters, a vector of a layer's outputs each: beyond these, compilation takes seconds, and the
/// parameters, their gradient and their transposed copy outgrow the first cache.
const MOST_VECTORS: usize = 360;

/// Rounds of the loops that load and store parameters and moments, at most.
const ROUNDS_A_RUN: usize = 6 * (MOST_VECTORS + 10);

/// The values of the kernel's template.
#[derive(Debug, Serialize)]
pub(super) struct Values {
    #[serde(flatten)]
    pub shape: Shape,
    /// Steps of a run, at most.
    pub steps_a_dispatch: usize,
}

/// The program, or `None` where another has to do.
pub(crate) fn program(workspace: &Workspace) -> Result<Option<Program>> {
    let Some(lanes) = lanes(workspace) else {
        return Ok(None);
    };
    let gpu = &workspace.gpu;
    let network = &workspace.recipe.network;
    let a_step = 1 + rounds(workspace.batch, lanes);
    let besides = ROUNDS_A_RUN + 1;
    let most = ((MOST_ROUNDS - besides) / a_step).min(MOST_STEPS);
    let is_long = most == 0 || workspace.batch > MOST_ROWS;
    if vectors(network, lanes) > MOST_VECTORS || is_long || !pays(network, workspace.batch, lanes) {
        return Ok(None);
    }
    // It does not know the gradient's norm, and registers that hold no parameter would become 0 / 0.
    let has_epsilon = |recipe: &Recipe| recipe.optimizer.network.epsilon as f32 != 0.0;
    let has_rules = rules::are_needed(&workspace.recipes);
    if workspace.recipe.clip.is_some() || has_rules || !workspace.recipes.iter().all(has_epsilon) {
        return Ok(None);
    }
    // The gradients of this kernel come in no shares.
    let optimizers = workspace.optimizers([1, 1, 0])?;
    let [steps, members] = workspace.steps.bindings();
    let buffers = [
        workspace.rows.features.binding(),
        workspace.rows.labels.binding(),
        workspace.rows.tasks.binding(),
        workspace.order.binding(),
        workspace.normalisers.binding(),
        optimizers.binding(),
        steps,
        members,
        workspace.state.binding(),
        workspace.records.binding(),
        workspace.stop.binding(),
    ];
    let shape = Shape::new(network, &workspace.rows.layouts, lanes);
    let values = Values { shape, steps_a_dispatch: most };
    let text = render(kernels::SMALL_STEPS.label, &values)?;
    let kernel = gpu.shaped_kernel(&kernels::SMALL_STEPS, &text, &[]);
    let work = Work::new(1, besides + most * a_step);
    Ok(Some(Program::run(NAME, vec![kernel.dispatch(gpu, &buffers, work)?], most)))
}

/// Whether one core here beats all cores with two dispatches a step, by `shares` or `vector`, judged by what was measured
/// on two of them (docs/performance.md).
fn pays(network: &Network, batch: usize, lanes: usize) -> bool {
    const HERE: f64 = 50e9;
    let (elsewhere_a_core, dispatches) = match shares::takes(network, lanes) {
        true => (HERE, 170e-6),
        false => (20e9, 100e-6),
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let operations = 6.0 * (network.parameter_count() * batch) as f64;
    operations / HERE < operations / (elsewhere_a_core * cores as f64) + dispatches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Loss, Task};

    /// The measured workloads: seed on one core, small on all of them.
    #[test]
    fn a_run_pays_for_networks_and_batches_that_are_small() {
        let tasks =
            [Task::new("value", Loss::Mse, 1), Task::new("kind", Loss::cross_entropy(), 10)];
        let network = |width| Network::new(16, &[width, width], Activation::Relu, &tasks);
        let [seed, small] = [network(32), network(64)].map(|network| network.expect("a network"));
        assert!(pays(&seed, 256, 8) && pays(&seed, 256, 16));
        // However many cores there are, one takes longer for this.
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        assert!(cores == 1 || !pays(&small, 1_024, 16));
    }
}
