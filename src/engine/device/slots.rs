//! The steps of a submission on the device, a slot each.

use super::infos::StepInfo;
use crate::error::Result;
use crate::gpu::{Buffer, Gpu};

/// Slots of step information, picked by dynamic offset.
pub(crate) struct Steps {
    buffer: Buffer<u8>,
    group: wgpu::BindGroup,
}

impl Steps {
    pub fn new(gpu: &Gpu, slots: usize) -> Result<Self> {
        let stride = StepInfo::STRIDE as usize;
        let buffer = Buffer::uniform_and_storage(gpu, "steps", &vec![0u8; slots * stride])?;
        let group = gpu.step_group(buffer.raw(), size_of::<StepInfo>() as u64);
        Ok(Self { buffer, group })
    }

    /// Fills the first slots.
    pub fn write(&self, gpu: &Gpu, infos: impl ExactSizeIterator<Item = StepInfo>) {
        let stride = StepInfo::STRIDE as usize;
        let mut bytes = vec![0u8; infos.len() * stride];
        for (slot, info) in bytes.chunks_mut(stride).zip(infos) {
            slot[..size_of::<StepInfo>()].copy_from_slice(bytemuck::bytes_of(&info));
        }
        self.buffer.write(gpu, 0, &bytes);
    }

    /// Group 1 for this slot.
    pub fn slot(&self, slot: usize) -> Option<(&wgpu::BindGroup, u32)> {
        Some((&self.group, slot as u32 * StepInfo::STRIDE))
    }

    /// All slots, for kernels that make many steps.
    pub fn binding(&self) -> wgpu::BindingResource<'_> {
        self.buffer.binding()
    }
}
