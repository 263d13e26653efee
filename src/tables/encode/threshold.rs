//! From which probability on the second of two classes is answered.

use super::{Encoder, TargetColumn, TargetEncoding};
use crate::data::highest;
use crate::error::{Error, Result};

/// What a probability has to be above where nothing else is asked for: the likelier class is answered.
pub const LIKELIER: f64 = 0.5;

impl TargetColumn {
    /// The columns' thresholds: the probability of the second class above which it is answered, [`LIKELIER`] unless another was
    /// [given](Encoder::with_thresholds). None for tasks that do not choose between two classes.
    pub fn thresholds(&self) -> Vec<f64> {
        let columns = self.pairs();
        (0..columns).map(|column| threshold(&self.thresholds, column)).collect()
    }

    /// Whether other thresholds than ½ were given.
    pub fn has_thresholds(&self) -> bool {
        !self.thresholds.is_empty()
    }

    /// In how many columns there are two classes to choose between.
    pub(super) fn pairs(&self) -> usize {
        match &self.encoding {
            TargetEncoding::Binary(pairs) => pairs.len(),
            TargetEncoding::Classes(names) if names.len() == 2 => 1,
            _ => 0,
        }
    }

    /// Whether these could be its thresholds.
    pub(super) fn is_sound_at(&self, thresholds: &[f64]) -> bool {
        let is_between = |it: &f64| *it > 0.0 && *it < 1.0;
        thresholds.is_empty()
            || (thresholds.len() == self.pairs() && thresholds.iter().all(is_between))
    }
}

impl Encoder {
    /// The same, by which a task answers with the second of two classes where its probability is above the threshold: one a column
    /// of `bce`, one for `cross_entropy` of two classes; none for the likelier class.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is no such task, if it does not choose between two classes, for another number of thresholds, and
    /// for one that is not above 0 and below 1.
    pub fn with_thresholds(mut self, task: &str, thresholds: Vec<f64>) -> Result<Self> {
        self.target(task)?;
        if let Some(target) = self.targets.iter_mut().find(|target| target.name == task) {
            if !target.is_sound_at(&thresholds) {
                return Err(Error::invalid(
                    format!("task \"{task}\": {thresholds:?} are no thresholds of it"),
                    "give a number above 0 and below 1 for each column of two classes",
                ));
            }
            target.thresholds = thresholds;
        }
        Ok(self)
    }
}

fn threshold(thresholds: &[f64], column: usize) -> f64 {
    thresholds.get(column).copied().unwrap_or(LIKELIER)
}

/// The logarithm of a threshold's odds, which a logit has to be above: 0 where no threshold is given. As exact as an exported model
/// has it, in 32 bits.
pub(crate) fn cut(thresholds: &[f64], column: usize) -> f64 {
    let threshold = threshold(thresholds, column);
    f64::from((threshold / (1.0 - threshold)).ln() as f32)
}

/// The class that logits answer: the likeliest, the first of equal ones, or of two classes what the threshold says.
pub(crate) fn answer(thresholds: &[f64], logits: &[f32]) -> usize {
    match (thresholds, logits) {
        ([_], &[first, second]) => {
            usize::from(f64::from(second) - f64::from(first) > cut(thresholds, 0))
        }
        _ => highest(logits),
    }
}
