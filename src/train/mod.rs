//! The training loop, the metrics and checkpoints: which steps an engine makes, how good its predictions are, and files of
//! its state.

mod checkpoint;
mod diagnosis;
mod metrics;
mod tensors;
mod trainer;

pub use self::checkpoint::{Checkpoint, Weights};
pub use self::diagnosis::diagnose;
pub use self::metrics::{ClassScores, Classification, Fit, Regression, TaskMetrics, metrics};
pub use self::trainer::Trainer;
