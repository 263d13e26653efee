//! What the adapter can do at best: how fast it computes, and how fast it copies.

use super::Spread;
use crate::error::Result;
use crate::gpu::{Buffer, Dispatch, Gpu, Work, kernels};
use std::time::Instant;

/// An adapter's own limits, measured: the medians of a few runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ceilings {
    /// Floating-point operations a second, in fused multiply-adds (two each) on registers.
    pub flops_per_second: f64,
    /// Bytes read and written a second while one buffer is copied to another.
    pub bytes_per_second: f64,
}

const SAMPLES: usize = 5;
/// Lanes of the arithmetic kernel, and what each computes (`shaders/bench/arithmetic.wgsl`).
const LANES: usize = 1 << 14;
const FLOPS_PER_LANE: f64 = 1024.0 * 8.0 * 4.0 * 2.0;
const ROUNDS: usize = 1024 + 1;
/// Bytes of the buffer that is copied: beyond the caches of most adapters, within WebGPU's limits.
const COPIED: usize = 64 << 20;

impl Ceilings {
    /// Measures both, in a second or less on most adapters.
    ///
    /// # Errors
    /// [`OutOfMemory`](crate::Error::OutOfMemory), or whatever the device says.
    pub async fn measure(gpu: &Gpu) -> Result<Self> {
        let make = || {
            let values = Buffer::storage(gpu, "arithmetic", &vec![0.5f32; 4 * LANES])?;
            let kernel = gpu.kernel(&kernels::ARITHMETIC, &[]);
            let work = Work::new(LANES / 64, ROUNDS);
            let dispatch = kernel.dispatch(gpu, &[values.binding()], work)?;
            let [from, to] = ["copied", "copy"].map(|label| Buffer::zeros(gpu, label, COPIED / 4));
            Ok((values, dispatch, from?, to?))
        };
        let (_values, dispatch, from, to): (_, Dispatch, Buffer<f32>, Buffer<f32>) =
            gpu.guarded(make).await?;
        let compute = time(gpu, |encoder| {
            dispatch.record(&mut encoder.begin_compute_pass(&Default::default()), None);
        })?;
        let copy = time(gpu, |encoder| {
            encoder.copy_buffer_to_buffer(from.raw(), 0, to.raw(), 0, COPIED as u64);
        })?;
        gpu.check()?;
        Ok(Self {
            flops_per_second: LANES as f64 * FLOPS_PER_LANE / compute,
            bytes_per_second: 2.0 * COPIED as f64 / copy,
        })
    }

    /// The least seconds for this much work, if the adapter did nothing else: the roofline (Williams, Waterman &
    /// Patterson, "Roofline", CACM 2009).
    pub fn least_seconds(&self, flops: u64, bytes: u64) -> f64 {
        let compute = flops as f64 / self.flops_per_second;
        compute.max(bytes as f64 / self.bytes_per_second)
    }
}

/// The median seconds of what `encode` records, submission and waiting taken off by timing it once and four times.
fn time(gpu: &Gpu, encode: impl Fn(&mut wgpu::CommandEncoder)) -> Result<f64> {
    let run = |times: usize| -> Result<f64> {
        let started = Instant::now();
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        (0..times).for_each(|_| encode(&mut encoder));
        let submission = gpu.queue().submit([encoder.finish()]);
        wait(gpu, submission)?;
        Ok(started.elapsed().as_secs_f64())
    };
    // The first run compiles, and touches the memory for the first time.
    run(1)?;
    let sample = |_| Ok(((run(4)? - run(1)?) / 3.0).max(1e-9));
    let samples: Result<Vec<f64>> = (0..SAMPLES).map(sample).collect();
    Ok(Spread::of(samples?).median)
}

/// Waits until a submission is done.
pub(super) fn wait(gpu: &Gpu, submission: wgpu::SubmissionIndex) -> Result<()> {
    let waited = gpu
        .device()
        .poll(wgpu::PollType::Wait { submission_index: Some(submission), timeout: None });
    gpu.check()?;
    waited.map(|_| ()).map_err(|error| crate::Error::DeviceLost { message: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::Ceilings;

    #[test]
    fn the_tighter_ceiling_limits() {
        let ceilings = Ceilings { flops_per_second: 1e9, bytes_per_second: 1e8 };
        assert_eq!(ceilings.least_seconds(1_000_000_000, 1), 1.0);
        assert_eq!(ceilings.least_seconds(1, 1_000_000_000), 10.0);
    }
}
