//! Time on the GPU's own clock, where the adapter has timestamps.

use super::Gpu;
use std::time::Duration;

/// Two timestamps around a compute pass.
pub(crate) struct Clock {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
}

impl Clock {
    /// Bytes that [`resolve`](Self::resolve) writes.
    pub const BYTES: u64 = 16;

    /// A clock, if the device has timestamps.
    pub fn new(gpu: &Gpu) -> Option<Self> {
        let device = gpu.device();
        if !device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return None;
        }
        Some(Self {
            queries: device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("clock"),
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            }),
            resolved: device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("clock"),
                size: Self::BYTES,
                usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            }),
        })
    }

    /// What a compute pass must be told to be timed.
    pub fn writes(&self) -> wgpu::ComputePassTimestampWrites<'_> {
        wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(0),
            end_of_pass_write_index: Some(1),
        }
    }

    /// Copies both timestamps to `target`, [`BYTES`](Self::BYTES) from `offset` on.
    pub fn resolve(&self, encoder: &mut wgpu::CommandEncoder, target: &wgpu::Buffer, offset: u64) {
        encoder.resolve_query_set(&self.queries, 0..2, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, target, offset, Self::BYTES);
    }

    /// The time between two resolved timestamps.
    pub fn elapsed(gpu: &Gpu, bytes: &[u8]) -> Duration {
        let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(&bytes[..Self::BYTES as usize]);
        let nanoseconds = ticks[1].saturating_sub(ticks[0]) as f64;
        let period = f64::from(gpu.queue().get_timestamp_period());
        Duration::from_nanos((nanoseconds * period) as u64)
    }
}
