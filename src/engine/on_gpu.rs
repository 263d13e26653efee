//! The engines on the GPU: one machine, two ways to make a step.

use super::blocks::Blocks;
use super::checks::none_held_out;
use super::device::{Covers, Planner, Resident, Training};
use super::held_out::HeldOut;
use super::programs;
use super::recipe::Recipe;
use super::state::State;
use super::step::{Record, Step};
use super::{Answer, Engine};
use crate::data::{Dataset, Matrix};
use crate::error::Result;
use crate::gpu::{Dispatch, Gpu};
use std::time::Duration;

/// A training engine on the GPU: the data, the state and every kernel stay there; the host only says which
/// steps to make and collects their records.
pub struct GpuEngine {
    name: &'static str,
    pub(super) training: Training,
    /// For rows held out.
    plan: Planner,
    blocks: Option<Blocks>,
    held_out: Option<HeldOut>,
}

impl GpuEngine {
    /// The fused engine: one dispatch for all losses, task weights and gradients at the predictions; all sums, and
    /// with them the total and σ's gradient, are finished inside the kernel that applies Adam.
    ///
    /// # Errors
    /// Those of [`Recipe::check`]; [`Invalid`](crate::Error::Invalid) for a hyper-parameter that `f32` cannot
    /// hold; [`TooLarge`](crate::Error::TooLarge) for a tensor beyond the adapter's limits, among them the
    /// dataset's features, which must fit into one binding (128 MiB is what every adapter has);
    /// [`OutOfMemory`](crate::Error::OutOfMemory). [`Invalid`](crate::Error::Invalid) also where the environment variable
    /// `AWL_PROGRAM` names no program, or one that does not take the network on this adapter.
    pub async fn fused(gpu: &Gpu, recipe: Recipe, data: &Dataset) -> Result<Self> {
        let plans = [programs::fused_or_named, programs::fused];
        Self::new(gpu, recipe, data, "fused", plans).await
    }

    /// The unfused engine: a kernel an operation, as an eager framework runs them; same results.
    ///
    /// # Errors
    /// Those of [`fused`](Self::fused).
    pub async fn unfused(gpu: &Gpu, recipe: Recipe, data: &Dataset) -> Result<Self> {
        Self::new(gpu, recipe, data, "unfused", [programs::unfused; 2]).await
    }

    pub(super) async fn new(
        gpu: &Gpu,
        recipe: Recipe,
        data: &Dataset,
        name: &'static str,
        [train, plan]: [Planner; 2],
    ) -> Result<Self> {
        recipe.check(data)?;
        recipe.check_single()?;
        let make = || {
            let resident = Resident::new(gpu, recipe, data)?;
            let program = train(&resident)?;
            let training = Training::new(resident, program);
            Ok(Self { name, training, plan, blocks: None, held_out: None })
        };
        gpu.guarded(make).await
    }

    /// The program that makes the steps: of the fused engine the first of its list that takes the network on this adapter
    /// (`docs/architecture.md`), or the one that the environment variable `AWL_PROGRAM` names.
    pub fn program(&self) -> &'static str {
        self.training.program.name
    }

    /// Number of dispatches a step, not counting those that open an epoch or a submission; 1 where one dispatch makes many steps.
    pub fn dispatches_per_step(&self) -> usize {
        self.training.program.dispatches.len()
    }

    /// The kernels of a step, a name a dispatch, in order: their files under `shaders/`.
    pub fn kernels(&self) -> Vec<&'static str> {
        self.training.program.dispatches.iter().map(Dispatch::label).collect()
    }

    /// The most steps that one round of the [kernels](Self::kernels) makes: 1, but for programs that make runs of steps.
    pub fn steps_per_round(&self) -> usize {
        match self.training.program.covers {
            Covers::Step => 1,
            Covers::Run(most) => most,
        }
    }

    async fn blocks(&mut self) -> Result<&Blocks> {
        let blocks = match self.blocks.take() {
            Some(blocks) => blocks,
            None => {
                let Resident { gpu, recipe, parameters, .. } = &self.training.resident;
                gpu.guarded(|| Blocks::new(gpu, &recipe.network, parameters)).await?
            }
        };
        Ok(self.blocks.insert(blocks))
    }
}

impl Engine for GpuEngine {
    fn name(&self) -> &'static str {
        self.name
    }

    fn recipe(&self) -> &Recipe {
        &self.training.resident.recipe
    }

    fn rows(&self) -> usize {
        self.training.resident.rows
    }

    fn submit(&mut self, steps: &[Step]) -> Result<()> {
        self.training.submit(steps)
    }

    fn collect(&mut self) -> Answer<'_, Vec<Record>> {
        Box::pin(self.training.collect())
    }

    fn predict<'a>(&'a mut self, features: &'a Matrix) -> Answer<'a, Matrix> {
        Box::pin(async move {
            if self.training.is_under_way() {
                self.training.settle().await?;
            }
            let Resident { gpu, recipe, .. } = &self.training.resident;
            let (gpu, network) = (gpu.clone(), recipe.network.clone());
            self.blocks().await?.predict(&gpu, &network, features).await
        })
    }

    fn hold_out<'a>(&'a mut self, rows: &'a Dataset) -> Answer<'a, ()> {
        Box::pin(async move {
            let Resident { gpu, recipe, .. } = &self.training.resident;
            recipe.check_rows("the rows held out", rows)?;
            self.held_out = Some(HeldOut::new(gpu, recipe, rows, self.plan).await?);
            Ok(())
        })
    }

    fn validate(&mut self) -> Answer<'_, Vec<Option<f64>>> {
        Box::pin(async move {
            let held_out = self.held_out.as_mut().ok_or_else(none_held_out)?;
            held_out.losses(&self.training.resident.parameters).await
        })
    }

    fn state(&mut self) -> Answer<'_, State> {
        Box::pin(self.training.state())
    }

    fn load(&mut self, state: &State) -> Result<()> {
        self.training.load(state)
    }

    fn last_step(&self) -> u64 {
        self.training.last_step()
    }

    fn gpu_time(&self) -> Option<Duration> {
        self.training.gpu_time()
    }
}
