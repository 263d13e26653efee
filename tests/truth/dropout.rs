//! Dropout: the same masks on every engine, forward and backward, in training steps only.

use crate::support::{
    Make, ON_GPU, assert_close, assert_each_close, assert_tensors_close, linear, numbers,
    reference, regression, run, schedule, state_of,
};
use awl::data::{Dataset, Matrix, Target};
use awl::engine::{Recipe, Record, State};
use awl::network::Dropout;
use awl::{Activation, Adam, AutomaticWeightedLoss, Loss, Network, Schedule, Task, Weighting};
use pollster::block_on;

const ROWS: usize = 150;

/// Two tasks over shuffled batches of 64, the last of an epoch short, through these hidden layers.
fn problem(hidden: &[usize], dropout: f64) -> (Recipe, Dataset) {
    let value = |i: usize| ((i * 7919 % 1009) as f32 / 504.5) - 1.0;
    let x = Matrix::new(5, (0..5 * ROWS).map(value).collect()).expect("a matrix");
    let y = Matrix::new(1, (0..ROWS).map(|i| 3.0 * value(i * 3)).collect()).expect("a column");
    let classes = Target::classes((0..ROWS).map(|i| (i % 4) as u32).collect());
    let data = Dataset::new(x, vec![Target::numbers(y), classes]).expect("a dataset");
    let tasks = [Task::new("number", Loss::Mse, 1), Task::new("class", Loss::cross_entropy(), 4)];
    let network = Network::new(5, hidden, Activation::Silu, &tasks).expect("a network");
    let network = network.with_dropout(dropout).expect("a probability");
    let mut recipe = Recipe::new(network, AutomaticWeightedLoss::new(2), Adam::new(0.003));
    recipe.batch = 64;
    (recipe, data)
}

/// Some steps from the start, or from a state.
fn trained(make: Make, recipe: &Recipe, data: &Dataset, steps: usize) -> (Vec<Record>, State) {
    let mut engine = make(recipe.clone(), data.clone());
    let records = run(engine.as_mut(), &schedule(recipe.batch, ROWS, steps)).expect("steps");
    (records, state_of(engine.as_mut()))
}

fn totals(records: &[Record]) -> Vec<f64> {
    records.iter().map(|record| record.total).collect()
}

/// The shapes of every program that knows dropout; 300 is too wide for one workgroup.
const TRUNKS: [&[usize]; 4] = [&[20], &[33, 17], &[60, 100, 40], &[300, 7]];

#[test]
fn the_gpu_engines_train_as_the_reference_does() {
    for hidden in TRUNKS {
        let (recipe, data) = problem(hidden, 0.3);
        let (expected, last) = trained(&reference, &recipe, &data, 8);
        let (without, _) = trained(&reference, &problem(hidden, 0.0).0, &data, 8);
        let differs = |(a, b): (&f64, &f64)| (a - b).abs() > 1e-3;
        assert!(totals(&expected).iter().zip(&totals(&without)).any(differs), "nothing dropped");
        for (name, make) in ON_GPU {
            let (records, state) = trained(make, &recipe, &data, 8);
            let case = format!("{name}, trunk {hidden:?}");
            assert_each_close(&case, &totals(&records), &totals(&expected), 1e-5);
            let network = &recipe.network;
            let first = |state: &State| state.moments.iter().map(|[m, _]| *m).collect::<Vec<_>>();
            assert_tensors_close(&case, network, &first(&state), &first(&last), 1e-3);
            assert_tensors_close(&case, network, &state.parameters, &last.parameters, 1e-3);
            assert_close(&case, &state.sigma, &last.sigma, 1e-5);
        }
    }
}

/// Rows of a batch whose masks one gradient tells.
const BITS: usize = 12;

/// Which units each step drops, as the gradient tells it: the rows of a batch as the bits of a number a unit.
///
/// Every hidden unit is 1 before dropout, every prediction 0 and target t of row r is 2^r, so that the gradient of a
/// unit's weight is −2/rows·Σ_r 2^r·factor, whose bits are the rows that keep the unit.
fn kept_by(make: Make, width: usize, steps: usize) -> Vec<Vec<u32>> {
    let mut adam = Adam::new(0.0);
    adam.network.betas.0 = 0.0;
    let mut recipe = linear(&[regression("y")], Weighting::equal(1), adam, BITS);
    let network = Network::new(1, &[width], Activation::Relu, &[regression("y")]);
    recipe.network = network.and_then(|it| it.with_dropout(0.5)).expect("a network");
    recipe.seed = 11;
    let targets: Vec<f32> = (0..BITS).map(|row| (1_u32 << row) as f32).collect();
    let features = Matrix::new(1, vec![1.0; BITS]).expect("a column");
    let data = Dataset::new(features, vec![numbers(&targets)]).expect("a dataset");
    let layers = recipe.network.layers();
    let mut engine = make(recipe, data);
    let mut state = state_of(engine.as_mut());
    state.parameters.fill(0.0);
    state.parameters[layers[0].bias..][..width].fill(1.0);
    engine.load(&state).expect("the state fits");
    let step = |step| {
        run(engine.as_mut(), &[step]).expect("a step");
        let weights = &state_of(engine.as_mut()).moments[layers[1].weight..][..width];
        let kept = weights.iter().map(|[gradient, _]| -gradient * BITS as f64 / 4.0);
        kept.map(|bits| {
            assert!((bits - bits.round()).abs() < 1e-3, "{bits} is no sum of powers of 2");
            bits.round() as u32
        })
        .collect()
    };
    schedule(BITS, BITS, steps).into_iter().map(step).collect()
}

#[test]
fn every_engine_drops_the_same_units_of_the_same_rows() {
    for width in [1, 45, 270] {
        let expected: Vec<Vec<u32>> = (1..=5)
            .map(|step| {
                let dropout = Dropout::new(0.5, 11, step);
                // A layer's bias lies behind its weight, which one feature makes as long.
                let keeps =
                    |row: u32, unit: usize| dropout.factor(row, (width + unit) as u32) > 0.0;
                let bits =
                    |unit| (0..BITS as u32).map(|row| u32::from(keeps(row, unit)) << row).sum();
                (0..width).map(bits).collect()
            })
            .collect();
        assert_eq!(kept_by(&reference, width, 5), expected, "reference, {width} units");
        for (name, make) in ON_GPU {
            assert_eq!(kept_by(make, width, 5), expected, "{name}, {width} units");
        }
    }
}

#[test]
fn a_resumed_run_drops_the_same_units() {
    for hidden in [&[33, 17][..], &[300, 7]] {
        let (mut recipe, data) = problem(hidden, 0.2);
        recipe.schedule = Schedule::cosine(20).warm_up(3);
        recipe.clip = Some(1.0);
        for (name, make) in ON_GPU.into_iter().chain([("reference", &reference as Make)]) {
            let whole = trained(make, &recipe, &data, 11);
            let (mut records, state) = trained(make, &recipe, &data, 4);
            let mut engine = make(recipe.clone(), data.clone());
            engine.load(&state).expect("the state fits");
            let rest = &schedule(recipe.batch, ROWS, 11)[4..];
            records.extend(run(engine.as_mut(), rest).expect("the other steps"));
            assert_eq!((records, state_of(engine.as_mut())), whole, "{name}, trunk {hidden:?}");
            recipe.seed = 1;
            let other = trained(make, &recipe, &data, 11);
            assert_ne!(other, whole, "{name}, trunk {hidden:?}: another seed");
            recipe.seed = 0;
        }
    }
}

#[test]
fn predictions_are_made_with_every_unit() {
    for hidden in [&[33, 17][..], &[300, 7]] {
        let (recipe, data) = problem(hidden, 0.5);
        let (without, _) = problem(hidden, 0.0);
        for (name, make) in ON_GPU.into_iter().chain([("reference", &reference as Make)]) {
            let [found, expected] = [&recipe, &without].map(|recipe| {
                let mut engine = make(recipe.clone(), data.clone());
                block_on(engine.predict(data.features())).expect("predictions")
            });
            assert_eq!(found, expected, "{name}, trunk {hidden:?}");
        }
    }
}

#[test]
fn a_probability_of_0_is_no_dropout() {
    let (recipe, data) = problem(&[33, 17], 0.0);
    let tasks = recipe.network.tasks();
    let plain = Network::new(5, &[33, 17], Activation::Silu, tasks).expect("a network");
    let plain = Recipe { network: plain, ..recipe.clone() };
    for (name, make) in ON_GPU.into_iter().chain([("reference", &reference as Make)]) {
        assert_eq!(trained(make, &recipe, &data, 4), trained(make, &plain, &data, 4), "{name}");
    }
}

#[test]
fn a_network_without_a_trunk_drops_nothing() {
    let (recipe, data) = problem(&[], 0.5);
    let (without, _) = problem(&[], 0.0);
    let (expected, _) = trained(&reference, &without, &data, 4);
    for (name, make) in ON_GPU.into_iter().chain([("reference", &reference as Make)]) {
        let (found, _) = trained(make, &recipe, &data, 4);
        assert_each_close(name, &totals(&found), &totals(&expected), 1e-5);
    }
}
