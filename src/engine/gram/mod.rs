//! The kernel that makes weights from Gram matrices (`shaders/gram/weights.wgsl`), which only tests run.

mod tests;

use super::rules::rounds_of_gradients;
use crate::error::Result;
use crate::gpu::{Buffer, Gpu, Work, kernels, read, render};
use crate::weighting::Scheme;
use crate::weighting::gradients::schemes;
use bytemuck::{Pod, Zeroable};
use serde::Serialize;

/// As in the kernel.
const MOST_SETTINGS: usize = 4;

/// What a problem is beside its numbers, as in the kernel.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Moment {
    /// The scheme's place among those of the kernel.
    scheme: u32,
    tasks: u32,
    step: u32,
    key: [u32; 2],
}

#[derive(Serialize)]
struct Functions {
    functions: Vec<String>,
}

/// The text of these schemes, and of the choice among them.
fn prologue(schemes: &[&dyn Scheme]) -> Result<String> {
    let function = |scheme: &&dyn Scheme| format!("{}_weigh", scheme.name().replace('-', "_"));
    let functions = Functions { functions: schemes.iter().map(function).collect() };
    let texts: Vec<&str> = schemes.iter().map(|scheme| scheme.wgsl()).collect();
    Ok(texts.join("\n") + &render("gram/weights", &functions)?)
}

/// Problems of one scheme and number of tasks.
struct Problems {
    scheme: &'static dyn Scheme,
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
    /// The most rounds of an invocation, where these are counted.
    rounds: Option<u32>,
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
        let kernel = gpu.shaped_kernel(&kernels::GRAM_WEIGHTS, &prologue(&[self.scheme])?, &[]);
        let buffers = [
            grams.binding(),
            losses.binding(),
            settings.binding(),
            moments.binding(),
            memory.binding(),
            weights.binding(),
            failed.binding(),
        ];
        let dispatch =
            kernel.dispatch(gpu, &buffers, Work::new(count, rounds_of_gradients(self.tasks)))?;
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        dispatch.record(&mut encoder.begin_compute_pass(&Default::default()), None);
        gpu.queue().submit([encoder.finish()]);
        let rounds = match &dispatch.counter {
            Some(counter) => read::<u32>(gpu, counter.raw(), 1).await?.pop(),
            None => None,
        };
        Ok(Answers {
            weights: read(gpu, weights.raw(), count * self.tasks).await?,
            memory: read(gpu, memory.raw(), self.memory.len()).await?,
            failed: read(gpu, failed.raw(), count).await?,
            rounds,
        })
    }
}
