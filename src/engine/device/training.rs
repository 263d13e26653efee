//! Steps under way: submissions of many steps at once, their records, and what becomes of a step that cannot be finished.
//!
//! A loss that is not finite is found before its step changes anything. A gradient is not: by the time that one parameter is
//! found to have none, others are updated. So the state before every submission is kept on the device
//! (`shaders/epoch/keep.wgsl`), and where a step in it fails, training goes back there and makes the steps before the failed one
//! again: the same steps from the same state give the same bits.

use super::program::{Covers, Program};
use super::resident::Resident;
use crate::engine::outcome::{Failure, NEVER, record};
use crate::engine::state::State;
use crate::engine::step::{Record, Step};
use crate::error::Result;
use crate::gpu::{Clock, Gpu, Pending, Readback};
use crate::loss::normalisers;
use std::collections::VecDeque;
use std::time::Duration;

/// Training on the device: what is there, the program that makes steps of it, and the steps under way.
pub(crate) struct Training {
    pub resident: Resident,
    pub program: Program,
    under_way: Submissions,
}

/// A submission whose records have not been collected.
struct Flight {
    readback: Readback,
    pending: Pending,
    steps: Vec<Step>,
}

/// Where training stands.
struct Submissions {
    /// The epoch whose order the device holds.
    prepared: Option<u64>,
    /// The number of the last step before those submitted, of the first of those, and of the last.
    loaded: u64,
    first: Option<u64>,
    submitted: u64,
    flights: VecDeque<Flight>,
    spare: Vec<Readback>,
    /// Why training stopped, once a record has told.
    failure: Option<Failure>,
    /// Whether the half-made step that stopped training has been taken back.
    is_rewound: bool,
    clock: Option<Clock>,
    gpu_time: Duration,
}

impl Submissions {
    fn new(gpu: &Gpu) -> Self {
        Self {
            prepared: None,
            loaded: 0,
            first: None,
            submitted: 0,
            flights: VecDeque::new(),
            spare: Vec::new(),
            failure: None,
            is_rewound: false,
            clock: Clock::new(gpu, 1),
            gpu_time: Duration::ZERO,
        }
    }

    /// Starts afresh after this step.
    fn forget(&mut self, step: u64) {
        self.flights.clear();
        self.loaded = step;
        self.first = None;
        self.submitted = step;
        self.failure = None;
        self.is_rewound = false;
    }
}

impl Training {
    /// Training from the state that is on the device, before the first step.
    pub fn new(resident: Resident, program: Program) -> Self {
        let under_way = Submissions::new(&resident.gpu);
        Self { resident, program, under_way }
    }

    /// Starts these steps.
    pub fn submit(&mut self, steps: &[Step]) -> Result<()> {
        let gpu = self.resident.gpu.clone();
        gpu.check()?;
        let Some(last) = steps.last() else {
            return Ok(());
        };
        self.resident.write_steps(steps)?;
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        self.record(&mut encoder, steps);
        let readback = self.under_way.spare.pop().unwrap_or_else(|| self.new_readback());
        self.copy_records(&mut encoder, &readback, steps.len());
        let submission = gpu.queue().submit([encoder.finish()]);
        self.under_way.flights.push_back(Flight {
            pending: readback.request(submission),
            readback,
            steps: steps.to_vec(),
        });
        self.made(&steps[0], last);
        gpu.check()
    }

    /// Notes that these steps, and those between, are under way.
    pub fn made(&mut self, first: &Step, last: &Step) {
        self.under_way.first = self.under_way.first.or(Some(first.number));
        self.under_way.submitted = last.number;
    }

    /// Records what keeps the state, then the program for each step or run of steps, and before it what opens an epoch.
    fn record(&mut self, encoder: &mut wgpu::CommandEncoder, steps: &[Step]) {
        let mut pass = self.begin(encoder);
        // Where the run that has been recorded last ends.
        let mut end = 0;
        for (slot, step) in steps.iter().enumerate() {
            if self.open_epoch(&mut pass, slot, step) {
                end = slot;
            }
            if slot >= end {
                let most = match self.program.covers {
                    Covers::Step => 1,
                    Covers::Run(most) => most,
                };
                // A new epoch cuts the run short, here and in `StepInfo`.
                end = slot + most;
                let group = self.resident.steps.slot(slot);
                let dispatches = &self.program.dispatches;
                dispatches.iter().for_each(|dispatch| dispatch.record(&mut pass, group));
            }
        }
    }

    /// The pass of a submission, with what keeps the state and what opens the program.
    fn begin<'a>(&self, encoder: &'a mut wgpu::CommandEncoder) -> wgpu::ComputePass<'a> {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("training steps"),
            timestamp_writes: self.under_way.clock.as_ref().map(|clock| clock.writes(0)),
        });
        self.resident.keep.record(&mut pass, self.resident.steps.slot(0));
        self.program.opening.iter().for_each(|dispatch| dispatch.record(&mut pass, None));
        pass
    }

    /// Records what opens the epoch of this step, unless it is open; whether it was not.
    fn open_epoch(&mut self, pass: &mut wgpu::ComputePass<'_>, slot: usize, step: &Step) -> bool {
        let Resident { recipe, layouts, prepare, steps, .. } = &self.resident;
        let prepared = self.under_way.prepared.replace(step.epoch);
        let is_first = prepared.is_none();
        let opens = is_first || recipe.shuffle && prepared != Some(step.epoch);
        if opens {
            prepare[0].record(pass, steps.slot(slot));
            if is_first || normalisers::vary(layouts) {
                prepare[1..].iter().for_each(|dispatch| dispatch.record(pass, None));
            }
        }
        opens
    }

    /// Records what comes before the program of this one step, written to slot 0.
    pub fn prepare(&mut self, encoder: &mut wgpu::CommandEncoder, step: &Step) {
        let mut pass = self.begin(encoder);
        self.open_epoch(&mut pass, 0, step);
    }

    // A readback holds the stop marks, the clock's two timestamps, then the records.
    const STOP_BYTES: u64 = 8;
    const HEAD_BYTES: u64 = Self::STOP_BYTES + Clock::BYTES;

    fn new_readback(&self) -> Readback {
        let bytes = Self::HEAD_BYTES + 4 * self.resident.records.len() as u64;
        Readback::new(&self.resident.gpu, "records", bytes)
    }

    fn copy_records(&self, encoder: &mut wgpu::CommandEncoder, to: &Readback, steps: usize) {
        let Resident { stop, records, .. } = &self.resident;
        encoder.copy_buffer_to_buffer(stop.raw(), 0, to.buffer(), 0, Self::STOP_BYTES);
        if let Some(clock) = &self.under_way.clock {
            clock.resolve(encoder, to.buffer(), Self::STOP_BYTES);
        }
        let bytes = 4 * (steps * self.resident.record_length()) as u64;
        encoder.copy_buffer_to_buffer(records.raw(), 0, to.buffer(), Self::HEAD_BYTES, bytes);
    }

    /// Waits for the oldest submission; its records before training stopped, or, if there are none, why it did.
    pub async fn collect(&mut self) -> Result<Vec<Record>> {
        let Some(flight) = self.under_way.flights.pop_front() else {
            let failure = self.under_way.failure;
            let error = |failure: Failure| Err(failure.error(&self.resident.recipe));
            return failure.map_or(Ok(Vec::new()), error);
        };
        let Resident { gpu, recipe, .. } = &self.resident;
        let length = flight.steps.len() * self.resident.record_length();
        let read = |bytes: &[u8]| {
            let (head, records) = bytes.split_at(Self::HEAD_BYTES as usize);
            let (stop, clock) = head.split_at(Self::STOP_BYTES as usize);
            let elapsed = self.under_way.clock.as_ref().map(|_| Clock::elapsed(gpu, clock));
            let stop: Vec<u32> = bytemuck::pod_collect_to_vec(stop);
            let records: Vec<f32> = bytemuck::pod_collect_to_vec(&records[..4 * length]);
            (stop, elapsed, records)
        };
        let taken = flight.readback.finish(gpu, flight.pending, read).await;
        let (stop, elapsed, values) = taken?;
        self.under_way.spare.push(flight.readback);
        self.under_way.gpu_time += elapsed.unwrap_or_default();
        let slots = values.chunks(self.resident.record_length());
        let record = |(step, slot): (&Step, &[f32])| record(step, slot, &recipe.weighting);
        let mut records: Vec<Record> = flight.steps.iter().zip(slots).map(record).collect();
        let read = || Failure::read([stop[0], stop[1]], &records);
        self.under_way.failure = self.under_way.failure.or_else(read);
        let Some(failure) = self.under_way.failure else {
            return Ok(records);
        };
        if let Failure::Gradient { step } = failure {
            self.rewind(step, &flight.steps)?;
        }
        records.retain(|record| record.step <= failure.last_good());
        match records.is_empty() {
            true => Err(failure.error(&self.resident.recipe)),
            false => Ok(records),
        }
    }

    /// Takes back a half-made step under way, so that the state is that after the last step which was made.
    pub async fn settle(&mut self) -> Result<()> {
        let [_, stop] = self.resident.stop_marks().await?;
        let failed = u64::from(stop);
        if stop == NEVER {
            return Ok(());
        }
        let mut flights = self.under_way.flights.iter().map(|flight| &flight.steps);
        let of_failed = |steps: &&Vec<Step>| steps.iter().any(|step| step.number == failed);
        // None has it where the step was made by itself, for its times.
        let steps = flights.find(of_failed).cloned().unwrap_or_default();
        self.rewind(failed, &steps)
    }

    /// Goes back to the state before the submission of the step that failed, and makes the steps before that one again.
    fn rewind(&mut self, failed: u64, steps: &[Step]) -> Result<()> {
        if std::mem::replace(&mut self.under_way.is_rewound, true) {
            return Ok(());
        }
        let again = steps.iter().filter(|step| step.number < failed);
        let again: Vec<Step> = again.copied().collect();
        let Resident { gpu, stop, parameters, moments, kept, .. } = &self.resident;
        stop.write(gpu, 0, &[NEVER, NEVER]);
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        for (to, from) in [(parameters, 0), (moments, parameters.raw().size())] {
            let to = to.raw();
            encoder.copy_buffer_to_buffer(kept.raw(), from, to, 0, to.size());
        }
        // The order on the device may be that of a later epoch.
        self.under_way.prepared = None;
        if !again.is_empty() {
            self.resident.write_steps(&again)?;
            self.record(&mut encoder, &again);
        }
        let Resident { gpu, stop, .. } = &self.resident;
        gpu.queue().submit([encoder.finish()]);
        // No step after it is made, as before.
        stop.write(gpu, 0, &[NEVER, failed as u32]);
        gpu.check()
    }

    /// The training state, that after the last step which was made.
    pub async fn state(&mut self) -> Result<State> {
        self.settle().await?;
        let step = self.last_made(self.resident.stop_marks().await?.map(u64::from));
        self.resident.state(step).await
    }

    /// Replaces the training state and forgets the submissions under way: their steps were made from another.
    pub fn load(&mut self, state: &State) -> Result<()> {
        self.resident.load(state)?;
        self.under_way.forget(state.step);
        Ok(())
    }

    /// Whether steps are under way.
    pub fn is_under_way(&self) -> bool {
        !self.under_way.flights.is_empty()
    }

    /// The last step that was made, by the marks of the first whose loss, and whose gradient, was not finite.
    fn last_made(&self, [loss, gradient]: [u64; 2]) -> u64 {
        let failed = loss.min(gradient);
        match self.under_way.first {
            Some(first) if first >= failed => self.under_way.loaded,
            _ => self.under_way.submitted.min(failed - 1),
        }
    }

    /// The number of the last step submitted, or of the state loaded.
    pub fn last_step(&self) -> u64 {
        self.under_way.submitted
    }

    /// GPU time of the submissions collected so far, if the adapter has timestamps.
    pub fn gpu_time(&self) -> Option<Duration> {
        self.under_way.clock.as_ref().map(|_| self.under_way.gpu_time)
    }
}
