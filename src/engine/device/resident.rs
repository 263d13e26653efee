//! What both GPU engines keep on the device: the dataset, the training state, the epoch's order, the ring of records. What
//! they make of it, step by step, is in `training.rs`.

use super::infos::{Shares, StepInfo};
use super::slots::Steps;
use crate::data::Dataset;
use crate::engine::outcome::{FIELDS, NEVER};
use crate::engine::recipe::Recipe;
use crate::engine::state::State;
use crate::engine::step::{MOST_STEPS, Step};
use crate::error::Result;
use crate::gpu::{Buffer, Dispatch, Gpu, Work, kernels, read};
use crate::loss::normalisers::{self, Batches};
use crate::loss::{Labels, TaskLayout, pass};
use crate::network::Dropout;

/// Rounds of the loops that find a row's place (`shaders/shared/permutation.wgsl`), at most: of the rank among 256 rows, or
/// of a walk that takes 64 attempts, each of which ends it at least every other time.
const ORDER_ROUNDS: usize = 257 + 64 * 10;

/// Everything on the device that outlives a step.
pub(crate) struct Resident {
    pub gpu: Gpu,
    pub recipe: Recipe,
    /// Rows of the dataset.
    pub rows: usize,
    /// Rows of a full batch.
    pub batch: usize,
    pub shares: Shares,
    pub features: Buffer<f32>,
    pub labels: Buffer<u32>,
    pub tasks: Buffer<TaskLayout>,
    /// What `tasks` holds.
    pub layouts: Vec<TaskLayout>,
    pub order: Buffer<u32>,
    pub normalisers: Buffer<f32>,
    /// The network's parameters, then σ.
    pub parameters: Buffer<f32>,
    /// First moments, second moments, then σ's bias corrections (`optimizer.wgsl`).
    pub moments: Buffer<f32>,
    pub records: Buffer<f32>,
    /// The first step whose loss, and whose gradient, was not finite.
    pub stop: Buffer<u32>,
    /// The state before the last submission: parameters, then moments.
    pub kept: Buffer<f32>,
    /// What keeps it.
    pub keep: Dispatch,
    /// What opens an epoch: the order of the rows, then the normalisers.
    pub prepare: Vec<Dispatch>,
    /// The steps of a submission.
    pub steps: Steps,
}

impl Resident {
    /// Uploads the data and the initial state.
    pub fn new(gpu: &Gpu, recipe: Recipe, data: &Dataset) -> Result<Self> {
        let rows = data.rows();
        let batch = recipe.batch.min(rows);
        let tasks = recipe.network.tasks();
        let parameters = recipe.network.parameter_count();
        let all = parameters + tasks.len();
        let packed = Labels::pack(tasks, data.targets())?;
        let labels = Buffer::storage(gpu, "the dataset's labels", &packed.words)?;
        let layouts = Buffer::storage(gpu, "the tasks", &packed.layouts)?;
        let features = Buffer::storage(gpu, "the dataset's features", data.features().values())?;
        let order = Buffer::zeros(gpu, "the order of the rows", rows)?;
        let batches = rows.div_ceil(batch);
        let normalisers = Buffer::zeros(gpu, "the normalisers", batches * tasks.len())?;
        let work = Work { rounds: ORDER_ROUNDS, ..Work::elements(rows) };
        let mut prepare =
            vec![gpu.kernel(&kernels::ORDER, &[]).dispatch(gpu, &[order.binding()], work)?];
        let (words, order_of_rows) = (labels.raw(), Some(&order));
        let of_batches =
            Batches { labels: words, layouts: &layouts, order: order_of_rows, rows, size: batch };
        prepare.extend(normalisers::dispatches(gpu, &of_batches, &normalisers)?);
        let most_bytes = gpu.device().limits().max_storage_buffer_binding_size;
        let shares = Shares::new(batch, parameters, most_bytes);
        let record = 1 + FIELDS * tasks.len();
        let parameters = Buffer::zeros(gpu, "the parameters", all)?;
        let moments = Buffer::zeros(gpu, "Adam's moments", 2 * all + 2 * tasks.len())?;
        let stop = Buffer::zeros(gpu, "the stop mark", 2)?;
        let kept = Buffer::zeros(gpu, "the state before", parameters.len() + moments.len())?;
        let bindings = [parameters.binding(), moments.binding(), stop.binding(), kept.binding()];
        let kernel = gpu.kernel(&kernels::KEEP, &[]);
        let keep = kernel.dispatch(gpu, &bindings, Work::elements(kept.len()))?;
        let resident = Self {
            records: Buffer::zeros(gpu, "the records", MOST_STEPS * record)?,
            steps: Steps::new(gpu, MOST_STEPS)?,
            gpu: gpu.clone(),
            shares,
            parameters,
            moments,
            stop,
            kept,
            keep,
            rows,
            batch,
            features,
            labels,
            tasks: layouts,
            layouts: packed.layouts,
            order,
            normalisers,
            prepare,
            recipe,
        };
        resident.load(&State::initial(&resident.recipe))?;
        Ok(resident)
    }

    /// The constants of kernels with a loss pass in them.
    pub fn loss_constants(&self) -> [(&'static str, f64); 3] {
        pass::constants(&self.gpu, &self.layouts)
    }

    /// The constant by which a kernel knows the weighting scheme (`weighting.wgsl`).
    pub fn scheme(&self) -> (&'static str, f64) {
        ("SCHEME", f64::from(self.recipe.weighting.code()))
    }

    /// The constants by which a kernel of training steps knows the probability of dropout (`dropout.wgsl`); none without.
    pub fn dropout(&self) -> Vec<(&'static str, f64)> {
        match self.recipe.network.dropout() {
            0.0 => Vec::new(),
            probability => Dropout::new(probability, 0, 0).constants().to_vec(),
        }
    }

    /// Checks these steps and tells the kernels of them, one a slot.
    pub fn write_steps(&self, steps: &[Step]) -> Result<()> {
        Step::check_all(steps, &self.recipe, self.rows)?;
        let infos = (0..steps.len())
            .map(|slot| StepInfo::new(&self.recipe, self.rows, &steps[slot..], slot));
        self.steps.write(&self.gpu, infos);
        Ok(())
    }

    /// Values of a step's record.
    pub fn record_length(&self) -> usize {
        1 + FIELDS * self.recipe.network.tasks().len()
    }

    /// Reads the marks of the first step whose loss, and whose gradient, was not finite.
    pub async fn stop_marks(&self) -> Result<[u32; 2]> {
        let stop: Vec<u32> = read(&self.gpu, self.stop.raw(), 2).await?;
        Ok([stop[0], stop[1]])
    }

    /// Reads the training state, that after this step.
    pub async fn state(&self, step: u64) -> Result<State> {
        let parameters: Vec<f32> =
            read(&self.gpu, self.parameters.raw(), self.parameters.len()).await?;
        let moments: Vec<f32> = read(&self.gpu, self.moments.raw(), self.moments.len()).await?;
        let network = self.recipe.network.parameter_count();
        let all = parameters.len();
        let tasks = all - network;
        let wide = |values: &[f32]| values.iter().copied().map(f64::from).collect();
        let pairs = |first: &[f32], second: &[f32]| {
            let pairs = first.iter().zip(second);
            pairs.map(|(&a, &b)| [f64::from(a), f64::from(b)]).collect()
        };
        let (first, rest) = moments.split_at(all);
        let (second, corrections) = rest.split_at(all);
        let (corrections1, corrections2) = corrections.split_at(tasks);
        Ok(State {
            step,
            parameters: wide(&parameters[..network]),
            moments: pairs(&first[..network], &second[..network]),
            sigma: wide(&parameters[network..]),
            sigma_moments: pairs(&first[network..], &second[network..]),
            sigma_corrections: pairs(corrections1, corrections2),
        })
    }

    /// Replaces the training state.
    pub fn load(&self, state: &State) -> Result<()> {
        state.check(&self.recipe)?;
        state.check_single(&self.recipe)?;
        let narrow = |value: &f64| *value as f32;
        let parameters: Vec<f32> =
            state.parameters.iter().chain(&state.sigma).map(narrow).collect();
        let mut moments = Vec::with_capacity(self.moments.len());
        for which in [0, 1] {
            let pairs = state.moments.iter().chain(&state.sigma_moments);
            moments.extend(pairs.map(|pair| pair[which] as f32));
        }
        for which in [0, 1] {
            moments.extend(state.sigma_corrections.iter().map(|pair| pair[which] as f32));
        }
        self.parameters.write(&self.gpu, 0, &parameters);
        self.moments.write(&self.gpu, 0, &moments);
        self.stop.write(&self.gpu, 0, &[NEVER, NEVER]);
        Ok(())
    }
}
