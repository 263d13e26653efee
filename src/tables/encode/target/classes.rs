//! Classes: whether the values of a column may be some, and what to do if not.

use crate::error::{Error, Result};
use crate::tables::encode::category::distinct;
use crate::tables::encode::{all_missing, are_one_number};
use crate::tables::table::quoted;
use crate::tables::{Table, quantity_in, shell_word};

/// A target with more classes than this is refused: it is an identifier or a quantity, and one output a class would
/// fill the memory.
const MOST_CLASSES: usize = 1_024;

/// Up to here a table may be short of rows for its classes.
pub(in crate::tables::encode) const FEW_CLASSES: usize = 20;

/// The distinct values of a column, two or more.
fn values(table: &Table, name: &str) -> Result<Vec<String>> {
    let column = table.column(name)?;
    if let Some([one, other]) = column.merged() {
        return Err(table.error(format!(
            "column \"{name}\" holds {one} and {other}, which are one number to 64 bits but two classes: take them as texts \
             (--text={}; in Rust, Table::as_text or ReadOptions::text)",
            shell_word(name)
        )));
    }
    let names = distinct(column);
    check_learnable(table, name, &names)?;
    if !column.is_text()
        && are_one_number(column.values().into_iter().flatten().filter(|it| !it.is_nan()))
    {
        return Err(only_one_value(table, name, &names[0]));
    }
    Ok(names)
}

/// Checks that there are two different labels at least.
pub(in crate::tables::encode) fn check_learnable(
    table: &Table,
    name: &str,
    distinct: &[String],
) -> Result<()> {
    match distinct {
        [] => Err(all_missing(table, name)),
        [value] => Err(only_one_value(table, name, value)),
        _ => Ok(()),
    }
}

/// The classes of a column, if it looks like a column of classes.
pub(super) fn classes(table: &Table, name: &str) -> Result<Vec<String>> {
    let (names, column) = (values(table, name)?, table.column(name)?);
    let (count, labels) = (names.len(), column.rows() - column.missing());
    if may_be_classes(count, labels) {
        return Ok(names);
    }
    let remedy = if column.is_text() {
        quantity_in(names.iter().map(String::as_str))
            .unwrap_or("leave it out if it names the rows, or group its values")
    } else {
        "use mse if it is a quantity, leave it out if it numbers the rows, or group its values"
    };
    Err(table.error(format!(
        "column \"{name}\" holds {count} different values in {labels} labels, too many for the classes of cross_entropy \
         (at most {MOST_CLASSES} classes, and two labels a class on average): {remedy}"
    )))
}

pub(super) fn two_values(table: &Table, name: &str) -> Result<[String; 2]> {
    let column = table.column(name)?;
    values(table, name)?.try_into().map_err(|names: Vec<String>| {
        let labels = column.rows() - column.missing();
        let remedy = match may_be_classes(names.len(), labels) {
            true => "use cross_entropy",
            false if !column.is_text() => "use mse, for it looks like a quantity",
            false => quantity_in(names.iter().map(String::as_str))
                .unwrap_or("leave it out if it names the rows, or group its values"),
        };
        table.error(format!(
            "column \"{name}\" holds {} different values ({}), but bce needs two: {remedy}",
            names.len(),
            quoted(names.iter().map(String::as_str))
        ))
    })
}

/// Whether so many different values may be classes, with so many labels.
fn may_be_classes(count: usize, labels: usize) -> bool {
    count <= FEW_CLASSES || (count <= MOST_CLASSES && 2 * count <= labels)
}

pub(super) fn only_one_value(table: &Table, name: &str, value: &str) -> Error {
    // Where cells are kept as they are written, it shows if more than rounding made them one.
    let written = table.column(name).map(|column| {
        let texts = (0..column.rows())
            .filter_map(|row| column.text(row).map(|text| text.trim().to_string()));
        texts.collect::<std::collections::BTreeSet<_>>()
    });
    let differ = written.is_ok_and(|texts| {
        texts.len() > 1
            && texts.iter().all(|text| text.parse::<f64>().is_ok_and(|it| it.abs() > 1e15))
    });
    if differ {
        return table.error(format!(
            "the numbers of column \"{name}\", near {value}, differ by less than numbers of 64 bits tell apart: subtract some \
             number from all of them, or take them as texts (--text \"{name}\")"
        ));
    }
    table.error(format!(
        "every label of column \"{name}\" is \"{value}\", so that there is nothing to learn: leave the task out, or train \
         on other rows"
    ))
}
