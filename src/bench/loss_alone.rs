//! The fused loss pass by itself, with few and with many classes.

use super::ceilings::wait;
use super::{Ceilings, Spread};
use crate::data::{Matrix, Target};
use crate::error::Result;
use crate::gpu::{Buffer, Gpu};
use crate::loss::{Labels, Loss, LossBuffers, LossPass, Sums, Task};
use crate::weighting::AutomaticWeightedLoss;
use std::time::Instant;

/// Numbers of classes that `awl bench` times the loss pass at.
pub const CLASSES: [usize; 3] = [10, 100, 1000];
/// Rows of the loss pass, where one binding of the adapter holds as many.
const ROWS: usize = 65_536;

/// What a loss pass costs: one head with `mse` (width 1) and one with `cross_entropy`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossCost {
    /// Classes of the second head.
    pub classes: usize,
    /// Rows: 65,536, or the most that one of the adapter's bindings holds.
    pub rows: usize,
    /// Microseconds a pass.
    pub us_per_pass: Spread,
    /// Dispatches a pass.
    pub dispatches: usize,
    /// What must be read and written: predictions, labels, and the gradient at every prediction.
    pub bytes: u64,
}

impl LossCost {
    /// The share of the adapter's copy bandwidth that the pass reaches.
    pub fn share_of_limit(&self, ceilings: &Ceilings) -> f64 {
        ceilings.least_seconds(0, self.bytes) * 1e6 / self.us_per_pass.median
    }
}

/// Times the loss pass for about `seconds`, five times at least.
///
/// # Errors
/// Those of [`LossPass::new`].
pub async fn loss_alone(gpu: &Gpu, classes: usize, seconds: f64) -> Result<LossCost> {
    let width = 1 + classes;
    let most = gpu.device().limits().max_storage_buffer_binding_size / (4 * width as u64);
    let rows = ROWS.min(most as usize);
    let tasks =
        [Task::new("value", Loss::Mse, 1), Task::new("kind", Loss::cross_entropy(), classes)];
    let value = Matrix::new(1, (0..rows).map(|row| (row % 7) as f32 / 7.0).collect())?;
    let kinds = (0..rows).map(|row| (row * 31 % classes) as u32).collect();
    let labels = Labels::pack(&tasks, &[Target::numbers(value), Target::classes(kinds)])?;
    let predictions: Vec<f32> = (0..rows * width).map(|index| (index % 13) as f32 / 13.0).collect();
    let make = || {
        Ok((
            Buffer::storage(gpu, "predictions", &predictions)?,
            Buffer::storage(gpu, "labels", &labels.words)?,
            Buffer::storage(gpu, "sigma", &[1f32, 1.0])?,
            Buffer::<f32>::zeros(gpu, "gradient", rows * width)?,
        ))
    };
    let (predictions, words, sigma, gradient) = gpu.guarded(make).await?;
    let buffers = LossBuffers {
        predictions: predictions.raw(),
        labels: words.raw(),
        sigma: sigma.raw(),
        gradient: gradient.raw(),
    };
    let weighting = AutomaticWeightedLoss::new(2).into();
    let pass =
        LossPass::new(gpu, &labels.layouts, rows, &weighting, buffers, Sums::OneDispatch).await?;
    let bytes = 4 * (2 * predictions.len() + words.len()) as u64;
    let us_per_pass = time(gpu, &pass, seconds)?;
    Ok(LossCost { classes, rows, us_per_pass, dispatches: pass.dispatches(), bytes })
}

fn time(gpu: &Gpu, pass: &LossPass, seconds: f64) -> Result<Spread> {
    let run = || -> Result<f64> {
        let started = Instant::now();
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        pass.encode(&mut encoder);
        wait(gpu, gpu.queue().submit([encoder.finish()]))?;
        Ok(started.elapsed().as_secs_f64() * 1e6)
    };
    run()?;
    let started = Instant::now();
    let mut samples = Vec::new();
    while samples.len() < 5 || started.elapsed().as_secs_f64() < seconds {
        samples.push(run()?);
    }
    Ok(Spread::of(samples))
}
