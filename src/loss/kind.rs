//! The task losses: their names, what they predict, and their formulas in `f64`.
//!
//! Every loss is a sum over a row's columns, divided once by the task's [normaliser](Loss::row_weight),
//! so that the mean is taken over the *labelled* rows (and, for losses of numbers, over the columns), as
//! PyTorch's `reduction='mean'` does. The kernels' twin is `shaders/shared/losses.wgsl`.

use crate::error::{Error, Result};
use crate::nearest::nearest;
use serde::{Deserialize, Serialize};

/// A task's loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Mean squared error, `(p − t)²` (torch `MSELoss`).
    Mse,
    /// Mean absolute error, `|p − t|` (torch `L1Loss`); the gradient at 0 is 0.
    Mae,
    /// Huber's loss: `½d²` for `|d| ≤ δ`, else `δ(|d| − ½δ)`, `d = p − t` (torch `HuberLoss`).
    Huber {
        /// Where the parabola becomes a line; positive.
        delta: f32,
    },
    /// Binary cross-entropy on logits, a label a column (torch `BCEWithLogitsLoss`):
    /// `max(p, 0) − p·t + ln(1 + e^−|p|)`.
    Bce,
    /// Cross-entropy of a softmax on logits, one column a class (torch `CrossEntropyLoss`).
    CrossEntropy {
        /// Probability mass ε spread evenly over all classes; 0 for none.
        label_smoothing: f32,
        /// A weight a class; the mean is then weighted by them, as PyTorch's is.
        class_weights: Option<Vec<f32>>,
    },
}

impl Loss {
    /// Plain cross-entropy: no smoothing, no class weights.
    pub fn cross_entropy() -> Self {
        Self::CrossEntropy { label_smoothing: 0.0, class_weights: None }
    }

    /// Every loss, with the parameters that it has when none are given.
    pub fn all() -> [Self; 5] {
        [Self::Mse, Self::Mae, Self::Huber { delta: 1.0 }, Self::Bce, Self::cross_entropy()]
    }

    /// The name that users write.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Mse => "mse",
            Self::Mae => "mae",
            Self::Huber { .. } => "huber",
            Self::Bce => "bce",
            Self::CrossEntropy { .. } => "cross_entropy",
        }
    }

    /// Whether the target is a class index (else one number a column).
    pub fn predicts_class(&self) -> bool {
        matches!(self, Self::CrossEntropy { .. })
    }

    /// The number by which the kernels know the loss (`shaders/shared/losses.wgsl`).
    pub(crate) fn code(&self) -> u32 {
        match self {
            Self::Mse => 0,
            Self::Mae => 1,
            Self::Huber { .. } => 2,
            Self::Bce => 3,
            Self::CrossEntropy { .. } => 4,
        }
    }

    /// The loss's own parameter: Huber's δ, the label smoothing, else 0.
    pub(crate) fn parameter(&self) -> f32 {
        match self {
            Self::Huber { delta } => *delta,
            Self::CrossEntropy { label_smoothing, .. } => *label_smoothing,
            _ => 0.0,
        }
    }

    /// The class weights, if any.
    pub fn class_weights(&self) -> Option<&[f32]> {
        match self {
            Self::CrossEntropy { class_weights, .. } => class_weights.as_deref(),
            _ => None,
        }
    }

    /// What a labelled row adds to the normaliser that its task's sum is divided by: the row's
    /// class weight in cross-entropy, the number of columns in every other loss.
    pub fn row_weight(&self, width: usize, class: Option<u32>) -> f64 {
        match (self.class_weights(), class) {
            (Some(weights), Some(class)) => weights[class as usize].into(),
            (None, Some(_)) => 1.0,
            _ => width as f64,
        }
    }

    /// Loss and derivative for one column of numbers, not yet divided by the normaliser.
    ///
    /// Cross-entropy has no columns of its own: see [`class_row`](Self::class_row).
    pub fn element(&self, prediction: f64, target: f64) -> (f64, f64) {
        let difference = prediction - target;
        match self {
            Self::Mse => (difference * difference, 2.0 * difference),
            Self::Mae if difference == 0.0 => (0.0, 0.0),
            Self::Mae => (difference.abs(), difference.signum()),
            Self::Huber { delta } => {
                let delta = f64::from(*delta);
                if difference.abs() <= delta {
                    (0.5 * difference * difference, difference)
                } else {
                    (delta * (difference.abs() - 0.5 * delta), delta * difference.signum())
                }
            }
            Self::Bce => {
                let value =
                    prediction.max(0.0) - prediction * target + (-prediction.abs()).exp().ln_1p();
                let sigmoid = 1.0 / (1.0 + (-prediction).exp());
                (value, sigmoid - target)
            }
            Self::CrossEntropy { .. } => unreachable!("cross-entropy is taken a row at a time"),
        }
    }

    /// Cross-entropy of one row of logits, shape `[classes]`: returns the loss and writes the
    /// derivatives to `gradient`, neither divided by the normaliser.
    ///
    /// With weights `w` and smoothing ε: `(1−ε)·w_y·(−ln p_y) + ε/C·Σ_c w_c·(−ln p_c)`.
    pub fn class_row(&self, logits: &[f64], class: u32, gradient: &mut [f64]) -> f64 {
        let classes = logits.len();
        let weight = |c: usize| self.class_weights().map_or(1.0, |w| f64::from(w[c]));
        let smoothing = f64::from(self.parameter());
        let highest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let log_sum = highest + logits.iter().map(|z| (z - highest).exp()).sum::<f64>().ln();
        // The mass that the target puts on class c.
        let target = |c: usize| {
            let own = if c == class as usize { 1.0 - smoothing } else { 0.0 };
            weight(c) * (own + smoothing / classes as f64)
        };
        let mass: f64 = (0..classes).map(target).sum();
        let mut value = 0.0;
        for c in 0..classes {
            value += target(c) * (log_sum - logits[c]);
            gradient[c] = mass * (logits[c] - log_sum).exp() - target(c);
        }
        value
    }

    /// Checks the loss's own parameters for a task of this name and width.
    ///
    /// # Errors
    /// [`Error::Invalid`] or [`Error::Mismatch`], naming the task.
    pub(crate) fn check(&self, task: &str, width: usize) -> Result<()> {
        match self {
            Self::Huber { delta } if !(delta.is_finite() && *delta > 0.0) => Err(Error::invalid(
                format!("task \"{task}\": huber's delta is {delta}"),
                "use a positive number, such as 1",
            )),
            Self::CrossEntropy { label_smoothing, .. } if !(0.0..1.0).contains(label_smoothing) => {
                Err(Error::invalid(
                    format!("task \"{task}\": the label smoothing is {label_smoothing}"),
                    "use a number in [0, 1)",
                ))
            }
            Self::CrossEntropy { class_weights: Some(weights), .. } => {
                if weights.len() != width {
                    return Err(Error::Mismatch {
                        what: format!("the class weights of task \"{task}\""),
                        unit: "entries",
                        found: weights.len(),
                        expected: width,
                        why: "one a class".into(),
                    });
                }
                match weights.iter().find(|w| !w.is_finite() || **w < 0.0) {
                    Some(weight) => Err(Error::invalid(
                        format!("task \"{task}\": a class weight is {weight}"),
                        "use finite weights of 0 or more",
                    )),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}
impl std::str::FromStr for Loss {
    type Err = Error;

    /// The loss of this name, its own parameters as in [`all`](Self::all).
    ///
    /// ```
    /// assert_eq!("huber".parse::<awl::Loss>()?, awl::Loss::Huber { delta: 1.0 });
    /// assert!("hubert".parse::<awl::Loss>().unwrap_err().to_string().contains("did you mean \"huber\"?"));
    /// # Ok::<(), awl::Error>(())
    /// ```
    fn from_str(name: &str) -> Result<Self> {
        let names = Self::all().map(|loss| loss.name());
        Self::all().into_iter().find(|loss| loss.name() == name).ok_or_else(|| {
            let remedy = match nearest(name, names) {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => format!("use one of {}", names.join(", ")),
            };
            Error::invalid(format!("there is no loss \"{name}\""), remedy)
        })
    }
}
