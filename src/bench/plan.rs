//! What an adapter would run for a workload, without running it.

use super::growth::held;
use super::{EngineKind, Workload};
use crate::engine::GpuEngine;
use crate::error::Result;
use crate::gpu::Gpu;

/// What an engine would make a workload's steps with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepPlan {
    /// The workload.
    pub workload: Workload,
    /// The engine.
    pub engine: EngineKind,
    /// The step, or why the adapter cannot hold the workload.
    pub step: std::result::Result<PlannedStep, String>,
}

/// A program and its dispatches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedStep {
    /// [`GpuEngine::program`].
    pub program: &'static str,
    /// Each kernel's name and its dispatches a step, in the order in which a step first dispatches them.
    pub kernels: Vec<(&'static str, usize)>,
    /// The most steps that these dispatches make at once: [`GpuEngine::steps_per_round`].
    pub steps_per_round: usize,
}

impl PlannedStep {
    fn of(engine: &GpuEngine) -> Self {
        let mut kernels: Vec<(&str, usize)> = Vec::new();
        for kernel in engine.kernels() {
            match kernels.iter_mut().find(|(name, _)| *name == kernel) {
                Some((_, count)) => *count += 1,
                None => kernels.push((kernel, 1)),
            }
        }
        let steps_per_round = engine.steps_per_round();
        Self { program: engine.program(), kernels, steps_per_round }
    }

    /// Dispatches a step.
    pub fn dispatches(&self) -> usize {
        self.kernels.iter().map(|(_, count)| count).sum()
    }
}

/// What this engine would make the workload's steps with on this adapter: the engine is made, and asked.
///
/// # Errors
/// Those of [`GpuEngine::fused`], but for workloads that are too large.
pub async fn plan(gpu: &Gpu, workload: Workload, engine: EngineKind) -> Result<StepPlan> {
    let made = async {
        let made = engine.engine(gpu, workload.recipe()?, &workload.dataset()?).await?;
        Ok(PlannedStep::of(&made))
    };
    Ok(StepPlan { workload, engine, step: held(made.await)? })
}
