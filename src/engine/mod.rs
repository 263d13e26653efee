//! The engines: three ways to run the same training steps, behind one trait.
//!
//! | engine | what it is |
//! |---|---|
//! | [`GpuEngine::fused`] | the product: one pass for all losses, weights and gradients at the predictions; sums and σ's gradient finished inside the Adam kernel |
//! | [`GpuEngine::unfused`] | a kernel an operation, as an eager framework runs it; what the fused engine is measured against |
//! | [`Reference`] | `f64` on the CPU, as plain as the formulas; what both are judged by |
//!
//! An engine owns the dataset and the training state. It is told which rows make up a step
//! ([`Step`]) and answers with a [`Record`] a step; it knows nothing of epochs' ends, metrics or files.
//!
//! `docs/architecture.md` draws what lies below, says which program of the fused engine is taken when, and follows a step through.

mod blocks;
mod checks;
mod device;
mod ending;
mod held_out;
mod layers;
mod on_gpu;
mod outcome;
mod pace;
mod predictor;
mod profile;
mod programs;
mod recipe;
mod reference;
#[cfg(test)]
mod rounds;
mod state;
mod step;

pub use self::on_gpu::GpuEngine;
pub(crate) use self::pace::{Moment, Pace, Stopwatch};
pub use self::predictor::Predictor;
pub use self::profile::KernelTime;
// For benchmarks, which a browser does not run.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use self::programs::UnfusedLossPass;
pub use self::recipe::Recipe;
pub use self::reference::{Gradients, Reference};
pub use self::state::State;
pub use self::step::{MOST_STEPS, Record, Step, TaskRecord};

use crate::data::{Dataset, Matrix};
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
    /// [`Invalid`](crate::Error::Invalid) for more steps, or one that is not [`Step::numbered`]'s; none of the
    /// steps is then made. Otherwise whatever the device says.
    fn submit(&mut self, steps: &[Step]) -> Result<()>;

    /// Waits for the oldest submission that has not been collected and returns its records, in order;
    /// nothing if there is none.
    ///
    /// Where training stopped within the submission, the records of the steps before come first; the next
    /// call, and every one after it until a state is [loaded](Self::load), says why.
    ///
    /// # Errors
    /// [`NonFiniteLoss`](crate::Error::NonFiniteLoss) if a loss left the finite numbers: that step and those
    /// after it changed nothing. [`NonFiniteGradient`](crate::Error::NonFiniteGradient) if a parameter
    /// would have: likewise. The state is that after the step before. Otherwise whatever the device says.
    fn collect(&mut self) -> Answer<'_, Vec<Record>>;

    /// Predictions for other rows: `[rows, features]` in, `[rows, outputs]` out, with the parameters
    /// after every step submitted so far. Class scores are logits.
    ///
    /// # Errors
    /// [`Mismatch`](crate::Error::Mismatch) for another number of features, [`Invalid`](crate::Error::Invalid)
    /// for a feature that is not finite, or whatever the device says.
    fn predict<'a>(&'a mut self, features: &'a Matrix) -> Answer<'a, Matrix>;

    /// Takes rows to [validate](Self::validate) on, in place of any taken before; they stay where the engine computes.
    ///
    /// # Errors
    /// [`Mismatch`](crate::Error::Mismatch) or whatever [`Task::check_target`](crate::Task::check_target) finds if they
    /// do not fit the network, [`OutOfMemory`](crate::Error::OutOfMemory) if they do not fit the device, or whatever it
    /// says.
    fn hold_out<'a>(&'a mut self, rows: &'a Dataset) -> Answer<'a, ()>;

    /// The mean loss of each task over the rows [held out](Self::hold_out), with the parameters after every step submitted
    /// so far and as [`Record`] has it of a batch; `None` for a task without a label there. NaN where the engine's precision
    /// could not hold what came on the way, be it of another task. Training is not touched.
    ///
    /// # Errors
    /// [`Invalid`](crate::Error::Invalid) if no rows were held out, or whatever the device says.
    fn validate(&mut self) -> Answer<'_, Vec<Option<f64>>>;

    /// A copy of the training state after every step submitted so far.
    ///
    /// # Errors
    /// Whatever the device says.
    fn state(&mut self) -> Answer<'_, State>;

    /// Replaces the training state; steps submitted later start from it. Submissions that have not been collected
    /// are forgotten, and training that had stopped may go on.
    ///
    /// # Errors
    /// [`Mismatch`](crate::Error::Mismatch) if it belongs to another network, [`Invalid`](crate::Error::Invalid)
    /// if it holds a number that no training makes, or that the engine's precision cannot hold.
    fn load(&mut self, state: &State) -> Result<()>;

    /// The number of the last step submitted, or of the state loaded since.
    fn last_step(&self) -> u64;

    /// Time that the GPU spent on the steps collected so far; `None` without a GPU, or without timestamps.
    fn gpu_time(&self) -> Option<Duration> {
        None
    }
}

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

    fn hold_out<'a>(&'a mut self, rows: &'a Dataset) -> Answer<'a, ()> {
        (**self).hold_out(rows)
    }

    fn validate(&mut self) -> Answer<'_, Vec<Option<f64>>> {
        (**self).validate()
    }

    fn state(&mut self) -> Answer<'_, State> {
        (**self).state()
    }

    fn load(&mut self, state: &State) -> Result<()> {
        (**self).load(state)
    }

    fn last_step(&self) -> u64 {
        (**self).last_step()
    }

    fn gpu_time(&self) -> Option<Duration> {
        (**self).gpu_time()
    }
}
