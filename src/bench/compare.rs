//! The engines side by side on one workload.

use super::{Ceilings, Spread, Workload};
use crate::engine::{Engine, GpuEngine, KernelTime, MOST_STEPS};
use crate::error::Result;
use crate::gpu::Gpu;
use crate::train::Trainer;
use std::time::{Duration, Instant};

/// An engine that can be benchmarked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// [`GpuEngine::fused`].
    Fused,
    /// [`GpuEngine::unfused`].
    Unfused,
}

impl EngineKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Fused, Self::Unfused];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fused => "fused",
            Self::Unfused => "unfused",
        }
    }
}

/// What a step costs in one engine.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineCost {
    /// The engine.
    pub engine: EngineKind,
    /// Microseconds a step, submission and collection of the records included.
    pub us_per_step: Spread,
    /// Dispatches a step, without the two that open an epoch.
    pub dispatches_per_step: usize,
    /// Submissions in 100 steps, as they were timed.
    pub submissions_per_100_steps: f64,
    /// What its kernels read and write: [`GpuEngine::bytes_per_step`].
    pub bytes_per_step: u64,
    /// Bytes of its buffers on the device, the dataset's included.
    pub gpu_bytes: u64,
    /// From nothing to the end of the first step: upload, compilation of kernels that no earlier engine of this
    /// process has used, and the step.
    pub setup: Duration,
    /// Each dispatch's time on the GPU's clock, in order, medians; `None` without timestamps.
    pub kernels: Option<Vec<KernelTime>>,
}

/// The engines on one workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The workload.
    pub workload: Workload,
    /// One entry an engine, in the order asked for.
    pub engines: Vec<EngineCost>,
}

impl Comparison {
    /// The cost in this engine, if it was asked for.
    pub fn engine(&self, kind: EngineKind) -> Option<&EngineCost> {
        self.engines.iter().find(|cost| cost.engine == kind)
    }

    /// How many times faster than unfused the fused engine is, if both were asked for.
    pub fn speedup(&self) -> Option<f64> {
        let median = |kind| self.engine(kind).map(|cost| cost.us_per_step.median);
        Some(median(EngineKind::Unfused)? / median(EngineKind::Fused)?)
    }

    /// The share of the adapter's limit that an engine reaches: the [least time](Ceilings::least_seconds) in which the
    /// adapter could make the step, over the time that the engine took.
    pub fn share_of_limit(&self, cost: &EngineCost, ceilings: &Ceilings) -> f64 {
        let least = ceilings.least_seconds(self.workload.flops(), self.workload.least_bytes());
        least * 1e6 / cost.us_per_step.median
    }
}

/// Rounds in which the engines take turns, at least.
const ROUNDS: usize = 5;
/// Steps that are timed dispatch by dispatch.
const PROFILED: usize = 5;

/// Times `engines` on a workload for about `seconds` (five rounds at least); `progress` hears of the share that is done.
///
/// # Errors
/// Those of [`GpuEngine::fused`] and of training.
pub async fn compare(
    gpu: &Gpu,
    workload: Workload,
    engines: &[EngineKind],
    seconds: f64,
    mut progress: impl FnMut(f64),
) -> Result<Comparison> {
    let mut runs = Vec::new();
    for &engine in engines {
        runs.push(Run::start(gpu, workload, engine, seconds / engines.len() as f64).await?);
    }
    let started = Instant::now();
    loop {
        for run in &mut runs {
            run.sample().await?;
        }
        let rounds = runs.first().map_or(ROUNDS, |run| run.samples.len());
        let spent = started.elapsed().as_secs_f64() / seconds;
        progress(spent.min(rounds as f64 / ROUNDS as f64).min(1.0));
        if rounds >= ROUNDS && spent >= 1.0 {
            break;
        }
    }
    let mut costs = Vec::new();
    for run in runs {
        costs.push(run.finish().await?);
    }
    Ok(Comparison { workload, engines: costs })
}

/// One engine while it is timed.
struct Run {
    kind: EngineKind,
    trainer: Trainer<GpuEngine>,
    steps: usize,
    samples: Vec<f64>,
    gpu_bytes: u64,
    setup: Duration,
}

impl Run {
    /// Makes the engine and warms it up; `seconds` is what all its samples together may take.
    async fn start(gpu: &Gpu, workload: Workload, kind: EngineKind, seconds: f64) -> Result<Self> {
        let (recipe, data) = (workload.recipe()?, workload.dataset()?);
        let held = gpu.bytes_held();
        let started = Instant::now();
        let engine = match kind {
            EngineKind::Fused => GpuEngine::fused(gpu, recipe, &data).await?,
            EngineKind::Unfused => GpuEngine::unfused(gpu, recipe, &data).await?,
        };
        let mut trainer = Trainer::new(engine);
        trainer.steps(1).await?;
        let setup = started.elapsed();
        let gpu_bytes = gpu.bytes_held() - held;
        let started = Instant::now();
        trainer.steps(2).await?;
        let step = started.elapsed().as_secs_f64() / 2.0;
        let steps = (seconds / ROUNDS as f64 / step) as usize;
        let steps = steps.clamp(1, MOST_STEPS);
        Ok(Self { kind, trainer, steps, samples: Vec::new(), gpu_bytes, setup })
    }

    async fn sample(&mut self) -> Result<()> {
        let started = Instant::now();
        self.trainer.steps(self.steps).await?;
        self.samples.push(started.elapsed().as_secs_f64() * 1e6 / self.steps as f64);
        Ok(())
    }

    async fn finish(mut self) -> Result<EngineCost> {
        let kernels = self.profile().await?;
        let engine = self.trainer.engine();
        Ok(EngineCost {
            engine: self.kind,
            us_per_step: Spread::of(self.samples),
            dispatches_per_step: engine.dispatches_per_step(),
            submissions_per_100_steps: 100.0 / self.steps as f64,
            bytes_per_step: engine.bytes_per_step(),
            gpu_bytes: self.gpu_bytes,
            setup: self.setup,
            kernels,
        })
    }

    async fn profile(&mut self) -> Result<Option<Vec<KernelTime>>> {
        let mut profiles = Vec::new();
        for _ in 0..PROFILED {
            match self.trainer.engine().profile().await? {
                Some(times) => profiles.push(times),
                None => return Ok(None),
            }
        }
        // Brings the last error to light, if the profiled steps left one.
        self.trainer.engine().collect().await?;
        let median = |index: usize| {
            let mut times: Vec<_> = profiles.iter().map(|times| times[index].time).collect();
            times.sort();
            KernelTime { kernel: profiles[0][index].kernel, time: times[times.len() / 2] }
        };
        Ok(Some((0..profiles[0].len()).map(median).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::WORKLOADS;

    fn cost(engine: EngineKind, median: f64) -> EngineCost {
        EngineCost {
            engine,
            us_per_step: Spread::of(vec![median]),
            dispatches_per_step: 1,
            submissions_per_100_steps: 1.0,
            bytes_per_step: 1,
            gpu_bytes: 1,
            setup: Duration::ZERO,
            kernels: None,
        }
    }

    #[test]
    fn faster_engines_have_a_higher_speedup_and_share() {
        let engines = vec![cost(EngineKind::Unfused, 1200.0), cost(EngineKind::Fused, 300.0)];
        let comparison = Comparison { workload: WORKLOADS[0], engines };
        assert_eq!(comparison.speedup(), Some(4.0));
        // 2,637,824 operations at 26.37824 GFLOP/s take 100 us, a third of the fused engine's time.
        let ceilings = Ceilings { flops_per_second: 26.37824e9, bytes_per_second: 1e15 };
        let share = comparison.share_of_limit(&comparison.engines[1], &ceilings);
        assert!((share - 1.0 / 3.0).abs() < 1e-12, "{share}");
        let alone = Comparison { engines: vec![cost(EngineKind::Fused, 1.0)], ..comparison };
        assert_eq!(alone.speedup(), None);
    }
}
