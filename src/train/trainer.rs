//! The training loop: which rows make up each step, and keeping the GPU supplied.

use crate::data::Dataset;
use crate::engine::{Engine, MOST_STEPS, Moment, Pace, Record, State, Step, Stopwatch};
use crate::error::Result;
use crate::train::{TaskMetrics, metrics};
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::Duration;

/// Runs an engine step by step and epoch by epoch.
///
/// While the GPU works on one submission the next is already waiting, and records are read back behind them:
/// the GPU never waits for the host.
///
/// Systems reset a GPU that works on one submission for too long, Windows after 2 s. So a submission carries one step at
/// first and from then on as many as took 100 ms by the last measurement, twice as many as before and
/// [`MOST_STEPS`] at most; which steps share a submission changes no bit. A step is never split: one that alone takes
/// longer is a submission by itself, and where that is too long for the system, a smaller batch helps.
pub struct Trainer<E> {
    engine: E,
    pace: Pace,
    submissions: u64,
}

/// Submissions under way before the oldest is waited for.
const IN_FLIGHT: usize = 2;

impl<E: Engine> Trainer<E> {
    /// A loop over an engine, from wherever it stands.
    pub fn new(engine: E) -> Self {
        Self { engine, pace: Pace::new(MOST_STEPS), submissions: 0 }
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
        Ok(Self::new(engine))
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
        let mut in_flight = VecDeque::with_capacity(IN_FLIGHT);
        let mut stopwatch = Stopwatch::start();
        let mut outcome = Ok(());
        while !in_flight.is_empty() || (left > 0 && outcome.is_ok()) {
            if left > 0 && outcome.is_ok() && in_flight.len() < IN_FLIGHT {
                let some = left.min(self.pace.next());
                let submitted = Moment::now();
                outcome = self.submit(some);
                if outcome.is_ok() {
                    in_flight.push_back((some, self.engine.last_step(), submitted));
                }
                left -= some;
                continue;
            }
            // After an error too: what is in flight now must not be taken for the next call's.
            let gpu_time = self.engine.gpu_time();
            let collected = self.engine.collect().await;
            if let Some((count, last, submitted)) = in_flight.pop_front() {
                let took = stopwatch.done(submitted);
                // Steps after training stopped cost next to nothing, and tell nothing.
                let is_last = |record: &Record| record.step == last;
                if collected.as_ref().is_ok_and(|records| records.last().is_some_and(is_last)) {
                    self.learn(count, took, gpu_time);
                }
            }
            match collected {
                Ok(records) => records.into_iter().for_each(&mut take),
                Err(error) => outcome = outcome.and(Err(error)),
            }
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

    /// Takes note of how long a submission took: the longer of what the host's and the GPU's clocks say, since the host's
    /// may be as coarse as a browser makes it, and the GPU's may stand still or be missing.
    fn learn(&mut self, count: usize, took: Duration, gpu_time: Option<Duration>) {
        let gpu_took = self.engine.gpu_time().zip(gpu_time);
        let gpu_took =
            gpu_took.map_or(Duration::ZERO, |(after, before)| after.saturating_sub(before));
        self.pace.learn(count, took.max(gpu_took));
    }

    /// Submissions made so far.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn submissions(&self) -> u64 {
        self.submissions
    }

    fn submit(&mut self, count: usize) -> Result<()> {
        let next = self.engine.last_step() + 1;
        let numbers = next..next.saturating_add(count as u64);
        let steps: Vec<Step> = numbers.map(|number| self.step(number)).collect();
        self.submissions += 1;
        self.engine.submit(&steps)
    }

    /// Makes this many epochs and returns the records of their steps.
    ///
    /// # Errors
    /// Those of [`steps`](Self::steps).
    pub async fn epochs(&mut self, count: usize) -> Result<Vec<Record>> {
        self.steps(count.saturating_mul(self.steps_per_epoch())).await
    }

    /// Makes epochs, this many at most, and shows the records of each to `look`, which may break off. Returns how many were made.
    ///
    /// The GPU waits while `look` does. What it cannot ask for, such as [metrics](Self::evaluate) or a [file](Self::save), is to be had
    /// between two calls of [`epochs`](Self::epochs).
    ///
    /// ```
    /// use awl::*;
    /// use std::ops::ControlFlow;
    /// # pollster::block_on(async {
    /// # let x = Matrix::new(1, vec![-1.0, 0.0, 1.0])?;
    /// # let data = Dataset::new(x.clone(), vec![Target::numbers(x)])?;
    /// # let network = Network::new(1, &[], Activation::Tanh, &[Task::new("same", Loss::Mse, 1)])?;
    /// # let recipe = Recipe::new(network, AutomaticWeightedLoss::new(1), Adam::new(0.1));
    /// # let mut trainer = Trainer::new(engine::Reference::new(recipe, data)?);
    /// let made = trainer
    ///     .each_epoch(500, |epoch, records| {
    ///         let loss = records[0].tasks[0].loss.unwrap_or_default();
    ///         println!("epoch {epoch}: loss {loss:.4}");
    ///         if loss < 0.01 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    ///     })
    ///     .await?;
    /// assert!(made < 500);
    /// # Ok::<(), Error>(()) })?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`steps`](Self::steps).
    pub async fn each_epoch(
        &mut self,
        most: usize,
        mut look: impl FnMut(usize, &[Record]) -> ControlFlow<()>,
    ) -> Result<usize> {
        for epoch in 1..=most {
            let records = self.epochs(1).await?;
            if look(epoch, &records).is_break() {
                return Ok(epoch);
            }
        }
        Ok(most)
    }

    /// How good the network, of a fleet the first, is on other rows: [`evaluate_by`](Self::evaluate_by).
    ///
    /// # Errors
    /// The same.
    pub async fn evaluate(&mut self, data: &Dataset) -> Result<Vec<Option<TaskMetrics>>> {
        self.evaluate_by(0, data).await
    }

    /// How good a member's network is on other rows, task by task; `None` for a task without a label there.
    ///
    /// # Errors
    /// Those of [`Engine::predict_by`] and [`metrics`](crate::train::metrics).
    pub async fn evaluate_by(
        &mut self,
        member: usize,
        data: &Dataset,
    ) -> Result<Vec<Option<TaskMetrics>>> {
        let predictions = self.engine.predict_by(member, data.features()).await?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Matrix;
    use crate::engine::{Answer, Recipe};
    use crate::error::Error;
    use crate::loss::{Loss, Task};
    use crate::network::{Activation, Network};
    use crate::optimizer::Adam;
    use crate::weighting::AutomaticWeightedLoss;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    /// An engine that makes no steps and says how long they took: 0.1 ms each up to step 1,000, 8 ms each from there on.
    struct Clocked {
        recipe: Recipe,
        flights: VecDeque<Vec<Step>>,
        submitted: u64,
        spent: Duration,
        most_in_flight: usize,
        sizes: Vec<usize>,
    }

    const SLOW_FROM: u64 = 1_000;

    fn cost(step: u64) -> Duration {
        Duration::from_micros(if step < SLOW_FROM { 100 } else { 8_000 })
    }

    impl Engine for Clocked {
        fn name(&self) -> &'static str {
            "clocked"
        }

        fn recipes(&self) -> &[Recipe] {
            std::slice::from_ref(&self.recipe)
        }

        fn rows(&self) -> usize {
            1_000
        }

        fn submit(&mut self, steps: &[Step]) -> Result<()> {
            self.sizes.push(steps.len());
            self.submitted += steps.len() as u64;
            self.flights.push_back(steps.to_vec());
            self.most_in_flight = self.most_in_flight.max(self.flights.len());
            Ok(())
        }

        fn collect(&mut self) -> Answer<'_, Vec<Record>> {
            let steps = self.flights.pop_front().unwrap_or_default();
            self.spent += steps.iter().map(|step| cost(step.number)).sum::<Duration>();
            let record = |step: &Step| Record {
                member: 0,
                step: step.number,
                total: 0.0,
                tasks: Vec::new(),
            };
            let records = steps.iter().map(record).collect();
            Box::pin(async move { Ok(records) })
        }

        fn failure(&self, _: usize) -> Option<Error> {
            None
        }

        fn rest(&mut self, _: usize) {
            unreachable!("nobody lets it rest")
        }

        fn wake(&mut self, _: usize) {}

        fn rests(&self, _: usize) -> bool {
            false
        }

        fn predict_by<'a>(&'a mut self, _: usize, _: &'a Matrix) -> Answer<'a, Matrix> {
            unreachable!("nobody predicts")
        }

        fn hold_out<'a>(&'a mut self, _: &'a Dataset) -> Answer<'a, ()> {
            unreachable!("nobody holds rows out")
        }

        fn validate_members(&mut self) -> Answer<'_, Vec<Vec<Option<f64>>>> {
            unreachable!("nobody validates")
        }

        fn states_of<'a>(&'a mut self, _: &'a [usize]) -> Answer<'a, Vec<State>> {
            unreachable!("nobody asks for the state")
        }

        fn load_into(&mut self, _: usize, _: &State) -> Result<()> {
            unreachable!("nobody loads a state")
        }

        fn last_step(&self) -> u64 {
            self.submitted
        }

        fn gpu_time(&self) -> Option<Duration> {
            Some(self.spent)
        }
    }

    #[test]
    fn submissions_stay_within_the_bound_by_the_engines_clock() {
        let tasks = [Task::new("value", Loss::Mse, 1)];
        let network = Network::new(1, &[], Activation::Relu, &tasks).expect("a network");
        let recipe = Recipe::new(network, AutomaticWeightedLoss::new(1), Adam::new(1e-3));
        let engine = Clocked {
            recipe,
            flights: VecDeque::new(),
            submitted: 0,
            spent: Duration::ZERO,
            most_in_flight: 0,
            sizes: Vec::new(),
        };
        let mut trainer = Trainer::new(engine);
        let mut numbers = Vec::new();
        {
            let future = pin!(trainer.each_step(5_000, |record| numbers.push(record.step)));
            match future.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(made) => made.expect("steps"),
                Poll::Pending => unreachable!("nothing is waited for"),
            }
        }
        assert!(numbers.into_iter().eq(1..=5_000), "every step, once, in order");
        let made = trainer.submissions();
        let engine = trainer.into_engine();
        assert_eq!((engine.sizes.len() as u64, engine.most_in_flight), (made, IN_FLIGHT));
        let (mut next, mut before) = (1, 1);
        let mut over = 0;
        for &size in &engine.sizes {
            assert!(size <= MOST_STEPS && size <= 2 * before, "{:?}", engine.sizes);
            let took: Duration = (next..next + size as u64).map(cost).sum();
            over += usize::from(took > Pace::BOUND);
            (next, before) = (next + size as u64, size);
        }
        // Only what was on its way, or had begun, when steps became eighty times as slow.
        assert!(over <= IN_FLIGHT + 1, "{over}: {:?}", engine.sizes);
    }
}
