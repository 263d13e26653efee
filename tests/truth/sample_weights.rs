//! Weights of rows: a row that weighs 3 counts as three such rows, and one that weighs 0 as none.

use crate::support::{Make, ON_GPU, assert_each_close, reference, run, schedule, state_of};
use awl::data::{Dataset, Matrix, Target};
use awl::engine::Recipe;
use awl::{Activation, Adam, AutomaticWeightedLoss, Error, Loss, Network, Task};
use pollster::block_on;

const ROWS: usize = 24;
const STEPS: usize = 12;

fn tasks() -> Vec<Task> {
    let smoothed =
        Loss::CrossEntropy { label_smoothing: 0.1, class_weights: Some(vec![1.0, 0.5, 2.0]) };
    vec![
        Task::new("number", Loss::Mse, 2),
        Task::new("kind", smoothed, 3),
        Task::new("flag", Loss::Bce, 1),
        Task::new("count", Loss::Poisson, 1),
    ]
}

/// What row `i` has of something.
fn value(i: usize) -> f32 {
    ((i * 37 + i * i) % 29) as f32 / 14.5 - 1.0
}

/// These rows, each as often as it is named; the third task has no label in every fifth.
fn data(rows: &[usize], weights: Option<Vec<f32>>) -> Dataset {
    let all = |columns: usize, of: &dyn Fn(usize) -> f32| {
        let cells = rows.iter().flat_map(|row| (0..columns).map(move |c| row * columns + c));
        Matrix::new(columns, cells.map(of).collect()).expect("a matrix")
    };
    let targets = [
        Target::numbers(all(2, &|i| value(i + 5))),
        Target::classes(rows.iter().map(|row| (row * row % 3) as u32).collect()),
        Target::numbers(all(1, &|i| f32::from(value(i + 9) > 0.0)))
            .labelled(rows.iter().map(|row| row % 5 != 2).collect())
            .expect("a mask"),
        Target::numbers(all(1, &|i| (4.0 * value(i + 2).abs()).round())),
    ];
    let weigh = |target: Target| match &weights {
        Some(weights) => target.weighted(weights.clone()).expect("weights"),
        None => target,
    };
    Dataset::new(all(3, &value), targets.map(weigh).into()).expect("a dataset")
}

fn weight(row: usize) -> usize {
    [1, 3, 0, 2, 1][row % 5]
}

fn weighted() -> Dataset {
    let rows: Vec<usize> = (0..ROWS).collect();
    data(&rows, Some(rows.iter().map(|&row| weight(row) as f32).collect()))
}

fn repeated() -> Dataset {
    let rows: Vec<usize> = (0..ROWS).flat_map(|row| vec![row; weight(row)]).collect();
    data(&rows, None)
}

/// Some steps over all rows at once; the losses, then parameters and sigma. Then the losses of the rows held out.
fn trained(make: Make, data: Dataset) -> (Vec<f64>, Vec<f64>) {
    let network = Network::new(3, &[7], Activation::Tanh, &tasks()).expect("a network");
    let mut recipe = Recipe::new(network, AutomaticWeightedLoss::new(4), Adam::new(0.02));
    recipe.batch = data.rows();
    let mut engine = make(recipe, data.clone());
    let engine = engine.as_mut();
    let records = run(engine, &schedule(data.rows(), data.rows(), STEPS)).expect("steps");
    block_on(engine.hold_out(&data)).expect("rows");
    let mut losses: Vec<f64> = records.iter().map(|record| record.total).collect();
    let held_out = block_on(engine.validate()).expect("losses");
    losses.extend(held_out.into_iter().map(|loss| loss.expect("labels")));
    let state = state_of(engine);
    (losses, [state.parameters, state.sigma].concat())
}

#[test]
fn a_row_counts_as_often_as_it_weighs() {
    let (losses, parameters) = trained(&reference, repeated());
    let engines = ON_GPU.into_iter().map(|(name, make)| (name, make, 2e-5));
    for (name, make, tolerance) in engines.chain([("reference", &reference as Make, 1e-9)]) {
        let (found, state) = trained(make, weighted());
        assert_each_close(&format!("{name}: losses"), &found, &losses, tolerance);
        let pairs = state.iter().zip(&parameters);
        let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst <= 10.0 * tolerance, "{name}: a parameter is off by {worst:e}");
    }
}

/// Without any weight a batch has no loss, and nothing is learned from it.
#[test]
fn rows_that_weigh_nothing_teach_nothing() {
    let rows: Vec<usize> = (0..ROWS).collect();
    for (name, make) in ON_GPU.into_iter().chain([("reference", &reference as Make)]) {
        let network = Network::new(3, &[7], Activation::Tanh, &tasks()).expect("a network");
        let recipe = Recipe::new(network, AutomaticWeightedLoss::new(4), Adam::new(0.02));
        let mut engine = make(recipe, data(&rows, Some(vec![0.0; ROWS])));
        let before = state_of(engine.as_mut());
        let records = run(engine.as_mut(), &schedule(ROWS, ROWS, 2)).expect("steps");
        let losses = records.iter().flat_map(|record| &record.tasks).map(|task| task.loss);
        assert!(losses.clone().all(|loss| loss.is_none()), "{name}: {records:?}");
        let after = state_of(engine.as_mut());
        assert_eq!(after.parameters, before.parameters, "{name}");
        assert_eq!(after.sigma, before.sigma, "{name}");
    }
}

#[test]
fn weights_that_make_no_sense_are_refused() {
    let target = || Target::classes(vec![0, 1, 0]);
    let said = |weights: Vec<f32>| match target().weighted(weights) {
        Err(error @ (Error::Invalid { .. } | Error::Mismatch { .. })) => error.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(said(vec![1.0, 2.0]).contains("the weights of a target's rows"));
    assert!(said(vec![1.0, -2.0, 1.0]).contains("the weight of row 1 is -2"));
    assert!(said(vec![1.0, 2.0, f32::NAN]).contains("the weight of row 2 is NaN"));
    assert!(said(vec![f32::INFINITY, 2.0, 1.0]).contains("the weight of row 0 is inf"));
}
