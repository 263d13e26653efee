//! A caller's own buffers for a loss pass, and checks that it stays within them.

use super::Loss;
use super::labels::{NONE, TaskLayout};
use crate::error::{Error, Result};
use crate::gpu::{Gpu, check_size};
use wgpu::BufferSlice;

/// Parts of the caller's buffers, all with usage `STORAGE`: `buffer.slice(..)` for a whole one, `buffer.slice(512..1_024)` for some
/// of its bytes. A part starts at a multiple of the device's `min_storage_buffer_offset_alignment`, 256 bytes where it was opened
/// with WebGPU's default limits; what is nearer than that [`TaskLayout`] says by offsets of its own.
///
/// What is read may lie in one buffer. The gradient has a buffer that nothing is read from: wgpu lets no dispatch read and write
/// one buffer, however far apart its parts.
#[derive(Clone, Copy, Debug)]
pub struct LossBuffers<'a> {
    /// Predictions, `f32`, as the layouts say, from the part's start.
    pub predictions: BufferSlice<'a>,
    /// Labels, words, as the layouts say; [`Labels::pack`](super::Labels::pack) makes their contents.
    pub labels: BufferSlice<'a>,
    /// The weighting's parameters, `f32`, shape `[tasks]`: σ, or `ln σ²` in [that form](crate::SigmaForm), or the given weights.
    pub sigma: BufferSlice<'a>,
    /// Where the gradient at each prediction goes, `f32`, laid out like the predictions.
    pub gradient: BufferSlice<'a>,
}

/// Checks the layouts by themselves and against the buffers, so that no kernel reads or writes what is not its own.
pub(super) fn check(
    gpu: &Gpu,
    layouts: &[TaskLayout],
    rows: usize,
    buffers: LossBuffers<'_>,
) -> Result<()> {
    if layouts.is_empty() || rows == 0 || u32::try_from(rows).is_err() {
        let what = if layouts.is_empty() { "no tasks".into() } else { format!("{rows} rows") };
        return Err(Error::invalid(
            format!("the loss pass has {what}"),
            format!("give it at least one task and from 1 to {} rows", u32::MAX),
        ));
    }
    for (index, task) in layouts.iter().enumerate() {
        check_layout(index, task, rows)?;
        if let Some(other) = layouts[..index].iter().position(|other| overlap(task, other, rows)) {
            return Err(Error::invalid(
                format!("tasks {other} and {index} share elements of the predictions"),
                "give each task columns of its own, side by side in one stride or one after the other",
            ));
        }
    }
    check_buffers(gpu, layouts, rows, buffers)
}

fn check_layout(index: usize, task: &TaskLayout, rows: usize) -> Result<()> {
    if task.width == 0 || task.loss as usize >= Loss::all().len() {
        return Err(Error::invalid(
            format!("task {index} has width {} and loss number {}", task.width, task.loss),
            "use a width of at least 1 and a loss from 0 to 8",
        ));
    }
    if rows > 1 && task.prediction_stride < task.outputs() {
        return Err(Error::invalid(
            format!(
                "task {index} has rows of {} columns, {} apart",
                task.outputs(),
                task.prediction_stride
            ),
            "use a prediction_stride of at least as many",
        ));
    }
    Ok(())
}

/// One past the last element of `rows` rows.
fn end(start: u32, stride: u32, width: u32, rows: usize) -> u64 {
    u64::from(start) + (rows as u64 - 1) * u64::from(stride) + u64::from(width)
}

fn predictions_end(task: &TaskLayout, rows: usize) -> u64 {
    end(task.prediction, task.prediction_stride, task.outputs(), rows)
}

/// Whether two tasks' predictions share elements; ones that interlace with different strides count as if they did.
fn overlap(a: &TaskLayout, b: &TaskLayout, rows: usize) -> bool {
    let apart = predictions_end(a, rows) <= u64::from(b.prediction)
        || predictions_end(b, rows) <= u64::from(a.prediction);
    if apart || a.prediction_stride != b.prediction_stride || a.prediction_stride == 0 {
        return !apart;
    }
    let stride = i64::from(a.prediction_stride);
    let gap = (i64::from(b.prediction) - i64::from(a.prediction)).rem_euclid(stride);
    gap < i64::from(a.outputs()) || gap + i64::from(b.outputs()) > stride
}

fn labels_end(task: &TaskLayout, rows: usize) -> u64 {
    let width = if task.loss == 4 { 1 } else { task.width };
    let mut last = end(task.label, task.label_stride, width, rows);
    if task.mask != NONE {
        last = last.max(u64::from(task.mask) + rows.div_ceil(32) as u64);
    }
    if task.class_weights != NONE {
        last = last.max(u64::from(task.class_weights) + u64::from(task.width));
    }
    last
}

fn check_buffers(
    gpu: &Gpu,
    layouts: &[TaskLayout],
    rows: usize,
    buffers: LossBuffers<'_>,
) -> Result<()> {
    let most = |end: fn(&TaskLayout, usize) -> u64| {
        layouts.iter().map(|task| end(task, rows)).max().unwrap_or(0)
    };
    let predictions = most(predictions_end);
    let needs = [
        ("the predictions", buffers.predictions, predictions),
        ("the labels", buffers.labels, most(labels_end)),
        ("sigma", buffers.sigma, layouts.len() as u64),
        ("the gradient", buffers.gradient, predictions),
    ];
    for (what, part, need) in needs {
        let what = format!("the buffer of {what}");
        if part.size() / 4 < need {
            return Err(Error::Mismatch {
                what,
                unit: "elements",
                found: (part.size() / 4) as usize,
                expected: need as usize,
                why: format!("the layouts' last element over {rows} rows"),
            });
        }
        check_storage(&what, part)?;
        let alignment = u64::from(gpu.device().limits().min_storage_buffer_offset_alignment);
        if !part.offset().is_multiple_of(alignment) {
            return Err(Error::invalid(
                format!("{what} is bound from byte {} on", part.offset()),
                format!(
                    "start at a multiple of {alignment}, which the device binds from (min_storage_buffer_offset_alignment), and \
                     let the layouts count from there"
                ),
            ));
        }
        check_size(gpu, &what, part.size())?;
    }
    let is_written = |part: &BufferSlice<'_>| part.buffer() == buffers.gradient.buffer();
    match needs[..3].iter().find(|(_, part, _)| is_written(part)) {
        Some((what, ..)) => Err(Error::invalid(
            format!("{what} and the gradient are one buffer, or parts of one"),
            "write the gradient to a buffer of its own: wgpu lets no dispatch read and write one buffer, however far apart its parts",
        )),
        None => Ok(()),
    }
}

/// Checks that a part of a buffer can be bound as storage.
pub(crate) fn check_storage(what: &str, part: BufferSlice<'_>) -> Result<()> {
    match part.buffer().usage().contains(wgpu::BufferUsages::STORAGE) {
        true => Ok(()),
        false => Err(Error::invalid(
            format!("{what} is not a storage buffer"),
            "create it with BufferUsages::STORAGE",
        )),
    }
}
