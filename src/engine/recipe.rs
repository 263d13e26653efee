//! Everything that determines a run, apart from the data.

use crate::data::{Bootstrap, Dataset, Permutation};
use crate::error::{Error, Result};
use crate::network::Network;
use crate::optimizer::{Adam, Schedule, check_clip, check_clip_single};
use crate::weighting::{Kind, Weighting};
use std::ops::Range;

/// What is trained, and how: network, weighting, optimizer and its schedule, batches, seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// The network.
    pub network: Network,
    /// The weighting scheme.
    pub weighting: Weighting,
    /// The optimizer.
    pub optimizer: Adam,
    /// How the learning rates change from step to step.
    pub schedule: Schedule,
    /// The norm at which a step's gradient is clipped, if it is: with g all of the network's gradients together, those of
    /// σ left out, each is multiplied by [`min(1, clip/(‖g‖₂ + 1e-6))`](crate::optimizer::clip_factor), as by PyTorch's
    /// `clip_grad_norm_`; L2 weight decay is added after. A norm that is not finite, on the GPU one beyond 1.8e19, stops
    /// training before that step.
    pub clip: Option<f64>,
    /// Rows a batch; the last batch of an epoch may be shorter.
    pub batch: usize,
    /// Whether every epoch visits the rows in a new random order.
    pub shuffle: bool,
    /// Whether the rows of an epoch are drawn with replacement, the same in every epoch ([`Bootstrap`](crate::data::Bootstrap)).
    pub bootstrap: bool,
    /// Seed of the initial parameters, of the order of the rows, of those drawn and of dropout.
    pub seed: u64,
}

impl Recipe {
    /// A recipe with a constant learning rate, no clipping, shuffled batches of 32 rows, each visited once an epoch, and seed 0; change
    /// the fields as you like. Learned weights of tasks whose loss predicts its own noise are [held](Weighting::holding).
    pub fn new(network: Network, weighting: impl Into<Weighting>, optimizer: Adam) -> Self {
        let weighting = weighting.into().holding(&own_noise(&network));
        Self {
            network,
            weighting,
            optimizer,
            schedule: Schedule::constant(),
            clip: None,
            batch: 32,
            shuffle: true,
            bootstrap: false,
            seed: 0,
        }
    }

    /// Checks the recipe by itself and against the data it is to be used on.
    ///
    /// # Errors
    /// [`Error::Invalid`] or [`Error::Mismatch`], naming the task or tensor; see
    /// [`Task::check_target`](crate::Task::check_target) for what is checked of the targets.
    pub fn check(&self, data: &Dataset) -> Result<()> {
        self.weighting.check(self.network.tasks())?;
        self.check_own_noise()?;
        if self.weighting.scheme().kind() == Kind::Gradients && self.network.hidden().is_empty() {
            return Err(Error::invalid(
                format!(
                    "the weighting {} weighs the gradients of shared layers, of which this network has none",
                    self.weighting.name()
                ),
                "give it a hidden layer, or use another weighting, such as awl",
            ));
        }
        self.optimizer.check()?;
        self.schedule.check()?;
        self.clip.map_or(Ok(()), check_clip)?;
        if u32::try_from(data.rows()).is_err() {
            return Err(Error::invalid(
                format!("the dataset has {} rows", data.rows()),
                format!("use at most {}", u32::MAX),
            ));
        }
        if self.batch == 0 {
            return Err(Error::invalid("the batch has 0 rows", "use a batch of at least 1"));
        }
        self.check_rows("the dataset", data)
    }

    /// Checks that the weighting takes losses that may be below 0, if there are any.
    fn check_own_noise(&self) -> Result<()> {
        let own = own_noise(&self.network);
        let named = |task: usize| {
            let task = &self.network.tasks()[task];
            format!("task \"{}\": its loss {} may be below 0", task.name, task.loss.name())
        };
        let Some(first) = own.iter().position(|own| *own) else { return Ok(()) };
        let name = self.weighting.name();
        if self.weighting.scheme().needs_positive_losses() {
            return Err(Error::invalid(
                format!("{}, of which the weighting {name} makes nothing", named(first)),
                "use another weighting, such as equal, awl or upgrad, or a loss without a noise of its own, such as mse",
            ));
        }
        let is_free = |task: usize| own[task] && (!self.weighting.is_held(task) || task >= 32);
        match (0..own.len()).find(|&task| self.weighting.is_learned() && is_free(task)) {
            Some(task) if task >= 32 => Err(Error::invalid(
                format!("{}, and it is the task of number {}", named(task), task + 1),
                format!(
                    "with {name} name it among the first 32, or use a weighting that learns no parameters, such as equal"
                ),
            )),
            Some(task) => Err(Error::invalid(
                format!("{}, where {name} has no least total", named(task)),
                "hold its weight (Recipe::new does, or Weighting::holding), or use equal weights",
            )),
            None => Ok(()),
        }
    }

    /// The rows of a dataset of so many that lie at these positions of an epoch.
    pub(super) fn visited(&self, rows: usize, epoch: u64, positions: Range<usize>) -> Vec<u32> {
        let order = Permutation::new(rows as u32, self.seed, epoch);
        let draws = Bootstrap::new(rows as u32, self.seed);
        let at = |position: usize| {
            let position = position as u32;
            let row = if self.shuffle { order.row(position) } else { position };
            if self.bootstrap { draws.row(row) } else { row }
        };
        positions.map(at).collect()
    }

    /// Checks rows, to train on or others, against the network.
    pub(super) fn check_rows(&self, what: &str, data: &Dataset) -> Result<()> {
        let tasks = self.network.tasks();
        let (features, targets) = (data.features().columns(), data.targets().len());
        for (unit, found, expected, why) in [
            ("features", features, self.network.features(), "the network's inputs"),
            ("targets", targets, tasks.len(), "one a task"),
        ] {
            if found != expected {
                let (what, why) = (what.into(), why.into());
                return Err(Error::Mismatch { what, unit, found, expected, why });
            }
        }
        let mut pairs = tasks.iter().zip(data.targets());
        pairs.try_for_each(|(task, target)| task.check_target(target))
    }

    /// Checks that every number keeps its meaning in `f32`, for engines that compute in it.
    pub(super) fn check_single(&self) -> Result<()> {
        self.optimizer.check_single()?;
        self.clip.map_or(Ok(()), check_clip_single)
    }
}

/// Which tasks have a loss that predicts its own noise.
fn own_noise(network: &Network) -> Vec<bool> {
    network.tasks().iter().map(|task| task.loss.predicts_noise()).collect()
}
