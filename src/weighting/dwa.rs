//! Dynamic weight average: a task whose loss falls slowly weighs more. `w = K·softmax(r/T)` with `r` the mean loss of the last epoch by
//! that of the one before; equal weights in the first two epochs (Liu, Johns & Davison, [*End-to-End Multi-Task Learning with
//! Attention*](https://arxiv.org/abs/1803.10704), 2019, eq. 7).
//!
//! An epoch's mean is that of its batches' losses. A task without a label in an epoch keeps the mean that it had.

use super::scheme::{Kind, LEAST_LOSS, Moment, Scheme, Setting, TaskStep};
use super::softmax::softmax;

static SETTINGS: [Setting; 1] = [Setting {
    name: "temperature",
    summary: "T, large for weights that differ little",
    default: 2.0,
    range: [1e-3, 1e6],
}];

/// Dynamic weight average. Memory: the sum of this epoch's losses, their number, and the means of the last epoch and of that before
/// it, 0 where there is none.
#[derive(Debug)]
pub struct Dwa;

impl Scheme for Dwa {
    fn name(&self) -> &'static str {
        "dwa"
    }

    fn summary(&self) -> &'static str {
        "more weight where the loss fell least from epoch to epoch"
    }

    fn source(&self) -> &'static str {
        "Liu, Johns & Davison 2019, eq. 7"
    }

    fn kind(&self) -> Kind {
        Kind::Parameter
    }

    fn settings(&self) -> &'static [Setting] {
        &SETTINGS
    }

    fn needs_positive_losses(&self) -> bool {
        true
    }

    fn after(&self, moment: &Moment<'_>, tasks: &mut [TaskStep]) {
        for task in tasks.iter_mut() {
            let [sum, count, last, before] = &mut task.memory;
            if let Some(loss) = task.loss {
                (*sum, *count) = (*sum + loss, *count + 1.0);
            }
            if moment.ends_epoch && *count > 0.0 {
                (*before, *last) = (*last, (*sum / *count).max(LEAST_LOSS));
                (*sum, *count) = (0.0, 0.0);
            }
        }
        if moment.ends_epoch {
            let temperature = moment.settings[0];
            let falls = tasks.iter().map(|task| match task.memory {
                [_, _, last, before] if before > 0.0 => last / before,
                _ => 1.0,
            });
            let weights = softmax(falls.map(|fall| fall / temperature));
            let count = tasks.len() as f64;
            tasks.iter_mut().zip(weights).for_each(|(task, weight)| task.weight = count * weight);
        }
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/weighting/dwa.wgsl")
    }
}
