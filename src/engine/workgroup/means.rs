//! What an adapter gives a workgroup, from which its kernel's layout follows.

use crate::gpu::Gpu;

/// What the adapter gives a workgroup.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Means {
    /// Bytes of workgroup memory.
    pub memory: usize,
    /// Lanes of a workgroup, at most.
    pub lanes: usize,
    /// Registers that a lane may fill with what outlives a block's products: the gradient, slopes.
    pub registers: usize,
    /// The same at the end of a step, where they hold moments too.
    pub registers_at_end: usize,
    /// Rounds of a product by which loads stand before their use, in registers besides.
    pub ahead: usize,
    /// Whether two lanes may share the rows of both, which takes the sums of both.
    pub splits: bool,
}

impl Means {
    /// Those of this adapter; browsers do not say whose it is.
    pub fn of(gpu: &Gpu) -> Self {
        const AMD: u32 = 0x1002;
        const NVIDIA: u32 = 0x10de;
        let limits = gpu.device().limits();
        let memory = limits.max_compute_workgroup_storage_size as usize;
        let lanes = limits.max_compute_invocations_per_workgroup as usize;
        let has_plenty = [AMD, NVIDIA].contains(&gpu.device().adapter_info().vendor);
        match has_plenty || gpu.is_software() {
            true => Self::plenty(memory, lanes),
            false => Self::lean(memory, lanes),
        }
    }

    /// With what a lane has on GPUs of AMD and NVIDIA: 255 registers.
    pub fn plenty(memory: usize, lanes: usize) -> Self {
        Self { memory, lanes, registers: 142, registers_at_end: 200, ahead: 1, splits: true }
    }

    /// With what a lane has on those of Intel and Apple, and perhaps on others: about 128 registers.
    pub fn lean(memory: usize, lanes: usize) -> Self {
        Self { memory, lanes, registers: 70, registers_at_end: 96, ahead: 0, splits: false }
    }
}
