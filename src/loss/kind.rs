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
    /// The quantile (pinball) loss, `max(q·(t − p), (1 − q)·(p − t))` (Koenker & Bassett, *Regression quantiles*, 1978; twice
    /// that at q = ½ is `mae`), whose best answer is the number below which a label lies with probability q; the gradient at 0
    /// is 0.
    Quantile {
        /// q, between 0 and 1.
        quantile: f32,
    },
    /// Half the Poisson deviance of counts `t ≥ 0`, where `p` is the logarithm of the expected count:
    /// `e^p − t·p + t·ln t − t` (torch `PoissonNLLLoss` plus what does not depend on p, so that it is never negative, as
    /// learned weights need).
    Poisson,
    /// The negative log-likelihood of a normal distribution without its constant, `½(s + d²e⁻ˢ)`, `d = p − t`, where the head predicts
    /// the mean `p` and `s = ln variance` of every column (torch `GaussianNLLLoss`): noise that depends on the input (Kendall & Gal,
    /// *What Uncertainties Do We Need in Bayesian Deep Learning for Computer Vision?*, 2017, eq. 8). May be below 0.
    GaussianNll {
        /// β of Seitzer et al., *On the Pitfalls of Heteroscedastic Uncertainty Estimation with Probabilistic Neural Networks* (2022),
        /// from 0 to 1: gradients are multiplied by the variance to the power of β, so that rows that are explained badly are not
        /// neglected. 0 is the plain likelihood, 1 has the gradient of `mse` at the mean. The loss's value is the plain one.
        beta: f32,
    },
    /// The same of a Laplace distribution, `s + |d|e⁻ˢ` where `s = ln b`, b the mean of `|d|`: for noise with far outliers. May be
    /// below 0.
    LaplaceNll,
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

    /// Whether it is a likelihood of classes, not a distance of numbers.
    pub fn is_of_classes(&self) -> bool {
        matches!(self, Self::Bce | Self::CrossEntropy { .. })
    }

    /// Every loss, with the parameters that it has when none are given.
    pub fn all() -> [Self; 9] {
        [
            Self::Mse,
            Self::Mae,
            Self::Huber { delta: 1.0 },
            Self::Quantile { quantile: 0.5 },
            Self::Poisson,
            Self::Bce,
            Self::cross_entropy(),
            Self::GaussianNll { beta: 0.0 },
            Self::LaplaceNll,
        ]
    }

    /// The name that users write.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Mse => "mse",
            Self::Mae => "mae",
            Self::Huber { .. } => "huber",
            Self::Quantile { .. } => "quantile",
            Self::Poisson => "poisson",
            Self::Bce => "bce",
            Self::CrossEntropy { .. } => "cross_entropy",
            Self::GaussianNll { .. } => "gaussian_nll",
            Self::LaplaceNll => "laplace_nll",
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
            Self::Quantile { .. } => 5,
            Self::Poisson => 6,
            Self::GaussianNll { .. } => 7,
            Self::LaplaceNll => 8,
        }
    }

    /// Whether the head predicts the noise of every column beside the column, and the loss may be below 0.
    pub fn predicts_noise(&self) -> bool {
        matches!(self, Self::GaussianNll { .. } | Self::LaplaceNll)
    }

    /// Predictions a row of a task of so many columns or classes: one each, and of losses that
    /// [predict noise](Self::predicts_noise) the logarithm of its scale after those of all columns (`chunk(2, dim=1)` in PyTorch).
    pub fn outputs(&self, width: usize) -> usize {
        if self.predicts_noise() { 2 * width } else { width }
    }

    /// Whether it is one of numbers, not of classes.
    pub fn predicts_number(&self) -> bool {
        !matches!(self, Self::Bce | Self::CrossEntropy { .. })
    }

    /// The loss's own parameter: Huber's δ, the quantile, β, the label smoothing, else 0.
    pub(crate) fn parameter(&self) -> f32 {
        match self {
            Self::Huber { delta } => *delta,
            Self::Quantile { quantile } => *quantile,
            Self::GaussianNll { beta } => *beta,
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
    /// Cross-entropy has no columns of its own, and losses that predict noise two predictions a column: see
    /// [`class_row`](Self::class_row) and [`number_row`](Self::number_row).
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
            Self::Quantile { .. } if difference == 0.0 => (0.0, 0.0),
            Self::Quantile { quantile } => {
                let slope = f64::from(u8::from(difference > 0.0)) - f64::from(*quantile);
                (slope * difference, slope)
            }
            Self::Poisson if target == 0.0 => (prediction.exp(), prediction.exp()),
            Self::Poisson => {
                // t·(e^d − 1 − d), d how far p is from ln t: nothing cancels where the deviance is small.
                let beyond = prediction - target.ln();
                (target * (beyond.exp_m1() - beyond), target * beyond.exp_m1())
            }
            Self::Bce => {
                let value =
                    prediction.max(0.0) - prediction * target + (-prediction.abs()).exp().ln_1p();
                let sigmoid = 1.0 / (1.0 + (-prediction).exp());
                (value, sigmoid - target)
            }
            Self::CrossEntropy { .. } | Self::GaussianNll { .. } | Self::LaplaceNll => {
                unreachable!("{} is taken a row at a time", self.name())
            }
        }
    }

    /// The loss of a row of numbers, shape `[outputs]`, at its labels, shape `[width]`: returns it and writes the derivatives to
    /// `gradient`, neither divided by the normaliser.
    pub fn number_row(&self, predictions: &[f64], labels: &[f64], gradient: &mut [f64]) -> f64 {
        let width = labels.len();
        let mut sum = 0.0;
        for (column, &label) in labels.iter().enumerate() {
            if self.predicts_noise() {
                let log_scale = predictions[width + column];
                let (value, slopes) = self.pair(predictions[column], log_scale, label);
                sum += value;
                [gradient[column], gradient[width + column]] = slopes;
            } else {
                let (value, slope) = self.element(predictions[column], label);
                sum += value;
                gradient[column] = slope;
            }
        }
        sum
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
        // Logarithms of probabilities by distances from the highest logit, beside which ln Σ may be less than a rounding.
        let log_sum = logits.iter().map(|z| (z - highest).exp()).sum::<f64>().ln();
        let costs = logits.iter().map(|z| log_sum + (highest - z));
        // The mass that the target puts on class c.
        let target = |c: usize| {
            let own = if c == class as usize { 1.0 - smoothing } else { 0.0 };
            weight(c) * (own + smoothing / classes as f64)
        };
        let mass: f64 = (0..classes).map(target).sum();
        let mut value = 0.0;
        for (c, (cost, slope)) in costs.zip(gradient).enumerate() {
            value += target(c) * cost;
            *slope = mass * (-cost).exp() - target(c);
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
            Self::Quantile { quantile } if !(*quantile > 0.0 && *quantile < 1.0) => {
                Err(Error::invalid(
                    format!("task \"{task}\": the quantile is {quantile}"),
                    "use a number between 0 and 1, such as 0.9",
                ))
            }
            Self::GaussianNll { beta } if !(0.0..=1.0).contains(beta) => Err(Error::invalid(
                format!("task \"{task}\": gaussian_nll's beta is {beta}"),
                "use a number from 0 to 1: 0 is the plain likelihood, 0.5 what its authors advise",
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

    /// The loss of this name, its own parameters as in [`all`](Self::all), but for those of `huber(δ)`, `quantile(q)` and
    /// `gaussian_nll(β)`. Hyphens are as good as underscores.
    ///
    /// ```
    /// assert_eq!("huber".parse::<awl::Loss>()?, awl::Loss::Huber { delta: 1.0 });
    /// assert_eq!("quantile(0.9)".parse::<awl::Loss>()?, awl::Loss::Quantile { quantile: 0.9 });
    /// assert!("hubert".parse::<awl::Loss>().unwrap_err().to_string().contains("did you mean \"huber\"?"));
    /// # Ok::<(), awl::Error>(())
    /// ```
    fn from_str(text: &str) -> Result<Self> {
        let (name, given) = match text.strip_suffix(')').and_then(|text| text.split_once('(')) {
            Some((name, parameter)) => (name.trim(), Some(parameter.trim())),
            None => (text, None),
        };
        let name = &name.replace('-', "_")[..];
        let names = Self::all().map(|loss| loss.name());
        let mut loss =
            Self::all().into_iter().find(|loss| loss.name() == name).ok_or_else(|| {
                let remedy = match nearest(name, names) {
                    Some(meant) => format!("did you mean \"{meant}\"?"),
                    None => format!("use one of {}", names.join(", ")),
                };
                Error::invalid(format!("there is no loss \"{name}\""), remedy)
            })?;
        let Some(given) = given else { return Ok(loss) };
        let (Self::Huber { delta: parameter }
        | Self::Quantile { quantile: parameter }
        | Self::GaussianNll { beta: parameter }) = &mut loss
        else {
            return Err(Error::invalid(
                format!("the loss {name} takes no number, but \"{text}\" gives one"),
                format!("write {name} alone"),
            ));
        };
        *parameter = given.parse().map_err(|_| {
            Error::invalid(
                format!("\"{text}\": \"{given}\" is no number"),
                "write huber(1), quantile(0.9) or gaussian_nll(0.5), with a number of yours",
            )
        })?;
        Ok(loss)
    }
}
