//! What a step costs, dispatch by dispatch.

use super::device::{Training, Workspace};
use super::on_gpu::GpuEngine;
use super::step::Step;
use crate::error::Result;
use crate::gpu::{Clock, Dispatch, Readback};
use std::time::Duration;

/// The time of one of a step's dispatches on the GPU's own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelTime {
    /// The kernel's name: its file under `shaders/`.
    pub kernel: &'static str,
    /// From the start of its pass to the end.
    pub time: Duration,
}

impl GpuEngine {
    /// Bytes that a full step's kernels read and write, of all members: every buffer that a dispatch binds, once, and of
    /// those that hold the whole dataset the batch's part. What a cache keeps, and what a kernel reads again, is not known.
    pub fn bytes_per_step(&self) -> u64 {
        self.squads.iter().map(|squad| squad.training.bytes_per_step()).sum()
    }

    /// Bytes of the buffers that training uses on the device: the dataset, the state, and what lies between the
    /// dispatches of a step. What a driver adds to them is not known.
    pub fn gpu_bytes(&self) -> u64 {
        let mut buffers: Vec<&wgpu::Buffer> = Vec::new();
        let dispatches = self.squads.iter().flat_map(|squad| {
            let Training { workspace, program, .. } = &squad.training;
            program.dispatches.iter().chain(&program.opening).chain(workspace.preparing())
        });
        for buffer in dispatches.flat_map(Dispatch::bound) {
            if !buffers.contains(&buffer) {
                buffers.push(buffer);
            }
        }
        buffers.iter().map(|buffer| buffer.size()).sum()
    }

    /// Makes the next training step with every dispatch in a pass of its own, and says how long each took; `None`,
    /// and no step, on an adapter without timestamps. Of a fleet, the step of those members that share dispatches with the first.
    ///
    /// The step counts like any other; only its record is not kept.
    ///
    /// # Errors
    /// Those of [`submit`](super::Engine::submit).
    pub async fn profile(&mut self) -> Result<Option<Vec<KernelTime>>> {
        let Training { workspace, program, .. } = self.first();
        let Some(clock) = Clock::new(&workspace.gpu, program.dispatches.len() as u32) else {
            return Ok(None);
        };
        let times = self.squads[0].training.profile(&clock).await?;
        let kernels = self.kernels().into_iter();
        Ok(Some(kernels.zip(times).map(|(kernel, time)| KernelTime { kernel, time }).collect()))
    }
}

impl Training {
    fn bytes_per_step(&self) -> u64 {
        let Self { workspace, program, .. } = self;
        let (batch, rows) = (workspace.batch as u64, workspace.rows.at_once() as u64);
        let by_row = [
            workspace.rows.features.raw(),
            workspace.rows.labels.raw(),
            workspace.order.raw(),
            workspace.normalisers.raw(),
        ];
        let bytes = |buffer: &wgpu::Buffer| match by_row.contains(&buffer) {
            true => buffer.size() * batch / rows,
            false if buffer == workspace.records.raw() => {
                4 * (workspace.record_length() * workspace.seats()) as u64
            }
            false => buffer.size(),
        };
        program.dispatches.iter().flat_map(Dispatch::bound).map(bytes).sum()
    }

    async fn profile(&mut self, clock: &Clock) -> Result<Vec<Duration>> {
        let gpu = self.workspace.gpu.clone();
        gpu.check()?;
        let Workspace { rows, recipe, .. } = &self.workspace;
        let step = Step::numbered(self.last_step(0) + 1, rows.count, recipe.batch);
        let members: Vec<usize> = (0..self.workspace.seats()).collect();
        self.workspace.write_steps(&[step], &members)?;
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        self.prepare(&mut encoder, &step, &members);
        let dispatches = &self.program.dispatches;
        for (dispatch, index) in dispatches.iter().zip(0..) {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some(dispatch.label()),
                timestamp_writes: Some(clock.writes(index)),
            });
            dispatch.record(&mut pass, Some(self.workspace.steps.slot(0, members.len())));
        }
        let bytes = Clock::BYTES * dispatches.len() as u64;
        let readback = Readback::new(&gpu, "times", bytes);
        clock.resolve(&mut encoder, readback.buffer(), 0);
        let submission = gpu.queue().submit([encoder.finish()]);
        self.made(&step, &step, &members);
        let pending = readback.request(submission);
        let read = |view: &[u8]| {
            let pairs = view[..bytes as usize].chunks(Clock::BYTES as usize);
            pairs.map(|pair| Clock::elapsed(&gpu, pair)).collect()
        };
        readback.finish(&gpu, pending, read).await
    }
}
