//! A task: a named head of the network with its loss.

use super::Loss;
use crate::data::{Matrix, Target, Values};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// What one head of the network learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// The name in every message, table and state dictionary.
    pub name: String,
    /// The loss.
    pub loss: Loss,
    /// Columns of numbers, or classes.
    pub width: usize,
}

impl Task {
    /// A task of `width` columns (or classes).
    pub fn new(name: impl Into<String>, loss: Loss, width: usize) -> Self {
        Self { name: name.into(), loss, width }
    }

    /// Predictions a row: see [`Loss::outputs`].
    pub fn outputs(&self) -> usize {
        self.loss.outputs(self.width)
    }

    /// Checks name, width and the loss's parameters.
    pub(crate) fn check(&self) -> Result<()> {
        if self.name.is_empty() {
            return Err(Error::invalid("a task has no name", "name every task"));
        }
        if self.width == 0 {
            return Err(Error::invalid(
                format!("task \"{}\" has width 0", self.name),
                "give it at least one column or class",
            ));
        }
        // What the kernels number, and what a product with it may overflow.
        if u32::try_from(self.width).is_err() {
            return Err(Error::invalid(
                format!("task \"{}\" has width {}", self.name, self.width),
                format!("use at most {}", u32::MAX),
            ));
        }
        self.loss.check(&self.name, self.width)
    }

    /// Checks that a target fits the task: kind, width, finite numbers, classes in range.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Mismatch`], [`Error::NonFinite`] or [`Error::ClassOutOfRange`],
    /// naming the task.
    pub fn check_target(&self, target: &Target) -> Result<()> {
        let name = &self.name;
        match target.values() {
            Values::Classes(_) if !self.loss.predicts_class() => Err(Error::invalid(
                format!(
                    "task \"{name}\": {} needs numbers as targets, not classes",
                    self.loss.name()
                ),
                "use Target::numbers, or the loss cross_entropy",
            )),
            Values::Numbers(_) if self.loss.predicts_class() => Err(Error::invalid(
                format!(
                    "task \"{name}\": cross_entropy needs class indices as targets, not numbers"
                ),
                "use Target::classes, or another loss",
            )),
            Values::Numbers(matrix) if matrix.columns() != self.width => Err(Error::Mismatch {
                what: format!("the target of task \"{name}\""),
                unit: "columns",
                found: matrix.columns(),
                expected: self.width,
                why: "the task's width".into(),
            }),
            Values::Numbers(matrix) => match target.first_non_finite() {
                Some((row, column, value)) => Err(Error::NonFinite {
                    tensor: format!("the target of task \"{name}\""),
                    row,
                    column,
                    value,
                }),
                None if self.loss == Loss::Bce => self.check_probabilities(target, matrix),
                None if self.loss == Loss::Poisson => self.check_counts(target, matrix),
                None => Ok(()),
            },
            Values::Classes(classes) => {
                let outside = |(row, class): &(usize, &u32)| {
                    **class as usize >= self.width && target.has_label(*row)
                };
                match classes.iter().enumerate().find(outside) {
                    Some((row, &class)) => Err(Error::ClassOutOfRange {
                        task: name.clone(),
                        row,
                        class,
                        classes: self.width,
                    }),
                    None => Ok(()),
                }
            }
        }
    }
}

impl Task {
    /// What a row of the target adds to the normaliser that the task's summed loss is divided by; nothing without a label.
    pub(crate) fn row_weight(&self, target: &Target, row: usize) -> f64 {
        if !target.has_label(row) {
            return 0.0;
        }
        let class = match target.values() {
            Values::Classes(classes) => Some(classes[row]),
            Values::Numbers(_) => None,
        };
        f64::from(target.sample_weight(row)) * self.loss.row_weight(self.width, class)
    }

    /// Binary cross-entropy has no minimum for labels outside [0, 1]: training would drift off for ever.
    fn check_probabilities(&self, target: &Target, labels: &Matrix) -> Result<()> {
        let remedy = "use labels from 0 to 1 with bce, or another loss";
        self.check_labels(target, labels, |label| (0.0..=1.0).contains(&label), remedy)
    }

    /// Nothing explains a count below 0.
    fn check_counts(&self, target: &Target, labels: &Matrix) -> Result<()> {
        let remedy = "use counts of 0 and more with poisson, or another loss";
        self.check_labels(target, labels, |label| label >= 0.0, remedy)
    }

    fn check_labels(
        &self,
        target: &Target,
        labels: &Matrix,
        is_good: impl Fn(f32) -> bool,
        remedy: &str,
    ) -> Result<()> {
        let columns = labels.columns();
        let bad = |(i, value): &(usize, &f32)| !is_good(**value) && target.has_label(i / columns);
        match labels.values().iter().enumerate().find(bad) {
            Some((i, value)) => Err(Error::invalid(
                format!(
                    "the target of task \"{}\" is {value} at row {}, column {}",
                    self.name,
                    i / columns,
                    i % columns
                ),
                remedy,
            )),
            None => Ok(()),
        }
    }
}

impl AsRef<str> for Task {
    fn as_ref(&self) -> &str {
        &self.name
    }
}
