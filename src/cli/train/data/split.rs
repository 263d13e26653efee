//! The training, validation and test rows.

use super::Told;
use crate::cli::failure::Failure;
use crate::cli::train::config::Config;
use awl::tables::{Strata, TargetSpec};
use awl::{Loss, Table};
use std::collections::HashSet;

/// The training, validation and test rows; a part of no rows is `None`.
pub fn split(
    config: &Config,
    table: Table,
    specs: &[TargetSpec],
    told: &mut Told,
) -> Result<[Option<Table>; 3], Failure> {
    let data = &config.data;
    let ways: Vec<&String> = data.columns_of_the_split().collect();
    if let [one, other, ..] = &ways[..] {
        return Err(Failure::input(format!(
            "\"{one}\" and \"{other}\" are both to split the rows: give one of split, group and time"
        )));
    }
    let strata: Vec<Strata> = specs.iter().flat_map(strata).collect();
    if data.folds.is_some() || data.fold.is_some() {
        let parts = one_fold(config, &table, &strata, told)?;
        return Ok(parts.map(|part| as_visited(config, part)));
    }
    if let Some(column) = &data.split {
        return Ok(table.split_by(column)?);
    }
    let fractions = fractions(config, table.rows())?;
    if fractions[0] == 1.0 {
        return Ok([Some(table), None, None]);
    }
    let seed = data.seed_of_the_split(&config.train);
    let parts = match (&data.group, &data.time) {
        (Some(group), _) => {
            let parts = table.split_grouped(seed, fractions, group, &strata)?;
            tell_of_groups(&table, group, &parts, told)?;
            parts
        }
        (None, Some(time)) => {
            let parts = table.split_by_time(fractions, time)?;
            told.choices.push(timed(time, &parts)?);
            parts
        }
        (None, None) => {
            told.choices.extend(stratified(&strata));
            table.split_stratified(seed, fractions, &strata)?
        }
    };
    Ok(parts.map(|part| as_visited(config, part)))
}

/// A part's rows in the order in which they are visited, unless there are none.
fn as_visited(config: &Config, part: Table) -> Option<Table> {
    match part.rows() {
        0 => None,
        _ if config.train.shuffle => Some(part),
        _ => Some(in_order(&part)),
    }
}

/// The parts of the run that tests one fold: its rows, and of the others the share for validation.
fn one_fold(
    config: &Config,
    table: &Table,
    strata: &[Strata],
    told: &mut Told,
) -> Result<[Table; 3], Failure> {
    let data = &config.data;
    let (Some(number), Some(fold)) = (data.folds, data.fold) else {
        return Err(Failure::input(
            "fold = is one of folds = in the configuration: give both, or neither",
        ));
    };
    let seed = data.seed_of_the_split(&config.train);
    let folds = match &data.group {
        Some(group) => table.folds_grouped(seed, number, group, strata)?,
        None => table.folds(seed, number, strata)?,
    };
    if let Some(repeats) = data.repeats.filter(|repeats| *repeats != 1) {
        return Err(Failure::input(format!(
            "fold = {fold} is one run, and repeats = {repeats} are several: leave one of them out of the configuration"
        )));
    }
    let Some(tested) = fold.checked_sub(1).and_then(|index| folds.get(index)) else {
        return Err(Failure::input(format!(
            "fold = {fold}: the folds have the numbers 1 to {number}"
        )));
    };
    let mut is_tested = vec![false; table.rows()];
    tested.iter().for_each(|&row| is_tested[row] = true);
    let others: Vec<usize> = (0..table.rows()).filter(|&row| !is_tested[row]).collect();
    let (others, test) = (table.select(&others), table.select(tested));
    check_fraction("validation", data.validation, others.rows())?;
    let shares = [1.0 - data.validation, data.validation];
    let [training, validation] = match &data.group {
        _ if data.validation == 0.0 => [others.clone(), others.select(&[])],
        Some(group) => others.split_grouped(seed, shares, group, strata)?,
        None => others.split_stratified(seed, shares, strata)?,
    };
    let parts = [training, validation, test];
    match &data.group {
        Some(group) => tell_of_groups(table, group, &parts, told)?,
        None => told.choices.extend(stratified(strata)),
    }
    Ok(parts)
}

/// What is said of classes that every part has its share of.
fn stratified(strata: &[Strata]) -> Option<String> {
    let classes = strata.iter().filter_map(|it| match it {
        Strata::Classes(column) => Some(column.clone()),
        Strata::Labelled(_) => None,
    });
    let classes: Vec<String> = classes.collect();
    (!classes.is_empty()).then(|| {
        let classes = super::features::listed(&classes);
        format!("split: every class of {classes} in the same proportion in every part")
    })
}

/// Says how groups were split.
fn tell_of_groups(
    table: &Table,
    group: &str,
    parts: &[Table; 3],
    told: &mut Told,
) -> Result<(), Failure> {
    told.choices.push(grouped(group, parts)?);
    if table.column(group)?.missing() == table.rows() {
        told.warnings.push(format!("\"{group}\" has no cell, so that no rows are kept together"));
    }
    Ok(())
}

/// What is said of a split by groups: `split: rows with the same "person" in one part: 28 to train on (241 rows), …`.
fn grouped(column: &str, parts: &[Table; 3]) -> Result<String, Failure> {
    let groups = |part: &Table| -> Result<usize, Failure> {
        let cells = part.column(column)?;
        let named: HashSet<_> = (0..part.rows()).filter_map(|row| cells.text(row)).collect();
        Ok(named.len() + cells.missing())
    };
    let mut told = Vec::new();
    for (part, what) in parts.iter().zip(PURPOSES).filter(|(part, _)| part.rows() > 0) {
        told.push(format!("{} {what} ({} rows)", groups(part)?, part.rows()));
    }
    Ok(format!("split: rows with the same \"{column}\" in one part: groups {}", told.join(", ")))
}

/// What is said of a split by time: `split by "date": to 2023-05-01 to train on (241 rows), …`.
fn timed(column: &str, parts: &[Table; 3]) -> Result<String, Failure> {
    let mut told = Vec::new();
    for (part, what) in parts.iter().zip(PURPOSES).filter(|(part, _)| part.rows() > 0) {
        let cells = part.column(column)?;
        let [first, last] = [0, part.rows() - 1].map(|row| cells.text(row).unwrap_or_default());
        told.push(format!("{first} to {last} {what} ({} rows)", part.rows()));
    }
    Ok(format!("split by \"{column}\": {}", told.join(", ")))
}

/// What the parts are for.
const PURPOSES: [&str; 3] = ["to train on", "to validate", "to test"];

/// The fractions of training, validation and test.
fn fractions(config: &Config, rows: usize) -> Result<[f64; 3], Failure> {
    let [validation, test] =
        [config.data.validation, config.data.test.unwrap_or(config.data.validation)];
    check_fraction("validation", validation, rows)?;
    check_fraction("test", test, rows)?;
    let training = 1.0 - validation - test;
    if training <= 0.0 {
        return Err(Failure::input(format!(
            "--validation {validation} and --test {test} leave no rows to train on: give smaller fractions"
        )));
    }
    Ok([training, validation, test])
}

/// Checks that this is a fraction, and if it is not 0 some rows.
fn check_fraction(name: &str, fraction: f64, rows: usize) -> Result<(), Failure> {
    if !(0.0..1.0).contains(&fraction) {
        return Err(Failure::input(format!(
            "--{name} {fraction}: give a fraction from 0 to below 1, such as 0.15"
        )));
    }
    if fraction > 0.0 && fraction * (rows as f64) < 0.5 {
        return Err(Failure::input(format!(
            "--{name} {fraction} of {rows} rows is no row: give a larger fraction, or 0 to do without"
        )));
    }
    Ok(())
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
