//! The fused loss pass by itself, on a caller's own buffers.

use super::Loss;
use super::buffers::{LossBuffers, check};
use super::labels::TaskLayout;
use super::normalisers::{self, Batches};
use super::spread::{LANES, constants, work};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Dispatch, Gpu, REDUCTION, Work, kernels, part, read, rounds_of};
use crate::weighting::{Kind, Weighting};

/// How the workgroups' shares of the losses are added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sums {
    /// In a fixed order, by a dispatch of their own: the same input gives the same bits, and a mean over ten million rows is good
    /// to 1e-6.
    #[default]
    Repeatable,
    /// In the same dispatch, by atomics: the order of rounding, and with it the last bits of losses, total and σ gradients,
    /// may differ from run to run; means are good to 1e-5. It saves a tiny dispatch, and has up to 256 workgroups try for the same few addresses one
    /// after the other: on llvmpipe the two take the same time, on a GPU the attempts should take longer than the dispatch.
    OneDispatch,
}

/// What a loss pass finds.
#[derive(Clone, Debug, PartialEq)]
pub struct LossResults {
    /// The weighted sum of the losses with the weighting's own terms.
    pub total: f32,
    /// Mean loss of each task over its labelled rows; 0 for a task without a label.
    pub losses: Vec<f32>,
    /// `∂total/∂loss` of each task.
    pub weights: Vec<f32>,
    /// `∂total/∂σ` of each task, or `∂total/∂(ln σ²)`, as `sigma` holds it; 0 for a task without a label, and where weights
    /// are given.
    pub sigma_gradient: Vec<f32>,
}

/// The fused loss pass, bound to buffers of your own: encode it as often as their contents change.
///
/// One pass over the rows gives every task's loss, the weighted total, the task weights, the gradient of the total at
/// every prediction and at every σ. One is enough because a task's weight depends on its σ alone, and total and ∂total/∂σ
/// are linear in the losses: the gradient at a prediction need not wait for the sums, and each workgroup's share of the
/// sums can simply be added up, by the same dispatch or by a tiny one after it ([`Sums`]). Where tasks have masks or class
/// weights, one or two dispatches before it find what their losses are divided by, from the labels alone. No optional
/// feature of the GPU is needed.
///
/// ```
/// use awl::loss::{Labels, LossBuffers, LossPass, Sums};
/// use awl::*;
/// use wgpu::util::DeviceExt;
/// # pollster::block_on(async {
/// let gpu = Gpu::new().await?; // or Gpu::from_device, with a device of your own
/// let tasks = [Task::new("size", Loss::Mse, 1), Task::new("kind", Loss::cross_entropy(), 3)];
/// let targets = [Target::numbers(Matrix::new(1, vec![1.0, 2.0])?), Target::classes(vec![2, 0])];
/// let labels = Labels::pack(&tasks, &targets)?;
/// let buffer = |contents: &[u8]| {
///     let usage = wgpu::BufferUsages::STORAGE;
///     gpu.device().create_buffer_init(&wgpu::util::BufferInitDescriptor { label: None, contents, usage })
/// };
/// // Two rows; a row is the prediction of the size, then the logits of the kinds.
/// let predictions = buffer(bytemuck::cast_slice(&[1.5f32, 0.0, 0.0, 0.0, 2.5, 0.0, 0.0, 0.0]));
/// let gradient = buffer(bytemuck::cast_slice(&[0f32; 8]));
/// let words = buffer(bytemuck::cast_slice(&labels.words));
/// let sigma = buffer(bytemuck::cast_slice(&[1f32, 1.0]));
/// let buffers = LossBuffers {
///     predictions: predictions.slice(..),
///     labels: words.slice(..),
///     sigma: sigma.slice(..),
///     gradient: gradient.slice(..),
/// };
/// let weighting = AutomaticWeightedLoss::new(2).into();
/// let pass = LossPass::new(&gpu, &labels.layouts, 2, &weighting, buffers, Sums::Repeatable).await?;
///
/// let mut encoder = gpu.device().create_command_encoder(&Default::default());
/// pass.encode(&mut encoder);
/// gpu.queue().submit([encoder.finish()]);
/// let results = pass.read().await?; // or use pass.results() on the GPU
/// assert!((results.losses[0] - 0.25).abs() < 1e-6);
/// assert!((results.losses[1] - 3f32.ln()).abs() < 1e-6);
/// # Ok::<(), Error>(()) })?;
/// # Ok::<(), Error>(())
/// ```
pub struct LossPass {
    gpu: Gpu,
    dispatches: Vec<Dispatch>,
    results: Buffer<f32>,
    tasks: usize,
    learned: Learned,
}

/// What an optimizer needs to learn the weighting's parameters by what a pass finds.
pub(crate) struct Learned {
    /// The caller's buffer, and where in it the parameters lie, in bytes.
    pub sigma: wgpu::Buffer,
    pub range: std::ops::Range<u64>,
    pub weighting: Weighting,
    /// What each task's losses are divided by: 0 without a label, `[tasks]`.
    pub normalisers: Buffer<f32>,
}

impl LossPass {
    /// Prepares a pass over `rows` rows of these tasks. Only the scheme and form of `weighting` matter: its parameters
    /// are read from `buffers.sigma` each time. Whoever updates them keeps them at the form's
    /// [least](crate::SigmaForm::least_parameter) or above, as [`AdamPass`](crate::optimizer::AdamPass) does.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no tasks, no rows, a width of 0, rows or tasks whose predictions overlap, a buffer
    /// that is not a storage buffer or starts where the device binds none, or a gradient in a buffer from which something is read;
    /// [`Error::Mismatch`] for a buffer shorter than the layouts say; [`Error::TooLarge`] for one beyond
    /// what the device binds; or whatever the device says.
    ///
    /// What lies *in* the buffers is yours to keep right: a class index must be below its task's width, else its
    /// row's loss is meaningless (no memory of others is touched).
    ///
    /// # Panics
    /// Where wgpu does: if a buffer belongs to another device than `gpu`.
    pub async fn new(
        gpu: &Gpu,
        layouts: &[TaskLayout],
        rows: usize,
        weighting: &Weighting,
        buffers: LossBuffers<'_>,
        sums: Sums,
    ) -> Result<Self> {
        check(gpu, layouts, rows, buffers)?;
        if weighting.scheme().kind() != Kind::Parameter {
            return Err(Error::invalid(
                format!(
                    "the weighting {} finds its weights from losses or gradients, which a loss pass does not have before it",
                    weighting.name()
                ),
                "find the weights yourself, give them as sigma, and pass Weighting::fixed",
            ));
        }
        if let Some(k) = layouts.iter().position(TaskLayout::predicts_noise)
            && weighting.is_learned()
        {
            return Err(Error::invalid(
                format!(
                    "the loss of task {k} may be below 0, where the weighting {} has no least total",
                    weighting.name()
                ),
                "pass Weighting::equal or Weighting::fixed, or use a loss without a noise of its own, such as mse",
            ));
        }
        let make = || Self::create(gpu, layouts, rows, weighting, buffers, sums);
        gpu.guarded(make).await
    }

    fn create(
        gpu: &Gpu,
        layouts: &[TaskLayout],
        rows: usize,
        weighting: &Weighting,
        buffers: LossBuffers<'_>,
        sums: Sums,
    ) -> Result<Self> {
        let tasks = layouts.len();
        let work = work(gpu, layouts, rows);
        let keeps_shares = sums == Sums::Repeatable;
        let shares = if keeps_shares { work.workgroups * tasks } else { 0 };
        let results = Buffer::zeros(gpu, "loss results", 1 + 3 * tasks + shares)?;
        let scheme = ("SCHEME", f64::from(weighting.code()));
        let mut constants = constants(gpu, layouts).to_vec();
        constants.extend([scheme, ("KEEP_SHARES", f64::from(u8::from(keeps_shares)))]);
        let info = Buffer::storage(gpu, "loss pass", &[rows as u32])?;
        let normalisers = Buffer::storage(gpu, "normalisers", &of_all_rows(layouts, rows))?;
        let vary = normalisers::vary(layouts);
        let layouts = Buffer::storage(gpu, "tasks", layouts)?;
        let mut dispatches = Vec::new();
        if vary {
            let (labels, layouts) = (buffers.labels, &layouts);
            let batches = Batches { labels, layouts, order: None, rows, size: rows };
            dispatches = normalisers::normalising(gpu, &batches, &normalisers)?.dispatches;
        }
        let sigma = buffers.sigma;
        let buffers = [
            info.binding(),
            part(buffers.predictions),
            part(buffers.labels),
            layouts.binding(),
            part(buffers.sigma),
            part(buffers.gradient),
            results.binding(),
            normalisers.binding(),
        ];
        let kernel = gpu.kernel(&kernels::LOSS_ALONE, &constants);
        dispatches.push(kernel.dispatch(gpu, &buffers, work)?);
        if keeps_shares {
            let info = [tasks as u32, work.workgroups as u32];
            let info = Buffer::storage(gpu, "loss sums", &info)?;
            let [_, _, _, _, sigma, _, results, of_tasks] = buffers;
            let buffers = [info.binding(), sigma, results, of_tasks];
            let kernel = gpu.kernel(&kernels::LOSS_ALONE_SUM, &[scheme]);
            let each = rounds_of(work.workgroups, 0);
            let work = Work::new(1, rounds_of(tasks.div_ceil(LANES), each) + REDUCTION);
            dispatches.push(kernel.dispatch(gpu, &buffers, work)?);
        }
        let learned = Learned {
            sigma: sigma.buffer().clone(),
            range: sigma.offset()..sigma.offset() + 4 * tasks as u64,
            weighting: weighting.clone(),
            normalisers,
        };
        Ok(Self { gpu: gpu.clone(), dispatches, results, tasks, learned })
    }

    /// What an optimizer needs beside the [`results`](Self::results).
    pub(crate) fn learned(&self) -> &Learned {
        &self.learned
    }

    /// Number of tasks.
    pub(crate) fn tasks(&self) -> usize {
        self.tasks
    }

    /// What it records.
    #[cfg(test)]
    pub(crate) fn encoded(&self) -> &[Dispatch] {
        &self.dispatches
    }

    /// Number of dispatches: 1, with [`Sums::Repeatable`] one more, and one or two more where a task has a mask or class
    /// weights.
    pub fn dispatches(&self) -> usize {
        self.dispatches.len()
    }

    /// Records the pass; submission is up to you.
    pub fn encode(&self, encoder: &mut wgpu::CommandEncoder) {
        encoder.clear_buffer(self.results.raw(), 0, None);
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("loss pass"),
            timestamp_writes: None,
        });
        for dispatch in &self.dispatches {
            dispatch.record(&mut pass, None);
        }
    }

    /// The results on the GPU, `f32`: total, then losses, weights and σ gradients, `[tasks]` each.
    pub fn results(&self) -> &wgpu::Buffer {
        self.results.raw()
    }

    /// Reads the results of the last pass submitted.
    ///
    /// # Errors
    /// Whatever the device says.
    pub async fn read(&self) -> Result<LossResults> {
        let length = 1 + 3 * self.tasks;
        let values: Vec<f32> = read(&self.gpu, self.results.raw(), length).await?;
        let (total, rest) = values.split_at(1);
        let mut parts = rest.chunks(self.tasks).map(<[f32]>::to_vec);
        let mut part = || parts.next().unwrap_or_default();
        Ok(LossResults { total: total[0], losses: part(), weights: part(), sigma_gradient: part() })
    }
}

/// What the losses of rows without masks and class weights are divided by.
fn of_all_rows(layouts: &[TaskLayout], rows: usize) -> Vec<f32> {
    let of = |task: &TaskLayout| match task.loss == Loss::cross_entropy().code() {
        true => rows as f32,
        false => (rows as f64 * f64::from(task.width)) as f32,
    };
    layouts.iter().map(of).collect()
}
