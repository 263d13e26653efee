//! The labels that a task has in the rows of a table: how many, of which classes, and to judge predictions by.

use super::{TargetColumn, TargetEncoding};
use crate::error::Result;
use crate::tables::Table;
use crate::tables::encode::category::{Found, Lookup};
use serde::Serialize;
use std::collections::HashMap;

/// How many labels a task has in a table, and of which classes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LabelCounts {
    /// Rows with a label.
    pub labelled: usize,
    /// Of a task of classes, how many of each, in the order of the classes; of columns of two values, how many of either,
    /// column after column.
    pub classes: Vec<usize>,
    /// Rows with a label of a class that the task does not have.
    pub unknown: usize,
}

/// Labels to judge predictions by, in the scale of the predictions; what an unlabelled row holds means nothing.
pub(crate) enum Labels {
    /// Numbers, row after row; or 0 and 1, NaN where the value is neither of the two.
    Numbers(Vec<f64>),
    /// Classes, `None` where the task does not have it.
    Classes(Vec<Option<u32>>),
}

impl TargetColumn {
    /// How many labels the task has in these rows, and of which classes.
    ///
    /// # Errors
    /// [`crate::Error::Table`] for a column that the table lacks.
    pub fn count(&self, table: &Table) -> Result<LabelCounts> {
        let labelled = self.labelled(table)?;
        let mut counts = LabelCounts {
            labelled: labelled.iter().filter(|&&labelled| labelled).count(),
            ..LabelCounts::default()
        };
        let mut unknown = vec![false; table.rows()];
        for (name, names) in self.columns.iter().zip(self.names()) {
            let mut of_column = vec![0; names.len()];
            for (row, found) in
                Lookup::new(names, table.column(name)?).all().into_iter().enumerate()
            {
                match found {
                    Found::Known(class) if labelled[row] => of_column[class] += 1,
                    Found::Unseen if labelled[row] => unknown[row] = true,
                    _ => {}
                }
            }
            counts.classes.extend(of_column);
        }
        counts.unknown = unknown.into_iter().filter(|&unknown| unknown).count();
        Ok(counts)
    }

    /// The labels of these rows that are of classes which the task does not have, and how many rows have each, the commonest first.
    ///
    /// # Errors
    /// As [`count`](Self::count).
    pub fn unknown(&self, table: &Table) -> Result<Vec<(String, usize)>> {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for (name, names) in self.columns.iter().zip(self.names()) {
            let column = table.column(name)?;
            let found = Lookup::new(names, column).all().into_iter().enumerate();
            for (row, _) in found.filter(|(_, found)| *found == Found::Unseen) {
                *counts.entry(column.text(row).unwrap_or_default().into_owned()).or_default() += 1;
            }
        }
        let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
        counts.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        Ok(counts)
    }

    /// The names of each column's classes; none for numbers.
    fn names(&self) -> Vec<&[String]> {
        match &self.encoding {
            TargetEncoding::Numbers(_) => Vec::new(),
            TargetEncoding::Binary(pairs) => pairs.iter().map(|pair| &pair[..]).collect(),
            TargetEncoding::Classes(names) => vec![names],
        }
    }

    /// The numbers of the task's columns row after row, each as `told` of its column says it; NaN where a cell is missing.
    pub(crate) fn cells(
        &self,
        table: &Table,
        told: impl Fn(usize, f64) -> f64,
    ) -> Result<Vec<f64>> {
        let stride = self.columns.len();
        let mut values = vec![f64::NAN; table.rows() * stride];
        for (column, name) in self.columns.iter().enumerate() {
            let numbers = table.numbers(name)?;
            let own = values.iter_mut().skip(column).step_by(stride);
            own.zip(numbers.iter()).for_each(|(it, &number)| *it = told(column, number));
        }
        Ok(values)
    }

    /// The task's labels as they are judged, in `f64` and with classes that it does not have; see [`Labels`].
    pub(crate) fn labels(&self, table: &Table) -> Result<(Labels, Vec<bool>)> {
        let labelled = self.labelled(table)?;
        let labels = match &self.encoding {
            TargetEncoding::Numbers(encodings) => {
                let label = |column: usize, number| encodings[column].label(number);
                Labels::Numbers(self.cells(table, label)?)
            }
            TargetEncoding::Binary(pairs) => {
                let mut values = vec![f64::NAN; table.rows() * pairs.len()];
                for (at, (name, pair)) in self.columns.iter().zip(pairs).enumerate() {
                    let found = Lookup::new(pair, table.column(name)?).all();
                    let own = values.iter_mut().skip(at).step_by(pairs.len());
                    for (value, found) in own.zip(found) {
                        if let Found::Known(index) = found {
                            *value = index as f64;
                        }
                    }
                }
                Labels::Numbers(values)
            }
            TargetEncoding::Classes(names) => {
                let found = Lookup::new(names, table.column(&self.columns[0])?).all();
                let class = |found| match found {
                    Found::Known(index) => Some(index as u32),
                    _ => None,
                };
                Labels::Classes(found.into_iter().map(class).collect())
            }
        };
        Ok((labels, labelled))
    }
}
