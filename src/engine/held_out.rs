//! Rows held out of training: on the device once, and their losses as often as asked, a few numbers to read back.
//!
//! An engine of its own whose learning rate is 0, with the parameters of the one that trains: its steps' records are the
//! losses, by the kernels that training uses and as fast. A step takes as many rows as keep a device busy; the
//! means that they record are put together in `f64`, in the order of the steps. The same input gives the same bits.

use super::device::{Planner, Resident, Training};
use super::pace::{Moment, Pace};
use super::recipe::Recipe;
use super::state::State;
use super::step::{MOST_STEPS, Step};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu};
use crate::loss::Task;
use crate::optimizer::Adam;
use crate::weighting::Weighting;

/// The rows, in parts that the device can bind.
pub(super) struct HeldOut {
    parts: Vec<Part>,
    tasks: usize,
    /// How many steps a submission may carry.
    pace: Pace,
}

/// Rows that one engine holds.
struct Part {
    training: Training,
    steps: Vec<Step>,
    /// What each task's summed loss is divided by, step after step: shape `[steps, tasks]`.
    normalisers: Vec<f64>,
}

/// Rows of a step: enough for a large GPU.
const ROWS: usize = 4_096;

impl HeldOut {
    /// Uploads rows that fit the recipe's network.
    pub async fn new(gpu: &Gpu, recipe: &Recipe, data: &Dataset, plan: Planner) -> Result<Self> {
        let recipe = validation_of(recipe, gpu)?;
        let (tasks, most) = (recipe.network.tasks().len(), most_rows(&recipe, gpu));
        let make = || {
            let starts = (0..data.rows()).step_by(most);
            let parts = starts.map(|first| data.part(first..data.rows().min(first + most)));
            parts.map(|part| Part::new(gpu, &recipe, &part, plan)).collect::<Result<_>>()
        };
        let parts: Vec<Part> = gpu.guarded(make).await?;
        Ok(Self { parts, tasks, pace: Pace::new(MOST_STEPS) })
    }

    /// The mean loss of each task with these parameters of the network, the first of the buffer; `None` without a label of any
    /// weight, NaN where `f32` could not hold what came on the way.
    pub async fn losses(&mut self, parameters: &Buffer<f32>) -> Result<Vec<Option<f64>>> {
        // Of each task the summed loss, and what it is divided by.
        let mut sums = vec![(0.0, 0.0); self.tasks];
        for part in &mut self.parts {
            match part.add(parameters, &mut sums, &mut self.pace).await {
                Err(Error::NonFiniteLoss { .. } | Error::NonFiniteGradient { .. }) => {
                    // Ready for other parameters.
                    let initial = State::initial(&part.training.resident.recipe);
                    part.training.load(&initial)?;
                    return Ok(vec![Some(f64::NAN); self.tasks]);
                }
                added => added?,
            }
        }
        let mean = |(sum, normaliser): (f64, f64)| (normaliser != 0.0).then(|| sum / normaliser);
        Ok(sums.into_iter().map(mean).collect())
    }
}

/// A recipe that trains nothing.
fn validation_of(recipe: &Recipe, gpu: &Gpu) -> Result<Recipe> {
    let network = recipe.network.clone().with_dropout(0.0)?;
    let widths = network.layers().into_iter().map(|layer| layer.inputs.max(layer.outputs));
    let widest = widths.max().unwrap_or(1) as u64;
    let most_bytes = gpu.device().limits().max_storage_buffer_binding_size;
    let weighting = Weighting::equal(network.tasks().len());
    let mut recipe = Recipe::new(network, weighting, Adam::new(0.0));
    recipe.batch = (most_bytes / (4 * widest)).clamp(1, ROWS as u64) as usize;
    recipe.shuffle = false;
    Ok(recipe)
}

/// Rows that one engine can bind, a multiple of the batch.
fn most_rows(recipe: &Recipe, gpu: &Gpu) -> usize {
    let Recipe { network, batch, .. } = recipe;
    // Labels, a mask and class weights are no more than an output each and a word a task.
    let words = network.features().max(network.outputs() + network.tasks().len());
    let bytes = gpu.device().limits().max_storage_buffer_binding_size as usize;
    (bytes / (4 * words) / batch).max(1) * batch
}

impl Part {
    fn new(gpu: &Gpu, recipe: &Recipe, data: &Dataset, plan: Planner) -> Result<Self> {
        let resident = Resident::new(gpu, recipe.clone(), data)?;
        let program = plan(&resident)?;
        let training = Training::new(resident, program);
        let batches = data.rows().div_ceil(recipe.batch) as u64;
        let step = |number| Step::numbered(number, data.rows(), recipe.batch);
        let steps: Vec<Step> = (1..=batches).map(step).collect();
        let pairs = || recipe.network.tasks().iter().zip(data.targets());
        let of_step = |step: &Step| {
            let rows = step.first..step.first + step.rows;
            let of_task = move |(task, target): (&Task, _)| -> f64 {
                rows.clone().map(|row| task.row_weight(target, row)).sum()
            };
            pairs().map(of_task).collect::<Vec<f64>>()
        };
        Ok(Self { normalisers: steps.iter().flat_map(of_step).collect(), training, steps })
    }

    /// Adds each task's summed loss and normaliser over these rows.
    async fn add(
        &mut self,
        parameters: &Buffer<f32>,
        sums: &mut [(f64, f64)],
        pace: &mut Pace,
    ) -> Result<()> {
        let Resident { gpu, recipe, parameters: own, .. } = &self.training.resident;
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        let bytes = 4 * recipe.network.parameter_count() as u64;
        encoder.copy_buffer_to_buffer(parameters.raw(), 0, own.raw(), 0, bytes);
        gpu.queue().submit([encoder.finish()]);
        let mut first = 0;
        while first < self.steps.len() {
            let end = self.steps.len().min(first + pace.next());
            let submitted = Moment::now();
            self.training.submit(&self.steps[first..end])?;
            let mut records = self.training.collect().await?;
            pace.learn(end - first, Moment::now().since(submitted));
            // Where a step overflowed, only the next collect says so.
            records.extend(self.training.collect().await?);
            let normalisers = self.normalisers[first * sums.len()..].chunks(sums.len());
            for (record, normalisers) in records.iter().zip(normalisers) {
                for ((sum, task), normaliser) in sums.iter_mut().zip(&record.tasks).zip(normalisers)
                {
                    sum.0 += task.loss.unwrap_or(0.0) * normaliser;
                    sum.1 += normaliser;
                }
            }
            first = end;
        }
        Ok(())
    }
}
