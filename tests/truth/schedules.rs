//! Learning-rate schedules: what each step of an engine makes of its factor.

use crate::support::{
    Make, ON_GPU, assert_close, constant_feature, linear, numbers, reference, run, schedule,
    state_of,
};
use awl::optimizer::Schedule;
use awl::{Adam, AutomaticWeightedLoss, Loss, Task, Weighting};

const RATE: f64 = 0.125;

/// The factors of seven steps, by hand.
fn schedules() -> [(Schedule, [f64; 7]); 5] {
    let root = 0.5_f64.sqrt();
    [
        (Schedule::constant().warm_up(4), [0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0]),
        (Schedule::cosine(4), [1.0, 0.5 * (1.0 + root), 0.5, 0.5 * (1.0 - root), 0.0, 0.0, 0.0]),
        // After a warm-up too a cosine stays at its end.
        (Schedule::cosine(2).warm_up(2), [0.5, 1.0, 1.0, 0.5, 0.0, 0.0, 0.0]),
        (Schedule::step(2, 0.5), [1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.125]),
        (Schedule::step(1, 0.5).warm_up(2), [0.5, 1.0, 1.0, 0.5, 0.25, 0.125, 0.0625]),
    ]
}

/// A line towards a far target under absolute error, whose gradient is −1 throughout, so that Adam moves both
/// parameters by the learning rate each step.
fn every_step_moves_by_its_rate(make: Make, tolerance: f64) {
    for (rates, factors) in schedules() {
        let tasks = [Task::new("far", Loss::Mae, 1)];
        let mut recipe = linear(&tasks, Weighting::equal(1), Adam::new(RATE), 1);
        recipe.schedule = rates;
        let mut engine = make(recipe, constant_feature(1.0, vec![numbers(&[1000.0])]));
        let engine = engine.as_mut();
        let mut state = state_of(engine);
        state.parameters = vec![0.5, -1.0];
        engine.load(&state).expect("the state fits");
        // One by one, then all that are left: rates belong to steps, not to submissions.
        for steps in [&schedule(1, 1, 7)[..1], &schedule(1, 1, 7)[1..2], &schedule(1, 1, 7)[2..]] {
            run(engine, steps).expect("steps");
            let made = steps.last().map_or(0, |step| step.number) as usize;
            let moved: f64 = factors[..made].iter().map(|factor| RATE * factor).sum();
            let case = format!("{}, {rates:?}, {made} steps", engine.name());
            let found = state_of(engine).parameters;
            assert_close(&case, &found, &[0.5 + moved, -1.0 + moved], tolerance);
        }
    }
}

/// The rate of σ, and decoupled weight decay, which the learning rate scales, follow the schedule too.
fn decay_and_sigma_follow(make: Make, tolerance: f64) {
    for (rates, factors) in schedules() {
        // A loss of 0 leaves decay alone with the weight, and gives σ the gradient 2σ/(1 + σ²).
        let mut adam = Adam::new(RATE).decoupled().weight_decay(0.5).sigma_learning_rate(0.01);
        adam.sigma.epsilon = 1e-12;
        let tasks = [Task::new("zero", Loss::Mse, 1)];
        let mut recipe = linear(&tasks, AutomaticWeightedLoss::new(1), adam, 1);
        recipe.schedule = rates;
        let mut engine = make(recipe, constant_feature(0.0, vec![numbers(&[0.0])]));
        let engine = engine.as_mut();
        let mut state = state_of(engine);
        state.parameters = vec![4.0, 0.0];
        engine.load(&state).expect("the state fits");
        run(engine, &schedule(1, 1, 7)).expect("steps");
        let state = state_of(engine);
        let case = format!("{}, {rates:?}", engine.name());
        let shrunk = factors.iter().map(|factor| 1.0 - RATE * factor * 0.5).product::<f64>();
        assert_close(&case, &state.parameters, &[4.0 * shrunk, 0.0], tolerance);
        let mut sigma = 1.0_f64;
        let (mut first, mut second) = (0.0, 0.0);
        for (t, factor) in (1..).zip(factors) {
            let gradient = 2.0 * sigma / (1.0 + sigma * sigma);
            first = 0.9 * first + 0.1 * gradient;
            second = 0.999 * second + 0.001 * gradient * gradient;
            let root = f64::sqrt(second / (1.0 - 0.999_f64.powi(t)));
            sigma -= 0.01 * factor * first / (1.0 - 0.9_f64.powi(t)) / root;
        }
        assert_close(&case, &state.sigma, &[sigma], tolerance);
    }
}

#[test]
fn the_reference_makes_every_step_at_the_rate_of_its_schedule() {
    every_step_moves_by_its_rate(&reference, 1e-7);
    decay_and_sigma_follow(&reference, 1e-10);
}

#[test]
fn the_gpu_engines_make_every_step_at_the_rate_of_its_schedule() {
    for (_, make) in ON_GPU {
        every_step_moves_by_its_rate(make, 1e-6);
        decay_and_sigma_follow(make, 1e-6);
    }
}
