//! Where training stops, the row that stopped it is named: of rows that are all alike but one, planted at a known place.

use crate::support::{Make, ON_GPU, gpu, numbers, reference, schedule, state_of};
use awl::data::{Dataset, Matrix, Target};
use awl::engine::{Engine, GpuEngine, Record, Turns};
use awl::{Activation, Adam, Error, Extreme, FirstRow, Loss, Network, Recipe, Task, Weighting};
use pollster::block_on;

const ROWS: usize = 61;
const BATCH: usize = 16;

/// What is changed in rows that are alike otherwise.
#[derive(Clone, Copy)]
struct Planted {
    row: usize,
    /// In place of the second feature, and of the first task's label.
    feature: f32,
    label: f32,
}

/// A number, by this loss, and a class, on three features.
fn problem(loss: Loss, hidden: &[usize], planted: &[Planted]) -> (Recipe, Dataset) {
    let wave = |i: usize| (i as f32 * 0.7).sin();
    let mut features: Vec<f32> = (0..3 * ROWS).map(wave).collect();
    let mut labels: Vec<f32> = (0..ROWS).map(|row| 0.5 + 0.4 * wave(row)).collect();
    for it in planted {
        features[3 * it.row + 1] = it.feature;
        labels[it.row] = it.label;
    }
    let classes = Target::classes((0..ROWS as u32).map(|row| row % 3).collect());
    let tasks = [Task::new("number", loss, 1), Task::new("kind", Loss::cross_entropy(), 3)];
    let network = Network::new(3, hidden, Activation::Tanh, &tasks).expect("a network");
    let mut recipe = Recipe::new(network, Weighting::equal(2), Adam::new(1e-3));
    (recipe.batch, recipe.seed) = (BATCH, 5);
    let features = Matrix::new(3, features).expect("features");
    (recipe, Dataset::new(features, vec![numbers(&labels), classes]).expect("a dataset"))
}

/// Two epochs, in submissions of a few steps, and why they were not all made; with the records of those that were.
fn stopped(engine: &mut dyn Engine) -> (Vec<Record>, Error) {
    for steps in schedule(BATCH, ROWS, 8).chunks(3) {
        engine.submit(steps).expect("a submission");
    }
    let mut records = Vec::new();
    loop {
        match block_on(engine.collect()) {
            Ok(more) if more.is_empty() => panic!("{} was not stopped", engine.name()),
            Ok(more) => records.extend(more),
            Err(error) => return (records, error),
        }
    }
}

fn fused(recipe: Recipe, data: &Dataset) -> GpuEngine {
    block_on(GpuEngine::fused(gpu(), recipe, data)).expect("the recipe fits")
}

/// On software adapters a run of steps, shares and vectors; by `AWL_PROGRAM` others.
const HIDDEN: [&[usize]; 4] = [&[], &[8], &[48, 48], &[300]];

/// A label whose square overflows, shuffled among others: the last row of a shuffled epoch, and the first of the table.
#[test]
fn a_label_whose_loss_is_infinite_is_named() {
    for (row, hidden) in [0, 23, 41, ROWS - 1].into_iter().zip(HIDDEN) {
        let (recipe, data) =
            problem(Loss::Mse, hidden, &[Planted { row, feature: 0.5, label: -1e30 }]);
        for (name, make) in ON_GPU {
            let (made, error) = stopped(make(recipe.clone(), data.clone()).as_mut());
            let Error::NonFiniteLoss { step, task, first: Some(first), .. } = &error else {
                panic!("{name}, {hidden:?}: {error}")
            };
            assert_eq!((made.len() as u64 + 1, task.as_str()), (*step, "number"));
            let extreme = Extreme::Label { task: 0, column: 0 };
            assert_eq!(*first, FirstRow { row, extreme, value: -1e30 }, "{name}, {hidden:?}");
            assert!(error.to_string().contains(&format!("row {row} of")), "{error}");
        }
    }
}

/// A feature that takes predictions beyond the finite numbers, of a task that sees it, and gradients alone where the loss is
/// finite.
#[test]
fn a_feature_whose_loss_or_gradient_is_infinite_is_named() {
    let extreme = Extreme::Feature { column: 1 };
    for (loss, is_loss) in [(Loss::Mse, true), (Loss::Mae, false)] {
        for feature in [1e30, -1e30] {
            let (recipe, data) =
                problem(loss.clone(), &[], &[Planted { row: 40, feature, label: 0.5 }]);
            for (name, make) in ON_GPU {
                let mut engine = make(recipe.clone(), data.clone());
                let (_, error) = stopped(engine.as_mut());
                let right = matches!(error, Error::NonFiniteLoss { .. }) == is_loss;
                assert!(right, "{name}, {loss:?}: {error}");
                let first = error.first_row().expect("a row");
                assert_eq!(
                    first,
                    FirstRow { row: 40, extreme, value: feature },
                    "{name}, {loss:?}"
                );
                assert!(state_of(engine.as_mut()).parameters.iter().all(|it| it.is_finite()));
            }
        }
    }
}

/// Of several such rows in one batch the first of the dataset is told, not the first of the batch's order.
#[test]
fn the_first_row_is_that_of_the_dataset() {
    let planted = [50, 12, 31].map(|row| Planted { row, feature: 0.5, label: 1e30 });
    let (mut recipe, data) = problem(Loss::Mse, &[8], &planted);
    recipe.batch = ROWS;
    for seed in 0..4 {
        recipe.seed = seed;
        let mut engine = fused(recipe.clone(), &data);
        engine.submit(&schedule(ROWS, ROWS, 1)).expect("a submission");
        let error = block_on(engine.collect()).expect_err("it fails");
        assert_eq!(error.first_row().map(|it| it.row), Some(12), "{error}");
    }
}

/// Each of these squares is within the finite numbers, their sum is not.
#[test]
fn sums_that_no_row_is_to_blame_for_are_told_as_such() {
    let planted = [3, 9].map(|row| Planted { row, feature: 0.5, label: 1.6e19 });
    let (mut recipe, data) = problem(Loss::Mse, &[8], &planted);
    recipe.shuffle = false;
    for (name, make) in ON_GPU {
        let (_, error) = stopped(make(recipe.clone(), data.clone()).as_mut());
        let is_sum = matches!(&error, Error::NonFiniteLoss { first: None, step: 1, .. });
        assert!(is_sum && error.to_string().contains("no single row's loss"), "{name}: {error}");
    }
}

/// A row that counts for nothing stops nothing, whatever its label.
#[test]
fn a_label_of_no_weight_stops_nothing() {
    let (recipe, data) = problem(Loss::Mse, &[8], &[Planted { row: 7, feature: 0.5, label: 3e38 }]);
    let weights: Vec<f32> = (0..ROWS).map(|row| f32::from(row != 7)).collect();
    let mask = (0..ROWS).map(|row| row != 7).collect();
    let [number, kind] = data.targets() else { panic!("two targets") };
    let without = number.clone().labelled(mask).expect("a mask");
    let weightless = number.clone().weighted(weights).expect("weights");
    let [without, weightless] = [without, weightless].map(|number| {
        Dataset::new(data.features().clone(), vec![number, kind.clone()]).expect("a dataset")
    });
    for (name, make) in ON_GPU {
        let losses = [&without, &weightless].map(|data| {
            let mut engine = make(recipe.clone(), data.clone());
            engine.submit(&schedule(BATCH, ROWS, 8)).expect("a submission");
            let records = block_on(engine.collect()).expect("8 steps");
            records.iter().map(|record| record.total).collect::<Vec<_>>()
        });
        for (found, expected) in losses[1].iter().zip(&losses[0]) {
            assert!((found - expected).abs() <= 1e-5 * expected.abs(), "{name}: {losses:?}");
        }
    }
}

/// But one whose predictions are infinite does, as 0 times what is infinite is no number.
#[test]
fn a_row_of_no_weight_whose_loss_is_infinite_is_named() {
    let (recipe, data) = problem(Loss::Mse, &[], &[Planted { row: 7, feature: 1e30, label: 0.5 }]);
    let [number, kind] = data.targets() else { panic!("two targets") };
    let weights: Vec<f32> = (0..ROWS).map(|row| f32::from(row != 7)).collect();
    let number = number.clone().weighted(weights).expect("weights");
    let data = Dataset::new(data.features().clone(), vec![number, kind.clone()]);
    let data = data.expect("a dataset");
    for (name, make) in ON_GPU {
        let (_, error) = stopped(make(recipe.clone(), data.clone()).as_mut());
        assert_eq!(error.first_row().map(|it| it.row), Some(7), "{name}: {error}");
    }
}

/// The rows of a bootstrap are those drawn, units are dropped as in the step, and every member of a fleet meets the row at a step
/// of its own.
#[test]
fn members_name_the_row_whatever_they_draw() {
    let poison = Planted { row: 23, feature: 1e30, label: 0.5 };
    let (recipe, data) = problem(Loss::Mse, &[8], &[poison]);
    let recipes: Vec<Recipe> = (0..6)
        .map(|seed| {
            let mut recipe = Recipe { seed, bootstrap: seed % 2 == 1, ..recipe.clone() };
            let tasks = recipe.network.tasks().to_vec();
            let network = Network::new(3, &[8], Activation::Relu, &tasks).expect("a network");
            recipe.network = network.with_dropout(0.25).expect("a network");
            recipe
        })
        .collect();
    let fleet = block_on(GpuEngine::fleet(gpu(), recipes.clone(), &data)).expect("a fleet");
    let alone = recipes.iter().map(|recipe| fused(recipe.clone(), &data)).collect();
    let mut told = 0;
    for mut engine in
        [Box::new(fleet) as Box<dyn Engine>, Box::new(Turns::new(alone).expect("turns"))]
    {
        for steps in schedule(BATCH, ROWS, 8).chunks(3) {
            engine.submit(steps).expect("a submission");
        }
        while block_on(engine.collect()).is_ok_and(|records| !records.is_empty()) {}
        for member in 0..recipes.len() {
            // A bootstrap may not have the row, and dropout may spare it twice.
            let Some(error) = engine.failure(member) else { continue };
            assert_eq!(error.first_row().map(|it| it.row), Some(23), "member {member}: {error}");
            told += 1;
        }
    }
    assert!(told >= 6, "{told} failures");
}

#[test]
fn the_reference_names_its_row_too() {
    let (recipe, data) = problem(Loss::Mse, &[], &[Planted { row: 23, feature: 3e38, label: 0.5 }]);
    let make: Make = &reference;
    let mut engine = make(recipe, data);
    let mut state = state_of(engine.as_mut());
    // The square of this times the feature is beyond `f64`, but not that of this times the others.
    state.parameters[1] = 1e120;
    engine.load(&state).expect("a state");
    let (_, error) = stopped(engine.as_mut());
    let extreme = Extreme::Feature { column: 1 };
    assert_eq!(error.first_row(), Some(FirstRow { row: 23, extreme, value: 3e38 }), "{error}");
}
