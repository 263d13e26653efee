//! GradNorm's toy (Chen et al., *GradNorm*, 2018, section 4): tasks that are alike but for their scale, of which the large one drowns
//! the others unless something evens them out.
//!
//! ```sh
//! scripts/with-adapter cargo run --release --example toy-gradnorm
//! ```
//!
//! Task i is `σᵢ·tanh((B + εᵢ)x)`, B common to all and εᵢ its own, both normal (standard deviations 10 and 3.5 over the number of inputs'
//! root), x uniform. The network is the paper's in small: hidden layers of rectified units, a linear head a task, squared errors, Adam. What
//! counts is the *task-normalised* test loss, `L/σ²`: there the scale plays no part. The paper shows curves, no numbers; what it claims is
//! that GradNorm's is lower than that of equal weights, and that its weights come to even the scales out.

use awl::{
    Activation, Adam, Dataset, Engine, Gpu, GpuEngine, Loss, Matrix, Network, Recipe, Result,
    Target, Task, Trainer, Weighting,
};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

/// How large the toy is.
#[derive(Clone, Copy)]
pub struct Size {
    /// Numbers of x.
    pub inputs: usize,
    /// Numbers of each task's answer.
    pub outputs: usize,
    /// Units of each of two hidden layers.
    pub units: usize,
    /// Training rows, and as many to test.
    pub rows: usize,
}

/// What a run came to, a number a task.
#[derive(Debug)]
pub struct Outcome {
    /// The test losses by σ².
    pub losses: Vec<f64>,
    /// The weights in the last steps, a mean.
    pub weights: Vec<f64>,
}

fn normal(random: &mut ChaCha8Rng, deviation: f64) -> f64 {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    deviation * radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}

/// Rows of the tasks with these σ.
fn data(
    size: Size,
    sigmas: &[f64],
    rows: usize,
    random: &mut ChaCha8Rng,
    maps: &[Vec<f64>],
) -> Result<Dataset> {
    let features: Vec<f32> =
        (0..rows * size.inputs).map(|_| 2.0 * random.random::<f32>() - 1.0).collect();
    let answer = |x: &[f32], map: &[f64], sigma: f64| -> Vec<f32> {
        let row = |row: &[f64]| {
            let sum: f64 = row.iter().zip(x).map(|(a, &x)| a * f64::from(x)).sum();
            (sigma * sum.tanh()) as f32
        };
        map.chunks(size.inputs).map(row).collect()
    };
    let target = |(map, &sigma): (&Vec<f64>, &f64)| {
        let answers = features.chunks(size.inputs).flat_map(|x| answer(x, map, sigma));
        Ok(Target::numbers(Matrix::new(size.outputs, answers.collect())?))
    };
    let targets = maps.iter().zip(sigmas).map(target).collect::<Result<_>>()?;
    Dataset::new(Matrix::new(size.inputs, features)?, targets)
}

/// Trains for so many steps.
pub async fn learn(
    gpu: &Gpu,
    scheme: &str,
    size: Size,
    sigmas: &[f64],
    steps: usize,
) -> Result<Outcome> {
    let random = &mut ChaCha8Rng::seed_from_u64(1);
    let scale = 1.0 / (size.inputs as f64).sqrt();
    let entries = size.inputs * size.outputs;
    let common: Vec<f64> = (0..entries).map(|_| normal(random, 10.0 * scale)).collect();
    let map = |_: &f64| common.iter().map(|b| b + normal(random, 3.5 * scale)).collect();
    let maps: Vec<Vec<f64>> = sigmas.iter().map(map).collect();
    let train = data(size, sigmas, size.rows, random, &maps)?;
    let test = data(size, sigmas, size.rows, random, &maps)?;
    let task = |(k, _): (usize, &f64)| Task::new(format!("task {k}"), Loss::Mse, size.outputs);
    let tasks: Vec<Task> = sigmas.iter().enumerate().map(task).collect();
    let network = Network::new(size.inputs, &[size.units; 2], Activation::Relu, &tasks)?;
    let weighting = Weighting::named(scheme, &[], &vec![false; sigmas.len()])?;
    let mut recipe = Recipe::new(network, weighting, Adam::new(2e-3));
    recipe.batch = 100;
    let mut trainer = Trainer::new(GpuEngine::fused(gpu, recipe, &train).await?);
    let records = trainer.steps(steps).await?;
    let last = &records[records.len() - records.len().min(100)..];
    let weight =
        |k: usize| last.iter().map(|it| it.tasks[k].weight).sum::<f64>() / last.len() as f64;
    let engine = trainer.engine();
    engine.hold_out(&test).await?;
    let losses = engine.validate().await?;
    let normalised =
        |(loss, sigma): (Option<f64>, &f64)| loss.unwrap_or(f64::NAN) / (sigma * sigma);
    Ok(Outcome {
        losses: losses.into_iter().zip(sigmas).map(normalised).collect(),
        weights: (0..sigmas.len()).map(weight).collect(),
    })
}

async fn run() -> Result<()> {
    let gpu = Gpu::new().await?;
    let size = Size { inputs: 50, outputs: 20, units: 100, rows: 2_000 };
    let sigmas = [1.0, 30.0];
    println!("two tasks of scale 1 and 30; test loss by σ², and weights at the end");
    println!("{:<16}{:>9}{:>9}{:>9}{:>12}{:>9}", "", "task 0", "task 1", "sum", "weights", "");
    for scheme in ["equal", "gradnorm", "awl-closed-form", "uncertainty", "awl"] {
        let Outcome { losses, weights } = learn(&gpu, scheme, size, &sigmas, 2_000).await?;
        println!(
            "{scheme:<16}{:>9.4}{:>9.4}{:>9.4}{:>12.5}{:>9.5}",
            losses[0],
            losses[1],
            losses.iter().sum::<f64>(),
            weights[0],
            weights[1]
        );
    }
    Ok(())
}

fn main() -> Result<()> {
    pollster::block_on(run())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The paper's claims, in small.
    #[test]
    fn gradnorm_lets_the_small_task_learn() {
        let gpu = pollster::block_on(Gpu::new()).expect("an adapter");
        let size = Size { inputs: 10, outputs: 4, units: 24, rows: 400 };
        let of = |scheme| pollster::block_on(learn(&gpu, scheme, size, &[1.0, 30.0], 400));
        let [equal, gradnorm] = ["equal", "gradnorm"].map(|scheme| of(scheme).expect("a run"));
        assert_eq!(equal.weights, [1.0, 1.0]);
        let sum = |outcome: &Outcome| outcome.losses.iter().sum::<f64>();
        assert!(sum(&gradnorm) < sum(&equal), "{gradnorm:?}, {equal:?}");
        assert!(gradnorm.losses[0] < 0.7 * equal.losses[0], "{gradnorm:?}, {equal:?}");
        assert!(gradnorm.weights[0] > 3.0 * gradnorm.weights[1], "{gradnorm:?}");
    }
}
