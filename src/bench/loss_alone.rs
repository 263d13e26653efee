//! The loss pass by itself, fused and unfused, with few and with many classes.

use super::{Ceilings, EngineKind, LossPasses, Spread};
use crate::data::{Matrix, Target};
use crate::error::Result;
use crate::gpu::Gpu;
use crate::loss::{Loss, Task};
use crate::weighting::AutomaticWeightedLoss;
use std::time::Instant;

/// Numbers of classes that `awl bench` times the loss pass at.
pub const CLASSES: [usize; 3] = [10, 100, 1000];
/// Rows of the loss pass, where one binding of the adapter holds as many.
const ROWS: usize = 65_536;

/// What a loss pass costs: one head with `mse` (width 1) and one with `cross_entropy`.
#[derive(Clone, Debug, PartialEq)]
pub struct LossCost {
    /// Classes of the second head.
    pub classes: usize,
    /// Rows: 65,536, or the most that one of the adapter's bindings holds.
    pub rows: usize,
    /// What must be read and written: predictions, labels, and the gradient at every prediction.
    pub bytes: u64,
    /// One entry an engine, in the order asked for.
    pub passes: Vec<PassCost>,
}

/// What a loss pass costs as one engine makes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PassCost {
    /// The engine.
    pub engine: EngineKind,
    /// Microseconds a pass, submission and waiting included.
    pub us_per_pass: Spread,
    /// Dispatches a pass.
    pub dispatches: usize,
}

impl LossCost {
    /// Unfused's time over fused's, the medians: above 1 where fused is faster, below where it is slower; `None` unless
    /// both were asked for.
    pub fn speedup(&self) -> Option<f64> {
        let median = |kind| self.pass(kind).map(|pass| pass.us_per_pass.median);
        Some(median(EngineKind::Unfused)? / median(EngineKind::Fused)?)
    }

    /// The cost as this engine makes the pass, if it was asked for.
    pub fn pass(&self, kind: EngineKind) -> Option<&PassCost> {
        self.passes.iter().find(|pass| pass.engine == kind)
    }

    /// The share of the adapter's copy bandwidth that a pass reaches, its operations not counted; `None` where that was not
    /// measured. It is above 1 where caches, which are faster, hold what the pass reads and writes.
    pub fn share_of_copying(&self, pass: &PassCost, ceilings: &Ceilings) -> Option<f64> {
        Some(ceilings.least_seconds(0, self.bytes)? * 1e6 / pass.us_per_pass.median)
    }
}

/// Times the loss passes of `engines` in turn for about `seconds`, five times each at least.
///
/// # Errors
/// Those of [`LossPasses::new`].
pub async fn loss_alone(
    gpu: &Gpu,
    classes: usize,
    engines: &[EngineKind],
    seconds: f64,
) -> Result<LossCost> {
    let width = 1 + classes;
    let most = gpu.device().limits().max_storage_buffer_binding_size / (4 * width as u64);
    let rows = ROWS.min(most as usize);
    let tasks =
        [Task::new("value", Loss::Mse, 1), Task::new("kind", Loss::cross_entropy(), classes)];
    let value = Matrix::new(1, (0..rows).map(|row| (row % 7) as f32 / 7.0).collect())?;
    let kinds = (0..rows).map(|row| (row * 31 % classes) as u32).collect();
    let targets = [Target::numbers(value), Target::classes(kinds)];
    let predictions = (0..rows * width).map(|index| (index % 13) as f32 / 13.0).collect();
    let predictions = Matrix::new(width, predictions)?;
    let weighting = AutomaticWeightedLoss::new(2).into();
    let passes = LossPasses::new(gpu, &tasks, &targets, &predictions, &weighting).await?;
    let times = time(&passes, engines, seconds)?;
    let cost = |(&engine, us_per_pass)| PassCost {
        engine,
        us_per_pass,
        dispatches: passes.dispatches(engine),
    };
    let bytes = passes.least_bytes();
    Ok(LossCost { classes, rows, bytes, passes: engines.iter().zip(times).map(cost).collect() })
}

/// Microseconds a pass of each engine.
fn time(passes: &LossPasses, engines: &[EngineKind], seconds: f64) -> Result<Vec<Spread>> {
    // The first run touches the memory for the first time.
    engines.iter().try_for_each(|&engine| passes.run(engine))?;
    let mut samples = vec![Vec::new(); engines.len()];
    let started = Instant::now();
    for round in 0.. {
        if round >= 5 && started.elapsed().as_secs_f64() >= seconds {
            break;
        }
        for (&engine, samples) in engines.iter().zip(&mut samples) {
            let started = Instant::now();
            passes.run(engine)?;
            samples.push(started.elapsed().as_secs_f64() * 1e6);
        }
    }
    Ok(samples.into_iter().map(Spread::of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_faster_pass_has_a_higher_speedup_and_share() {
        let pass = |engine, median| PassCost {
            engine,
            us_per_pass: Spread::of(vec![median]),
            dispatches: 1,
        };
        let passes = vec![pass(EngineKind::Fused, 200.0), pass(EngineKind::Unfused, 500.0)];
        let mut cost = LossCost { classes: 10, rows: 1, bytes: 1_000_000, passes };
        assert_eq!(cost.speedup(), Some(2.5));
        // A megabyte at 10 GB/s takes 100 us.
        let ceilings = Ceilings { flops_per_second: None, bytes_per_second: Some(1e10) };
        let share = cost.share_of_copying(&cost.passes[0], &ceilings);
        assert!(share.is_some_and(|share| (share - 0.5).abs() < 1e-12), "{share:?}");
        let unmeasured = Ceilings { bytes_per_second: None, ..ceilings };
        assert_eq!(cost.share_of_copying(&cost.passes[0], &unmeasured), None);
        cost.passes.pop();
        assert_eq!(cost.speedup(), None);
    }
}
