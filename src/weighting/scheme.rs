//! What a weighting scheme is: one file each, all of which the registry lists.

use crate::error::Result;
use std::fmt::Debug;

/// When a scheme knows its weights, and what that costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Before the step: from a parameter of each task, given or learned. Costs nothing.
    Parameter,
    /// From the losses of the step's batch: another forward pass over it, since a fused pass has its weights before its losses.
    Losses,
    /// From the gradients that the tasks have at the shared layers.
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
}

impl Form {
    /// Whether the optimizer learns the parameter.
    pub fn is_learned(self) -> bool {
        self != Self::Weight
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

/// A weighting scheme: its names, its settings and its formulas, in `f64`. It holds no numbers itself: settings are in the
/// [`Weighting`](super::Weighting), parameters in the training state.
///
/// Every method but the first four has a body for the schemes to which it does not apply.
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
        Form::Weight
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
}
