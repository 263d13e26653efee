//! The training, validation and test rows.

use super::Told;
use crate::cli::failure::Failure;
use crate::cli::train::config::Config;
use awl::tables::{Strata, TargetSpec};
use awl::{Loss, Table};

/// The training, validation and test rows; a part of no rows is `None`.
pub fn split(
    config: &Config,
    table: Table,
    specs: &[TargetSpec],
    told: &mut Told,
) -> Result<[Option<Table>; 3], Failure> {
    if let Some(column) = &config.data.split {
        return Ok(table.split_by(column)?);
    }
    let parts = fractions(config, table.rows())?;
    if parts[0] == 1.0 {
        return Ok([Some(table), None, None]);
    }
    let strata: Vec<Strata> = specs.iter().flat_map(strata).collect();
    let classes = strata.iter().filter_map(|it| match it {
        Strata::Classes(column) => Some(column.clone()),
        Strata::Labelled(_) => None,
    });
    let classes: Vec<String> = classes.collect();
    if !classes.is_empty() {
        told.choices.push(format!(
            "split: every class of {} in the same proportion in every part",
            super::features::listed(&classes)
        ));
    }
    let parts = table.split_stratified(config.train.seed, parts, &strata)?;
    Ok(parts.map(|part| match part.rows() {
        0 => None,
        _ if config.train.shuffle => Some(part),
        _ => Some(in_order(&part)),
    }))
}

/// The fractions of training, validation and test.
fn fractions(config: &Config, rows: usize) -> Result<[f64; 3], Failure> {
    let [validation, test] =
        [config.data.validation, config.data.test.unwrap_or(config.data.validation)];
    for (name, fraction) in [("validation", validation), ("test", test)] {
        if !(0.0..1.0).contains(&fraction) {
            return Err(Failure::input(format!(
                "--{name} {fraction}: give a fraction from 0 to below 1, such as 0.15"
            )));
        }
    }
    for (name, fraction) in [("validation", validation), ("test", test)] {
        if fraction > 0.0 && fraction * (rows as f64) < 0.5 {
            return Err(Failure::input(format!(
                "--{name} {fraction} of {rows} rows is no row: give a larger fraction, or 0 to do without"
            )));
        }
    }
    let training = 1.0 - validation - test;
    if training <= 0.0 {
        return Err(Failure::input(format!(
            "--validation {validation} and --test {test} leave no rows to train on: give smaller fractions"
        )));
    }
    Ok([training, validation, test])
}

/// What of a task every part should have in the same proportion: its classes; of numbers, labels.
fn strata(spec: &TargetSpec) -> Vec<Strata> {
    match spec.loss {
        Some(Loss::Bce | Loss::CrossEntropy { .. }) => {
            spec.columns.iter().cloned().map(Strata::Classes).collect()
        }
        _ => vec![Strata::Labelled(spec.columns.clone())],
    }
}

/// The rows of a part in the order of the table that it comes from.
fn in_order(part: &Table) -> Table {
    let mut rows: Vec<usize> = (0..part.rows()).collect();
    rows.sort_by_key(|&row| part.line(row));
    part.select(&rows)
}
