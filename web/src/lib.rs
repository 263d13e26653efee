//! What the page needs of awl: a table that becomes two tasks, a network that trains on it a few steps at a time, and
//! what is drawn of it meanwhile.
//!
//! [`Study`] is the visitor's table with a suggestion of what to predict from what; [`Session`] is a network in
//! training; [`trajectory`] is the run by which the browser is held against a native GPU. All of it also builds
//! natively, where it is tested; only `browser`, which hands it to JavaScript, is for wasm32 alone. Nothing here waits
//! for the GPU other than by awaiting, and nothing knows what the page looks like.

#[cfg(target_arch = "wasm32")]
mod browser;
mod session;
mod study;
mod trajectory;

pub use session::{Judgement, Session, Settings};
pub use study::{ColumnInfo, Kind, Plan, Study};
pub use trajectory::{Trajectory, trajectory};
