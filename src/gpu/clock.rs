//! Time on the GPU's own clock, where the adapter has timestamps.

use super::Gpu;
use std::time::Duration;

/// Two timestamps around each of some compute passes.
pub(crate) struct Clock {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    passes: u32,
}

impl Clock {
    /// Bytes of a pass's timestamps, as [`resolve`](Self::resolve) writes them.
    pub const BYTES: u64 = 16;

    /// A clock for `passes` passes, if the device has timestamps; WebGPU allows 2,048 passes.
    pub fn new(gpu: &Gpu, passes: u32) -> Option<Self> {
        let device = gpu.device();
        if !device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return None;
        }
        Some(Self {
            queries: device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("clock"),
                ty: wgpu::QueryType::Timestamp,
                count: 2 * passes,
            }),
            resolved: device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("clock"),
                size: Self::BYTES * u64::from(passes),
                usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            }),
            passes,
        })
    }

    /// What this compute pass must be told to be timed.
    pub fn writes(&self, pass: u32) -> wgpu::ComputePassTimestampWrites<'_> {
        wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(2 * pass),
            end_of_pass_write_index: Some(2 * pass + 1),
        }
    }

    /// What passes must be told that are timed together, as pass 0: from the first of them to the last.
    pub fn writes_of(
        &self,
        [is_first, is_last]: [bool; 2],
    ) -> Option<wgpu::ComputePassTimestampWrites<'_>> {
        (is_first || is_last).then(|| wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: is_first.then_some(0),
            end_of_pass_write_index: is_last.then_some(1),
        })
    }

    /// Copies all timestamps to `target`, [`BYTES`](Self::BYTES) a pass from `offset` on.
    pub fn resolve(&self, encoder: &mut wgpu::CommandEncoder, target: &wgpu::Buffer, offset: u64) {
        encoder.resolve_query_set(&self.queries, 0..2 * self.passes, &self.resolved, 0);
        let bytes = Self::BYTES * u64::from(self.passes);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, target, offset, bytes);
    }

    /// The time between a pass's two resolved timestamps.
    pub fn elapsed(gpu: &Gpu, bytes: &[u8]) -> Duration {
        let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(&bytes[..Self::BYTES as usize]);
        let nanoseconds = ticks[1].saturating_sub(ticks[0]) as f64;
        let period = f64::from(gpu.queue().get_timestamp_period());
        Duration::from_nanos((nanoseconds * period) as u64)
    }
}
