//! σ where the loss does not move: it must come to rest at `σ*² = (L + √(L² + 8L))/4`.

use crate::support::{
    Make, ON_GPU, assert_close, constant_feature, linear, numbers, reference, regression,
};
use crate::support::{run, schedule, state_of};
use awl::weighting::awl::{equilibrium, weight};
use awl::{Adam, AutomaticWeightedLoss, SigmaForm};

/// Frozen losses with the σ that they lead to, to four digits.
const FROZEN: [(f64, f64); 3] = [(100.0, 7.140), (1.0, 1.0), (0.01, 0.2707)];

const FORMS: [SigmaForm; 2] = [SigmaForm::Plain, SigmaForm::Log { floor: SigmaForm::FLOOR }];

/// Half a unit of the last digit, of the smallest σ.
const FOUR_DIGITS: f64 = 0.000_05 / 0.27;

/// Trains σ alone: a network of zeros that does not learn leaves each loss at its target squared.
///
/// σ starts at 1, and Adam moves it by about its learning rate a step. Its large ε lets the steps shrink
/// with the gradient at the end; with the usual one σ would circle its resting place.
pub fn sigma_settles_where_the_formula_says(make: Make, form: SigmaForm, tolerance: f64) {
    let tasks = ["far", "at rest", "near"].map(regression);
    let targets = FROZEN.map(|(loss, _)| numbers(&[loss.sqrt() as f32]));
    let mut adam = Adam::new(0.0).sigma_learning_rate(0.05);
    adam.sigma.epsilon = 0.1;
    let recipe = linear(&tasks, AutomaticWeightedLoss::new(3).with_form(form), adam, 1);
    let mut engine = make(recipe, constant_feature(0.0, targets.into()));
    let engine = engine.as_mut();
    let mut state = state_of(engine);
    state.parameters.fill(0.0);
    engine.load(&state).expect("the state fits");

    let records = run(engine, &schedule(1, 1, 8_000)).expect("8,000 steps");
    let last = &records[7_999].tasks;
    for (task, (loss, sigma)) in last.iter().zip(FROZEN) {
        let case = format!("{}, {form:?}, loss frozen at {loss}", engine.name());
        assert_close(&case, &[task.loss.expect("a label")], &[loss], 1e-6);
        let found = task.sigma.expect("a σ");
        assert_close(&case, &[found], &[sigma], tolerance.max(FOUR_DIGITS));
        assert_close(&case, &[found], &[equilibrium(loss)], tolerance);
        let expected = 2.0 / (loss + (loss * loss + 8.0 * loss).sqrt());
        assert_close(&case, &[task.weight], &[expected], 2.0 * tolerance);
    }
}

#[test]
fn the_reference_settles_where_the_formula_says() {
    for form in FORMS {
        sigma_settles_where_the_formula_says(&reference, form, 1e-6);
    }
}

#[test]
fn the_equilibrium_is_where_the_gradient_vanishes() {
    for (loss, sigma) in FROZEN {
        assert_close("published", &[equilibrium(loss)], &[sigma], FOUR_DIGITS);
        let sigma = equilibrium(loss);
        let gradient = awl::weighting::awl::sigma_gradient(loss, sigma);
        assert!(gradient.abs() < 1e-12, "gradient {gradient} at σ = {sigma}");
        // The noise variance that σ stands for is the loss itself.
        let variance = 2.0 * sigma.powi(4) / (1.0 + sigma * sigma);
        assert_close("variance", &[variance], &[loss], 1e-12);
        assert_close("weight", &[weight(sigma)], &[0.5 / sigma.powi(2)], 1e-15);
    }
}

#[test]
fn the_gpu_engines_settle_where_the_formula_says() {
    for (_, make) in ON_GPU {
        for form in FORMS {
            sigma_settles_where_the_formula_says(make, form, 1e-5);
        }
    }
}
