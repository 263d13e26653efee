//! `f64` on the CPU, as plain as the formulas: the engine by which the others are judged.
//!
//! A step falls through three pieces, in the order in which a paper would write them:
//!
//! | piece | what it computes |
//! |---|---|
//! | [`pass`] | the network: predictions from features, and the gradient of every parameter from that of every prediction |
//! | [`objective`] | task losses, their weighted sum, and its gradient at every prediction and σ |
//! | [`update`] | Adam |
//! | [`rules`] | what the weighting scheme does besides |
//!
//! and what a run draws at random is in [`draws`].
//!
//! Nothing is tuned for speed, and nothing is shared with the kernels except the formulas of the rooms
//! below. Every quantity is an `f64`; the features, targets and starting parameters are `f32`, which an
//! `f64` holds exactly.

mod by_task;
mod draws;
mod gradients;
mod objective;
mod pass;
mod rules;
mod update;

use self::by_task::ByTask;
use self::draws::{Drops, drawn, order};
pub use self::gradients::Gradients;
use self::objective::Objective;
use self::pass::Pass;
use super::checks::{check_features, check_member, none_held_out};
use super::first_row::Search;
use super::outcome::{Failure, first_non_finite};
use super::recipe::Recipe;
use super::state::State;
use super::step::{Record, Step, TaskRecord};
use super::{Answer, Engine};
use crate::data::{Dataset, Matrix};
use crate::error::{Error, Result};
use crate::loss::Labels;

use crate::network::Network;
use crate::weighting::{Kind, MEMORY};
use std::collections::VecDeque;
use std::future::ready;

/// The reference engine.
///
/// ```
/// use awl::data::{Dataset, Matrix, Target};
/// use awl::engine::{Engine, Recipe, Reference, Step};
/// use awl::{Activation, Adam, AutomaticWeightedLoss, Loss, Network, Task};
///
/// let network = Network::new(1, &[], Activation::Relu, &[Task::new("y", Loss::Mse, 1)])?;
/// let recipe = Recipe::new(network, AutomaticWeightedLoss::new(1), Adam::new(1e-3));
/// let target = Target::numbers(Matrix::new(1, vec![2.0, 4.0])?);
/// let data = Dataset::new(Matrix::new(1, vec![1.0, 2.0])?, vec![target])?;
/// let mut engine = Reference::new(recipe, data)?;
/// engine.submit(&[Step { number: 1, epoch: 0, batch: 0, first: 0, rows: 2 }])?;
/// let records = pollster::block_on(engine.collect())?;
/// assert!(records[0].tasks[0].loss.is_some());
/// # Ok::<(), awl::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reference {
    recipe: Recipe,
    data: Dataset,
    held_out: Option<Dataset>,
    state: State,
    /// The number of the last step submitted, or of the state loaded since.
    submitted: u64,
    /// The records of each submission that has not been collected, oldest first; of the steps before training stopped.
    submissions: VecDeque<Vec<Record>>,
    /// Why training stopped, once it has.
    failure: Option<Failure>,
    rests: bool,
}

impl Reference {
    /// An engine at the recipe's initial state.
    ///
    /// # Errors
    /// Those of [`Recipe::check`].
    pub fn new(recipe: Recipe, data: Dataset) -> Result<Self> {
        recipe.check(&data)?;
        Ok(Self {
            state: State::initial(&recipe),
            recipe,
            data,
            held_out: None,
            submitted: 0,
            submissions: VecDeque::new(),
            failure: None,
            rests: false,
        })
    }

    /// The losses of a step's batch and every derivative of their total, at the current state and
    /// without changing it. Values that overflow are returned as they are.
    ///
    /// # Errors
    /// [`Invalid`](crate::Error::Invalid) for a step that [`submit`](Engine::submit) would refuse.
    pub fn gradients(&self, step: &Step) -> Result<Gradients> {
        Step::check_all(&[*step], &self.recipe, self.data.rows())?;
        Ok(self.differentiate(step).0)
    }

    /// The forward pass of a step's batch, with these parameters.
    fn look(&self, step: &Step, rows: &[usize], parameters: &[f64]) -> Pass {
        let network = &self.recipe.network;
        let features = rows.iter().flat_map(|&row| self.data.features().row(row));
        let features = features.copied().map(f64::from).collect();
        let drops = Drops::new(network.dropout(), self.recipe.seed, step.number);
        let drops = (network.dropout() > 0.0).then_some(&drops);
        Pass::forward(network, parameters, features, drops)
    }

    /// The objective of a step's batch at the predictions of a forward pass.
    fn objective(&self, rows: &[usize], sigma: &[f64], pass: &Pass) -> Objective {
        Objective::evaluate(&self.recipe, self.data.targets(), rows, sigma, &pass.predictions)
    }

    /// Forward, losses and weighting, backward; with the weights that a scheme finds from the losses, or without them, as
    /// `Err`, where it has none at these.
    fn differentiate(&self, step: &Step) -> (Gradients, Result<Found, ()>) {
        let network = &self.recipe.network;
        let rows = self.batch(step);
        let State { parameters, sigma, .. } = &self.state;
        let pass = self.look(step, &rows, parameters);
        let mut objective = self.objective(&rows, sigma, &pass);
        let losses = losses_of(&objective.tasks);
        let mut memory = self.state.memory.clone();
        let (found, parameters) = if by_gradients(&self.recipe) {
            // What a task has alone follows its own loss.
            let ones = vec![1.0; sigma.len()];
            let plain = self.objective(&rows, &ones, &pass).predictions;
            let by_task = ByTask::new(network, parameters, &pass, &plain);
            let gram = by_task.gram(self.recipe.weighting.is_at_representation());
            let found = rules::combine(&self.recipe, &mut memory, step, &gram, &losses);
            let weights = found.as_ref().map_or(&ones, |weights| weights);
            let parameters = by_task.combined(weights);
            objective = self.objective(&rows, weights, &pass);
            objective.predictions = plain;
            (found.map(Some), parameters)
        } else {
            let found = rules::weigh(&self.recipe, &self.state, step, self.data.rows(), &losses);
            if let Ok(Some(weights)) = &found {
                objective = self.objective(&rows, weights, &pass);
            }
            (found, pass.backward(network, parameters, &objective.predictions))
        };
        let gradients = Gradients {
            parameters,
            record: Record {
                member: 0,
                step: step.number,
                total: objective.total,
                tasks: objective.tasks,
            },
            sigma: objective.sigma,
            predictions: objective.predictions,
        };
        (gradients, found.map(|weights| Found { weights, memory }))
    }

    /// What the weighting scheme changes after a step that left this state.
    fn follow(&self, step: &Step, record: &Record, mut state: State) -> State {
        let (recipe, rows) = (&self.recipe, self.data.rows());
        let losses = losses_of(&record.tasks);
        rules::after(recipe, &mut state, step, rows, &losses);
        if recipe.weighting.scheme().follows() {
            let batch = self.batch(step);
            let pass = self.look(step, &batch, &state.parameters);
            let then = losses_of(&self.objective(&batch, &state.sigma, &pass).tasks);
            rules::follow(recipe, &mut state, step, rows, [&losses, &then]);
        }
        state
    }

    /// The mean loss of each task over these rows.
    fn losses(&self, data: &Dataset) -> Vec<Option<f64>> {
        let State { parameters, sigma, .. } = &self.state;
        let predictions = predict(&self.recipe.network, parameters, data.features());
        let rows: Vec<usize> = (0..data.rows()).collect();
        let objective =
            Objective::evaluate(&self.recipe, data.targets(), &rows, sigma, &predictions);
        losses_of(&objective.tasks)
    }

    /// The rows of the dataset that make up a batch.
    fn batch(&self, step: &Step) -> Vec<usize> {
        let positions = step.first..step.first + step.rows;
        let (rows, seed) = (self.data.rows(), self.recipe.seed);
        let visited = match self.recipe.shuffle {
            true => order(rows, seed, step.epoch, positions),
            false => positions.collect(),
        };
        match self.recipe.bootstrap {
            true => drawn(rows, seed, &visited),
            false => visited,
        }
    }

    /// Makes these steps, up to the first that stops training; their records.
    fn train(&mut self, steps: &[Step]) -> Vec<Record> {
        let mut records = Vec::with_capacity(steps.len());
        for step in steps {
            if self.failure.is_some() {
                break;
            }
            let (gradients, found) = self.differentiate(step);
            let number = step.number;
            let blame = first_non_finite(&gradients.record, |value| value);
            if let Some((task, value)) = blame {
                self.fail(Failure::Loss { step: number, task, value, first: None });
                break;
            }
            let Ok(found) = found else {
                self.fail(Failure::weights(number, &gradients.record));
                break;
            };
            let Some(mut state) = update::updated(&self.recipe, &self.state, &gradients) else {
                self.fail(Failure::Gradient { step: number, first: None });
                break;
            };
            state.sigma = found.weights.unwrap_or(state.sigma);
            state.memory = found.memory;
            self.state = self.follow(step, &gradients.record, state);
            records.push(gradients.record);
        }
        records
    }

    /// Stops training, at the row where it failed.
    fn fail(&mut self, failure: Failure) {
        let State { parameters, sigma, .. } = &self.state;
        let labels = Labels::pack(self.recipe.network.tasks(), self.data.targets()).ok();
        let first = labels.and_then(|labels| {
            let before = [&parameters[..], sigma];
            let rows = self.data.rows();
            let search = Search::new(&self.recipe, &failure, &labels, rows, before, |value| value)?;
            search.among(0, self.data.features().values())
        });
        self.failure = Some(failure.at_row(first));
    }
}

/// What a scheme found for a step.
struct Found {
    /// The weights, where it is the scheme that finds them.
    weights: Option<Vec<f64>>,
    /// What it keeps of each task.
    memory: Vec<[f64; MEMORY]>,
}

/// Predictions, shape `[rows, outputs]`, of a network with these parameters from features that have its number of columns.
pub(super) fn predictions(
    network: &Network,
    parameters: &[f64],
    features: &Matrix,
) -> Result<Matrix> {
    let predictions = predict(network, parameters, features);
    let predictions = predictions.into_iter().map(|prediction| prediction as f32);
    Matrix::new(network.outputs(), predictions.collect())
}

/// The same in `f64`, flat.
fn predict(network: &Network, parameters: &[f64], features: &Matrix) -> Vec<f64> {
    // A pass keeps every unit of its rows: of a block at a time.
    const BLOCK: usize = 1_024;
    let blocks = features.values().chunks(BLOCK * network.features());
    let of_block = |block: &[f32]| {
        let inputs = block.iter().copied().map(f64::from).collect();
        Pass::forward(network, parameters, inputs, None).predictions
    };
    blocks.flat_map(of_block).collect()
}

/// Whether a recipe's scheme weighs by the gradients of the tasks.
fn by_gradients(recipe: &Recipe) -> bool {
    recipe.weighting.scheme().kind() == Kind::Gradients
}

/// The losses of a step.
fn losses_of(tasks: &[TaskRecord]) -> Vec<Option<f64>> {
    tasks.iter().map(|task| task.loss).collect()
}

/// Nothing here waits: a submission is computed before [`submit`](Engine::submit) returns.
impl Engine for Reference {
    fn name(&self) -> &'static str {
        "reference"
    }

    fn recipes(&self) -> &[Recipe] {
        std::slice::from_ref(&self.recipe)
    }

    fn rows(&self) -> usize {
        self.data.rows()
    }

    fn submit(&mut self, steps: &[Step]) -> Result<()> {
        Step::check_all(steps, &self.recipe, self.data.rows())?;
        let Some(last) = steps.last() else {
            return Ok(());
        };
        if self.rests {
            return Ok(());
        }
        let records = self.train(steps);
        self.submissions.push_back(records);
        self.submitted = last.number;
        Ok(())
    }

    fn collect(&mut self) -> Answer<'_, Vec<Record>> {
        let records = self.submissions.pop_front().unwrap_or_default();
        let outcome = match self.failure {
            Some(failure) if records.is_empty() => Err(failure.error(&self.recipe)),
            _ => Ok(records),
        };
        Box::pin(ready(outcome))
    }

    fn failure(&self, member: usize) -> Option<Error> {
        // Known to the caller once the records before it are.
        let told = member == 0 && self.submissions.is_empty();
        self.failure.filter(|_| told).map(|failure| failure.error(&self.recipe))
    }

    fn rest(&mut self, member: usize) {
        self.rests |= member == 0;
    }

    fn wake(&mut self, member: usize) {
        self.rests &= member != 0;
    }

    fn rests(&self, member: usize) -> bool {
        member == 0 && self.rests
    }

    fn predict_by<'a>(&'a mut self, member: usize, features: &'a Matrix) -> Answer<'a, Matrix> {
        let network = &self.recipe.network;
        let checked = check_member(member, 1).and_then(|()| check_features(network, features));
        if let Err(error) = checked {
            return Box::pin(ready(Err(error)));
        }
        Box::pin(ready(predictions(network, &self.state.parameters, features)))
    }

    fn hold_out<'a>(&'a mut self, rows: &'a Dataset) -> Answer<'a, ()> {
        let checked = self.recipe.check_rows("the rows held out", rows);
        if checked.is_ok() {
            self.held_out = Some(rows.clone());
        }
        Box::pin(ready(checked))
    }

    fn validate_members(&mut self) -> Answer<'_, Vec<Vec<Option<f64>>>> {
        let losses = |rows: &Dataset| match self.rests {
            true => vec![Vec::new()],
            false => vec![self.losses(rows)],
        };
        Box::pin(ready(self.held_out.as_ref().map(losses).ok_or_else(none_held_out)))
    }

    fn states_of<'a>(&'a mut self, members: &'a [usize]) -> Answer<'a, Vec<State>> {
        let state = |&member: &usize| check_member(member, 1).map(|()| self.state.clone());
        Box::pin(ready(members.iter().map(state).collect()))
    }

    fn load_into(&mut self, member: usize, state: &State) -> Result<()> {
        check_member(member, 1)?;
        state.check(&self.recipe)?;
        self.rests = false;
        self.state = state.clone();
        self.submitted = state.step;
        self.submissions.clear();
        self.failure = None;
        Ok(())
    }

    fn last_step(&self) -> u64 {
        self.submitted
    }
}
