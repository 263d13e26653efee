//! The steps of a submission on the device, a slot each, and in each slot what the step is for every member.

use super::infos::{MOST_MEMBERS, MemberInfo, StepInfo};
use crate::error::Result;
use crate::gpu::{Buffer, Gpu, StepGroup};

/// Slots of steps and of their members, picked by dynamic offsets.
pub(crate) struct Steps {
    steps: Buffer<u8>,
    members: Buffer<u8>,
    /// Bytes from a slot's members to the next.
    stride: usize,
    group: wgpu::BindGroup,
}

impl Steps {
    /// So many slots, for so many members at most.
    pub fn new(gpu: &Gpu, slots: usize, seats: usize) -> Result<Self> {
        let step = StepInfo::STRIDE as usize;
        let stride = (seats * size_of::<MemberInfo>()).next_multiple_of(step);
        // What is bound is as long in the last slot as elsewhere.
        let bound = MOST_MEMBERS * size_of::<MemberInfo>();
        let bytes = (slots - 1) * stride + bound;
        let steps = Buffer::uniform_and_storage(gpu, "steps", &vec![0u8; slots * step])?;
        let members = Buffer::uniform_and_storage(gpu, "the steps' members", &vec![0u8; bytes])?;
        let sizes = [size_of::<StepInfo>(), bound].map(|bytes| bytes as u64);
        let group = gpu.step_group([(steps.raw(), sizes[0]), (members.raw(), sizes[1])]);
        Ok(Self { steps, members, stride, group })
    }

    /// Fills the first slots: a step each, and behind one another what the steps are for their members, equally many a step.
    pub fn write(&self, gpu: &Gpu, steps: &[StepInfo], members: &[MemberInfo]) {
        let stride = StepInfo::STRIDE as usize;
        let mut bytes = vec![0u8; steps.len() * stride];
        for (slot, info) in bytes.chunks_mut(stride).zip(steps) {
            slot[..size_of::<StepInfo>()].copy_from_slice(bytemuck::bytes_of(info));
        }
        self.steps.write(gpu, 0, &bytes);
        let of_step = (members.len() / steps.len().max(1)).max(1);
        let mut bytes = vec![0u8; steps.len() * self.stride];
        for (slot, infos) in bytes.chunks_mut(self.stride).zip(members.chunks(of_step)) {
            let infos = bytemuck::cast_slice(infos);
            slot[..infos.len()].copy_from_slice(infos);
        }
        self.members.write(gpu, 0, &bytes);
    }

    /// Group 1 for the step of this slot and its first so many members.
    pub fn slot(&self, slot: usize, members: usize) -> StepGroup<'_> {
        let offsets = [StepInfo::STRIDE as usize, self.stride].map(|bytes| (slot * bytes) as u32);
        StepGroup { group: &self.group, offsets, members: members as u32 }
    }

    /// All slots' steps and members, for kernels that make many steps.
    pub fn bindings(&self) -> [wgpu::BindingResource<'_>; 2] {
        [self.steps.binding(), self.members.binding()]
    }
}
