//! Buffers that know their element type and length, and are checked against the device's limits.

use super::Gpu;
use crate::error::{Error, Result};
use bytemuck::Pod;
use std::marker::PhantomData;
use wgpu::{BufferUsages, util::DeviceExt};

/// A buffer of `T` on the device, readable and writable by copies.
#[cfg_attr(test, derive(Clone))]
pub(crate) struct Buffer<T> {
    raw: wgpu::Buffer,
    length: usize,
    element: PhantomData<T>,
}

const STORAGE: BufferUsages =
    BufferUsages::STORAGE.union(BufferUsages::COPY_SRC).union(BufferUsages::COPY_DST);

impl<T: Pod> Buffer<T> {
    /// A storage buffer of `length` zeros (of one, if `length` is 0: WebGPU binds no empty buffer).
    pub fn zeros(gpu: &Gpu, label: &str, length: usize) -> Result<Self> {
        let length = length.max(1);
        check_size(gpu, label, bytes::<T>(length))?;
        let raw = gpu.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes::<T>(length),
            usage: STORAGE,
            mapped_at_creation: false,
        });
        Ok(Self::from_raw(raw, length))
    }

    /// A storage buffer with these contents.
    pub fn storage(gpu: &Gpu, label: &str, contents: &[T]) -> Result<Self> {
        Self::with_contents(gpu, label, contents, STORAGE)
    }

    /// A buffer with these contents that can be bound as uniform and as storage.
    pub fn uniform_and_storage(gpu: &Gpu, label: &str, contents: &[T]) -> Result<Self> {
        Self::with_contents(gpu, label, contents, STORAGE.union(BufferUsages::UNIFORM))
    }

    fn with_contents(gpu: &Gpu, label: &str, contents: &[T], usage: BufferUsages) -> Result<Self> {
        // What is also a uniform may be bound in parts.
        if !usage.contains(BufferUsages::UNIFORM) {
            check_size(gpu, label, bytes::<T>(contents.len()))?;
        }
        let raw = gpu.device().create_buffer_init(&wgpu::util::BufferInitDescriptor {
            label: Some(label),
            contents: bytemuck::cast_slice(contents),
            usage,
        });
        Ok(Self::from_raw(raw, contents.len()))
    }

    fn from_raw(raw: wgpu::Buffer, length: usize) -> Self {
        Self { raw, length, element: PhantomData }
    }

    /// Overwrites elements from `start` on, before the next submission.
    pub fn write(&self, gpu: &Gpu, start: usize, values: &[T]) {
        gpu.queue().write_buffer(&self.raw, bytes::<T>(start), bytemuck::cast_slice(values));
    }
}

impl<T> Buffer<T> {
    /// The wgpu buffer.
    pub fn raw(&self) -> &wgpu::Buffer {
        &self.raw
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.length
    }

    /// A run of elements as a binding; WebGPU binds from multiples of 256 bytes on.
    pub fn range(&self, start: usize, length: usize) -> wgpu::BindingResource<'_> {
        wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer: &self.raw,
            offset: bytes::<T>(start),
            size: wgpu::BufferSize::new(bytes::<T>(length)),
        })
    }

    /// The whole buffer as a binding.
    pub fn binding(&self) -> wgpu::BindingResource<'_> {
        self.raw.as_entire_binding()
    }
}

/// A part of anybody's buffer as a binding: whole words, which is what WebGPU binds.
pub(crate) fn part(slice: wgpu::BufferSlice<'_>) -> wgpu::BindingResource<'_> {
    wgpu::BindingResource::Buffer(wgpu::BufferBinding {
        buffer: slice.buffer(),
        offset: slice.offset(),
        size: wgpu::BufferSize::new(slice.size() & !3),
    })
}

fn bytes<T>(length: usize) -> u64 {
    // What does not even fit u64 is beyond any limit.
    (length as u64).saturating_mul(size_of::<T>() as u64)
}

/// Checks a storage buffer's size against what the device can bind.
pub(crate) fn check_size(gpu: &Gpu, tensor: &str, bytes: u64) -> Result<()> {
    let limits = gpu.device().limits();
    let checks = [
        ("maxStorageBufferBindingSize", limits.max_storage_buffer_binding_size),
        ("maxBufferSize", limits.max_buffer_size),
    ];
    match checks.into_iter().find(|(_, allowed)| bytes > *allowed) {
        Some((limit, allowed)) => Err(Error::TooLarge {
            tensor: tensor.into(),
            bytes,
            limit,
            allowed,
            remedy: "use a smaller batch, a narrower network, or fewer rows",
        }),
        None => Ok(()),
    }
}
