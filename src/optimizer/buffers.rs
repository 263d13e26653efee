//! A caller's own buffers for Adam, and checks that it stays within them.

use crate::error::{Error, Result};
use crate::gpu::{Gpu, check_size};
use crate::loss::{LossPass, check_storage};
use wgpu::BufferSlice;

/// Parameters of yours, and the gradient at each of them. The parts may start at any element of their buffers, which have usage
/// `STORAGE`; no part is read from a buffer of which another is written, since wgpu lets no dispatch do both.
#[derive(Clone, Copy, Debug)]
pub struct AdamBuffers<'a> {
    /// The parameters, `f32`.
    pub parameters: BufferSlice<'a>,
    /// The gradient of what is minimised, `f32`, as many.
    pub gradient: BufferSlice<'a>,
}

/// Number of `f32` in a part of a buffer.
pub(super) fn elements(part: BufferSlice<'_>) -> usize {
    (part.size() / 4) as usize
}

/// The part from the last place before it that can be bound, and the elements between.
pub(super) fn bindable<'a>(gpu: &Gpu, part: BufferSlice<'a>) -> (BufferSlice<'a>, u32) {
    let alignment = u64::from(gpu.device().limits().min_storage_buffer_offset_alignment);
    let before = part.offset() % alignment;
    let from = part.offset() - before;
    (part.buffer().slice(from..part.offset() + part.size()), (before / 4) as u32)
}

/// Checks the buffers, so that no kernel reads or writes what is not its own.
pub(super) fn check(
    gpu: &Gpu,
    parts: &[AdamBuffers<'_>],
    loss_pass: Option<&LossPass>,
) -> Result<()> {
    if parts.is_empty() && loss_pass.is_none() {
        return Err(Error::invalid(
            "Adam has nothing to update",
            "give it parameters, a loss pass whose σ it learns, or both",
        ));
    }
    if let Some(learned) = loss_pass.map(LossPass::learned)
        && !learned.weighting.is_learned()
    {
        return Err(Error::invalid(
            format!("no optimizer learns the weights of {}", learned.weighting.name()),
            "make Adam without the loss pass",
        ));
    }
    let all: usize = parts.iter().map(|buffers| elements(buffers.parameters)).sum();
    if all >= u32::MAX as usize {
        return Err(Error::invalid(
            format!("Adam has {all} parameters"),
            format!("give it {} at most, and others an Adam of their own", u32::MAX - 1),
        ));
    }
    parts.iter().enumerate().try_for_each(|(index, buffers)| check_part(gpu, index, *buffers))?;
    for (index, buffers) in parts.iter().enumerate() {
        check_apart(index, buffers.parameters, parts, loss_pass)?;
    }
    Ok(())
}

fn check_part(gpu: &Gpu, index: usize, buffers: AdamBuffers<'_>) -> Result<()> {
    for (name, part) in [("parameters", buffers.parameters), ("gradient", buffers.gradient)] {
        let what = format!("the buffer of the {name} of part {index}");
        check_storage(&what, part)?;
        if part.size() == 0 || !part.size().is_multiple_of(4) || !part.offset().is_multiple_of(4) {
            return Err(Error::invalid(
                format!("{what} has {} bytes from byte {} on", part.size(), part.offset()),
                "give it whole f32, 4 bytes each, and at least one",
            ));
        }
        let (bound, _) = bindable(gpu, part);
        check_size(gpu, &what, bound.size())?;
    }
    match elements(buffers.gradient) == elements(buffers.parameters) {
        true => Ok(()),
        false => Err(Error::Mismatch {
            what: format!("the gradient of part {index}"),
            unit: "elements",
            found: elements(buffers.gradient),
            expected: elements(buffers.parameters),
            why: "as many as its parameters".into(),
        }),
    }
}

/// Checks that no parameters are updated twice, nor in a buffer that the same dispatch reads.
fn check_apart(
    index: usize,
    parameters: BufferSlice<'_>,
    parts: &[AdamBuffers<'_>],
    loss_pass: Option<&LossPass>,
) -> Result<()> {
    if parts[index].gradient.buffer() == parameters.buffer() {
        return Err(Error::invalid(
            format!(
                "the parameters and the gradient of part {index} are one buffer, or parts of one"
            ),
            "keep the gradient in a buffer of its own: wgpu lets no dispatch read and write one buffer, however far apart its parts",
        ));
    }
    let range = |part: BufferSlice<'_>| part.offset()..part.offset() + part.size();
    let shares = |buffer: &wgpu::Buffer, other: std::ops::Range<u64>| {
        let own = range(parameters);
        buffer == parameters.buffer() && own.start < other.end && other.start < own.end
    };
    let sigma = loss_pass.map(LossPass::learned);
    let with = match parts[..index]
        .iter()
        .position(|other| shares(other.parameters.buffer(), range(other.parameters)))
    {
        Some(other) => format!("part {other}"),
        None if sigma.is_some_and(|of| shares(&of.sigma, of.range.clone())) => "σ".into(),
        None => return Ok(()),
    };
    Err(Error::invalid(
        format!("part {index} shares parameters with {with}"),
        "give every parameter once, or Adam would update it twice a step",
    ))
}
