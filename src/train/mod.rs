//! The training loop and the metrics.

mod trainer;

pub use self::trainer::Trainer;
