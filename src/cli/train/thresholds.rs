//! Thresholds between two classes: what is asked for, and what the validation rows make of it.

use super::config::{Task as TaskConfig, Threshold};
use super::data::{Data, Part, Told};
use crate::cli::failure::Failure;
use awl::tables::{TargetColumn, TargetEncoding, TargetSpec};
use awl::train::{Baselines, ChosenThreshold, ThresholdAim, choose_thresholds};
use awl::{Encoder, Loss, Matrix, Table};
use serde_json::{Value, json};

/// What is asked for at one task.
pub struct Rule {
    task: String,
    aim: Aim,
}

enum Aim {
    /// The threshold itself.
    At(f64),
    /// To be chosen by the validation rows; with the rarer class among the training labels, 0 or 1, a column each.
    For(ThresholdAim, Vec<usize>),
}

impl Rule {
    /// Whether the validation rows are to choose it.
    pub fn is_to_be_chosen(&self) -> bool {
        matches!(self.aim, Aim::For(..))
    }
}

/// What has come of a rule.
pub struct Chosen {
    pub task: String,
    /// A column each.
    pub thresholds: Vec<f64>,
    aim: Option<ThresholdAim>,
    found: Vec<ChosenThreshold>,
}

/// Writes what the flag asks for into the configuration: `--threshold f1` of every task of two classes, `--threshold TASK=f1` of one.
pub fn ask(
    tasks: &mut [TaskConfig],
    flags: &[String],
    specs: &[TargetSpec],
    table: &Table,
) -> Result<(), Failure> {
    for flag in flags {
        let is_task = |name: &str| specs.iter().any(|spec| spec.name == name);
        let (named, text) = match flag.rsplit_once('=') {
            Some((name, _)) if !is_task(name) => {
                let tasks: Vec<String> =
                    specs.iter().map(|spec| format!("\"{}\"", spec.name)).collect();
                return Err(Failure::input(format!(
                    "--threshold {flag}: there is no task \"{name}\": the tasks are {}",
                    tasks.join(", ")
                )));
            }
            Some((name, text)) => (Some(name), text),
            None => (None, flag.as_str()),
        };
        let threshold = Threshold::parse(text);
        let mut is_taken = false;
        for task in &mut *tasks {
            let spec = specs.iter().find(|spec| task.name.as_ref() == Some(&spec.name));
            let is_meant = match (named, spec) {
                (_, None) => false,
                (Some(named), Some(spec)) => spec.name == named,
                (None, Some(spec)) => has_two_classes(spec, table),
            };
            if is_meant {
                task.threshold = Some(threshold.clone());
                is_taken = true;
            }
        }
        if !is_taken {
            return Err(Failure::input(format!(
                "--threshold {flag} is for tasks of two classes, but there is none: leave it out"
            )));
        }
    }
    Ok(())
}

fn has_two_classes(spec: &TargetSpec, table: &Table) -> bool {
    match &spec.loss {
        Some(Loss::Bce) => true,
        Some(Loss::CrossEntropy { .. }) => {
            // Two different values alone suggest bce.
            let plain = TargetSpec { loss: None, ..spec.clone() };
            plain.infer(table).is_ok_and(|inferred| inferred.loss == Loss::Bce)
        }
        _ => false,
    }
}

/// What is asked for of the tasks of an encoder, checked; the choices are told.
pub fn rules(
    encoder: &Encoder,
    tasks: &[TaskConfig],
    training: &Table,
    validation: Option<&Table>,
    told: &mut Told,
) -> Result<Vec<Rule>, Failure> {
    let mut rules = Vec::new();
    for task in tasks {
        let Some(asked) = &task.threshold else { continue };
        let target = encoder.targets().iter().find(|it| Some(&it.name) == task.name.as_ref());
        let Some(target) = target else { continue };
        let name = &target.name;
        let wrong = |words: String| Failure::input(format!("task \"{name}\": {words}"));
        if target.thresholds().is_empty() {
            let classes = match &target.encoding {
                TargetEncoding::Classes(names) => format!("{} classes", names.len()),
                _ => format!("the loss {}", target.loss.name()),
            };
            return Err(wrong(format!(
                "a threshold is for tasks of two classes, and this one has {classes}: leave it out, or name the tasks that it is for, as \
                 in --threshold TASK=f1"
            )));
        }
        let aim = asked.aim().map_err(wrong)?;
        let aim = match aim {
            Ok(threshold) => Aim::At(threshold),
            Err(aim) => {
                check_validation(target, validation, aim).map_err(wrong)?;
                let counts = target.count(training)?.classes;
                // Of equally rare ones the second, which is the yes.
                let rarer = counts.chunks(2).map(|it| usize::from(it[1] <= it[0])).collect();
                Aim::For(aim, rarer)
            }
        };
        told.choices.push(match &aim {
            Aim::At(threshold) => format!("threshold of \"{name}\": {threshold}, as asked for"),
            Aim::For(aim, rarer) => format!(
                "threshold of \"{name}\": to be chosen by the validation rows, for {}",
                words(*aim, target, rarer)
            ),
        });
        rules.push(Rule { task: name.clone(), aim });
    }
    Ok(rules)
}

/// Checks that the validation rows have labels of both classes.
fn check_validation(
    target: &TargetColumn,
    validation: Option<&Table>,
    aim: ThresholdAim,
) -> Result<(), String> {
    let name = aim_name(aim);
    let remedy = "give a number, as in --threshold 0.3, or keep more rows for validation";
    let Some(validation) = validation else {
        return Err(format!(
            "the threshold \"{name}\" is chosen by validation rows, and there are none: {remedy}"
        ));
    };
    let counts = target.count(validation).map_err(|error| error.to_string())?.classes;
    for (column, counts) in counts.chunks(2).enumerate() {
        if let Some(class) = counts.iter().position(|count| *count == 0) {
            return Err(format!(
                "the threshold \"{name}\" is chosen by validation rows, and none of them has the label \"{}\": {remedy}",
                classes(target, column)[class]
            ));
        }
    }
    Ok(())
}

/// The two classes of a column.
fn classes(target: &TargetColumn, column: usize) -> &[String] {
    match &target.encoding {
        TargetEncoding::Binary(pairs) => &pairs[column],
        encoding => encoding.classes().unwrap_or_default(),
    }
}

fn aim_name(aim: ThresholdAim) -> &'static str {
    match aim {
        ThresholdAim::F1 => "f1",
        ThresholdAim::Balanced => "balanced",
    }
}

/// `the F1 of "fraud", the rarer class`
fn words(aim: ThresholdAim, target: &TargetColumn, rarer: &[usize]) -> String {
    match aim {
        ThresholdAim::Balanced => "the balanced accuracy".into(),
        ThresholdAim::F1 => {
            let rarer = rarer.iter().enumerate();
            let rarer =
                rarer.map(|(column, &class)| format!("\"{}\"", classes(target, column)[class]));
            let rarer: Vec<String> = rarer.collect();
            format!("the F1 of {}, the rarer class", rarer.join(", "))
        }
    }
}

/// Chooses by the validation rows, answered by `predictions` of shape `[rows, outputs]`.
pub fn choose(
    rules: &[Rule],
    encoder: &Encoder,
    validation: Option<&Part>,
    predictions: Option<&Matrix>,
) -> Result<Vec<Chosen>, Failure> {
    let choose = |rule: &Rule| {
        let task = rule.task.clone();
        let columns = encoder.targets().iter().find(|it| it.name == task);
        let columns = columns.map_or(0, |it| it.thresholds().len());
        Ok(match (&rule.aim, validation, predictions) {
            (Aim::At(threshold), ..) => {
                Chosen { task, thresholds: vec![*threshold; columns], aim: None, found: Vec::new() }
            }
            (Aim::For(aim, rarer), Some(part), Some(predictions)) => {
                let found =
                    choose_thresholds(encoder, &part.table, predictions, &task, *aim, rarer)?;
                let found: Vec<ChosenThreshold> = found.into_iter().flatten().collect();
                let thresholds = found.iter().map(|it| it.threshold).collect();
                Chosen { task, thresholds, aim: Some(*aim), found }
            }
            // Checked before training.
            (Aim::For(aim, _), ..) => {
                Chosen { task, thresholds: Vec::new(), aim: Some(*aim), found: Vec::new() }
            }
        })
    };
    rules.iter().map(choose).collect()
}

/// The encoder that answers by what was chosen.
pub fn apply(encoder: &Encoder, chosen: &[Chosen]) -> Result<Encoder, Failure> {
    let mut encoder = encoder.clone();
    for it in chosen {
        encoder = encoder.with_thresholds(&it.task, it.thresholds.clone())?;
    }
    Ok(encoder)
}

/// Has the linear model answer by thresholds that are chosen as the network's are: it is compared with what it can do.
pub fn of_linear(baselines: &mut Baselines, data: &Data) -> Result<(), Failure> {
    if data.thresholds.is_empty() {
        return Ok(());
    }
    let validation = data.validation.as_ref();
    let predict = |part: &Part| baselines.predict(part.data.features());
    let linear = validation.map(predict).transpose()?.map(|[_, linear]| linear);
    let chosen = choose(&data.thresholds, &data.encoder, validation, linear.as_ref())?;
    baselines.thresholds = chosen.into_iter().map(|it| (it.task, it.thresholds)).collect();
    Ok(())
}

impl Chosen {
    /// For `results.json`: the thresholds, what they were chosen for, and what that comes to on the validation rows, here and at ½.
    pub fn json(&self) -> Value {
        let scores =
            |of: fn(&ChosenThreshold) -> f64| self.found.iter().map(of).collect::<Vec<_>>();
        json!({
            "values": self.thresholds,
            "chosen_for": self.aim.map(aim_name),
            "validation": scores(|it| it.score),
            "validation_at_half": scores(|it| it.score_at_half),
        })
    }
}
