//! The programs: ways to make a step of what is on the device, each with kernels of its own.
//!
//! | program | engine |
//! |---|---|
//! | [`small`], a run of steps or a step in shares | fused, on software adapters |
//! | [`vector`] | fused, on software adapters |
//! | [`rows`] | fused, on any adapter |
//! | [`tiled`] | fused, on any adapter, for any network |
//! | [`unfused`] | unfused |
//!
//! Each has the same face, `program(&Resident) -> Result<Option<Program>>`, which says whether it takes the network on this
//! adapter, and with which dispatches. None knows of another or of the list here; what several share lies below them, in
//! `engine::ending` and `engine::layers`.

mod rows;
mod small;
mod tiled;
mod unfused;
mod vector;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use self::unfused::UnfusedLossPass;
pub(super) use self::unfused::program as unfused;

use super::device::{Program, Resident};
use crate::error::{Error, Result};

/// Makes a program of what is on the device, or declines.
type Make = fn(&Resident) -> Result<Option<Program>>;

/// The fused engine's programs: the first that takes the network on this adapter is the fastest there.
const FUSED: [(&str, Make); 5] = [
    (small::run::NAME, small::run::program),
    (small::shares::NAME, small::shares::program),
    (vector::NAME, vector::program),
    (rows::NAME, rows::program),
    (tiled::NAME, tiled::program),
];

/// The fused engine's program.
pub(super) fn fused(resident: &Resident) -> Result<Program> {
    for (_, make) in FUSED {
        if let Some(program) = make(resident)? {
            return Ok(program);
        }
    }
    let names = FUSED.map(|(name, _)| name).join(", ");
    Err(Error::invalid(format!("none of {names} takes this network"), "report it"))
}
