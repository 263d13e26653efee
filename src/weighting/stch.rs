//! Smooth Tchebycheff scalarization: nearly the worst of the losses, each by its own nadir, `μ·ln Σ exp(ln(L/n)/μ)`, K times (Lin et
//! al., [*Smooth Tchebycheff Scalarization for Multi-Objective Optimization*](https://arxiv.org/abs/2402.19078), 2024, as LibMTL has it).
//!
//! The nadir n of a task is the mean of its losses over the first epoch, in which `Σ ln L` is minimised.

use super::scheme::{Kind, LEAST_LOSS, Moment, Scheme, Setting, TaskStep};
use super::softmax::softmax_of_some;

static SETTINGS: [Setting; 1] = [Setting {
    name: "mu",
    summary: "μ, small for the worst loss alone",
    default: 1.0,
    range: [1e-3, 1e6],
}];

/// `ln(L/n)` of a task that has a label.
fn height(task: &TaskStep) -> Option<f64> {
    task.positive_loss().map(|loss| (loss / task.memory[2].max(LEAST_LOSS)).ln())
}

/// Smooth Tchebycheff scalarization. Memory: the sum of the first epoch's losses and their number, the nadir, and whether it is
/// known.
#[derive(Debug)]
pub struct Stch;

impl Scheme for Stch {
    fn name(&self) -> &'static str {
        "stch"
    }

    fn summary(&self) -> &'static str {
        "nearly the worst of the losses, each by its mean in the first epoch"
    }

    fn source(&self) -> &'static str {
        "Lin et al. 2024, arXiv:2402.19078; LibMTL"
    }

    fn kind(&self) -> Kind {
        Kind::Losses
    }

    fn settings(&self) -> &'static [Setting] {
        &SETTINGS
    }

    fn needs_positive_losses(&self) -> bool {
        true
    }

    fn weigh(&self, moment: &Moment<'_>, tasks: &[TaskStep]) -> Option<Vec<f64>> {
        let is_warm = tasks.iter().any(|task| task.memory[3] > 0.0);
        let inverse = |task: &TaskStep| task.positive_loss().map_or(0.0, |loss| 1.0 / loss);
        let inverses = tasks.iter().map(inverse);
        if !is_warm {
            return Some(inverses.collect());
        }
        let count = tasks.iter().filter(|task| task.loss.is_some()).count() as f64;
        let heights = tasks.iter().map(|task| height(task).map(|it| it / moment.settings[0]));
        let parts = softmax_of_some(heights);
        Some(inverses.zip(parts).map(|(inverse, part)| count * part * inverse).collect())
    }

    fn after(&self, moment: &Moment<'_>, tasks: &mut [TaskStep]) {
        if tasks.iter().any(|task| task.memory[3] > 0.0) {
            return;
        }
        for task in tasks {
            let [sum, count, nadir, is_known] = &mut task.memory;
            if let Some(loss) = task.loss {
                (*sum, *count) = (*sum + loss, *count + 1.0);
            }
            if moment.ends_epoch {
                // Without a label in all of it: the loss as it is.
                *nadir = if *count > 0.0 { *sum / *count } else { 1.0 };
                *is_known = 1.0;
            }
        }
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/weighting/stch.wgsl")
    }
}
