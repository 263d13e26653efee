//! Whether an adapter can be trusted to train: every engine against the `f64` reference, twice the same bits, a lost device, a
//! buffer that is too large, and how fast it is.
//!
//! Nothing here knows what the right answer is but the [reference engine](crate::engine::Reference).

mod loss_alone;

use crate::bench::{EngineKind, StepPlan, WORKLOADS, plan};
use crate::data::{Dataset, Matrix, Target};
use crate::engine::{Engine, GpuEngine, Recipe, Record, Reference, State, Step};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu};
use crate::loss::{Loss, Task};
use crate::network::{Activation, Network};
use crate::optimizer::{Adam, Schedule};
use crate::train::Trainer;
use crate::weighting::AutomaticWeightedLoss;
use std::time::{Duration, Instant};

/// What was looked at, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// What was found: good news, or what is wrong.
    pub outcome: Result<String, String>,
}

/// What an examination found.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    /// The checks, in the order in which they were made.
    pub checks: Vec<Check>,
    /// Training steps a second of the workload `seed` of `awl bench`, if they could be made.
    pub steps_per_second: Option<f64>,
    /// What the fused engine would make steps of the workloads of `awl bench` with.
    pub plans: Vec<StepPlan>,
    /// What the adapter lacks, what is slower for it, and what to do.
    pub advice: Vec<String>,
}

impl Diagnosis {
    /// Whether every check found what it should: training can be trusted here.
    pub fn is_sound(&self) -> bool {
        self.checks.iter().all(|check| check.outcome.is_ok())
    }
}

/// A network and what is special about its training, each for kernels of its own.
struct Case {
    name: &'static str,
    hidden: &'static [usize],
    activation: Activation,
    /// With dropout, clipping and a schedule.
    everything: bool,
}

const CASES: [Case; 4] = [
    Case { name: "16 wide", hidden: &[16], activation: Activation::Relu, everything: false },
    Case { name: "96 wide", hidden: &[96, 96], activation: Activation::Tanh, everything: false },
    Case { name: "300 wide", hidden: &[300], activation: Activation::Gelu, everything: false },
    Case {
        name: "dropout, clipping",
        hidden: &[24, 24],
        activation: Activation::Silu,
        everything: true,
    },
];

const ROWS: usize = 50;
const FEATURES: usize = 7;
const STEPS: u64 = 9;
/// The largest relative difference of a loss, and of all parameters together by their norm.
const TOLERANCE: f64 = 1e-4;

/// Examines the adapter that [`Gpu::new`] takes.
///
/// # Errors
/// [`Error::NoAdapter`] or [`Error::NoDevice`]; whatever goes wrong later is a check that found it.
pub async fn examine() -> Result<Diagnosis> {
    let gpu = Gpu::new().await?;
    let plain = Gpu::plain().await;
    let mut checks = Vec::new();
    for case in &CASES {
        for engine in ["fused", "unfused"] {
            checks.push(check(
                format!("{engine}, {}", case.name),
                same_as_reference(&gpu, engine, case).await,
            ));
        }
        let found = match &plain {
            Ok(plain) => same_as_reference(plain, "fused", case).await,
            Err(error) => Err(error.to_string()),
        };
        checks.push(check(format!("fused without optional features, {}", case.name), found));
    }
    checks.push(check("the loss pass alone", loss_alone::same_as_reference(&gpu).await));
    checks.push(check("the same seed gives the same bits", same_bits(&gpu).await));
    checks.push(check("a buffer beyond the limit is refused", too_large(&gpu).await));
    checks.push(check("the largest buffer is given, or refused in words", largest(&gpu).await));
    checks.push(check("a lost device is an error, and another opens", lost().await));
    let speed = speed(&gpu).await;
    let steps_per_second = speed.as_ref().ok().copied();
    checks.push(check(
        "speed",
        speed.map(|speed| format!("{speed:.0} steps a second of the workload seed")),
    ));
    let mut plans = Vec::new();
    for workload in WORKLOADS {
        // What goes wrong here has gone wrong in a check before.
        plans.extend(plan(&gpu, workload, EngineKind::Fused).await.ok());
    }
    Ok(Diagnosis { checks, steps_per_second, plans, advice: advice(&gpu) })
}

fn check(name: impl Into<String>, outcome: Result<String, String>) -> Check {
    Check { name: name.into(), outcome }
}

/// A task of every loss, some with missing labels.
fn recipe(case: &Case) -> Result<Recipe> {
    let smoothed = Loss::CrossEntropy { label_smoothing: 0.1, class_weights: None };
    let tasks = [
        Task::new("mse", Loss::Mse, 1),
        Task::new("mae", Loss::Mae, 1),
        Task::new("huber", Loss::Huber { delta: 0.5 }, 2),
        Task::new("bce", Loss::Bce, 1),
        Task::new("cross_entropy", smoothed, 4),
    ];
    let mut network = Network::new(FEATURES, case.hidden, case.activation, &tasks)?;
    if case.everything {
        network = network.with_dropout(0.2)?;
    }
    let mut recipe =
        Recipe::new(network, AutomaticWeightedLoss::new(5), Adam::new(0.01).weight_decay(0.01));
    // 50 rows: two full batches and a short one.
    recipe.batch = 20;
    if case.everything {
        recipe.clip = Some(0.5);
        recipe.schedule = Schedule::cosine(20).warm_up(3);
    }
    Ok(recipe)
}

fn dataset() -> Result<Dataset> {
    let waves = |columns: usize, pace: f32| {
        let values = (0..ROWS * columns).map(|i| (i as f32 * pace).sin()).collect();
        Matrix::new(columns, values)
    };
    let labelled = |every: usize| (0..ROWS).map(|row| row % every != 0).collect();
    let yes = (0..ROWS).map(|row| f32::from(u8::from(row % 3 == 0))).collect();
    let targets = vec![
        Target::numbers(waves(1, 0.9)?),
        Target::numbers(waves(1, 1.7)?).labelled(labelled(4))?,
        Target::numbers(waves(2, 0.3)?),
        Target::numbers(Matrix::new(1, yes)?).labelled(labelled(7))?,
        Target::classes((0..ROWS as u32).map(|row| row * 7 % 4).collect()),
    ];
    Dataset::new(waves(FEATURES, 0.7)?, targets)
}

async fn made(gpu: &Gpu, engine: &str, recipe: Recipe, data: &Dataset) -> Result<GpuEngine> {
    match engine {
        "unfused" => GpuEngine::unfused(gpu, recipe, data).await,
        _ => GpuEngine::fused(gpu, recipe, data).await,
    }
}

/// The records of some steps, the state after them, and predictions.
async fn trained(engine: impl Engine, data: &Dataset) -> Result<(Vec<Record>, State, Matrix)> {
    let mut trainer = Trainer::new(engine);
    let records = trainer.steps(STEPS as usize).await?;
    let state = trainer.engine().state().await?;
    let predictions = trainer.engine().predict(data.features()).await?;
    Ok((records, state, predictions))
}

/// Trains a few steps on both, and says how far apart they are.
async fn same_as_reference(gpu: &Gpu, engine: &str, case: &Case) -> Result<String, String> {
    let compare = async {
        let data = dataset()?;
        let reference = trained(Reference::new(recipe(case)?, data.clone())?, &data).await?;
        let found = trained(made(gpu, engine, recipe(case)?, &data).await?, &data).await?;
        Ok::<_, Error>((reference, found))
    };
    let ((records, state, predictions), found) =
        compare.await.map_err(|error| error.to_string())?;
    let losses = |records: &[Record]| -> Vec<f64> {
        let of = |record: &Record| {
            let tasks =
                record.tasks.iter().flat_map(|task| [task.loss.unwrap_or(-1.0), task.weight]);
            tasks.chain([record.total]).collect::<Vec<f64>>()
        };
        records.iter().flat_map(of).collect()
    };
    let (expected, seen) = (losses(&records), losses(&found.0));
    let worst = expected
        .iter()
        .zip(&seen)
        .map(|(expected, found)| (expected - found).abs() / expected.abs().max(1.0));
    let of_losses = worst.fold(0.0, largest_of);
    let of_state = distance(&all(&state), &all(&found.1));
    let wide = |matrix: &Matrix| {
        matrix.values().iter().map(|&value| f64::from(value)).collect::<Vec<f64>>()
    };
    let of_predictions = distance(&wide(&predictions), &wide(&found.2));
    let worst = [of_losses, of_state, of_predictions].into_iter().fold(0.0, largest_of);
    if worst <= TOLERANCE {
        Ok(format!("{worst:.0e} from the f64 reference after {STEPS} steps"))
    } else {
        Err(format!(
            "losses are {of_losses:.0e}, parameters {of_state:.0e} and predictions {of_predictions:.0e} from the f64 reference \
             after {STEPS} steps, where {TOLERANCE:.0e} is allowed: do not train on this driver; update it, or choose another \
             backend with WGPU_BACKEND"
        ))
    }
}

/// The larger of two; NaN is larger than anything.
fn largest_of(a: f64, b: f64) -> f64 {
    if b > a || b.is_nan() { b } else { a }
}

fn all(state: &State) -> Vec<f64> {
    state.parameters.iter().chain(&state.sigma).copied().collect()
}

/// The distance of two vectors in lengths of the first.
fn distance(expected: &[f64], found: &[f64]) -> f64 {
    let squares = expected.iter().zip(found).map(|(a, b)| (a - b) * (a - b));
    let length: f64 = expected.iter().map(|a| a * a).sum();
    (squares.sum::<f64>() / length).sqrt()
}

async fn same_bits(gpu: &Gpu) -> Result<String, String> {
    let twice = async {
        for case in &CASES {
            for engine in ["fused", "unfused"] {
                let data = dataset()?;
                let first = trained(made(gpu, engine, recipe(case)?, &data).await?, &data).await?;
                let second = trained(made(gpu, engine, recipe(case)?, &data).await?, &data).await?;
                if first != second {
                    return Ok(Some(format!("{engine}, {}", case.name)));
                }
            }
        }
        Ok::<_, Error>(None)
    };
    match twice.await {
        Ok(None) => Ok("two runs of every engine were equal".into()),
        Ok(Some(which)) => {
            Err(format!("two runs of {which} differ: results cannot be repeated on this driver"))
        }
        Err(error) => Err(error.to_string()),
    }
}

async fn too_large(gpu: &Gpu) -> Result<String, String> {
    let limit = gpu.device().limits().max_storage_buffer_binding_size;
    match Buffer::<u32>::zeros(gpu, "a drill", (limit / 4) as usize + 1).map(|_| ()) {
        Err(Error::TooLarge { .. }) => Ok(format!("above {} MiB", limit >> 20)),
        Err(error) => Err(format!("it was refused in other words: {error}")),
        Ok(()) => Err("it was not: tensors that are too large may go unnoticed".into()),
    }
}

async fn largest(gpu: &Gpu) -> Result<String, String> {
    let limit = gpu.device().limits().max_storage_buffer_binding_size;
    let make = || Buffer::<u32>::zeros(gpu, "a drill", (limit / 4) as usize).map(|_| ());
    match gpu.guarded(make).await {
        Ok(()) => Ok(format!("{} MiB were given", limit >> 20)),
        Err(Error::OutOfMemory { .. }) => {
            Ok(format!("{} MiB were refused for want of memory", limit >> 20))
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Loses a device on purpose, one of its own.
async fn lost() -> Result<String, String> {
    let words = |error: Error| error.to_string();
    let case = &CASES[0];
    let data = dataset().map_err(words)?;
    let gpu = Gpu::new().await.map_err(words)?;
    let mut engine =
        made(&gpu, "fused", recipe(case).map_err(words)?, &data).await.map_err(words)?;
    gpu.device().destroy();
    let step = Step::numbered(1, ROWS, 20);
    let outcome = match engine.submit(&[step]) {
        Ok(()) => engine.collect().await.map(|_| ()),
        outcome => outcome,
    };
    match outcome {
        Err(Error::DeviceLost { .. }) => {}
        Err(error) => return Err(format!("the loss was told in other words: {error}")),
        Ok(()) => return Err("a step on a destroyed device seemed to succeed".into()),
    }
    let again = Gpu::new().await.map_err(words)?;
    trained(
        made(&again, "fused", recipe(case).map_err(words)?, &data).await.map_err(words)?,
        &data,
    )
    .await
    .map_err(words)?;
    Ok("training went on on the next one".into())
}

/// Steps a second in about two seconds.
async fn speed(gpu: &Gpu) -> Result<f64, String> {
    let words = |error: Error| error.to_string();
    let workload = &WORKLOADS[0];
    let data = workload.dataset().map_err(words)?;
    let recipe = workload.recipe().map_err(words)?;
    let mut trainer = Trainer::new(GpuEngine::fused(gpu, recipe, &data).await.map_err(words)?);
    // The first steps wait for the driver's compiler.
    trainer.steps(8).await.map_err(words)?;
    let start = Instant::now();
    let (mut steps, mut count) = (0, 8);
    while start.elapsed() < Duration::from_secs(2) {
        trainer.steps(count).await.map_err(words)?;
        steps += count;
        count = (2 * count).min(4_096);
    }
    Ok(steps as f64 / start.elapsed().as_secs_f64())
}

/// What is slower, or not to be had, for want of what.
fn advice(gpu: &Gpu) -> Vec<String> {
    let features = gpu.device().features();
    let mut advice = Vec::new();
    if gpu.is_software() {
        advice.push("this is a software driver, which computes on the CPU: install the driver of your GPU if there is one".into());
        if gpu.vector_lanes().is_none() {
            advice.push("it does not take the kernels made for Mesa's llvmpipe through Vulkan: install mesa-vulkan-drivers for speed".into());
        }
    }
    if !features.contains(wgpu::Features::TIMESTAMP_QUERY) {
        advice.push(
            "no timestamps: `awl bench` cannot tell GPU time by kernel; training is as fast".into(),
        );
    }
    if !features.contains(wgpu::Features::PIPELINE_CACHE) {
        advice.push("pipelines cannot be kept (only Vulkan can): kernels are compiled anew in every process".into());
    }
    advice
}
