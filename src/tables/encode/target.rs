//! Tasks: from a table's cells to what a task should predict, and what a prediction means.

mod classes;
mod labels;

pub use self::labels::LabelCounts;

pub(super) use self::classes::{FEW_CLASSES, check_learnable};
pub(crate) use self::labels::Labels;

use self::classes::{classes, only_one_value, two_values};
use super::category::{Found, Lookup};
use super::{
    Curve, EncoderOptions, NumberEncoding, Scaling, TargetSpec, Transform, all_missing, scaling,
};
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
    /// One a column of two classes, or none: see [`TargetColumn::thresholds`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) thresholds: Vec<f64>,
    /// One a column of numbers, or none: see [`TargetColumn::noise`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) noise: Vec<f64>,
}

/// How the cells of a task's columns become labels. A missing cell is no label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetEncoding {
    /// Numbers (`mse`, `mae`, `huber`, `quantile`, `poisson`, `gaussian_nll`, `laplace_nll`), standardised, an encoding a column;
    /// [`NumberEncoding::restore`] gives predictions in the column's unit.
    Numbers(Vec<NumberEncoding>),
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

    /// The encodings of a target of numbers, one a column; none for classes.
    pub fn numbers(&self) -> &[NumberEncoding] {
        match self {
            Self::Numbers(numbers) => numbers,
            _ => &[],
        }
    }

    /// The units of the columns: what a difference of 1 between predictions stands for. `None` where that is not the same everywhere,
    /// since numbers are transformed; none for classes.
    pub fn units(&self) -> Option<Vec<f64>> {
        self.numbers().iter().map(NumberEncoding::unit).collect()
    }

    /// Columns of numbers and of two values, or classes.
    pub fn width(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
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
        spec.check_transform(&loss)?;
        let columns = || spec.columns.iter().map(String::as_str);
        let encoding = match &loss {
            _ if loss.predicts_number() => TargetEncoding::Numbers(
                columns()
                    .map(|name| number_encoding(table, name, spec.transform, &loss, options))
                    .collect::<Result<_>>()?,
            ),
            Loss::CrossEntropy { .. } => TargetEncoding::Classes(classes(whole, &spec.columns[0])?),
            _ => TargetEncoding::Binary(
                columns().map(|name| two_values(whole, name)).collect::<Result<_>>()?,
            ),
        };
        let (name, columns) = (spec.name.clone(), spec.columns.clone());
        let target =
            Self { name, columns, loss, encoding, thresholds: Vec::new(), noise: Vec::new() };
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

    /// Predictions a row: see [`Loss::outputs`].
    pub fn outputs(&self) -> usize {
        self.loss.outputs(self.width())
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
            TargetEncoding::Numbers(encodings) => {
                self.interleave(table, |at, values, stride| {
                    let (name, encoding) = (&self.columns[at], &encodings[at]);
                    let cells = table.numbers(name)?;
                    let pairs = values.iter_mut().step_by(stride).zip(cells.iter());
                    for (row, (value, &number)) in pairs.enumerate() {
                        if !number.is_nan() {
                            *value = encoding.encode(table, row, name, number)?;
                        }
                    }
                    Ok(())
                })?
            }
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

/// The encoding of a target of numbers that has two values at least, in the training part or, should that have but one, in the
/// whole file.
fn number_encoding(
    table: &Table,
    name: &str,
    transform: Transform,
    loss: &Loss,
    options: EncoderOptions,
) -> Result<NumberEncoding> {
    let cells = table.numbers(name)?;
    let curve = match loss {
        Loss::Poisson => Curve::Rate,
        _ => Curve::fit(transform, &cells),
    };
    for (row, &cell) in cells.iter().enumerate() {
        if let Some(why) = curve.refusal(cell) {
            return Err(table.error_at(row, name, format!("{cell} {why}")));
        }
    }
    let mut plain = scaling(table, name)?;
    if plain.std == 0.0 {
        plain = scaling(&table.whole(), name)?;
    }
    if plain.std == 0.0 {
        return Err(only_one_value(table, name, &plain.mean.to_string()));
    }
    let bent = || cells.iter().map(|&cell| curve.bend(cell)).collect::<Vec<_>>();
    let scaling = match (&curve, options.standardize) {
        // Counts are divided by their mean, whatever is done to others: an untrained network then answers with it.
        (Curve::Rate, _) if plain.mean > 0.0 => Scaling { mean: 0.0, std: plain.mean },
        (_, false) => Scaling::NONE,
        (Curve::Line, true) => plain,
        // One value in the training part: the curve is what it is.
        (_, true) => Scaling::fit(&bent()).filter(Scaling::is_sound).unwrap_or(Scaling::NONE),
    };
    Ok(NumberEncoding { scaling, curve })
}
