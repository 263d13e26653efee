//! What a weighting scheme is: one file each, all of which the registry lists.

use super::gradients::AtStep;
use crate::error::Result;
use std::fmt::Debug;

/// Numbers that a scheme may keep of each task from step to step, beside its parameter.
pub const MEMORY: usize = 4;
/// The most settings of a scheme.
pub(crate) const MOST_SETTINGS: usize = 4;
/// What a smaller loss is taken for, where a scheme divides by it or takes its logarithm: a batch that is answered exactly stops no
/// training.
pub const LEAST_LOSS: f64 = 1e-8;

/// When a scheme knows its weights, and what that costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Before the step: from a parameter of each task, given or learned. Costs nothing.
    Parameter,
    /// From the losses of the step's batch: another forward pass over it, since a fused pass has its weights before its losses.
    Losses,
    /// From the gradients of the tasks for the parameters that they share: a backward pass through the shared layers a task.
    Gradients,
}

/// What a task's parameter stands for, and by which formula it becomes a weight: the kernels' number of it
/// (`shaders/shared/weighting.wgsl`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The weight itself, which nothing learns.
    Weight = 0,
    /// σ of the automatic weighted loss, learned.
    Sigma = 1,
    /// `ln σ²` of it, learned.
    LogSigma = 2,
    /// `s = ln σ²` of Kendall's uncertainty, learned.
    LogVariance = 3,
    /// The logarithm of the weight, learned: IMTL-L's `s`.
    LogWeight = 4,
    /// The weight of the gradient of the parameters that all tasks share, which the scheme finds; what a task has alone, its head,
    /// follows its own loss.
    OfTrunk = 5,
}

impl Form {
    /// Whether the optimizer learns the parameter.
    pub fn is_learned(self) -> bool {
        !matches!(self, Self::Weight | Self::OfTrunk)
    }

    /// The parameter at which the weight is 1.
    pub fn unit(self) -> f32 {
        match self {
            Self::Weight | Self::OfTrunk => 1.0,
            Self::Sigma => std::f32::consts::FRAC_1_SQRT_2,
            Self::LogSigma | Self::LogVariance => -std::f32::consts::LN_2,
            Self::LogWeight => 0.0,
        }
    }
}

/// A number that a user may set of a scheme.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Its name, as users write it.
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// Its value if nothing is said, that of the paper or its authors' code.
    pub default: f64,
    /// The least and the greatest value.
    pub range: [f64; 2],
}

/// A task's part of a step, as a scheme sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TaskStep {
    /// The mean loss of the batch before the step; `None` without a label.
    pub loss: Option<f64>,
    /// The task's weight, where the form is [`Form::Weight`].
    pub weight: f64,
    /// What the scheme keeps of the task.
    pub memory: [f64; MEMORY],
}

impl TaskStep {
    /// The loss, at least [`LEAST_LOSS`].
    pub fn positive_loss(&self) -> Option<f64> {
        self.loss.map(|loss| loss.max(LEAST_LOSS))
    }
}

/// What a scheme may know of a step beside its tasks.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// The values of [`Scheme::settings`].
    pub settings: &'a [f64],
    /// The step's number, from 1; 0 before the first.
    pub step: u64,
    /// Whether the step is the last of its epoch.
    pub ends_epoch: bool,
    /// The key of what is drawn at random after the step.
    pub key: [u32; 2],
}

/// A weighting scheme: its names, its settings and its formulas, in `f64`. It holds no numbers itself: settings are in the
/// [`Weighting`](super::Weighting), parameters and memory in the training state.
///
/// Every method but the first four has a body for the schemes to which it does not apply. A scheme whose parameter is learned by
/// the optimizer has `form`, `weight`, `regulariser` and `gradient`, task by task; one that finds its weights itself has `weigh`,
/// before a step, from the losses of its batch, or `after`, from those of steps that were made.
pub trait Scheme: Debug + Sync {
    /// The name that users write.
    fn name(&self) -> &'static str;

    /// What it does, in a line.
    fn summary(&self) -> &'static str;

    /// The paper, or where else the formula is from.
    fn source(&self) -> &'static str;

    /// When it knows its weights.
    fn kind(&self) -> Kind;

    /// What can be set.
    fn settings(&self) -> &'static [Setting] {
        &[]
    }

    /// What the parameter of a task stands for.
    fn form(&self, _settings: &[f64]) -> Form {
        match self.kind() {
            Kind::Gradients => Form::OfTrunk,
            _ => Form::Weight,
        }
    }

    /// Where a task starts, in the unit in which users say it: σ, a weight.
    fn start(&self, _settings: &[f64]) -> f32 {
        1.0
    }

    /// The parameter of a task that starts there; `classes`: its loss is a likelihood of classes, not a distance of numbers.
    fn parameter(&self, _settings: &[f64], start: f32, _classes: bool) -> f32 {
        start
    }

    /// What is wrong with a start, and the remedy.
    fn problem(&self, _settings: &[f64], start: f32) -> Option<(String, String)> {
        let is_weight = start.is_finite() && start >= 0.0;
        (!is_weight)
            .then(|| (format!("its weight is {start}"), "give a finite weight of 0 or more".into()))
    }

    /// Checks settings beyond their ranges.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) with the remedy.
    fn check(&self, _settings: &[f64]) -> Result<()> {
        Ok(())
    }

    /// What is wrong with a parameter that training is to go on from, if no training makes it.
    fn fault(&self, _settings: &[f64], _parameter: f64) -> Option<&'static str> {
        None
    }

    /// The least that training lets a parameter be, if there is one.
    fn least(&self, _settings: &[f64]) -> Option<f64> {
        None
    }

    /// σ, the standard deviation of the task's noise or what the scheme calls so, at this parameter; `classes` as in
    /// [`parameter`](Self::parameter).
    fn sigma(&self, _settings: &[f64], _parameter: f64, _classes: bool) -> Option<f64> {
        None
    }

    /// Where σ would come to rest at this loss.
    fn rest(&self, _settings: &[f64], _loss: f64, _classes: bool) -> Option<f64> {
        None
    }

    /// The variance of the noise that a squared error's parameter stands for: the loss at which it would rest, where that is what the
    /// scheme means by it.
    fn noise_variance(&self, _settings: &[f64], _parameter: f64) -> Option<f64> {
        None
    }

    /// A task's weight `∂total/∂L` at this parameter.
    fn weight(&self, _settings: &[f64], parameter: f64) -> f64 {
        parameter
    }

    /// What a task adds to the total beside its weighted loss.
    fn regulariser(&self, _settings: &[f64], _parameter: f64) -> f64 {
        0.0
    }

    /// The total's gradient for a task's parameter at this loss.
    fn gradient(&self, _settings: &[f64], _loss: f64, _parameter: f64) -> f64 {
        0.0
    }

    /// Whether a loss below 0 has no meaning to the scheme: it takes no task whose loss may be, and training stops at one.
    fn needs_positive_losses(&self) -> bool {
        false
    }

    /// The weights of a step from the losses of its batch, of a scheme of [`Kind::Losses`]; of a task without a label 0.
    fn weigh(&self, _moment: &Moment<'_>, _tasks: &[TaskStep]) -> Option<Vec<f64>> {
        None
    }

    /// The weights of tasks of which each has a gradient, of a scheme of [`Kind::Gradients`]; changes memory.
    fn combine(&self, _settings: &[f64], _at: &mut AtStep<'_>) -> Vec<f64> {
        Vec::new()
    }

    /// After a step that was made: changes weights, of a scheme of [`Kind::Parameter`], and memory.
    fn after(&self, _moment: &Moment<'_>, _tasks: &mut [TaskStep]) {}

    /// After that, with the losses of the same batch by the network as it has become: changes memory. Costs one more forward
    /// pass.
    fn follow(&self, _moment: &Moment<'_>, _tasks: &mut [TaskStep], _then: &[Option<f64>]) {}

    /// Whether there is a [`follow`](Self::follow).
    fn follows(&self) -> bool {
        false
    }

    /// The twins of these formulas in WGSL, on what `shaders/weighting/tasks.wgsl` gives them: functions of the scheme's name and
    /// `_weigh`, `_after` or `_follow`, each where the scheme has it.
    fn wgsl(&self) -> &'static str {
        ""
    }
}
