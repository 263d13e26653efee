//! What a step of each candidate takes: one network alone, so that no other one's step is counted with it.

use super::job::Job;
use super::study::Study;
use crate::cli::train::config::EngineName;
use crate::cli::train::recipe::Device;
use awl::compare::{Candidate, Chosen};
use awl::{Dataset, Engine, GpuEngine, Trainer};
use std::time::Instant;

/// A step's cost.
#[derive(Default)]
pub struct Cost {
    pub milliseconds: f64,
    pub bytes_a_step: Option<u64>,
    pub bytes_on_device: Option<u64>,
}

/// Steps before any is timed, steps of a timing, and timings.
const WARM_UP: usize = 8;
const STEPS: usize = 32;
const TIMINGS: usize = 5;

/// A step of a candidate as it was chosen; of single-task networks the sum over the tasks.
pub async fn of(study: &Study<'_>, candidate: Candidate, chosen: &[Chosen]) -> awl::Result<Cost> {
    let mut sum = Cost::default();
    for (network, chosen) in chosen.iter().enumerate() {
        let task = candidate.kind().is_none().then_some(network);
        let job = Job::tested(candidate, task, chosen.trial.clone(), 0);
        let recipe = study.recipe(&job)?;
        let data = &study.data.training;
        let data = match task {
            None => data.clone(),
            Some(task) => {
                Dataset::new(data.features().clone(), vec![data.targets()[task].clone()])?
            }
        };
        let milliseconds = match &study.device {
            Device::Gpu(gpu) => {
                let engine = match study.config.train.engine {
                    EngineName::Unfused => GpuEngine::unfused(gpu, recipe, &data).await?,
                    _ => GpuEngine::fused(gpu, recipe, &data).await?,
                };
                let add = |sum: &mut Option<u64>, bytes| *sum = Some(sum.unwrap_or(0) + bytes);
                add(&mut sum.bytes_a_step, engine.bytes_per_step());
                add(&mut sum.bytes_on_device, engine.gpu_bytes());
                timed(engine).await?
            }
            Device::Cpu => {
                timed(study.device.engine(&study.config, vec![recipe], &data).await?).await?
            }
        };
        sum.milliseconds += milliseconds;
    }
    Ok(sum)
}

/// The time of a step, in milliseconds: the least of some timings, since whatever else the machine does only adds to it.
async fn timed<E: Engine>(engine: E) -> awl::Result<f64> {
    let mut trainer = Trainer::new(engine);
    trainer.steps(WARM_UP).await?;
    let mut least = f64::INFINITY;
    for _ in 0..TIMINGS {
        let start = Instant::now();
        trainer.steps(STEPS).await?;
        least = least.min(1e3 * start.elapsed().as_secs_f64() / STEPS as f64);
    }
    Ok(least)
}
