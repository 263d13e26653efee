//! Tests: every program at numbers from the edges of `f32`, against the `f64` reference. A step's loss is right, or says that it is
//! not finite; no finite number is wrong, and no step of finite numbers is refused.
//!
//! What is promised of numbers below 1.2e-38, the smallest normal one: an absolute error of that size, in whatever unit a loss
//! divides by, since WGSL lets a device take them for 0, as llvmpipe does.

use super::{FUSED, choose, unfused};
use crate::data::{Dataset, Matrix, Target};
use crate::engine::device::Planner;
use crate::engine::{Engine, GpuEngine, Recipe, Reference, State, Step};
use crate::error::Error;
use crate::gpu::Gpu;
use crate::{Activation, Adam, Loss, Network, Task, Weighting};
use pollster::block_on;

/// A row with a label of one task alone, whose predictions are these, since the network hands its features through.
struct Case {
    task: usize,
    predictions: Vec<f32>,
    label: f32,
    weight: f32,
}

const MAX: f32 = f32::MAX;
/// A denormal number.
const TINY: f32 = 1e-40;
const NUMBERS: [(f32, f32); 20] = [
    (0.0, 0.0),
    (TINY, 0.0),
    (0.0, -TINY),
    (1e-30, -1e-30),
    (1.0, 1.0),
    (1.000_000_1, 1.0),
    (1.75, 1.0),
    (0.25, 1.0),
    (1e4, -1e4),
    (-1e18, 1e18),
    (1e19, 0.0),
    (1e19, -1e19),
    (1e30, 1e30),
    (1e30, -1e30),
    (3e38, 0.0),
    (0.0, 3e38),
    (-3e38, 3e38),
    (3e38, 3e38),
    (MAX, 0.0),
    (-MAX, -MAX),
];
/// Logarithms of rates, and counts.
const RATES: [(f32, f32); 15] = [
    (0.0, 0.0),
    (0.0, TINY),
    (3.0, 1e-37),
    (80.0, 1e-30),
    (87.0, 0.01),
    (88.0, 0.0),
    (89.0, 0.0),
    (69.0, 1e30),
    (-1e4, 5.0),
    (-1e4, 0.0),
    (-1e30, 1.0),
    (30.0, 1e13),
    (1.098_612_3, 3.0),
    (100.0, 1e30),
    (1e30, 1.0),
];
const LOGITS: [f32; 13] =
    [0.0, TINY, 1.0, 20.0, -20.0, 100.0, -100.0, 1e4, -1e4, 1e30, -1e30, 3e38, -MAX];
const FLAGS: [f32; 4] = [0.0, 1.0, 0.3, 0.999_999_94];
const SCORES: [[f32; 3]; 16] = [
    [0.0; 3],
    [TINY, 0.0, -TINY],
    [1e4; 3],
    [1e30; 3],
    [-1e30; 3],
    [MAX; 3],
    [-MAX; 3],
    [100.0, 0.0, -100.0],
    [-100.0, 0.0, 100.0],
    [1e4, -1e4, 0.0],
    [-1e4, 1e4, 0.0],
    [1e30, 0.0, -1e30],
    [-1e30, 0.0, 1e30],
    [3e38, -3e38, 0.0],
    [-3e38, 3e38, 0.0],
    [0.0, 1e-7, 0.0],
];
/// Numbers, logarithms of their scales, and labels.
const SCALED: [(f32, f32, f32); 14] = [
    (0.0, 0.0, 0.0),
    (1.0, 0.0, 0.0),
    (1.0, TINY, TINY),
    (1.0, 30.0, 0.0),
    (1.0, -30.0, 0.0),
    (1.0, 31.0, 0.0),
    (1.0, -1e30, 0.0),
    (1.0, 1e30, 0.0),
    (0.0, -3e38, 0.0),
    (1e10, 0.0, 0.0),
    (1e10, 30.0, -1e10),
    (1e18, 0.0, 0.0),
    (1e30, 30.0, 0.0),
    (3e38, 0.0, -3e38),
];

fn weighted(label_smoothing: f32) -> Loss {
    Loss::CrossEntropy { label_smoothing, class_weights: Some(vec![1e-30, 1.0, 1e30]) }
}

/// Losses without a noise of their own, which every program takes.
fn plain() -> (Vec<Task>, Vec<Case>) {
    let tasks = vec![
        Task::new("mse", Loss::Mse, 1),
        Task::new("mae", Loss::Mae, 1),
        Task::new("huber", Loss::Huber { delta: 0.75 }, 1),
        Task::new("quantile", Loss::Quantile { quantile: 0.9 }, 1),
        Task::new("poisson", Loss::Poisson, 1),
        Task::new("bce", Loss::Bce, 1),
        Task::new("weighted", weighted(0.0), 3),
        Task::new("smoothed", weighted(0.1), 3),
    ];
    let mut cases = Vec::new();
    let mut case = |task, predictions: &[f32], label, weight| {
        cases.push(Case { task, predictions: predictions.to_vec(), label, weight });
    };
    for task in 0..4 {
        NUMBERS.iter().for_each(|&(prediction, label)| case(task, &[prediction], label, 1.0));
    }
    for weight in [0.0, 1e-30, 1e30] {
        for task in [0, 1] {
            case(task, &[1.5], 1.0, weight);
        }
    }
    case(0, &[0.5], MAX, 0.0);
    RATES.iter().for_each(|&(rate, count)| case(4, &[rate], count, 1.0));
    for logit in LOGITS {
        FLAGS.iter().for_each(|&flag| case(5, &[logit], flag, 1.0));
    }
    for task in [6, 7] {
        for scores in &SCORES {
            [0.0, 2.0].iter().for_each(|&class| case(task, scores, class, 1.0));
        }
    }
    (tasks, cases)
}

/// Losses with one.
fn noisy() -> (Vec<Task>, Vec<Case>) {
    let tasks = vec![
        Task::new("gaussian", Loss::GaussianNll { beta: 0.0 }, 1),
        Task::new("half", Loss::GaussianNll { beta: 0.5 }, 1),
        Task::new("laplace", Loss::LaplaceNll, 1),
        Task::new("kind", Loss::cross_entropy(), 3),
    ];
    let mut cases = Vec::new();
    for task in 0..3 {
        for (prediction, scale, label) in SCALED {
            cases.push(Case { task, predictions: vec![prediction, scale], label, weight: 1.0 });
        }
    }
    for scores in SCORES {
        cases.push(Case { task: 3, predictions: scores.to_vec(), label: 1.0, weight: 1.0 });
    }
    (tasks, cases)
}

/// A case a batch, of a network that hands features through as predictions and learns nothing; first moments are gradients.
fn problem(tasks: &[Task], cases: &[Case]) -> (Recipe, Dataset, Vec<f64>) {
    let outputs: usize = tasks.iter().map(Task::outputs).sum();
    let network = Network::new(outputs, &[], Activation::Relu, tasks).expect("a network");
    let offsets = network.offsets();
    let mut features = vec![0.0; cases.len() * outputs];
    for (row, case) in cases.iter().enumerate() {
        let at = row * outputs + offsets[case.task];
        features[at..][..case.predictions.len()].copy_from_slice(&case.predictions);
    }
    let targets = tasks.iter().enumerate().map(|(k, task)| {
        let own = |case: &Case| if case.task == k { case.label } else { 0.0 };
        let target = match task.loss.predicts_class() {
            true => Target::classes(cases.iter().map(|case| own(case) as u32).collect()),
            false => {
                let numbers = cases.iter().map(own).collect();
                Target::numbers(Matrix::new(1, numbers).expect("numbers"))
            }
        };
        let mask = cases.iter().map(|case| case.task == k).collect();
        let weights: Vec<f32> = cases.iter().map(|case| case.weight).collect();
        target.labelled(mask).expect("a mask").weighted(weights).expect("weights")
    });
    let targets = targets.collect();
    let mut adam = Adam::new(0.0);
    adam.network.betas.0 = 0.0;
    let mut parameters = vec![0.0; network.parameter_count()];
    (0..outputs).for_each(|unit| parameters[unit * outputs + unit] = 1.0);
    let mut recipe = Recipe::new(network, Weighting::equal(tasks.len()), adam);
    (recipe.batch, recipe.shuffle) = (1, false);
    let features = Matrix::new(outputs, features).expect("features");
    (recipe, Dataset::new(features, targets).expect("a dataset"), parameters)
}

/// What rounding leaves of a loss is judged by: the size of the terms that it is a difference of, and of the exponents of its
/// exponentials, which WGSL lets be wrong by 2 units of the last digit times as much.
fn scale(loss: &Loss, case: &Case, value: f64) -> f64 {
    let [p, t] = [case.predictions[0], case.label].map(f64::from);
    match loss {
        Loss::Poisson => {
            let ln = if t > 0.0 { t.ln() } else { 0.0 };
            (p.exp() + t * (1.0 + p.abs() + ln.abs())) * (1.0 + p.abs() / 20.0)
        }
        Loss::GaussianNll { .. } | Loss::LaplaceNll => {
            let s = f64::from(case.predictions[1]).clamp(-30.0, 30.0);
            3.0 * (value.abs() + s.abs())
        }
        _ => value.abs(),
    }
}

/// Adam keeps squares of gradients, of which it takes a thousandth.
const LEAST_INFINITE: f64 = 1.84e19;

/// What a case comes to in `f64`.
struct Truth {
    loss: Option<f64>,
    /// Of every parameter.
    gradient: Vec<f64>,
    steepest: f64,
}

impl Truth {
    fn all(reference: &Reference, cases: &[Case]) -> Vec<Self> {
        let of = |(row, case): (usize, &Case)| {
            let step = Step::numbered(row as u64 + 1, cases.len(), 1);
            let truth = reference.gradients(&step).expect("a step");
            let steepest = truth.parameters.iter().fold(0.0_f64, |most, it| most.max(it.abs()));
            let loss = truth.record.tasks[case.task].loss;
            Self { loss, gradient: truth.parameters, steepest }
        };
        cases.iter().enumerate().map(of).collect()
    }

    /// Whether `f32` cannot hold the loss, before or after it is divided.
    fn is_loss_infinite(&self, loss: &Loss, case: &Case) -> bool {
        let sum = self.loss.unwrap_or(0.0) * own_weight(loss, case).max(1.0);
        sum.abs() > 0.999_99 * f64::from(MAX)
    }
}

/// One of the programs at these cases.
struct Held<'a> {
    name: &'static str,
    tasks: &'a [Task],
    cases: &'a [Case],
    truths: &'a [Truth],
    engine: GpuEngine,
    state: State,
    wrong: Vec<String>,
}

impl Held<'_> {
    /// Makes the steps of these rows, of which the last alone may stop training, and looks at that one's gradient.
    fn take(&mut self, rows: &[usize]) {
        let step = |&row: &usize| Step::numbered(row as u64 + 1, self.cases.len(), 1);
        let steps: Vec<Step> = rows.iter().map(step).collect();
        self.engine.submit(&steps).expect("a submission");
        let records = block_on(self.engine.collect()).unwrap_or_default();
        for (record, &row) in records.iter().zip(rows) {
            let loss = record.tasks[self.cases[row].task].loss;
            self.judge_loss(row, loss);
        }
        let Some(error) = self.engine.failure(0) else {
            return self.judge_gradient(rows[rows.len() - 1]);
        };
        let row = rows[records.len().min(rows.len() - 1)];
        let (case, truth) = (&self.cases[row], &self.truths[row]);
        let right = match error {
            Error::NonFiniteLoss { .. } => truth.is_loss_infinite(self.loss(row), case),
            Error::NonFiniteGradient { .. } => truth.steepest > 0.999 * LEAST_INFINITE,
            _ => false,
        };
        if !right {
            self.tell(row, format!("{error}; steepest {:e}", truth.steepest));
        }
        self.state.step = row as u64 + 1;
        self.engine.load(&self.state).expect("the state fits");
    }

    fn loss(&self, row: usize) -> &Loss {
        &self.tasks[self.cases[row].task].loss
    }

    fn judge_loss(&mut self, row: usize, found: Option<f64>) {
        let expected = self.truths[row].loss;
        let close = match (found, expected) {
            (Some(found), Some(expected)) => {
                near(found, expected, scale(self.loss(row), &self.cases[row], expected))
            }
            (found, expected) => found == expected,
        };
        if !close {
            self.tell(row, format!("loss {found:?}, not {expected:?}"));
        }
    }

    fn judge_gradient(&mut self, row: usize) {
        let truth = &self.truths[row];
        let moments = block_on(self.engine.state()).expect("a state").moments;
        let scale = match truth.steepest {
            0.0 => 0.0,
            steepest => steepest.max(slope_scale(self.loss(row), &self.cases[row])),
        };
        let pairs = moments.iter().map(|[first, _]| *first).zip(truth.gradient.iter().copied());
        if let Some((found, expected)) = pairs.clone().find(|it| !near(it.0, it.1, scale)) {
            self.tell(row, format!("a slope of {found:e}, not {expected:e}"));
        }
        // The squares' thousandths are beyond `f32`.
        if truth.steepest > 40.0 * LEAST_INFINITE {
            self.tell(row, format!("no failure, though a slope is {:e}", truth.steepest));
        }
    }

    fn tell(&mut self, row: usize, what: String) {
        let Case { task, predictions, label, weight } = &self.cases[row];
        let loss = &self.tasks[*task].loss;
        let case = format!("{loss:?} of {predictions:?} for {label:e}, weight {weight:e}");
        self.wrong.push(format!("{}, {case}: {what}", self.name));
    }
}

fn near(found: f64, expected: f64, scale: f64) -> bool {
    (found - expected).abs() <= 1e-5 * scale.max(expected.abs()) + 1e-35
}

/// The same of the steepest slope at a parameter, which is that at a prediction times a feature.
fn slope_scale(loss: &Loss, case: &Case) -> f64 {
    let [p, t] = [case.predictions[0], case.label].map(f64::from);
    match loss {
        Loss::Poisson => (p.exp() * (1.0 + p.abs() / 20.0) + t) * p.abs().max(1.0),
        Loss::GaussianNll { .. } | Loss::LaplaceNll => 3.0,
        _ => 0.0,
    }
}

/// What the case's loss is divided by, after it was summed.
fn own_weight(loss: &Loss, case: &Case) -> f64 {
    let class = loss.class_weights().map_or(1.0, |weights| weights[case.label as usize]);
    f64::from(class) * f64::from(case.weight)
}

/// What makes the steps, by name, where it takes the network.
const PROGRAMS: [(&str, Planner); 7] = [
    ("small/run", |workspace, _| choose(workspace, 1, Some("small/run"))),
    ("small/shares", |workspace, _| choose(workspace, 1, Some("small/shares"))),
    ("vector", |workspace, _| choose(workspace, 1, Some("vector"))),
    ("resident", |workspace, _| choose(workspace, 1, Some("resident"))),
    ("block", |workspace, _| choose(workspace, 1, Some("block"))),
    ("tiled", |workspace, _| choose(workspace, 1, Some("tiled"))),
    ("unfused", unfused),
];

/// Every program takes every case that `f32` can hold. The gradients, and the cases that stop training, each of which costs a dozen of
/// the others, are divided among them.
const PARTS: usize = PROGRAMS.len();

/// Whether a program takes these tasks, having held it to the reference.
fn holds(gpu: &Gpu, index: usize, (tasks, cases): &(Vec<Task>, Vec<Case>)) -> bool {
    let (recipe, data, parameters) = problem(tasks, cases);
    let mut reference = Reference::new(recipe.clone(), data.clone()).expect("a reference");
    let state = State { parameters, ..block_on(reference.state()).expect("a state") };
    reference.load(&state).expect("the state fits");
    let truths = Truth::all(&reference, cases);
    let (name, plan) = PROGRAMS[index];
    let engine = block_on(GpuEngine::new(gpu, vec![recipe], &data, name, [plan; 2], None));
    let Ok(mut engine) = engine else { return false };
    engine.load(&state).expect("the state fits");
    let wrong = Vec::new();
    let mut held = Held { name, tasks, cases, truths: &truths, engine, state, wrong };
    let mut rows = Vec::new();
    for row in 0..cases.len() {
        let loss = held.loss(row);
        let may_stop = truths[row].is_loss_infinite(loss, &cases[row])
            || truths[row].steepest > 0.999 * LEAST_INFINITE;
        let is_looked_at = (row + index).is_multiple_of(PARTS);
        if is_looked_at || !may_stop {
            rows.push(row);
        }
        if !rows.is_empty() && (is_looked_at || row + 1 == cases.len()) {
            held.take(&std::mem::take(&mut rows));
        }
    }
    let wrong = held.wrong;
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    true
}

#[test]
fn programs_are_right_or_stop_at_the_edges_of_f32() {
    let names: Vec<&str> = PROGRAMS[..6].iter().map(|(name, _)| *name).collect();
    assert_eq!(names, FUSED.map(|(name, _)| name));
    let gpu = block_on(Gpu::new()).expect("a device");
    for problem in [plain(), noisy()] {
        let taken = (0..PROGRAMS.len()).filter(|&index| holds(&gpu, index, &problem));
        let taken: Vec<&str> = taken.map(|index| PROGRAMS[index].0).collect();
        assert!(taken.ends_with(&["resident", "block", "tiled", "unfused"]), "{taken:?}");
    }
}
