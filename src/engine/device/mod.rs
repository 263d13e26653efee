//! What both GPU engines keep on the device, and how training steps are submitted to it.
//!
//! | file | what it knows |
//! |---|---|
//! | `infos` | what the host tells the kernels, field for field |
//! | `slots` | where a submission's steps stand on the device |
//! | `resident` | the dataset, the training state, the epoch's order, the ring of records |
//! | `program` | what a program is: the dispatches that make a step, or a run of steps, of what is resident |
//! | `training` | the submissions under way, their records, and the way back from a step that cannot be finished |
//!
//! Nothing here knows which programs there are: they are handed in.

pub(super) mod infos;
mod program;
mod resident;
mod slots;
mod training;

pub(super) use self::program::{Covers, Planner, Program};
pub(super) use self::resident::Resident;
pub(super) use self::slots::Steps;
pub(super) use self::training::Training;
