//! How sure the answers of one or several networks are: what is noise of the labels (aleatoric), and what is ignorance, which more
//! rows would lessen (epistemic).
//!
//! Every network says what it takes a label to be distributed like; together they answer with the *mixture* of these distributions,
//! each as likely as the others (Lakshminarayanan et al. 2017, "Simple and Scalable Predictive Uncertainty Estimation using Deep
//! Ensembles"). By the law of total variance the mixture's variance is the mean of the networks' variances (noise) plus the variance
//! of their means (ignorance). Of classes the mixture's entropy is the mean entropy of the networks (noise) plus the mutual
//! information between the answer and the network (ignorance).
//!
//! | loss | what a network says of a label |
//! |---|---|
//! | `mse`, `huber` | normal, with the [measured](crate::tables::TargetColumn::noise) variance |
//! | `mae` | Laplace, with the measured variance |
//! | `gaussian_nll`, `laplace_nll` | the same, with the variance that it predicts for the row |
//! | `poisson` | Poisson |
//! | `quantile` | nothing: the answer is a quantile, whose noise is not known |
//! | `bce`, `cross_entropy` | probabilities |
//!
//! [`Members`] holds the predictions of all networks for a block of rows, [`Mixture`] is what they say of one number,
//! [`OfClasses`] of classes. [`Moments`] measures the noise on rows with labels, and [`Scores`] calibrates intervals on them.

mod calibration;
mod classes;
mod crps;
mod members;
mod mixture;
mod moments;
mod scores;
#[cfg(test)]
mod tests;
mod unit;

pub use self::calibration::{Calibration, Coverage, LEVELS, NumberCalibration, blocks};
pub use self::classes::OfClasses;
pub use self::members::Members;
pub use self::mixture::{Component, Family, Mixture};
pub use self::moments::Moments;
pub use self::scores::Scores;

/// The two parts of a variance, or of a standard deviation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parts {
    /// That of the labels themselves; `None` where the loss says nothing of it.
    pub noise: Option<f64>,
    /// That of not knowing better: 0 of one network.
    pub ignorance: f64,
}

impl Parts {
    /// Of variances: both together, where the noise is known.
    pub fn total(&self) -> Option<f64> {
        self.noise.map(|noise| noise + self.ignorance)
    }

    /// Of variances: the standard deviations.
    pub fn deviations(&self) -> Self {
        Self { noise: self.noise.map(f64::sqrt), ignorance: self.ignorance.sqrt() }
    }
}

/// The mean and the population variance of numbers; of one number, itself and 0.
fn moments_of(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / count;
    // Rounding must not make equal numbers differ.
    let mut rest = values.clone();
    let first = rest.next();
    if rest.all(|it| Some(it) == first) {
        return (first.unwrap_or(0.0), 0.0);
    }
    (mean, values.map(|value| (value - mean).powi(2)).sum::<f64>() / count)
}
