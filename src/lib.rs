//! Multi-task training with learned task weights, wholly on the GPU, on any GPU.

pub mod data;
pub mod engine;
mod error;
pub mod loss;
pub mod network;
pub mod optimizer;
pub mod train;
pub mod weighting;

pub use data::{Encoder, Table};
pub use error::{Error, Result};
pub use loss::{Loss, Task};
pub use network::{Activation, Network};
pub use optimizer::Adam;
pub use weighting::{AutomaticWeightedLoss, Weighting};
