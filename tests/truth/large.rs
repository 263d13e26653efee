//! Batches, tasks and classes of sizes that reach what drivers limit: workgroups of a dimension of a dispatch, rounds of an
//! invocation's loops, digits of a sum of `f32`.
//!
//! `AWL_SIZES=full` takes them as far as the memory of a software adapter goes (`scripts/conformance --full`).

use crate::support::{ON_GPU, assert_close, assert_tensors_close, linear, run, state_of};
use awl::data::{Dataset, Matrix, Target};
use awl::engine::{Recipe, Reference, Step};
use awl::{Activation, Adam, AutomaticWeightedLoss, Loss, Network, Task, Weighting};

/// Whether the sizes are the full ones, which take minutes.
pub fn full() -> bool {
    std::env::var("AWL_SIZES").is_ok_and(|sizes| sizes == "full")
}

/// A row's loss by its number, and that of all rows.
pub type LossOfRow = fn(usize, usize) -> f32;

/// Losses of rows that are hard to add up: alike, so that every addition rounds the same way; one among
/// millions that is as large as all others together; magnitudes that alternate; and ever larger ones.
pub const HARD: [(&str, LossOfRow); 6] = [
    ("three tenths", |_, _| 0.3),
    ("seven tenths", |_, _| 0.7),
    ("a third and eleven tenths", |row, _| [0.333_333_34, 1.1][row % 2]),
    ("one huge", |row, rows| if row == rows / 3 { rows as f32 } else { 0.7 }),
    ("alternating", |row, _| [1e-4, 1.1e4, 3e-2, 7e1][row % 4]),
    ("growing", |row, rows| row as f32 / rows as f32 + 1e-3),
];

fn wave(i: usize, period: f32) -> f32 {
    (i as f32 / period).sin()
}

/// Features of a row.
const FEATURES: usize = 2;

/// Labels of the k-th task; some missing where it says so, other ones in each task. Classes follow the first feature, so that
/// gradients are no small differences of large sums.
fn target(task: &Task, k: usize, rows: usize, masked: bool) -> Target {
    let class = |i: usize| {
        let place = 0.5 + 0.499 * wave(FEATURES * i, 7.3);
        ((place * task.width as f32) as usize + i % 3) % task.width
    };
    let target = match task.loss.predicts_class() {
        true => Target::classes((0..rows).map(|i| class(i) as u32).collect()),
        false => {
            let numbers = (0..rows * task.width).map(|i| wave(i, 31.7 + k as f32)).collect();
            Target::numbers(Matrix::new(task.width, numbers).expect("a matrix"))
        }
    };
    match masked {
        true => target.labelled((0..rows).map(|i| i % 7 != k % 7).collect()).expect("a mask"),
        false => target,
    }
}

fn data(rows: usize, tasks: &[(Task, bool)]) -> Dataset {
    let x = (0..rows * FEATURES).map(|i| wave(i, 7.3)).collect();
    let targets =
        tasks.iter().enumerate().map(|(k, (task, masked))| target(task, k, rows, *masked));
    Dataset::new(Matrix::new(FEATURES, x).expect("a matrix"), targets.collect()).expect("a dataset")
}

/// A task of numbers, and one of classes of which every seventh label is missing.
fn two_tasks() -> [(Task, bool); 2] {
    [
        (Task::new("number", Loss::Mse, 1), false),
        (Task::new("class", Loss::cross_entropy(), 3), true),
    ]
}

/// Holds a step over all rows at once, every loss and every gradient, against the reference. Each task comes with whether
/// labels are missing.
fn is_right(rows: usize, hidden: &[usize], tasks: &[(Task, bool)]) {
    let data = data(rows, tasks);
    let tasks: Vec<Task> = tasks.iter().map(|(task, _)| task.clone()).collect();
    let network = Network::new(FEATURES, hidden, Activation::Tanh, &tasks).expect("a network");
    // Without momentum and at no rate the first moments are the gradient.
    let mut adam = Adam::new(0.0);
    adam.network.betas.0 = 0.0;
    adam.sigma.betas.0 = 0.0;
    let mut recipe = Recipe::new(network, AutomaticWeightedLoss::new(tasks.len()), adam);
    recipe.batch = rows;
    let step = Step::numbered(1, rows, rows);
    let reference = Reference::new(recipe.clone(), data.clone()).expect("the recipe fits");
    let truth = reference.gradients(&step).expect("a step");
    for (name, make) in ON_GPU {
        let mut engine = make(recipe.clone(), data.clone());
        let record = run(engine.as_mut(), &[step]).expect("a step").remove(0);
        let case = format!("{name}, {rows} rows, hidden {hidden:?}, {} tasks", tasks.len());
        for (found, expected) in record.tasks.iter().zip(&truth.record.tasks) {
            let [found, expected] = [found, expected].map(|task| task.loss.expect("labels"));
            assert_close(&case, &[found], &[expected], 1e-5);
        }
        assert_close(&case, &[record.total], &[truth.record.total], 1e-5);
        let state = state_of(engine.as_mut());
        let first = |moments: &[[f64; 2]]| moments.iter().map(|[m, _]| *m).collect::<Vec<_>>();
        let network = &recipe.network;
        assert_tensors_close(&case, network, &first(&state.moments), &truth.parameters, 1e-4);
        assert_close(&case, &first(&state.sigma_moments), &truth.sigma, 1e-4);
    }
}

#[test]
fn a_batch_of_a_million_rows_is_right() {
    is_right(1_000_000, &[8], &two_tasks());
}

/// More tiles of 32 rows than a dimension of a dispatch holds, 65,535, and more rounds of a product's slices than software
/// drivers make, were there no more shares of the rows than of a smaller batch.
#[test]
fn a_batch_of_millions_of_rows_is_right() {
    // Two classes, so that ten million rows of predictions fit into one binding of llvmpipe's.
    let tasks = [
        (Task::new("number", Loss::Mse, 1), false),
        (Task::new("class", Loss::cross_entropy(), 2), true),
    ];
    is_right(if full() { 10_000_000 } else { 3_400_001 }, &[], &tasks);
}

/// One task's labels after the other's: more rounds than software drivers make, if one workgroup counted them.
#[test]
fn masks_of_many_tasks_over_many_rows_are_counted_to_the_end() {
    let (rows, tasks) = if full() { (100_000, 200) } else { (750_000, 6) };
    let tasks: Vec<_> =
        (0..tasks).map(|k| (Task::new(k.to_string(), Loss::Mse, 1), true)).collect();
    is_right(rows, &[], &tasks);
}

/// Every lane of the last kernel added up every share of every task's loss.
#[test]
fn hundreds_of_tasks_are_right() {
    let numbers = |count: usize| -> Vec<_> {
        (0..count).map(|k| (Task::new(k.to_string(), Loss::Mse, 1), k % 5 == 0)).collect()
    };
    is_right(16_384, &[8], &numbers(280));
    is_right(if full() { 20_000 } else { 500 }, &[8], &numbers(1_000));
}

#[test]
fn a_thousand_classes_are_right() {
    let tasks = [
        (Task::new("class", Loss::cross_entropy(), 1_000), true),
        (Task::new("number", Loss::Mse, 1), false),
    ];
    is_right(if full() { 33_000 } else { 3_000 }, &[4], &tasks);
}

#[test]
fn a_batch_for_all_cores_is_right() {
    is_right(3_001, &[64, 64], &two_tasks());
}

#[test]
fn a_wide_network_is_right() {
    is_right(1024, &[256, 256], &two_tasks());
    // Beyond what a workgroup takes rows through.
    is_right(300, &[300, 40], &two_tasks());
}

/// Software drivers end every loop of a kernel that has gone round too often; a submission must not come near that.
#[test]
fn a_long_submission_of_large_batches_is_right() {
    let rows = 4_096;
    let network = Network::new(2, &[8], Activation::Tanh, &two_tasks().map(|(task, _)| task))
        .expect("a network");
    let adam = Adam::new(1e-2);
    let mut recipe = Recipe::new(network, AutomaticWeightedLoss::new(2), adam);
    recipe.batch = rows;
    recipe.shuffle = false;
    let data = data(rows, &two_tasks());
    let steps: Vec<Step> = (1..=60).map(|number| Step::numbered(number, rows, rows)).collect();
    let mut reference = Reference::new(recipe.clone(), data.clone()).expect("the recipe fits");
    let truth = run(&mut reference, &steps).expect("60 steps");
    for (name, make) in ON_GPU {
        let mut engine = make(recipe.clone(), data.clone());
        let records = run(engine.as_mut(), &steps).expect("60 steps");
        for (record, expected) in records.iter().zip(&truth) {
            let case = format!("{name}, step {}", record.step);
            assert_close(&case, &[record.total], &[expected.total], 1e-4);
        }
        let sigma = state_of(engine.as_mut()).sigma;
        assert_close(name, &sigma, &state_of(&mut reference).sigma, 1e-4);
    }
}

/// A step over all rows whose losses are hard to add up keeps six digits of their mean; `mae` of predictions that are the features.
#[test]
fn a_mean_over_millions_of_rows_keeps_six_digits() {
    let (rows, every) = if full() { (10_000_000, 1) } else { (400_003, 3) };
    for (name, number) in HARD.into_iter().step_by(every) {
        let x: Vec<f32> = (0..rows).map(|row| number(row, rows)).collect();
        let expected = x.iter().copied().map(f64::from).sum::<f64>() / rows as f64;
        let tasks = [Task::new("number", Loss::Mae, 1)];
        let recipe = linear(&tasks, Weighting::equal(1), Adam::new(0.0), rows);
        let zeros = Target::numbers(Matrix::new(1, vec![0.0; rows]).expect("labels"));
        let data = Dataset::new(Matrix::new(1, x).expect("a column"), vec![zeros]);
        let data = data.expect("a dataset");
        for (engine, make) in ON_GPU {
            let mut made = make(recipe.clone(), data.clone());
            let mut state = state_of(made.as_mut());
            state.parameters = vec![1.0, 0.0];
            made.load(&state).expect("the state fits");
            let record =
                run(made.as_mut(), &[Step::numbered(1, rows, rows)]).expect("a step").remove(0);
            let error = (record.tasks[0].loss.expect("labels") / expected - 1.0).abs();
            assert!(error <= 1e-6, "{engine}, {name}: off by {error:.1e}");
        }
    }
}
