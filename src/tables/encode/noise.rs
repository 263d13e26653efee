//! The noise of tasks of numbers whose loss says nothing of it, measured when training has ended.

use super::{Encoder, TargetColumn, TargetEncoding};
use crate::error::{Error, Result};
use crate::loss::Loss;

impl TargetColumn {
    /// The variance of the labels around what can be known of them, one a column, on the scale that is learned; none where it was not
    /// [given](Encoder::with_noise).
    pub fn noise(&self) -> &[f64] {
        &self.noise
    }

    /// Whether its noise is one number a column that has to be measured: of `mse`, `mae` and `huber`.
    pub fn noise_is_measured(&self) -> bool {
        matches!(self.loss, Loss::Mse | Loss::Mae | Loss::Huber { .. })
    }

    /// Whether this could be its noise.
    pub(super) fn could_have(&self, noise: &[f64]) -> bool {
        let is_number = matches!(self.encoding, TargetEncoding::Numbers(_));
        let is_variance = |it: &f64| it.is_finite() && *it >= 0.0;
        noise.is_empty()
            || (is_number
                && self.noise_is_measured()
                && noise.len() == self.columns.len()
                && noise.iter().all(is_variance))
    }
}

impl Encoder {
    /// The same with this noise of a task of `mse`, `mae` or `huber`: a variance a column, on the scale that is learned.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is no such task, if its loss is another, for another number of variances, and for one that is
    /// negative or not finite.
    pub fn with_noise(mut self, task: &str, noise: Vec<f64>) -> Result<Self> {
        self.target(task)?;
        if let Some(target) = self.targets.iter_mut().find(|target| target.name == task) {
            if !target.could_have(&noise) {
                return Err(Error::invalid(
                    format!("task \"{task}\": {noise:?} cannot be the variance of its noise"),
                    "give a number of 0 or more for each column of a task of mse, mae or huber",
                ));
            }
            target.noise = noise;
        }
        Ok(self)
    }
}
