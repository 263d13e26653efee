//! Tests: the weights of every scheme that the kernel finds, held against `f64`.

use super::*;
use crate::weighting::gradients::{AtStep, MOST_TASKS, weights};
use pollster::block_on;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

/// A problem in numbers that `f32` has.
#[derive(Clone)]
struct Problem {
    scheme: &'static dyn Scheme,
    settings: Vec<f64>,
    gram: Vec<f64>,
    losses: Vec<f64>,
    memory: Vec<[f64; 4]>,
    step: u32,
    key: [u32; 2],
}

fn rounded(x: f64) -> f64 {
    f64::from(x as f32)
}

/// Gradients in this many dimensions, whose lengths differ by up to a factor of `spread`.
fn gradients(
    random: &mut ChaCha8Rng,
    tasks: usize,
    dimensions: usize,
    spread: f64,
) -> Vec<Vec<f64>> {
    let mut row = || {
        let length = random.random_range(0.0..=spread.ln()).exp();
        (0..dimensions).map(|_| length * random.random_range(-1.0..1.0)).collect()
    };
    (0..tasks).map(|_| row()).collect()
}

impl Problem {
    fn new(random: &mut ChaCha8Rng, scheme: usize, rows: &[Vec<f64>]) -> Self {
        let dot = |a: &[f64], b: &[f64]| rounded(a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>());
        let scheme = schemes()[scheme];
        Self {
            scheme,
            settings: scheme.settings().iter().map(|it| rounded(it.default)).collect(),
            gram: rows.iter().flat_map(|a| rows.iter().map(move |b| dot(a, b))).collect(),
            losses: rows.iter().map(|_| rounded(random.random_range(0.01..3.0))).collect(),
            memory: vec![[0.0; 4]; rows.len()],
            step: 1,
            key: [random.random(), random.random()],
        }
    }

    fn solved(&mut self) -> Result<Vec<f64>> {
        let at = &mut AtStep {
            gram: &self.gram,
            losses: &self.losses,
            memory: &mut self.memory,
            step: self.step.into(),
            key: self.key,
        };
        weights(self.scheme, &self.settings, at)
    }
}

fn solved(gpu: &Gpu, problems: &[Problem]) -> Answers {
    let narrow = |values: &[f64]| values.iter().map(|x| *x as f32).collect::<Vec<f32>>();
    let all = |part: fn(&Problem) -> &[f64]| -> Vec<f32> {
        problems.iter().flat_map(|problem| narrow(part(problem))).collect()
    };
    let tasks = problems[0].losses.len();
    let moment =
        |it: &Problem| Moment { scheme: 0, tasks: tasks as u32, step: it.step, key: it.key };
    let settings = |it: &Problem| [&narrow(&it.settings)[..], &[0.0; MOST_SETTINGS]].concat();
    let problems = Problems {
        scheme: problems[0].scheme,
        tasks,
        moments: problems.iter().map(moment).collect(),
        grams: all(|it| &it.gram),
        losses: all(|it| &it.losses),
        settings: problems
            .iter()
            .flat_map(|it| settings(it).into_iter().take(MOST_SETTINGS))
            .collect(),
        memory: all(|it| it.memory.as_flattened()),
    };
    block_on(problems.solve(gpu)).expect("answers")
}

/// The largest difference of weights, each beside itself or, where it is next to nothing, beside a hundredth of the largest
/// part of what is combined.
fn error(problem: &Problem, found: &[f32], expected: &[f64]) -> f64 {
    let tasks = expected.len();
    let part = |k: usize| problem.gram[k * tasks + k].sqrt().max(1e-30);
    let most = (0..tasks).map(|k| expected[k].abs() * part(k)).fold(0.0, f64::max);
    let of = |k: usize| {
        (f64::from(found[k]) - expected[k]).abs()
            / expected[k].abs().max(1e-2 * most / part(k)).max(1e-37)
    };
    (0..tasks).map(of).fold(0.0, f64::max)
}

/// Solves problems of one scheme and number of tasks, and holds all weights against f64.
fn hold(gpu: &Gpu, problems: &mut [Problem], tolerance: f64) {
    let answers = solved(gpu, problems);
    let tasks = problems[0].losses.len();
    for (number, problem) in problems.iter_mut().enumerate() {
        let name = problem.scheme.name();
        let expected = problem.solved().expect("weights");
        let found = &answers.weights[number * tasks..][..tasks];
        let error = error(problem, found, &expected);
        assert_eq!(answers.failed[number], 0, "{name}: {found:?}");
        assert!(error < tolerance, "{name}: {found:?}, f64 {expected:?}: {error}");
        let memory = &answers.memory[4 * number * tasks..][..4 * tasks];
        for (found, expected) in memory.iter().zip(problem.memory.as_flattened()) {
            let error = (f64::from(*found) - expected).abs() / expected.abs().max(1e-6);
            assert!(error < tolerance, "{name}, memory: {found}, f64 {expected}");
        }
    }
}

fn gpu() -> Gpu {
    block_on(Gpu::new()).expect("an adapter")
}

#[test]
fn the_kernel_of_all_schemes_is_valid() {
    crate::gpu::check_shader(&kernels::GRAM_WEIGHTS, &prologue(&schemes()).expect("a text"));
}

#[cfg(target_os = "linux")]
#[test]
fn amd_compiles_every_scheme_without_spills() {
    use crate::gpu::amd::{Candidate, hold};
    let candidate = |scheme: &&'static dyn Scheme| Candidate {
        name: format!("gram/weights {}", scheme.name()),
        text: prologue(&[*scheme]).expect("a text") + &kernels::GRAM_WEIGHTS.text(),
        constants: vec![],
        is_lean: true,
    };
    hold("gram", &schemes().iter().map(candidate).collect::<Vec<_>>());
}

#[test]
fn every_scheme_agrees_with_f64() {
    let (gpu, mut random) = (gpu(), ChaCha8Rng::seed_from_u64(1));
    for scheme in 0..schemes().len() {
        for tasks in 1..=MOST_TASKS {
            let spreads = [1.0, 30.0, 1000.0].repeat(4);
            let problem = |spread: f64| {
                let rows = gradients(&mut random, tasks, 2 * tasks + 4, spread);
                Problem::new(&mut random, scheme, &rows)
            };
            hold(&gpu, &mut spreads.into_iter().map(problem).collect::<Vec<_>>(), 1e-4);
        }
    }
}

/// TorchJD's, and one at which the sum of IMTL-G's weights is below 0.
#[test]
fn examples() {
    let (gpu, mut random) = (gpu(), ChaCha8Rng::seed_from_u64(9));
    let torchjd = vec![vec![-4.0, 1.0, 1.0], vec![6.0, 1.0, 1.0]];
    let climbing = vec![vec![1e-3, 0.0], vec![1.0, 1.1], vec![1.0, -1.0]];
    for scheme in 0..schemes().len() {
        for rows in [&torchjd, &climbing] {
            let problem = Problem::new(&mut random, scheme, rows);
            // Three gradients of two dimensions are dependent.
            let tolerance = if rows.len() > 2 { 0.5 } else { 1e-4 };
            hold(&gpu, &mut [problem], tolerance);
        }
    }
}

#[test]
fn every_setting_does_what_it_does_in_f64() {
    let (gpu, mut random) = (gpu(), ChaCha8Rng::seed_from_u64(2));
    for (scheme, at) in schemes().iter().enumerate().flat_map(|(number, scheme)| {
        (0..scheme.settings().len()).map(move |setting| (number, setting))
    }) {
        let [least, most] = schemes()[scheme].settings()[at].range;
        let problem = |step: u32| {
            let rows = gradients(&mut random, 5, 14, 30.0);
            let mut problem = Problem::new(&mut random, scheme, &rows);
            let part = f64::from(step) / 8.0;
            problem.settings[at] = rounded(least + part * part * (most - least));
            problem
        };
        hold(&gpu, &mut (0..=8).map(problem).collect::<Vec<_>>(), 1e-4);
    }
}

#[test]
fn memory_goes_from_step_to_step() {
    let (gpu, mut random) = (gpu(), ChaCha8Rng::seed_from_u64(3));
    for (scheme, settings) in [("gradnorm", vec![1.5, 0.025]), ("db-mtl", vec![0.9])] {
        let scheme = schemes().iter().position(|it| it.name() == scheme).expect("a scheme");
        let rows = gradients(&mut random, 4, 12, 10.0);
        let mut exact = Problem::new(&mut random, scheme, &rows);
        exact.settings = settings.into_iter().map(rounded).collect();
        let mut ours = exact.clone();
        for step in 1..=50 {
            let rows = gradients(&mut random, 4, 12, 10.0);
            let Problem { gram, losses, .. } = Problem::new(&mut random, scheme, &rows);
            for problem in [&mut exact, &mut ours] {
                (problem.gram, problem.losses, problem.step) = (gram.clone(), losses.clone(), step);
            }
            let answers = solved(&gpu, std::slice::from_ref(&ours));
            let memory = answers.memory.chunks(4).map(|m| [m[0], m[1], m[2], m[3]].map(f64::from));
            ours.memory = memory.collect();
            let expected = exact.solved().expect("weights");
            let error = error(&exact, &answers.weights, &expected);
            assert!(error < 1e-4, "{}, step {step}: {error}", exact.scheme.name());
        }
    }
}

#[test]
fn scales_from_nothing_to_the_largest() {
    let (gpu, mut random) = (gpu(), ChaCha8Rng::seed_from_u64(4));
    for scheme in 0..schemes().len() {
        let rows = gradients(&mut random, 4, 12, 3.0);
        let scaled = |scale: f64| {
            let rows: Vec<Vec<f64>> =
                rows.iter().map(|row| row.iter().map(|x| x * scale).collect()).collect();
            Problem::new(&mut random, scheme, &rows)
        };
        let scales = [0.0, 1e-30, 1e-15, 1e-6, 1.0, 1e6, 1e15];
        hold(&gpu, &mut scales.into_iter().map(scaled).collect::<Vec<_>>(), 1e-4);
    }
}

#[test]
fn a_task_without_a_gradient_takes_no_part() {
    let (gpu, mut random) = (gpu(), ChaCha8Rng::seed_from_u64(5));
    for scheme in 0..schemes().len() {
        let missing = |absent: usize| {
            let mut rows = gradients(&mut random, 5, 14, 3.0);
            rows.iter_mut().take(absent).step_by(2).for_each(|row| row.fill(0.0));
            Problem::new(&mut random, scheme, &rows)
        };
        hold(&gpu, &mut (0..=5).map(missing).collect::<Vec<_>>(), 1e-4);
    }
}

/// Dependent gradients, of which f32 knows too little for the same weights: these are finite, and where no loss is to rise
/// none does.
fn dependent(random: &mut ChaCha8Rng, scheme: usize, tasks: usize) -> Vec<Problem> {
    let dimensions = [1, 2, 5, 8, 15, 16, 17];
    let mut all: Vec<Vec<Vec<f64>>> =
        dimensions.iter().map(|d| gradients(random, tasks, *d, 30.0)).collect();
    all.push(vec![vec![1.0]; tasks]);
    all.push((0..tasks).map(|k| vec![if k % 2 == 0 { 1.0 } else { -1.0 }]).collect());
    all.push((0..tasks).map(|k| vec![10f64.powi(2 * k as i32 % 9 - 4), 1e-4]).collect());
    all.iter().map(|rows| Problem::new(random, scheme, rows)).collect()
}

#[test]
fn dependent_gradients_have_an_answer() {
    let (gpu, mut random) = (gpu(), ChaCha8Rng::seed_from_u64(6));
    for (scheme, tasks) in (0..schemes().len()).flat_map(|it| [2, 3, 7, 16].map(|k| (it, k))) {
        let problems = dependent(&mut random, scheme, tasks);
        let answers = solved(&gpu, &problems);
        for (number, problem) in problems.iter().enumerate() {
            let name = problem.scheme.name();
            let found = &answers.weights[number * tasks..][..tasks];
            assert_eq!(answers.failed[number], 0, "{name}: {found:?}");
            if !["mgda", "nash-mtl", "fairgrad"].contains(&name) {
                continue;
            }
            let length = |k: usize| problem.gram[k * tasks + k].sqrt();
            let lengths: f64 = (0..tasks).map(|k| f64::from(found[k]) * length(k)).sum();
            for k in 0..tasks {
                let row = problem.gram[k * tasks..][..tasks].iter().zip(found);
                let progress: f64 = row.map(|(g, w)| g * f64::from(*w)).sum();
                assert!(found[k] >= 0.0, "{name}: {found:?}");
                assert!(progress > -0.01 * lengths * length(k), "{name}: {found:?}");
            }
        }
    }
}

#[test]
fn what_is_not_finite_is_said() {
    let (gpu, mut random) = (gpu(), ChaCha8Rng::seed_from_u64(7));
    for (scheme, name) in schemes().iter().map(|scheme| scheme.name()).enumerate() {
        let rows = gradients(&mut random, 3, 8, 3.0);
        let sound = Problem::new(&mut random, scheme, &rows);
        let with = |place: usize, value: f64| {
            let mut problem = sound.clone();
            problem.gram[place] = value;
            problem
        };
        let problems = [
            sound.clone(),
            with(4, f64::NAN),
            with(1, f64::NAN),
            with(8, f64::INFINITY),
            with(5, f64::NEG_INFINITY),
        ];
        let failed = solved(&gpu, &problems).failed;
        assert_eq!(failed, [0, 1, 1, 1, 1], "{name}");
    }
}

#[test]
fn no_scheme_makes_more_rounds_than_was_said() {
    let gpu = block_on(Gpu::counting(false)).expect("an adapter");
    let mut random = ChaCha8Rng::seed_from_u64(8);
    for (scheme, tasks) in (0..schemes().len()).flat_map(|it| [1, 2, 5, 16].map(|k| (it, k))) {
        let problems = dependent(&mut random, scheme, tasks);
        let made = solved(&gpu, &problems).rounds.expect("a count") as usize;
        let name = schemes()[scheme].name();
        assert!(
            made > 0 && made <= rounds_of_gradients(tasks),
            "{name}, {tasks}: {made}, {}",
            rounds_of_gradients(tasks)
        );
    }
    assert!(rounds_of_gradients(MOST_TASKS) <= crate::gpu::MOST_ROUNDS);
}
