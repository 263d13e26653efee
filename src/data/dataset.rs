//! What an engine trains on: features and, for each task, a target with its missing labels.
//!
//! Everything here is checked when it is made, so that no engine meets a NaN, a ragged row or a
//! label without a value.

use crate::error::{Error, Result};
use std::sync::Arc;

/// A dense row-major matrix of `f32`, shape `[rows, columns]`. A clone shares the values.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    values: Arc<Vec<f32>>,
}

impl Matrix {
    /// A matrix of `columns` columns from its values, row after row.
    ///
    /// # Errors
    /// [`Error::Invalid`] for zero columns, [`Error::Mismatch`] if the values do not fill whole rows.
    pub fn new(columns: usize, values: Vec<f32>) -> Result<Self> {
        if columns == 0 {
            return Err(Error::invalid("a matrix has no column", "give it at least one"));
        }
        let rows = values.len() / columns;
        let over = values.len() % columns;
        if over != 0 {
            return Err(Error::Mismatch {
                what: format!("a matrix with rows of {columns}"),
                unit: "values",
                found: values.len(),
                expected: (rows + 1) * columns,
                why: format!("its last row has only {over}"),
            });
        }
        Ok(Self { rows, columns, values: Arc::new(values) })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All values, row after row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// One row.
    ///
    /// # Panics
    /// If `row` is not below [`rows`](Self::rows), as indexing a slice does.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.columns..][..self.columns]
    }

    /// The first NaN or infinite value as `(row, column, value)`, among the rows that `counts` selects.
    fn first_non_finite(&self, counts: impl Fn(usize) -> bool) -> Option<(usize, usize, f32)> {
        self.values
            .iter()
            .enumerate()
            .find(|(i, v)| !v.is_finite() && counts(i / self.columns))
            .map(|(i, &v)| (i / self.columns, i % self.columns, v))
    }
}

/// The values that a task should predict.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Numbers, shape `[rows, width]`: for `mse`, `mae`, `huber` and (as probabilities, usually 0 or 1) `bce`.
    Numbers(Matrix),
    /// Class indices, shape `[rows]`: for `cross_entropy`.
    Classes(Vec<u32>),
}

/// One task's target: a value a row, which rows have one, and how much each row counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    values: Values,
    labelled: Option<Vec<bool>>,
    sample_weights: Option<Arc<[f32]>>,
}

impl Target {
    /// A target of numbers, shape `[rows, width]`, every row labelled.
    pub fn numbers(values: Matrix) -> Self {
        Self { values: Values::Numbers(values), labelled: None, sample_weights: None }
    }

    /// A target of class indices, shape `[rows]`, every row labelled.
    pub fn classes(classes: Vec<u32>) -> Self {
        Self { values: Values::Classes(classes), labelled: None, sample_weights: None }
    }

    /// Says which rows have a label; the values of the others are never looked at.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the mask has not one entry a row.
    pub fn labelled(mut self, labelled: Vec<bool>) -> Result<Self> {
        if labelled.len() != self.rows() {
            return Err(Error::Mismatch {
                what: "a target's mask".into(),
                unit: "rows",
                found: labelled.len(),
                expected: self.rows(),
                why: "one a row of the target".into(),
            });
        }
        self.labelled = labelled.contains(&false).then_some(labelled);
        Ok(self)
    }

    /// Says how much each row counts: a task's mean loss is `Σ weight·loss / Σ weight` over its labelled rows, of every batch, as
    /// scikit-learn's `sample_weight` has it. Tasks may share one list.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if there is not one weight a row, [`Error::Invalid`] for one that is negative, NaN or infinite.
    pub fn weighted(mut self, weights: impl Into<Arc<[f32]>>) -> Result<Self> {
        let weights = weights.into();
        if weights.len() != self.rows() {
            return Err(Error::Mismatch {
                what: "the weights of a target's rows".into(),
                unit: "entries",
                found: weights.len(),
                expected: self.rows(),
                why: "one a row of the target".into(),
            });
        }
        let is_wrong = |weight: &f32| !(weight.is_finite() && *weight >= 0.0);
        if let Some(row) = weights.iter().position(is_wrong) {
            return Err(Error::invalid(
                format!("the weight of row {row} is {}", weights[row]),
                "use finite weights of 0 or more",
            ));
        }
        self.sample_weights = Some(weights);
        Ok(self)
    }

    /// Number of rows, labelled or not.
    pub fn rows(&self) -> usize {
        match &self.values {
            Values::Numbers(matrix) => matrix.rows(),
            Values::Classes(classes) => classes.len(),
        }
    }

    /// The values; those of unlabelled rows mean nothing.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// The mask, or `None` where every row is labelled.
    pub fn mask(&self) -> Option<&[bool]> {
        self.labelled.as_deref()
    }

    /// Whether this row has a label.
    pub fn has_label(&self, row: usize) -> bool {
        self.labelled.as_ref().is_none_or(|mask| mask[row])
    }

    /// How much each row counts, shape `[rows]`; `None` where all count alike.
    pub fn sample_weights(&self) -> Option<&[f32]> {
        self.sample_weights.as_deref()
    }

    /// How much this row counts; 1 where all count alike.
    pub fn sample_weight(&self, row: usize) -> f32 {
        self.sample_weights.as_ref().map_or(1.0, |weights| weights[row])
    }

    /// The first NaN or infinite label as `(row, column, value)`.
    pub(crate) fn first_non_finite(&self) -> Option<(usize, usize, f32)> {
        match &self.values {
            Values::Numbers(matrix) => matrix.first_non_finite(|row| self.has_label(row)),
            Values::Classes(_) => None,
        }
    }
}

/// Rows to train on or to evaluate with: features `[rows, features]` and a target for every task.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    features: Matrix,
    targets: Vec<Target>,
}

impl Dataset {
    /// Joins features and targets; the targets are in the order of the network's tasks.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no rows, [`Error::NonFinite`] for a NaN or infinite feature,
    /// [`Error::Mismatch`] for a target with another number of rows.
    pub fn new(features: Matrix, targets: Vec<Target>) -> Result<Self> {
        if features.rows() == 0 {
            return Err(Error::invalid("the dataset has no rows", "give it at least one"));
        }
        check_finite("the features", &features)?;
        for (index, target) in targets.iter().enumerate() {
            if target.rows() != features.rows() {
                return Err(Error::Mismatch {
                    what: format!("the target of task {index}"),
                    unit: "rows",
                    found: target.rows(),
                    expected: features.rows(),
                    why: "as many as the features".into(),
                });
            }
        }
        Ok(Self { features, targets })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.features.rows()
    }

    /// The features, shape `[rows, features]`.
    pub fn features(&self) -> &Matrix {
        &self.features
    }

    /// The targets, one a task.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }
}

/// The index of the highest value, the first of several equal ones; 0 where there is none.
pub(crate) fn highest(values: &[f32]) -> usize {
    let mut best = 0;
    for (index, &value) in values.iter().enumerate() {
        if value > values[best] {
            best = index;
        }
    }
    best
}

/// Checks that a matrix holds no NaN and no infinity.
pub(crate) fn check_finite(tensor: &str, matrix: &Matrix) -> Result<()> {
    match matrix.first_non_finite(|_| true) {
        None => Ok(()),
        Some((row, column, value)) => {
            Err(Error::NonFinite { tensor: tensor.into(), row, column, value })
        }
    }
}
