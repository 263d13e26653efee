//! What a submission records for its steps.

use super::workspace::Workspace;
use crate::error::Result;
use crate::gpu::Dispatch;

/// One way to make steps in a workspace.
pub(crate) struct Program {
    /// Its folder in `engine/programs`, and the file where there are several.
    pub name: &'static str,
    /// What opens a submission, for kernels that read a copy of the state.
    pub opening: Vec<Dispatch>,
    /// In order.
    pub dispatches: Vec<Dispatch>,
    pub covers: Covers,
}

/// Chooses the program for a workspace, which may be a part of a fleet of so many members.
pub(crate) type Planner = fn(&Workspace, usize) -> Result<Program>;

/// What one round of a program's dispatches makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Covers {
    /// One step.
    Step,
    /// A run of steps: those of a submission between which the order of the rows stays as it is, up to this many.
    Run(usize),
}

impl Program {
    /// A program for one step.
    pub fn step(name: &'static str, dispatches: Vec<Dispatch>) -> Self {
        Self { name, opening: Vec::new(), dispatches, covers: Covers::Step }
    }

    /// A program for a run of up to `most` steps.
    pub fn run(name: &'static str, dispatches: Vec<Dispatch>, most: usize) -> Self {
        Self { name, opening: Vec::new(), dispatches, covers: Covers::Run(most) }
    }
}
