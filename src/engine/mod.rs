//! The engines: three ways to run the same training steps, behind one trait.
//!
//! | engine | what it is |
//! |---|---|
//! | [`GpuEngine::fused`] | the product: one pass for all losses, weights and gradients at the predictions; sums and σ's gradient finished inside the Adam kernel |
//! | [`GpuEngine::unfused`] | a kernel an operation, as an eager framework runs it; what the fused engine is measured against |
//! | [`Reference`] | `f64` on the CPU, as plain as the formulas; what both are judged by |
//!
//! Each trains one network, or a fleet of them: [`GpuEngine::fleet`] all in the same dispatches, [`Turns`] one after the other.
//!
//! An engine owns the dataset and the training states. It is told which rows make up a step
//! ([`Step`]) and answers with a [`Record`] a step; it knows nothing of epochs' ends, metrics or files.
//!
//! `docs/architecture.md` draws what lies below, says which program of the fused engine is taken when, and follows a step through.

mod blocks;
mod checks;
mod device;
mod ending;
mod first_row;
mod fleet;
#[cfg(test)]
mod gram;
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
mod rules;
mod state;
mod step;
#[cfg(test)]
mod streamed;
mod task_gradients;
mod turns;
mod workgroup;

pub(crate) use self::checks::check_features;
pub use self::on_gpu::GpuEngine;
pub(crate) use self::pace::{Moment, Pace, Stopwatch};
pub use self::predictor::Predictor;
pub use self::profile::KernelTime;
// For benchmarks, which a browser does not run.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use self::programs::UnfusedLossPass;
pub use self::recipe::Recipe;
pub use self::reference::{Gradients, Reference};
#[cfg(test)]
pub(crate) use self::rules::{PARTS as RULES, none_for as no_rules_for};
pub use self::state::State;
pub use self::step::{MOST_STEPS, Record, Step, TaskRecord};
pub use self::turns::Turns;

use crate::data::{Dataset, Matrix};
use crate::error::{Error, Result};
use std::pin::Pin;
use std::time::Duration;

/// A future that an engine returns; on one thread, since a browser has no other.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + 'a>>;

/// Something that can run training steps, of one network or of a fleet: members that train on the same rows, step by step together,
/// each with a [`Recipe`] of its own. One network is a fleet of one.
///
/// What most callers have is one network, so what is asked of a member has a shorter name for that of the first.
pub trait Engine {
    /// `fused`, `unfused` or `reference`.
    fn name(&self) -> &'static str;

    /// What each member trains, and how; at least one. Networks, batches, shuffling and clipping are the same.
    fn recipes(&self) -> &[Recipe];

    /// The first member's.
    fn recipe(&self) -> &Recipe {
        &self.recipes()[0]
    }

    /// Number of rows of the dataset.
    fn rows(&self) -> usize;

    /// Starts these steps of every member that neither failed nor rests, and returns without waiting for them. At most
    /// [`MOST_STEPS`] at once.
    ///
    /// # Errors
    /// [`Invalid`](crate::Error::Invalid) for more steps, or one that is not [`Step::numbered`]'s; none of the
    /// steps is then made. Otherwise whatever the device says.
    fn submit(&mut self, steps: &[Step]) -> Result<()>;

    /// Waits for the oldest submission that has not been collected and returns its records, step by step and in each member by
    /// member; nothing if there is none.
    ///
    /// Where a member's training stopped within the submission, its records of the steps before are the last of it, and
    /// [`failure`](Self::failure) says why; the others go on. Where no member is left to train, the next
    /// call, and every one after it until a state is [loaded](Self::load), says why the first one stopped.
    ///
    /// # Errors
    /// [`NonFiniteLoss`](crate::Error::NonFiniteLoss) if a loss left the finite numbers: that step and those
    /// after it changed nothing. [`NonFiniteGradient`](crate::Error::NonFiniteGradient) if a parameter
    /// would have: likewise. The state is that after the step before. Otherwise whatever the device says.
    fn collect(&mut self) -> Answer<'_, Vec<Record>>;

    /// Why a member's training stopped, once its records have been [collected](Self::collect): one of that method's errors.
    fn failure(&self, member: usize) -> Option<Error>;

    /// Passes a member by in later submissions and validations, until it [wakes](Self::wake) or a state is loaded into it; its
    /// state stays.
    fn rest(&mut self, member: usize);

    /// Lets a member that rests take part again, from the state that it has.
    fn wake(&mut self, member: usize);

    /// Whether a member rests.
    fn rests(&self, member: usize) -> bool;

    /// Predictions of a member for other rows: `[rows, features]` in, `[rows, outputs]` out, with the parameters
    /// after every step submitted so far. Class scores are logits.
    ///
    /// # Errors
    /// [`Mismatch`](crate::Error::Mismatch) for another number of features, [`Invalid`](crate::Error::Invalid)
    /// for a feature that is not finite or a member that is not there, or whatever the device says.
    fn predict_by<'a>(&'a mut self, member: usize, features: &'a Matrix) -> Answer<'a, Matrix>;

    /// Predictions of the first member: [`predict_by`](Self::predict_by).
    ///
    /// # Errors
    /// The same.
    fn predict<'a>(&'a mut self, features: &'a Matrix) -> Answer<'a, Matrix> {
        self.predict_by(0, features)
    }

    /// Takes rows to [validate](Self::validate) on, in place of any taken before; they stay where the engine computes.
    ///
    /// # Errors
    /// [`Mismatch`](crate::Error::Mismatch) or whatever [`Task::check_target`](crate::Task::check_target) finds if they
    /// do not fit the network, [`OutOfMemory`](crate::Error::OutOfMemory) if they do not fit the device, or whatever it
    /// says.
    fn hold_out<'a>(&'a mut self, rows: &'a Dataset) -> Answer<'a, ()>;

    /// Of every member the mean loss of each task over the rows [held out](Self::hold_out), with the parameters after every step
    /// submitted so far and as [`Record`] has it of a batch; `None` for a task without a label there. NaN where the engine's
    /// precision could not hold what came on the way, be it of another task. Nothing of a member that rests. Training is not
    /// touched.
    ///
    /// # Errors
    /// [`Invalid`](crate::Error::Invalid) if no rows were held out, or whatever the device says.
    fn validate_members(&mut self) -> Answer<'_, Vec<Vec<Option<f64>>>>;

    /// The losses of the first member: [`validate_members`](Self::validate_members).
    ///
    /// # Errors
    /// The same.
    fn validate(&mut self) -> Answer<'_, Vec<Option<f64>>> {
        let losses = self.validate_members();
        Box::pin(async { Ok(losses.await?.swap_remove(0)) })
    }

    /// Copies of these members' training states, in this order, after every step submitted so far.
    ///
    /// # Errors
    /// [`Invalid`](crate::Error::Invalid) for a member that is not there, or whatever the device says.
    fn states_of<'a>(&'a mut self, members: &'a [usize]) -> Answer<'a, Vec<State>>;

    /// A copy of one member's state: [`states_of`](Self::states_of).
    ///
    /// # Errors
    /// The same.
    fn state_of(&mut self, member: usize) -> Answer<'_, State> {
        Box::pin(async move { Ok(self.states_of(&[member]).await?.swap_remove(0)) })
    }

    /// The first member's state: [`states_of`](Self::states_of).
    ///
    /// # Errors
    /// The same.
    fn state(&mut self) -> Answer<'_, State> {
        self.state_of(0)
    }

    /// Replaces a member's training state; steps submitted later start from it. Submissions that have not been collected
    /// are forgotten, of all members, and a member whose training had stopped, or that rested, may go on.
    ///
    /// # Errors
    /// [`Mismatch`](crate::Error::Mismatch) if it belongs to another network, [`Invalid`](crate::Error::Invalid)
    /// if it holds a number that no training makes, or that the engine's precision cannot hold, and for a member that is not
    /// there.
    fn load_into(&mut self, member: usize, state: &State) -> Result<()>;

    /// Replaces the first member's state: [`load_into`](Self::load_into).
    ///
    /// # Errors
    /// The same.
    fn load(&mut self, state: &State) -> Result<()> {
        self.load_into(0, state)
    }

    /// The number of the last step submitted, or of the state loaded since, of the members that train: the most of any, should
    /// they differ. Of all members where none trains.
    fn last_step(&self) -> u64;

    /// Time that the GPU spent on the steps collected so far; `None` without a GPU, or without timestamps.
    fn gpu_time(&self) -> Option<Duration> {
        None
    }

    /// Whether the rows stay with the host and go to the device as steps need them ([`GpuEngine::streamed`]).
    fn is_streamed(&self) -> bool {
        false
    }
}

impl<E: Engine + ?Sized> Engine for Box<E> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn recipes(&self) -> &[Recipe] {
        (**self).recipes()
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

    fn failure(&self, member: usize) -> Option<Error> {
        (**self).failure(member)
    }

    fn rest(&mut self, member: usize) {
        (**self).rest(member);
    }

    fn wake(&mut self, member: usize) {
        (**self).wake(member);
    }

    fn rests(&self, member: usize) -> bool {
        (**self).rests(member)
    }

    fn predict_by<'a>(&'a mut self, member: usize, features: &'a Matrix) -> Answer<'a, Matrix> {
        (**self).predict_by(member, features)
    }

    fn hold_out<'a>(&'a mut self, rows: &'a Dataset) -> Answer<'a, ()> {
        (**self).hold_out(rows)
    }

    fn validate_members(&mut self) -> Answer<'_, Vec<Vec<Option<f64>>>> {
        (**self).validate_members()
    }

    fn states_of<'a>(&'a mut self, members: &'a [usize]) -> Answer<'a, Vec<State>> {
        (**self).states_of(members)
    }

    fn load_into(&mut self, member: usize, state: &State) -> Result<()> {
        (**self).load_into(member, state)
    }

    fn last_step(&self) -> u64 {
        (**self).last_step()
    }

    fn gpu_time(&self) -> Option<Duration> {
        (**self).gpu_time()
    }

    fn is_streamed(&self) -> bool {
        (**self).is_streamed()
    }
}
