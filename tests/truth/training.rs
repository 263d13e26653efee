//! The training loop: steps are numbered through, nothing is lost between submissions, and a run can be resumed.

use crate::support::{Make, ON_GPU, fused_dispatches, gpu, reference};
use awl::data::{Dataset, Matrix, Target};
use awl::engine::{Engine, GpuEngine, MOST_STEPS, Recipe};
use awl::{Activation, Adam, AutomaticWeightedLoss, Loss, Network, Task, Trainer};
use pollster::block_on;

/// A small problem that can be learned: a wave, and the sign of another.
fn engine(make: Make) -> Box<dyn Engine> {
    let rows = 90;
    let x: Vec<f32> = (0..rows).map(|i| i as f32 / 30.0 - 1.5).collect();
    let wave = x.iter().map(|x| (2.0 * x).sin()).collect();
    let sign = x.iter().map(|x| u32::from((3.0 * x).cos() > 0.0)).collect();
    let labelled = (0..rows).map(|i| i % 5 != 0).collect();
    let wave = Target::numbers(Matrix::new(1, wave).expect("a column"));
    let targets = vec![wave.labelled(labelled).expect("a mask"), Target::classes(sign)];
    let data = Dataset::new(Matrix::new(1, x).expect("a column"), targets).expect("a dataset");
    let tasks = [Task::new("wave", Loss::Mse, 1), Task::new("sign", Loss::cross_entropy(), 2)];
    let network = Network::new(1, &[20, 20], Activation::Tanh, &tasks).expect("a network");
    let mut recipe = Recipe::new(network, AutomaticWeightedLoss::new(2), Adam::new(0.01));
    recipe.batch = 40;
    make(recipe, data)
}

#[test]
fn every_engine_learns_and_numbers_its_steps_through() {
    for make in [&reference as Make, ON_GPU[0].1, ON_GPU[1].1, ON_GPU[2].1] {
        let mut trainer = Trainer::new(engine(make));
        assert_eq!(trainer.steps_per_epoch(), 3);
        let mut records = block_on(trainer.epochs(200)).expect("200 epochs");
        records.extend(block_on(trainer.steps(2 * MOST_STEPS + 7)).expect("more steps"));
        let name = trainer.engine().name();
        let numbers: Vec<u64> = records.iter().map(|record| record.step).collect();
        let expected: Vec<u64> = (1..=600 + 2 * MOST_STEPS as u64 + 7).collect();
        assert_eq!(numbers, expected, "{name}");
        for (k, most) in [(0, 0.02), (1, 0.1)] {
            let losses = records.iter().rev().filter_map(|record| record.tasks[k].loss);
            let last: Vec<f64> = losses.take(30).collect();
            let mean = last.iter().sum::<f64>() / last.len() as f64;
            assert!(mean < most, "{name}, task {k}: a mean loss of {mean} at the end");
        }
    }
}

#[test]
fn a_resumed_run_gives_the_same_bits() {
    for make in [&reference as Make, ON_GPU[0].1, ON_GPU[1].1, ON_GPU[2].1] {
        let mut whole = Trainer::new(engine(make));
        let records = block_on(whole.steps(400)).expect("400 steps");
        let mut first = Trainer::new(engine(make));
        // 137 steps end in the middle of an epoch.
        let mut parts = block_on(first.steps(137)).expect("137 steps");
        let state = block_on(first.engine().state()).expect("a state");
        assert_eq!(state.step, 137);
        let mut second = Trainer::resume(engine(make), &state).expect("the state fits");
        parts.extend(block_on(second.steps(263)).expect("the other steps"));
        let name = first.engine().name();
        assert_eq!(records, parts, "{name}");
        let [whole, parts] = [&mut whole, &mut second]
            .map(|trainer| block_on(trainer.engine().state()).expect("a state"));
        assert_eq!(whole, parts, "{name}");
    }
}

#[test]
fn predictions_are_those_of_the_reference_in_any_number_of_rows() {
    let state = {
        let mut trainer = Trainer::new(engine(&reference));
        block_on(trainer.epochs(20)).expect("20 epochs");
        block_on(trainer.engine().state()).expect("a state")
    };
    for rows in [1, 31, 4096, 4097, 10_000] {
        let features = (0..rows).map(|i| i as f32 / rows as f32 * 3.0 - 1.5).collect();
        let features = Matrix::new(1, features).expect("a column");
        let predict = |make: Make| {
            let mut engine = engine(make);
            engine.load(&state).expect("the state fits");
            block_on(engine.predict(&features)).expect("predictions")
        };
        let expected = predict(&reference);
        for (name, make) in ON_GPU {
            let found = predict(make);
            assert_eq!((found.rows(), found.columns()), (rows, 3));
            let pairs = found.values().iter().zip(expected.values());
            let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-5, "{name}, {rows} rows: off by {worst:e}");
        }
    }
}

#[test]
fn a_fused_step_takes_two_dispatches_at_most_where_an_unfused_one_takes_32() {
    // The picture in the README says so.
    let golden = crate::golden::Golden::load("two_heads");
    let [fused, unfused] = [
        block_on(GpuEngine::fused(gpu(), golden.recipe.clone(), &golden.data)),
        block_on(GpuEngine::unfused(gpu(), golden.recipe, &golden.data)),
    ]
    .map(|engine| engine.expect("an engine").dispatches_per_step());
    assert!(fused <= fused_dispatches(3), "{fused} dispatches");
    assert_eq!(unfused, 32);
}

#[test]
fn gpu_time_is_told_where_the_adapter_has_timestamps() {
    let timestamps = gpu().device().features().contains(wgpu::Features::TIMESTAMP_QUERY);
    let mut trainer = Trainer::new(engine(ON_GPU[0].1));
    block_on(trainer.steps(10)).expect("10 steps");
    let time = trainer.engine().gpu_time();
    assert_eq!(time.is_some_and(|time| !time.is_zero()), timestamps, "{time:?}");
}
