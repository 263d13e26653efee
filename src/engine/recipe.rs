//! Everything that determines a run, apart from the data.

use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::network::Network;
use crate::optimizer::{Adam, Schedule, check_clip, check_clip_single};
use crate::weighting::{Kind, Weighting};

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
    /// Seed of the initial parameters, of the order of the rows and of dropout.
    pub seed: u64,
}

impl Recipe {
    /// A recipe with a constant learning rate, no clipping, shuffled batches of 32 rows and seed 0; change the fields as you like.
    pub fn new(network: Network, weighting: impl Into<Weighting>, optimizer: Adam) -> Self {
        Self {
            network,
            weighting: weighting.into(),
            optimizer,
            schedule: Schedule::constant(),
            clip: None,
            batch: 32,
            shuffle: true,
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
