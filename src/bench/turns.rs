//! Engines that take turns on one workload, so that whatever else the machine does slows all of them.

use super::{EngineCost, EngineKind, Spread};
use crate::data::Dataset;
use crate::engine::{Engine, GpuEngine, KernelTime, MOST_STEPS, Record, Step};
use crate::error::Result;
use crate::train::{TaskMetrics, Trainer};
use std::time::{Duration, Instant};

/// Rounds in which the engines take turns, at least.
const ROUNDS: usize = 5;
/// Steps that are timed dispatch by dispatch.
const PROFILED: usize = 5;
/// Submissions whose cost to the host is timed.
const SUBMITTED: usize = 5;

/// One engine while it is timed.
pub(super) struct Run {
    pub kind: EngineKind,
    trainer: Trainer<GpuEngine>,
    /// The first step's, of the last member.
    pub first: Option<Record>,
    /// Of a sample.
    steps: usize,
    /// Microseconds a step before the first sample.
    pub warm_us: f64,
    /// Made while the samples were taken.
    submissions: u64,
    samples: Vec<f64>,
    pub gpu_bytes: u64,
    setup: Duration,
}

/// Takes a sample of each run in turn for about `seconds`, five times at least; `progress` hears of the share that is
/// done.
pub(super) async fn take_turns(
    runs: &mut [Run],
    seconds: f64,
    mut progress: impl FnMut(f64),
) -> Result<()> {
    if runs.is_empty() {
        return Ok(());
    }
    let started = Instant::now();
    for rounds in 1.. {
        for run in &mut *runs {
            run.sample().await?;
        }
        let spent = started.elapsed().as_secs_f64() / seconds;
        progress(spent.min(rounds as f64 / ROUNDS as f64).min(1.0));
        if rounds >= ROUNDS && spent >= 1.0 {
            break;
        }
    }
    Ok(())
}

/// Makes twice as many steps each time, until they are a sample of so many seconds, or as many as a sample may have; the
/// microseconds a step. The trainer has then learned how many steps a submission may carry.
async fn warm_up(trainer: &mut Trainer<GpuEngine>, seconds: f64) -> Result<f64> {
    let mut count = 2;
    loop {
        let started = Instant::now();
        trainer.each_step(count, drop).await?;
        let spent = started.elapsed().as_secs_f64();
        if spent >= seconds / 2.0 || count >= MOST_STEPS {
            return Ok(1e6 * spent / count as f64);
        }
        count *= 2;
    }
}

impl Run {
    /// Waits for the engine to be made and warms it up; `seconds` is what all its samples together may take.
    pub async fn start(
        kind: EngineKind,
        engine: impl Future<Output = Result<GpuEngine>>,
        seconds: f64,
    ) -> Result<Self> {
        let started = Instant::now();
        let mut trainer = Trainer::new(engine.await?);
        let first = trainer.steps(1).await?.pop();
        let setup = started.elapsed();
        let gpu_bytes = trainer.engine().gpu_bytes();
        let seconds = seconds / ROUNDS as f64;
        let warm_us = warm_up(&mut trainer, seconds).await?;
        let steps = ((1e6 * seconds / warm_us) as usize).clamp(1, MOST_STEPS);
        let (submissions, samples) = (0, Vec::new());
        Ok(Self { kind, trainer, first, steps, warm_us, submissions, samples, gpu_bytes, setup })
    }

    async fn sample(&mut self) -> Result<()> {
        let before = self.trainer.submissions();
        let started = Instant::now();
        self.trainer.each_step(self.steps, drop).await?;
        self.samples.push(started.elapsed().as_secs_f64() * 1e6 / self.steps as f64);
        self.submissions += self.trainer.submissions() - before;
        Ok(())
    }

    /// Makes a step, and says what is wrong if its `mse` is not that of the engine's own predictions for `data`, its batch:
    /// other kernels make those, and an engine that skips work must not be praised for its speed.
    pub async fn fault(&mut self, data: &Dataset) -> Result<Option<String>> {
        let metrics = self.trainer.evaluate(data).await?;
        let records = self.trainer.steps(1).await?;
        let loss = records[0].tasks[0].loss.unwrap_or(f64::NAN);
        Ok(match &metrics[0] {
            Some(TaskMetrics::Regression(it)) => fault(loss, it.fit.rmse.powi(2)),
            _ => None,
        })
    }

    /// Microseconds a step, in the order of the rounds.
    pub fn samples(&self) -> &[f64] {
        &self.samples
    }

    /// Microseconds a step of the samples so far.
    pub fn us_per_step(&self) -> Spread {
        Spread::of(self.samples.clone())
    }

    /// The whole cost, each dispatch's time included.
    pub async fn finish(mut self) -> Result<EngineCost> {
        let us_per_step = self.us_per_step();
        let submissions_per_step =
            self.submissions as f64 / (self.steps * us_per_step.samples) as f64;
        let host_us_per_step = self.host((1.0 / submissions_per_step).round() as usize).await?;
        let kernels = self.profile().await?;
        let engine = self.trainer.engine();
        Ok(EngineCost {
            engine: self.kind,
            program: engine.program(),
            us_per_step,
            host_us_per_step,
            dispatches_per_step: engine.dispatches_per_step(),
            steps_per_round: engine.steps_per_round(),
            submissions_per_100_steps: 100.0 * submissions_per_step,
            bytes_per_step: engine.bytes_per_step(),
            gpu_bytes: self.gpu_bytes,
            setup: self.setup,
            kernels,
        })
    }

    /// Microseconds a step that the host takes to encode and submit, in submissions of so many steps, each while the
    /// device has nothing else to do.
    async fn host(&mut self, steps: usize) -> Result<Spread> {
        let steps = steps.clamp(1, MOST_STEPS);
        let engine = self.trainer.engine();
        let (rows, batch) = (engine.rows(), engine.recipe().batch);
        let mut samples = Vec::new();
        for _ in 0..SUBMITTED {
            let first = engine.last_step() + 1;
            let numbers = first..first + steps as u64;
            let steps: Vec<Step> = numbers.map(|it| Step::numbered(it, rows, batch)).collect();
            let started = Instant::now();
            engine.submit(&steps)?;
            samples.push(started.elapsed().as_secs_f64() * 1e6 / steps.len() as f64);
            engine.collect().await?;
        }
        Ok(Spread::of(samples))
    }

    async fn profile(&mut self) -> Result<Option<Vec<KernelTime>>> {
        let mut profiles = Vec::new();
        for _ in 0..PROFILED {
            match self.trainer.engine().profile().await? {
                Some(times) => profiles.push(times),
                None => return Ok(None),
            }
        }
        // Brings the last error to light, if the profiled steps left one.
        self.trainer.engine().collect().await?;
        let median = |index: usize| {
            let mut times: Vec<_> = profiles.iter().map(|times| times[index].time).collect();
            times.sort();
            KernelTime { kernel: profiles[0][index].kernel, time: times[times.len() / 2] }
        };
        Ok(Some((0..profiles[0].len()).map(median).collect()))
    }
}

/// Whether a loss is what was expected to within a thousandth.
pub(super) fn is_close(loss: f64, expected: f64) -> bool {
    (loss - expected).abs() <= 1e-3 * expected
}

/// What is wrong with a loss, if it is not what was expected.
fn fault(loss: f64, expected: f64) -> Option<String> {
    (!is_close(loss, expected)).then(|| {
        format!("a step's mse is {loss} where its predictions' is {expected}: a bug in awl or the driver")
    })
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn a_loss_is_wrong_beyond_a_thousandth_or_where_it_is_no_number() {
        assert_eq!(fault(5.0, 5.001), None);
        let why = fault(1.52, 5.27).expect("a fault");
        assert!(why.contains("1.52") && why.contains("5.27"), "{why}");
        assert!(fault(f64::NAN, 5.0).is_some() && fault(5.0, f64::NAN).is_some());
    }
}
