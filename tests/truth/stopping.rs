//! Where numbers overflow, and what an engine refuses: training stops, and nothing finite is lost.

use crate::support::{Make, ON_GPU, constant_feature, gpu, linear, numbers, reference, regression};
use crate::support::{run, schedule, state_of};
use awl::data::Matrix;
use awl::engine::{Engine, GpuEngine, MOST_STEPS, State};
use awl::train::Trainer;
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
    matches!(error, Error::NonFiniteLoss { step, task, value, .. }
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

/// Steps before the overflow are made and keep their records, in the same submission or an earlier one.
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
    for submissions in [&[&steps[..1], &steps[1..]][..], &[&steps[..]]] {
        engine.load(&state).expect("the state fits");
        for submission in submissions {
            engine.submit(submission).expect("a submission");
        }
        assert_eq!(engine.last_step(), 4);
        assert_eq!(block_on(engine.collect()).expect("the first step").len(), 1);
        let error = block_on(engine.collect()).expect_err("the loss overflowed");
        assert!(is_loss(&error, 2, "y"), "{}: {error}", engine.name());
        let state = state_of(engine);
        assert_eq!(state.step, 1, "{}", engine.name());
        assert!(state.parameters.iter().chain(&state.sigma).all(|p| p.is_finite()));
    }
}

/// The training loop hands over every record made before training stopped, and goes on from a state.
pub fn a_trainer_survives_an_overflow(make: Make, extremes: &Extremes) {
    let mut recipe = linear(&[regression("y")], AutomaticWeightedLoss::new(1), Adam::new(0.125), 1);
    recipe.optimizer.network.learning_rate = extremes.parameter;
    let mut trainer = Trainer::new(make(recipe, constant_feature(0.0, vec![numbers(&[1.0; 4])])));
    let mut state = state_of(trainer.engine());
    state.parameters.fill(0.0);
    for _ in 0..2 {
        trainer.engine().load(&state).expect("the state fits");
        let mut records = Vec::new();
        // More steps than are in flight at once.
        let run = trainer.each_step(5 * MOST_STEPS, |record| records.push(record));
        let error = block_on(run).expect_err("the second step overflows");
        assert!(is_loss(&error, 2, "y"), "{error}");
        assert_eq!(records.iter().map(|record| record.step).collect::<Vec<_>>(), [1]);
        let error = block_on(trainer.steps(usize::MAX)).expect_err("still stopped");
        assert!(is_loss(&error, 2, "y"), "{error}");
    }
}

/// A state replaces submissions under way, too: their records are of another run.
pub fn a_loaded_state_forgets_what_is_under_way(make: Make) {
    let (mut engine, state) = two_tasks(make);
    let engine = engine.as_mut();
    engine.submit(&schedule(1, 4, 3)).expect("a submission");
    engine.load(&state).expect("the state fits");
    assert_eq!(engine.last_step(), 0);
    assert_eq!(block_on(engine.collect()).expect("nothing is under way"), []);
    assert_eq!(state_of(engine), state, "{}", engine.name());
}

/// Hyper-parameters at the edge of `f32` may stop training, but leave nothing that is not finite behind.
pub fn extreme_rates_leave_finite_states(make: Make) {
    for (rate, epsilon) in [(1e38, 1e-8), (3e38, 1e-37), (1e-3, 1e-37)] {
        let mut adam = Adam::new(rate);
        adam.network.epsilon = epsilon;
        adam.sigma.epsilon = epsilon;
        let awl = AutomaticWeightedLoss::new(1);
        let recipe = linear(&[regression("y")], awl, adam, 1);
        let mut engine = make(recipe, constant_feature(1.0, vec![numbers(&[1e15; 4])]));
        let _ = run(engine.as_mut(), &schedule(1, 4, 3));
        let state = state_of(engine.as_mut());
        let moments = state.moments.iter().chain(&state.sigma_moments).flatten();
        let mut all = state.parameters.iter().chain(&state.sigma).chain(moments);
        assert!(all.all(|value| value.is_finite()), "{}, rate {rate}: {state:?}", engine.name());
    }
}

/// A state that no training makes is refused, and the engine keeps its own.
pub fn impossible_states_are_refused(make: Make) {
    let (mut engine, state) = two_tasks(make);
    let engine = engine.as_mut();
    let mut bad = vec![state.clone(); 5];
    bad[0].parameters[0] = f64::NAN;
    bad[1].moments[0][1] = -1.0;
    bad[2].sigma[0] = 0.0;
    bad[3].sigma_corrections[1][0] = 1.5;
    bad[4].step = u64::from(u32::MAX);
    for state in &bad {
        let error = engine.load(state).expect_err("an impossible state");
        assert!(matches!(error, Error::Invalid { .. }), "{error}");
    }
    assert_eq!(state_of(engine), state, "{}", engine.name());
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

/// A gradient that overflows while the losses do not stops training before that step: no parameter is changed, not even those
/// whose gradients were finite.
pub fn an_overflowing_gradient_stops_training(make: Make, extremes: &Extremes) {
    let (mut engine, mut state) = two_tasks(make);
    let engine = engine.as_mut();
    state.sigma[1] = extremes.steep_sigma;
    for asks_first in [false, true] {
        engine.load(&state).expect("finite numbers");
        engine.submit(&schedule(1, 4, 2)).expect("a submission");
        // Whether the state is asked for before or after what became of the steps.
        if asks_first {
            assert_eq!(state_of(engine), state, "{}", engine.name());
        }
        let error = block_on(engine.collect()).expect_err("the gradient overflows");
        let right = matches!(error, Error::NonFiniteGradient { step: 1, .. });
        assert!(right, "{}: {error}", engine.name());
        assert_eq!(state_of(engine), state, "{}: nothing is changed", engine.name());
        // Nor by what is submitted then.
        engine.submit(&schedule(1, 4, 3)[2..]).expect("a submission");
        block_on(engine.collect()).expect_err("still stopped");
        let last = State { step: state.step, ..state_of(engine) };
        assert_eq!(last, state, "{}: training goes on", engine.name());
    }
}

/// The steps before one whose gradient overflows are made, bit for bit as without it: in the same submission, in an epoch
/// before, with submissions after it under way. The second task has a label in one row of seven, which a later step meets.
pub fn steps_before_an_overflowing_gradient_are_whole(make: Make, extremes: &Extremes) {
    let tasks = ["first", "second"].map(regression);
    let mut recipe = linear(&tasks, AutomaticWeightedLoss::new(2), Adam::new(0.125), 1);
    recipe.shuffle = true;
    let rows = [1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
    let rare = numbers(&rows).labelled((0..7).map(|row| row == 4).collect()).expect("a mask");
    let mut engine = make(recipe, constant_feature(1.0, vec![numbers(&rows), rare]));
    let engine = engine.as_mut();
    let start = state_of(engine);
    let steps = schedule(1, 7, 21);
    // The first epoch goes well; in the second the σ of the rare task is thrown off.
    let records = run(engine, &steps[..7]).expect("an epoch");
    assert_eq!(records.iter().filter(|record| record.tasks[1].loss.is_some()).count(), 1);
    let mut thrown = state_of(engine);
    thrown.sigma[1] = extremes.steep_sigma;
    engine.load(&thrown).expect("finite numbers");
    for submission in [&steps[7..14], &steps[14..21]] {
        engine.submit(submission).expect("a submission");
    }
    let mut made = Vec::new();
    let error = loop {
        match block_on(engine.collect()) {
            Ok(records) => made.extend(records),
            Err(error) => break error,
        }
    };
    let Error::NonFiniteGradient { step: failed, .. } = error else { panic!("{error}") };
    assert!((8..=14).contains(&failed), "{}: step {failed}", engine.name());
    assert_eq!(
        made.iter().map(|record| record.step).collect::<Vec<_>>(),
        Vec::from_iter(8..failed)
    );
    let after = state_of(engine);

    engine.load(&thrown).expect("finite numbers");
    let whole = run(engine, &steps[7..failed as usize - 1]).expect("the steps before");
    assert_eq!(made, whole, "{}", engine.name());
    assert_eq!(after, state_of(engine), "{}, step {failed}", engine.name());
    engine.load(&start).expect("the first state");
    run(engine, &steps[..7]).expect("training goes on");
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
    a_trainer_survives_an_overflow(&reference, &extremes);
    a_loaded_state_forgets_what_is_under_way(&reference);
    impossible_states_are_refused(&reference);
    an_overflowing_loss_stops_training(&reference, &extremes);
    steps_before_an_overflow_are_kept(&reference, &extremes);
    an_overflowing_weight_stops_training(&reference, &extremes);
    an_overflowing_gradient_stops_training(&reference, &extremes);
    steps_before_an_overflowing_gradient_are_whole(&reference, &extremes);
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
        steps_before_an_overflowing_gradient_are_whole(make, &extremes);
        a_trainer_survives_an_overflow(make, &extremes);
        a_loaded_state_forgets_what_is_under_way(make);
        extreme_rates_leave_finite_states(make);
        impossible_states_are_refused(make);
    }
}

#[test]
fn the_gpu_engines_refuse_what_cannot_be_run() {
    for (_, make) in ON_GPU {
        impossible_requests_are_refused(make);
    }
}

#[test]
fn the_gpu_engines_refuse_what_f32_cannot_hold() {
    for set in [
        |adam: &mut Adam| adam.network.learning_rate = 1e39,
        |adam: &mut Adam| adam.sigma.weight_decay = 1e39,
        |adam: &mut Adam| adam.network.betas.1 = 1.0 - 1e-9,
        |adam: &mut Adam| adam.network.epsilon = 1e-60,
    ] {
        let mut adam = Adam::new(1e-3);
        set(&mut adam);
        let recipe = linear(&[regression("y")], AutomaticWeightedLoss::new(1), adam, 1);
        let data = constant_feature(1.0, vec![numbers(&[1.0])]);
        let error = block_on(GpuEngine::fused(gpu(), recipe, &data)).err().expect("refused");
        assert!(error.to_string().contains("f32"), "{error}");
    }
    let (mut engine, mut state) = two_tasks(ON_GPU[0].1);
    state.parameters[0] = 1e39;
    let error = engine.load(&state).expect_err("beyond f32");
    assert!(error.to_string().contains("f32"), "{error}");
}
