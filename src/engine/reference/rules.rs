//! What weighting schemes do beside the optimizer's steps: find weights from a batch's losses, and change what they keep.

use crate::data::step_key;
use crate::engine::recipe::Recipe;
use crate::engine::state::State;
use crate::engine::step::Step;
use crate::weighting::gradients::{self, AtStep};
use crate::weighting::{MEMORY, Moment, TaskStep};

/// A step as the recipe's scheme sees it.
fn moment<'a>(recipe: &'a Recipe, step: &Step, rows: usize) -> Moment<'a> {
    Moment {
        settings: recipe.weighting.settings(),
        step: step.number,
        ends_epoch: step.first + step.rows == rows,
        key: step_key(recipe.seed, step.number),
    }
}

fn tasks(state: &State, losses: &[Option<f64>]) -> Vec<TaskStep> {
    let each = state.sigma.iter().zip(&state.memory).zip(losses);
    each.map(|((&weight, &memory), &loss)| TaskStep { loss, weight, memory }).collect()
}

/// The weights of a step, where the scheme finds them from the losses of its batch; `Err` where it has none at these.
pub(super) fn weigh(
    recipe: &Recipe,
    state: &State,
    step: &Step,
    rows: usize,
    losses: &[Option<f64>],
) -> Result<Option<Vec<f64>>, ()> {
    let scheme = recipe.weighting.scheme();
    let is_bad = |loss: &f64| !loss.is_finite() || *loss < 0.0 && scheme.needs_positive_losses();
    match scheme.weigh(&moment(recipe, step, rows), &tasks(state, losses)) {
        Some(_) if losses.iter().flatten().any(is_bad) => Err(()),
        Some(weights) if weights.iter().any(|weight| !weight.is_finite()) => Err(()),
        weights => Ok(weights),
    }
}

/// The weights of a step, where the scheme finds them from the tasks' gradients, whose products are `gram`; `Err` where it has none.
pub(super) fn combine(
    recipe: &Recipe,
    memory: &mut [[f64; MEMORY]],
    step: &Step,
    gram: &[f64],
    losses: &[Option<f64>],
) -> Result<Vec<f64>, ()> {
    // A task without a label has no gradient, whatever its loss.
    let losses: Vec<f64> = losses.iter().map(|loss| loss.unwrap_or(0.0)).collect();
    let key = step_key(recipe.seed, step.number);
    let mut at = AtStep { gram, losses: &losses, memory, step: step.number, key };
    let weighting = &recipe.weighting;
    gradients::weights(weighting.scheme(), weighting.settings(), &mut at).map_err(|_| ())
}

/// What the scheme changes after a step.
pub(super) fn after(
    recipe: &Recipe,
    state: &mut State,
    step: &Step,
    rows: usize,
    losses: &[Option<f64>],
) {
    let mut tasks = tasks(state, losses);
    recipe.weighting.scheme().after(&moment(recipe, step, rows), &mut tasks);
    put_back(state, &tasks);
}

/// What it changes then, with the losses by the network as it has become.
pub(super) fn follow(
    recipe: &Recipe,
    state: &mut State,
    step: &Step,
    rows: usize,
    [losses, then]: [&[Option<f64>]; 2],
) {
    let mut tasks = tasks(state, losses);
    recipe.weighting.scheme().follow(&moment(recipe, step, rows), &mut tasks, then);
    put_back(state, &tasks);
}

fn put_back(state: &mut State, tasks: &[TaskStep]) {
    let each = state.sigma.iter_mut().zip(&mut state.memory).zip(tasks);
    each.for_each(|((weight, memory), task)| (*weight, *memory) = (task.weight, task.memory));
}
