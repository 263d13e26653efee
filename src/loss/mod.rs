//! Task losses: the kinds, the tasks they belong to, their labels, and the fused pass that computes them on the GPU.

mod kind;
mod labels;
pub(crate) mod pass;
mod task;

pub use self::kind::Loss;
pub use self::labels::{Labels, NONE, TaskLayout};
pub use self::pass::{LossBuffers, LossPass, LossResults, Sums};
pub use self::task::Task;
