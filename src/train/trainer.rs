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
    made: u64,
}

/// Submissions under way before the oldest is waited for.
const IN_FLIGHT: usize = 2;

impl<E: Engine> Trainer<E> {
    /// A loop over a fresh engine.
    pub fn new(engine: E) -> Self {
        Self { engine, made: 0 }
    }

    /// A loop that goes on from a saved state, in the middle of an epoch if need be: on the same adapter, bit for bit as
    /// if it had never stopped.
    ///
    /// # Errors
    /// Those of [`Engine::load`].
    pub fn resume(mut engine: E, state: &State) -> Result<Self> {
        engine.load(state)?;
        let made = state.step;
        Ok(Self { engine, made })
    }

    /// Number of steps that make an epoch.
    pub fn steps_per_epoch(&self) -> usize {
        let batch = self.engine.recipe().batch;
        self.engine.rows().div_ceil(batch)
    }

    /// Makes this many steps and returns their records.
    ///
    /// # Errors
    /// [`NonFiniteLoss`](crate::Error::NonFiniteLoss) if a loss left the finite numbers; the parameters from
    /// before that step survive. Otherwise whatever the device says.
    pub async fn steps(&mut self, count: usize) -> Result<Vec<Record>> {
        let mut records = Vec::with_capacity(count);
        let mut in_flight = 0;
        let last = self.made + count as u64;
        while self.made < last {
            let next = last.min(self.made + MOST_STEPS as u64);
            let steps: Vec<Step> = (self.made + 1..=next).map(|number| self.step(number)).collect();
            self.engine.submit(&steps)?;
            self.made = next;
            in_flight += 1;
            if in_flight == IN_FLIGHT {
                records.extend(self.engine.collect().await?);
                in_flight -= 1;
            }
        }
        for _ in 0..in_flight {
            records.extend(self.engine.collect().await?);
        }
        Ok(records)
    }

    /// Makes this many epochs and returns the records of their steps.
    ///
    /// # Errors
    /// Those of [`steps`](Self::steps).
    pub async fn epochs(&mut self, count: usize) -> Result<Vec<Record>> {
        self.steps(count * self.steps_per_epoch()).await
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

    /// The engine, to predict with or to read its state.
    pub fn engine(&mut self) -> &mut E {
        &mut self.engine
    }
}
