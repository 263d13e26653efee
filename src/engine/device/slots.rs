//! The steps of a submission on the device, a slot each, and in each slot what the step is for every member.

use super::infos::{MOST_MEMBERS, MemberInfo, StepInfo};
use crate::error::Result;
use crate::gpu::{Buffer, Gpu, StepGroups};

/// Slots of steps and of their members, picked by dynamic offsets.
pub(crate) struct Steps {
    steps: Buffer<u8>,
    members: Buffer<u8>,
    /// Bytes from a slot's members to the next.
    stride: usize,
    groups: [wgpu::BindGroup; 2],
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
        let groups = [(&steps, size_of::<StepInfo>()), (&members, bound)];
        let groups = groups.map(|(buffer, bytes)| gpu.step_group(buffer.raw(), bytes));
        Ok(Self { steps, members, stride, groups })
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

    /// The groups of the step of this slot and of its first so many members.
    pub fn slot(&self, slot: usize, members: usize) -> StepGroups<'_> {
        let [steps, of_members] = &self.groups;
        let groups = [(steps, StepInfo::STRIDE as usize), (of_members, self.stride)];
        let groups = groups.map(|(group, bytes)| (group, (slot * bytes) as u32));
        StepGroups { groups, members: members as u32 }
    }

    /// All slots' steps and members, for kernels that make many steps.
    pub fn bindings(&self) -> [wgpu::BindingResource<'_>; 2] {
        let slots = self.steps.len() / StepInfo::STRIDE as usize;
        [self.steps.binding(), self.members.range(0, slots * self.stride)]
    }
}
