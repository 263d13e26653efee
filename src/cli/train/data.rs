//! From the configuration to datasets: reading, splitting, choosing features and losses, encoding.

use super::arguments::task;
use super::config::{Config, Task as TaskConfig};
use crate::cli::failure::Failure;
use awl::tables::{EncoderOptions, Strata, TargetSpec};
use awl::{Dataset, Encoder, Loss, Table};

/// What a run trains on, is validated on and is judged by.
pub struct Data {
    pub encoder: Encoder,
    /// Columns that were taken as text, whatever their cells.
    pub text: Vec<String>,
    pub training: Dataset,
    pub validation: Option<Dataset>,
    pub test: Option<Dataset>,
    /// What was chosen for the user, a line each.
    pub choices: Vec<String>,
    /// What the user may not have meant, a line each.
    pub warnings: Vec<String>,
}

impl Data {
    /// Reads the table and prepares it; whatever was left to choose is written into the configuration.
    pub fn read(config: &mut Config, task_flags: &[String]) -> Result<Self, Failure> {
        let Some(path) = &config.data.path else {
            return Err(Failure::input(
                "no table is named: give its file, or [data] path in the configuration",
            ));
        };
        let table = Table::open_with_text(path, &config.data.text)?;
        if !task_flags.is_empty() {
            let tasks = task_flags.iter().map(|text| task(text, table.names()));
            config.task = tasks.collect::<Result<_, _>>()?;
        }
        if config.task.is_empty() {
            return Err(Failure::input(
                "no task is named: give --task COLUMN, or [[task]] in the configuration",
            ));
        }
        let mut choices = Vec::new();
        let specs = specs(&mut config.task, &table, &mut choices)?;
        let features = features(config, &table, &mut choices)?;
        let [training, validation, test] = split(config, table, &specs, &mut choices)?;
        let training = training
            .ok_or_else(|| Failure::input("no row is for training: mark some with \"train\""))?;
        let options = EncoderOptions { standardize: config.data.standardize };
        let encoder = Encoder::fit_with(&training, &features, &specs, options)?;
        let mut warnings = Vec::new();
        for column in encoder.constant(&training)? {
            warnings.push(format!("feature \"{column}\" is the same in every training row, so it says nothing: --ignore it"));
        }
        for (part, table) in [("validation", &validation), ("test", &test)] {
            let unseen = table.as_ref().map(|table| encoder.unseen(table)).transpose()?;
            for (column, cells) in unseen.unwrap_or_default() {
                warnings.push(format!(
                    "feature \"{column}\": {cells} cells of the {part} part hold a text that no training row has; they count as none of the known ones"
                ));
            }
        }
        let encode = |table: Option<Table>| table.map(|table| encoder.encode(&table)).transpose();
        Ok(Self {
            training: encoder.encode(&training)?,
            validation: encode(validation)?,
            test: encode(test)?,
            encoder,
            text: config.data.text.clone(),
            choices,
            warnings,
        })
    }

    /// A number that changes when the rows, their order or their encoding do: FNV-1a of all that an engine is given.
    pub fn fingerprint(&self) -> String {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut add = |bytes: &[u8]| {
            for &byte in bytes {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        for part in [Some(&self.training), self.validation.as_ref()].into_iter().flatten() {
            part.features().values().iter().for_each(|value| add(&value.to_le_bytes()));
            for target in part.targets() {
                match target.values() {
                    awl::data::Values::Numbers(matrix) => {
                        matrix.values().iter().for_each(|value| add(&value.to_le_bytes()));
                    }
                    awl::data::Values::Classes(classes) => {
                        classes.iter().for_each(|class| add(&class.to_le_bytes()));
                    }
                }
                target.mask().into_iter().flatten().for_each(|&labelled| add(&[labelled.into()]));
            }
        }
        format!("{hash:016x}")
    }
}

/// The tasks, each with a loss: its own, or what its labels suggest.
fn specs(
    tasks: &mut [TaskConfig],
    table: &Table,
    choices: &mut Vec<String>,
) -> Result<Vec<TargetSpec>, Failure> {
    let mut specs = Vec::new();
    for task in tasks {
        let name = match (&task.name, &task.columns[..]) {
            (Some(name), _) => name.clone(),
            (None, [column]) => column.clone(),
            (None, _) => {
                return Err(Failure::input(
                    "a task of several columns, or of none, has no name: give it one",
                ));
            }
        };
        let mut spec = TargetSpec::of_columns(&name, &task.columns);
        let loss = match task.loss.as_deref() {
            Some(written) => loss(&name, written, task)?,
            None => {
                let inferred = spec.infer(table)?;
                choices.push(format!(
                    "task \"{name}\": {} ({})",
                    inferred.loss.name(),
                    inferred.why
                ));
                loss(&name, inferred.loss.name(), task)?
            }
        };
        task.name = Some(name);
        task.loss = Some(loss.name().into());
        spec.loss = Some(loss);
        specs.push(spec);
    }
    Ok(specs)
}

/// The loss of this name with the parameters that the task gives it.
fn loss(task: &str, name: &str, config: &TaskConfig) -> Result<Loss, Failure> {
    let mut loss: Loss =
        name.parse().map_err(|error: awl::Error| format!("task \"{task}\": {error}"))?;
    match &mut loss {
        Loss::Huber { delta } => *delta = config.delta.unwrap_or(*delta),
        Loss::CrossEntropy { label_smoothing, class_weights } => {
            *label_smoothing = config.label_smoothing.unwrap_or(*label_smoothing);
            class_weights.clone_from(&config.class_weights);
        }
        Loss::Mse | Loss::Mae | Loss::Bce => {}
    }
    for (key, given, takes) in [
        ("delta", config.delta.is_some(), "huber"),
        ("label_smoothing", config.label_smoothing.is_some(), "cross_entropy"),
        ("class_weights", config.class_weights.is_some(), "cross_entropy"),
    ] {
        if given && name != takes {
            return Err(Failure::input(format!(
                "task \"{task}\": {key} is for the loss {takes}, but the task's is {name}: leave it out, or change the loss"
            )));
        }
    }
    Ok(loss)
}

/// The features that were named, or every column that serves for nothing else.
fn features(
    config: &mut Config,
    table: &Table,
    choices: &mut Vec<String>,
) -> Result<Vec<String>, Failure> {
    // A misspelt name must not go unnoticed.
    for column in config.data.ignore.iter().chain(&config.data.split) {
        table.column(column)?;
    }
    if let Some(features) = &config.data.features {
        return Ok(features.clone());
    }
    let tasks = config.task.iter().flat_map(|task| &task.columns);
    let taken: Vec<&String> = tasks.chain(&config.data.ignore).chain(&config.data.split).collect();
    let rest: Vec<String> =
        table.names().iter().filter(|name| !taken.contains(name)).cloned().collect();
    if rest.is_empty() {
        return Err(Failure::input(format!(
            "{}: no column is left to predict from: name fewer tasks, or ignore fewer columns",
            table.name()
        )));
    }
    choices.push(format!("features: {}", rest.join(", ")));
    config.data.features = Some(rest.clone());
    Ok(rest)
}

/// The training, validation and test rows; a part of no rows is `None`.
fn split(
    config: &Config,
    table: Table,
    specs: &[TargetSpec],
    choices: &mut Vec<String>,
) -> Result<[Option<Table>; 3], Failure> {
    if let Some(column) = &config.data.split {
        return Ok(table.split_by(column)?);
    }
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
        if fraction > 0.0 && fraction * (table.rows() as f64) < 0.5 {
            return Err(Failure::input(format!(
                "--{name} {fraction} of {} rows is no row: give a larger fraction, or 0 to do without",
                table.rows()
            )));
        }
    }
    let training = 1.0 - validation - test;
    if training <= 0.0 {
        return Err(Failure::input(format!(
            "--validation {validation} and --test {test} leave no rows to train on: give smaller fractions"
        )));
    }
    if validation == 0.0 && test == 0.0 {
        return Ok([Some(table), None, None]);
    }
    let strata: Vec<Strata> = specs.iter().flat_map(strata).collect();
    let classes: Vec<String> = strata.iter().filter_map(quoted_classes).collect();
    if !classes.is_empty() {
        let classes = classes.join(", ");
        choices
            .push(format!("split: every class of {classes} in the same proportion in every part"));
    }
    let parts = [training, validation, test];
    let parts = table.split_stratified(config.train.seed, parts, &strata)?;
    Ok(parts.map(|part| match part.rows() {
        0 => None,
        _ if config.train.shuffle => Some(part),
        _ => Some(in_order(&part)),
    }))
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

fn quoted_classes(strata: &Strata) -> Option<String> {
    match strata {
        Strata::Classes(column) => Some(format!("\"{column}\"")),
        Strata::Labelled(_) => None,
    }
}

/// The rows of a part in the order of the table that it comes from.
fn in_order(part: &Table) -> Table {
    let mut rows: Vec<usize> = (0..part.rows()).collect();
    rows.sort_by_key(|&row| part.line(row));
    part.select(&rows)
}
