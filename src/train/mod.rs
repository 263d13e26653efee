//! The training loop, the metrics and checkpoints: which steps an engine makes, how good its predictions are, and files of
//! its state.

mod baselines;
mod checkpoint;
mod checksum;
mod diagnosis;
mod ensemble;
mod foreign;
mod importance;
mod metrics;
mod parallel;
// Of runs.
#[cfg(not(target_arch = "wasm32"))]
mod progress;
// It looks at the clock, which a browser's std does not have.
#[cfg(not(target_arch = "wasm32"))]
mod run;
mod saving;
mod tensors;
mod trainer;
pub mod uncertainty;
// Of runs.
mod homoscedastic;
#[cfg(not(target_arch = "wasm32"))]
mod watch;
mod weighed;
mod weights;

pub use self::baselines::Baselines;
pub use self::checkpoint::{Checkpoint, Saved};
pub use self::diagnosis::{SigmaPath, diagnose};
pub use self::ensemble::Ensemble;
pub use self::homoscedastic::{ABOUT_NOISE, HomoscedasticNoise};
pub use self::importance::{FeatureImportance, Importances, TaskImportance, importances};
pub use self::metrics::{
    Bin, ByClass, Calibration, ChosenThreshold, ClassScores, Classification, Fit, Intervals,
    Judgement, OfClass, PrecisionRecall, Regression, TaskMetrics, ThresholdAim, by_class,
    choose_thresholds, intervals, judge, judge_encoded, metrics,
};
#[cfg(not(target_arch = "wasm32"))]
pub use self::progress::{BestEpoch, End, Plan, Progress};
#[cfg(not(target_arch = "wasm32"))]
pub use self::run::Run;
pub use self::tensors::check_whole;
pub use self::trainer::Trainer;
#[cfg(not(target_arch = "wasm32"))]
pub use self::watch::{Epoch, Next, Validation, Watch};
pub use self::weighed::Weighed;
pub use self::weights::Weights;
