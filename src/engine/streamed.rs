//! Whether training whose rows are streamed has the bits of training whose rows are all on the device.

use super::device::Planner;
use super::{Engine, GpuEngine, Recipe, Record, State, Step, programs};
use crate::data::{Dataset, Matrix, Target};
use crate::weighting::{AutomaticWeightedLoss, Weighting};
use crate::{Activation, Adam, Gpu, Loss, Network, Task};
use pollster::block_on;

/// The last batch of 32 is short, and masks end within a word.
const ROWS: usize = 301;
const FEATURES: usize = 3;

/// One row in `period` of each.
fn every(period: usize) -> Vec<bool> {
    (0..ROWS).map(|row| row % period == 0).collect()
}

fn tasks() -> Vec<Task> {
    let class_weights = Some(vec![1.0, 2.5, 0.25]);
    vec![
        Task::new("two", Loss::Mse, 2),
        Task::new("kind", Loss::CrossEntropy { label_smoothing: 0.1, class_weights }, 3),
        Task::new("size", Loss::Huber { delta: 0.5 }, 1),
    ]
}

/// Labels that are missing, rows that count differently, in two tasks alike.
fn data() -> Dataset {
    let wave = |columns: usize, pitch: f32| {
        let values = (0..ROWS * columns).map(|i| (i as f32 * pitch).sin()).collect();
        Matrix::new(columns, values).expect("a matrix")
    };
    let weights: Vec<f32> = (0..ROWS).map(|row| (row % 5) as f32).collect();
    let kinds = (0..ROWS).map(|row| (row * row % 3) as u32).collect();
    let present = |period| every(period).into_iter().map(|it| !it).collect();
    let targets = vec![
        Target::numbers(wave(2, 0.7)).weighted(weights.clone()).expect("weights"),
        Target::classes(kinds).labelled(present(3)).expect("a mask"),
        Target::numbers(wave(1, 0.3))
            .labelled(present(7))
            .and_then(|target| target.weighted(weights))
            .expect("a mask and weights"),
    ];
    Dataset::new(wave(FEATURES, 0.9), targets).expect("data")
}

fn recipe(seed: u64) -> Recipe {
    let network = Network::new(FEATURES, &[6], Activation::Tanh, &tasks()).expect("a network");
    let network = network.with_dropout(0.2).expect("dropout");
    let mut recipe = Recipe::new(network, AutomaticWeightedLoss::new(3), Adam::new(0.01));
    (recipe.batch, recipe.seed) = (32, seed);
    recipe
}

type Found = (Vec<Record>, Vec<Vec<Option<f64>>>, Vec<State>);

/// What an engine makes of two epochs and a half in submissions of seven steps, and of the same rows held out.
fn trained(gpu: &Gpu, recipes: &[Recipe], plan: Planner, window: Option<u64>) -> Found {
    let data = data();
    let made = GpuEngine::new(gpu, recipes.to_vec(), &data, "fused", [plan; 2], window);
    let mut engine = block_on(made).expect("an engine");
    assert_eq!(engine.is_streamed(), window.is_some());
    let steps: Vec<Step> =
        (1..=25).map(|number| Step::numbered(number, ROWS, recipes[0].batch)).collect();
    let mut records = Vec::new();
    for steps in steps.chunks(7) {
        engine.submit(steps).expect("a submission");
    }
    for _ in steps.chunks(7) {
        records.extend(block_on(engine.collect()).expect("records"));
    }
    block_on(engine.hold_out(&data)).expect("rows held out");
    let losses = block_on(engine.validate_members()).expect("losses");
    let members: Vec<usize> = (0..recipes.len()).collect();
    let states = block_on(engine.states_of(&members)).expect("states");
    (records, losses, states)
}

/// Windows of one batch, of three, and of all.
const WINDOWS: [u64; 3] = [1, 2_000, 1 << 20];

fn hold(gpu: &Gpu, recipes: &[Recipe], plan: Planner, windows: &[u64]) {
    let all = trained(gpu, recipes, plan, None);
    for &window in windows {
        let streamed = trained(gpu, recipes, plan, Some(window));
        let first = all.0.iter().zip(&streamed.0).find(|(whole, streamed)| whole != streamed);
        assert!(first.is_none(), "a window of {window} bytes: {first:?}");
        assert!(
            streamed == all,
            "a window of {window} bytes: other losses of rows held out, or states"
        );
    }
}

#[test]
fn every_program_makes_the_same_bits_of_streamed_rows() {
    let gpu = block_on(Gpu::new()).expect("a device");
    let plain = block_on(Gpu::plain()).expect("a device");
    hold(&gpu, &[recipe(1)], programs::fused_alone, &WINDOWS);
    for plan in [programs::block, programs::resident, programs::unfused] {
        hold(&plain, &[recipe(1)], plan, &WINDOWS[1..2]);
    }
}

#[test]
fn so_does_a_fleet_whose_members_take_different_rows_and_one_whose_members_do_not() {
    let gpu = block_on(Gpu::new()).expect("a device");
    let (mut alike, mut drawn) = (vec![recipe(1); 3], [recipe(4), recipe(5)]);
    alike[1].optimizer = Adam::new(0.02);
    drawn.iter_mut().for_each(|recipe| recipe.bootstrap = true);
    let mut in_order = [recipe(6), recipe(7)];
    in_order.iter_mut().for_each(|recipe| recipe.shuffle = false);
    for fleet in [&alike[..], &[recipe(1), recipe(2), recipe(3)], &drawn, &in_order] {
        hold(&gpu, fleet, programs::fused_alone, &[1, 6_000]);
    }
}

/// Taking back a half-made step makes the steps before it once more, of rows that have left the device. The square of one weight's
/// gradient does not fit into `f32`; the loss does, and so does the bias's.
#[test]
fn a_gradient_that_is_not_finite_leaves_the_same_state() {
    const POISONED: usize = 5;
    let gpu = block_on(Gpu::new()).expect("a device");
    let column = |at: f32| {
        let values = (0..40).map(|row| if row == POISONED { at } else { row as f32 * 0.1 });
        Matrix::new(1, values.collect()).expect("a column")
    };
    let data = Dataset::new(column(1e3), vec![Target::numbers(column(1.5e19))]).expect("data");
    let task = [Task::new("number", Loss::Mse, 1)];
    let network = Network::new(1, &[], Activation::Relu, &task).expect("a network");
    let mut recipe = Recipe::new(network, Weighting::equal(1), Adam::new(0.01));
    (recipe.batch, recipe.seed) = (1, 3);
    let failed = |window| {
        let plans: [Planner; 2] = [programs::fused_alone; 2];
        let made = GpuEngine::new(&gpu, vec![recipe.clone()], &data, "fused", plans, window);
        let mut engine = block_on(made).expect("an engine");
        let steps: Vec<Step> = (1..=40).map(|number| Step::numbered(number, 40, 1)).collect();
        engine.submit(&steps).expect("a submission");
        let records = block_on(engine.collect()).expect("the steps before");
        let failure = engine.failure(0).map(|error| error.to_string());
        (records, failure, block_on(engine.state()).expect("a state"))
    };
    let whole = failed(None);
    assert!(whole.1.as_ref().is_some_and(|it| it.contains("gradient")), "{:?}", whole.1);
    assert!(whole.0.len() > 1, "{} records", whole.0.len());
    assert_eq!(failed(Some(1)), whole);
}
