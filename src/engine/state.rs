//! The training state: all that changes while training, exact for every engine.

use super::recipe::Recipe;
use crate::data::step_key;
use crate::error::{Error, Result};
use crate::weighting::MEMORY;

/// Parameters, σ and the optimizer's moments after some number of steps.
///
/// Numbers are `f64`, which holds the GPU's `f32` and the reference's `f64` alike, so that saving and
/// loading a state changes no bit. Slices over the network's parameters are flat, each tensor at its range
/// of [`Network::tensors`](crate::Network::tensors).
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Number of steps made.
    pub step: u64,
    /// The network's parameters.
    pub parameters: Vec<f64>,
    /// Adam's moments `[m, v]` of each of the network's parameters.
    pub moments: Vec<[f64; 2]>,
    /// The weighting's parameter of each task, shape `[tasks]`: what the scheme learns, such as σ or `ln σ²`
    /// ([`Weighting::sigma`](crate::Weighting::sigma) tells σ), or the task's weight.
    pub sigma: Vec<f64>,
    /// Adam's moments `[m, v]` of each of these parameters.
    pub sigma_moments: Vec<[f64; 2]>,
    /// Adam's bias corrections `[1 − β₁ⁿ, 1 − β₂ⁿ]` of each task's σ, where n counts the steps in which
    /// the task had a label: like PyTorch's optimizer for a parameter without a gradient, a σ whose task
    /// has no label in a batch is left alone.
    pub sigma_corrections: Vec<[f64; 2]>,
    /// What the weighting keeps of each task from step to step ([`Scheme`](crate::weighting::Scheme)).
    pub memory: Vec<[f64; MEMORY]>,
}

impl State {
    /// The state before the first step: parameters from the recipe's seed, σ where the weighting starts it.
    pub fn initial(recipe: &Recipe) -> Self {
        let parameters = recipe.network.initial_parameters(recipe.seed);
        let (sigma, memory) = recipe.weighting.begin(step_key(recipe.seed, 0));
        Self {
            step: 0,
            moments: vec![[0.0; 2]; parameters.len()],
            parameters: parameters.into_iter().map(f64::from).collect(),
            sigma_moments: vec![[0.0; 2]; sigma.len()],
            sigma_corrections: vec![[0.0; 2]; sigma.len()],
            sigma,
            memory,
        }
    }

    /// Checks that the state belongs to this recipe's network, and that training can have made its numbers.
    pub(crate) fn check(&self, recipe: &Recipe) -> Result<()> {
        let parameters = recipe.network.parameter_count();
        let tasks = recipe.network.tasks().len();
        let lengths = [
            ("parameters", self.parameters.len(), parameters),
            ("moments", self.moments.len(), parameters),
            ("sigma", self.sigma.len(), tasks),
            ("sigma_moments", self.sigma_moments.len(), tasks),
            ("sigma_corrections", self.sigma_corrections.len(), tasks),
            ("memory", self.memory.len(), tasks),
        ];
        for (what, found, expected) in lengths {
            if found != expected {
                return Err(Error::Mismatch {
                    what: format!("the state's {what}"),
                    unit: "entries",
                    found,
                    expected,
                    why: "the recipe's network".into(),
                });
            }
        }
        let steps = self.step < u64::from(u32::MAX);
        let finite = self.numbers().all(|value| value.is_finite());
        let mut parameters = self.sigma.iter().enumerate();
        let fault = parameters.find_map(|(k, &parameter)| recipe.weighting.fault(k, parameter));
        let squares = self.moments.iter().chain(&self.sigma_moments).all(|[_, v]| *v >= 0.0);
        let mut corrections = self.sigma_corrections.iter().flatten();
        let corrections = corrections.all(|c| (0.0..=1.0).contains(c));
        let conditions = [
            (steps, "a step number beyond what the kernels count"),
            (finite, "a number that is not finite"),
            (fault.is_none(), fault.unwrap_or_default()),
            (squares, "a second moment below 0"),
            (corrections, "a bias correction outside [0, 1]"),
        ];
        Self::require(&conditions)
    }

    /// Checks that every number keeps its meaning in `f32`, for engines that compute in it.
    pub(crate) fn check_single(&self, recipe: &Recipe) -> Result<()> {
        let finite = self.numbers().all(|&value| (value as f32).is_finite());
        let single = |(task, &parameter): (usize, &f64)| {
            recipe.weighting.fault(task, (parameter as f32).into())
        };
        let fault = self.sigma.iter().enumerate().find_map(single);
        Self::require(&[
            (finite, "a number beyond the range of f32"),
            (fault.is_none(), "a σ too small for f32"),
        ])
    }

    fn require(conditions: &[(bool, &str)]) -> Result<()> {
        match conditions.iter().find(|(holds, _)| !holds) {
            Some((_, what)) => Err(Error::invalid(
                format!("the state holds {what}"),
                "load a state that this engine made",
            )),
            None => Ok(()),
        }
    }

    fn numbers(&self) -> impl Iterator<Item = &f64> {
        let pairs = [&self.moments, &self.sigma_moments, &self.sigma_corrections];
        let pairs = pairs.into_iter().flatten().flatten();
        self.parameters.iter().chain(&self.sigma).chain(pairs).chain(self.memory.iter().flatten())
    }
}
