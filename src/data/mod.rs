//! Data: what an engine trains on, and the order in which it visits the rows.

mod dataset;
mod permutation;

pub(crate) use self::dataset::check_finite;
pub use self::dataset::{Dataset, Matrix, Target, Values};
pub use self::permutation::Permutation;
