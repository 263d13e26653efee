//! The tasks, each with a loss: its own, or what its labels suggest.

use super::Told;
use super::problems::Problems;
use crate::cli::failure::Failure;
use crate::cli::train::arguments::LossFlags;
use crate::cli::train::config::{BALANCED, ClassWeights, Task as TaskConfig};
use awl::tables::TargetSpec;
use awl::{Loss, Table};

/// The tasks, each with a loss, whose reasons are noted; those whose labels suggest none are noted as problems and left out.
pub fn specs(
    tasks: &mut [TaskConfig],
    table: &Table,
    flags: &LossFlags,
    told: &mut Told,
    problems: &mut Problems,
) -> Result<Vec<TargetSpec>, Failure> {
    let mut specs = Vec::new();
    for task in &mut *tasks {
        let name = match (&task.name, &task.columns[..]) {
            (Some(name), _) => name.clone(),
            (None, [column]) => column.clone(),
            (None, _) => {
                return Err(Failure::input(
                    "a task of several columns, or of none, has no name: give it one",
                ));
            }
        };
        // A misspelt name is told by itself: nothing else can be said of it.
        for column in &task.columns {
            table.column(column)?;
        }
        let mut spec = TargetSpec::of_columns(&name, &task.columns);
        let loss = match task.loss.as_deref() {
            Some(written) => loss(&name, written, task)?,
            None => match spec.infer(table) {
                Ok(inferred) => {
                    told.reasons.insert(name.clone(), inferred.why);
                    loss(&name, inferred.loss.name(), task)?
                }
                Err(error) => {
                    problems.task(&name, error);
                    continue;
                }
            },
        };
        let loss = match &loss {
            Loss::CrossEntropy { .. } if flags.apply(task) => self::loss(&name, loss.name(), task)?,
            _ => loss,
        };
        task.name = Some(name);
        task.loss = Some(loss.name().into());
        // Of huber(1), quantile(0.9) and gaussian_nll(0.5).
        match &loss {
            Loss::Huber { delta } => task.delta = Some(*delta),
            Loss::Quantile { quantile } => task.quantile = Some(*quantile),
            Loss::GaussianNll { beta } if *beta != 0.0 => task.beta = Some(*beta),
            _ => {}
        }
        spec.transform = task.transform.unwrap_or_default();
        spec.loss = Some(loss);
        specs.push(spec);
    }
    let has_classes = specs.iter().any(|it| matches!(it.loss, Some(Loss::CrossEntropy { .. })));
    if let (Some(flag), false) = (flags.first(), has_classes) {
        return Err(Failure::input(format!(
            "{flag} is for tasks of the loss cross_entropy, but there is none: leave it out, or name the loss, as in \
             --task COLUMN:cross_entropy"
        )));
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
            *class_weights = match &config.class_weights {
                Some(ClassWeights::Each(weights)) => Some(weights.clone()),
                // When the training labels are known.
                Some(ClassWeights::Word(word)) if word == BALANCED => None,
                Some(ClassWeights::Word(word)) => {
                    return Err(Failure::input(format!(
                        "task \"{task}\": class_weights \"{word}\": give a number a class, or \"{BALANCED}\""
                    )));
                }
                None => None,
            };
        }
        Loss::Quantile { quantile } => *quantile = config.quantile.unwrap_or(*quantile),
        Loss::GaussianNll { beta } => *beta = config.beta.unwrap_or(*beta),
        Loss::Mse | Loss::Mae | Loss::Poisson | Loss::Bce | Loss::LaplaceNll => {}
    }
    let name = loss.name();
    for (key, given, takes) in [
        ("delta", config.delta.is_some(), "huber"),
        ("quantile", config.quantile.is_some(), "quantile"),
        ("beta", config.beta.is_some(), "gaussian_nll"),
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
