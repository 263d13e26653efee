//! The training loop: which rows make up each step, and keeping the GPU supplied.

use crate::data::Dataset;
use crate::engine::{Engine, MOST_STEPS, Record, State, Step};
use crate::error::Result;
use crate::train::{TaskMetrics, metrics};

/// Runs an engine step by step and epoch by epoch.
///
/// While the GPU works on one submission the next is already waiting, and records are read back behind them:
/// the GPU never waits for the host.
pub struct Trainer<E> {
    engine: E,
}

/// Submissions under way before the oldest is waited for.
const IN_FLIGHT: usize = 2;

impl<E: Engine> Trainer<E> {
    /// A loop over an engine, from wherever it stands.
    pub fn new(engine: E) -> Self {
        Self { engine }
    }

    /// A loop that goes on from a saved state, in the middle of an epoch if need be: on the same adapter, bit for bit as
    /// if it had never stopped.
    ///
    /// The engine's recipe and data must be those that the state was made with: a state does not know its seed, its
    /// batches or its rows, only the shape of its network, which is checked.
    ///
    /// # Errors
    /// Those of [`Engine::load`].
    pub fn resume(mut engine: E, state: &State) -> Result<Self> {
        engine.load(state)?;
        Ok(Self { engine })
    }

    /// Number of steps that make an epoch.
    pub fn steps_per_epoch(&self) -> usize {
        let batch = self.engine.recipe().batch;
        self.engine.rows().div_ceil(batch)
    }

    /// Makes this many steps and returns their records.
    ///
    /// # Errors
    /// Those of [`each_step`](Self::each_step).
    pub async fn steps(&mut self, count: usize) -> Result<Vec<Record>> {
        let mut records = Vec::with_capacity(count.min(MOST_STEPS));
        self.each_step(count, |record| records.push(record)).await?;
        Ok(records)
    }

    /// Makes this many steps and hands over the record of each as it comes, also of those before an error.
    ///
    /// # Errors
    /// [`NonFiniteLoss`](crate::Error::NonFiniteLoss) if a loss left the finite numbers; the parameters from
    /// before that step survive. Otherwise those of [`Engine::submit`] and [`Engine::collect`].
    pub async fn each_step(&mut self, count: usize, mut take: impl FnMut(Record)) -> Result<()> {
        let mut left = count;
        let mut in_flight = 0;
        let mut outcome = Ok(());
        while in_flight > 0 || (left > 0 && outcome.is_ok()) {
            if left > 0 && outcome.is_ok() && in_flight < IN_FLIGHT {
                let some = left.min(MOST_STEPS);
                outcome = self.submit(some);
                in_flight += usize::from(outcome.is_ok());
                left -= some;
                continue;
            }
            // After an error too: what is in flight now must not be taken for the next call's.
            match self.engine.collect().await {
                Ok(records) => records.into_iter().for_each(&mut take),
                Err(error) => outcome = outcome.and(Err(error)),
            }
            in_flight -= 1;
        }
        outcome?;
        // Where training stopped within the last submission, only the next collect says why.
        loop {
            let records = self.engine.collect().await?;
            if records.is_empty() {
                return Ok(());
            }
            records.into_iter().for_each(&mut take);
        }
    }

    fn submit(&mut self, count: usize) -> Result<()> {
        let next = self.engine.last_step() + 1;
        let numbers = next..next.saturating_add(count as u64);
        let steps: Vec<Step> = numbers.map(|number| self.step(number)).collect();
        self.engine.submit(&steps)
    }

    /// Makes this many epochs and returns the records of their steps.
    ///
    /// # Errors
    /// Those of [`steps`](Self::steps).
    pub async fn epochs(&mut self, count: usize) -> Result<Vec<Record>> {
        self.steps(count.saturating_mul(self.steps_per_epoch())).await
    }

    /// How good the network is on other rows, task by task; `None` for a task without a label there.
    ///
    /// # Errors
    /// Those of [`Engine::predict`] and [`metrics`](crate::train::metrics).
    pub async fn evaluate(&mut self, data: &Dataset) -> Result<Vec<Option<TaskMetrics>>> {
        let predictions = self.engine.predict(data.features()).await?;
        metrics(&self.engine.recipe().network, &predictions, data)
    }

    fn step(&self, number: u64) -> Step {
        Step::numbered(number, self.engine.rows(), self.engine.recipe().batch)
    }

    /// The engine back.
    pub fn into_engine(self) -> E {
        self.engine
    }

    /// The engine, to predict with or to read its state.
    pub fn engine(&mut self) -> &mut E {
        &mut self.engine
    }
}
