//! Trainings by PyTorch in all that a recipe can say: every loss and activation, labels missing, dropout, orders, AdamW,
//! schedules, clipping; see `tests/golden/trajectories.py`.

use crate::golden::{
    Golden, ROUNDING, Tolerances, classes, config, f32s, f64s, follows_the_golden_trajectory,
    has_the_golden_norms_and_learning_rates, parameters, read,
};
use crate::support::{ON_GPU, reference};
use awl::data::{Dataset, Matrix, Target};
use awl::engine::{Recipe, State};
use awl::optimizer::Group;
use awl::{Activation, Adam, AutomaticWeightedLoss, Network, Schedule, Task, Weighting};
use safetensors::SafeTensors;
use serde::de::DeserializeOwned;
use serde_json::Value;

const FILES: [&str; 6] =
    ["binary", "robust", "everything", "shuffled_classes", "shuffled_masks", "dropped"];

fn load(name: &str) -> Golden {
    let bytes = read(name);
    let tensors = SafeTensors::deserialize(&bytes).expect("safetensors");
    let config = config(&bytes);
    let recipe = recipe(&config);
    let network = |prefix: &str| parameters(&tensors, &recipe.network, prefix);
    let all = |name: &str| f64s(&tensors, name);
    let sigma = recipe.weighting.is_learned().then(|| all("sigma_before_step"));
    let features = Matrix::new(recipe.network.features(), f32s(&tensors, "x")).expect("features");
    let targets = recipe.network.tasks().iter().map(|task| target(&tensors, task)).collect();
    let mut initial = State::initial(&recipe);
    initial.parameters = network("init");
    Golden {
        name: name.into(),
        data: Dataset::new(features, targets).expect("a dataset"),
        initial,
        steps: field(&config["steps"]),
        gradients: (network("grad0"), all("grad0.sigma")),
        norms: Some(all("norms")),
        rates: Some(all("learning_rates")),
        losses: all("losses"),
        totals: all("total"),
        sigma: sigma.unwrap_or_default(),
        last: (network("final"), all("final.sigma")),
        recipe,
    }
}

/// A value of the configuration; losses, tasks and activations are written as the library writes them.
fn field<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"))
}

fn target(tensors: &SafeTensors<'_>, task: &Task) -> Target {
    let name = format!("y.{}", task.name);
    let target = match task.loss.predicts_class() {
        true => Target::classes(classes(tensors, &name)),
        false => Target::numbers(Matrix::new(task.width, f32s(tensors, &name)).expect("a matrix")),
    };
    let mask = tensors.tensor(&format!("mask.{}", task.name)).expect("a mask");
    let mask: Vec<bool> = mask.data().iter().map(|&bit| bit == 1).collect();
    // No mask at all is another path through every kernel than one without a gap.
    if mask.iter().all(|&there| there) { target } else { target.labelled(mask).expect("a mask") }
}

fn recipe(config: &Value) -> Recipe {
    let tasks: Vec<Task> = field(&config["tasks"]);
    let hidden: Vec<usize> = field(&config["hidden"]);
    let activation: Activation = field(&config["activation"]);
    let network = Network::new(field(&config["features"]), &hidden, activation, &tasks)
        .and_then(|network| network.with_dropout(field(&config["dropout"])))
        .expect("a network");
    let weighting: Weighting = match &config["weighting"]["fixed"] {
        Value::Null => {
            AutomaticWeightedLoss::starting_at(field(&config["weighting"]["sigma"])).into()
        }
        weights => Weighting::fixed(field(weights)),
    };
    let adam = Adam { network: group(&config["network"]), sigma: group(&config["sigma_group"]) };
    let mut recipe = Recipe::new(network, weighting, adam);
    recipe.batch = field(&config["batch"]);
    recipe.shuffle = field(&config["shuffle"]);
    recipe.seed = field(&config["seed"]);
    recipe.clip = field(&config["clip"]);
    recipe.schedule = schedule(&config["schedule"]);
    recipe
}

fn group(config: &Value) -> Group {
    Group {
        learning_rate: field(&config["lr"]),
        betas: field(&config["betas"]),
        epsilon: field(&config["eps"]),
        weight_decay: field(&config["weight_decay"]),
        decoupled: field(&config["decoupled"]),
    }
}

fn schedule(config: &Value) -> Schedule {
    if config["warm_up"].is_null() {
        return Schedule::constant();
    }
    let decay = match &config["cosine"] {
        Value::Null => Schedule::step(field(&config["every"]), field(&config["factor"])),
        steps => Schedule::cosine(field(steps)),
    };
    decay.warm_up(field(&config["warm_up"]))
}

#[test]
fn the_files_hold_what_they_are_for() {
    let files = FILES.map(load);
    let clipped = |golden: &Golden| {
        let clip = golden.recipe.clip.unwrap_or(f64::INFINITY);
        golden.norms.iter().flatten().filter(|norm| **norm > clip).count()
    };
    let [binary, robust, everything, .., masks, dropped] = &files;
    assert!(binary.rates.as_ref().expect("rates")[39].abs() < 1e-15, "no end of a cosine");
    assert!((10..30).contains(&clipped(robust)), "{}", clipped(robust));
    assert!((10..40).contains(&clipped(dropped)), "{}", clipped(dropped));
    for golden in [everything, masks] {
        assert!(golden.losses.iter().any(|loss| loss.is_nan()), "a label in every batch");
    }
}

#[test]
fn the_reference_follows_every_trajectory() {
    let tolerances =
        Tolerances { gradients: ROUNDING, losses: ROUNDING, sigma: ROUNDING, parameters: ROUNDING };
    for golden in FILES.map(load) {
        follows_the_golden_trajectory(&golden, &reference, &tolerances);
        has_the_golden_norms_and_learning_rates(&golden);
    }
}

#[test]
fn the_gpu_engines_follow_every_trajectory() {
    let tolerances = Tolerances { gradients: 1e-5, losses: 1e-5, sigma: 1e-5, parameters: 1e-4 };
    for (_, make) in ON_GPU {
        for golden in FILES.map(load) {
            follows_the_golden_trajectory(&golden, make, &tolerances);
        }
    }
}
