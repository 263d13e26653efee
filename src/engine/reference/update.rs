//! The update: clipping, and Adam over the network's parameters and over σ.

use super::gradients::Gradients;
use crate::engine::recipe::Recipe;
use crate::engine::state::State;
use crate::optimizer::{Group, clip_factor};

/// Makes one step of the optimizer, wholly or not at all: `None` if a parameter's new value or moments would not be finite.
///
/// σ is updated where it is learned, not held, and its task had a label; each σ counts those updates for itself. One that would
/// go below its floor ends there, with moments as if there were none.
pub(super) fn updated(recipe: &Recipe, state: &State, gradients: &Gradients) -> Option<State> {
    let mut state = state.clone();
    let step = gradients.record.step;
    let factor = recipe.schedule.factor(step);

    let group = &recipe.optimizer.network.scaled(factor);
    let corrections = [group.betas.0, group.betas.1].map(|beta| 1.0 - beta.powf(step as f64));
    let clip = recipe.clip.map_or(1.0, |most| clip_factor(&gradients.parameters, most));
    for (i, &gradient) in gradients.parameters.iter().enumerate() {
        let (parameter, moments) = (&mut state.parameters[i], &mut state.moments[i]);
        advance(group, parameter, clip * gradient, moments, corrections)?;
    }

    let group = &recipe.optimizer.sigma.scaled(factor);
    let least = recipe.weighting.least_parameter();
    for (i, task) in gradients.record.tasks.iter().enumerate() {
        if !recipe.weighting.is_learned() || recipe.weighting.is_held(i) || task.loss.is_none() {
            continue;
        }
        let (beta1, beta2) = group.betas;
        let [first, second] = state.sigma_corrections[i];
        let corrections = [beta1 * first + (1.0 - beta1), beta2 * second + (1.0 - beta2)];
        let (sigma, moments) = (&mut state.sigma[i], &mut state.sigma_moments[i]);
        advance(group, sigma, gradients.sigma[i], moments, corrections)?;
        *sigma = least.map_or(*sigma, |least| sigma.max(least));
        state.sigma_corrections[i] = corrections;
    }

    state.step = step;
    Some(state)
}

/// Updates one parameter with its moments; `None` if the result is not finite.
fn advance(
    group: &Group,
    parameter: &mut f64,
    gradient: f64,
    moments: &mut [f64; 2],
    corrections: [f64; 2],
) -> Option<()> {
    *parameter = group.update(*parameter, gradient, moments, corrections);
    (parameter.is_finite() && moments.iter().all(|m| m.is_finite())).then_some(())
}
