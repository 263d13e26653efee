//! The same seed on the same adapter gives the same bits.

use crate::support::{Make, ON_GPU, reference, run, schedule, state_of};
use awl::data::{Dataset, Matrix, Target};
use awl::engine::{Engine, Recipe, Record, State};
use awl::{Activation, Adam, AutomaticWeightedLoss, Loss, Network, Task};

/// Two tasks over shuffled batches of 64 rows, the last of each epoch short.
fn made(make: Make, hidden: &[usize], seed: u64, shuffle: bool) -> Box<dyn Engine> {
    let rows = ROWS;
    let value = |i: usize| ((i * 7919 % 1009) as f32 / 504.5) - 1.0;
    let x = Matrix::new(5, (0..5 * rows).map(value).collect()).expect("a matrix");
    let y = Matrix::new(1, (0..rows).map(|i| value(i * 3)).collect()).expect("a column");
    let classes = Target::classes((0..rows).map(|i| (i % 4) as u32).collect());
    let data = Dataset::new(x, vec![Target::numbers(y), classes]).expect("a dataset");
    let tasks = [Task::new("number", Loss::Mse, 1), Task::new("class", Loss::cross_entropy(), 4)];
    let network = Network::new(5, hidden, Activation::Relu, &tasks).expect("a network");
    let mut recipe = Recipe::new(network, AutomaticWeightedLoss::new(2), Adam::new(0.01));
    recipe.batch = 64;
    recipe.seed = seed;
    recipe.shuffle = shuffle;
    make(recipe, data)
}

const ROWS: usize = 300;

/// 40 steps.
fn trained(make: Make, seed: u64, shuffle: bool) -> (Vec<Record>, State) {
    let mut engine = made(make, &[33, 17], seed, shuffle);
    let records = run(engine.as_mut(), &schedule(64, ROWS, 40)).expect("40 steps");
    let state = state_of(engine.as_mut());
    (records, state)
}

/// How long submissions are is up to how fast the GPU is.
#[test]
fn steps_are_the_same_bits_in_submissions_of_any_length() {
    // A network for whole runs of steps in one dispatch, on software adapters, and one for two dispatches a step.
    for hidden in [&[8][..], &[70, 60]] {
        for (name, make) in ON_GPU {
            let mut engine = made(make, hidden, 7, true);
            let start = state_of(engine.as_mut());
            let steps = schedule(64, ROWS, 40);
            let whole = run(engine.as_mut(), &steps).expect("40 steps");
            let last = state_of(engine.as_mut());
            for lengths in [&[1][..], &[1, 2, 3, 5], &[7, 13]] {
                engine.load(&start).expect("the state fits");
                let mut records = Vec::new();
                let (mut rest, mut next) = (&steps[..], lengths.iter().cycle());
                while !rest.is_empty() {
                    let length = next.next().map_or(1, |&length| length.min(rest.len()));
                    records.extend(run(engine.as_mut(), &rest[..length]).expect("some steps"));
                    rest = &rest[length..];
                }
                assert_eq!(records, whole, "{name}, {hidden:?}, in {lengths:?}");
                assert_eq!(state_of(engine.as_mut()), last, "{name}, {hidden:?}, in {lengths:?}");
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    for (name, make) in ON_GPU {
        let first = trained(make, 7, true);
        assert_eq!(first, trained(make, 7, true), "{name}");
        assert_ne!(first.1, trained(make, 8, true).1, "{name}: another seed");
    }
}

#[test]
fn every_engine_shuffles_alike() {
    let (truth, _) = trained(&reference, 7, true);
    let (in_order, _) = trained(&reference, 7, false);
    for (name, make) in ON_GPU {
        let (records, _) = trained(make, 7, true);
        for (found, expected) in records.iter().zip(&truth) {
            let error = (found.total - expected.total).abs() / expected.total;
            assert!(error < 1e-3, "{name}, step {}: {error:.1e}", found.step);
        }
        let differs = |(a, b): (&Record, &Record)| (a.total - b.total).abs() > 1e-3;
        assert!(records.iter().zip(&in_order).any(differs), "{name}: the order does not matter");
    }
}
