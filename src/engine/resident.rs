//! What both GPU engines keep on the device: the dataset, the training state, the epoch's order, the ring of
//! records; and the submissions that are under way.

use super::infos::{Shares, StepInfo};
use super::outcome::{FIELDS, Failure, NEVER, record};
use super::program::{Covers, Program};
use super::{MOST_STEPS, Recipe, Record, State, Step};
use crate::data::Dataset;
use crate::error::Result;
use crate::gpu::{Buffer, Clock, Dispatch, Gpu, Readback, kernels, read};
use crate::loss::{Labels, NONE, TaskLayout, pass};
use crate::network::Dropout;
use std::collections::VecDeque;
use std::time::Duration;

/// Everything on the device that outlives a step.
pub(super) struct Resident {
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
    steps: Steps,
    prepare: [Dispatch; 2],
    prepared: Option<u64>,
    /// The number of the last step before those submitted, of the first of those, and of the last.
    loaded: u64,
    first: Option<u64>,
    submitted: u64,
    flights: VecDeque<Flight>,
    spare: Vec<Readback>,
    /// Why training stopped, once a record has told.
    failure: Option<Failure>,
    clock: Option<Clock>,
    gpu_time: Duration,
}

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
        let sizes = Buffer::storage(gpu, "the batches", &[batch as u32, batches as u32])?;
        let prepare = [
            gpu.kernel(&kernels::ORDER, &[]).dispatch(gpu, &[order.binding()], rows.div_ceil(64)),
            gpu.kernel(&kernels::NORMALISERS, &[]).dispatch(
                gpu,
                &[
                    labels.binding(),
                    layouts.binding(),
                    order.binding(),
                    normalisers.binding(),
                    sizes.binding(),
                ],
                batches,
            ),
        ];
        let most_bytes = gpu.device().limits().max_storage_buffer_binding_size;
        let record = 1 + FIELDS * tasks.len();
        let mut resident = Self {
            shares: Shares::new(batch, parameters, most_bytes),
            parameters: Buffer::zeros(gpu, "the parameters", all)?,
            moments: Buffer::zeros(gpu, "Adam's moments", 2 * all + 2 * tasks.len())?,
            records: Buffer::zeros(gpu, "the records", MOST_STEPS * record)?,
            stop: Buffer::zeros(gpu, "the stop mark", 2)?,
            steps: Steps::new(gpu, MOST_STEPS)?,
            clock: Clock::new(gpu, 1),
            gpu: gpu.clone(),
            rows,
            batch,
            features,
            labels,
            tasks: layouts,
            layouts: packed.layouts,
            order,
            normalisers,
            prepare,
            prepared: None,
            loaded: 0,
            first: None,
            submitted: 0,
            flights: VecDeque::new(),
            spare: Vec::new(),
            failure: None,
            gpu_time: Duration::ZERO,
            recipe,
        };
        resident.load(&State::initial(&resident.recipe))?;
        Ok(resident)
    }

    /// Lanes that share a row in the loss kernels.
    pub fn lanes_per_row(&self) -> usize {
        let widths = self.recipe.network.tasks().iter().map(|task| task.width);
        pass::lanes_per_row(&self.gpu, widths.max().unwrap_or(1))
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

    /// Starts these steps.
    pub fn submit(&mut self, steps: &[Step], program: &Program) -> Result<()> {
        self.gpu.check()?;
        let Some(last) = steps.last() else {
            return Ok(());
        };
        self.write_steps(steps)?;
        let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
        self.record(&mut encoder, steps, program);
        let readback = self.spare.pop().unwrap_or_else(|| self.new_readback());
        self.copy_records(&mut encoder, &readback, steps.len());
        let submission = self.gpu.queue().submit([encoder.finish()]);
        self.flights.push_back(Flight {
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
        self.steps.write(&self.gpu, infos);
        Ok(())
    }

    /// Group 1 for this slot.
    pub fn step_slot(&self, slot: usize) -> Option<(&wgpu::BindGroup, u32)> {
        self.steps.slot(slot)
    }

    /// Notes that these steps, and those between, are under way.
    pub fn made(&mut self, first: &Step, last: &Step) {
        self.first = self.first.or(Some(first.number));
        self.submitted = last.number;
    }

    /// Records the program for each step or run of steps, and before it what opens an epoch.
    fn record(&mut self, encoder: &mut wgpu::CommandEncoder, steps: &[Step], program: &Program) {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("training steps"),
            timestamp_writes: self.clock.as_ref().map(|clock| clock.writes(0)),
        });
        // Where the run that has been recorded last ends.
        let mut end = 0;
        for (slot, step) in steps.iter().enumerate() {
            let group = self.steps.slot(slot);
            let is_first = self.prepared.is_none();
            if is_first || self.recipe.shuffle && self.prepared != Some(step.epoch) {
                self.prepare[0].record(&mut pass, group);
                if is_first || self.normalisers_vary() {
                    self.prepare[1].record(&mut pass, None);
                }
                end = slot;
            }
            self.prepared = Some(step.epoch);
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

    /// Whether what a batch's losses are divided by depends on which rows it has.
    fn normalisers_vary(&self) -> bool {
        self.layouts.iter().any(|task| task.mask != NONE || task.class_weights != NONE)
    }

    /// Records what opens the epoch of this step, written to slot 0, unless it is open.
    pub fn open_epoch(&mut self, encoder: &mut wgpu::CommandEncoder, step: &Step) {
        self.record(encoder, std::slice::from_ref(step), &Program::step(Vec::new()));
    }

    /// The dispatches that open an epoch: the order of the rows, then the normalisers.
    pub fn prepare(&self) -> &[Dispatch] {
        &self.prepare
    }

    /// The slots of steps, for kernels that make many.
    pub fn step_slots(&self) -> &Buffer<u8> {
        &self.steps.buffer
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
        if let Some(clock) = &self.clock {
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
    pub async fn collect(&mut self) -> Result<Vec<Record>> {
        let Some(flight) = self.flights.pop_front() else {
            return self.failure.map_or(Ok(Vec::new()), |failure| Err(failure.error(&self.recipe)));
        };
        let length = flight.steps.len() * self.record_length();
        let read = |bytes: &[u8]| {
            let (head, records) = bytes.split_at(Self::HEAD_BYTES as usize);
            let (stop, clock) = head.split_at(Self::STOP_BYTES as usize);
            let elapsed = self.clock.as_ref().map(|_| Clock::elapsed(&self.gpu, clock));
            let stop: Vec<u32> = bytemuck::pod_collect_to_vec(stop);
            let records: Vec<f32> = bytemuck::pod_collect_to_vec(&records[..4 * length]);
            (stop, elapsed, records)
        };
        let taken = flight.readback.finish(&self.gpu, flight.pending, read).await;
        let (stop, elapsed, values) = taken?;
        self.spare.push(flight.readback);
        self.gpu_time += elapsed.unwrap_or_default();
        let slots = values.chunks(self.record_length());
        let is_learned = self.recipe.weighting.is_learned();
        let record = |(step, slot): (&Step, &[f32])| record(step, slot, is_learned);
        let mut records: Vec<Record> = flight.steps.iter().zip(slots).map(record).collect();
        let read = || Failure::read([stop[0], stop[1]], &records, &self.recipe);
        self.failure = self.failure.or_else(read);
        let Some(failure) = self.failure else {
            return Ok(records);
        };
        records.retain(|record| record.step <= failure.last_good());
        if records.is_empty() { Err(failure.error(&self.recipe)) } else { Ok(records) }
    }

    /// GPU time of the submissions collected so far, if the adapter has timestamps.
    pub fn gpu_time(&self) -> Option<Duration> {
        self.clock.as_ref().map(|_| self.gpu_time)
    }

    /// Reads the training state.
    pub async fn state(&self) -> Result<State> {
        let parameters: Vec<f32> =
            read(&self.gpu, self.parameters.raw(), self.parameters.len()).await?;
        let moments: Vec<f32> = read(&self.gpu, self.moments.raw(), self.moments.len()).await?;
        let stop: Vec<u32> = read(&self.gpu, self.stop.raw(), 2).await?;
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
        let step = self.last_made([stop[0].into(), stop[1].into()]);
        Ok(State {
            step,
            parameters: wide(&parameters[..network]),
            moments: pairs(&first[..network], &second[..network]),
            sigma: wide(&parameters[network..]),
            sigma_moments: pairs(&first[network..], &second[network..]),
            sigma_corrections: pairs(corrections1, corrections2),
        })
    }

    /// The last step that was made: a loss that is not finite stops training before its step, a gradient within it.
    fn last_made(&self, [loss, gradient]: [u64; 2]) -> u64 {
        match self.first {
            Some(first) if first >= loss => self.loaded,
            _ => self.submitted.min(loss - 1).min(gradient),
        }
    }

    /// The number of the last step submitted, or of the state loaded.
    pub fn last_step(&self) -> u64 {
        self.submitted
    }

    /// Replaces the training state and forgets the submissions under way: their steps were made from another.
    pub fn load(&mut self, state: &State) -> Result<()> {
        state.check(&self.recipe)?;
        state.check_single()?;
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
        self.flights.clear();
        self.loaded = state.step;
        self.first = None;
        self.submitted = state.step;
        self.failure = None;
        Ok(())
    }
}
