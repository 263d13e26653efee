//! Task losses: the kinds, the tasks they belong to, and the passes that compute them on the GPU.

mod kind;
mod task;

pub use self::kind::Loss;
pub use self::task::Task;
