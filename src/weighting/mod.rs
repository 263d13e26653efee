//! How the task losses become one number: the weighting schemes.
//!
//! A scheme gives each task a weight `w = ∂total/∂L` and, where the weight is learned, a gradient for
//! the parameter that it is learned through. One file a scheme; the WGSL twins of the formulas are in
//! `shaders/shared/weighting.wgsl`. Knows nothing of networks or GPUs.

pub mod awl;

pub use self::awl::AutomaticWeightedLoss;
use crate::error::{Error, Result};

/// A weighting scheme with its starting point, for a known number of tasks.
#[derive(Clone, Debug, PartialEq)]
pub enum Weighting {
    /// Learned: `Σ 0.5/σᵢ²·Lᵢ + ln(1+σᵢ²)`; see [`awl`].
    Awl(AutomaticWeightedLoss),
    /// Given: `Σ wᵢ·Lᵢ`, one weight a task.
    Fixed(Vec<f32>),
}

impl Weighting {
    /// The plain sum of `tasks` losses: every weight 1.
    pub fn equal(tasks: usize) -> Self {
        Self::Fixed(vec![1.0; tasks])
    }

    /// The name that users write: `awl`, `equal` or `fixed`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Awl(_) => "awl",
            Self::Fixed(weights) if weights.iter().all(|w| *w == 1.0) => "equal",
            Self::Fixed(_) => "fixed",
        }
    }

    /// The parameter of each task that the kernels hold: σ where it is learned, the weight where it is given.
    pub fn parameters(&self) -> &[f32] {
        match self {
            Self::Awl(awl) => awl.sigma(),
            Self::Fixed(weights) => weights,
        }
    }

    /// Whether the parameters are learned.
    pub fn is_learned(&self) -> bool {
        matches!(self, Self::Awl(_))
    }

    /// The number by which the kernels know the scheme (`shaders/shared/weighting.wgsl`).
    pub(crate) fn code(&self) -> u32 {
        match self {
            Self::Fixed(_) => 0,
            Self::Awl(_) => 1,
        }
    }

    /// A task's weight at this value of its parameter.
    pub fn weight(&self, parameter: f64) -> f64 {
        match self {
            Self::Awl(_) => awl::weight(parameter),
            Self::Fixed(_) => parameter,
        }
    }

    /// What a task adds to the total beside its weighted loss.
    pub fn regulariser(&self, parameter: f64) -> f64 {
        match self {
            Self::Awl(_) => awl::regulariser(parameter),
            Self::Fixed(_) => 0.0,
        }
    }

    /// The total's gradient for a task's parameter at this loss; 0 where the weight is given.
    pub fn parameter_gradient(&self, loss: f64, parameter: f64) -> f64 {
        match self {
            Self::Awl(_) => awl::sigma_gradient(loss, parameter),
            Self::Fixed(_) => 0.0,
        }
    }

    /// Checks the scheme against the number of tasks.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for another number of parameters than tasks; [`Error::Invalid`] for a σ
    /// that is 0 or not finite, or a weight that is negative or not finite.
    pub(crate) fn check(&self, tasks: &[impl AsRef<str>]) -> Result<()> {
        if self.parameters().len() != tasks.len() {
            return Err(Error::Mismatch {
                what: "the weighting".into(),
                unit: "tasks",
                found: self.parameters().len(),
                expected: tasks.len(),
                why: "as many as the network's heads".into(),
            });
        }
        for (&value, task) in self.parameters().iter().zip(tasks) {
            let task = task.as_ref();
            match self {
                Self::Awl(_) if !value.is_finite() || value == 0.0 => {
                    return Err(Error::invalid(
                        format!("task \"{task}\": σ starts at {value}"),
                        "start it at a finite number other than 0, such as 1",
                    ));
                }
                Self::Fixed(_) if !value.is_finite() || value < 0.0 => {
                    return Err(Error::invalid(
                        format!("task \"{task}\": its weight is {value}"),
                        "give a finite weight of 0 or more",
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl From<AutomaticWeightedLoss> for Weighting {
    fn from(awl: AutomaticWeightedLoss) -> Self {
        Self::Awl(awl)
    }
}
