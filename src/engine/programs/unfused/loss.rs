//! The loss part of an unfused step: from the predictions to the losses, the weighted total and the gradients at every
//! prediction and every σ, a kernel an operation.

use crate::error::Result;
use crate::gpu::{Buffer, Dispatch, Gpu, REDUCTION, Source, Work, kernels, part, rounds_of};
use crate::loss::{LossBuffers, Task, TaskLayout, spread};
use wgpu::BindingResource as Binding;

/// What the loss kernels read and write.
pub(super) struct Tensors<'a> {
    pub tasks: &'a [Task],
    /// Rows of a full batch.
    pub rows: usize,
    /// σ may stand within a longer buffer, as it does behind a network's parameters: the step says where.
    pub buffers: LossBuffers<'a>,
    pub layouts: &'a Buffer<TaskLayout>,
    /// The row of the labels that belongs to each position, `[rows of the labels]`.
    pub order: &'a Buffer<u32>,
    /// `[batches, tasks]`
    pub normalisers: &'a Buffer<f32>,
    /// The ring of records: total, losses and weights of each step.
    pub records: &'a Buffer<f32>,
}

/// The dispatches, in order, and where the last of them leaves the gradient at every σ, `[tasks]`.
pub(super) fn dispatches(gpu: &Gpu, tensors: &Tensors<'_>) -> Result<(Vec<Dispatch>, Buffer<f32>)> {
    let plan = Plan::new(gpu, tensors)?;
    let mut dispatches = Vec::new();
    for k in 0..tensors.tasks.len() {
        dispatches.extend(plan.mean_loss(k)?);
    }
    dispatches.extend(plan.weigh()?);
    for k in 0..tensors.tasks.len() {
        dispatches.push(plan.gradient(k)?);
    }
    Ok((dispatches, plan.sigma_gradient))
}

/// The intermediate results, which a fused pass has no need to store.
struct Plan<'a> {
    gpu: &'a Gpu,
    tensors: &'a Tensors<'a>,
    /// Each task's number, for its kernels.
    which: Vec<Buffer<u32>>,
    /// A buffer a task, `[rows, classes]`; one element for a task of numbers.
    log_probabilities: Vec<Buffer<f32>>,
    /// `[rows]`, of one task after the other.
    row_losses: Buffer<f32>,
    loss_sums: Buffer<f32>,
    losses: Buffer<f32>,
    weights: Buffer<f32>,
    sigma_gradient: Buffer<f32>,
}

impl<'a> Plan<'a> {
    fn new(gpu: &'a Gpu, tensors: &'a Tensors<'a>) -> Result<Self> {
        let Tensors { tasks, rows, .. } = *tensors;
        let log_probabilities = |task: &Task| match task.loss.predicts_class() {
            true => Buffer::zeros(gpu, "log-probabilities", rows * task.width),
            false => Buffer::zeros(gpu, "no log-probabilities", 1),
        };
        let which = |k: usize| Buffer::storage(gpu, "which task", &[k as u32]);
        Ok(Self {
            which: (0..tasks.len()).map(which).collect::<Result<_>>()?,
            log_probabilities: tasks.iter().map(log_probabilities).collect::<Result<_>>()?,
            row_losses: Buffer::zeros(gpu, "row losses", rows)?,
            loss_sums: Buffer::zeros(gpu, "loss sums", spread::row_sums(gpu, rows).workgroups)?,
            losses: Buffer::zeros(gpu, "losses", tasks.len())?,
            weights: Buffer::zeros(gpu, "weights", tasks.len())?,
            sigma_gradient: Buffer::zeros(gpu, "the gradient at σ", tasks.len())?,
            gpu,
            tensors,
        })
    }

    /// A task's number and its labels: what the kernels of one task read first (`one_task.wgsl`).
    fn labels(&self, k: usize) -> [Binding<'_>; 4] {
        [
            self.which[k].binding(),
            part(self.tensors.buffers.labels),
            self.tensors.layouts.binding(),
            self.tensors.order.binding(),
        ]
    }

    fn predictions(&self) -> Binding<'_> {
        part(self.tensors.buffers.predictions)
    }

    /// A dispatch with this many invocations a row of the batch, of a kernel whose loops are as long as that.
    fn by_row(
        &self,
        source: &'static Source,
        constants: &[(&'static str, f64)],
        buffers: &[Binding<'_>],
        invocations: usize,
        rounds: usize,
    ) -> Result<Dispatch> {
        let work = Work { rounds, ..Work::elements(self.tensors.rows * invocations) };
        self.gpu.kernel(source, constants).dispatch(self.gpu, buffers, work)
    }

    /// One task's mean loss: a value a row, their sums in shares, their mean.
    fn mean_loss(&self, k: usize) -> Result<Vec<Dispatch>> {
        let task = &self.tensors.tasks[k];
        let lanes = spread::lanes_per_row(self.gpu, task.width);
        let loss = |source, values: Binding<'_>, to: &Buffer<f32>| {
            let buffers = [&self.labels(k)[..], &[values, to.binding()]].concat();
            let rounds = spread::rounds_a_tile(task.width, lanes);
            self.by_row(source, &[("LANES_PER_ROW", lanes as f64)], &buffers, lanes, rounds)
        };
        let log_probabilities = &self.log_probabilities[k];
        let mut dispatches = match task.loss.predicts_class() {
            true => vec![
                loss(&kernels::LOG_SOFTMAX, self.predictions(), log_probabilities)?,
                loss(&kernels::CLASS_LOSS, log_probabilities.binding(), &self.row_losses)?,
            ],
            false => vec![loss(&kernels::ELEMENT_LOSS, self.predictions(), &self.row_losses)?],
        };
        let sums = [self.row_losses.binding(), self.loss_sums.binding()];
        let mean = [
            self.which[k].binding(),
            self.loss_sums.binding(),
            self.tensors.normalisers.binding(),
            self.losses.binding(),
        ];
        let kernel = |source| self.gpu.kernel(source, &[]);
        let work = spread::row_sums(self.gpu, self.tensors.rows);
        let one = Work::new(1, rounds_of(work.workgroups.div_ceil(64), 0) + REDUCTION);
        dispatches.push(kernel(&kernels::ROW_SUMS).dispatch(self.gpu, &sums, work)?);
        dispatches.push(kernel(&kernels::MEAN_LOSS).dispatch(self.gpu, &mean, one)?);
        Ok(dispatches)
    }

    /// The weighting forward (weights and total) and backward (σ's gradient).
    fn weigh(&self) -> Result<[Dispatch; 2]> {
        let inputs = [
            self.losses.binding(),
            self.tensors.normalisers.binding(),
            part(self.tensors.buffers.sigma),
        ];
        let dispatch = |source, outputs: &[Binding<'_>], work| {
            let kernel = self.gpu.kernel(source, &[]);
            kernel.dispatch(self.gpu, &[&inputs[..], outputs].concat(), work)
        };
        let outputs = [self.weights.binding(), self.tensors.records.binding()];
        let tasks = self.losses.len();
        Ok([
            dispatch(&kernels::WEIGH, &outputs, Work::new(1, rounds_of(tasks, 0)))?,
            dispatch(
                &kernels::SIGMA_GRADIENT,
                &[self.sigma_gradient.binding()],
                Work::elements(tasks),
            )?,
        ])
    }

    /// The gradient at one task's predictions.
    fn gradient(&self, k: usize) -> Result<Dispatch> {
        let task = &self.tensors.tasks[k];
        let (source, values) = match task.loss.predicts_class() {
            true => (&kernels::CLASS_GRADIENT, self.log_probabilities[k].binding()),
            false => (&kernels::ELEMENT_GRADIENT, self.predictions()),
        };
        let rest = [
            values,
            self.weights.binding(),
            self.tensors.normalisers.binding(),
            part(self.tensors.buffers.gradient),
        ];
        self.by_row(source, &[], &[&self.labels(k)[..], &rest].concat(), task.width, 0)
    }
}
