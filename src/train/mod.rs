//! Training: how good the predictions are.

mod metrics;

pub use self::metrics::{TaskMetrics, metrics};
