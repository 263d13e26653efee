//! Rows held out of training: on the device once, and their losses as often as asked, a few numbers to read back.
//!
//! A fleet of its own whose learning rates are 0, with the parameters of the one that trains: its steps' records are the
//! losses, by the kernels that training uses and as fast. A step takes as many rows as keep a device busy; the
//! means that they record are put together in `f64`, in the order of the steps. The same input gives the same bits.

use super::device::{Planner, Rows};
use super::fleet::{Squad, squads};
use super::pace::{Moment, Pace};
use super::recipe::Recipe;
use super::state::State;
use super::step::{MOST_STEPS, Step};
use crate::data::Dataset;
use crate::error::Result;
use crate::gpu::Gpu;
use crate::loss::Task;
use crate::optimizer::Adam;
use crate::weighting::Weighting;
use std::sync::Arc;

/// The rows, which one fleet holds.
pub(super) struct HeldOut {
    squads: Vec<Squad>,
    steps: Vec<Step>,
    /// What each task's summed loss is divided by, step after step: shape `[steps, tasks]`.
    normalisers: Vec<f64>,
    tasks: usize,
    /// How many steps a submission may carry.
    pace: Pace,
}

/// Rows of a step: enough for a large GPU.
const ROWS: usize = 4_096;

/// Of each task of a member the summed loss and what it is divided by; `None` where `f32` could not hold what came on the way.
type Sums = Option<Vec<(f64, f64)>>;

impl HeldOut {
    /// Uploads rows that fit the recipe's network, for so many members; streamed, where a number of bytes is given, as training is.
    pub async fn new(
        gpu: &Gpu,
        recipe: &Recipe,
        members: usize,
        data: &Dataset,
        plan: Planner,
        window: Option<u64>,
    ) -> Result<Self> {
        let recipe = validation_of(recipe, gpu)?;
        let recipes = vec![recipe.clone(); members];
        let rows = Arc::new(Rows::upload(gpu, &recipes, data, window).await?);
        let squads = squads(gpu, &recipes, &rows, plan).await?;
        let tasks = recipe.network.tasks();
        let batches = data.rows().div_ceil(recipe.batch) as u64;
        let step = |number| Step::numbered(number, data.rows(), recipe.batch);
        let steps: Vec<Step> = (1..=batches).map(step).collect();
        let of_step = |step: &Step| {
            let rows = step.first..step.first + step.rows;
            let of_task = move |(task, target): (&Task, _)| -> f64 {
                rows.clone().map(|row| task.row_weight(target, row)).sum()
            };
            tasks.iter().zip(data.targets()).map(of_task).collect::<Vec<f64>>()
        };
        let normalisers = steps.iter().flat_map(of_step).collect();
        let (tasks, pace) = (tasks.len(), Pace::new(MOST_STEPS));
        Ok(Self { squads, steps, normalisers, tasks, pace })
    }

    /// The mean loss of each task of every member with the parameters of its network in a fleet's squads; `None` without a label of
    /// any weight, NaN where `f32` could not hold what came on the way. Nothing of a member that rests.
    pub async fn losses(
        &mut self,
        of: &[Squad],
        resting: &[bool],
    ) -> Result<Vec<Vec<Option<f64>>>> {
        let mut sums: Vec<Sums> = vec![Some(vec![(0.0, 0.0); self.tasks]); resting.len()];
        self.add(of, resting, &mut sums).await?;
        let mean = |(sum, normaliser): (f64, f64)| (normaliser != 0.0).then(|| sum / normaliser);
        let losses = |(sums, rests): (Sums, &bool)| match (sums, rests) {
            (_, true) => Vec::new(),
            (None, _) => vec![Some(f64::NAN); self.tasks],
            (Some(sums), _) => sums.into_iter().map(mean).collect(),
        };
        Ok(sums.into_iter().zip(resting).map(losses).collect())
    }

    /// Adds each task's summed loss and normaliser over these rows, of every member that does not rest.
    async fn add(&mut self, of: &[Squad], resting: &[bool], sums: &mut [Sums]) -> Result<()> {
        for squad in &mut self.squads {
            let members: Vec<usize> = squad.members().filter(|&it| !resting[it]).collect();
            copy_parameters(squad, of, &members);
            let places: Vec<usize> = members.iter().map(|member| member - squad.first).collect();
            let mut first = 0;
            while first < self.steps.len() && !places.is_empty() {
                let end = self.steps.len().min(first + self.pace.next());
                let submitted = Moment::now();
                squad.training.submit(&self.steps[first..end], &places)?;
                let records = squad.training.collect().await?;
                self.pace.learn(end - first, Moment::now().since(submitted));
                for record in &records {
                    let sums = sums[squad.first + record.member].iter_mut().flatten();
                    let step = record.step as usize - 1;
                    let normalisers = &self.normalisers[step * record.tasks.len()..];
                    for ((sum, task), normaliser) in sums.zip(&record.tasks).zip(normalisers) {
                        sum.0 += task.loss.unwrap_or(0.0) * normaliser;
                        sum.1 += normaliser;
                    }
                }
                first = end;
            }
            for place in places {
                if squad.training.failure(place).is_some() {
                    sums[squad.first + place] = None;
                    // Ready for other parameters.
                    let initial = State::initial(&squad.training.workspace.recipe);
                    squad.training.load(place, &initial)?;
                }
            }
        }
        Ok(())
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

/// Gives these members of a fleet's squads their networks' parameters.
fn copy_parameters(to: &Squad, of: &[Squad], members: &[usize]) {
    let workspace = &to.training.workspace;
    let gpu = &workspace.gpu;
    let bytes = 4 * workspace.recipe.network.parameter_count() as u64;
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    for from in of {
        let own = &from.training.workspace;
        for member in members.iter().filter(|member| from.members().contains(member)) {
            let [source, _] = own.state_bytes(member - from.first);
            let [target, _] = workspace.state_bytes(member - to.first);
            let (from, to) = (own.state.raw(), workspace.state.raw());
            encoder.copy_buffer_to_buffer(from, source, to, target, bytes);
        }
    }
    gpu.queue().submit([encoder.finish()]);
}
