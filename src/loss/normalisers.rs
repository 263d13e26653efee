//! What the tasks' summed losses are divided by, found on the GPU: `shaders/epoch/normalisers.wgsl`.

use super::labels::{NONE, TaskLayout};
use crate::error::Result;
use crate::gpu::{Buffer, Dispatch, Gpu, REDUCTION, Work, kernels, part, rounds_of};

/// Rows whose labels one workgroup counts: 256 a lane.
const SHARE_ROWS: usize = 1 << 14;

/// The labels of an epoch's batches.
pub(crate) struct Batches<'a> {
    /// Words, as the layouts say.
    pub labels: wgpu::BufferSlice<'a>,
    pub layouts: &'a Buffer<TaskLayout>,
    /// The order in which the batches of every member take the rows, `[members, rows]`; `None`: as they come.
    pub order: Option<&'a Buffer<u32>>,
    /// Rows of all batches together.
    pub rows: usize,
    /// Rows of a batch; the last may be shorter.
    pub size: usize,
}

/// Whether what a batch's losses are divided by depends on which rows it has.
pub(crate) fn vary(layouts: &[TaskLayout]) -> bool {
    let offsets = |task: &TaskLayout| [task.mask, task.class_weights, task.sample_weights];
    layouts.iter().any(|task| offsets(task) != [NONE; 3])
}

/// What fills `normalisers`, `[members, batches, tasks]`.
pub(crate) struct Normalising {
    /// One, or two where batches are long. Each is to be recorded for all members.
    pub dispatches: Vec<Dispatch>,
    info: Buffer<u32>,
}

impl Normalising {
    /// Says that there are so many rows in all batches together, no more than at first.
    pub fn set_rows(&self, gpu: &Gpu, rows: usize) {
        self.info.write(gpu, 0, &[rows as u32]);
    }
}

/// The dispatches that fill `normalisers`.
pub(crate) fn normalising(
    gpu: &Gpu,
    batches: &Batches<'_>,
    normalisers: &Buffer<f32>,
) -> Result<Normalising> {
    let count = batches.rows.div_ceil(batches.size);
    let shares = batches.size.div_ceil(SHARE_ROWS);
    let sums = count * batches.layouts.len() * shares;
    let parts = match shares {
        1 => None,
        _ => {
            let length = normalisers.len() * shares;
            Some(Buffer::<f32>::zeros(gpu, "shares of the normalisers", length)?)
        }
    };
    let info = [batches.rows, batches.size, count, shares, SHARE_ROWS].map(|size| size as u32);
    let info = Buffer::storage(gpu, "the batches", &info)?;
    let no_order = Buffer::zeros(gpu, "no order", 1)?;
    let buffers = [
        part(batches.labels),
        batches.layouts.binding(),
        batches.order.unwrap_or(&no_order).binding(),
        parts.as_ref().unwrap_or(normalisers).binding(),
        info.binding(),
    ];
    let constants = [("HAS_ORDER", f64::from(u8::from(batches.order.is_some())))];
    let kernel = gpu.kernel(&kernels::NORMALISERS, &constants);
    let rounds = rounds_of(batches.size.min(SHARE_ROWS).div_ceil(64), 0) + REDUCTION;
    let mut dispatches = vec![kernel.dispatch(gpu, &buffers, Work::new(sums, rounds))?];
    if let Some(parts) = parts {
        let kernel = gpu.kernel(&kernels::NORMALISER_SUMS, &[]);
        let work =
            Work::new(count * batches.layouts.len(), rounds_of(shares.div_ceil(64), 0) + REDUCTION);
        dispatches.push(kernel.dispatch(gpu, &[parts.binding(), normalisers.binding()], work)?);
    }
    Ok(Normalising { dispatches, info })
}
