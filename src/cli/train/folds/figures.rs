//! The figures of all runs: of each task how the network does and how the baselines do on every run's own test rows, and what all
//! tested rows come to together.

use super::Place;
use super::pooled::{pooled_classes, pooled_numbers};
use super::rows::{PLACE, Rows};
use super::sentences::{listed, together};
use super::spread::Spread;
use crate::cli::failure::Failure;
use crate::cli::run_dir::RunDir;
use crate::cli::train::config::Config;
use serde_json::{Map, Value, json};

/// Who answers.
pub const NAMES: [&str; 3] = ["network", "linear", "constant"];

/// A figure, of each of those.
pub struct Figure {
    /// As `results.json` calls it.
    pub name: &'static str,
    pub of: [Spread; 3],
}

/// The figures of a task, or of one of its columns.
pub struct Block {
    /// The task, or the column.
    pub name: String,
    pub figures: Vec<Figure>,
    /// Of all tested rows together; nothing where a task has several columns.
    pooled: Value,
}

/// A task.
pub struct Task {
    pub name: String,
    loss: String,
    labelled: Vec<u64>,
    pub whole: Block,
    /// Where it has several.
    pub columns: Vec<Block>,
    /// The place among the figures of the one by which networks are told apart.
    pub headline: usize,
    pub weight: Spread,
    pub sigma: Spread,
    /// Of a column each, where thresholds were asked for: its name, its second class, and the runs' thresholds.
    pub thresholds: Vec<(String, String, Spread)>,
}

/// What all runs come to.
pub struct Figures {
    pub folds: Option<usize>,
    pub repeats: usize,
    pub rows: u64,
    split_seed: u64,
    /// The first run's directory.
    pub first: String,
    runs: Vec<Value>,
    pub tasks: Vec<Task>,
    pub warnings: Vec<String>,
}

impl Task {
    /// Run by run how much better the network is than the linear model, by the headline: above 0 is better.
    pub fn gain(&self) -> Spread {
        let Figure { name, of: [network, linear, _] } = &self.whole.figures[self.headline];
        if is_error(name) { linear.less(network) } else { network.less(linear) }
    }

    /// In how many runs it is better, and how many have the figures of both.
    pub fn better(&self) -> (usize, usize) {
        let gain = self.gain();
        (gain.0.iter().flatten().filter(|gain| **gain > 0.0).count(), gain.counted())
    }
}

/// Where a column's labels and answers are among the rows, and which column of its task it is, if there are several.
struct At {
    labels: usize,
    answers: usize,
    column: Option<usize>,
}

fn is_of_classes(loss: &str) -> bool {
    matches!(loss, "bce" | "cross_entropy")
}

/// The place among the figures of the one by which networks are told apart.
fn headline(loss: &str, is_single: bool, has_threshold: bool) -> usize {
    match (loss, is_single) {
        // As elsewhere: what a threshold does not change.
        ("bce" | "cross_entropy", _) if has_threshold => AUC,
        ("mse", true) | ("bce" | "cross_entropy", _) => 0,
        (_, true) => 1,
        (_, false) => 2,
    }
}

/// The place of the AUC among the figures of classes.
const AUC: usize = 2;

/// Whether less of it is better.
fn is_error(figure: &str) -> bool {
    matches!(figure, "rmse" | "mae" | "log_loss")
}

impl Figures {
    /// Of these runs, which are all done; their rows are gathered too.
    pub fn gather(all: &RunDir, config: &Config, places: &[Place]) -> Result<Self, Failure> {
        let rows = Rows::gather(all, places)?;
        let read = |place: &Place| -> Result<Value, Failure> {
            let path = all.path().join(&place.directory).join("results.json");
            let text =
                std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok(serde_json::from_slice(&text)
                .map_err(|error| format!("{}: {error}", path.display()))?)
        };
        let results = places.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let names: Vec<&str> = places.iter().map(|place| place.directory.as_str()).collect();
        let runs = Runs { names: &names, results: &results, rows: &rows };
        let mut lacking = Vec::new();
        let tasks = runs.tasks(&mut lacking);
        let told: Vec<Vec<String>> = results.iter().map(|it| words(&it["warnings"])).collect();
        let mut warnings = together(names.iter().copied().zip(told.iter().map(Vec::as_slice)));
        warnings.extend(lacking);
        let first = results.first().map(|it| it["rows"].clone()).unwrap_or_default();
        let parts = ["train", "validation", "test"].map(|part| first[part].as_u64().unwrap_or(0));
        let run = |(place, it): (&Place, &Value)| {
            json!({
                "directory": place.directory,
                "repeat": place.repeat,
                "fold": place.fold,
                "rows": it["rows"],
                "epochs": it["epochs"],
                "kept_epoch": it["kept_epoch"],
            })
        };
        Ok(Self {
            folds: config.data.folds,
            repeats: config.data.repeats.unwrap_or(1),
            rows: parts.iter().sum(),
            split_seed: config.data.seed_of_the_split(&config.train),
            first: names.first().copied().unwrap_or_default().into(),
            runs: places.iter().zip(&results).map(run).collect(),
            tasks,
            warnings,
        })
    }

    /// `results.json`
    pub fn json(&self) -> Value {
        let tasks = self.tasks.iter().map(|task| (task.name.clone(), task.json()));
        let weights = self.tasks.iter().map(|task| {
            let own = json!({ "weight": task.weight.json(), "sigma": task.sigma.json() });
            (task.name.clone(), own)
        });
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "folds": self.folds,
            "repeats": self.repeats,
            "split_seed": self.split_seed,
            "rows": self.rows,
            "runs": self.runs,
            "tasks": tasks.collect::<Map<_, _>>(),
            "weights": weights.collect::<Map<_, _>>(),
            "warnings": self.warnings,
        })
    }
}

impl Task {
    fn json(&self) -> Value {
        let mut json = self.whole.json();
        let (better, of) = self.better();
        json["loss"] = json!(self.loss);
        json["labelled"] = json!(self.labelled);
        json["better_than_linear"] = json!({ "figure": self.whole.figures[self.headline].name, "runs": better, "of": of, "gain": self.gain().json() });
        if !self.thresholds.is_empty() {
            let of = self.thresholds.iter().map(|(column, _, it)| (column.clone(), it.json()));
            json["thresholds"] = of.collect::<Map<_, _>>().into();
        }
        if !self.columns.is_empty() {
            let columns = self.columns.iter().map(|block| (block.name.clone(), block.json()));
            json["columns"] = columns.collect::<Map<_, _>>().into();
        }
        json
    }
}

impl Block {
    fn json(&self) -> Value {
        let of = |(index, name): (usize, &str)| {
            let figures = self.figures.iter().map(|it| (it.name.to_string(), it.of[index].json()));
            (name.to_string(), Value::from(figures.collect::<Map<_, _>>()))
        };
        let mut json: Map<_, _> = NAMES.into_iter().enumerate().map(of).collect();
        json.insert("pooled".into(), self.pooled.clone());
        json.into()
    }
}

/// What the runs left.
struct Runs<'a> {
    names: &'a [&'a str],
    results: &'a [Value],
    rows: &'a Rows,
}

impl Runs<'_> {
    /// The tasks; `lacking` gets what is to be said of runs without a task's labels or one of its classes.
    fn tasks(&self, lacking: &mut Vec<String>) -> Vec<Task> {
        let mut next = PLACE;
        let none = Vec::new();
        let tasks = self.results.first().and_then(|it| it["tasks"].as_array()).unwrap_or(&none);
        let task = |task: &Value| {
            let columns = words(&task["columns"]);
            let labels = next;
            next += 2 * columns.len() + probabilities(task);
            self.task(task, &columns, labels, lacking)
        };
        tasks.iter().map(task).collect()
    }

    /// A task, whose labels have this place in the rows and its answers the next.
    fn task(&self, task: &Value, columns: &[String], at: usize, lacking: &mut Vec<String>) -> Task {
        let (name, loss) = (text(&task["name"]), text(&task["loss"]));
        let is_single = columns.len() == 1;
        let of_classes = is_of_classes(&loss);
        let own = |result: &Value, who: usize| match NAMES[who] {
            "network" => result["parts"]["test"][&name].clone(),
            baseline => result["baselines"][baseline]["test"][&name].clone(),
        };
        let metrics: [Vec<Value>; 3] =
            [0, 1, 2].map(|who| self.results.iter().map(|it| own(it, who)).collect());
        let labelled = |it: &Value| it["labelled"].as_u64().unwrap_or(0);
        let labelled: Vec<u64> = metrics[0].iter().map(labelled).collect();
        self.tell_of_labels(&name, &labelled, lacking);
        let place = |column: usize| At {
            labels: at + column,
            answers: at + columns.len() + column,
            column: (!is_single).then_some(column),
        };
        let mut blocks: Vec<Block> = Vec::with_capacity(columns.len());
        for (column, called) in columns.iter().enumerate() {
            let called = if is_single { &name } else { called };
            blocks.push(self.block(task, called, place(column), &metrics, lacking));
        }
        let (whole, columns) = match is_single {
            true => (blocks.remove(0), Vec::new()),
            false => {
                let figures = figures(of_classes, &metrics, &vec![false; self.names.len()]);
                (Block { name: name.clone(), figures, pooled: Value::Null }, blocks)
            }
        };
        let headline = headline(&loss, is_single, task["threshold"].is_object());
        let of_weights = |what: &str| {
            Spread(self.results.iter().map(|it| it["weights"][&name][what].as_f64()).collect())
        };
        let (weight, sigma) = (of_weights("weight"), of_weights("sigma"));
        let thresholds = self.thresholds(&name, task);
        Task { name, loss, labelled, whole, columns, headline, weight, sigma, thresholds }
    }

    /// By what the answers of a task are given, where thresholds were asked for.
    fn thresholds(&self, name: &str, task: &Value) -> Vec<(String, String, Spread)> {
        let asked = task["threshold"]["values"].as_array().map_or(0, Vec::len);
        let of_run = |run: &Value, column: usize| {
            let mut tasks = run["tasks"].as_array().into_iter().flatten();
            tasks.find(|it| it["name"] == *name)?["threshold"]["values"][column].as_f64()
        };
        let of_column = |column: usize| {
            let values = self.results.iter().map(|run| of_run(run, column)).collect();
            let (called, second) = match asked {
                1 => (name.to_string(), &task["classes"][1]),
                _ => (text(&task["columns"][column]), &task["classes"][column][1]),
            };
            (called, text(second), Spread(values))
        };
        (0..asked).map(of_column).collect()
    }

    /// A column of a task, or its only one, whose figures are among the task's.
    fn block(
        &self,
        task: &Value,
        name: &str,
        at: At,
        metrics: &[Vec<Value>; 3],
        lacking: &mut Vec<String>,
    ) -> Block {
        let of_classes = is_of_classes(&text(&task["loss"]));
        let own = |it: &Value| at.column.map_or(it, |column| &it["columns"][column]).clone();
        let metrics: [Vec<Value>; 3] =
            metrics.each_ref().map(|of: &Vec<Value>| of.iter().map(own).collect());
        let classes = at.column.map_or(&task["classes"], |column| &task["classes"][column]);
        let absent = self.absent(name, &words(classes), &metrics[0], lacking);
        let pairs = self.rows.pairs(at.labels, at.answers);
        let pooled = if of_classes { pooled_classes(&pairs) } else { pooled_numbers(&pairs) };
        Block { name: name.into(), figures: figures(of_classes, &metrics, &absent), pooled }
    }

    /// Says which runs have no label of a task to test on.
    fn tell_of_labels(&self, task: &str, labelled: &[u64], lacking: &mut Vec<String>) {
        let without: Vec<&str> = self
            .names
            .iter()
            .zip(labelled)
            .filter(|(_, count)| **count == 0)
            .map(|it| *it.0)
            .collect();
        let runs = self.names.len();
        if !without.is_empty() {
            lacking.push(format!(
                "task \"{task}\": no test row of {} has a label: its figures are means over the other {} of {runs} runs",
                listed(&without, runs),
                runs - without.len()
            ));
        }
    }

    /// Which runs' test rows lack a class that those of others have, so that what is a mean over classes is one over others there.
    fn absent(
        &self,
        name: &str,
        classes: &[String],
        of_each: &[Value],
        lacking: &mut Vec<String>,
    ) -> Vec<bool> {
        let counts = |it: &Value| -> Vec<u64> {
            let rows = it["confusion"].as_array().into_iter().flatten();
            let sum =
                |row: &Value| row.as_array().into_iter().flatten().filter_map(Value::as_u64).sum();
            rows.map(sum).collect()
        };
        let counts: Vec<Vec<u64>> = of_each.iter().map(counts).collect();
        let mut absent = vec![false; counts.len()];
        for (class, called) in classes.iter().enumerate() {
            let of = |counts: &Vec<u64>| counts.get(class).copied();
            if counts.iter().filter_map(of).all(|count| count == 0) {
                continue;
            }
            let without: Vec<usize> =
                (0..counts.len()).filter(|&run| of(&counts[run]) == Some(0)).collect();
            without.iter().for_each(|&run| absent[run] = true);
            if !without.is_empty() {
                let named: Vec<&str> = without.iter().map(|&run| self.names[run]).collect();
                lacking.push(format!(
                    "\"{name}\": no test row of {} has {called}: macro F1 and AUC are means over runs that have every class",
                    listed(&named, self.names.len())
                ));
            }
        }
        absent
    }
}

/// The figures of a task or column from what each run has of it; those over classes not of runs that lack one.
fn figures(of_classes: bool, metrics: &[Vec<Value>; 3], absent: &[bool]) -> Vec<Figure> {
    let names: &[&'static str] = match of_classes {
        true => &["accuracy", "macro_f1", "auc", "log_loss"],
        false => &["rmse", "mae", "r2"],
    };
    let figure = |&name: &&'static str| {
        let is_over_classes = matches!(name, "macro_f1" | "auc");
        let value = |(it, absent): (&Value, &bool)| match is_over_classes && *absent {
            true => None,
            false => it[name].as_f64(),
        };
        let spread = |of: &Vec<Value>| Spread(of.iter().zip(absent).map(value).collect());
        Figure { name, of: metrics.each_ref().map(spread) }
    };
    names.iter().map(figure).collect()
}

/// How many columns of probabilities a task has among the rows.
fn probabilities(task: &Value) -> usize {
    let classes = task["classes"].as_array().into_iter().flatten();
    classes.map(|class| class.as_array().map_or(1, Vec::len)).sum()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().into()
}

/// The texts of a list.
fn words(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}
