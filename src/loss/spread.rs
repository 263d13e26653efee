//! How a loss pass is spread over the GPU: lanes, workgroups and rounds, and the constants of its kernels.

use super::labels::{NONE, TaskLayout};
use crate::gpu::{Gpu, REDUCTION, Work, rounds_of};

/// Lanes of a workgroup, in every kernel.
pub(super) const LANES: usize = 64;
/// Workgroups, hence shares, of a loss pass: enough for a large GPU.
const SHARES: usize = 256;

/// How many lanes work on a row together, from the widest task: enough to keep wide rows' reads side by side. On a
/// software adapter that gains nothing, and the barriers between the lanes cost much.
pub(crate) fn lanes_per_row(gpu: &Gpu, widest: usize) -> usize {
    match widest {
        0..=16 => 1,
        17..=512 if gpu.is_software() => 1,
        17..=64 => 8,
        _ => LANES,
    }
}

/// The constants of kernels with a loss pass in them (`shaders/shared/loss_pass.wgsl`).
pub(crate) fn constants(gpu: &Gpu, tasks: &[TaskLayout]) -> [(&'static str, f64); 5] {
    let widest = tasks.iter().map(|task| task.width).max().unwrap_or(1);
    let any = |is: &dyn Fn(&TaskLayout) -> bool| f64::from(u8::from(tasks.iter().any(is)));
    [
        ("LANES_PER_ROW", lanes_per_row(gpu, widest as usize) as f64),
        ("HAS_CLASS_WEIGHTS", any(&|task| task.class_weights != NONE)),
        ("HAS_SAMPLE_WEIGHTS", any(&|task| task.sample_weights != NONE)),
        ("HAS_SMOOTHING", any(&|task| task.is_smoothed())),
        ("HAS_OWN_NOISE", any(&|task| task.predicts_noise())),
    ]
}

/// Rounds of a loop of compare-exchange (`loss_pass/loss_alone.wgsl`), where it is few cores that try: a software adapter's.
const ATTEMPTS: usize = 4;

/// How a loss pass over this many rows is spread over the GPU.
pub(crate) fn work(gpu: &Gpu, tasks: &[TaskLayout], rows: usize) -> Work {
    let widest = tasks.iter().map(|task| task.width).max().unwrap_or(1);
    let lanes = lanes_per_row(gpu, widest as usize);
    let inside = tasks.iter().map(|task| 1 + rounds_a_tile(task.width as usize, lanes)).sum();
    let besides = rounds_of(tasks.len(), 1 + REDUCTION + 2 * ATTEMPTS) + ATTEMPTS;
    gpu.share_out(rows.div_ceil(LANES / lanes), SHARES, inside, besides)
}

/// Rounds that a tile of rows takes of a task of this width, at most.
pub(crate) fn rounds_a_tile(width: usize, lanes_per_row: usize) -> usize {
    let reductions = if lanes_per_row == 1 { 0 } else { 3 * REDUCTION };
    // One that clears, three over classes, one over columns of numbers.
    5 * rounds_of(width.div_ceil(lanes_per_row), 0) + reductions
}

/// Workgroups that sum a loss a row.
pub(crate) fn row_sums(gpu: &Gpu, rows: usize) -> Work {
    gpu.share_out(rows.div_ceil(LANES), SHARES, 0, REDUCTION)
}
