//! Weights that are held at 1 while others are learned: of tasks whose loss has a noise of its own.

use crate::support::{ON_GPU, assert_each_close, reference, run, schedule, state_of};
use awl::data::{Dataset, Matrix, Target};
use awl::engine::Recipe;
use awl::{Activation, Adam, AutomaticWeightedLoss, Loss, Network, SigmaForm, Task, Weighting};

/// A task with a noise of its own between two without.
fn problem() -> (Network, Dataset) {
    let features: Vec<f32> = (0..60).map(|at| ((at * at) % 23) as f32 / 23.0 - 0.5).collect();
    let column = |scale: f32| {
        let values = features.iter().map(|x| scale * x * x).collect();
        Target::numbers(Matrix::new(1, values).expect("a column"))
    };
    let targets = vec![column(1.0), column(2.0), column(-3.0)];
    let tasks = [
        Task::new("first", Loss::Mse, 1),
        Task::new("noisy", Loss::GaussianNll { beta: 0.0 }, 1),
        Task::new("last", Loss::Mae, 1),
    ];
    let network = Network::new(1, &[6], Activation::Tanh, &tasks).expect("a network");
    let features = Matrix::new(1, features).expect("features");
    (network, Dataset::new(features, targets).expect("data"))
}

fn learned() -> [Weighting; 4] {
    let named = |name| Weighting::named(name, &[], &[false; 3]).expect("a weighting");
    let log = AutomaticWeightedLoss::new(3).with_form(SigmaForm::log());
    [named("awl"), log.into(), named("uncertainty"), named("imtl-l")]
}

fn recipe(network: &Network, weighting: Weighting) -> Recipe {
    // A decay of σ itself, which must not reach what is held.
    let mut adam = Adam::new(1e-2).sigma_learning_rate(0.05);
    adam.sigma.weight_decay = 0.1;
    let mut recipe = Recipe::new(network.clone(), weighting, adam);
    recipe.batch = 16;
    recipe
}

#[test]
fn a_loss_with_a_noise_of_its_own_keeps_its_weight() {
    let (network, data) = problem();
    for weighting in learned() {
        let name = weighting.name();
        let recipe = recipe(&network, weighting);
        let steps = schedule(recipe.batch, data.rows(), 40);
        let expected = run(reference(recipe.clone(), data.clone()).as_mut(), &steps);
        let expected = expected.expect("40 steps");
        let makes = ON_GPU.into_iter().chain([("reference", &reference as _)]);
        for (engine, make) in makes {
            let case = format!("{name} in {engine}");
            let mut engine = make(recipe.clone(), data.clone());
            let found = run(engine.as_mut(), &steps).expect("40 steps");
            for (found, expected) in found.iter().zip(&expected) {
                let of = |record: &awl::engine::Record| {
                    record.tasks.iter().map(|task| task.weight).collect::<Vec<_>>()
                };
                assert_each_close(&case, &of(found), &of(expected), 1e-4);
                assert_each_close(&case, &[found.tasks[1].weight], &[1.0], 1e-6);
                assert_eq!(found.tasks[1].sigma, None, "{case}");
            }
            let moved = |task: usize| found[39].tasks[task].weight != found[0].tasks[task].weight;
            assert_eq!([0, 1, 2].map(moved), [true, false, true], "{case}");
            assert_eq!(state_of(engine.as_mut()).sigma_moments[1], [0.0; 2], "{case}");
        }
    }
}

#[test]
fn weightings_that_need_losses_of_0_or_more_are_refused_before_training() {
    let (network, data) = problem();
    for scheme in awl::weighting::SCHEMES {
        let weighting = Weighting::named(scheme.name(), &[], &[false; 3]).expect("a weighting");
        let told = recipe(&network, weighting).check(&data).map_err(|error| error.to_string());
        match scheme.needs_positive_losses() {
            true => {
                let told = told.expect_err(scheme.name());
                assert!(told.contains("task \"noisy\"") && told.contains(scheme.name()), "{told}");
            }
            false => assert_eq!(told, Ok(()), "{}", scheme.name()),
        }
    }
    // Without Recipe::new.
    let mut free = recipe(&network, AutomaticWeightedLoss::new(3).into());
    free.weighting = AutomaticWeightedLoss::new(3).into();
    let told = free.check(&data).expect_err("a σ without bound").to_string();
    assert!(told.contains("Weighting::holding"), "{told}");
}
