//! Bringing results back: copies into mappable buffers, and futures that wait for them.

use super::Gpu;
use crate::error::{Error, Result};
use bytemuck::Pod;
use futures_intrusive::channel::shared::{OneshotReceiver, oneshot_channel};
use wgpu::{BufferAsyncError, BufferUsages};

/// A mappable buffer to copy results into.
pub(crate) struct Readback {
    buffer: wgpu::Buffer,
}

/// Results on their way.
pub(crate) struct Pending {
    #[cfg_attr(target_arch = "wasm32", expect(dead_code))]
    submission: wgpu::SubmissionIndex,
    done: OneshotReceiver<Result<(), BufferAsyncError>>,
}

impl Readback {
    /// A mappable buffer of this many bytes.
    pub fn new(gpu: &Gpu, label: &str, bytes: u64) -> Self {
        let buffer = gpu.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes.next_multiple_of(wgpu::COPY_BUFFER_ALIGNMENT),
            usage: BufferUsages::MAP_READ | BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        Self { buffer }
    }

    /// Where to copy to.
    pub fn buffer(&self) -> &wgpu::Buffer {
        &self.buffer
    }

    /// Asks for the contents once this submission is done.
    pub fn request(&self, submission: wgpu::SubmissionIndex) -> Pending {
        let (sender, done) = oneshot_channel();
        self.buffer.map_async(wgpu::MapMode::Read, .., move |result| {
            // Nobody may be waiting any more.
            let _ = sender.send(result);
        });
        Pending { submission, done }
    }

    /// Waits for a request and hands its bytes to `take`; the buffer can be copied to again afterwards.
    pub async fn finish<R>(
        &self,
        gpu: &Gpu,
        pending: Pending,
        take: impl FnOnce(&[u8]) -> R,
    ) -> Result<R> {
        if gpu.readback_is_to_fail() {
            self.buffer.destroy();
        }
        // A browser calls back by itself; elsewhere somebody must wait on the device.
        #[cfg(not(target_arch = "wasm32"))]
        if let Err(error) = gpu.device().poll(wgpu::PollType::Wait {
            submission_index: Some(pending.submission),
            timeout: None,
        }) {
            gpu.check()?;
            return Err(Error::DeviceLost { message: error.to_string() });
        }
        let mapped = pending.done.receive().await;
        gpu.check()?;
        let lost = |message: String| Error::DeviceLost { message };
        match mapped {
            Some(Ok(())) => {}
            Some(Err(error)) => return Err(lost(error.to_string())),
            None => return Err(lost("it never answered".into())),
        }
        let view = self.buffer.get_mapped_range(..);
        let taken = take(&view.map_err(|error| lost(error.to_string()))?);
        self.buffer.unmap();
        Ok(taken)
    }
}

/// Reads the first elements of a buffer, after everything submitted so far.
pub(crate) async fn read<T: Pod>(
    gpu: &Gpu,
    buffer: &wgpu::Buffer,
    length: usize,
) -> Result<Vec<T>> {
    read_range(gpu, buffer, 0, length).await
}

/// The same from this byte on.
pub(crate) async fn read_range<T: Pod>(
    gpu: &Gpu,
    buffer: &wgpu::Buffer,
    start: u64,
    length: usize,
) -> Result<Vec<T>> {
    let bytes = (length * size_of::<T>()) as u64;
    let make = || Ok(Readback::new(gpu, "read back", bytes));
    let readback = gpu.guarded(make).await?;
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    encoder.copy_buffer_to_buffer(buffer, start, readback.buffer(), 0, bytes);
    let submission = gpu.queue().submit([encoder.finish()]);
    let pending = readback.request(submission);
    let collect = |view: &[u8]| bytemuck::pod_collect_to_vec(&view[..bytes as usize]);
    readback.finish(gpu, pending, collect).await
}
