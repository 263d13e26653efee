//! The fused and the unfused loss pass on the same buffers.

use super::EngineKind;
use super::ceilings::wait;
use crate::data::{Matrix, Target};
use crate::engine::UnfusedLossPass;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu, read};
use crate::loss::{Labels, LossBuffers, LossPass, LossResults, Sums, Task};
use crate::weighting::Weighting;

/// The loss pass of each engine over the same predictions and labels: [`LossPass`] beside what the unfused engine runs,
/// a kernel an operation. Both write their gradient to the same place.
pub struct LossPasses {
    gpu: Gpu,
    fused: LossPass,
    unfused: UnfusedLossPass,
    gradient: Buffer<f32>,
    columns: usize,
    bytes: u64,
}

impl LossPasses {
    /// Uploads the input and prepares both passes. `predictions` has the shape `[rows, Σ widths]`, the tasks' columns side
    /// by side; the weighting starts, and stays, at its own parameters.
    ///
    /// # Errors
    /// Those of [`Labels::pack`] and [`LossPass::new`]; [`Error::Mismatch`] for predictions of another shape.
    pub async fn new(
        gpu: &Gpu,
        tasks: &[Task],
        targets: &[Target],
        predictions: &Matrix,
        weighting: &Weighting,
    ) -> Result<Self> {
        let labels = Labels::pack(tasks, targets)?;
        let rows = targets.first().map_or(0, Target::rows);
        check(tasks, rows, predictions)?;
        let make = || {
            Ok((
                Buffer::storage(gpu, "predictions", predictions.values())?,
                Buffer::storage(gpu, "labels", &labels.words)?,
                Buffer::storage(gpu, "sigma", weighting.parameters())?,
                Buffer::<f32>::zeros(gpu, "gradient", predictions.values().len())?,
            ))
        };
        let (values, words, sigma, gradient) = gpu.guarded(make).await?;
        let buffers = LossBuffers {
            predictions: values.raw().slice(..),
            labels: words.raw().slice(..),
            sigma: sigma.raw().slice(..),
            gradient: gradient.raw().slice(..),
        };
        let layouts = &labels.layouts;
        let sums = Sums::default();
        Ok(Self {
            fused: LossPass::new(gpu, layouts, rows, weighting, buffers, sums).await?,
            unfused: UnfusedLossPass::new(gpu, tasks, layouts, rows, weighting, buffers).await?,
            bytes: 4 * (values.len() + gradient.len() + words.len()) as u64,
            columns: predictions.columns(),
            gpu: gpu.clone(),
            gradient,
        })
    }

    /// Dispatches of this engine's pass.
    pub fn dispatches(&self, engine: EngineKind) -> usize {
        match engine {
            EngineKind::Fused => self.fused.dispatches(),
            EngineKind::Unfused => self.unfused.dispatches(),
        }
    }

    /// The fewest bytes that a pass can read and write: predictions, labels, and the gradient at every prediction.
    pub fn least_bytes(&self) -> u64 {
        self.bytes
    }

    /// Makes one pass and waits until it is done.
    ///
    /// # Errors
    /// Whatever the device says.
    pub fn run(&self, engine: EngineKind) -> Result<()> {
        let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
        match engine {
            EngineKind::Fused => self.fused.encode(&mut encoder),
            EngineKind::Unfused => self.unfused.encode(&mut encoder),
        }
        wait(&self.gpu, self.gpu.queue().submit([encoder.finish()]))
    }

    /// Makes one pass; its results, and the gradient at every prediction, `[rows, Σ widths]`.
    ///
    /// # Errors
    /// Whatever the device says.
    pub async fn results(&self, engine: EngineKind) -> Result<(LossResults, Matrix)> {
        self.run(engine)?;
        let results = match engine {
            EngineKind::Fused => self.fused.read().await?,
            EngineKind::Unfused => self.unfused.read().await?,
        };
        let gradient = read(&self.gpu, self.gradient.raw(), self.gradient.len()).await?;
        Ok((results, Matrix::new(self.columns, gradient)?))
    }
}

fn check(tasks: &[Task], rows: usize, predictions: &Matrix) -> Result<()> {
    let widths = tasks.iter().map(Task::outputs).sum();
    let sizes = [("columns", predictions.columns(), widths), ("rows", predictions.rows(), rows)];
    match sizes.into_iter().find(|(_, found, expected)| found != expected) {
        Some((unit, found, expected)) => Err(Error::Mismatch {
            what: "the predictions".into(),
            unit,
            found,
            expected,
            why: "the tasks' widths side by side, a row for each label".into(),
        }),
        None => Ok(()),
    }
}
