//! The engines: three ways to run the same training steps, behind one trait.
//!
//! | engine | what it is |
//! |---|---|
//! | [`GpuEngine::fused`] | the product: losses, weighting and all their gradients in one dispatch, sums finished inside the Adam kernel |
//! | [`GpuEngine::unfused`] | a kernel an operation, as an eager framework runs it; what the fused engine is measured against |
//! | [`Reference`] | `f64` on the CPU, as plain as the formulas; what both are judged by |
//!
//! An engine owns the dataset and the training state. It is told which rows make up a step
//! ([`Step`]) and answers with a [`Record`] a step; it knows nothing of epochs' ends, metrics or files.

mod fused;
mod infos;
mod layers;
mod on_gpu;
mod outcome;
mod recipe;
mod reference;
mod resident;
mod state;
mod step;
mod unfused;

pub use self::on_gpu::GpuEngine;
pub use self::recipe::Recipe;
pub use self::reference::{Gradients, Reference};
pub use self::state::State;
pub use self::step::{Record, Step, TaskRecord};

use crate::data::Matrix;
use crate::error::Result;
use std::pin::Pin;
use std::time::Duration;

/// A future that an engine returns; on one thread, since a browser has no other.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + 'a>>;

/// Something that can run training steps.
pub trait Engine {
    /// `fused`, `unfused` or `reference`.
    fn name(&self) -> &'static str;

    /// What is being trained, and how.
    fn recipe(&self) -> &Recipe;

    /// Number of rows of the dataset.
    fn rows(&self) -> usize;

    /// Starts these steps and returns without waiting for them. At most [`MOST_STEPS`] at once.
    ///
    /// # Errors
    /// Whatever the device says.
    fn submit(&mut self, steps: &[Step]) -> Result<()>;

    /// Waits for the oldest submission that has not been collected and returns its records, in order;
    /// nothing if there is none.
    ///
    /// # Errors
    /// [`NonFiniteLoss`](crate::Error::NonFiniteLoss) if a loss left the finite numbers: from that step on
    /// nothing was updated. Otherwise whatever the device says.
    fn collect(&mut self) -> Answer<'_, Vec<Record>>;

    /// Predictions for other rows: `[rows, features]` in, `[rows, outputs]` out, with the parameters
    /// after every step submitted so far. Class scores are logits.
    ///
    /// # Errors
    /// [`Mismatch`](crate::Error::Mismatch) for another number of features, or whatever the device says.
    fn predict<'a>(&'a mut self, features: &'a Matrix) -> Answer<'a, Matrix>;

    /// A copy of the training state after every step submitted so far.
    ///
    /// # Errors
    /// Whatever the device says.
    fn state(&mut self) -> Answer<'_, State>;

    /// Replaces the training state; steps submitted later start from it.
    ///
    /// # Errors
    /// [`Mismatch`](crate::Error::Mismatch) if it belongs to another network.
    fn load(&mut self, state: &State) -> Result<()>;

    /// Time that the GPU spent on the steps collected so far; `None` without a GPU, or without timestamps.
    fn gpu_time(&self) -> Option<Duration> {
        None
    }
}

/// The most steps that one [`submit`](Engine::submit) may carry.
pub const MOST_STEPS: usize = 256;

impl<E: Engine + ?Sized> Engine for Box<E> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn recipe(&self) -> &Recipe {
        (**self).recipe()
    }

    fn rows(&self) -> usize {
        (**self).rows()
    }

    fn submit(&mut self, steps: &[Step]) -> Result<()> {
        (**self).submit(steps)
    }

    fn collect(&mut self) -> Answer<'_, Vec<Record>> {
        (**self).collect()
    }

    fn predict<'a>(&'a mut self, features: &'a Matrix) -> Answer<'a, Matrix> {
        (**self).predict(features)
    }

    fn state(&mut self) -> Answer<'_, State> {
        (**self).state()
    }

    fn load(&mut self, state: &State) -> Result<()> {
        (**self).load(state)
    }

    fn gpu_time(&self) -> Option<Duration> {
        (**self).gpu_time()
    }
}
