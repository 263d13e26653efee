//! Data: what an engine trains on, and the order in which it visits the rows.
//!
//! Everything here is numbers, checked when it is made. [`tables`](crate::tables) makes a [`Dataset`] from a
//! file; a program with numbers of its own makes it itself. Knows nothing of losses, networks or engines.

mod dataset;
mod draws;
pub(crate) mod permutation;

pub use self::dataset::{Dataset, Matrix, Target, Values};
pub(crate) use self::dataset::{check_finite, highest};
pub use self::draws::Bootstrap;
pub(crate) use self::draws::{pcg4d, step_key};
pub use self::permutation::Permutation;
