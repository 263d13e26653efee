//! The engines side by side on one workload.

use super::turns::{Run, take_turns};
use super::{Ceilings, Spread, Workload};
use crate::data::Dataset;
use crate::engine::{GpuEngine, KernelTime, Recipe};
use crate::error::Result;
use crate::gpu::Gpu;
use std::time::Duration;

/// An engine that can be benchmarked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// [`GpuEngine::fused`](crate::GpuEngine::fused).
    Fused,
    /// [`GpuEngine::unfused`](crate::GpuEngine::unfused).
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

    /// The engine itself.
    pub(super) async fn engine(
        self,
        gpu: &Gpu,
        recipe: Recipe,
        data: &Dataset,
    ) -> Result<GpuEngine> {
        match self {
            Self::Fused => GpuEngine::fused(gpu, recipe, data).await,
            Self::Unfused => GpuEngine::unfused(gpu, recipe, data).await,
        }
    }
}

/// What a step costs in one engine.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineCost {
    /// The engine.
    pub engine: EngineKind,
    /// The program that made its steps: [`GpuEngine::program`](crate::GpuEngine::program).
    pub program: &'static str,
    /// Microseconds a step, submission and collection of the records included.
    pub us_per_step: Spread,
    /// Microseconds a step of the calling thread for encoding and submission, in submissions as large as those timed, each
    /// while the device has nothing else to do: wgpu's share and the driver's, by the wall clock. Where it comes near
    /// [`us_per_step`](Self::us_per_step), the host is the limit.
    pub host_us_per_step: Spread,
    /// Dispatches a step, without the two that open an epoch.
    pub dispatches_per_step: usize,
    /// The most steps that these dispatches make at once: [`GpuEngine::steps_per_round`].
    pub steps_per_round: usize,
    /// Submissions in 100 steps, as they were timed.
    pub submissions_per_100_steps: f64,
    /// What its kernels read and write: [`GpuEngine::bytes_per_step`](crate::GpuEngine::bytes_per_step).
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

    /// Unfused's time a step over fused's, the medians: above 1 where fused is faster, below where it is slower; `None`
    /// unless both were asked for.
    pub fn speedup(&self) -> Option<f64> {
        let median = |kind| self.engine(kind).map(|cost| cost.us_per_step.median);
        Some(median(EngineKind::Unfused)? / median(EngineKind::Fused)?)
    }

    /// The share of the adapter's limit that an engine reaches: the [least time](Ceilings::least_seconds) in which the
    /// adapter could make the step's [operations](Workload::flops) and move its [bytes](Workload::least_bytes), whichever
    /// takes longer, over the time that the engine took, submission included; `None` where a limit was not measured.
    ///
    /// It is above 1 where the step moves its bytes within caches, which are faster than the memory that was measured.
    pub fn share_of_limit(&self, cost: &EngineCost, ceilings: &Ceilings) -> Option<f64> {
        let least = ceilings.least_seconds(self.workload.flops(), self.workload.least_bytes())?;
        Some(least * 1e6 / cost.us_per_step.median)
    }
}

/// Times `engines` on a workload for about `seconds` (five rounds at least); `progress` hears of the share that is done.
///
/// # Errors
/// Those of [`GpuEngine::fused`](crate::GpuEngine::fused) and of training.
pub async fn compare(
    gpu: &Gpu,
    workload: Workload,
    engines: &[EngineKind],
    seconds: f64,
    progress: impl FnMut(f64),
) -> Result<Comparison> {
    let data = workload.dataset()?;
    let mut runs = Vec::new();
    for &engine in engines {
        let share = seconds / engines.len() as f64;
        let made = engine.engine(gpu, workload.recipe()?, &data);
        runs.push(Run::start(engine, made, share).await?);
    }
    take_turns(&mut runs, seconds, progress).await?;
    let mut costs = Vec::new();
    for run in runs {
        costs.push(run.finish().await?);
    }
    Ok(Comparison { workload, engines: costs })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::bench::WORKLOADS;

    pub fn cost(engine: EngineKind, median: f64) -> EngineCost {
        EngineCost {
            engine,
            program: "tiled",
            us_per_step: Spread::of(vec![median]),
            host_us_per_step: Spread::of(vec![1.0]),
            dispatches_per_step: 1,
            steps_per_round: 1,
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
        let ceilings =
            Ceilings { flops_per_second: Some(26.37824e9), bytes_per_second: Some(1e15) };
        let fused = &comparison.engines[1];
        let share = comparison.share_of_limit(fused, &ceilings);
        assert!(share.is_some_and(|share| (share - 1.0 / 3.0).abs() < 1e-12), "{share:?}");
        let unmeasured = Ceilings { flops_per_second: None, ..ceilings };
        assert_eq!(comparison.share_of_limit(fused, &unmeasured), None);
        let alone = Comparison { engines: vec![cost(EngineKind::Fused, 1.0)], ..comparison };
        assert_eq!(alone.speedup(), None);
    }
}
