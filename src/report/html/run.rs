//! Reading a run directory: its three files, and clear words where they are not what they should be.

use super::means::Means;
use crate::error::{Error, Result};
use crate::train::uncertainty::NumberCalibration;
use crate::train::{ByClass, HomoscedasticNoise, TaskImportance, TaskMetrics, Weighed};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

/// A run, as its directory tells it.
pub(super) struct Run {
    /// The directory's own name.
    pub(super) name: String,
    /// The text of `config.toml`.
    pub(super) config: String,
    pub(super) results: Results,
    pub(super) steps: Vec<Step>,
    pub(super) epochs: Vec<Epoch>,
}

/// A value a task, by name; none where the task has no label.
pub(super) type ByTask<T> = BTreeMap<String, Option<T>>;

/// A label and its prediction.
pub(super) type Pair = [Option<f64>; 2];

/// One step, its values before the update; of a fleet their means over its members.
pub(super) struct Step {
    pub(super) number: u64,
    /// In the order of the tasks.
    pub(super) tasks: Vec<TaskStep>,
}

/// What a step says of a task.
#[derive(Clone, Copy)]
pub(super) struct TaskStep {
    pub(super) loss: Option<f64>,
    pub(super) weight: Option<f64>,
    pub(super) sigma: Option<f64>,
}

/// One epoch; of a fleet the mean over its members.
#[derive(Deserialize)]
pub(super) struct Epoch {
    pub(super) epoch: u64,
    /// The last step of the epoch.
    pub(super) step: u64,
    pub(super) learning_rate: Option<f64>,
    pub(super) train: Losses,
    pub(super) validation: Option<Losses>,
}

/// Mean losses of an epoch.
#[derive(Deserialize)]
pub(super) struct Losses {
    pub(super) losses: ByTask<f64>,
}

/// `results.json`.
#[derive(Deserialize)]
pub(super) struct Results {
    pub(super) best_epoch: Option<u64>,
    pub(super) epochs: u64,
    pub(super) steps: u64,
    pub(super) seconds: f64,
    pub(super) adapter: Option<String>,
    pub(super) rows: Rows,
    pub(super) tasks: Vec<TaskFacts>,
    #[serde(default)]
    parts: Parts,
    /// From where to where the last part's figures may as well be, by task and figure.
    #[serde(default)]
    pub(super) intervals: Option<BTreeMap<String, BTreeMap<String, [f64; 2]>>>,
    /// The column whose groups were drawn for that, if it was not rows.
    #[serde(default)]
    pub(super) group: Option<String>,
    /// Figures of what the network should beat, by name.
    #[serde(default)]
    baselines: BTreeMap<String, Parts>,
    /// How each task is weighed in the model.
    #[serde(default)]
    pub(super) weights: BTreeMap<String, Weighed>,
    /// The noise that the weights stand for, a column of numbers each.
    #[serde(default)]
    pub(super) homoscedastic_noise: Vec<HomoscedasticNoise>,
    /// Whether the intervals of numbers hold what they promise on the last part.
    #[serde(default)]
    pub(super) calibration: Vec<NumberCalibration>,
    /// Of a fleet: what became of each network.
    #[serde(default)]
    pub(super) members: Vec<MemberFacts>,
    /// What the answers of the last part are like, class by class: by task, an entry a column.
    #[serde(default)]
    pub(super) by_class: Option<BTreeMap<String, Vec<ByClass>>>,
    /// What the features are worth on the last part.
    #[serde(default)]
    pub(super) importance: Option<Importance>,
    /// When the run ended.
    pub(super) date: Option<String>,
    /// Of the rows as the network was given them.
    pub(super) fingerprint: Option<String>,
    pub(super) seed: Option<u64>,
    pub(super) split_seed: Option<u64>,
    pub(super) version: Option<String>,
    #[serde(default)]
    pub(super) data: DataFacts,
    #[serde(default)]
    pub(super) warnings: Vec<String>,
    /// What was chosen for the user, a sentence each.
    #[serde(default)]
    pub(super) choices: Vec<String>,
    /// Labels and predictions of the last part.
    #[serde(default)]
    pub(super) scatter: BTreeMap<String, BTreeMap<String, Vec<Pair>>>,
}

/// What is told of the table.
#[derive(Default, Deserialize)]
pub(super) struct DataFacts {
    /// Where it was read from.
    pub(super) file: Option<String>,
}

/// What the features are worth.
#[derive(Deserialize)]
pub(super) struct Importance {
    pub(super) rows: u64,
    pub(super) draws: u64,
    #[serde(default)]
    pub(super) passed_over: u64,
    pub(super) tasks: ByTask<TaskImportance>,
}

/// What became of one network of a fleet.
#[derive(Deserialize)]
pub(super) struct MemberFacts {
    pub(super) member: u64,
    pub(super) seed: u64,
    pub(super) epochs: u64,
    pub(super) kept_epoch: u64,
    /// Why it is not in the model, if it is not.
    pub(super) failure: Option<String>,
    parts: Option<Parts>,
}

impl MemberFacts {
    /// Its figures alone on a part.
    pub(super) fn part(&self, name: &str) -> Option<&ByTask<TaskMetrics>> {
        self.parts.as_ref()?.named(name)
    }
}

impl Parts {
    fn named(&self, name: &str) -> Option<&ByTask<TaskMetrics>> {
        if name == "test" { self.test.as_ref() } else { self.validation.as_ref() }
    }
}

/// Number of rows of each part.
#[derive(Deserialize)]
pub(super) struct Rows {
    pub(super) train: u64,
    #[serde(default)]
    pub(super) validation: u64,
    #[serde(default)]
    pub(super) test: u64,
}

/// What a task is.
#[derive(Deserialize)]
pub(super) struct TaskFacts {
    pub(super) name: String,
    /// The loss's name.
    pub(super) loss: String,
    /// What its numbers are put through before they are learned.
    pub(super) transform: Option<String>,
    #[serde(default)]
    pub(super) columns: Vec<String>,
    #[serde(default)]
    classes: Option<Classes>,
    /// Where one was asked for.
    pub(super) threshold: Option<Threshold>,
}

/// By which one of two classes is answered.
#[derive(Deserialize)]
pub(super) struct Threshold {
    /// The probability of the second class above which it is answered, a column each.
    pub(super) values: Vec<f64>,
    /// What the validation rows chose it for.
    pub(super) chosen_for: Option<String>,
    /// What that comes to there, a column each, and what it would at ½.
    #[serde(default)]
    pub(super) validation: Vec<f64>,
    #[serde(default)]
    pub(super) validation_at_half: Vec<f64>,
}

/// The names of a task's classes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Classes {
    /// Of its one column.
    One(Vec<String>),
    /// Of each of its columns.
    EachColumn(Vec<Vec<String>>),
}

#[derive(Default, Deserialize)]
struct Parts {
    train: Option<ByTask<TaskMetrics>>,
    validation: Option<ByTask<TaskMetrics>>,
    test: Option<ByTask<TaskMetrics>>,
}

impl TaskFacts {
    /// How it is learned: `mse of the log`.
    pub(super) fn learned(&self) -> String {
        match &self.transform {
            Some(transform) => format!("{} of the {transform}", self.loss),
            None => self.loss.clone(),
        }
    }

    /// The name of a class of a column, or its index if it has none.
    pub(super) fn class(&self, column: usize, class: usize) -> String {
        let names = match &self.classes {
            Some(Classes::One(names)) => Some(names),
            Some(Classes::EachColumn(columns)) => columns.get(column),
            None => None,
        };
        names.and_then(|names| names.get(class)).map_or(class.to_string(), String::clone)
    }

    /// Words for which of several columns something is: `width: `; nothing for the only one.
    pub(super) fn of_column(&self, column: usize) -> String {
        match self.columns.get(column) {
            Some(name) if self.columns.len() > 1 => format!("{name}: "),
            _ => String::new(),
        }
    }
}

impl Results {
    /// The figures of a baseline on a part.
    pub(super) fn baseline(&self, name: &str, part: &str) -> Option<&ByTask<TaskMetrics>> {
        self.baselines.get(name)?.named(part)
    }

    /// The figures of the training rows, where they are known.
    pub(super) fn training(&self) -> Option<&ByTask<TaskMetrics>> {
        self.parts.train.as_ref()
    }

    /// The parts kept apart that some task was measured on, the test part last, with their names.
    pub(super) fn parts(&self) -> Vec<(&'static str, &ByTask<TaskMetrics>)> {
        let parts = [("validation", &self.parts.validation), ("test", &self.parts.test)];
        let measured = |part: &&ByTask<TaskMetrics>| part.values().any(Option::is_some);
        let some = parts
            .into_iter()
            .filter_map(|(name, part)| part.as_ref().filter(measured).map(|part| (name, part)));
        some.collect()
    }
}

impl Run {
    /// Reads `config.toml`, `metrics.jsonl` and `results.json`.
    ///
    /// # Errors
    /// See [`html`](super::html).
    pub(super) fn read(directory: &Path) -> Result<Self> {
        let config = read_text(directory, "config.toml")?;
        let results = read_results(directory)?;
        let (steps, epochs) = read_metrics(directory, &results.tasks)?;
        let full = directory.canonicalize().unwrap_or_else(|_| directory.into());
        let name = full.file_name().map_or("run".into(), |name| name.to_string_lossy().into());
        Ok(Self { name, config, results, steps, epochs })
    }
}

fn read_results(directory: &Path) -> Result<Results> {
    let text = read_text(directory, "results.json")?;
    let path = directory.join("results.json");
    let results: Results = serde_json::from_str(&text).map_err(|error| {
        let what = format!("{}, line {}: {}", path.display(), error.line(), reason(&error));
        Error::invalid(what, "evaluate or train again, for this is not what `awl train` writes")
    })?;
    match results.tasks.is_empty() {
        false => Ok(results),
        true => Err(Error::invalid(
            format!("{}: no task is named", path.display()),
            "train again, for this is not what `awl train` writes",
        )),
    }
}

/// A line of `metrics.jsonl`: an epoch's has `epoch`, a step's has not.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Epoch(Epoch),
    Step(StepLine),
}

#[derive(Deserialize)]
struct StepLine {
    step: u64,
    losses: ByTask<f64>,
    weight: ByTask<f64>,
    #[serde(default)]
    sigma: ByTask<f64>,
}

fn read_metrics(directory: &Path, tasks: &[TaskFacts]) -> Result<(Vec<Step>, Vec<Epoch>)> {
    let path = directory.join("metrics.jsonl");
    let file = File::open(&path).map_err(|source| unreadable(directory, path.clone(), source))?;
    let (mut steps, mut epochs) = (Means::default(), Means::default());
    for (index, line) in BufReader::new(file).lines().enumerate() {
        let bad = |reason: String| {
            Error::invalid(
                format!("{}, line {}: {reason}", path.display(), index + 1),
                "if the line was cut off, delete it; else this is not what `awl train` writes",
            )
        };
        let line = match line {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(bad("it is not UTF-8".into()));
            }
            line => line.map_err(|source| unreadable(directory, path.clone(), source))?,
        };
        if line.trim().is_empty() {
            continue;
        }
        match parse(&line).map_err(bad)? {
            Line::Epoch(epoch) => epochs.add(epoch.epoch, epoch),
            Line::Step(step) => steps.add(step.step, step.of_tasks(tasks)),
        }
    }
    Ok((steps.finish(), epochs.finish()))
}

/// A line, or why it is none.
fn parse(line: &str) -> Result<Line, String> {
    let value: serde_json::Value = serde_json::from_str(line).map_err(|error| reason(&error))?;
    let parsed = match value.get("epoch") {
        Some(_) => Epoch::deserialize(value).map(Line::Epoch),
        None => StepLine::deserialize(value).map(Line::Step),
    };
    parsed.map_err(|error| reason(&error))
}

impl StepLine {
    fn of_tasks(self, tasks: &[TaskFacts]) -> Step {
        let of = |values: &ByTask<f64>, name: &str| values.get(name).copied().flatten();
        let task = |task: &TaskFacts| TaskStep {
            loss: of(&self.losses, &task.name),
            weight: of(&self.weight, &task.name),
            sigma: of(&self.sigma, &task.name),
        };
        Step { number: self.step, tasks: tasks.iter().map(task).collect() }
    }
}

fn read_text(directory: &Path, file: &str) -> Result<String> {
    let path = directory.join(file);
    match fs::read(&path) {
        Err(source) => Err(unreadable(directory, path, source)),
        Ok(bytes) => String::from_utf8(bytes).map_err(|_| {
            Error::invalid(
                format!("{} is not UTF-8", path.display()),
                "train again, for this is not what `awl train` writes",
            )
        }),
    }
}

/// What is wrong with a piece of JSON, without the place, which the caller knows better.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].into(),
        None => text,
    }
}

fn unreadable(directory: &Path, path: PathBuf, source: io::Error) -> Error {
    if source.kind() != io::ErrorKind::NotFound {
        return Error::File { path, source };
    }
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    Error::invalid(
        format!("{} is not the directory of a finished run: it has no {file}", directory.display()),
        "name one that `awl train` has made",
    )
}
