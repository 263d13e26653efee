//! Batches with more workgroups than one dimension of a dispatch may hold.

use crate::support::{ON_GPU, assert_close, assert_tensors_close, run, state_of};
use awl::data::{Dataset, Matrix, Target};
use awl::engine::{Recipe, Reference, Step};
use awl::{Activation, Adam, AutomaticWeightedLoss, Loss, Network, Task};

/// A dataset of this many rows whose second task lacks every seventh label.
fn data(rows: usize, features: usize) -> Dataset {
    let wave = |i: usize, period: f32| (i as f32 / period).sin();
    let x = (0..rows * features).map(|i| wave(i, 7.3)).collect();
    let y = (0..rows).map(|i| wave(i, 31.7)).collect();
    let classes = (0..rows).map(|i| (i % 1013 % 3) as u32).collect();
    let labelled = (0..rows).map(|i| i % 7 != 0).collect();
    let classes = Target::classes(classes).labelled(labelled).expect("a mask");
    let y = Target::numbers(Matrix::new(1, y).expect("a column"));
    let x = Matrix::new(features, x).expect("a matrix");
    Dataset::new(x, vec![y, classes]).expect("a dataset")
}

fn is_right(rows: usize, hidden: &[usize]) {
    let features = 2;
    let tasks = [Task::new("number", Loss::Mse, 1), Task::new("class", Loss::cross_entropy(), 3)];
    let network = Network::new(features, hidden, Activation::Tanh, &tasks).expect("a network");
    let mut adam = Adam::new(0.0);
    adam.network.betas.0 = 0.0;
    adam.sigma.betas.0 = 0.0;
    let mut recipe = Recipe::new(network, AutomaticWeightedLoss::new(2), adam);
    recipe.batch = rows;
    let data = data(rows, features);
    let step = Step::numbered(1, rows, rows);
    let reference = Reference::new(recipe.clone(), data.clone()).expect("the recipe fits");
    let truth = reference.gradients(&step).expect("a step");
    for (name, make) in ON_GPU {
        let mut engine = make(recipe.clone(), data.clone());
        let record = run(engine.as_mut(), &[step]).expect("a step").remove(0);
        let case = format!("{name}, {rows} rows, hidden {hidden:?}");
        for (found, expected) in record.tasks.iter().zip(&truth.record.tasks) {
            let [found, expected] = [found, expected].map(|task| task.loss.expect("labels"));
            assert_close(&case, &[found], &[expected], 1e-5);
        }
        let state = state_of(engine.as_mut());
        let moments: Vec<f64> = state.moments.iter().map(|[m, _]| *m).collect();
        assert_tensors_close(&case, &recipe.network, &moments, &truth.parameters, 1e-4);
    }
}

#[test]
fn a_batch_of_a_million_rows_is_right() {
    is_right(1_000_000, &[8]);
}

#[test]
fn a_batch_of_more_tiles_than_a_dimension_holds_is_right() {
    // 65,536 tiles of 32 rows and one more.
    is_right(65_536 * 32 + 1, &[]);
}

#[test]
fn a_batch_for_all_cores_is_right() {
    is_right(3_001, &[64, 64]);
}

#[test]
fn a_wide_network_is_right() {
    is_right(1024, &[256, 256]);
    // Beyond what a workgroup takes rows through.
    is_right(300, &[300, 40]);
}

/// Software drivers end every loop of a kernel that has gone round too often; a submission must not come near that.
#[test]
fn a_long_submission_of_large_batches_is_right() {
    let rows = 4_096;
    let tasks = [Task::new("number", Loss::Mse, 1), Task::new("class", Loss::cross_entropy(), 3)];
    let network = Network::new(2, &[8], Activation::Tanh, &tasks).expect("a network");
    let adam = Adam::new(1e-2);
    let mut recipe = Recipe::new(network, AutomaticWeightedLoss::new(2), adam);
    recipe.batch = rows;
    recipe.shuffle = false;
    let data = data(rows, 2);
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
