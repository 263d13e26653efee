//! What the GPU engines read back of a submission: a record a step, and why training stopped, if it did.

use super::{Record, Step, TaskRecord};

/// The kernels' mark for "no step has stopped training".
pub(super) const NEVER: u32 = u32::MAX;
/// Values recorded of each task (`shaders/shared/records.wgsl`).
pub(super) const FIELDS: usize = 4;

/// Why training stopped.
#[derive(Clone, Copy)]
pub(super) enum Failure {
    Loss { step: u64, task: usize, value: f32 },
    Gradient { step: u64 },
}

/// Reads the stop marks: the first step whose loss, and whose gradient, was not finite.
///
/// `records` are those of the first submission that carries a mark, hence of the step that set it.
pub(super) fn failure([loss, gradient]: [u32; 2], records: &[Record]) -> Option<Failure> {
    if loss == NEVER && gradient == NEVER {
        return None;
    }
    if gradient < loss {
        return Some(Failure::Gradient { step: gradient.into() });
    }
    let step = u64::from(loss);
    let (task, value) = culprit(records.iter().find(|record| record.step == step)?);
    Some(Failure::Loss { step, task, value })
}

/// A step's record from its slot: total, then loss, weight, parameter and normaliser of each task. The parameter is
/// a σ where the weighting is learned.
pub(super) fn record(step: &Step, slot: &[f32], is_learned: bool) -> Record {
    let task = |fields: &[f32]| TaskRecord {
        loss: (fields[3] > 0.0).then_some(fields[0].into()),
        weight: fields[1].into(),
        sigma: is_learned.then_some(fields[2].into()),
    };
    Record {
        step: step.number,
        total: slot[0].into(),
        tasks: slot[1..].chunks(FIELDS).map(task).collect(),
    }
}

/// The task that made a total leave the finite numbers, and its loss, or its weighted loss where that is finite.
fn culprit(record: &Record) -> (usize, f32) {
    let losses = || {
        record.tasks.iter().enumerate().filter_map(|(k, task)| Some((k, task.loss?, task.weight)))
    };
    let bare = losses().find(|(_, loss, _)| !loss.is_finite());
    let weighted = || losses().map(|(k, loss, weight)| (k, loss * weight, 1.0));
    let worst = bare.or_else(|| weighted().find(|(_, value, _)| !(*value as f32).is_finite()));
    worst.map_or((0, record.total as f32), |(k, value, _)| (k, value as f32))
}
