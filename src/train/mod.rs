//! The training loop and the metrics: which steps an engine makes, and how good its predictions are.

mod metrics;
mod trainer;

pub use self::metrics::{ClassScores, Classification, Fit, Regression, TaskMetrics, metrics};
pub use self::trainer::Trainer;
