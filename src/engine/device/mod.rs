//! What both GPU engines keep on the device, and how training steps are submitted to it.
//!
//! | file | what it knows |
//! |---|---|
//! | `infos` | what the host tells the kernels, field for field |
//! | `slots` | where a submission's steps stand on the device |
//! | `rows` | the dataset |
//! | `window` | the part of a dataset that the device has at a time, where it cannot have all |
//! | `workspace` | what a program works on: the rows, the training state of every member of a fleet, the epoch's order, the ring of records |
//! | `program` | what a program is: the dispatches that make a step, or a run of steps, in a workspace |
//! | `training` | the submissions under way and their records |
//! | `failing` | the way back from a step that cannot be finished |
//!
//! Nothing here knows which programs there are: they are handed in.

mod failing;
pub(super) mod infos;
mod program;
mod rows;
mod slots;
mod training;
mod window;
mod workspace;

pub(super) use self::program::{Covers, Look, Planner, Program};
pub(super) use self::rows::Rows;
pub(super) use self::slots::Steps;
pub(super) use self::training::Training;
pub(super) use self::workspace::Workspace;
