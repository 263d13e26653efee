//! The engines on the GPU: one machine, two ways to make a step.

use super::blocks::Blocks;
use super::checks::{check_member, none_held_out};
use super::device::{Covers, Planner, Rows, Training, Workspace};
use super::fleet::{self, Squad};
use super::held_out::HeldOut;
use super::programs;
use super::recipe::Recipe;
use super::state::State;
use super::step::{Record, Step};
use super::{Answer, Engine};
use crate::data::{Dataset, Matrix};
use crate::error::{Error, Result};
use crate::gpu::{Dispatch, Gpu};
use std::sync::Arc;
use std::time::Duration;

/// A training engine on the GPU: the data, the state and every kernel stay there; the host only says which
/// steps to make and collects their records.
pub struct GpuEngine {
    name: &'static str,
    gpu: Gpu,
    recipes: Vec<Recipe>,
    /// Which members later submissions pass by.
    resting: Vec<bool>,
    pub(super) squads: Vec<Squad>,
    /// For rows held out.
    plan: Planner,
    /// Bytes of rows that are on the device at once, where somebody has said.
    window: Option<u64>,
    /// Of each squad.
    blocks: Vec<Option<Blocks>>,
    held_out: Option<HeldOut>,
}

impl GpuEngine {
    /// The fused engine: one dispatch for all losses, task weights and gradients at the predictions; all sums, and
    /// with them the total and σ's gradient, are finished inside the kernel that applies Adam.
    ///
    /// # Errors
    /// Those of [`Recipe::check`]; [`Invalid`](crate::Error::Invalid) for a hyper-parameter that `f32` cannot
    /// hold; [`TooLarge`](crate::Error::TooLarge) for a tensor beyond the adapter's limits, among them the
    /// features of a batch, which must fit into one binding (128 MiB is what every adapter has);
    /// [`OutOfMemory`](crate::Error::OutOfMemory). A dataset that the adapter does not bind or hold is
    /// [streamed](Self::streamed). [`Invalid`](crate::Error::Invalid) also where the environment variable
    /// `AWL_PROGRAM` names no program, or one that does not take the network on this adapter.
    pub async fn fused(gpu: &Gpu, recipe: Recipe, data: &Dataset) -> Result<Self> {
        Self::fleet(gpu, vec![recipe], data).await
    }

    /// A fleet: the fused engine for many networks at once, each with a recipe of its own on the same data. A step of all members
    /// is as many dispatches as of one, a thousand members at a time, and fewer where one binding cannot hold what they need. The
    /// bits of a member are those of the same recipe trained alone by the same [program](Self::program), which on GPUs depends on
    /// the fleet's size too: `AWL_PROGRAM` with its name has one network train by it.
    ///
    /// # Errors
    /// Those of [`fused`](Self::fused); [`Invalid`](crate::Error::Invalid) for no recipe, or one with another network, batch,
    /// shuffling or clipping than the first: all else may differ.
    pub async fn fleet(gpu: &Gpu, recipes: Vec<Recipe>, data: &Dataset) -> Result<Self> {
        let plans = [programs::fused_or_named, programs::fused_alone];
        Self::new(gpu, recipes, data, "fused", plans, None).await
    }

    /// A fleet whose rows stay with the host: the device gets those of the steps under way, a window of about so many bytes of
    /// features, and as many of labels, and so it does for rows held out. The bits are those of [`fleet`](Self::fleet), which
    /// does the same with 64 MiB wherever the adapter does not bind or hold all rows at once. The engine shares the features
    /// with `data`, and keeps a copy of the labels.
    ///
    /// While the device makes the steps of one submission, the host gathers the rows of the next. Members that take different
    /// rows in a step (other seeds, with shuffling) have a window's share each.
    ///
    /// # Errors
    /// Those of [`fleet`](Self::fleet).
    pub async fn streamed(
        gpu: &Gpu,
        recipes: Vec<Recipe>,
        data: &Dataset,
        bytes: u64,
    ) -> Result<Self> {
        let plans = [programs::fused_or_named, programs::fused_alone];
        Self::new(gpu, recipes, data, "fused", plans, Some(bytes)).await
    }

    /// The unfused engine: a kernel an operation, as an eager framework runs them; same results.
    ///
    /// # Errors
    /// Those of [`fused`](Self::fused).
    pub async fn unfused(gpu: &Gpu, recipe: Recipe, data: &Dataset) -> Result<Self> {
        Self::new(gpu, vec![recipe], data, "unfused", [programs::unfused; 2], None).await
    }

    pub(super) async fn new(
        gpu: &Gpu,
        recipes: Vec<Recipe>,
        data: &Dataset,
        name: &'static str,
        [train, plan]: [Planner; 2],
        window: Option<u64>,
    ) -> Result<Self> {
        fleet::check(&recipes)?;
        for recipe in &recipes {
            recipe.check(data)?;
            recipe.check_single()?;
        }
        let rows = Arc::new(Rows::upload(gpu, &recipes, data, window).await?);
        let squads = fleet::squads(gpu, &recipes, &rows, train).await?;
        Ok(Self {
            name,
            gpu: gpu.clone(),
            resting: vec![false; recipes.len()],
            recipes,
            plan,
            window,
            blocks: squads.iter().map(|_| None).collect(),
            squads,
            held_out: None,
        })
    }

    /// The training of the first members.
    pub(super) fn first(&self) -> &Training {
        &self.squads[0].training
    }

    /// The program that makes the steps: of the fused engine the first of its list that takes the network on this adapter
    /// (`docs/architecture.md`), or the one that the environment variable `AWL_PROGRAM` names.
    pub fn program(&self) -> &'static str {
        self.first().program.name
    }

    /// Number of dispatches a step, not counting those that open an epoch or a submission; 1 where one dispatch makes many steps.
    pub fn dispatches_per_step(&self) -> usize {
        self.squads.iter().map(|squad| squad.training.program.dispatches.len()).sum()
    }

    /// The kernels of a step, a name a dispatch, in order: their files under `shaders/`.
    pub fn kernels(&self) -> Vec<&'static str> {
        self.first().program.dispatches.iter().map(Dispatch::label).collect()
    }

    /// The most steps that one round of the [kernels](Self::kernels) makes: 1, but for programs that make runs of steps.
    pub fn steps_per_round(&self) -> usize {
        match self.first().program.covers {
            Covers::Step => 1,
            Covers::Run(most) => most,
        }
    }

    /// A member's squad, and its number there.
    fn place(&self, member: usize) -> Result<(usize, usize)> {
        check_member(member, self.recipes.len())?;
        let squad = self.squads.partition_point(|squad| squad.first <= member) - 1;
        Ok((squad, member - self.squads[squad].first))
    }

    /// Members of a squad, by their numbers there, that take part in the next submission.
    fn active(&self, squad: &Squad) -> Vec<usize> {
        let trains = |&member: &usize| {
            !self.resting[squad.first + member] && squad.training.failure(member).is_none()
        };
        (0..squad.training.workspace.seats()).filter(trains).collect()
    }

    /// Why training stopped, where no member trains any more and one of them has failed.
    fn all_failed(&self) -> Option<Error> {
        let trains = self.squads.iter().any(|squad| !self.active(squad).is_empty());
        let mut failures = (0..self.recipes.len()).filter(|&member| !self.resting[member]);
        match trains {
            true => None,
            false => failures.find_map(|member| self.failure(member)),
        }
    }

    async fn predict_with(&mut self, member: usize, features: &Matrix) -> Result<Matrix> {
        let (squad, place) = self.place(member)?;
        let training = &mut self.squads[squad].training;
        if training.is_under_way() {
            training.settle().await?;
        }
        let Workspace { gpu, recipe, state, .. } = &training.workspace;
        let blocks = match self.blocks[squad].take() {
            Some(blocks) => blocks,
            None => gpu.guarded(|| Blocks::new(gpu, &recipe.network, state)).await?,
        };
        let [start, _] = training.workspace.state_bytes(place);
        let blocks = self.blocks[squad].insert(blocks);
        blocks.predict(gpu, &recipe.network, start as usize / 4, features).await
    }
}

impl Engine for GpuEngine {
    fn name(&self) -> &'static str {
        self.name
    }

    fn recipes(&self) -> &[Recipe] {
        &self.recipes
    }

    fn rows(&self) -> usize {
        self.first().workspace.rows.count
    }

    fn submit(&mut self, steps: &[Step]) -> Result<()> {
        for index in 0..self.squads.len() {
            let active = self.active(&self.squads[index]);
            self.squads[index].training.submit(steps, &active)?;
        }
        Ok(())
    }

    fn collect(&mut self) -> Answer<'_, Vec<Record>> {
        Box::pin(async move {
            let mut records = Vec::new();
            for squad in &mut self.squads {
                let of_squad = squad.training.collect().await?.into_iter();
                squad.training.find_first_rows().await?;
                let first = squad.first;
                records.extend(of_squad.map(|it| Record { member: first + it.member, ..it }));
            }
            records.sort_by_key(|record| (record.step, record.member));
            match self.all_failed() {
                Some(error) if records.is_empty() => Err(error),
                _ => Ok(records),
            }
        })
    }

    fn failure(&self, member: usize) -> Option<Error> {
        let (squad, place) = self.place(member).ok()?;
        self.squads[squad].training.failure(place)
    }

    fn rest(&mut self, member: usize) {
        self.resting.iter_mut().skip(member).take(1).for_each(|rests| *rests = true);
    }

    fn wake(&mut self, member: usize) {
        self.resting.iter_mut().skip(member).take(1).for_each(|rests| *rests = false);
    }

    fn rests(&self, member: usize) -> bool {
        self.resting.get(member).is_some_and(|rests| *rests)
    }

    fn predict_by<'a>(&'a mut self, member: usize, features: &'a Matrix) -> Answer<'a, Matrix> {
        Box::pin(self.predict_with(member, features))
    }

    fn hold_out<'a>(&'a mut self, rows: &'a Dataset) -> Answer<'a, ()> {
        Box::pin(async move {
            let recipe = &self.recipes[0];
            recipe.check_rows("the rows held out", rows)?;
            let members = self.recipes.len();
            let held_out =
                HeldOut::new(&self.gpu, recipe, members, rows, self.plan, self.window).await?;
            self.held_out = Some(held_out);
            Ok(())
        })
    }

    fn validate_members(&mut self) -> Answer<'_, Vec<Vec<Option<f64>>>> {
        Box::pin(async move {
            let held_out = self.held_out.as_mut().ok_or_else(none_held_out)?;
            held_out.losses(&self.squads, &self.resting).await
        })
    }

    fn states_of<'a>(&'a mut self, members: &'a [usize]) -> Answer<'a, Vec<State>> {
        Box::pin(async move {
            let mut states = Vec::with_capacity(members.len());
            let mut rest = members;
            while let Some(&member) = rest.first() {
                let (squad, _) = self.place(member)?;
                // Those that follow in the same squad are read with it.
                let of = self.squads[squad].members();
                let (own, others) =
                    rest.split_at(rest.iter().take_while(|it| of.contains(it)).count());
                let places: Vec<usize> = own.iter().map(|member| member - of.start).collect();
                states.extend(self.squads[squad].training.states(&places).await?);
                rest = others;
            }
            Ok(states)
        })
    }

    fn load_into(&mut self, member: usize, state: &State) -> Result<()> {
        let (squad, place) = self.place(member)?;
        self.squads[squad].training.load(place, state)?;
        self.squads.iter_mut().for_each(|squad| squad.training.forget());
        self.resting[member] = false;
        Ok(())
    }

    fn last_step(&self) -> u64 {
        let last = |squad: &Squad, places: Vec<usize>| {
            places.into_iter().map(|place| squad.training.last_step(place)).max()
        };
        let of_training = |squad: &Squad| last(squad, self.active(squad));
        let of_all = |squad: &Squad| last(squad, (0..squad.members().len()).collect());
        let training = self.squads.iter().filter_map(of_training).max();
        training.or_else(|| self.squads.iter().filter_map(of_all).max()).unwrap_or(0)
    }

    fn gpu_time(&self) -> Option<Duration> {
        self.squads.iter().map(|squad| squad.training.gpu_time()).sum()
    }

    fn is_streamed(&self) -> bool {
        self.first().workspace.rows.window.is_some()
    }
}
