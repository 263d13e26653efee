//! Task losses: the kinds, the tasks they belong to, their labels, and the fused pass that computes them on the GPU.
//!
//! | name | formula of one column (`p` prediction, `t` target) | PyTorch |
//! |---|---|---|
//! | `mse` | `(p − t)²` | `MSELoss` |
//! | `mae` | `\|p − t\|` | `L1Loss` |
//! | `quantile` | `max(q·(t − p), (1 − q)·(p − t))` | |
//! | `poisson` | `e^p − t·p + t·ln t − t` | `PoissonNLLLoss`, plus what does not depend on p |
//! | `gaussian_nll` | `½(s + d²e⁻ˢ)`, `d = p − t`, `s` predicted too | `GaussianNLLLoss` with `var = eˢ` |
//! | `laplace_nll` | `s + \|d\|e⁻ˢ` | |
//! | `huber` | `½d²` if `\|d\| ≤ δ`, else `δ(\|d\| − ½δ)`, `d = p − t` | `HuberLoss` |
//! | `bce` | `max(p, 0) − p·t + ln(1 + e^−\|p\|)` | `BCEWithLogitsLoss` |
//! | `cross_entropy` | `(1−ε)·w_y·(−ln p_y) + ε/C·Σ_c w_c·(−ln p_c)` of a row's softmax `p` | `CrossEntropyLoss` |
//!
//! A task's loss is the mean over its labelled rows, as PyTorch takes it: over rows and columns for numbers, weighted
//! by the class weights for classes. A task without a label in the batch has no loss.
//!
//! On the GPU losses are `f32`, and hold whatever the predictions, labels and weights are: a row's loss comes out within 1e-5 of its
//! formula (of the terms that the formula is a difference of, where it is one), or is infinite or NaN where `f32` cannot hold it or its
//! product with the row's weight; never a finite number that is wrong. Numbers below 1.2e-38, the smallest normal one, may be taken for
//! 0, as WGSL lets a device do. The mean over ten million rows keeps six digits.

mod buffers;
mod kind;
mod labels;
pub(crate) mod normalisers;
mod own_noise;
mod pass;
pub(crate) mod spread;
mod task;

pub use self::buffers::LossBuffers;
pub(crate) use self::buffers::check_storage;
pub use self::kind::Loss;
pub use self::labels::{Labels, NONE, TaskLayout};
pub(crate) use self::own_noise::MOST_LOG_SCALE;
pub use self::pass::{LossPass, LossResults, Sums};
pub use self::task::Task;
