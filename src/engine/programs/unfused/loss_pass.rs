//! The unfused loss pass by itself: what [`LossPass`](crate::LossPass) is measured against.

use super::loss::{Tensors, dispatches};
use crate::engine::device::Steps;
use crate::engine::device::infos::{MemberInfo, StepInfo};
use crate::engine::outcome::FIELDS;
use crate::error::Result;
use crate::gpu::{Buffer, Dispatch, Gpu, read};
use crate::loss::normalisers::{self, Batches};
use crate::loss::{LossBuffers, LossResults, Task, TaskLayout};
use crate::weighting::Weighting;

/// The loss part of the unfused engine's step over rows in order, all of them in one batch.
pub(crate) struct UnfusedLossPass {
    gpu: Gpu,
    dispatches: Vec<Dispatch>,
    steps: Steps,
    /// Total, then [`FIELDS`] of each task.
    records: Buffer<f32>,
    sigma_gradient: Buffer<f32>,
}

impl UnfusedLossPass {
    /// Prepares a pass over `rows` rows. The normalisers, which follow from the labels alone, are found here, once, as the
    /// engine finds them once an epoch; only the scheme of `weighting` matters, its parameters are read from
    /// `buffers.sigma`.
    ///
    /// # Errors
    /// [`TooLarge`](crate::Error::TooLarge), or whatever the device says.
    pub async fn new(
        gpu: &Gpu,
        tasks: &[Task],
        layouts: &[TaskLayout],
        rows: usize,
        weighting: &Weighting,
        buffers: LossBuffers<'_>,
    ) -> Result<Self> {
        gpu.guarded(|| Self::create(gpu, tasks, layouts, rows, weighting, buffers)).await
    }

    fn create(
        gpu: &Gpu,
        tasks: &[Task],
        layouts: &[TaskLayout],
        rows: usize,
        weighting: &Weighting,
        buffers: LossBuffers<'_>,
    ) -> Result<Self> {
        let in_order: Vec<u32> = (0..rows as u32).collect();
        let records = Buffer::zeros(gpu, "the records", 1 + FIELDS * tasks.len())?;
        let tensors = Tensors {
            tasks,
            rows,
            buffers,
            layouts: &Buffer::storage(gpu, "the tasks", layouts)?,
            order: &Buffer::storage(gpu, "the order of the rows", &in_order)?,
            normalisers: &Buffer::zeros(gpu, "the normalisers", tasks.len())?,
            records: &records,
        };
        let steps = Steps::new(gpu, 1, 1)?;
        let member = MemberInfo { scheme: weighting.code(), ..MemberInfo::default() };
        steps.write(gpu, &[StepInfo::forward(rows, rows)], &[member]);
        normalise(gpu, &tensors)?;
        let (dispatches, sigma_gradient) = dispatches(gpu, &tensors)?;
        Ok(Self { gpu: gpu.clone(), dispatches, steps, records, sigma_gradient })
    }

    /// Number of dispatches.
    pub fn dispatches(&self) -> usize {
        self.dispatches.len()
    }

    /// Records the pass.
    pub fn encode(&self, encoder: &mut wgpu::CommandEncoder) {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("unfused loss pass"),
            timestamp_writes: None,
        });
        for dispatch in &self.dispatches {
            dispatch.record(&mut pass, Some(self.steps.slot(0, 1)));
        }
    }

    /// Reads the results of the last pass submitted.
    pub async fn read(&self) -> Result<LossResults> {
        let record: Vec<f32> = read(&self.gpu, self.records.raw(), self.records.len()).await?;
        let sigma_gradient = &self.sigma_gradient;
        let sigma_gradient = read(&self.gpu, sigma_gradient.raw(), sigma_gradient.len()).await?;
        let field = |index: usize| record[1..].chunks(FIELDS).map(|task| task[index]).collect();
        Ok(LossResults { total: record[0], losses: field(0), weights: field(1), sigma_gradient })
    }
}

/// Fills the normalisers of the one batch.
fn normalise(gpu: &Gpu, tensors: &Tensors<'_>) -> Result<()> {
    let Tensors { rows, layouts, .. } = *tensors;
    let batches =
        Batches { labels: tensors.buffers.labels, layouts, order: None, rows, size: rows };
    let dispatches = normalisers::normalising(gpu, &batches, tensors.normalisers)?.dispatches;
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    {
        let mut pass = encoder.begin_compute_pass(&Default::default());
        dispatches.iter().for_each(|dispatch| dispatch.record(&mut pass, None));
    }
    gpu.queue().submit([encoder.finish()]);
    Ok(())
}
