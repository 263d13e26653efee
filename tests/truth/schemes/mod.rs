//! Weighting schemes: every one of the list against its formula, in every engine, and from a checkpoint.

mod formulas;

use crate::support::{
    Make, ON_GPU, assert_each_close, assert_tensors_close, fused_dispatches, gpu, reference, run,
    schedule, state_of,
};
use awl::data::{Dataset, Matrix, Target};
use awl::engine::{GpuEngine, Recipe, Record};
use awl::train::Checkpoint;
use awl::weighting::{Kind, SCHEMES, Scheme};
use awl::{Activation, Adam, Error, Loss, Network, Task, Trainer, Weighting};
use pollster::block_on;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use std::slice::from_ref;

fn weighting(scheme: &dyn Scheme) -> Weighting {
    Weighting::named(scheme.name(), &[], &[false, false, true]).expect("a weighting")
}

/// Three tasks of different losses and missing labels.
fn problem(seed: u64, rows: usize, dropout: f64) -> (Network, Dataset) {
    let random = &mut ChaCha8Rng::seed_from_u64(seed);
    let features: Vec<f32> = (0..4 * rows).map(|_| 2.0 * random.random::<f32>() - 1.0).collect();
    let row = |at: usize| &features[4 * at..][..4];
    let large = (0..rows).map(|at| 9.0 * row(at)[0] + row(at)[1]).collect();
    let small = (0..rows).map(|at| 0.3 * row(at)[2] * row(at)[3]).collect();
    let kinds = (0..rows).map(|at| u32::from(row(at)[1] > 0.0) + u32::from(row(at)[0] > 0.5));
    // Of batches of 20 rows a fifth have no label of it.
    let mask = (0..rows).map(|_| random.random::<f32>() < 0.08).collect();
    let column = |values| Target::numbers(Matrix::new(1, values).expect("a column"));
    let targets = vec![
        column(large),
        column(small).labelled(mask).expect("a mask"),
        Target::classes(kinds.collect()),
    ];
    let tasks = [
        Task::new("large", Loss::Mse, 1),
        Task::new("small", Loss::Mae, 1),
        Task::new("kind", Loss::cross_entropy(), 3),
    ];
    let network = Network::new(4, &[12, 8], Activation::Tanh, &tasks).expect("a network");
    let features = Matrix::new(4, features).expect("features");
    let network = network.with_dropout(dropout).expect("a network");
    (network, Dataset::new(features, targets).expect("data"))
}

fn recipe(network: &Network, scheme: &dyn Scheme, seed: u64) -> Recipe {
    let adam = Adam::new(2e-3).sigma_learning_rate(0.02);
    let mut recipe = Recipe::new(network.clone(), weighting(scheme), adam);
    (recipe.batch, recipe.seed) = (20, seed);
    recipe
}

/// Every weight within this part of the largest of its step.
#[track_caller]
fn assert_same_weights(case: &str, found: &[Record], expected: &[Record], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{case}: steps");
    for (found, expected) in found.iter().zip(expected) {
        let [ours, theirs] = [found, expected].map(|it| weights(from_ref(it)));
        let largest = theirs.iter().copied().fold(0.0, f64::max);
        let is_near = |(a, b): (&f64, &f64)| (a - b).abs() <= tolerance * largest;
        let all_near = ours.iter().zip(&theirs).all(is_near);
        let losses =
            [found, expected].map(|it| it.tasks.iter().map(|task| task.loss).collect::<Vec<_>>());
        assert!(
            all_near,
            "{case}, step {}: {ours:?}, not {theirs:?}; losses {losses:?}",
            found.step
        );
    }
}

fn weights(records: &[Record]) -> Vec<f64> {
    records.iter().flat_map(|record| record.tasks.iter().map(|task| task.weight)).collect()
}

/// The engines on the GPU that take a scheme: the unfused one has no gradients of single tasks.
fn engines(scheme: &dyn Scheme) -> impl Iterator<Item = (&'static str, Make<'static>)> {
    let by_gradients = scheme.kind() == Kind::Gradients;
    ON_GPU.into_iter().filter(move |(name, _)| !(by_gradients && *name == "unfused"))
}

/// One of every kind, and the one that looks twice: what does not depend on the formulas is tried with these.
const SOME: [&str; 4] = ["awl", "uw-so", "mgda", "famo"];

/// 50 steps, of seven epochs whose last batch is short, in which a task may have no label; some with dropout.
#[test]
fn every_scheme_weighs_in_every_engine_as_in_the_reference() {
    for (seed, dropout) in [(1, 0.0), (2, 0.25)] {
        let (network, data) = problem(seed, 147, dropout);
        let schemes = SCHEMES.iter().filter(|it| dropout == 0.0 || SOME.contains(&it.name()));
        for scheme in schemes.copied() {
            let recipe = recipe(&network, scheme, seed);
            let steps = schedule(recipe.batch, data.rows(), 50);
            let mut truth = reference(recipe.clone(), data.clone());
            let expected = run(truth.as_mut(), &steps).expect("50 steps");
            for (name, make) in engines(scheme) {
                let mut engine = make(recipe.clone(), data.clone());
                let found = run(engine.as_mut(), &steps).expect("50 steps");
                let case = format!("{} in {name}, dropout {dropout}", scheme.name());
                assert_same_weights(&case, &found, &expected, 1e-4);
                let [ours, theirs] =
                    [&mut engine, &mut truth].map(|it| state_of(it.as_mut()).parameters);
                assert_tensors_close(&case, &network, &ours, &theirs, 2e-3);
                let totals =
                    |records: &[Record]| records.iter().map(|it| it.total).collect::<Vec<_>>();
                assert_each_close(&case, &totals(&found), &totals(&expected), 1e-3);
            }
        }
    }
}

/// The gradients at the representation, alone and in a fleet with those of the parameters.
#[test]
fn schemes_may_look_at_the_representation() {
    let (network, data) = problem(6, 60, 0.25);
    let steps = schedule(20, data.rows(), 20);
    let by_gradients = SCHEMES.iter().filter(|scheme| scheme.kind() == Kind::Gradients);
    for scheme in by_gradients {
        let of = |representation: f64| {
            let settings = [("representation", representation)];
            let classes = [false, false, true];
            let weighting = Weighting::named(scheme.name(), &settings, &classes).expect("it");
            Recipe { weighting, ..recipe(&network, *scheme, 5) }
        };
        let recipes = [1.0, 0.0].map(of);
        let expected = recipes
            .clone()
            .map(|recipe| run(reference(recipe, data.clone()).as_mut(), &steps).expect("20 steps"));
        let name = scheme.name();
        assert_ne!(weights(&expected[0]), weights(&expected[1]), "{name}");
        let alone = block_on(GpuEngine::fused(gpu(), recipes[0].clone(), &data));
        let found = run(&mut alone.expect("an engine"), &steps).expect("20 steps");
        assert_same_weights(name, &found, &expected[0], 1e-4);
        let fleet = block_on(GpuEngine::fleet(gpu(), recipes.to_vec(), &data));
        let found = run(&mut fleet.expect("a fleet"), &steps).expect("20 steps");
        for (member, expected) in expected.iter().enumerate() {
            let own = found.iter().filter(|record| record.member == member).cloned();
            let case = format!("{name}, member {member}");
            assert_same_weights(&case, &own.collect::<Vec<_>>(), expected, 1e-4);
        }
    }
}

/// One task, and as many as schemes from gradients take.
#[test]
fn schemes_take_from_one_to_sixteen_tasks() {
    for tasks in [1, 16] {
        let random = &mut ChaCha8Rng::seed_from_u64(tasks as u64);
        let features: Vec<f32> = (0..8 * 30).map(|_| random.random::<f32>()).collect();
        let column = |k: usize| {
            let row = |row: &[f32]| (1.0 + k as f32) * row[k % 8] - row[(k * k + 1) % 8];
            let values = features.chunks(8).map(row).collect();
            Target::numbers(Matrix::new(1, values).expect("a column"))
        };
        let targets = (0..tasks).map(column).collect();
        let names = (0..tasks).map(|k| Task::new(format!("t{k}"), Loss::Mse, 1));
        let names: Vec<Task> = names.collect();
        let network = Network::new(8, &[20], Activation::Tanh, &names).expect("a network");
        let features = Matrix::new(8, features.clone()).expect("features");
        let data = Dataset::new(features, targets).expect("data");
        // Of many tasks the solvers are what differs.
        let is_tried = |it: &&&dyn Scheme| {
            tasks == 1 || it.kind() == Kind::Gradients || SOME.contains(&it.name())
        };
        for scheme in SCHEMES.iter().filter(is_tried).copied() {
            let weighting =
                Weighting::named(scheme.name(), &[], &vec![false; tasks]).expect("a weighting");
            let mut recipe = Recipe::new(network.clone(), weighting, Adam::new(2e-3));
            recipe.batch = 10;
            let steps = schedule(10, data.rows(), 8);
            let expected = run(reference(recipe.clone(), data.clone()).as_mut(), &steps);
            let expected = expected.expect("8 steps");
            let all_finite = weights(&expected).iter().all(|weight| weight.is_finite());
            assert!(all_finite, "{}", scheme.name());
            for (name, make) in engines(scheme) {
                let found = run(make(recipe.clone(), data.clone()).as_mut(), &steps);
                let case = format!("{} in {name}, {tasks} tasks", scheme.name());
                assert_same_weights(&case, &found.expect("8 steps"), &expected, 1e-4);
            }
        }
    }
}

#[test]
fn what_schemes_from_gradients_cannot_take_is_told() {
    let told = |hidden: &[usize], tasks: usize| {
        let names = (0..tasks).map(|k| Task::new(format!("t{k}"), Loss::Mse, 1));
        let network = Network::new(1, hidden, Activation::Relu, &names.collect::<Vec<_>>());
        let weighting = Weighting::named("mgda", &[], &vec![false; tasks]).expect("a weighting");
        let recipe = Recipe::new(network.expect("a network"), weighting, Adam::new(0.1));
        let column = || Matrix::new(1, vec![1.0]).expect("a column");
        let targets = (0..tasks).map(|_| Target::numbers(column())).collect();
        let data = Dataset::new(column(), targets).expect("data");
        let told = recipe.check(&data).map_err(|error| error.to_string());
        let unfused = block_on(GpuEngine::unfused(gpu(), recipe, &data)).map(|_| ());
        (told, unfused.map_err(|error| error.to_string()))
    };
    let (fits, unfused) = told(&[2], 16);
    assert_eq!(fits, Ok(()));
    assert!(unfused.unwrap_err().contains("use the fused engine"));
    let (many, _) = told(&[2], 17);
    assert!(many.unwrap_err().contains("17 tasks with the weighting mgda"));
    let (linear, _) = told(&[], 2);
    assert!(linear.unwrap_err().contains("give it a hidden layer"));
}

/// All of them in one fleet, as each alone.
#[test]
fn schemes_may_share_a_fleet() {
    let (network, data) = problem(3, 60, 0.0);
    let recipes: Vec<Recipe> = SCHEMES.iter().map(|scheme| recipe(&network, *scheme, 5)).collect();
    let steps = schedule(20, data.rows(), 12);
    let mut fleet = block_on(GpuEngine::fleet(gpu(), recipes.clone(), &data)).expect("a fleet");
    let found = run(&mut fleet, &steps).expect("steps");
    for (member, recipe) in recipes.into_iter().enumerate() {
        let case = recipe.weighting.name();
        let mut truth = reference(recipe, data.clone());
        let expected = run(truth.as_mut(), &steps).expect("steps");
        let own: Vec<Record> =
            found.iter().filter(|record| record.member == member).cloned().collect();
        assert_same_weights(case, &own, &expected, 1e-4);
    }
}

/// A run that is saved in the middle of an epoch and goes on from the file.
#[test]
fn every_scheme_goes_on_bit_for_bit() {
    let (network, data) = problem(4, 90, 0.0);
    for scheme in SCHEMES.iter().copied() {
        let recipe = recipe(&network, scheme, 9);
        for (name, make) in engines(scheme).chain([("reference", &reference as _)]) {
            let case = format!("{} in {name}", scheme.name());
            let mut whole = make(recipe.clone(), data.clone());
            let steps = schedule(recipe.batch, data.rows(), 17);
            let records = run(whole.as_mut(), &steps).expect("17 steps");
            let mut first = make(recipe.clone(), data.clone());
            run(first.as_mut(), &steps[..8]).expect("8 steps");
            let state = state_of(first.as_mut());
            let saved = Checkpoint::new(state, None, serde_json::Value::Null);
            let bytes = saved.to_bytes(from_ref(&recipe)).expect("bytes");
            let back = Checkpoint::from_bytes("file", &bytes, from_ref(&recipe)).expect("it");
            assert_eq!(back, saved, "{case}");
            let engine = make(recipe.clone(), data.clone());
            let mut rest = Trainer::resume(engine, &back.members[0].state).expect("it fits");
            assert_eq!(block_on(rest.steps(9)).expect("9 steps"), records[8..], "{case}");
            assert_eq!(state_of(rest.engine()), state_of(whole.as_mut()), "{case}");
        }
    }
}

/// Those that know their weights before the step cost no dispatch; others one forward pass more, famo two.
#[test]
fn weights_known_before_the_step_cost_no_dispatch() {
    let (network, data) = problem(5, 400, 0.0);
    let layers = network.layers().len();
    for scheme in SCHEMES.iter().copied() {
        let mut recipe = recipe(&network, scheme, 1);
        recipe.batch = 400;
        let engine = block_on(GpuEngine::fused(gpu(), recipe, &data)).expect("an engine");
        // The layers, the losses, the weights.
        let look = layers + 2;
        let looks = match scheme.kind() {
            Kind::Losses => 1 + usize::from(scheme.follows()),
            _ => 0,
        };
        let most = match scheme.kind() {
            // A forward and a backward pass by layers; for every shared one two dispatches; the weights, and their scale.
            Kind::Gradients => 3 * layers + 1 + 2 * (layers - 1) + 2,
            _ => fused_dispatches(layers) + looks * look,
        };
        let found = engine.dispatches_per_step();
        assert!(found <= most, "{}: {found} dispatches, at most {most}", scheme.name());
    }
}

/// Twenty losses near the end of `f32` and one of next to nothing, at which the geometric mean's weight is beyond it.
#[test]
fn weights_beyond_f32_stop_training_before_the_step() {
    const TASKS: usize = 21;
    let tasks: Vec<Task> = (0..TASKS).map(|k| Task::new(format!("t{k}"), Loss::Mse, 1)).collect();
    let network = Network::new(1, &[], Activation::Relu, &tasks).expect("a network");
    let biases = network.initial_parameters(0)[TASKS..].to_vec();
    // A feature of 0: the predictions are the biases.
    let label = |k: usize| if k == 7 { biases[k] } else { 3e18 };
    let target = |k| Target::numbers(Matrix::new(1, vec![label(k)]).expect("a column"));
    let features = Matrix::new(1, vec![0.0]).expect("a feature");
    let data = Dataset::new(features, (0..TASKS).map(target).collect()).expect("data");
    let geometric = Weighting::named("geometric", &[], &[false; TASKS]).expect("a weighting");
    for (name, make) in ON_GPU {
        let recipe = Recipe::new(network.clone(), geometric.clone(), Adam::new(0.01));
        let mut engine = make(recipe, data.clone());
        let before = state_of(engine.as_mut());
        let error = run(engine.as_mut(), &schedule(1, 1, 3)).expect_err(name);
        let told = error.to_string();
        assert!(matches!(error, Error::NoWeights { step: 1, .. }), "{name}: {told}");
        assert!(told.contains("\"t7\"") && told.contains("geometric"), "{name}: {told}");
        assert_eq!(state_of(engine.as_mut()), before, "{name}");
    }
}
