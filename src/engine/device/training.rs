//! Steps under way: submissions of many steps at once, for every member of a fleet that trains, and their records.

use super::program::{Covers, Program};
use super::workspace::Workspace;
use crate::engine::outcome::{Failure, record};
use crate::engine::state::State;
use crate::engine::step::{Record, Step};
use crate::error::Result;
use crate::gpu::{Clock, Gpu, Pending, Readback};
use crate::loss::normalisers;
use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

/// Training on the device: what is there, the program that makes steps of it, and the steps under way.
pub(crate) struct Training {
    pub workspace: Workspace,
    pub program: Program,
    pub(super) members: Vec<Standing>,
    pub(super) under_way: Submissions,
}

/// Where a member stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standing {
    /// The number of the last step before those submitted, of the first of those, and of the last.
    pub loaded: u64,
    pub first: Option<u64>,
    pub submitted: u64,
    /// Why training stopped, once a record has told.
    pub failure: Option<Failure>,
    /// Whether the half-made step that stopped training has been taken back.
    pub is_rewound: bool,
    /// Whether the row that stopped training has been looked for.
    pub is_searched: bool,
}

/// A submission whose records have not been collected.
pub(super) struct Flight {
    readback: Readback,
    pending: Pending,
    pub steps: Vec<Step>,
    pub members: Vec<usize>,
}

/// What is under way.
pub(super) struct Submissions {
    /// The epoch whose order the device holds, and of which members.
    pub prepared: Option<(u64, Vec<usize>)>,
    pub flights: VecDeque<Flight>,
    spare: Vec<Readback>,
    clock: Option<Clock>,
    gpu_time: Duration,
}

impl Submissions {
    fn new(gpu: &Gpu) -> Self {
        Self {
            prepared: None,
            flights: VecDeque::new(),
            spare: Vec::new(),
            clock: Clock::new(gpu, 1),
            gpu_time: Duration::ZERO,
        }
    }
}

impl Training {
    /// Training from the states that are on the device, before the first step.
    pub fn new(workspace: Workspace, program: Program) -> Self {
        let under_way = Submissions::new(&workspace.gpu);
        let members = vec![Standing::default(); workspace.seats()];
        Self { workspace, program, members, under_way }
    }

    /// Starts these steps of these members.
    pub fn submit(&mut self, steps: &[Step], members: &[usize]) -> Result<()> {
        let gpu = self.workspace.gpu.clone();
        gpu.check()?;
        let (Some(last), false) = (steps.last(), members.is_empty()) else {
            return Ok(());
        };
        gpu.drill(steps[0].number..=last.number)?;
        let readback = self.under_way.spare.pop().unwrap_or_else(|| self.new_readback());
        let copy = |training: &Self, encoder: &mut wgpu::CommandEncoder| {
            training.copy_records(encoder, &readback, steps.len() * members.len());
        };
        let submission = self.make(steps, members, copy)?;
        self.under_way.flights.push_back(Flight {
            pending: readback.request(submission),
            readback,
            steps: steps.to_vec(),
            members: members.to_vec(),
        });
        self.made(&steps[0], last, members);
        gpu.check()
    }

    /// Notes that these steps, and those between, are under way.
    pub fn made(&mut self, first: &Step, last: &Step, members: &[usize]) {
        for &member in members {
            let standing = &mut self.members[member];
            standing.first = standing.first.or(Some(first.number));
            standing.submitted = last.number;
        }
    }

    /// Has the device make these steps, a submission for each run of them whose rows it has at once; `also` is recorded behind the
    /// last.
    pub(super) fn make(
        &mut self,
        steps: &[Step],
        members: &[usize],
        also: impl FnOnce(&Self, &mut wgpu::CommandEncoder),
    ) -> Result<wgpu::SubmissionIndex> {
        let gpu = self.workspace.gpu.clone();
        self.workspace.write_steps(steps, members)?;
        let encoder = || gpu.device().create_command_encoder(&Default::default());
        let mut recorded = encoder();
        for run in self.workspace.runs(steps) {
            if run.start > 0 {
                gpu.queue().submit([std::mem::replace(&mut recorded, encoder()).finish()]);
            }
            self.open_window(&steps[run.clone()], members);
            self.record(&mut recorded, steps, run, members);
        }
        also(self, &mut recorded);
        Ok(gpu.queue().submit([recorded.finish()]))
    }

    /// Has the rows of these steps on the device, where not all are there.
    fn open_window(&mut self, steps: &[Step], members: &[usize]) {
        if self.workspace.fill(steps, members) {
            self.under_way.prepared = None;
        }
    }

    /// Records a run of these steps: what keeps the state before the first, what opens an epoch, and the program for each step or
    /// run of steps.
    fn record(
        &mut self,
        encoder: &mut wgpu::CommandEncoder,
        steps: &[Step],
        run: Range<usize>,
        members: &[usize],
    ) {
        let ends = [run.start == 0, run.end == steps.len()];
        let mut pass = self.begin(encoder, ends, members);
        // Where the run of the program that has been recorded last ends.
        let mut end = 0;
        for slot in run {
            if self.open_epoch(&mut pass, slot, &steps[slot], members) {
                end = slot;
            }
            if slot >= end {
                let most = match self.program.covers {
                    Covers::Step => 1,
                    Covers::Run(most) => most,
                };
                // A new epoch cuts the run short, here and in `StepInfo`.
                end = slot + most;
                let group = Some(self.workspace.steps.slot(slot, members.len()));
                let dispatches = &self.program.dispatches;
                dispatches.iter().for_each(|dispatch| dispatch.record(&mut pass, group));
            }
        }
    }

    /// A pass of a submission, which may be its first and its last, with what keeps the state and what opens the program.
    fn begin<'a>(
        &self,
        encoder: &'a mut wgpu::CommandEncoder,
        [is_first, is_last]: [bool; 2],
        members: &[usize],
    ) -> wgpu::ComputePass<'a> {
        let clock = self.under_way.clock.as_ref();
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("training steps"),
            timestamp_writes: clock.and_then(|clock| clock.writes_of([is_first, is_last])),
        });
        if is_first {
            let group = Some(self.workspace.steps.slot(0, members.len()));
            self.workspace.keep.record(&mut pass, group);
            self.program.opening.iter().for_each(|dispatch| dispatch.record(&mut pass, group));
        }
        pass
    }

    /// Records what opens the epoch of this step, unless it is open; whether it was not.
    fn open_epoch(
        &mut self,
        pass: &mut wgpu::ComputePass<'_>,
        slot: usize,
        step: &Step,
        members: &[usize],
    ) -> bool {
        let Workspace { recipe, rows, ordering, normalising, steps, .. } = &self.workspace;
        let prepared = self.under_way.prepared.as_ref();
        let is_first =
            prepared.is_none_or(|(_, of)| !members.iter().all(|member| of.contains(member)));
        let is_of = prepared.is_some_and(|(epoch, _)| *epoch == step.epoch);
        let opens = is_first || recipe.shuffle && !is_of;
        if opens {
            let group = steps.slot(slot, members.len());
            ordering.iter().for_each(|dispatch| dispatch.record(pass, Some(group)));
            if is_first || normalisers::vary(&rows.layouts) {
                // Of all members, whether they train or not.
                let group = Some(steps.slot(slot, self.workspace.seats()));
                normalising.dispatches.iter().for_each(|dispatch| dispatch.record(pass, group));
            }
            self.under_way.prepared = Some((step.epoch, members.to_vec()));
        }
        opens
    }

    /// Records what comes before the program of this one step, written to slot 0.
    pub fn prepare(&mut self, encoder: &mut wgpu::CommandEncoder, step: &Step, members: &[usize]) {
        self.open_window(&[*step], members);
        let mut pass = self.begin(encoder, [true; 2], members);
        self.open_epoch(&mut pass, 0, step, members);
    }

    // A readback holds the clock's two timestamps, the stop marks, then the records.

    fn stop_bytes(&self) -> u64 {
        8 * self.workspace.seats() as u64
    }

    fn head_bytes(&self) -> u64 {
        Clock::BYTES + self.stop_bytes()
    }

    fn new_readback(&self) -> Readback {
        let bytes = self.head_bytes() + 4 * self.workspace.records.len() as u64;
        Readback::new(&self.workspace.gpu, "records", bytes)
    }

    fn copy_records(&self, encoder: &mut wgpu::CommandEncoder, to: &Readback, records: usize) {
        let Workspace { stop, records: ring, .. } = &self.workspace;
        if let Some(clock) = &self.under_way.clock {
            clock.resolve(encoder, to.buffer(), 0);
        }
        let stop_bytes = self.stop_bytes();
        encoder.copy_buffer_to_buffer(stop.raw(), 0, to.buffer(), Clock::BYTES, stop_bytes);
        let bytes = 4 * (records * self.workspace.record_length()) as u64;
        encoder.copy_buffer_to_buffer(ring.raw(), 0, to.buffer(), self.head_bytes(), bytes);
    }

    /// Waits for the oldest submission; its records, step by step and member by member, but none of a member that had stopped.
    pub async fn collect(&mut self) -> Result<Vec<Record>> {
        let Some(flight) = self.under_way.flights.pop_front() else {
            return Ok(Vec::new());
        };
        let Workspace { gpu, recipes, .. } = &self.workspace;
        let length = self.workspace.record_length();
        let values = flight.steps.len() * flight.members.len() * length;
        let read = |bytes: &[u8]| {
            let (head, records) = bytes.split_at(self.head_bytes() as usize);
            let (clock, stop) = head.split_at(Clock::BYTES as usize);
            let elapsed = self.under_way.clock.as_ref().map(|_| Clock::elapsed(gpu, clock));
            let stop: Vec<[u32; 2]> = bytemuck::pod_collect_to_vec(stop);
            let records: Vec<f32> = bytemuck::pod_collect_to_vec(&records[..4 * values]);
            (stop, elapsed, records)
        };
        let Flight { readback, pending, steps, members } = flight;
        let taken = readback.finish(gpu, pending, read).await;
        let (stop, elapsed, values) = taken?;
        self.under_way.spare.push(readback);
        self.under_way.gpu_time += elapsed.unwrap_or_default();
        let places =
            steps.iter().flat_map(|step| members.iter().map(move |member| (step, *member)));
        let record = |((step, member), slot): ((&Step, usize), &[f32])| {
            record(step, member, slot, &recipes[member].weighting)
        };
        let mut records: Vec<Record> = places.zip(values.chunks(length)).map(record).collect();
        for &member in &members {
            self.note_failure(member, stop[member], &records, &steps)?;
        }
        let last_good = |record: &Record| {
            self.members[record.member].failure.is_none_or(|it| record.step <= it.last_good())
        };
        records.retain(last_good);
        Ok(records)
    }

    /// Members' training states, each that after the last step of it which was made.
    pub async fn states(&mut self, members: &[usize]) -> Result<Vec<State>> {
        self.settle().await?;
        let marks = self.workspace.stop_marks().await?;
        let step = |&member: &usize| self.last_made(member, marks[member].map(u64::from));
        let steps: Vec<u64> = members.iter().map(step).collect();
        self.workspace.states(members, &steps).await
    }

    /// One member's state.
    #[cfg(test)]
    pub async fn state(&mut self, member: usize) -> Result<State> {
        Ok(self.states(&[member]).await?.swap_remove(0))
    }

    /// Replaces a member's training state. Submissions under way were made from others and are forgotten, for all members.
    pub fn load(&mut self, member: usize, state: &State) -> Result<()> {
        self.workspace.load(member, state)?;
        self.forget();
        let (loaded, submitted) = (state.step, state.step);
        self.members[member] = Standing { loaded, submitted, ..Standing::default() };
        Ok(())
    }

    /// Forgets the submissions under way.
    pub fn forget(&mut self) {
        self.under_way.flights.clear();
    }

    /// Whether steps are under way.
    pub fn is_under_way(&self) -> bool {
        !self.under_way.flights.is_empty()
    }

    /// The number of the last step submitted of a member, or of the state loaded.
    pub fn last_step(&self, member: usize) -> u64 {
        self.members[member].submitted
    }

    /// GPU time of the submissions collected so far, if the adapter has timestamps.
    pub fn gpu_time(&self) -> Option<Duration> {
        self.under_way.clock.as_ref().map(|_| self.under_way.gpu_time)
    }
}
