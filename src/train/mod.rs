//! The training loop, the metrics and checkpoints: which steps an engine makes, how good its predictions are, and files of
//! its state.

mod checkpoint;
mod diagnosis;
mod foreign;
mod metrics;
// It looks at the clock, which a browser's std does not have.
#[cfg(not(target_arch = "wasm32"))]
mod run;
mod tensors;
mod trainer;

pub use self::checkpoint::{Checkpoint, Weights};
pub use self::diagnosis::{SigmaPath, diagnose};
pub use self::metrics::{
    ClassScores, Classification, Fit, Judgement, Regression, TaskMetrics, judge, metrics,
};
#[cfg(not(target_arch = "wasm32"))]
pub use self::run::{BestEpoch, End, Epoch, Next, Plan, Progress, Run, Validation, Watch};
pub use self::trainer::Trainer;
