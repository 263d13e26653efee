//! What a program works on: the rows, the training state of every member of a fleet, its epoch's order, the ring of records.
//! What they make of it, step by step, is in `training.rs`.

use super::infos::{MOST_MEMBERS, MemberInfo, OptimizerInfo, Rates, Shares, StepInfo};
use super::rows::Rows;
use super::slots::Steps;
use crate::data::{Bootstrap, Permutation, step_key};
use crate::engine::outcome::{FIELDS, NEVER};
use crate::engine::recipe::Recipe;
use crate::engine::state::State;
use crate::engine::step::{MOST_STEPS, Step};
use crate::error::Result;
use crate::gpu::{Buffer, Dispatch, Gpu, Work, kernels, read, read_range};
use crate::loss::normalisers::{Batches, Normalising, normalising};
use crate::loss::spread;
use crate::network::Dropout;
use crate::weighting::MEMORY;
use std::ops::Range;
use std::sync::Arc;

/// Rounds of the loops that find a row's place (`shaders/shared/permutation.wgsl`), at most: of the rank among 256 rows, or
/// of a walk that takes 64 attempts, each of which ends it at least every other time.
const ORDER_ROUNDS: usize = 257 + 64 * 10;

/// Everything on the device that outlives a step, whichever program makes it.
pub(crate) struct Workspace {
    pub gpu: Gpu,
    /// The first member's recipe: of its network, its batches, their order and clipping, all members have the same.
    pub recipe: Recipe,
    /// One a member.
    pub recipes: Vec<Recipe>,
    pub rows: Arc<Rows>,
    /// Rows of a full batch.
    pub batch: usize,
    pub shares: Shares,
    /// `[members, rows on the device]`
    pub order: Buffer<u32>,
    /// `[members, batches on the device, tasks]`
    pub normalisers: Buffer<f32>,
    /// Of every member, the network's parameters and σ, their first moments, their second moments, then σ's bias corrections and
    /// what the weighting keeps (`optimizer.wgsl`).
    pub state: Buffer<f32>,
    /// `[steps, members that train, fields]`
    pub records: Buffer<f32>,
    /// Of every member, the first step whose loss, and whose gradient, was not finite.
    pub stop: Buffer<u32>,
    /// The state before the last submission.
    pub kept: Buffer<f32>,
    /// What keeps it.
    pub keep: Dispatch,
    /// What opens an epoch with the order of its rows, where the device has them all.
    pub ordering: Option<Dispatch>,
    /// What finds the normalisers.
    pub normalising: Normalising,
    /// The steps of a submission.
    pub steps: Steps,
}

impl Workspace {
    /// The initial states of members with these recipes, which agree in all that shapes a step.
    pub fn new(gpu: &Gpu, recipes: Vec<Recipe>, rows: Arc<Rows>) -> Result<Self> {
        let recipe = recipes[0].clone();
        let seats = recipes.len();
        let (count, at_once) = (rows.count, rows.at_once());
        let batch = recipe.batch.min(count);
        let tasks = recipe.network.tasks().len();
        let parameters = recipe.network.parameter_count();
        let (order, ordering) = order(gpu, &recipes, &rows)?;
        let batches = at_once.div_ceil(batch);
        let normalisers = Buffer::zeros(gpu, "the normalisers", seats * batches * tasks)?;
        let of_batches = Batches {
            labels: rows.labels.raw().slice(..),
            layouts: &rows.tasks,
            order: Some(&order),
            rows: at_once,
            size: batch,
        };
        let normalising = normalising(gpu, &of_batches, &normalisers)?;
        let most_bytes = gpu.device().limits().max_storage_buffer_binding_size;
        let shares = Shares::new(batch, parameters, most_bytes);
        let length = state_length(&recipe);
        let state = Buffer::zeros(gpu, "the parameters and their moments", seats * length)?;
        let stop = Buffer::zeros(gpu, "the stop marks", 2 * seats)?;
        let kept = Buffer::zeros(gpu, "the state before", seats * length)?;
        let bindings = [state.binding(), stop.binding(), kept.binding()];
        let keep = gpu.kernel(&kernels::KEEP, &[]);
        let keep = keep.dispatch(gpu, &bindings, Work::elements(length))?;
        let record = 1 + FIELDS * tasks;
        let workspace = Self {
            records: Buffer::zeros(gpu, "the records", MOST_STEPS * seats * record)?,
            steps: Steps::new(gpu, MOST_STEPS, seats)?,
            gpu: gpu.clone(),
            recipe,
            recipes,
            rows,
            batch,
            shares,
            order,
            normalisers,
            state,
            stop,
            kept,
            keep,
            ordering,
            normalising,
        };
        for (member, recipe) in workspace.recipes.iter().enumerate() {
            workspace.load(member, &State::initial(recipe))?;
        }
        Ok(workspace)
    }

    /// The most members of this recipe whose own buffers, those of every program, fit into a binding each.
    pub fn most_members(gpu: &Gpu, recipe: &Recipe, of: &Rows) -> usize {
        let rows = of.at_once();
        let words = gpu.device().limits().max_storage_buffer_binding_size as usize / 4;
        let tasks = recipe.network.tasks().len();
        let normalisers = rows.div_ceil(recipe.batch.min(of.count)) * tasks;
        let records = MOST_STEPS * (1 + FIELDS * tasks);
        let most = [rows, normalisers, records, state_length(recipe)].into_iter().max();
        (words / most.unwrap_or(1)).clamp(1, MOST_MEMBERS.min(of.most_members()))
    }

    /// Number of members.
    pub fn seats(&self) -> usize {
        self.recipes.len()
    }

    /// What every member's gradients are applied with, where these and the losses come in so many shares, and the gradient's
    /// squares in so many sums.
    pub fn optimizers(&self, shares: [usize; 3]) -> Result<Buffer<OptimizerInfo>> {
        let infos: Vec<OptimizerInfo> =
            self.recipes.iter().map(|recipe| OptimizerInfo::new(recipe, shares)).collect();
        Buffer::storage(&self.gpu, "the optimizers", &infos)
    }

    /// The constants of kernels with a loss pass in them.
    pub fn loss_constants(&self) -> [(&'static str, f64); 5] {
        spread::constants(&self.gpu, &self.rows.layouts)
    }

    /// The constants by which a kernel of training steps knows the probability of dropout (`dropout.wgsl`); none without.
    pub fn dropout(&self) -> Vec<(&'static str, f64)> {
        match self.recipe.network.dropout() {
            0.0 => Vec::new(),
            probability => Dropout::new(probability, 0, 0).constants().to_vec(),
        }
    }

    /// What opens an epoch, and what finds what its losses are divided by.
    pub fn preparing(&self) -> impl Iterator<Item = &Dispatch> {
        self.ordering.iter().chain(&self.normalising.dispatches)
    }

    /// The slots of these steps in runs whose rows the device has at once.
    pub fn runs(&self, steps: &[Step]) -> Vec<Range<usize>> {
        let mut runs = Vec::new();
        let mut first = 0;
        while first < steps.len() {
            let most = steps.len() - first;
            let run = self.rows.window.as_ref().map_or(most, |it| it.run(&steps[first..]));
            runs.push(first..first + run);
            first += run;
        }
        runs
    }

    /// Has the rows that these steps of a run take on the device, where not all are; whether so.
    pub fn fill(&self, steps: &[Step], members: &[usize]) -> bool {
        let (Some(window), [first, .., last] | [first @ last]) = (&self.rows.window, steps) else {
            return false;
        };
        window.fill(&self.gpu, &self.rows, &self.recipes, members, steps);
        self.normalising.set_rows(&self.gpu, last.first + last.rows - first.first);
        true
    }

    /// Checks these steps and tells the kernels of them, one a slot, and what they are for these members.
    pub fn write_steps(&self, steps: &[Step], members: &[usize]) -> Result<()> {
        Step::check_all(steps, &self.recipe, self.rows.count)?;
        let mut infos = Vec::with_capacity(steps.len());
        let mut of_members = Vec::with_capacity(steps.len() * members.len());
        for run in self.runs(steps) {
            let first = if self.rows.window.is_some() { steps[run.start] } else { Step::FIRST };
            for slot in run.clone() {
                let step = &steps[slot];
                let (rows, seats) = (self.rows.count, self.seats());
                infos.push(StepInfo::new(&self.recipe, rows, &steps[slot..run.end], slot, seats));
                let opens = slot == 0 || steps[slot - 1].epoch != step.epoch;
                let place = |(seat, &member)| (member, slot * members.len() + seat);
                let places = members.iter().enumerate().map(place);
                of_members.extend(places.map(|place| self.member(step, &first, opens, place)));
            }
        }
        self.steps.write(&self.gpu, &infos, &of_members);
        Ok(())
    }

    /// What a step is for a member, whose record goes into this place of the ring; `first` is the step whose rows come first on the
    /// device; `opens`: it may be the first of an epoch.
    fn member(
        &self,
        step: &Step,
        first: &Step,
        opens: bool,
        (member, record): (usize, usize),
    ) -> MemberInfo {
        let recipe = &self.recipes[member];
        let (rows, at_once) = (self.rows.count, self.rows.at_once());
        let length = state_length(recipe);
        let parameters = recipe.network.parameter_count();
        let order = opens.then(|| Permutation::new(rows as u32, recipe.seed, step.epoch).key());
        let batches = at_once.div_ceil(self.batch);
        MemberInfo {
            number: member as u32,
            state: (member * length) as u32,
            sigma: (member * length + parameters) as u32,
            all: (parameters + recipe.network.tasks().len()) as u32,
            first: (member * at_once + step.first - first.first) as u32,
            batch: (member * batches + step.batch - first.batch) as u32,
            record: record as u32,
            scheme: recipe.weighting.code(),
            rates: Rates::new(recipe, step.number),
            order_key: order.unwrap_or_default(),
            draws_key: step_key(recipe.seed, step.number),
        }
    }

    /// Values of a step's record of one member.
    pub fn record_length(&self) -> usize {
        1 + FIELDS * self.recipe.network.tasks().len()
    }

    /// Reads every member's marks of the first step whose loss, and whose gradient, was not finite.
    pub async fn stop_marks(&self) -> Result<Vec<[u32; 2]>> {
        let stop: Vec<u32> = read(&self.gpu, self.stop.raw(), self.stop.len()).await?;
        Ok(stop.chunks_exact(2).map(|marks| [marks[0], marks[1]]).collect())
    }

    /// Sets a member's marks.
    pub fn mark(&self, member: usize, marks: [u32; 2]) {
        self.stop.write(&self.gpu, 2 * member, &marks);
    }

    /// Where a member's part of the state lies: bytes from, and how many.
    pub fn state_bytes(&self, member: usize) -> [u64; 2] {
        let bytes = 4 * state_length(&self.recipe) as u64;
        [member as u64 * bytes, bytes]
    }

    /// Reads members' training states, each that after this step, and those between with them.
    pub async fn states(&self, members: &[usize], steps: &[u64]) -> Result<Vec<State>> {
        let (Some(&first), Some(&last)) = (members.iter().min(), members.iter().max()) else {
            return Ok(Vec::new());
        };
        let [start, _] = self.state_bytes(first);
        let length = state_length(&self.recipe);
        let count = (last + 1 - first) * length;
        let values: Vec<f32> = read_range(&self.gpu, self.state.raw(), start, count).await?;
        let of = |(&member, &step): (&usize, &u64)| {
            let start = (member - first) * length;
            self.state(&values[start..start + length], step)
        };
        Ok(members.iter().zip(steps).map(of).collect())
    }

    /// The state that these values are after this step.
    fn state(&self, values: &[f32], step: u64) -> State {
        let network = self.recipe.network.parameter_count();
        let tasks = self.recipe.network.tasks().len();
        let all = network + tasks;
        let wide = |values: &[f32]| values.iter().copied().map(f64::from).collect();
        let pairs = |first: &[f32], second: &[f32]| {
            let pairs = first.iter().zip(second);
            pairs.map(|(&a, &b)| [f64::from(a), f64::from(b)]).collect()
        };
        let (parameters, moments) = values.split_at(all);
        let (first, rest) = moments.split_at(all);
        let (second, corrections) = rest.split_at(all);
        let (corrections, memory) = corrections.split_at(2 * tasks);
        let (corrections1, corrections2) = corrections.split_at(tasks);
        let four = |task: &[f32]| std::array::from_fn(|i| task[i].into());
        State {
            step,
            parameters: wide(&parameters[..network]),
            moments: pairs(&first[..network], &second[..network]),
            sigma: wide(&parameters[network..]),
            sigma_moments: pairs(&first[network..], &second[network..]),
            sigma_corrections: pairs(corrections1, corrections2),
            memory: memory.chunks_exact(MEMORY).map(four).collect(),
        }
    }

    /// Replaces a member's training state.
    pub fn load(&self, member: usize, state: &State) -> Result<()> {
        let recipe = &self.recipes[member];
        state.check(recipe)?;
        state.check_single(recipe)?;
        let length = state_length(recipe);
        let mut values = Vec::with_capacity(length);
        values.extend(state.parameters.iter().chain(&state.sigma).map(|&value| value as f32));
        for which in [0, 1] {
            let pairs = state.moments.iter().chain(&state.sigma_moments);
            values.extend(pairs.map(|pair| pair[which] as f32));
        }
        for which in [0, 1] {
            values.extend(state.sigma_corrections.iter().map(|pair| pair[which] as f32));
        }
        values.extend(state.memory.iter().flatten().map(|&value| value as f32));
        self.state.write(&self.gpu, member * length, &values);
        self.mark(member, [NEVER, NEVER]);
        Ok(())
    }
}

/// `[members, rows on the device]`, and what fills it, unless the host does.
fn order(gpu: &Gpu, recipes: &[Recipe], rows: &Rows) -> Result<(Buffer<u32>, Option<Dispatch>)> {
    const WHAT: &str = "the order of the rows";
    let (seats, count) = (recipes.len(), rows.count);
    if let Some(window) = &rows.window {
        return Ok((Buffer::storage(gpu, WHAT, &window.order(seats))?, None));
    }
    let order = Buffer::zeros(gpu, WHAT, seats * count)?;
    let work = Work { rounds: ORDER_ROUNDS, ..Work::elements(count) };
    let draws = Buffer::storage(gpu, "the draws of rows", &draws(recipes, count))?;
    let bindings = [order.binding(), draws.binding()];
    let ordering = gpu.kernel(&kernels::ORDER, &[]).dispatch(gpu, &bindings, work)?;
    Ok((order, Some(ordering)))
}

/// Numbers of a member's training state.
fn state_length(recipe: &Recipe) -> usize {
    let tasks = recipe.network.tasks().len();
    3 * (recipe.network.parameter_count() + tasks) + (2 + MEMORY) * tasks
}

/// `Draw` in `order.wgsl`: what each member draws in place of the rows.
fn draws(recipes: &[Recipe], rows: usize) -> Vec<[u32; 4]> {
    let of = |recipe: &Recipe| {
        let [low, high] = Bootstrap::new(rows as u32, recipe.seed).key();
        [low, high, u32::from(recipe.bootstrap), 0]
    };
    recipes.iter().map(of).collect()
}
