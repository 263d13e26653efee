//! The end of a fused step, which all fused programs have but those whose kernels make whole steps (`shaders/ending/`).
//!
//! A program leaves shares of the gradients and losses, one a workgroup or so; here they are added up in a fixed order, σ's
//! gradient follows, and Adam is applied to everything.

mod finish;
mod shares;

pub(super) use self::finish::{Shares, dispatches};
pub(super) use self::shares::in_shares;
