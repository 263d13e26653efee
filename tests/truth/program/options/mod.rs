//! Every option of `awl train` does what it says: a table of options, each with the run that it asks for, made by the `f64`
//! reference engine from a recipe that is written down here. An option without a row fails.

mod table;

use self::table::{ELSEWHERE, KIND, NUMBER, OPTIONS, TASKS};
use super::{folder, lines, succeed};
use crate::support::{run, schedule};
use awl::data::{Dataset, Matrix, Target};
use awl::engine::{Engine, Recipe, Record, Reference};
use awl::weighting::awl::equilibrium;
use awl::{Activation, Adam, AutomaticWeightedLoss, Loss, Network, Schedule, Task, Weighting};
use std::collections::BTreeMap;
use std::path::Path;

/// Rows of the table, and of a batch: the last of an epoch is short.
const ROWS: usize = 40;
const BATCH: usize = 16;
const EPOCHS: usize = 4;
const STEPS_AN_EPOCH: u64 = 3;

/// What a run is expected to be.
struct Run {
    tasks: Vec<Task>,
    hidden: Vec<usize>,
    activation: Activation,
    dropout: f64,
    weighting: Weighting,
    adam: Adam,
    schedule: Schedule,
    clip: Option<f64>,
    batch: usize,
    shuffle: bool,
    seed: u64,
    epochs: usize,
    starts_at_rest: bool,
}

impl Run {
    /// The settings that every run here has.
    fn base() -> Self {
        Self {
            tasks: vec![
                Task::new("number", Loss::Mse, 1),
                Task::new("kind", Loss::cross_entropy(), 3),
            ],
            hidden: vec![5],
            activation: Activation::Relu,
            dropout: 0.0,
            weighting: AutomaticWeightedLoss::new(2).into(),
            adam: Adam::new(0.02),
            schedule: Schedule::constant(),
            clip: None,
            batch: BATCH,
            shuffle: false,
            seed: 5,
            epochs: EPOCHS,
            starts_at_rest: false,
        }
    }

    fn of_classes(loss: Loss) -> Self {
        let mut run = Self::base();
        run.tasks[1].loss = loss;
        run
    }

    /// The records of its steps over all rows.
    fn records(self) -> Vec<Record> {
        self.records_of(data(|_| true))
    }

    fn records_of(self, data: Dataset) -> Vec<Record> {
        let network = Network::new(2, &self.hidden, self.activation, &self.tasks);
        let network = network.and_then(|it| it.with_dropout(self.dropout)).expect("a network");
        let mut recipe = Recipe::new(network, self.weighting, self.adam);
        recipe.schedule = self.schedule;
        recipe.clip = self.clip;
        recipe.batch = self.batch;
        recipe.shuffle = self.shuffle;
        recipe.seed = self.seed;
        let rows = data.rows();
        let mut engine = Reference::new(recipe.clone(), data.clone()).expect("the recipe fits");
        if self.starts_at_rest {
            let mut whole = recipe;
            whole.batch = rows;
            whole.network = whole.network.with_dropout(0.0).expect("a network");
            let whole = Reference::new(whole, data).expect("the recipe fits");
            let at_start = whole.gradients(&schedule(rows, rows, 1)[0]).expect("a step").record;
            let mut state = pollster::block_on(engine.state()).expect("a state");
            for (sigma, task) in state.sigma.iter_mut().zip(at_start.tasks) {
                *sigma = equilibrium(task.loss.expect("labels"));
            }
            engine.load(&state).expect("the state fits");
        }
        let steps = self.epochs * rows.div_ceil(self.batch);
        run(&mut engine, &schedule(self.batch, rows, steps)).expect("the steps")
    }
}

/// The columns x, z, number and kind: binary fractions, which no format rounds.
fn rows() -> impl Iterator<Item = (f32, f32, f32, u32)> {
    let part = |row: usize, prime: usize| (row * prime % 64) as f32 / 32.0 - 1.0;
    (0..ROWS).map(move |row| {
        let (x, z) = (part(row, 37), part(row, 11));
        (x, z, 2.0 * x - z * z, u32::from(x > 0.0) + u32::from(z > 0.25))
    })
}

/// Some of the rows.
fn data(takes: impl Fn(usize) -> bool) -> Dataset {
    let rows: Vec<_> =
        rows().enumerate().filter(|(number, _)| takes(*number)).map(|(_, row)| row).collect();
    let features = rows.iter().flat_map(|(x, z, ..)| [*x, *z]).collect();
    let numbers = Matrix::new(1, rows.iter().map(|row| row.2).collect()).expect("a column");
    let kinds = Target::classes(rows.iter().map(|row| row.3).collect());
    let features = Matrix::new(2, features).expect("two columns");
    Dataset::new(features, vec![Target::numbers(numbers), kinds]).expect("a dataset")
}

fn table() -> String {
    let kinds = ["low", "middle", "up"];
    let lines = rows().map(|(x, z, y, kind)| format!("{x},{z},{y},{}\n", kinds[kind as usize]));
    "x,z,number,kind\n".to_string() + &lines.collect::<String>()
}

/// The configuration file with these settings in place of the usual ones.
fn file(settings: &[(&str, &str)], tasks: &str) -> String {
    let usual = [
        ("data.path", "\"table.csv\""),
        ("data.validation", "0.0"),
        ("data.test", "0.0"),
        ("data.standardize", "false"),
        ("model.hidden", "[5]"),
        ("model.dropout", "0.0"),
        ("optimizer.name", "\"adam\""),
        ("optimizer.lr", "0.02"),
        ("train.epochs", "4"),
        ("train.batch_size", "16"),
        ("train.seed", "5"),
        ("train.shuffle", "false"),
        ("train.engine", "\"reference\""),
    ];
    let all: BTreeMap<&str, &str> = usual.iter().chain(settings).copied().collect();
    let lines: String = all.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    lines + tasks
}

/// Runs the program and returns the lines of its steps.
fn steps(folder: &Path, arguments: &[&str]) -> Vec<serde_json::Value> {
    let _ = std::fs::remove_dir_all(folder.join("run"));
    succeed(folder, &[&["train", "--out", "run", "--quiet"], arguments].concat());
    let all = lines(&folder.join("run/metrics.jsonl"));
    all.into_iter().filter(|line| line.get("epoch").is_none()).collect()
}

/// Holds the lines of a run against the records expected.
fn hold(case: &str, found: &[serde_json::Value], expected: &[Record]) {
    assert_eq!(found.len(), expected.len(), "{case}: steps");
    for (line, record) in found.iter().zip(expected) {
        let close = |what: &str, found: &serde_json::Value, expected: Option<f64>| {
            let error = match (found.as_f64(), expected) {
                (Some(found), Some(expected)) => (found - expected).abs() / (1e-3 + expected.abs()),
                (None, None) => 0.0,
                _ => f64::INFINITY,
            };
            assert!(
                error < 1e-6,
                "{case}, step {}, {what}: {found}, not {expected:?}",
                record.step
            );
        };
        close("total", &line["total"], Some(record.total));
        for (name, task) in ["number", "kind"].iter().zip(&record.tasks) {
            close("loss", &line["losses"][name], task.loss);
            close("weight", &line["weight"][name], Some(task.weight));
            close("sigma", &line["sigma"][name], task.sigma);
        }
    }
}

#[test]
fn every_option_does_what_it_says() {
    let folder = folder("options");
    std::fs::write(folder.join("table.csv"), table()).expect("a table");
    let tasks = NUMBER.to_string() + "loss = \"mse\"\n" + KIND;
    let write = |text: &str| std::fs::write(folder.join("run.toml"), text).expect("a file");
    let mut usual = Vec::new();
    for (settings, flags, expected) in OPTIONS {
        let case = format!("{settings:?}");
        write(&file(settings, &tasks));
        let by_file = steps(&folder, &["--config", "run.toml"]);
        hold(&case, &by_file, &expected().records());
        if usual.is_empty() {
            usual.clone_from(&by_file);
        } else {
            assert_ne!(by_file, usual, "{case}: without effect");
        }
        if !flags.is_empty() {
            write(&file(&[], &tasks));
            let flags: Vec<&str> = flags.split(' ').collect();
            let by_flags = steps(&folder, &[&["--config", "run.toml"], &flags[..]].concat());
            assert_eq!(by_flags, by_file, "{case}: the flags do otherwise than the file");
        }
    }
    for (key, number, kind, expected) in TASKS {
        let loss = if number.contains("loss") { "" } else { "loss = \"mse\"\n" };
        let fixed = [("weighting.scheme", "\"fixed\"")];
        let settings = if *key == "weight" { &fixed[..] } else { &[] };
        write(&file(settings, &format!("{NUMBER}{loss}{number}{KIND}{kind}")));
        let found = steps(&folder, &["--config", "run.toml"]);
        hold(key, &found, &expected().records());
        assert_ne!(found, usual, "{key}: without effect");
    }
}

/// Without shuffling the training rows come in the table's order, whatever lies between them.
#[test]
fn rows_come_in_order_beside_rows_to_validate_on() {
    let folder = folder("options_order");
    let parts = ["part"].into_iter().chain((0..ROWS).map(|row| match row % 4 {
        1 => "validation",
        _ => "train",
    }));
    let table = table();
    let lines = table.lines().zip(parts).map(|(line, part)| format!("{line},{part}\n"));
    std::fs::write(folder.join("table.csv"), lines.collect::<String>()).expect("a table");
    let tasks = NUMBER.to_string() + "loss = \"mse\"\n" + KIND;
    let text =
        file(&[], &tasks).replace("data.test = 0.0\n", "").replace("data.validation = 0.0\n", "");
    std::fs::write(folder.join("run.toml"), text).expect("a file");
    let found = steps(&folder, &["--config", "run.toml", "--split", "part", "--no-shuffle"]);
    hold("in order", &found, &Run::base().records_of(data(|row| row % 4 != 1)));
}

/// Every scalar of this name in TensorBoard's file, in order: after its name the mark of a float, then the float.
fn scalars(run: &Path, name: &str) -> Vec<f32> {
    let files = std::fs::read_dir(run).expect("the run").flatten().map(|file| file.path());
    let is_of_events = |path: &std::path::PathBuf| path.to_string_lossy().contains("tfevents");
    let bytes =
        std::fs::read(files.into_iter().find(is_of_events).expect("events")).expect("a file");
    let mark = [name.as_bytes(), &[0x15]].concat();
    let at = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(&mark));
    at.map(|at| &bytes[at + mark.len()..][..4])
        .map(|float| f32::from_le_bytes(float.try_into().expect("four bytes")))
        .collect()
}

#[test]
fn tensorboard_is_told_of_the_last_step_of_each_epoch() {
    let folder = folder("options_tensorboard");
    std::fs::write(folder.join("table.csv"), table()).expect("a table");
    let tasks = NUMBER.to_string() + "loss = \"mse\"\n" + KIND;
    std::fs::write(folder.join("run.toml"), file(&[], &tasks)).expect("a file");
    let steps = steps(&folder, &["--config", "run.toml", "--tensorboard"]);
    for name in ["number", "kind"] {
        for what in ["weight", "sigma"] {
            let last =
                steps.iter().skip(STEPS_AN_EPOCH as usize - 1).step_by(STEPS_AN_EPOCH as usize);
            let last: Vec<f32> =
                last.map(|line| line[what][name].as_f64().expect("a number") as f32).collect();
            assert_eq!(scalars(&folder.join("run"), &format!("{what}/{name}")), last, "{what}");
        }
    }
}

#[test]
fn every_option_has_a_row() {
    let help = succeed(Path::new("."), &["train", "--help"]);
    let flags: Vec<&str> = help
        .lines()
        .filter(|line| line.trim_start().starts_with('-'))
        .flat_map(|line| line.split([' ', ',', '[', '<']))
        .filter(|word| word.starts_with("--") && word.len() > 2)
        .collect();
    assert!(flags.len() > 40, "{flags:?}");
    let by_flags = OPTIONS.iter().flat_map(|(_, flags, _)| flags.split(' '));
    let held: Vec<&str> = by_flags.chain(ELSEWHERE.iter().map(|(flag, _)| *flag)).collect();
    let missing: Vec<_> = flags.iter().filter(|flag| !held.contains(flag)).collect();
    assert!(missing.is_empty(), "no row for {missing:?}");
    let gone: Vec<_> =
        held.iter().filter(|flag| flag.starts_with("--") && !flags.contains(flag)).collect();
    assert!(gone.is_empty(), "rows of {gone:?}, which are no options");
}

/// What a run saves has every key of the file; those of the steps' arithmetic each have a row.
#[test]
fn every_key_of_the_file_has_a_row() {
    let folder = folder("options_keys");
    std::fs::write(folder.join("table.csv"), table()).expect("a table");
    let tasks = format!(
        "{NUMBER}loss = \"huber\"\ndelta = 1.0\nweight = 1.0\n{KIND}label_smoothing = 0.1\n\
         class_weights = [1.0, 1.0, 1.0]\nweight = 1.0\n"
    );
    let settings = [("weighting.scheme", "\"fixed\""), ("optimizer.clip", "1.0")];
    std::fs::write(folder.join("run.toml"), file(&settings, &tasks)).expect("a file");
    steps(&folder, &["--config", "run.toml"]);
    let saved = std::fs::read_to_string(folder.join("run/config.toml")).expect("a configuration");
    let saved: toml::Table = saved.parse().expect("TOML");
    let mut missing = Vec::new();
    for section in ["model", "weighting", "optimizer", "train"] {
        for key in saved[section].as_table().expect("a section").keys() {
            let key = format!("{section}.{key}");
            let is_elsewhere = [
                "train.patience",
                "train.engine",
                "train.start",
                "train.log_every",
                "train.tensorboard",
            ];
            let is_held =
                OPTIONS.iter().any(|(settings, ..)| settings.iter().any(|it| it.0 == key));
            if !is_held && !is_elsewhere.contains(&key.as_str()) {
                missing.push(key);
            }
        }
    }
    for task in saved["task"].as_array().expect("tasks") {
        for key in task.as_table().expect("a task").keys() {
            let is_held = TASKS.iter().any(|(held, ..)| held == key);
            if !is_held && !["name", "columns"].contains(&key.as_str()) {
                missing.push(format!("task.{key}"));
            }
        }
    }
    assert!(missing.is_empty(), "no row for {missing:?}");
}
