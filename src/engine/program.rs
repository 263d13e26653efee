//! What a submission records for its steps.

use super::resident::Resident;
use crate::error::Result;
use crate::gpu::Dispatch;

/// An engine's dispatches, in order.
pub(super) struct Program {
    pub dispatches: Vec<Dispatch>,
    pub covers: Covers,
}

/// Chooses the program for what is on the device.
pub(super) type Planner = fn(&Resident) -> Result<Program>;

/// What one round of a program's dispatches makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Covers {
    /// One step.
    Step,
    /// A run of steps: those of a submission between which the order of the rows stays as it is, up to this many.
    Run(usize),
}

impl Program {
    /// A program for one step.
    pub fn step(dispatches: Vec<Dispatch>) -> Self {
        Self { dispatches, covers: Covers::Step }
    }

    /// A program for a run of up to `most` steps.
    pub fn run(dispatches: Vec<Dispatch>, most: usize) -> Self {
        Self { dispatches, covers: Covers::Run(most) }
    }
}
