//! What the adapter can do at best: how fast it computes, and how fast it copies.

use super::Spread;
use crate::engine::Moment;
use crate::error::Result;
use crate::gpu::{Buffer, Clock, Dispatch, Gpu, Readback, Work, kernels};

/// An adapter's own limits, measured: the medians of a few runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ceilings {
    /// Floating-point operations a second, in fused multiply-adds (two each) on registers; `None` where the adapter was
    /// too fast for the largest run to be timed.
    pub flops_per_second: Option<f64>,
    /// Bytes read and written a second while one buffer of 128 MiB is copied to another; `None` likewise.
    pub bytes_per_second: Option<f64>,
}

/// Timed runs, of which the median counts.
const SAMPLES: usize = 5;
/// Seconds that a run must take to be timed: a submission's own tens of microseconds are nothing beside it. Runs are
/// doubled until they do, so that none comes near the time after which a system resets a GPU.
const ENOUGH: f64 = 0.02;
/// What one lane of the arithmetic kernel computes (`shaders/bench/arithmetic.wgsl`).
const FLOPS_PER_LANE: f64 = 1024.0 * 8.0 * 4.0 * 2.0;
/// Rounds of its loop.
const ROUNDS: usize = 1024 + 1;
/// Lanes that the smallest run of arithmetic has, and that one dispatch has at most: beyond these, it is repeated.
const LANES: [usize; 2] = [1 << 12, 1 << 20];
/// The longest run of arithmetic, in smallest ones: 18 TFLOP.
const MOST_ARITHMETIC: usize = 1 << 16;
/// Bytes of the buffer that is copied: beyond the caches of most adapters, within WebGPU's limits.
const COPIED: usize = 128 << 20;
/// The longest run of copies: 1.1 TB read and written.
const MOST_COPIES: usize = 1 << 12;

impl Ceilings {
    /// Measures both, in a second or so on most adapters.
    ///
    /// Arithmetic is timed by the GPU's own clock where it has one, copies, which that clock does not see, by the host's.
    ///
    /// # Errors
    /// [`OutOfMemory`](crate::Error::OutOfMemory), or whatever the device says.
    pub async fn measure(gpu: &Gpu) -> Result<Self> {
        let arithmetic = Arithmetic::new(gpu).await?;
        let flops = rate(MOST_ARITHMETIC, async |units| arithmetic.seconds(gpu, units).await);
        let flops_per_second = flops.await?.map(|units| units * LANES[0] as f64 * FLOPS_PER_LANE);
        let bytes = (COPIED as u64).min(gpu.device().limits().max_storage_buffer_binding_size);
        let make = || {
            let [from, to] =
                ["copied", "copy"].map(|label| Buffer::zeros(gpu, label, bytes as usize / 4));
            Ok((from?, to?))
        };
        let (from, to): (Buffer<f32>, Buffer<f32>) = gpu.guarded(make).await?;
        let copies = rate(MOST_COPIES, async |count| {
            let started = Moment::now();
            let mut encoder = gpu.device().create_command_encoder(&Default::default());
            for _ in 0..count {
                encoder.copy_buffer_to_buffer(from.raw(), 0, to.raw(), 0, bytes / 4 * 4);
            }
            wait(gpu, gpu.queue().submit([encoder.finish()]))?;
            Ok(Moment::now().since(started).as_secs_f64())
        });
        let bytes_per_second = copies.await?.map(|copies| copies * 2.0 * (bytes / 4 * 4) as f64);
        gpu.check()?;
        Ok(Self { flops_per_second, bytes_per_second })
    }

    /// The least seconds for this much work, if the adapter did nothing else: the roofline (Williams, Waterman &
    /// Patterson, "Roofline", CACM 2009); `None` where a limit that it takes was not measured.
    pub fn least_seconds(&self, flops: u64, bytes: u64) -> Option<f64> {
        let least = |work: u64, rate: Option<f64>| match work {
            0 => Some(0.0),
            _ => rate.map(|rate| work as f64 / rate),
        };
        Some(least(flops, self.flops_per_second)?.max(least(bytes, self.bytes_per_second)?))
    }
}

/// Units of work a second: the median of some runs of so many units that one takes long enough, or `None` if not even
/// `most` units do. `seconds` makes a run of so many units and times it.
async fn rate(
    most: usize,
    mut seconds: impl AsyncFnMut(usize) -> Result<f64>,
) -> Result<Option<f64>> {
    // The first run compiles, and touches the memory for the first time.
    seconds(1).await?;
    let mut units = 1;
    while units <= most {
        if seconds(units).await? >= ENOUGH {
            let mut samples = Vec::with_capacity(SAMPLES);
            for _ in 0..SAMPLES {
                samples.push(seconds(units).await?);
            }
            let median = Spread::of(samples).median;
            // Else something else held the run up.
            if median >= ENOUGH / 2.0 {
                return Ok(Some(units as f64 / median));
            }
        }
        units *= 2;
    }
    Ok(None)
}

/// The arithmetic kernel with what it takes to run and time it.
struct Arithmetic {
    values: Buffer<f32>,
    clock: Option<Clock>,
    times: Readback,
}

impl Arithmetic {
    async fn new(gpu: &Gpu) -> Result<Self> {
        let make = || {
            Ok(Self {
                values: Buffer::storage(gpu, "arithmetic", &vec![0.5f32; 4 * LANES[1]])?,
                clock: Clock::new(gpu, 1),
                times: Readback::new(gpu, "times", Clock::BYTES),
            })
        };
        gpu.guarded(make).await
    }

    /// Makes a run of so many smallest ones.
    async fn seconds(&self, gpu: &Gpu, units: usize) -> Result<f64> {
        let lanes = LANES[1].min(units * LANES[0]);
        let make = || {
            let work = Work::new(lanes / 64, ROUNDS);
            gpu.kernel(&kernels::ARITHMETIC, &[]).dispatch(gpu, &[self.values.binding()], work)
        };
        let dispatch: Dispatch = gpu.guarded(make).await?;
        let started = Moment::now();
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some("arithmetic"),
                timestamp_writes: self.clock.as_ref().map(|clock| clock.writes(0)),
            });
            (0..units * LANES[0] / lanes).for_each(|_| dispatch.record(&mut pass, None));
        }
        if let Some(clock) = &self.clock {
            clock.resolve(&mut encoder, self.times.buffer(), 0);
        }
        let submission = gpu.queue().submit([encoder.finish()]);
        wait(gpu, submission.clone())?;
        let by_host = Moment::now().since(started).as_secs_f64();
        if self.clock.is_none() {
            return Ok(by_host);
        }
        let pending = self.times.request(submission);
        let elapsed = |view: &[u8]| Clock::elapsed(gpu, view).as_secs_f64();
        let by_gpu = self.times.finish(gpu, pending, elapsed).await?;
        // A clock that stands still, or runs ahead of the host's, is none.
        Ok(if by_gpu > 0.0 && by_gpu <= by_host { by_gpu } else { by_host })
    }
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
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    /// The rate that is found where a run of so many units takes so many seconds, and the units of all runs.
    fn found(most: usize, seconds: impl Fn(usize, usize) -> f64) -> (Option<f64>, Vec<usize>) {
        let mut runs = Vec::new();
        let rate = {
            let probe = async |units: usize| {
                runs.push(units);
                Ok(seconds(runs.len(), units))
            };
            let future = pin!(rate(most, probe));
            match future.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(rate) => rate.expect("no run fails"),
                Poll::Pending => unreachable!("nothing is waited for"),
            }
        };
        (rate, runs)
    }

    #[test]
    fn a_run_is_doubled_until_it_takes_long_enough() {
        // 13 us a unit: 2,048 units take 27 ms.
        let (rate, runs) = found(1 << 16, |_, units| 13e-6 * units as f64);
        assert!(rate.is_some_and(|rate| (rate * 13e-6 - 1.0).abs() < 1e-12), "{rate:?}");
        assert_eq!(runs.last(), Some(&2048));
        // No run is longer than twice what is enough, unless the smallest is.
        assert!(runs.iter().all(|&units| 13e-6 * units as f64 <= 2.0 * ENOUGH), "{runs:?}");
        let (rate, runs) = found(1 << 16, |_, _| 0.3);
        assert_eq!((rate, runs.len()), (Some(1.0 / 0.3), 2 + SAMPLES));
    }

    #[test]
    fn what_cannot_be_timed_is_not_told() {
        assert_eq!(found(1 << 10, |_, units| 1e-6 * units as f64).0, None);
        assert_eq!(found(1 << 10, |_, _| 0.0).0, None);
    }

    #[test]
    fn a_run_that_was_held_up_once_is_not_taken_for_long_enough() {
        let late = |run, units| if run == 3 { 0.5 } else { 1e-4 * units as f64 };
        let (rate, runs) = found(1 << 16, late);
        assert!(rate.is_some_and(|rate| (rate * 1e-4 - 1.0).abs() < 1e-12), "{rate:?} {runs:?}");
    }

    #[test]
    fn the_tighter_ceiling_limits_and_a_missing_one_leaves_nothing_to_tell() {
        let both = Ceilings { flops_per_second: Some(1e9), bytes_per_second: Some(1e8) };
        assert_eq!(both.least_seconds(1_000_000_000, 1), Some(1.0));
        assert_eq!(both.least_seconds(1, 1_000_000_000), Some(10.0));
        let copies = Ceilings { flops_per_second: None, ..both };
        assert_eq!(copies.least_seconds(1, 1_000_000_000), None);
        assert_eq!(copies.least_seconds(0, 1_000_000_000), Some(10.0));
        let arithmetic = Ceilings { bytes_per_second: None, ..both };
        assert_eq!(arithmetic.least_seconds(1_000_000_000, 1), None);
    }
}
