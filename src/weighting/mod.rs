//! How the task losses become one number: the weighting schemes.
//!
//! A scheme gives each task a weight `w = ∂total/∂L` and, where the weight is learned, a gradient for
//! the parameter that it is learned through. One file a scheme; the WGSL twins of the formulas are in
//! `shaders/shared/weighting.wgsl`. Knows nothing of networks or GPUs.

pub mod awl;
pub mod gradients;

pub use self::awl::{AutomaticWeightedLoss, SigmaForm};
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

    /// The parameter of each task that the kernels hold: where it is learned σ or `ln σ²` ([`SigmaForm`]), the weight
    /// where that is given.
    pub fn parameters(&self) -> &[f32] {
        match self {
            Self::Awl(awl) => awl.parameters(),
            Self::Fixed(weights) => weights,
        }
    }

    /// Whether the parameters are learned.
    pub fn is_learned(&self) -> bool {
        matches!(self, Self::Awl(_))
    }

    /// What is learned of σ, where it is learned.
    pub fn form(&self) -> Option<SigmaForm> {
        match self {
            Self::Awl(awl) => Some(awl.form()),
            Self::Fixed(_) => None,
        }
    }

    /// σ at this value of a task's parameter, where it is learned.
    pub fn sigma(&self, parameter: f64) -> Option<f64> {
        self.form().map(|form| form.sigma(parameter))
    }

    /// The number by which the kernels know the scheme (`shaders/shared/weighting.wgsl`).
    pub(crate) fn code(&self) -> u32 {
        match self.form() {
            None => 0,
            Some(SigmaForm::Plain) => 1,
            Some(SigmaForm::Log { .. }) => 2,
        }
    }

    /// A task's weight at this value of its parameter.
    pub fn weight(&self, parameter: f64) -> f64 {
        match self {
            Self::Awl(awl) => awl.form().weight(parameter),
            Self::Fixed(_) => parameter,
        }
    }

    /// What a task adds to the total beside its weighted loss.
    pub fn regulariser(&self, parameter: f64) -> f64 {
        match self {
            Self::Awl(awl) => awl.form().regulariser(parameter),
            Self::Fixed(_) => 0.0,
        }
    }

    /// The total's gradient for a task's parameter at this loss; 0 where the weight is given.
    pub fn parameter_gradient(&self, loss: f64, parameter: f64) -> f64 {
        match self {
            Self::Awl(awl) => awl.form().gradient(loss, parameter),
            Self::Fixed(_) => 0.0,
        }
    }

    /// Checks the scheme against the number of tasks.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for another number of parameters than tasks; [`Error::Invalid`] for a σ
    /// that is 0, not finite or below its floor, a floor that bounds no weight, or a weight that is negative or not finite.
    pub(crate) fn check(&self, tasks: &[impl AsRef<str>]) -> Result<()> {
        let values = match self {
            Self::Awl(awl) => awl.sigma(),
            Self::Fixed(weights) => weights,
        };
        if values.len() != tasks.len() {
            return Err(Error::Mismatch {
                what: "the weighting".into(),
                unit: "tasks",
                found: values.len(),
                expected: tasks.len(),
                why: "as many as the network's heads".into(),
            });
        }
        let floor = match self.form() {
            Some(SigmaForm::Log { floor }) => check_floor(floor)?,
            _ => 0.0,
        };
        for (&value, task) in values.iter().zip(tasks) {
            let task = task.as_ref();
            match self {
                Self::Awl(_) if !value.is_finite() || value == 0.0 => {
                    return Err(Error::invalid(
                        format!("task \"{task}\": σ starts at {value}"),
                        "start it at a finite number other than 0, such as 1",
                    ));
                }
                Self::Awl(_) if value.abs() < floor => {
                    return Err(Error::invalid(
                        format!("task \"{task}\": σ starts at {value}, below its floor of {floor}"),
                        "start it at the floor or above, or lower the floor",
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

/// The floor, if it keeps weights within `f32`.
fn check_floor(floor: f32) -> Result<f32> {
    let most = awl::weight(floor.into()) as f32;
    if floor > 0.0 && floor.is_finite() && most.is_finite() {
        return Ok(floor);
    }
    Err(Error::invalid(
        format!("σ has a floor of {floor}, at which a weight would be {most}"),
        format!("use a small number above 0, such as {}", SigmaForm::FLOOR),
    ))
}

impl From<AutomaticWeightedLoss> for Weighting {
    fn from(awl: AutomaticWeightedLoss) -> Self {
        Self::Awl(awl)
    }
}
