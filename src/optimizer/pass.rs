//! Adam by itself, on a caller's own buffers and on the σ of a loss pass: shaders/optimizer.

use super::buffers::{AdamBuffers, bindable, check, elements};
use super::{Adam, Group, GroupInfo};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Dispatch, Gpu, Work, kernels, part, read, rounds_of};
use crate::loss::LossPass;
use bytemuck::{Pod, Zeroable};

/// Adam or AdamW on buffers of your own, and on the σ of a [`LossPass`]: encode it once a step, after the dispatches that find the
/// gradients.
///
/// Numbers are those of PyTorch's `Adam` and `AdamW`. Count of steps, bias corrections and moments live on the GPU, so that a step
/// takes no write from the host, no read-back and no allocation. It takes one dispatch for σ, and two more for each part of
/// [parameters](AdamBuffers).
///
/// σ is learned as the training engines do: with a group of its own ([`Adam::sigma`]), kept at its form's
/// [least](crate::SigmaForm::least_parameter) or above, and left as it is, with its moments, in a step in which its task had no label.
///
/// A step is all or nothing. Where the loss pass's total is not finite, or a parameter, σ or moment would not be, nothing is updated
/// in that step and in all after it, and [`progress`](Self::progress) says why.
///
/// ```
/// use awl::optimizer::{AdamBuffers, AdamPass};
/// use awl::*;
/// use wgpu::util::DeviceExt;
/// # pollster::block_on(async {
/// let gpu = Gpu::new().await?; // or Gpu::from_device, with a device of your own
/// let buffer = |values: &[f32]| {
///     gpu.device().create_buffer_init(&wgpu::util::BufferInitDescriptor {
///         label: None,
///         contents: bytemuck::cast_slice(values),
///         usage: wgpu::BufferUsages::STORAGE,
///     })
/// };
/// let parameters = buffer(&[1.0, -1.0, 0.5]);
/// let gradient = buffer(&[3.0, -2.0, 0.0]); // your own kernels write it, step by step
/// let own = AdamBuffers { parameters: parameters.slice(..), gradient: gradient.slice(..) };
/// let adam = AdamPass::new(&gpu, &Adam::new(0.01), &[own], None).await?; // or Some(&loss_pass), for its σ
///
/// let mut encoder = gpu.device().create_command_encoder(&Default::default());
/// adam.encode(&mut encoder);
/// gpu.queue().submit([encoder.finish()]);
/// assert_eq!(adam.progress().await?.steps, 1);
/// # Ok::<(), Error>(()) })?;
/// # Ok::<(), Error>(())
/// ```
pub struct AdamPass {
    gpu: Gpu,
    dispatches: Vec<Dispatch>,
    clock: Buffer<u32>,
    /// First and second moments of each part's parameters.
    moments: Vec<[Buffer<f32>; 2]>,
    sigma_moments: Option<Buffer<f32>>,
}

/// How far an [`AdamPass`] has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdamProgress {
    /// Steps that were made.
    pub steps: u64,
    /// Why the step after them was not; `None` while nothing has stopped it.
    pub stop: Option<AdamStop>,
}

/// What was not finite, or would not have been after the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdamStop {
    /// The total of the loss pass.
    Total,
    /// σ of this task, the first of them, or its moments.
    Sigma {
        /// The task's place.
        task: usize,
    },
    /// A parameter or its moments: the first of them.
    Parameter {
        /// Which of the buffers that the pass was made with.
        part: usize,
        /// Which parameter of it.
        element: usize,
    },
}

/// `Clock` in `optimizer/clock.wgsl`, by words.
mod clock {
    pub const STEPS: usize = 0;
    pub const FACTOR: usize = 3;
    pub const STOPPED: usize = 4;
    pub const FIRST: usize = 5;
    pub const WORDS: usize = 6;

    /// Before the first step.
    pub fn start() -> [u32; WORDS] {
        [0, 0, 0, 1f32.to_bits(), 0, u32::MAX]
    }
}

/// `Settings` in `optimizer/adam_alone.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct PartInfo {
    group: GroupInfo,
    learning_rate: f32,
    parameters: u32,
    parameters_at: u32,
    gradient_at: u32,
    number: u32,
}

/// `Settings` in `optimizer/adam_sigma.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct SigmaInfo {
    network: GroupInfo,
    sigma: GroupInfo,
    learning_rate: f32,
    least: f32,
    tasks: u32,
    held: u32,
}

impl AdamPass {
    /// Prepares Adam on these parameters, by [`Adam::network`], and on the σ of a loss pass, by [`Adam::sigma`]; moments start at 0.
    /// The loss pass is to be encoded before it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for nothing to update, a hyper-parameter without meaning in `f32`, a weighting that nothing learns, a buffer
    /// that is no storage buffer, parts that share parameters, or a gradient in a buffer of which parameters are written;
    /// [`Error::Mismatch`] for another number of gradients than parameters; [`Error::TooLarge`] for more than the device binds; or
    /// whatever the device says.
    ///
    /// # Panics
    /// Where wgpu does: if a buffer belongs to another device than `gpu`.
    pub async fn new(
        gpu: &Gpu,
        adam: &Adam,
        parts: &[AdamBuffers<'_>],
        loss_pass: Option<&LossPass>,
    ) -> Result<Self> {
        adam.check()?;
        adam.check_single()?;
        check(gpu, parts, loss_pass)?;
        gpu.guarded(|| Self::create(gpu, adam, parts, loss_pass)).await
    }

    fn create(
        gpu: &Gpu,
        adam: &Adam,
        parts: &[AdamBuffers<'_>],
        loss_pass: Option<&LossPass>,
    ) -> Result<Self> {
        let clock = Buffer::storage(gpu, "Adam's clock", &clock::start())?;
        let mut dispatches = [Vec::new(), Vec::new()];
        let mut moments = Vec::new();
        let mut number = 0;
        for buffers in parts {
            let count = elements(buffers.parameters);
            let zeros = |label| Buffer::zeros(gpu, label, count);
            let own = [zeros("first moments")?, zeros("second moments")?];
            let [looks, updates] = of_part(gpu, &adam.network, *buffers, number, &own, &clock)?;
            dispatches[0].push(looks);
            dispatches[1].push(updates);
            number += count;
            moments.push(own);
        }
        let tasks = loss_pass.map_or(0, LossPass::tasks);
        let of_sigma = Buffer::zeros(gpu, "σ's moments", 4 * tasks)?;
        let [mut all, updates] = dispatches;
        all.push(between(gpu, adam, loss_pass, &of_sigma, &clock)?);
        all.extend(updates);
        let sigma_moments = loss_pass.map(|_| of_sigma);
        Ok(Self { gpu: gpu.clone(), dispatches: all, clock, moments, sigma_moments })
    }

    /// What it records.
    #[cfg(test)]
    pub(crate) fn encoded(&self) -> &[Dispatch] {
        &self.dispatches
    }

    /// Number of dispatches: 1, and 2 for each part of parameters.
    pub fn dispatches(&self) -> usize {
        self.dispatches.len()
    }

    /// Records a step; submission is up to you. Recorded often, it makes as many steps.
    pub fn encode(&self, encoder: &mut wgpu::CommandEncoder) {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("Adam"),
            timestamp_writes: None,
        });
        for dispatch in &self.dispatches {
            dispatch.record(&mut pass, None);
        }
    }

    /// Multiplies all learning rates by this, such as a [`Schedule::factor`](crate::Schedule::factor), from the next submission on.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a factor below 0, or one that is not finite in `f32`.
    pub fn scale_learning_rates(&self, factor: f64) -> Result<()> {
        let single = factor as f32;
        if !single.is_finite() || single < 0.0 {
            return Err(Error::invalid(
                format!("the factor on the learning rates is {factor}"),
                "give a number of 0 or more",
            ));
        }
        self.clock.write(&self.gpu, clock::FACTOR, &[single.to_bits()]);
        Ok(())
    }

    /// Reads how many steps were made, and what has stopped it.
    ///
    /// # Errors
    /// Whatever the device says.
    pub async fn progress(&self) -> Result<AdamProgress> {
        let words: Vec<u32> = read(&self.gpu, self.clock.raw(), clock::WORDS).await?;
        let first = words[clock::FIRST] as usize;
        let stop = match words[clock::STOPPED] {
            0 => None,
            1 => Some(AdamStop::Total),
            2 => Some(AdamStop::Sigma { task: first }),
            _ => Some(self.parameter(first)),
        };
        Ok(AdamProgress { steps: words[clock::STEPS].into(), stop })
    }

    /// The parameter of this number among those of all parts.
    fn parameter(&self, number: usize) -> AdamStop {
        let (mut part, mut element) = (0, number);
        for [first, _] in self.moments.iter().take(self.moments.len().saturating_sub(1)) {
            if element < first.len() {
                break;
            }
            element -= first.len();
            part += 1;
        }
        AdamStop::Parameter { part, element }
    }

    /// What a saved state has of Adam beside the parameters, to be copied from and to (`COPY_SRC`, `COPY_DST`): the clock,
    /// first and second moments of each part, and, where there is a loss pass, σ's moments and bias corrections, four a task. A pass
    /// that is made alike and given these goes on as if it had never stopped.
    ///
    /// The clock is six words: the steps made, `1 − β₁ⁿ` and `1 − β₂ⁿ` of the network's group, the factor on the learning rates, why it
    /// stopped (0: it has not) and where. To go on after a stop, put 0 and `u32::MAX` into the last two.
    pub fn state(&self) -> Vec<&wgpu::Buffer> {
        let moments = self.moments.iter().flatten().map(Buffer::raw);
        let all = std::iter::once(self.clock.raw()).chain(moments);
        all.chain(self.sigma_moments.iter().map(Buffer::raw)).collect()
    }
}

/// The dispatches of a part of the parameters: the one that looks whether all stay finite, and the one that updates them.
fn of_part(
    gpu: &Gpu,
    group: &Group,
    buffers: AdamBuffers<'_>,
    number: usize,
    moments: &[Buffer<f32>; 2],
    clock: &Buffer<u32>,
) -> Result<[Dispatch; 2]> {
    let count = elements(buffers.parameters);
    let (parameters, parameters_at) = bindable(gpu, buffers.parameters);
    let (gradient, gradient_at) = bindable(gpu, buffers.gradient);
    let info = PartInfo {
        group: group.into(),
        learning_rate: group.learning_rate as f32,
        parameters: count as u32,
        parameters_at,
        gradient_at,
        number: number as u32,
    };
    let info = Buffer::storage(gpu, "Adam", &[info])?;
    let [first, second] = moments.each_ref().map(Buffer::binding);
    let bindings =
        [info.binding(), part(parameters), first, second, part(gradient), clock.binding()];
    let make = |checks: f64| {
        let kernel = gpu.kernel(&kernels::ADAM_ALONE, &[("CHECKS", checks)]);
        kernel.dispatch(gpu, &bindings, Work::elements(count))
    };
    Ok([make(1.0)?, make(0.0)?])
}

/// The dispatch between the two of the parameters, with σ where there is a loss pass.
fn between(
    gpu: &Gpu,
    adam: &Adam,
    loss_pass: Option<&LossPass>,
    moments: &Buffer<f32>,
    clock: &Buffer<u32>,
) -> Result<Dispatch> {
    let learned = loss_pass.map(LossPass::learned);
    let tasks = loss_pass.map_or(0, LossPass::tasks);
    let least = learned.and_then(|learned| learned.weighting.least_parameter());
    let info = SigmaInfo {
        network: (&adam.network).into(),
        sigma: (&adam.sigma).into(),
        learning_rate: adam.sigma.learning_rate as f32,
        least: least.map_or(f32::MIN, |least| least as f32),
        tasks: tasks as u32,
        held: learned.map_or(0, |learned| learned.weighting.held_bits()),
    };
    let info = Buffer::storage(gpu, "Adam on σ", &[info])?;
    // A total of 0 and no task.
    let no_sigma = Buffer::<f32>::zeros(gpu, "no σ", 1)?;
    let nothing = Buffer::<f32>::zeros(gpu, "no losses", 1)?;
    let bindings = [
        info.binding(),
        learned.map_or(no_sigma.binding(), |of| part(of.sigma.slice(of.range.clone()))),
        moments.binding(),
        loss_pass.map_or(nothing.binding(), |pass| pass.results().as_entire_binding()),
        learned.map_or(nothing.binding(), |of| of.normalisers.binding()),
        clock.binding(),
    ];
    let rounds = 2 * rounds_of(tasks.div_ceil(64), 0);
    gpu.kernel(&kernels::ADAM_SIGMA, &[]).dispatch(gpu, &bindings, Work::new(1, rounds))
}
