//! Target columns: from a table's cell to what a task should predict, and what a prediction means.

use super::category::{Found, Lookup, distinct};
use super::{Scaling, all_missing, scaling};
use crate::data::{Matrix, Target};
use crate::error::{Error, Result};
use crate::loss::{Loss, Task};
use crate::tables::table::quoted;
use crate::tables::{Column, Table};

/// A target column, its loss, and how its cells become labels. The task has the column's name.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetColumn {
    /// The column's name in the table.
    pub column: String,
    /// The task's loss.
    pub loss: Loss,
    /// How its cells become labels.
    pub encoding: TargetEncoding,
}

/// A target with more classes than this is refused: it is an identifier or a quantity, and one output a class would
/// fill the memory.
const MOST_CLASSES: usize = 1_024;

/// Up to here a table may be short of rows for its classes.
const FEW_CLASSES: usize = 20;

/// How the cells of a target column become labels. A missing cell is no label.
#[derive(Clone, Debug, PartialEq)]
pub enum TargetEncoding {
    /// Numbers, standardised (`mse`, `mae`, `huber`); predictions are in the same scale, and
    /// [`Scaling::restore`] gives them in the column's unit.
    Number(Scaling),
    /// Two values (`bce`), sorted: the first is 0, the second 1. So 1, `true` and `yes` are 1.
    Binary([String; 2]),
    /// Classes (`cross_entropy`), sorted, numbers by value: a class's index is its place here.
    Classes(Vec<String>),
}

impl TargetEncoding {
    /// The names of the classes in the order of their indices, or of 0 and 1; `None` for numbers.
    pub fn classes(&self) -> Option<&[String]> {
        match self {
            Self::Number(_) => None,
            Self::Binary(names) => Some(names),
            Self::Classes(names) => Some(names),
        }
    }

    /// The scaling of a target of numbers; `None` for classes.
    pub fn scaling(&self) -> Option<Scaling> {
        match self {
            Self::Number(scaling) => Some(*scaling),
            _ => None,
        }
    }
}

impl TargetColumn {
    pub(super) fn fit(table: &Table, name: &str, loss: &Loss) -> Result<Self> {
        let column = table.column(name)?;
        if column.missing() == column.rows() {
            return Err(all_missing(table, name));
        }
        let encoding = match loss {
            Loss::Mse | Loss::Mae | Loss::Huber { .. } => {
                let scaling = scaling(table, name, &table.numbers(name)?)?;
                if scaling.std == 0.0 {
                    return Err(only_one_value(table, name, column));
                }
                TargetEncoding::Number(scaling)
            }
            Loss::Bce => TargetEncoding::Binary(two_values(table, name, column)?),
            Loss::CrossEntropy { .. } => TargetEncoding::Classes(classes(table, name, column)?),
        };
        Ok(Self { column: name.into(), loss: loss.clone(), encoding })
    }

    /// Number of predictions a row: one for numbers and for two values, one a class for classes.
    pub fn width(&self) -> usize {
        match &self.encoding {
            TargetEncoding::Number(_) | TargetEncoding::Binary(_) => 1,
            TargetEncoding::Classes(names) => names.len(),
        }
    }

    /// The task.
    pub fn task(&self) -> Task {
        Task::new(&self.column, self.loss.clone(), self.width())
    }

    pub(super) fn encode(&self, table: &Table) -> Result<Target> {
        match &self.encoding {
            TargetEncoding::Number(scaling) => {
                let cells = table.numbers(&self.column)?;
                let label = |(row, cell): (usize, &Option<f64>)| {
                    cell.map(|number| scaling.encode(table, row, &self.column, number)).transpose()
                };
                let labels = cells.iter().enumerate().map(label);
                numbers(labels.collect::<Result<_>>()?)
            }
            TargetEncoding::Binary(names) => {
                let labels = self.indices(table, names)?;
                let label = |index: Option<usize>| index.map(|index| index as f32);
                numbers(labels.into_iter().map(label).collect())
            }
            TargetEncoding::Classes(names) => {
                let labels = self.indices(table, names)?;
                let classes = labels.iter().map(|label| label.unwrap_or(0) as u32);
                Target::classes(classes.collect()).labelled(mask(&labels))
            }
        }
    }

    /// The place of every row's cell among `names`, `None` where the cell is missing.
    fn indices(&self, table: &Table, names: &[String]) -> Result<Vec<Option<usize>>> {
        let column = table.column(&self.column)?;
        let lookup = Lookup::new(names);
        let index = |row| match lookup.find(column, row) {
            Found::Missing => Ok(None),
            Found::Known(index) => Ok(Some(index)),
            Found::Unseen => {
                let class = column.text(row).unwrap_or_default();
                let known = quoted(names.iter().map(String::as_str));
                Err(table.error_at(
                    row,
                    &self.column,
                    format!(
                        "the class \"{class}\" does not occur in the training part, which has {known}: \
                         correct the cell or leave it empty, or train on rows of that class too"
                    ),
                ))
            }
        };
        (0..column.rows()).map(index).collect()
    }
}

/// A target of one number a row.
fn numbers(labels: Vec<Option<f32>>) -> Result<Target> {
    let mask = mask(&labels);
    let values = labels.into_iter().map(Option::unwrap_or_default).collect();
    Target::numbers(Matrix::new(1, values)?).labelled(mask)
}

fn mask<T>(labels: &[Option<T>]) -> Vec<bool> {
    labels.iter().map(Option::is_some).collect()
}

/// The distinct values, two or more, of a column that has at least one label.
fn values(table: &Table, name: &str, column: &Column) -> Result<Vec<String>> {
    let names = distinct(column);
    match names.len() {
        1 => Err(only_one_value(table, name, column)),
        _ => Ok(names),
    }
}

/// The classes of a column that has at least one label, if it looks like a column of classes.
fn classes(table: &Table, name: &str, column: &Column) -> Result<Vec<String>> {
    let names = values(table, name, column)?;
    let (count, labels) = (names.len(), column.rows() - column.missing());
    if count <= FEW_CLASSES || (count <= MOST_CLASSES && 2 * count <= labels) {
        return Ok(names);
    }
    let remedy = match column {
        Column::Numbers(_) => {
            "use mse if it is a quantity, leave it out if it numbers the rows, or group its values"
        }
        Column::Text(_) => "leave it out if it names the rows, or group its values",
    };
    Err(table.error(format!(
        "column \"{name}\" holds {count} different values in {labels} labels, too many for the classes of cross_entropy \
         (at most {MOST_CLASSES} classes, and two labels a class on average): {remedy}"
    )))
}

fn two_values(table: &Table, name: &str, column: &Column) -> Result<[String; 2]> {
    values(table, name, column)?.try_into().map_err(|names: Vec<String>| {
        table.error(format!(
            "column \"{name}\" holds {} different values ({}), but bce needs two: use cross_entropy",
            names.len(),
            quoted(names.iter().map(String::as_str))
        ))
    })
}

fn only_one_value(table: &Table, name: &str, column: &Column) -> Error {
    let value = distinct(column).into_iter().next().unwrap_or_default();
    table.error(format!(
        "every label of column \"{name}\" in the training part is \"{value}\", so that there is nothing \
         to learn: leave the task out, or train on other rows"
    ))
}
