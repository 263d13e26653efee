//! Where numbers overflow, and what an engine refuses: training stops, and nothing finite is lost.

use crate::support::{Make, ON_GPU, constant_feature, linear, numbers, reference, regression};
use crate::support::{run, schedule, state_of};
use awl::data::Matrix;
use awl::engine::{Engine, MOST_STEPS, State};
use awl::{Adam, AutomaticWeightedLoss, Error};
use pollster::block_on;

/// Numbers that an engine's arithmetic can hold, but not compute with.
pub struct Extremes {
    /// A parameter whose square overflows.
    pub parameter: f64,
    /// A σ for which `0.5/σ²` overflows.
    pub sigma: f64,
    /// A σ for which `1/σ³` overflows, but not `0.5/σ²`.
    pub steep_sigma: f64,
}

/// Two tasks at losses 1 and 4, in batches of one row.
fn two_tasks(make: Make) -> (Box<dyn Engine>, State) {
    let recipe = linear(
        &["first", "second"].map(regression),
        AutomaticWeightedLoss::new(2),
        Adam::new(0.125),
        1,
    );
    let data = constant_feature(1.0, vec![numbers(&[1.0; 4]), numbers(&[2.0; 4])]);
    let mut engine = make(recipe, data);
    let mut state = state_of(engine.as_mut());
    state.parameters.fill(0.0);
    engine.load(&state).expect("the state fits");
    (engine, state)
}

fn is_loss(error: &Error, number: u64, name: &str) -> bool {
    matches!(error, Error::NonFiniteLoss { step, task, value }
        if *step == number && task == name && !value.is_finite())
}

/// A loss that overflows stops training before that step: the state is bit for bit the one before it,
/// later submissions do nothing, and every later collect says so again; a new state starts afresh.
pub fn an_overflowing_loss_stops_training(make: Make, extremes: &Extremes) {
    let (mut engine, mut state) = two_tasks(make);
    let engine = engine.as_mut();
    let steps = schedule(1, 4, 4);
    run(engine, &steps[..2]).expect("two steps");

    // The second head's bias; the first is at the third place.
    state.parameters[3] = extremes.parameter;
    engine.load(&state).expect("finite numbers");
    engine.submit(&steps[2..3]).expect("the submission is made");
    engine.submit(&steps[3..]).expect("the submission is made");
    for collect in 1..=3 {
        let error = block_on(engine.collect()).expect_err("the loss overflowed");
        assert!(is_loss(&error, 3, "second"), "{}, collect {collect}: {error}", engine.name());
    }
    assert_eq!(state_of(engine), state, "{}: the state from before step 3", engine.name());

    state.parameters[3] = 0.0;
    engine.load(&state).expect("finite numbers");
    assert_eq!(block_on(engine.collect()).expect("nothing left"), []);
    run(engine, &steps[..1]).expect("training goes on");
}

/// Steps before the overflow in the same submission are made; submissions before it keep their records.
pub fn steps_before_an_overflow_are_kept(make: Make, extremes: &Extremes) {
    let mut recipe = linear(&[regression("y")], AutomaticWeightedLoss::new(1), Adam::new(0.125), 1);
    // One step of this learning rate throws the bias beyond what can be squared.
    recipe.optimizer.network.learning_rate = extremes.parameter;
    let mut engine = make(recipe, constant_feature(0.0, vec![numbers(&[1.0; 4])]));
    let engine = engine.as_mut();
    let mut state = state_of(engine);
    state.parameters.fill(0.0);
    engine.load(&state).expect("the state fits");
    let steps = schedule(1, 4, 4);
    engine.submit(&steps[..1]).expect("a submission");
    engine.submit(&steps[1..]).expect("a submission");
    assert_eq!(block_on(engine.collect()).expect("the first step").len(), 1);
    let error = block_on(engine.collect()).expect_err("the loss overflowed");
    assert!(is_loss(&error, 2, "y"), "{}: {error}", engine.name());
    let state = state_of(engine);
    assert_eq!(state.step, 1, "{}", engine.name());
    assert!(state.parameters.iter().chain(&state.sigma).all(|p| p.is_finite()));
}

/// A weight that overflows is reported as the loss of its task.
pub fn an_overflowing_weight_stops_training(make: Make, extremes: &Extremes) {
    let (mut engine, mut state) = two_tasks(make);
    let engine = engine.as_mut();
    state.sigma[1] = extremes.sigma;
    engine.load(&state).expect("finite numbers");
    let error = run(engine, &schedule(1, 4, 1)).expect_err("the weight overflows");
    assert!(is_loss(&error, 1, "second"), "{}: {error}", engine.name());
    assert_eq!(state_of(engine), state, "{}", engine.name());
}

/// A gradient that overflows while the losses do not leaves its own parameter alone, and stops training
/// after that step.
pub fn an_overflowing_gradient_stops_training(make: Make, extremes: &Extremes) {
    let (mut engine, mut state) = two_tasks(make);
    let engine = engine.as_mut();
    state.sigma[1] = extremes.steep_sigma;
    engine.load(&state).expect("finite numbers");
    engine.submit(&schedule(1, 4, 2)).expect("a submission");
    let error = block_on(engine.collect()).expect_err("the gradient overflows");
    let right = matches!(error, Error::NonFiniteGradient { step: 1 });
    assert!(right, "{}: {error}", engine.name());
    let after = state_of(engine);
    assert_eq!(after.step, 1);
    assert_eq!(after.sigma[1], state.sigma[1], "{}: σ is left as it was", engine.name());
    assert_eq!(after.sigma_moments[1], [0.0; 2]);
    assert_ne!(after.parameters[2], 0.0, "{}: the first head was updated", engine.name());
    assert!(after.parameters.iter().chain(&after.sigma).all(|p| p.is_finite()));
}

/// What cannot be run is refused with the reason, and nothing is changed by the asking.
pub fn impossible_requests_are_refused(make: Make) {
    let (mut engine, state) = two_tasks(make);
    let engine = engine.as_mut();
    let step = schedule(1, 4, 1)[0];
    let mut bad = [step; 5];
    bad[0].number = 0;
    bad[1].rows = 0;
    bad[2].rows = 2; // more than the batch
    bad[3].first = 4; // beyond the last row
    bad[4].first = usize::MAX;
    for step in bad {
        let error = engine.submit(&[step]).expect_err("an impossible step");
        assert!(matches!(error, Error::Invalid { .. }), "{step:?}: {error}");
    }
    let error = engine.submit(&[step; MOST_STEPS + 1]).expect_err("too many steps");
    assert!(matches!(error, Error::Invalid { .. }), "{error}");
    let wide = Matrix::new(2, vec![0.0; 4]).expect("a matrix");
    let error = block_on(engine.predict(&wide)).expect_err("two features instead of one");
    assert!(matches!(error, Error::Mismatch { found: 2, expected: 1, .. }), "{error}");
    let mut other = state.clone();
    other.parameters.push(0.0);
    let error = engine.load(&other).expect_err("another network's state");
    assert!(matches!(error, Error::Mismatch { .. }), "{error}");
    assert_eq!(block_on(engine.collect()).expect("nothing was submitted"), []);
    assert_eq!(state_of(engine), state, "{}", engine.name());
}

#[test]
fn the_reference_stops_where_numbers_overflow() {
    let extremes = Extremes { parameter: 1e200, sigma: 1e-170, steep_sigma: 1e-120 };
    an_overflowing_loss_stops_training(&reference, &extremes);
    steps_before_an_overflow_are_kept(&reference, &extremes);
    an_overflowing_weight_stops_training(&reference, &extremes);
    an_overflowing_gradient_stops_training(&reference, &extremes);
}

#[test]
fn the_reference_refuses_what_cannot_be_run() {
    impossible_requests_are_refused(&reference);
}

#[test]
fn the_reference_predicts_with_the_parameters_of_now() {
    let (mut engine, mut state) = two_tasks(&reference);
    state.parameters = vec![2.0, -1.0, 0.5, 0.25];
    engine.load(&state).expect("the state fits");
    let features = Matrix::new(1, vec![1.0, -3.0]).expect("a column");
    let predictions = block_on(engine.predict(&features)).expect("predictions");
    assert_eq!(predictions.columns(), 2);
    assert_eq!(predictions.values(), [2.5, -0.75, -5.5, 3.25]);
}

#[test]
fn the_gpu_engines_stop_where_numbers_overflow() {
    let extremes = Extremes {
        parameter: f64::from(1e30_f32),
        sigma: f64::from(1e-25_f32),
        steep_sigma: f64::from(1e-15_f32),
    };
    for (_, make) in ON_GPU {
        an_overflowing_loss_stops_training(make, &extremes);
        steps_before_an_overflow_are_kept(make, &extremes);
        an_overflowing_weight_stops_training(make, &extremes);
        an_overflowing_gradient_stops_training(make, &extremes);
    }
}

#[test]
fn the_gpu_engines_refuse_what_cannot_be_run() {
    for (_, make) in ON_GPU {
        impossible_requests_are_refused(make);
    }
}
