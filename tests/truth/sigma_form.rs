//! σ learned as `ln σ²`: the same objective, held against Adam by hand; and what it is for, tasks that can be learned
//! exactly, where σ itself runs into 0.

use crate::support::{
    Make, ON_GPU, assert_close, assert_each_close, assert_tensors_close, constant_feature, fused,
    linear, numbers, reference, regression,
};
use crate::support::{run, schedule, state_of};
use awl::data::{Dataset, Matrix, Target};
use awl::engine::{Recipe, Record, TaskRecord};
use awl::{Activation, Adam, AutomaticWeightedLoss, Loss, Network, SigmaForm, Task};
use std::f64::consts::LN_2;

/// Batches of one row, of this loss each: σ sinks to its floor, ⅛, and is called up again, two epochs long.
const LOSSES: [f32; 40] = {
    let mut losses = [0.0; 40];
    let mut row = 28;
    while row < 40 {
        losses[row] = 9.0;
        row += 1;
    }
    losses
};
const FLOOR: f32 = 0.125;
const RATE: f64 = 0.5;

/// `(σ, weight, total)` before each update of `s = ln σ²` by Adam at these losses, from σ = 2: Kingma & Ba's algorithm 1
/// on `∂total/∂s = σ²/(1+σ²) − ½L/σ²`, ending at the floor what would go below.
fn by_hand(losses: &[f64]) -> Vec<[f64; 3]> {
    let least = f64::from((-6.0 * LN_2) as f32);
    let mut s = f64::from((2.0 * LN_2) as f32);
    let (mut first, mut second) = (0.0, 0.0);
    let mut path = Vec::new();
    for (t, loss) in (1..).zip(losses) {
        let square = s.exp();
        path.push([square.sqrt(), 0.5 / square, 0.5 * loss / square + (1.0 + square).ln()]);
        let slope = square / (1.0 + square) - 0.5 * loss / square;
        first = 0.9 * first + 0.1 * slope;
        second = 0.999 * second + 0.001 * slope * slope;
        let corrected = [first / (1.0 - 0.9_f64.powi(t)), second / (1.0 - 0.999_f64.powi(t))];
        s -= RATE * corrected[0] / (corrected[1].sqrt() + 1e-8);
        s = s.max(least);
    }
    path
}

/// A network of zeros that does not learn leaves each loss at its target squared.
pub fn the_log_form_is_adam_on_the_logarithm(make: Make, tolerance: f64) {
    let adam = Adam::new(0.0).sigma_learning_rate(RATE);
    let awl = AutomaticWeightedLoss::starting_at(vec![2.0]);
    let awl = awl.with_form(SigmaForm::Log { floor: FLOOR });
    let data = constant_feature(0.0, vec![numbers(&LOSSES.map(f32::sqrt))]);
    let mut engine = make(linear(&[regression("y")], awl, adam, 1), data);
    let engine = engine.as_mut();
    let mut state = state_of(engine);
    state.parameters.fill(0.0);
    engine.load(&state).expect("the state fits");

    let records = run(engine, &schedule(1, 40, 80)).expect("80 steps");
    let expected = by_hand(&LOSSES.repeat(2).into_iter().map(f64::from).collect::<Vec<_>>());
    let floor = |&[sigma, ..]: &[f64; 3]| (sigma - f64::from(FLOOR)).abs() < 1e-8;
    let at_floor = expected.iter().filter(|it| floor(it)).count();
    assert!((4..76).contains(&at_floor) && !floor(&expected[79]), "{at_floor} steps at the floor");
    for (record, expected) in records.iter().zip(expected) {
        let task = record.tasks[0];
        let found = [task.sigma.expect("a σ"), task.weight, record.total];
        let case = format!("{}, step {}: σ, weight, total", engine.name(), record.step);
        assert_each_close(&case, &found, &expected, tolerance);
    }
}

#[test]
fn the_reference_learns_the_logarithm_with_adam() {
    the_log_form_is_adam_on_the_logarithm(&reference, 1e-11);
}

#[test]
fn the_gpu_engines_learn_the_logarithm_with_adam() {
    for (_, make) in ON_GPU {
        the_log_form_is_adam_on_the_logarithm(make, 2e-5);
    }
}

/// Published and derived values of the form: `½e⁻ˢ·L + ln(1+eˢ)`, also where `eˢ` overflows.
#[test]
fn the_log_form_has_the_objective_of_the_plain_one() {
    let log = SigmaForm::log();
    for sigma in [0.01, 0.3, 1.0, 1.5, 40.0_f32] {
        let s = f64::from(log.parameter(sigma));
        let own = [log.sigma(s), log.weight(s), log.regulariser(s)];
        let sigma = f64::from(sigma);
        let plain = SigmaForm::Plain;
        let same = [sigma, plain.weight(sigma), plain.regulariser(sigma)];
        assert_each_close(&format!("σ = {sigma}"), &own, &same, 1e-6);
        // The chain rule: σ = e^(s/2), so that ∂/∂s = ½σ·∂/∂σ.
        for loss in [0.0, 0.2, 7.0] {
            let chained = 0.5 * sigma * plain.gradient(loss, sigma);
            let scale = 0.5 * loss / sigma.powi(2) + 1.0;
            let error = (log.gradient(loss, s) - chained).abs();
            assert!(error <= 1e-6 * scale, "σ = {sigma}, loss {loss}: off by {error:e}");
        }
    }
    assert_each_close("far up", &[log.regulariser(2_000.0)], &[2_000.0], 1e-15);
    assert_each_close("far down", &[log.regulariser(-700.0)], &[(-700.0_f64).exp()], 1e-12);
    assert_each_close("far up", &[log.gradient(1.0, 2_000.0)], &[1.0], 1e-15);
    let least = log.least_parameter().expect("a floor");
    assert_each_close("the floor", &[least.into()], &[1e-4_f64.ln()], 1e-7);
    assert_eq!(log.parameter(0.0), least, "a σ below the floor begins there");
    assert_eq!(log.parameter(-3.0), log.parameter(3.0), "only σ² counts");
    assert_eq!(SigmaForm::Plain.least_parameter(), None);
}

/// Numbers, classes and yes or no, the last with labels missing, of `rows` rows.
fn three_tasks(rows: usize) -> (Vec<Task>, Dataset) {
    let tasks = vec![
        Task::new("near", Loss::Mse, 2),
        Task::new("kind", Loss::cross_entropy(), 3),
        Task::new("flag", Loss::Bce, 1),
    ];
    let wave = |step: f64, scale: f64, count: usize| -> Vec<f32> {
        (0..count).map(|i| (scale * (step * i as f64).sin()) as f32).collect()
    };
    let flags = wave(1.3, 1.0, rows).iter().map(|&x| f32::from(x > 0.2)).collect();
    let flags = Target::numbers(Matrix::new(1, flags).expect("a column"));
    let targets = vec![
        Target::numbers(Matrix::new(2, wave(0.37, 0.2, 2 * rows)).expect("two columns")),
        Target::classes((0..rows).map(|row| (row * row % 3) as u32).collect()),
        flags.labelled((0..rows).map(|row| row % 5 != 2).collect()).expect("a mask"),
    ];
    let features = Matrix::new(5, wave(0.71, 1.0, 5 * rows)).expect("five columns");
    (tasks, Dataset::new(features, targets).expect("a dataset"))
}

fn by_task(records: &[Record], of: impl Fn(&TaskRecord) -> f64) -> Vec<f64> {
    records.iter().flat_map(|record| record.tasks.iter().map(&of)).collect()
}

/// Every program of the fused engine has a shape of its own here: a run of steps, shares, vectors, blocks and tiles.
#[test]
fn the_gpu_engines_follow_the_reference_in_the_log_form() {
    for (hidden, batch) in
        [(&[][..], 7), (&[8], 16), (&[48, 48], 1_536), (&[128, 128], 64), (&[300], 40)]
    {
        let (tasks, data) = three_tasks(batch + batch / 2);
        let network = Network::new(5, hidden, Activation::Tanh, &tasks).expect("a network");
        let awl = AutomaticWeightedLoss::starting_at(vec![0.7, 1.0, 1.5]);
        // So high that the first task's σ sinks to it.
        let awl = awl.with_form(SigmaForm::Log { floor: 0.6 });
        let mut recipe = Recipe::new(network, awl, Adam::new(2e-3).sigma_learning_rate(0.1));
        recipe.batch = batch;
        let steps = schedule(batch, data.rows(), 24);
        let mut truth = reference(recipe.clone(), data.clone());
        let expected = run(truth.as_mut(), &steps).expect("24 steps");
        let last = expected[23].tasks.iter().map(|task| task.sigma.expect("a σ"));
        let last: Vec<f64> = last.collect();
        assert!((last[0] - 0.6).abs() < 1e-7 && last[1..].iter().all(|s| *s > 0.61), "{last:?}");
        for (name, make) in ON_GPU {
            let mut engine = make(recipe.clone(), data.clone());
            let found = run(engine.as_mut(), &steps).expect("24 steps");
            let case = |what: &str| format!("{name}, {hidden:?}, {what}");
            let totals = |records: &[Record]| records.iter().map(|r| r.total).collect::<Vec<_>>();
            let sigma = |records: &[Record]| by_task(records, |task| task.sigma.expect("a σ"));
            let losses = |records: &[Record]| by_task(records, |task| task.loss.expect("a loss"));
            assert_each_close(&case("σ"), &sigma(&found), &sigma(&expected), 2e-5);
            assert_each_close(&case("losses"), &losses(&found), &losses(&expected), 1e-4);
            assert_each_close(&case("totals"), &totals(&found), &totals(&expected), 1e-4);
            let [found, expected] = [state_of(engine.as_mut()), state_of(truth.as_mut())];
            assert_close(&case("ln σ²"), &found.sigma, &expected.sigma, 2e-5);
            let parameters = [&found.parameters, &expected.parameters];
            let network = &recipe.network;
            assert_tensors_close(&case("parameters"), network, parameters[0], parameters[1], 1e-3);
        }
    }
}

#[test]
fn a_state_below_the_floor_is_refused_and_any_above_it_is_not() {
    for (_, make) in ON_GPU.into_iter().chain([("reference", &reference as Make)]) {
        let awl = AutomaticWeightedLoss::new(1).with_form(SigmaForm::Log { floor: FLOOR });
        let recipe = linear(&[regression("y")], awl, Adam::new(0.1), 1);
        let mut engine = make(recipe, constant_feature(1.0, vec![numbers(&[1.0])]));
        let mut state = state_of(engine.as_mut());
        let least = f64::from((-6.0 * LN_2) as f32);
        // 1e-60 is 0 in f32, where σ is 1.
        for parameter in [least, 0.0, 1e-60, 5.0] {
            state.sigma[0] = parameter;
            engine.load(&state).expect("a state of this form");
        }
        state.sigma[0] = least - 1e-3;
        let error = engine.load(&state).expect_err("below the floor").to_string();
        assert!(error.contains("ln σ² below that of the floor"), "{error}");
    }
}

/// A line without noise beside one that a line cannot learn, σ at a rate of 0.1.
fn exactly_learnable(form: SigmaForm, seed: u64) -> (Recipe, Dataset) {
    let x: Vec<f32> = (0..64).map(|i| (i as f32 * 0.7).sin()).collect();
    let exact: Vec<f32> = x.iter().map(|x| 0.5 * x + 0.25).collect();
    let bent: Vec<f32> = x.iter().map(|x| x * x - x).collect();
    let tasks = ["exact", "bent"].map(regression);
    let network = Network::new(1, &[], Activation::Relu, &tasks).expect("a network");
    let awl = AutomaticWeightedLoss::new(2).with_form(form);
    let mut recipe = Recipe::new(network, awl, Adam::new(1e-3).sigma_learning_rate(0.1));
    recipe.batch = 16;
    recipe.seed = seed;
    let features = Matrix::new(1, x).expect("a column");
    (recipe, Dataset::new(features, vec![numbers(&exact), numbers(&bent)]).expect("a dataset"))
}

/// What became of the exactly learnable task.
#[derive(Debug)]
struct Fate {
    crossings: usize,
    heaviest: f64,
    /// The largest |σ| once it is learned, in the last nine tenths.
    farthest: f64,
    /// The largest loss of the last quarter.
    worst: f64,
}

fn fate(make: Make, form: SigmaForm, seed: u64, steps: usize) -> Fate {
    let (recipe, data) = exactly_learnable(form, seed);
    let records = run(make(recipe, data).as_mut(), &schedule(16, 64, steps)).expect("the steps");
    let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
    let sigma = |record: &Record| record.tasks[0].sigma.expect("a σ");
    let learned = records[steps / 10..].iter();
    let late = &records[steps * 3 / 4..];
    Fate {
        crossings: records.windows(2).filter(|two| sigma(&two[0]) * sigma(&two[1]) < 0.0).count(),
        heaviest: most(&mut records.iter().map(|record| record.tasks[0].weight)),
        farthest: most(&mut learned.map(|record| sigma(record).abs())),
        worst: most(&mut late.iter().map(|record| record.tasks[0].loss.expect("a loss"))),
    }
}

/// σ itself is thrown about for ever by a task that is learned long since; its logarithm is not.
#[test]
fn a_task_that_is_learned_exactly_throws_sigma_but_not_its_logarithm() {
    // One run is chaos, many are not.
    let plain: Vec<Fate> =
        (0..6).map(|seed| fate(&reference, SigmaForm::Plain, seed, 12_000)).collect();
    let crossings: usize = plain.iter().map(|it| it.crossings).sum();
    assert!(crossings >= 4, "{plain:?}");
    for it in &plain {
        assert!(it.heaviest > 1e5 && it.farthest > 1.0, "{it:?}");
    }
    let worst = plain.iter().map(|it| it.worst).fold(0.0, f64::max);
    for (make, seeds, steps) in [(&reference as Make, 0..6, 12_000), (&fused, 0..1, 4_000)] {
        for seed in seeds {
            let log = fate(make, SigmaForm::log(), seed, steps);
            assert!(log.crossings == 0 && log.heaviest <= 5_000.1 && log.farthest < 0.5, "{log:?}");
            assert!(log.worst <= worst, "{log:?}, plain {worst}");
        }
    }
}

/// A task that any network of a few units learns exactly beside one that is half noise, on four kinds of rows: what remains of that
/// is the variance within the kinds.
fn exact_beside_noise(form: SigmaForm) -> (Recipe, Dataset, f64) {
    let kinds = [-1.0f32, -0.3, 0.4, 1.0];
    let x: Vec<f32> = (0..64).map(|i| kinds[i % 4]).collect();
    let exact: Vec<f32> = x.iter().map(|x| x * x).collect();
    // Neighbours of a kind are a wave apart, whose mean over each kind's sixteen rows is as it comes.
    let noisy: Vec<f32> = (0..64).map(|i| x[i] + (2.4 * (i / 4) as f32 + i as f32).sin()).collect();
    let variance = |kind: usize| {
        let own: Vec<f64> = noisy.iter().skip(kind).step_by(4).map(|&y| y.into()).collect();
        let mean = own.iter().sum::<f64>() / 16.0;
        own.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / 64.0
    };
    let floor = (0..4).map(variance).sum();
    let tasks = ["exact", "noisy"].map(regression);
    let network = Network::new(1, &[8], Activation::Tanh, &tasks).expect("a network");
    let awl = AutomaticWeightedLoss::new(2).with_form(form);
    let mut recipe = Recipe::new(network, awl, Adam::new(3e-3).sigma_learning_rate(0.03));
    recipe.batch = 16;
    let features = Matrix::new(1, x).expect("a column");
    let data = Dataset::new(features, vec![numbers(&exact), numbers(&noisy)]);
    (recipe, data.expect("a dataset"), floor)
}

/// 20,000 steps, of which most see next to no loss of the one task: nothing explodes, and the other one comes to the noise that no
/// network can learn. So it is above a floor; of σ itself, which has none, all that is said is that its numbers stay finite.
#[test]
fn an_exactly_learned_task_leaves_the_other_its_noise_floor() {
    for form in [SigmaForm::log(), SigmaForm::Log { floor: 0.1 }, SigmaForm::Plain] {
        let (recipe, data, floor) = exact_beside_noise(form);
        let records = run(fused(recipe, data).as_mut(), &schedule(16, 64, 20_000));
        let records = records.expect("20,000 steps");
        let last = &records[16_000..];
        let mean = |task: usize| {
            let losses = last.iter().map(|record| record.tasks[task].loss.expect("a loss"));
            losses.sum::<f64>() / last.len() as f64
        };
        let most = |of: fn(&TaskRecord) -> f64| {
            records.iter().map(|record| of(&record.tasks[0])).fold(0.0, f64::max)
        };
        let (heaviest, worst) = (most(|it| it.weight), most(|it| it.loss.expect("a loss")));
        let case = format!(
            "{form:?}: losses {:.1e} and {:.4}, noise {floor:.4}, weight {heaviest:.1e}, worst {worst:.1e}",
            mean(0),
            mean(1)
        );
        assert!(records.iter().all(|record| record.total.is_finite()), "{case}");
        if let SigmaForm::Log { floor: sigma } = form {
            assert!(heaviest <= 0.5001 / f64::from(sigma).powi(2), "{case}");
            assert!(mean(0) < 1e-3 && worst < 10.0, "{case}");
            assert!((0.99..1.03).contains(&(mean(1) / floor)), "{case}");
        }
    }
}
