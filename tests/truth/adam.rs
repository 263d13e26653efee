//! Adam against values that can be worked out by hand.

use crate::support::{
    Make, ON_GPU, assert_close, constant_feature, linear, numbers, reference, regression,
};
use crate::support::{run, schedule, state_of};
use awl::optimizer::Group;
use awl::{Adam, AutomaticWeightedLoss, Weighting};

/// Runs one parameter through a sequence of gradients.
fn steps(group: &Group, start: f64, gradients: &[f64]) -> f64 {
    let (mut parameter, mut moments) = (start, [0.0; 2]);
    for (t, &gradient) in (1..).zip(gradients) {
        let corrections = [1.0 - group.betas.0.powi(t), 1.0 - group.betas.1.powi(t)];
        parameter = group.update(parameter, gradient, &mut moments, corrections);
    }
    parameter
}

#[test]
fn a_constant_gradient_moves_a_parameter_by_the_learning_rate_each_step() {
    // With g constant both corrected moments are g and g² at every t.
    let group = Group::new(0.01);
    for gradient in [1e-6, 0.5, -3.0, 1e8] {
        let expected = 2.0 - 50.0 * 0.01 * gradient / (f64::abs(gradient) + 1e-8);
        let found = steps(&group, 2.0, &[gradient; 50]);
        assert_close(&format!("gradient {gradient}"), &[found], &[expected], 1e-12);
    }
}

#[test]
fn a_reversed_gradient_is_averaged_as_worked_out_by_hand() {
    // m = 0.9·0.1 − 0.1 = −0.01 of g, corrected by 1 − 0.9² = 0.19; v̂ = g² = 1 throughout. Third step:
    // m = 0.9·(−0.01) + 0.1 = 0.091, corrected by 0.271.
    let mut group = Group::new(0.1);
    group.epsilon = 1e-300;
    assert_close("two", &[steps(&group, 0.0, &[1.0, -1.0])], &[-0.1 + 0.001 / 0.19], 1e-12);
    let third = -0.1 + 0.001 / 0.19 - 0.1 * 0.091 / 0.271;
    assert_close("three", &[steps(&group, 0.0, &[1.0, -1.0, 1.0])], &[third], 1e-12);
    // A gradient that doubles: m̂ = (0.09 + 0.2)/0.19, v̂ = (0.000999 + 0.004)/0.001999.
    let doubled: f64 = -0.1 - 0.1 * (0.29 / 0.19) / (0.004_999_f64 / 0.001_999).sqrt();
    assert_close("doubled", &[steps(&group, 0.0, &[1.0, 2.0])], &[doubled], 1e-12);
}

#[test]
fn weight_decay_is_a_gradient_in_adam_and_a_shrinkage_in_adamw() {
    let mut group = Group::new(0.01);
    group.weight_decay = 0.1;
    // L2: the gradient 0 + 0.1·4 is all there is, and Adam takes its sign.
    assert_close("adam", &[steps(&group, 4.0, &[0.0])], &[4.0 - 0.01], 1e-9);
    // L2 of the opposite sign: the gradient −0.4 + 0.1·4 vanishes.
    assert_close("adam, cancelled", &[steps(&group, 4.0, &[-0.4])], &[4.0], 1e-12);
    group.decoupled = true;
    let shrunk = 4.0 * (1.0 - 0.01 * 0.1_f64).powi(3);
    assert_close("adamw, no gradient", &[steps(&group, 4.0, &[0.0; 3])], &[shrunk], 1e-12);
    let expected = 4.0 * (1.0 - 0.01 * 0.1) - 0.01;
    assert_close("adamw", &[steps(&group, 4.0, &[7.0])], &[expected], 1e-8);
}

/// One step of a line `y = a·x + b` towards higher targets, by hand.
///
/// `x = 0.5`, `a = 0.25`, `b = −1`, target 3, plain sum: prediction −0.875, `∂L/∂b = 2·(−3.875)`, so both
/// parameters rise by the learning rate, less what decay takes.
pub fn the_first_step_moves_by_the_learning_rate(make: Make, tolerance: f64) {
    for (adam, expected) in [
        (Adam::new(0.125), [0.375, -0.875]),
        (Adam::new(0.125).weight_decay(0.5), [0.375, -0.875]),
        (
            Adam::new(0.125).weight_decay(0.5).decoupled(),
            [0.25 * (1.0 - 0.0625) + 0.125, -(1.0 - 0.0625) + 0.125],
        ),
    ] {
        let recipe = linear(&[regression("y")], Weighting::equal(1), adam, 1);
        let mut engine = make(recipe, constant_feature(0.5, vec![numbers(&[3.0])]));
        let engine = engine.as_mut();
        let mut state = state_of(engine);
        state.parameters = vec![0.25, -1.0];
        engine.load(&state).expect("the state fits");
        let records = run(engine, &schedule(1, 1, 1)).expect("a step");
        let case = format!("{} with {adam:?}", engine.name());
        assert_close(&case, &[records[0].total], &[3.875 * 3.875], tolerance);
        let state = state_of(engine);
        assert_close(&case, &state.parameters, &expected, tolerance);
        let decay = adam.network.weight_decay * f64::from(u8::from(!adam.network.decoupled));
        let gradient = -7.75 - decay; // the bias is −1
        let expected = [0.1 * gradient, 0.001 * gradient * gradient];
        assert_close(&case, &state.moments[1], &expected, tolerance);
        assert_eq!(state.sigma, [1.0], "{case}: a given weight is not trained");
        assert_eq!(state.sigma_corrections, [[0.0; 2]], "{case}");
    }
}

/// σ has a group of its own: learning rate and, if asked for, decay.
pub fn sigma_follows_its_own_group(make: Make, tolerance: f64) {
    let mut adam = Adam::new(0.0).sigma_learning_rate(0.25).decoupled();
    adam.sigma.weight_decay = 0.5;
    // Losses 9 and 0: gradients −9 + 1 and 0 + 1 at σ = 1.
    let tasks = [regression("high"), regression("zero")];
    let recipe = linear(&tasks, AutomaticWeightedLoss::new(2), adam, 1);
    let data = constant_feature(0.0, vec![numbers(&[3.0]), numbers(&[0.0])]);
    let mut engine = make(recipe, data);
    let engine = engine.as_mut();
    let mut state = state_of(engine);
    state.parameters.fill(0.0);
    engine.load(&state).expect("the state fits");
    run(engine, &schedule(1, 1, 1)).expect("a step");
    let state = state_of(engine);
    let case = format!("{}, σ", engine.name());
    assert_close(&case, &state.sigma, &[0.875 + 0.25, 0.875 - 0.25], tolerance);
    let [high, zero] = [state.sigma_moments[0], state.sigma_moments[1]];
    assert_close(&case, &high, &[-0.8, 0.064], tolerance);
    assert_close(&case, &zero, &[0.1, 0.001], tolerance);
    assert_close(&case, &state.sigma_corrections[0], &[0.1, 0.001], tolerance);
    assert!(state.parameters.iter().all(|&p| p == 0.0), "{case}: the network's rate is 0");
}

#[test]
fn the_reference_makes_its_first_step_as_worked_out_by_hand() {
    the_first_step_moves_by_the_learning_rate(&reference, 1e-8);
    sigma_follows_its_own_group(&reference, 1e-7);
}

#[test]
fn the_gpu_engines_make_their_first_step_as_worked_out_by_hand() {
    for (_, make) in ON_GPU {
        the_first_step_moves_by_the_learning_rate(make, 1e-6);
        sigma_follows_its_own_group(make, 1e-6);
    }
}
