//! What a submission records for its steps.

use super::workspace::Workspace;
use crate::error::Result;
use crate::gpu::{Buffer, Dispatch};

/// One way to make steps in a workspace.
pub(crate) struct Program {
    /// Its folder in `engine/programs`, and the file where there are several.
    pub name: &'static str,
    /// What opens a submission, for kernels that read a copy of the state.
    pub opening: Vec<Dispatch>,
    /// In order.
    pub dispatches: Vec<Dispatch>,
    pub covers: Covers,
    /// Its own way to the losses of a step's batch before the step, where it has one and a scheme asks for it.
    pub look: Option<Look>,
}

/// What finds the losses of a batch.
pub(crate) struct Look {
    pub dispatches: Vec<Dispatch>,
    /// `[seats, shares + 2, tasks]`, as before an ending.
    pub losses: Buffer<f32>,
    pub shares: usize,
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
        Self { name, opening: Vec::new(), dispatches, covers: Covers::Step, look: None }
    }

    /// A program for a run of up to `most` steps.
    pub fn run(name: &'static str, dispatches: Vec<Dispatch>, most: usize) -> Self {
        Self { name, opening: Vec::new(), dispatches, covers: Covers::Run(most), look: None }
    }
}

impl Look {
    /// Room for so many shares of the losses of every member.
    pub fn new(workspace: &Workspace, shares: usize) -> Result<Self> {
        let tasks = workspace.recipe.network.tasks().len();
        let length = workspace.seats() * (shares + 2) * tasks;
        let losses = Buffer::zeros(&workspace.gpu, "a batch's losses", length)?;
        Ok(Self { dispatches: Vec::new(), losses, shares })
    }
}
