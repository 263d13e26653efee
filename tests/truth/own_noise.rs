//! Losses that predict their own noise, through every engine.

use crate::support::{ON_GPU, assert_tensors_close, reference, run, schedule, state_of};
use awl::data::{Dataset, Matrix, Target};
use awl::engine::{Recipe, Record};
use awl::{Activation, Adam, Loss, Network, Task, Weighting};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

/// Both beside others, two columns of one, of which some rows have no label, and rows of different weights.
fn problem(dropout: f64) -> (Network, Dataset) {
    let random = &mut ChaCha8Rng::seed_from_u64(7);
    const ROWS: usize = 110;
    let features: Vec<f32> = (0..3 * ROWS).map(|_| 2.0 * random.random::<f32>() - 1.0).collect();
    let mut column = |row: usize, scale: f32| {
        let [x, y, z] = features[3 * row..][..3] else { panic!("three features") };
        x * y + scale * (1.5 * z).exp() * (random.random::<f32>() - 0.5)
    };
    let wide = (0..2 * ROWS).map(|at| column(at / 2, 0.3)).collect();
    let far = (0..ROWS).map(|row| 3.0 * column(row, 0.2)).collect();
    let plain = (0..ROWS).map(|row| column(row, 0.1)).collect();
    let weights: Vec<f32> = (0..ROWS).map(|row| (row % 4) as f32 / 2.0).collect();
    let numbers = |width, values| Target::numbers(Matrix::new(width, values).expect("columns"));
    let targets = vec![
        numbers(2, wide).labelled((0..ROWS).map(|row| row % 5 != 2).collect()).expect("a mask"),
        numbers(1, plain),
        numbers(1, far).weighted(weights).expect("weights"),
        Target::classes((0..ROWS).map(|row| u32::from(features[3 * row] > 0.0)).collect()),
    ];
    let tasks = [
        Task::new("wide", Loss::GaussianNll { beta: 0.5 }, 2),
        Task::new("plain", Loss::Mse, 1),
        Task::new("far", Loss::LaplaceNll, 1),
        Task::new("kind", Loss::cross_entropy(), 2),
    ];
    let network = Network::new(3, &[12, 8], Activation::Tanh, &tasks)
        .and_then(|network| network.with_dropout(dropout));
    let features = Matrix::new(3, features.clone()).expect("features");
    (network.expect("a network"), Dataset::new(features, targets).expect("data"))
}

#[test]
fn noise_is_learned_alike_by_every_engine() {
    for dropout in [0.0, 0.2] {
        let (network, data) = problem(dropout);
        for name in ["equal", "awl", "upgrad"] {
            let weighting = Weighting::named(name, &[], &[false, false, false, true]);
            let adam = Adam::new(3e-3).sigma_learning_rate(0.02);
            let mut recipe = Recipe::new(network.clone(), weighting.expect("it"), adam);
            recipe.batch = 32;
            let steps = schedule(recipe.batch, data.rows(), 50);
            let mut truth = reference(recipe.clone(), data.clone());
            let expected = run(truth.as_mut(), &steps).expect("50 steps");
            for (engine, make) in ON_GPU {
                if name == "upgrad" && engine == "unfused" {
                    continue;
                }
                let case = format!("{name} in {engine}, dropout {dropout}");
                let mut engine = make(recipe.clone(), data.clone());
                let found = run(engine.as_mut(), &steps).expect("50 steps");
                let losses = |records: &[Record]| {
                    let losses = records.iter().flat_map(|it| &it.tasks);
                    losses.map(|task| task.loss.expect("a loss")).collect::<Vec<_>>()
                };
                let (found, expected) = (losses(&found), losses(&expected));
                for (found, expected) in found.iter().zip(&expected) {
                    let near = (found - expected).abs() < 2e-4 * (1.0 + expected.abs());
                    assert!(near, "{case}: {found}, not {expected}");
                }
                let [ours, theirs] =
                    [&mut engine, &mut truth].map(|it| state_of(it.as_mut()).parameters);
                assert_tensors_close(&case, &network, &ours, &theirs, 2e-3);
            }
        }
    }
}

/// Logarithms of scales at and beyond ±30: the closed forms, through a head whose biases are the predictions.
#[test]
fn extreme_scales_keep_their_closed_form() {
    let tasks =
        [Task::new("n", Loss::GaussianNll { beta: 0.0 }, 1), Task::new("l", Loss::LaplaceNll, 1)];
    let network = Network::new(1, &[], Activation::Relu, &tasks).expect("a network");
    let label = || Target::numbers(Matrix::new(1, vec![0.0]).expect("a label"));
    let data = Dataset::new(Matrix::new(1, vec![0.0]).expect("a feature"), vec![label(), label()]);
    let data = data.expect("data");
    let makes = ON_GPU.into_iter().chain([("reference", &reference as _)]);
    for (name, make) in makes {
        for (s, kept) in [(30.0_f64, 30.0_f64), (-30.0, -30.0), (40.0, 30.0), (-1e6, -30.0)] {
            let recipe = Recipe::new(network.clone(), Weighting::equal(2), Adam::new(0.0));
            let mut engine = make(recipe, data.clone());
            let mut state = state_of(engine.as_mut());
            // d = 1e-6: both halves count at -30 too.
            state.parameters = vec![0.0, 0.0, 0.0, 0.0, 1e-6, s, 1e-6, s];
            engine.load(&state).expect("the state fits");
            let record = run(engine.as_mut(), &schedule(1, 1, 1)).expect("a step").remove(0);
            let case = format!("{name}, s = {s}");
            let [normal, laplace] = [1e-12 * (-kept).exp(), 1e-6 * (-kept).exp()];
            let losses: Vec<f64> = record.tasks.iter().filter_map(|task| task.loss).collect();
            let expected = [0.5 * (kept + normal), kept + laplace];
            for (found, expected) in losses.iter().zip(expected) {
                assert!((found / expected - 1.0).abs() < 1e-4, "{case}: {found}, not {expected}");
            }
            let slopes: Vec<f64> =
                state_of(engine.as_mut()).moments[4..].iter().map(|[m, _]| m / 0.1).collect();
            let inverse = (-kept).exp();
            let expected = [1e-6 * inverse, 0.5 * (1.0 - normal), inverse, 1.0 - laplace];
            for (found, expected) in slopes.iter().zip(expected) {
                let near = (found - expected).abs() <= 1e-3 * expected.abs();
                assert!(near, "{case}: slope {found}, not {expected}");
            }
        }
    }
}
