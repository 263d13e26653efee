//! The kernel that makes weights from Gram matrices (`shaders/gram/weights.wgsl`), and tests of it against `f64`.

use crate::error::Result;
use crate::gpu::{Buffer, Dispatch, Gpu, Work, kernels, read, render, rounds_of};
use crate::weighting::gradients::{GradientScheme, SCHEMES};
use bytemuck::{Pod, Zeroable};
use serde::Serialize;

/// As in the kernel.
const MOST_SETTINGS: usize = 4;

/// What a problem is beside its numbers, as in the kernel.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Moment {
    /// The scheme's place in [`SCHEMES`].
    scheme: u32,
    tasks: u32,
    step: u32,
    key: [u32; 2],
}

#[derive(Serialize)]
struct Functions {
    functions: Vec<String>,
}

/// The text of the schemes, and of the choice among them.
fn prologue() -> Result<String> {
    let function =
        |scheme: &&dyn GradientScheme| format!("{}_weigh", scheme.name().replace('-', "_"));
    let functions = Functions { functions: SCHEMES.iter().map(function).collect() };
    let texts: Vec<&str> = SCHEMES.iter().map(|scheme| scheme.wgsl()).collect();
    Ok(texts.join("\n") + &render("gram/weights", &functions)?)
}

/// The most rounds of an invocation: those of the scheme that makes the most, and a loop each of the others.
fn rounds(tasks: usize) -> usize {
    let plain = rounds_of(tasks, 0);
    let square = rounds_of(tasks, plain);
    // `present` and `correlation`, and the choice.
    let common = 2 * square + 4 * plain + 60;
    let path = 3 * plain + rounds_of(3 * tasks + 1, 2 * plain);
    let upgrad = rounds_of(tasks, 2 * plain + path);
    let pairs = tasks * tasks.saturating_sub(1) / 2;
    let aligned_mtl = square + rounds_of(14, plain + pairs * (1 + 5 + plain) + tasks);
    let solved = 2 * plain + rounds_of(tasks, plain);
    let fairgrad = rounds_of(60, solved + 2 * plain);
    let pcgrad = rounds_of(tasks, rounds_of(tasks, 2 * plain));
    common + 4 * plain + upgrad.max(aligned_mtl).max(fairgrad).max(pcgrad)
}

/// Problems of the same number of tasks.
#[derive(Default)]
struct Problems {
    tasks: usize,
    moments: Vec<Moment>,
    grams: Vec<f32>,
    losses: Vec<f32>,
    settings: Vec<f32>,
    memory: Vec<f32>,
}

/// What comes of them.
struct Answers {
    weights: Vec<f32>,
    memory: Vec<f32>,
    failed: Vec<u32>,
    rounds: usize,
}

impl Problems {
    async fn solve(&self, gpu: &Gpu) -> Result<Answers> {
        let count = self.moments.len();
        let grams = Buffer::storage(gpu, "grams", &self.grams)?;
        let losses = Buffer::storage(gpu, "losses", &self.losses)?;
        let settings = Buffer::storage(gpu, "settings", &self.settings)?;
        let moments = Buffer::storage(gpu, "moments", &self.moments)?;
        let memory = Buffer::storage(gpu, "memory", &self.memory)?;
        let weights = Buffer::<f32>::zeros(gpu, "weights", count * self.tasks)?;
        let failed = Buffer::<u32>::zeros(gpu, "failed", count)?;
        let kernel = gpu.shaped_kernel(&kernels::GRAM_WEIGHTS, &prologue()?, &[]);
        let buffers = [&grams, &losses, &settings].map(Buffer::binding).into_iter();
        let buffers = buffers.chain([
            moments.binding(),
            memory.binding(),
            weights.binding(),
            failed.binding(),
        ]);
        let work = Work::new(count, rounds(self.tasks));
        let dispatch = kernel.dispatch(gpu, &buffers.collect::<Vec<_>>(), work)?;
        submit(gpu, &dispatch);
        let counter = dispatch.counter.as_ref().map(|counter| counter.raw());
        let rounds = match counter {
            Some(counter) => read::<u32>(gpu, counter, 1).await?[0] as usize,
            None => 0,
        };
        Ok(Answers {
            weights: read(gpu, weights.raw(), count * self.tasks).await?,
            memory: read(gpu, memory.raw(), self.memory.len()).await?,
            failed: read(gpu, failed.raw(), count).await?,
            rounds,
        })
    }
}

fn submit(gpu: &Gpu, dispatch: &Dispatch) {
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    dispatch.record(&mut encoder.begin_compute_pass(&Default::default()), None);
    gpu.queue().submit([encoder.finish()]);
}

mod tests {
    use super::*;
    use crate::weighting::gradients::{AtStep, MOST_TASKS, weights};
    use pollster::block_on;
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    /// A problem as it is given to the GPU, in numbers that `f32` has.
    #[derive(Clone)]
    struct Problem {
        scheme: usize,
        settings: Vec<f64>,
        gram: Vec<f64>,
        losses: Vec<f64>,
        memory: Vec<[f64; 4]>,
        step: u32,
        key: [u32; 2],
        /// The least eigenvalue of the cosines: how well the problem is posed.
        least: f64,
    }

    fn rounded(x: f64) -> f64 {
        f64::from(x as f32)
    }

    impl Problem {
        /// A random one, of gradients in this many dimensions whose lengths differ by up to a factor of `spread`.
        fn random(
            random: &mut ChaCha8Rng,
            scheme: usize,
            tasks: usize,
            dimensions: usize,
            spread: f64,
        ) -> Self {
            let row = |random: &mut ChaCha8Rng| {
                let length = random.random_range(0.0..=spread.ln()).exp();
                (0..dimensions)
                    .map(|_| length * random.random_range(-1.0..1.0))
                    .collect::<Vec<f64>>()
            };
            let rows: Vec<Vec<f64>> = (0..tasks).map(|_| row(random)).collect();
            let dot = |a: &[f64], b: &[f64]| rounded(a.iter().zip(b).map(|(a, b)| a * b).sum());
            let gram: Vec<f64> =
                rows.iter().flat_map(|a| rows.iter().map(move |b| dot(a, b))).collect();
            let setting = |setting: &crate::weighting::Setting| rounded(setting.default);
            Self {
                scheme,
                settings: SCHEMES[scheme].settings().iter().map(setting).collect(),
                losses: (0..tasks).map(|_| rounded(random.random_range(0.01..3.0))).collect(),
                memory: vec![[0.0; 4]; tasks],
                step: 1,
                key: [random.random(), random.random()],
                least: least_cosine(&gram, tasks),
                gram,
            }
        }

        fn expected(&self) -> (Result<Vec<f64>>, Vec<[f64; 4]>) {
            let mut memory = self.memory.clone();
            let at = &mut AtStep {
                gram: &self.gram,
                losses: &self.losses,
                memory: &mut memory,
                step: self.step.into(),
                key: self.key,
            };
            (weights(SCHEMES[self.scheme], &self.settings, at), memory)
        }
    }

    /// By inverse iteration with what solves nothing here: Gauss's elimination of C + 1e-12.
    fn least_cosine(gram: &[f64], n: usize) -> f64 {
        let norm = |k: usize| gram[k * n + k].sqrt().max(1e-30);
        let cosine = |i: usize, j: usize| {
            gram[i * n + j] / norm(i) / norm(j) + if i == j { 1e-12 } else { 0.0 }
        };
        let mut x = vec![1.0; n];
        x.iter_mut().enumerate().for_each(|(k, x)| *x += 0.3 * (k as f64).sin());
        let mut least = 0.0;
        for _ in 0..30 {
            let mut a: Vec<Vec<f64>> =
                (0..n).map(|i| (0..n).map(|j| cosine(i, j)).collect()).collect();
            let mut b = x.clone();
            for k in 0..n {
                for i in k + 1..n {
                    let factor = a[i][k] / a[k][k];
                    for j in k..n {
                        a[i][j] -= factor * a[k][j];
                    }
                    b[i] -= factor * b[k];
                }
            }
            for k in (0..n).rev() {
                let known: f64 = (k + 1..n).map(|j| a[k][j] * b[j]).sum();
                b[k] = (b[k] - known) / a[k][k];
            }
            let size = b.iter().map(|b| b * b).sum::<f64>().sqrt();
            least = x.iter().map(|x| x * x).sum::<f64>().sqrt() / size;
            x = b.iter().map(|b| b / size).collect();
        }
        least
    }

    fn packed(problems: &[Problem]) -> Problems {
        let mut all = Problems { tasks: problems[0].losses.len(), ..Default::default() };
        let narrow = |values: &[f64]| values.iter().map(|x| *x as f32).collect::<Vec<f32>>();
        for problem in problems {
            let Problem { scheme, step, key, .. } = *problem;
            let tasks = all.tasks as u32;
            all.moments.push(Moment { scheme: scheme as u32, tasks, step, key });
            all.grams.extend(narrow(&problem.gram));
            all.losses.extend(narrow(&problem.losses));
            all.memory.extend(narrow(problem.memory.as_flattened()));
            all.settings.extend(narrow(&problem.settings));
            all.settings.resize(all.moments.len() * MOST_SETTINGS, 0.0);
        }
        all
    }

    #[test]
    fn the_kernel_is_valid() {
        crate::gpu::check_shader(&kernels::GRAM_WEIGHTS, &prologue().expect("a text"));
    }

    #[test]
    fn every_scheme_agrees_with_f64() {
        let gpu = block_on(Gpu::new()).expect("an adapter");
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut worst = vec![[0f64; 2]; SCHEMES.len()];
        for tasks in 1..=MOST_TASKS {
            let problems: Vec<Problem> = (0..SCHEMES.len() * 12)
                .map(|n| {
                    let spread = [1.0, 30.0, 1000.0][n % 3];
                    Problem::random(&mut random, n / 12, tasks, 2 * tasks + 4, spread)
                })
                .collect();
            let t0 = std::time::Instant::now();
            let answers = block_on(packed(&problems).solve(&gpu)).expect("answers");
            eprintln!("{tasks}: {:?}", t0.elapsed());
            for (number, problem) in problems.iter().enumerate() {
                let (expected, memory) = problem.expected();
                let expected = expected.expect("weights");
                let found = &answers.weights[number * tasks..][..tasks];
                let name = SCHEMES[problem.scheme].name();
                assert_eq!(answers.failed[number], 0, "{name}, {tasks} tasks");
                // Each weight beside itself, or, where it is next to nothing, its part in what is combined.
                let part = |k: usize| problem.gram[k * tasks + k].sqrt();
                let most = (0..tasks).map(|k| expected[k].abs() * part(k)).fold(0.0, f64::max);
                for k in 0..tasks {
                    let difference = (f64::from(found[k]) - expected[k]).abs();
                    let error = difference / expected[k].abs().max(1e-2 * most / part(k));
                    worst[problem.scheme][0] = worst[problem.scheme][0].max(error);
                }
                let of_memory = answers.memory[4 * number * tasks..][..4 * tasks]
                    .iter()
                    .zip(memory.as_flattened());
                for (found, expected) in of_memory {
                    let error = (f64::from(*found) - expected).abs() / expected.abs().max(1e-6);
                    worst[problem.scheme][1] = worst[problem.scheme][1].max(error);
                }
            }
        }
        for (scheme, worst) in SCHEMES.iter().zip(&worst) {
            eprintln!("{}: {worst:?}", scheme.name());
        }
        assert!(worst.iter().flatten().all(|error| *error < 1e-4));
    }
}
