//! Steps under way: submissions of many steps at once, their records, and what becomes of a step that cannot be finished.
//!
//! A loss that is not finite is found before its step changes anything. A gradient is not: by the time that one parameter is
//! found to have none, others are updated. So the state before every submission is kept on the device
//! (`shaders/epoch/keep.wgsl`), and where a step in it fails, training goes back there and makes the steps before the failed one
//! again: the same steps from the same state give the same bits.

use super::infos::StepInfo;
use super::outcome::{FIELDS, Failure, NEVER, record};
use super::program::{Covers, Program};
use super::resident::Resident;
use super::{MOST_STEPS, Record, Step};
use crate::error::Result;
use crate::gpu::{Buffer, Clock, Gpu, Readback, read};
use crate::loss::normalisers;
use std::collections::VecDeque;
use std::time::Duration;

/// Slots of step information, picked by dynamic offset.
pub(super) struct Steps {
    buffer: Buffer<u8>,
    group: wgpu::BindGroup,
}

impl Steps {
    pub fn new(gpu: &Gpu, slots: usize) -> Result<Self> {
        let stride = StepInfo::STRIDE as usize;
        let buffer = Buffer::uniform_and_storage(gpu, "steps", &vec![0u8; slots * stride])?;
        let group = gpu.step_group(buffer.raw(), size_of::<StepInfo>() as u64);
        Ok(Self { buffer, group })
    }

    /// Fills the first slots.
    pub fn write(&self, gpu: &Gpu, infos: impl ExactSizeIterator<Item = StepInfo>) {
        let stride = StepInfo::STRIDE as usize;
        let mut bytes = vec![0u8; infos.len() * stride];
        for (slot, info) in bytes.chunks_mut(stride).zip(infos) {
            slot[..size_of::<StepInfo>()].copy_from_slice(bytemuck::bytes_of(&info));
        }
        self.buffer.write(gpu, 0, &bytes);
    }

    /// Group 1 for this slot.
    pub fn slot(&self, slot: usize) -> Option<(&wgpu::BindGroup, u32)> {
        Some((&self.group, slot as u32 * StepInfo::STRIDE))
    }
}

/// A submission whose records have not been collected.
struct Flight {
    readback: Readback,
    pending: crate::gpu::Pending,
    steps: Vec<Step>,
}

/// Where training stands.
pub(super) struct Submissions {
    steps: Steps,
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
    pub fn new(gpu: &Gpu) -> Result<Self> {
        Ok(Self {
            steps: Steps::new(gpu, MOST_STEPS)?,
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
        })
    }

    /// Starts afresh after this step.
    pub fn forget(&mut self, step: u64) {
        self.flights.clear();
        self.loaded = step;
        self.first = None;
        self.submitted = step;
        self.failure = None;
        self.is_rewound = false;
    }
}

impl Resident {
    /// Starts these steps.
    pub fn submit(&mut self, steps: &[Step], program: &Program) -> Result<()> {
        self.gpu.check()?;
        let Some(last) = steps.last() else {
            return Ok(());
        };
        self.write_steps(steps)?;
        let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
        self.record(&mut encoder, steps, program);
        let readback = self.under_way.spare.pop().unwrap_or_else(|| self.new_readback());
        self.copy_records(&mut encoder, &readback, steps.len());
        let submission = self.gpu.queue().submit([encoder.finish()]);
        self.under_way.flights.push_back(Flight {
            pending: readback.request(submission),
            readback,
            steps: steps.to_vec(),
        });
        self.made(&steps[0], last);
        self.gpu.check()
    }

    /// Checks these steps and tells the kernels of them, one a slot.
    pub fn write_steps(&self, steps: &[Step]) -> Result<()> {
        Step::check_all(steps, &self.recipe, self.rows)?;
        let infos = (0..steps.len())
            .map(|slot| StepInfo::new(&self.recipe, self.rows, &steps[slot..], slot));
        self.under_way.steps.write(&self.gpu, infos);
        Ok(())
    }

    /// Group 1 for this slot.
    pub fn step_slot(&self, slot: usize) -> Option<(&wgpu::BindGroup, u32)> {
        self.under_way.steps.slot(slot)
    }

    /// Notes that these steps, and those between, are under way.
    pub fn made(&mut self, first: &Step, last: &Step) {
        self.under_way.first = self.under_way.first.or(Some(first.number));
        self.under_way.submitted = last.number;
    }

    /// Records what keeps the state, then the program for each step or run of steps, and before it what opens an epoch.
    fn record(&mut self, encoder: &mut wgpu::CommandEncoder, steps: &[Step], program: &Program) {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("training steps"),
            timestamp_writes: self.under_way.clock.as_ref().map(|clock| clock.writes(0)),
        });
        self.keep.record(&mut pass, self.under_way.steps.slot(0));
        // Where the run that has been recorded last ends.
        let mut end = 0;
        for (slot, step) in steps.iter().enumerate() {
            let group = self.under_way.steps.slot(slot);
            let is_first = self.under_way.prepared.is_none();
            if is_first || self.recipe.shuffle && self.under_way.prepared != Some(step.epoch) {
                self.prepare[0].record(&mut pass, group);
                if is_first || normalisers::vary(&self.layouts) {
                    self.prepare[1..].iter().for_each(|dispatch| dispatch.record(&mut pass, None));
                }
                end = slot;
            }
            self.under_way.prepared = Some(step.epoch);
            if slot >= end {
                let most = match program.covers {
                    Covers::Step => 1,
                    Covers::Run(most) => most,
                };
                // A new epoch cuts the run short, here and in `StepInfo`.
                end = slot + most;
                program.dispatches.iter().for_each(|dispatch| dispatch.record(&mut pass, group));
            }
        }
    }

    /// Records what keeps the state and what opens the epoch of this step, written to slot 0, unless it is open.
    pub fn open_epoch(&mut self, encoder: &mut wgpu::CommandEncoder, step: &Step) {
        self.record(encoder, std::slice::from_ref(step), &Program::step(Vec::new()));
    }

    /// The slots of steps, for kernels that make many.
    pub fn step_slots(&self) -> &Buffer<u8> {
        &self.under_way.steps.buffer
    }

    // A readback holds the stop marks, the clock's two timestamps, then the records.
    const STOP_BYTES: u64 = 8;
    const HEAD_BYTES: u64 = Self::STOP_BYTES + Clock::BYTES;

    fn new_readback(&self) -> Readback {
        let bytes = Self::HEAD_BYTES + 4 * self.records.len() as u64;
        Readback::new(&self.gpu, "records", bytes)
    }

    fn copy_records(&self, encoder: &mut wgpu::CommandEncoder, to: &Readback, steps: usize) {
        encoder.copy_buffer_to_buffer(self.stop.raw(), 0, to.buffer(), 0, Self::STOP_BYTES);
        if let Some(clock) = &self.under_way.clock {
            clock.resolve(encoder, to.buffer(), Self::STOP_BYTES);
        }
        let bytes = 4 * (steps * self.record_length()) as u64;
        encoder.copy_buffer_to_buffer(self.records.raw(), 0, to.buffer(), Self::HEAD_BYTES, bytes);
    }

    /// Bytes of a step's record.
    pub fn record_bytes(&self) -> u64 {
        4 * self.record_length() as u64
    }

    fn record_length(&self) -> usize {
        1 + FIELDS * self.recipe.network.tasks().len()
    }

    /// Waits for the oldest submission; its records before training stopped, or, if there are none, why it did.
    pub async fn collect(&mut self, program: &Program) -> Result<Vec<Record>> {
        let Some(flight) = self.under_way.flights.pop_front() else {
            let failure = self.under_way.failure;
            return failure.map_or(Ok(Vec::new()), |failure| Err(failure.error(&self.recipe)));
        };
        let length = flight.steps.len() * self.record_length();
        let read = |bytes: &[u8]| {
            let (head, records) = bytes.split_at(Self::HEAD_BYTES as usize);
            let (stop, clock) = head.split_at(Self::STOP_BYTES as usize);
            let elapsed = self.under_way.clock.as_ref().map(|_| Clock::elapsed(&self.gpu, clock));
            let stop: Vec<u32> = bytemuck::pod_collect_to_vec(stop);
            let records: Vec<f32> = bytemuck::pod_collect_to_vec(&records[..4 * length]);
            (stop, elapsed, records)
        };
        let taken = flight.readback.finish(&self.gpu, flight.pending, read).await;
        let (stop, elapsed, values) = taken?;
        self.under_way.spare.push(flight.readback);
        self.under_way.gpu_time += elapsed.unwrap_or_default();
        let slots = values.chunks(self.record_length());
        let weighting = &self.recipe.weighting;
        let record = |(step, slot): (&Step, &[f32])| record(step, slot, weighting);
        let mut records: Vec<Record> = flight.steps.iter().zip(slots).map(record).collect();
        let read = || Failure::read([stop[0], stop[1]], &records);
        self.under_way.failure = self.under_way.failure.or_else(read);
        let Some(failure) = self.under_way.failure else {
            return Ok(records);
        };
        if let Failure::Gradient { step } = failure {
            self.rewind(step, &flight.steps, program)?;
        }
        records.retain(|record| record.step <= failure.last_good());
        if records.is_empty() { Err(failure.error(&self.recipe)) } else { Ok(records) }
    }

    /// Takes back a half-made step under way, so that the state is that after the last step which was made.
    pub async fn settle(&mut self, program: &Program) -> Result<()> {
        let stop: Vec<u32> = read(&self.gpu, self.stop.raw(), 2).await?;
        let failed = u64::from(stop[1]);
        if stop[1] == NEVER {
            return Ok(());
        }
        let mut flights = self.under_way.flights.iter().map(|flight| &flight.steps);
        let of_failed = |steps: &&Vec<Step>| steps.iter().any(|step| step.number == failed);
        // None has it where the step was made by itself, for its times.
        let steps = flights.find(of_failed).cloned().unwrap_or_default();
        self.rewind(failed, &steps, program)
    }

    /// Goes back to the state before the submission of the step that failed, and makes the steps before that one again.
    fn rewind(&mut self, failed: u64, steps: &[Step], program: &Program) -> Result<()> {
        if std::mem::replace(&mut self.under_way.is_rewound, true) {
            return Ok(());
        }
        let again = steps.iter().filter(|step| step.number < failed);
        let again: Vec<Step> = again.copied().collect();
        self.stop.write(&self.gpu, 0, &[NEVER, NEVER]);
        let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
        let of_parameters = self.parameters.raw().size();
        for (to, from) in [(&self.parameters, 0), (&self.moments, of_parameters)] {
            let to = to.raw();
            encoder.copy_buffer_to_buffer(self.kept.raw(), from, to, 0, to.size());
        }
        // The order on the device may be that of a later epoch.
        self.under_way.prepared = None;
        if !again.is_empty() {
            self.write_steps(&again)?;
            self.record(&mut encoder, &again, program);
        }
        self.gpu.queue().submit([encoder.finish()]);
        // No step after it is made, as before.
        self.stop.write(&self.gpu, 0, &[NEVER, failed as u32]);
        self.gpu.check()
    }

    /// Whether steps are under way.
    pub fn is_under_way(&self) -> bool {
        !self.under_way.flights.is_empty()
    }

    /// The last step that was made, by the marks of the first whose loss, and whose gradient, was not finite.
    pub fn last_made(&self, [loss, gradient]: [u64; 2]) -> u64 {
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
