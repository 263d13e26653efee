//! Multi-task training with learned task weights, wholly on the GPU, on any GPU.
//!
//! A network with several heads has several losses, and somebody must say how much each counts. *Automatic
//! weighted loss* learns it: every task gets a σ, and what is minimised is
//!
//! ```text
//! total = Σ 0.5/σᵢ² · Lᵢ + ln(1 + σᵢ²)
//! ```
//!
//! (Liebel & Körner, [*Auxiliary Tasks in Multi-task Learning*](https://arxiv.org/abs/1805.06334), 2018, eq. 3,
//! after Kendall, Gal & Cipolla, [*Multi-Task Learning Using Uncertainty to Weigh Losses*](https://arxiv.org/abs/1705.07115),
//! 2018). This crate is that system in Rust on [wgpu](https://wgpu.rs): WGSL kernels for Vulkan, Metal, DX12 and GL, and a
//! training loop that never leaves the GPU. In every step one kernel computes the losses of all tasks and the
//! gradient at every prediction, and the kernel that applies Adam adds up the losses, their weighted total and σ's
//! gradient. The [loss pass by itself](LossPass), on buffers of your own, does all of that in one dispatch, and
//! [Adam by itself](optimizer::AdamPass) updates σ, and parameters of yours, by what it finds.
//!
//! # Example
//!
//! ```
//! use awl::*;
//! # pollster::block_on(async {
//! let gpu = Gpu::new().await?;
//! let features = Matrix::new(1, (0..64).map(|i| i as f32 / 32.0 - 1.0).collect())?;
//! let double = features.values().iter().map(|x| 2.0 * x).collect();
//! let sign = features.values().iter().map(|x| u32::from(*x > 0.0)).collect();
//! let targets = vec![Target::numbers(Matrix::new(1, double)?), Target::classes(sign)];
//! let data = Dataset::new(features, targets)?;
//!
//! let double = Task::new("double", Loss::Mse, 1);
//! let sign = Task::new("sign", Loss::cross_entropy(), 2);
//! let network = Network::new(1, &[16], Activation::Relu, &[double, sign])?;
//! let recipe = Recipe::new(network, AutomaticWeightedLoss::new(2), Adam::new(0.01));
//! let mut trainer = Trainer::new(GpuEngine::fused(&gpu, recipe, &data).await?);
//! let records = trainer.epochs(100).await?; // losses, weights and σ of every step
//! assert!(records[199].total < records[0].total);
//! # Ok::<(), Error>(()) })?;
//! # Ok::<(), Error>(())
//! ```
//!
//! From there:
//!
//! | | |
//! |---|---|
//! | a step, or so many, by hand | [`Trainer::steps`], [`Trainer::each_step`] |
//! | a look at every epoch, and an end when you say so | [`Trainer::each_epoch`] |
//! | predictions and metrics for other rows | [`Engine::predict`], [`Trainer::evaluate`] |
//! | all that training goes on from, in a file | [`Trainer::save`], [`Trainer::load`] |
//! | validation, early stopping, checkpoints | [`train::Run`] |
//!
//! `examples/two_heads.rs` does the same with a table of penguins, validation and a comparison with equal weights.
//!
//! # The formulas
//!
//! For task i with mean loss Lᵢ over its *labelled* rows, and one σᵢ:
//!
//! | quantity | formula | where |
//! |---|---|---|
//! | task weight `∂total/∂Lᵢ` | `0.5/σᵢ²` | [`weighting::awl::weight`] |
//! | what keeps σ finite | `ln(1+σᵢ²)` | [`weighting::awl::regulariser`] |
//! | `∂total/∂σᵢ` | `−Lᵢ/σᵢ³ + 2σᵢ/(1+σᵢ²)` | [`weighting::awl::sigma_gradient`] |
//! | `∂total/∂(ln σᵢ²)` | `σᵢ²/(1+σᵢ²) − 0.5/σᵢ²·Lᵢ` | [`SigmaForm::gradient`] |
//! | where σ comes to rest | `σ² = (L + √(L² + 8L))/4` | [`weighting::awl::equilibrium`] |
//! | task losses | `mse`, `mae`, `huber`, `quantile`, `poisson`, `bce`, `cross_entropy` | [`Loss`] |
//! | Adam, AdamW | as PyTorch's | [`optimizer`] |
//!
//! A task without a label in a batch adds nothing to the total or to any gradient, and its σ stays as it is. Only σ²
//! enters the total, so that the sign of a σ means nothing. Adam moves σ by about its learning rate a step, whatever the
//! loss: give σ a [learning rate of its own](Adam::sigma_learning_rate), or
//! [start it at its resting place](AutomaticWeightedLoss::starting_at). A task that can be learned exactly draws σ towards
//! 0, which a step must not cross: [learn `ln σ²` instead](SigmaForm), above a floor.
//!
//! # The rooms
//!
//! | module | what it knows |
//! |---|---|
//! | [`tables`] | your files: reading, splitting, encoding as numbers, and what predictions mean |
//! | [`data`] | what an engine trains on: features, targets, missing labels |
//! | [`loss`] | task losses, and the [fused loss pass](LossPass) for your own wgpu program |
//! | [`weighting`] | schemes that turn several losses into one |
//! | [`network`] | layers, initial parameters, tensors under PyTorch's names |
//! | [`optimizer`] | Adam with parameter groups, learning-rate schedules; [Adam by itself](optimizer::AdamPass) for your own wgpu program |
//! | [`engine`] | training steps: [fused](GpuEngine::fused), [unfused](GpuEngine::unfused), and the `f64` [reference](engine::Reference) |
//! | [`train`] | the loop, and metrics |
//! | [`mod@compare`] | which weighting for your data: the protocol of a comparison, and its statistics |
//! | [`report`] | results for people |
//! | [`export`] | a trained model as an ONNX file |
//! | [`mod@bench`] | what a step costs on this adapter |
//! | [`mod@doctor`] | whether an adapter can be trusted |
//! | [`gpu`] | adapters and devices |
//!
//! Every call that waits for the GPU is a future: block on it where that is allowed (`pollster::block_on`), await
//! it in a browser. Mistakes come back as an [`Error`] that names the task or tensor and says what to do.
//! wgpu, whose types appear in [`Gpu`], [`LossPass`] and [`AdamPass`](optimizer::AdamPass), is re-exported as [`wgpu`].

#[cfg(not(target_arch = "wasm32"))]
pub mod bench;
#[cfg(not(target_arch = "wasm32"))]
pub mod compare;
pub mod data;
#[cfg(not(target_arch = "wasm32"))]
pub mod doctor;
// The program writes its files by it.
#[doc(hidden)]
pub mod durable;
pub mod engine;
mod error;
pub mod export;
pub mod gpu;
pub mod loss;
mod memory;
mod nearest;
pub mod network;
pub mod optimizer;
pub mod report;
pub mod tables;
pub mod train;
pub mod weighting;

pub use data::{Dataset, Matrix, Target};
pub use engine::{Engine, GpuEngine, Recipe};
pub use error::{Error, Extreme, FirstRow, Result};
pub use gpu::{Gpu, prefer_wide_vectors};
pub use loss::{Loss, LossPass, Task};
pub use memory::free_memory;
pub use network::{Activation, Network};
pub use optimizer::{Adam, Schedule};
pub use tables::{Encoder, Table};
pub use train::Trainer;
pub use weighting::{AutomaticWeightedLoss, SigmaForm, Weighting};

/// README's program, tried.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// wgpu in the version that this crate is built with: the buffers and devices that [`LossPass`],
/// [`AdamPass`](optimizer::AdamPass) and [`Gpu::from_device`] take must come from it.
pub use wgpu;
