//! Tasks: from a table's cells to what a task should predict, and what a prediction means.

mod classes;
mod labels;

pub use self::labels::LabelCounts;

pub(super) use self::classes::{FEW_CLASSES, check_learnable};
pub(crate) use self::labels::Labels;

use self::classes::{classes, only_one_value, two_values};
use super::category::{Found, Lookup};
use super::{EncoderOptions, Scaling, TargetSpec, all_missing, scaling};
use crate::data::{Matrix, Target};
use crate::error::{Error, Result};
use crate::loss::{Loss, Task};
use crate::tables::Table;
use crate::tables::table::quoted;
use serde::{Deserialize, Serialize};

/// A task's columns, its loss, and how its cells become labels.
///
/// A row has a label where every one of the task's columns has a cell: a row that misses one of several columns
/// teaches this task nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetColumn {
    /// The task's name: its column's, where it has one and no other name was given.
    pub name: String,
    /// The columns' names in the table.
    pub columns: Vec<String>,
    /// The task's loss.
    pub loss: Loss,
    /// How the cells become labels.
    pub encoding: TargetEncoding,
}

/// How the cells of a task's columns become labels. A missing cell is no label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetEncoding {
    /// Numbers, standardised (`mse`, `mae`, `huber`), a scaling a column; predictions are in the same scale, and
    /// [`Scaling::restore`] gives them in the column's unit.
    Numbers(Vec<Scaling>),
    /// Two values a column (`bce`), sorted: the first is 0, the second 1. So 1, `true` and `yes` are 1.
    Binary(Vec<[String; 2]>),
    /// Classes (`cross_entropy`) of the task's one column, sorted, numbers by value: a class's index is its place here.
    /// They are those of all rows of the file, also where the training part lacks one.
    Classes(Vec<String>),
}

impl TargetEncoding {
    /// The names of the classes of a task of one column, in the order of their indices, or of 0 and 1; `None` for
    /// numbers, and for several columns of two values.
    pub fn classes(&self) -> Option<&[String]> {
        match self {
            Self::Numbers(_) => None,
            Self::Binary(pairs) => match &pairs[..] {
                [names] => Some(names),
                _ => None,
            },
            Self::Classes(names) => Some(names),
        }
    }

    /// The scalings of a target of numbers, one a column; none for classes.
    pub fn scalings(&self) -> &[Scaling] {
        match self {
            Self::Numbers(scalings) => scalings,
            _ => &[],
        }
    }

    /// Number of predictions a row: one a column for numbers and for two values, one a class for classes.
    pub fn width(&self) -> usize {
        match self {
            Self::Numbers(scalings) => scalings.len(),
            Self::Binary(pairs) => pairs.len(),
            Self::Classes(names) => names.len(),
        }
    }
}

impl TargetColumn {
    pub(super) fn fit(table: &Table, spec: &TargetSpec, options: EncoderOptions) -> Result<Self> {
        // What a class is called is no secret of the rows kept apart, and a split must not decide what classes there are.
        let whole = &table.whole();
        let loss = match &spec.loss {
            Some(loss) => loss.clone(),
            None => spec.infer(whole)?.loss,
        };
        spec.check_columns()?;
        let columns = || spec.columns.iter().map(String::as_str);
        let encoding = match &loss {
            Loss::Mse | Loss::Mae | Loss::Huber { .. } => TargetEncoding::Numbers(
                columns()
                    .map(|name| number_scaling(table, name, options))
                    .collect::<Result<_>>()?,
            ),
            Loss::Bce => TargetEncoding::Binary(
                columns().map(|name| two_values(whole, name)).collect::<Result<_>>()?,
            ),
            Loss::CrossEntropy { .. } => TargetEncoding::Classes(classes(whole, &spec.columns[0])?),
        };
        let target =
            Self { name: spec.name.clone(), columns: spec.columns.clone(), loss, encoding };
        if !target.labelled(table)?.contains(&true) {
            return Err(match &target.columns[..] {
                [column] => all_missing(table, column),
                _ => Error::invalid(
                    format!(
                        "task \"{}\": no row of the training part has all of its columns",
                        target.name
                    ),
                    "make each column a task of its own: a row that misses one of a task's columns is no label",
                ),
            });
        }
        Ok(target)
    }

    /// Number of predictions a row: one a column for numbers and for two values, one a class for classes.
    pub fn width(&self) -> usize {
        self.encoding.width()
    }

    /// The task.
    pub fn task(&self) -> Task {
        Task::new(&self.name, self.loss.clone(), self.width())
    }

    /// Which rows have a cell in all of the task's columns.
    fn labelled(&self, table: &Table) -> Result<Vec<bool>> {
        let mut labelled = vec![true; table.rows()];
        for name in &self.columns {
            let column = table.column(name)?;
            if !column.is_text() {
                // An infinite number is no missing label.
                table.check_no_stray(name)?;
            }
            for (row, labelled) in labelled.iter_mut().enumerate() {
                *labelled &= !column.is_missing(row);
            }
            if column.is_text() && matches!(self.encoding, TargetEncoding::Numbers(_)) {
                // A column of nothing but words for missing numbers is one of text.
                let numbers = table.numbers(name)?;
                labelled
                    .iter_mut()
                    .zip(numbers.iter())
                    .for_each(|(it, number)| *it &= !number.is_nan());
            }
        }
        Ok(labelled)
    }

    pub(super) fn encode(&self, table: &Table) -> Result<Target> {
        let target = match &self.encoding {
            TargetEncoding::Numbers(scalings) => self.interleave(table, |at, values, stride| {
                let (name, scaling) = (&self.columns[at], &scalings[at]);
                let cells = table.numbers(name)?;
                let pairs = values.iter_mut().step_by(stride).zip(cells.iter());
                for (row, (value, &number)) in pairs.enumerate() {
                    if !number.is_nan() {
                        *value = scaling.encode(table, row, name, number)?;
                    }
                }
                Ok(())
            })?,
            TargetEncoding::Binary(pairs) => self.interleave(table, |at, values, stride| {
                let labels = indices(table, &self.columns[at], &pairs[at])?;
                for (value, label) in values.iter_mut().step_by(stride).zip(labels) {
                    *value = label as f32;
                }
                Ok(())
            })?,
            TargetEncoding::Classes(names) => {
                Target::classes(indices(table, &self.columns[0], names)?)
            }
        };
        target.labelled(self.labelled(table)?)
    }

    /// A target of one number a row and column, shape `[rows, columns]`. `write` gets the index of a column, the values
    /// from that column's first on, and the step from row to row; what it leaves is 0.
    fn interleave(
        &self,
        table: &Table,
        write: impl Fn(usize, &mut [f32], usize) -> Result<()>,
    ) -> Result<Target> {
        let stride = self.columns.len();
        let mut values = vec![0.0; table.rows() * stride];
        for at in 0..stride {
            write(at, values.get_mut(at..).unwrap_or_default(), stride)?;
        }
        Ok(Target::numbers(Matrix::new(stride, values)?))
    }
}

/// The place of every row's cell among `names`, 0 where the cell is missing.
fn indices(table: &Table, name: &str, names: &[String]) -> Result<Vec<u32>> {
    let column = table.column(name)?;
    let index = |(row, found)| match found {
        Found::Missing => Ok(0),
        Found::Known(index) => Ok(index as u32),
        Found::Unseen => {
            let class = column.text(row).unwrap_or_default();
            let known = quoted(names.iter().map(String::as_str));
            Err(table.error_at(
                row,
                name,
                format!(
                    "the class \"{class}\" is none of the task's, which are {known}: correct the cell or leave it \
                     empty, or train on rows of that class too"
                ),
            ))
        }
    };
    Lookup::new(names, column).all().into_iter().enumerate().map(index).collect()
}

/// The scaling of a target of numbers that has two values at least, in the training part or, should that have but one, in the
/// whole file.
fn number_scaling(table: &Table, name: &str, options: EncoderOptions) -> Result<Scaling> {
    let mut fitted = scaling(table, name)?;
    if fitted.std == 0.0 {
        fitted = scaling(&table.whole(), name)?;
    }
    if fitted.std == 0.0 {
        return Err(only_one_value(table, name, &fitted.mean.to_string()));
    }
    Ok(if options.standardize { fitted } else { Scaling::NONE })
}
