//! Whole training trajectories computed by PyTorch in `float64`; see `tests/golden/README.md`.

use crate::support::{
    Make, ON_GPU, assert_close, assert_each_close, assert_tensors_close, reference, run, schedule,
    state_of,
};
use awl::data::{Dataset, Matrix, Target};
use awl::engine::{Engine, Recipe, Record, Reference, State, Step};
use awl::optimizer::Group;
use awl::{Activation, Adam, AutomaticWeightedLoss, Loss, Network, Schedule, Task};
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

const FILES: [&str; 3] = ["two_heads", "two_heads_scaled_weight_decay", "two_heads_scheduled"];

/// How far an engine may be from PyTorch: every loss and every σ by itself, every tensor by its norm.
pub struct Tolerances {
    /// The first step's gradients.
    pub gradients: f64,
    /// Losses and totals, at every step.
    pub losses: f64,
    /// σ, before every step and after the last.
    pub sigma: f64,
    /// The parameters after the last step.
    pub parameters: f64,
}

/// A run and what PyTorch made of it; series are flat, `[steps, tasks]` or `[steps]`.
pub struct Golden {
    pub name: String,
    pub recipe: Recipe,
    pub data: Dataset,
    pub initial: State,
    pub steps: usize,
    /// The first step's gradients as the optimizer takes them: the network's, flat, and those of σ.
    pub gradients: (Vec<f64>, Vec<f64>),
    /// The network's gradients' norm before clipping, and the learning rate, at each step; of runs that clip.
    pub norms: Option<Vec<f64>>,
    pub rates: Option<Vec<f64>>,
    /// NaN for a task without a label in the batch.
    pub losses: Vec<f64>,
    pub totals: Vec<f64>,
    /// Before each step's update; empty where the weights are given.
    pub sigma: Vec<f64>,
    /// After the last step: the network's parameters, flat, and σ (or the given weights).
    pub last: (Vec<f64>, Vec<f64>),
}

impl Golden {
    pub fn load(name: &str) -> Self {
        let bytes = read(name);
        let tensors = SafeTensors::deserialize(&bytes).expect("safetensors");
        let config = config(&bytes);
        let size = |key: &str| config[key].as_u64().expect("a whole number") as usize;
        let recipe = recipe(&config, size("d"), size("h"), size("c"), size("batch"));
        let all = |name: &str| f64s(&tensors, name);
        let network = |prefix: &str| parameters(&tensors, &recipe.network, prefix);
        let mut initial = State::initial(&recipe);
        initial.parameters = network("init");
        let targets = vec![
            Target::numbers(Matrix::new(1, f32s(&tensors, "y0")).expect("a column")),
            Target::classes(classes(&tensors, "y1")),
        ];
        let features = Matrix::new(size("d"), f32s(&tensors, "x")).expect("features");
        Self {
            name: name.into(),
            data: Dataset::new(features, targets).expect("a dataset"),
            initial,
            steps: size("steps"),
            gradients: (network("grad0"), all("grad0.sigma")),
            norms: recipe.clip.map(|_| all("norms")),
            rates: recipe.clip.map(|_| all("learning_rates")),
            losses: all("losses"),
            totals: all("total"),
            sigma: all("sigma_before_step"),
            last: (network("final"), all("final.sigma")),
            recipe,
        }
    }
}

/// The bytes of a golden file.
pub fn read(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/golden/{name}.safetensors", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).expect("a golden file")
}

/// A network's tensors under this prefix, flat.
pub fn parameters(tensors: &SafeTensors<'_>, network: &Network, prefix: &str) -> Vec<f64> {
    let mut flat = vec![f64::NAN; network.parameter_count()];
    for tensor in network.tensors() {
        let values = f64s(tensors, &format!("{prefix}.{}", tensor.name));
        flat[tensor.range].copy_from_slice(&values);
    }
    flat
}

/// What a golden file's metadata say of its run.
pub fn config(bytes: &[u8]) -> Value {
    let (_, metadata) = SafeTensors::read_metadata(bytes).expect("a header");
    let metadata = metadata.metadata().as_ref().expect("metadata");
    serde_json::from_str(&metadata["config"]).expect("JSON")
}

fn recipe(config: &Value, features: usize, width: usize, classes: usize, batch: usize) -> Recipe {
    assert_eq!((&config["reg"], &config["cls"]), (&"mse".into(), &"ce".into()));
    let number = |key: &str| config[key].as_f64().expect("a number");
    let tasks = [Task::new("0", Loss::Mse, 1), Task::new("1", Loss::cross_entropy(), classes)];
    let network = Network::new(features, &[width, width], Activation::Relu, &tasks);
    let mut adam = Adam::new(number("lr")).weight_decay(number("wd"));
    if config["decoupled"] == Value::Bool(true) {
        adam = adam.decoupled();
    }
    let awl = AutomaticWeightedLoss::new(2);
    let mut recipe = Recipe::new(network.expect("a network"), awl, adam);
    recipe.batch = batch;
    recipe.shuffle = false;
    recipe.clip = config["clip"].as_f64();
    if let Some(steps) = config["cosine"].as_u64() {
        let warm_up = config["warm_up"].as_u64().expect("a whole number");
        recipe.schedule = Schedule::cosine(steps).warm_up(warm_up);
    }
    recipe
}

fn words(tensors: &SafeTensors<'_>, name: &str, kind: Dtype) -> Vec<[u8; 4]> {
    let tensor = tensors.tensor(name).expect(name);
    assert_eq!(tensor.dtype(), kind, "{name}");
    let words = tensor.data().chunks_exact(4);
    words.map(|word| word.try_into().expect("four bytes")).collect()
}

/// A tensor of `f32`.
pub fn f32s(tensors: &SafeTensors<'_>, name: &str) -> Vec<f32> {
    let words = words(tensors, name, Dtype::F32).into_iter();
    words.map(f32::from_le_bytes).collect()
}

/// A tensor of `f32` in `f64`.
pub fn f64s(tensors: &SafeTensors<'_>, name: &str) -> Vec<f64> {
    f32s(tensors, name).into_iter().map(f64::from).collect()
}

/// A tensor of class indices.
pub fn classes(tensors: &SafeTensors<'_>, name: &str) -> Vec<u32> {
    let words = words(tensors, name, Dtype::I32).into_iter();
    words.map(u32::from_le_bytes).collect()
}

/// Runs a golden file's steps on an engine made for it, and compares everything that PyTorch recorded.
pub fn follows_the_golden_trajectory(golden: &Golden, make: Make, tolerances: &Tolerances) {
    let mut engine = make(golden.recipe.clone(), golden.data.clone());
    let engine = engine.as_mut();
    let network = &golden.recipe.network;
    let case = |what: &str| format!("{} on {}, {what}", golden.name, engine.name());
    let [parameters, sigma] = ["final parameters", "final σ"].map(case);
    engine.load(&golden.initial).expect("the state fits");

    let steps = schedule(golden.recipe.batch, golden.data.rows(), golden.steps);
    let mut records = run(engine, &steps[..1]).expect("the first step");
    has_the_golden_gradients(golden, engine, tolerances.gradients);
    records.extend(run(engine, &steps[1..]).expect("the other steps"));
    are_the_golden_records(golden, engine.name(), &records, tolerances);

    let state = state_of(engine);
    assert_eq!(state.step, golden.steps as u64);
    let (expected, expected_sigma) = &golden.last;
    assert_tensors_close(&parameters, network, &state.parameters, expected, tolerances.parameters);
    assert_each_close(&sigma, &state.sigma, expected_sigma, tolerances.sigma);
}

/// The gradients of the step that an engine has made, its first, are read off Adam's first moments,
/// `m = (1 − β₁)(g + wd·θ)`, without the decay in AdamW.
fn has_the_golden_gradients(golden: &Golden, engine: &mut dyn Engine, tolerance: f64) {
    let state = state_of(engine);
    let gradients = |group: &Group, moments: &[[f64; 2]], initial: &[f64]| -> Vec<f64> {
        let decay = if group.decoupled { 0.0 } else { group.weight_decay };
        let moments = moments.iter().zip(initial);
        moments.map(|([m, _], p)| m / (1.0 - group.betas.0) - decay * p).collect()
    };
    let (adam, initial) = (&golden.recipe.optimizer, &golden.initial);
    let case = |what: &str| format!("{} on {}, {what}", golden.name, engine.name());
    let found = gradients(&adam.network, &state.moments, &initial.parameters);
    let network = &golden.recipe.network;
    assert_tensors_close(&case("gradients"), network, &found, &golden.gradients.0, tolerance);
    let mut found = gradients(&adam.sigma, &state.sigma_moments, &initial.sigma);
    for (found, [_, correction]) in found.iter_mut().zip(&state.sigma_corrections) {
        // A σ that was left alone has no moments, not even of its decay.
        *found = if *correction == 0.0 { 0.0 } else { *found };
    }
    assert_each_close(&case("gradients of σ"), &found, &golden.gradients.1, tolerance);
}

/// Losses, totals and σ of every step.
fn are_the_golden_records(golden: &Golden, name: &str, records: &[Record], within: &Tolerances) {
    let case = |what: &str| format!("{} on {name}, {what}", golden.name);
    let tasks = || records.iter().flat_map(|record| &record.tasks);
    let found: Vec<bool> = tasks().map(|task| task.loss.is_none()).collect();
    let absent: Vec<bool> = golden.losses.iter().map(|loss| loss.is_nan()).collect();
    assert_eq!(found, absent, "{}", case("tasks without a label"));
    let expected: Vec<f64> = golden.losses.iter().copied().filter(|loss| !loss.is_nan()).collect();
    let found: Vec<f64> = tasks().filter_map(|task| task.loss).collect();
    assert_each_close(&case("losses"), &found, &expected, within.losses);
    let found: Vec<f64> = records.iter().map(|record| record.total).collect();
    assert_each_close(&case("totals"), &found, &golden.totals, within.losses);
    let found: Vec<f64> = tasks().filter_map(|task| task.sigma).collect();
    assert_each_close(&case("σ"), &found, &golden.sigma, within.sigma);
}

/// The files' own rounding to `f32` is 6e-8.
pub const ROUNDING: f64 = 1e-7;

#[test]
fn the_reference_follows_every_golden_trajectory() {
    let tolerances =
        Tolerances { gradients: ROUNDING, losses: ROUNDING, sigma: ROUNDING, parameters: ROUNDING };
    for file in FILES {
        follows_the_golden_trajectory(&Golden::load(file), &reference, &tolerances);
    }
}

#[test]
fn the_reference_gives_the_golden_gradients_without_a_step() {
    for file in FILES {
        let golden = Golden::load(file);
        let mut engine = Reference::new(golden.recipe.clone(), golden.data.clone()).expect(file);
        engine.load(&golden.initial).expect("the state fits");
        let step = schedule(golden.recipe.batch, golden.data.rows(), 1)[0];
        let gradients = engine.gradients(&step).expect("a step");
        let network = &golden.recipe.network;
        let (found, expected) = (&gradients.parameters, &golden.gradients.0);
        assert_tensors_close(file, network, found, expected, ROUNDING);
        assert_each_close(file, &gradients.sigma, &golden.gradients.1, ROUNDING);
        assert_eq!(state_of(&mut engine), golden.initial, "{file}: the state is untouched");
    }
}

/// The norms before clipping and the learning rates of every step.
pub fn has_the_golden_norms_and_learning_rates(golden: &Golden) {
    let (name, recipe) = (&golden.name, &golden.recipe);
    let mut engine = Reference::new(recipe.clone(), golden.data.clone()).expect("it fits");
    engine.load(&golden.initial).expect("the state fits");
    let steps = schedule(recipe.batch, golden.data.rows(), golden.steps);
    let found = steps.iter().map(|step| {
        let gradients = engine.gradients(step).expect("a step").parameters;
        run(&mut engine, &[*step]).expect("a step");
        gradients.iter().map(|g| g * g).sum::<f64>().sqrt()
    });
    let norms = golden.norms.as_ref().expect("norms");
    assert_each_close(&format!("{name}, norms"), &found.collect::<Vec<_>>(), norms, ROUNDING);
    let rate =
        |step: &Step| recipe.optimizer.network.learning_rate * recipe.schedule.factor(step.number);
    let found: Vec<f64> = steps.iter().map(rate).collect();
    let rates = golden.rates.as_ref().expect("rates");
    // The last of a cosine's is 0, which PyTorch misses by some 1e-18.
    assert_close(&format!("{name}, rates"), &found, rates, ROUNDING);
}

#[test]
fn the_reference_has_the_golden_norms_and_learning_rates() {
    let golden = Golden::load("two_heads_scheduled");
    let norms = golden.norms.as_ref().expect("it clips");
    let clip = golden.recipe.clip.expect("it clips");
    // Some steps are clipped and some are not, the first among these, whose gradients other tests read.
    assert!(norms[0] < clip);
    assert!(norms.iter().filter(|norm| **norm > clip).count() > 20, "{norms:?}");
    has_the_golden_norms_and_learning_rates(&golden);
}

#[test]
fn the_gpu_engines_follow_every_golden_trajectory() {
    let tolerances = Tolerances { gradients: 1e-4, losses: 2e-4, sigma: 1e-4, parameters: 1e-3 };
    for (_, make) in ON_GPU {
        for file in FILES {
            follows_the_golden_trajectory(&Golden::load(file), make, &tolerances);
        }
    }
}
