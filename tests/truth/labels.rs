//! Missing labels: a task without one in the batch is as if it were not there.

use crate::support::{
    Make, ON_GPU, assert_close, constant_feature, linear, numbers, reference, regression,
};
use crate::support::{run, schedule, state_of};
use awl::engine::Engine;
use awl::{Adam, AutomaticWeightedLoss};

/// Two tasks over three batches of two rows; the second has labels in the first and third batch only,
/// and in the third on one row.
fn two_tasks(make: Make) -> Box<dyn Engine> {
    let tasks = [regression("always"), regression("sometimes")];
    let adam = Adam::new(0.0).sigma_learning_rate(0.125);
    let recipe = linear(&tasks, AutomaticWeightedLoss::new(2), adam, 2);
    let sometimes = numbers(&[2.0, 2.0, f32::NAN, 9.0, 2.0, 1e30]);
    let mask = vec![true, true, false, false, true, false];
    let sometimes = sometimes.labelled(mask).expect("a mask");
    let data = constant_feature(0.0, vec![numbers(&[1.0, 3.0, 1.0, 3.0, 1.0, 3.0]), sometimes]);
    let mut engine = make(recipe, data);
    let mut state = state_of(engine.as_mut());
    state.parameters.fill(0.0);
    engine.load(&state).expect("the state fits");
    engine
}

/// In a batch without its label, a task's σ, moments and corrections keep their bits, and the total is
/// the other task's alone; afterwards σ goes on as if that batch had not been.
pub fn a_task_without_labels_is_left_alone(make: Make, tolerance: f64) {
    let mut engine = two_tasks(make);
    let engine = engine.as_mut();
    let case = format!("{}, missing labels", engine.name());
    let steps = schedule(2, 6, 3);

    let first = run(engine, &steps[..1]).expect("a step").remove(0);
    assert_eq!(first.tasks[1].loss, Some(4.0), "{case}");
    assert_close(&case, &[first.total], &[2.5 + 2.0 + 2.0 * 2_f64.ln()], tolerance);
    let before = state_of(engine);

    let second = run(engine, &steps[1..2]).expect("a step").remove(0);
    let after = state_of(engine);
    assert_eq!(second.tasks[1].loss, None, "{case}");
    let sigma = second.tasks[0].sigma.expect("a σ");
    let alone = 2.5 / (sigma * sigma) + (sigma * sigma).ln_1p();
    assert_close(&case, &[second.total], &[alone], tolerance);
    assert_eq!(before.sigma[1], after.sigma[1], "{case}: σ");
    assert_eq!(before.sigma_moments[1], after.sigma_moments[1], "{case}: moments");
    assert_eq!(before.sigma_corrections[1], after.sigma_corrections[1], "{case}: corrections");
    assert_ne!(before.sigma[0], after.sigma[0], "{case}: the other σ moves");

    // The unlabelled row of the third batch counts neither in the sum nor in the mean.
    let third = run(engine, &steps[2..]).expect("a step").remove(0);
    assert_eq!(third.tasks[1].loss, Some(4.0), "{case}");
    let last = state_of(engine);
    assert_close(&case, &last.sigma_corrections[0], &[0.271, 1.0 - 0.999_f64.powi(3)], 1e-6);
    assert_close(&case, &last.sigma_corrections[1], &[0.19, 1.0 - 0.999_f64.powi(2)], 1e-6);
    assert_close(&case, &[last.sigma[1]], &[second_sigma()], tolerance);
}

/// σ after two updates at loss 4 from 1, learning rate 1/8: Adam by hand.
fn second_sigma() -> f64 {
    let gradient = |sigma: f64| -4.0 / sigma.powi(3) + 2.0 * sigma / (1.0 + sigma * sigma);
    let first = gradient(1.0);
    let sigma = 1.125;
    let second = gradient(sigma);
    let mean = (0.09 * first + 0.1 * second) / 0.19;
    let square = (0.000_999 * first * first + 0.001 * second * second) / 0.001_999;
    sigma - 0.125 * mean / square.sqrt()
}

/// A batch in which no task has a label makes no loss, and no step but of the clock.
pub fn a_batch_without_any_label_changes_nothing(make: Make) {
    let target = numbers(&[1.0, 1.0]).labelled(vec![false, false]);
    let adam = Adam::new(0.5);
    let recipe = linear(&[regression("y")], AutomaticWeightedLoss::new(1), adam, 2);
    let data = constant_feature(1.0, vec![target.expect("a mask")]);
    let mut engine = make(recipe, data);
    let engine = engine.as_mut();
    let before = state_of(engine);
    let records = run(engine, &schedule(2, 2, 3)).expect("three steps");
    assert!(records.iter().all(|r| r.total == 0.0 && r.tasks[0].loss.is_none()));
    let mut after = state_of(engine);
    assert_eq!(after.step, 3);
    after.step = 0;
    assert_eq!(before, after, "{}", engine.name());
}

#[test]
fn the_reference_leaves_tasks_without_labels_alone() {
    a_task_without_labels_is_left_alone(&reference, 1e-7);
    a_batch_without_any_label_changes_nothing(&reference);
}

#[test]
fn the_gpu_engines_leave_tasks_without_labels_alone() {
    for (_, make) in ON_GPU {
        a_task_without_labels_is_left_alone(make, 1e-6);
        a_batch_without_any_label_changes_nothing(make);
    }
}
