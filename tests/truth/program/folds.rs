//! `--folds` and `--repeats`: several runs of one command, what they come to together, and going on with them.

mod going_on;
mod together;

use super::splits::people;
use super::{PENGUINS, awl, folder, json, succeed};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const TASKS: [&str; 6] = ["--task", "species", "--task", "body_mass_g", "--task", "sex"];
const SMALL: [&str; 7] = ["--hidden", "8", "--epochs", "12", "--lr", "0.01", "--quiet"];

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("a file");
    serde_json::from_str(&text).expect("JSON")
}

/// The rows of `out_of_fold.csv`, by the columns' names.
fn rows(run: &Path) -> Vec<BTreeMap<String, String>> {
    let mut file = csv::Reader::from_path(run.join("out_of_fold.csv")).expect("a table");
    file.deserialize().map(|row| row.expect("a row")).collect()
}

fn near(found: &Value, expected: f64, off: f64, what: &str) {
    let found = found.as_f64().unwrap_or(f64::NAN);
    assert!((found - expected).abs() < off, "{what}: {found}, not {expected}");
}

fn close(found: &Value, expected: f64, what: &str) {
    near(found, expected, 1e-9 * (1.0 + expected.abs()), what);
}

/// Grams are written in five decimals, and no error of a row may be further off than that by which it was rounded; nor is their
/// root mean square.
const ROUNDED: f64 = 5e-6;

/// Labels and answers of a task on rows that have a label.
fn pairs<'a>(rows: &[&'a BTreeMap<String, String>], task: &str) -> Vec<(&'a str, &'a str)> {
    let pair = |row: &&'a BTreeMap<String, String>| {
        (row[&format!("{task}.label")].as_str(), row[task].as_str())
    };
    rows.iter().map(pair).filter(|(label, _)| !label.is_empty()).collect()
}

fn accuracy(pairs: &[(&str, &str)]) -> f64 {
    pairs.iter().filter(|(label, answer)| label == answer).count() as f64 / pairs.len() as f64
}

fn numbers(pairs: &[(&str, &str)]) -> (f64, f64) {
    let number = |text: &str| text.parse::<f64>().expect("a number");
    let pairs: Vec<_> =
        pairs.iter().map(|(label, answer)| (number(label), number(answer))).collect();
    let mean = pairs.iter().map(|(label, _)| label).sum::<f64>() / pairs.len() as f64;
    let squares: f64 = pairs.iter().map(|(label, answer)| (label - answer).powi(2)).sum();
    let variation: f64 = pairs.iter().map(|(label, _)| (label - mean).powi(2)).sum();
    ((squares / pairs.len() as f64).sqrt(), 1.0 - squares / variation)
}

fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (values.len() - 1) as f64).sqrt())
}

/// The figures are computed here once more, from the table and the answers.
#[test]
fn every_row_is_tested_once_a_repeat_and_the_figures_are_those_of_the_answers() {
    let folder = folder("folds_figures");
    let arguments = [&["train", PENGUINS], &TASKS[..], &SMALL, &["--folds", "4", "--repeats", "2"]];
    let results = json(&folder, &[&arguments.concat()[..], &["--json", "--out", "run"]].concat());
    let run = folder.join("run");
    let mut saved = read(&run.join("results.json"));
    saved["run"] = "run".into();
    assert_eq!(saved, results);
    let all = rows(&run);
    let table = std::fs::read_to_string(PENGUINS).expect("a table");
    let table: Vec<Vec<&str>> = table.lines().map(|line| line.split(',').collect()).collect();
    let column = |name: &str| table[0].iter().position(|it| *it == name).expect("a column");
    let mut folds_of = [BTreeMap::new(), BTreeMap::new()];
    for row in &all {
        let [line, repeat, fold] =
            ["line", "repeat", "fold"].map(|it| row[it].parse::<usize>().expect("a number"));
        assert!(folds_of[repeat - 1].insert(line, fold).is_none(), "line {line} twice");
        for task in ["species", "body_mass_g", "sex"] {
            let cell = table[line - 1][column(task)];
            assert_eq!(
                row[&format!("{task}.label")],
                if cell == "NA" { "" } else { cell },
                "line {line}"
            );
        }
    }
    for folds in &folds_of {
        assert_eq!(folds.keys().copied().collect::<Vec<_>>(), (2..=345).collect::<Vec<_>>());
    }
    assert_ne!(folds_of[0], folds_of[1], "repeats have splits of their own");
    let mut of_runs: [Vec<f64>; 3] = Default::default();
    for (index, known) in results["runs"].as_array().expect("runs").iter().enumerate() {
        let [repeat, fold] = ["repeat", "fold"].map(|name| known[name].to_string());
        let own = |row: &&BTreeMap<String, String>| row["repeat"] == repeat && row["fold"] == fold;
        let own: Vec<_> = all.iter().filter(own).collect();
        assert_eq!(own.len() as u64, known["rows"]["test"].as_u64().expect("rows"));
        let (rmse, r2) = numbers(&pairs(&own, "body_mass_g"));
        for (values, (task, figure, expected)) in of_runs.iter_mut().zip([
            ("species", "accuracy", accuracy(&pairs(&own, "species"))),
            ("sex", "accuracy", accuracy(&pairs(&own, "sex"))),
            ("body_mass_g", "rmse", rmse),
        ]) {
            let found = &results["tasks"][task]["network"][figure]["values"][index];
            near(found, expected, ROUNDED, figure);
            values.push(expected);
        }
        near(&results["tasks"]["body_mass_g"]["network"]["r2"]["values"][index], r2, 1e-7, "R²");
        // Each is a run like any other, whose own figures these are.
        let directory = known["directory"].as_str().expect("a directory");
        let alone = read(&run.join(directory).join("results.json"));
        for (who, figures) in
            [("network", &alone["parts"]), ("linear", &alone["baselines"]["linear"])]
        {
            let expected = figures["test"]["sex"]["log_loss"].as_f64().expect("a figure");
            close(&results["tasks"]["sex"][who]["log_loss"]["values"][index], expected, who);
        }
        let sigma = alone["weights"]["sex"]["sigma"].as_f64().expect("σ");
        close(&results["weights"]["sex"]["sigma"]["values"][index], sigma, "σ");
    }
    for (values, (task, figure)) in
        of_runs.iter().zip([("species", "accuracy"), ("sex", "accuracy"), ("body_mass_g", "rmse")])
    {
        let (mean, deviation) = mean_and_deviation(values);
        let found = &results["tasks"][task]["network"][figure];
        near(&found["mean"], mean, ROUNDED, "mean");
        near(&found["sd"], deviation, 2.0 * ROUNDED, "sd");
        assert_eq!(found["counted"], 8);
    }
    let whole: Vec<_> = all.iter().collect();
    let (rmse, r2) = numbers(&pairs(&whole, "body_mass_g"));
    close(&results["tasks"]["body_mass_g"]["pooled"]["rmse"], rmse, "pooled RMSE");
    close(&results["tasks"]["body_mass_g"]["pooled"]["r2"], r2, "pooled R²");
    close(
        &results["tasks"]["sex"]["pooled"]["accuracy"],
        accuracy(&pairs(&whole, "sex")),
        "pooled accuracy",
    );
    // The answers are those of the run itself.
    let answers = succeed(&folder, &["predict", "run/repeat-2/fold-3", PENGUINS, "--part", "test"]);
    let mut answers = csv::Reader::from_reader(answers.as_bytes());
    let answers: Vec<BTreeMap<String, String>> =
        answers.deserialize().map(|row| row.expect("a row")).collect();
    let own: Vec<_> = all.iter().filter(|row| row["repeat"] == "2" && row["fold"] == "3").collect();
    assert_eq!(answers.len(), own.len());
    for (answer, row) in answers.iter().zip(own) {
        for (name, cell) in answer {
            assert_eq!(cell, &row[name], "{name}");
        }
    }
}

/// Sixty people, ten rows each, and a property of the person: known by rows, and not by people.
#[test]
fn a_property_of_people_is_known_to_folds_of_rows_and_not_to_folds_of_people() {
    let folder = folder("folds_people");
    people(&folder);
    let r2 = |out: &str, flags: &[&str]| {
        let arguments =
            ["train", "people.csv", "--task", "wealth:mse", "--ignore", "person", "--lr", "0.01"];
        // What is to be known by heart is not to be dropped out.
        let plain = ["--dropout", "0", "--optimizer", "adam"];
        let more = [
            "--epochs",
            "100",
            "--patience",
            "0",
            "--quiet",
            "--json",
            "--folds",
            "3",
            "--out",
            out,
        ];
        let results = json(&folder, &[&arguments[..], &plain, &more, flags].concat());
        results["tasks"]["wealth"]["network"]["r2"]["mean"].as_f64().expect("R²")
    };
    let by_rows = r2("rows", &[]);
    assert!(by_rows > 0.9, "R² by rows is {by_rows}");
    let by_people = r2("people", &["--group", "person"]);
    assert!(by_people < 0.1, "R² by people is {by_people}");
    let mut folds: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for row in rows(&folder.join("people")) {
        let line: usize = row["line"].parse().expect("a number");
        folds.entry((line - 2) / 10).or_default().insert(row["fold"].clone());
    }
    assert_eq!(folds.len(), 60);
    assert!(folds.values().all(|folds| folds.len() == 1), "a person in two folds");
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a file")
}

#[test]
fn what_cannot_be_folds_is_refused_with_the_reason() {
    let folder = folder("folds_refused");
    let rows = (0..12)
        .map(|row| format!("{row},{},g{},2024-01-{:02},test\n", row * row % 7, row % 3, row + 1));
    std::fs::write(folder.join("t.csv"), format!("x,y,g,day,part\n{}", rows.collect::<String>()))
        .expect("a table");
    for (flags, told) in [
        (
            &["--folds", "0"][..],
            "--folds 0: ask for 2 at least, and for no more than there are rows",
        ),
        (&["--folds", "1"], "--folds 1: ask for 2 at least"),
        (&["--folds", "two"], "use a whole number, such as 5"),
        (
            &["--folds", "13"],
            "t.csv has 12 rows, not to be cut into 13 folds: ask for 2 to 12 folds",
        ),
        (
            &["--folds", "4", "--group", "g"],
            "has 3 groups of \"g\", not to be cut into 4 folds: ask for 2 to 3",
        ),
        (&["--folds", "1001"], "1001 runs: ask for 1000 at most"),
        (
            &["--folds", "3", "--time", "day"],
            "--time \"day\" tests on the newest rows alone: give one of the two",
        ),
        (
            &["--folds", "3", "--split", "part"],
            "--split \"part\" names the rows to test on: give one of the two",
        ),
        (
            &["--folds", "3", "--test", "0.2"],
            "--test 0.2 is another share of the rows: give one of the two",
        ),
        (&["--repeats", "0"], "--repeats 0: ask for 1 or more"),
        (&["--repeats", "2", "--time", "day"], "--time \"day\" always alike"),
        (&["--repeats", "2", "--test", "0"], "there are no test rows"),
        (
            &["--folds", "3", "--validation", "1.5"],
            "fold 1 of 3: --validation 1.5: give a fraction",
        ),
    ] {
        for command in ["train", "describe"] {
            let arguments =
                [&[command, "t.csv", "--task", "y:mse", "--out", "never"], flags].concat();
            let output = awl(&folder, &arguments);
            let message = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{flags:?}: {message}");
            assert!(message.contains(told), "{flags:?}: {message}");
            assert!(!folder.join("never").exists());
        }
    }
    let train =
        ["train", "t.csv", "--task", "y:mse", "--features", "x", "--epochs", "1", "--quiet"];
    succeed(&folder, &[&train[..], &["--repeats", "2", "--out", "run"]].concat());
    assert!(folder.join("run/repeat-2/model.safetensors").exists());
    for arguments in [
        &["evaluate", "run", "t.csv"][..],
        &["predict", "run", "t.csv"],
        &["export", "run", "--onnx"],
    ] {
        let output = awl(&folder, arguments);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains("name one of run/repeat-1, run/repeat-2"), "{message}");
    }
    succeed(&folder, &["evaluate", "run/repeat-2", "t.csv"]);
    let both =
        "[data]\npath = \"t.csv\"\nfolds = 3\nfold = 2\nrepeats = 2\n[[task]]\ncolumns = [\"y\"]\n";
    std::fs::write(folder.join("both.toml"), both).expect("a file");
    let output = awl(&folder, &["train", "--config", "both.toml", "--out", "never"]);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("fold = 2 is one run, and repeats = 2 are several"), "{message}");
    let refused = |arguments: &[&str], told: &str| {
        let message = String::from_utf8_lossy(&awl(&folder, arguments).stderr).into_owned();
        assert!(message.contains(told), "{message}");
    };
    refused(&["train", "--resume", "run", "--epochs", "9"], "go on as they began");
    let table = text(&folder.join("t.csv")).replacen("0,0,g0", "0.5,0,g0", 1);
    std::fs::write(folder.join("t.csv"), table).expect("a table");
    refused(&["train", "--resume", "run"], "the rows are not those that the runs were trained on");
}

/// Three rows have a number, and three are of one class.
#[test]
fn runs_that_lack_labels_or_a_class_are_told_of_left_out_and_counted() {
    let folder = folder("folds_lacking");
    let row = |row: usize| {
        let class = if row % 25 == 3 { "rare" } else { ["a", "b"][row % 2] };
        let number = if row.is_multiple_of(30) { (row % 9).to_string() } else { String::new() };
        format!("{},{},{class},{number}\n", row % 13, row * 7 % 11)
    };
    let lines: String = (0..75).map(row).collect();
    std::fs::write(folder.join("t.csv"), format!("x,z,class,number\n{lines}")).expect("a table");
    let arguments = [
        "train",
        "t.csv",
        "--task",
        "class",
        "--task",
        "number:mse",
        "--validation",
        "0",
        "--folds",
        "4",
        "--epochs",
        "1",
    ];
    let output = awl(&folder, &[&arguments[..], &["--out", "run"]].concat());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let results = read(&folder.join("run/results.json"));
    assert_eq!(results["tasks"]["class"]["network"]["accuracy"]["counted"], 4);
    assert_eq!(results["tasks"]["class"]["network"]["macro_f1"]["counted"], 3);
    assert_eq!(results["tasks"]["class"]["linear"]["auc"]["counted"], 3);
    assert_eq!(results["tasks"]["number"]["network"]["rmse"]["counted"], 3);
    let labelled = results["tasks"]["number"]["labelled"].as_array().expect("counts");
    assert_eq!(labelled.iter().filter(|count| **count == 0).count(), 1, "{labelled:?}");
    assert!(
        told.contains("has rare: macro F1 and AUC are means over runs that have every class"),
        "{told}"
    );
    assert!(
        told.contains("has a label: its figures are means over the other 3 of 4 runs"),
        "{told}"
    );
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(
        shown.contains("4 folds of 75 rows, each row tested once: mean ± standard deviation"),
        "{shown}"
    );
    assert!(shown.matches(" (3)").count() >= 4, "{shown}");
    // All labels are of one group: the run that tests on it has none to train on.
    let line = |row: usize| {
        format!("{row},g{},{}\n", row / 5, if row < 3 { row.to_string() } else { String::new() })
    };
    let lines: String = (0..40).map(line).collect();
    std::fs::write(folder.join("u.csv"), format!("x,g,number\n{lines}")).expect("a table");
    let arguments = [
        "train",
        "u.csv",
        "--task",
        "number:mse",
        "--group",
        "g",
        "--folds",
        "4",
        "--out",
        "never",
    ];
    let output = awl(&folder, &arguments);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains(" of 4: u.csv: ") && !folder.join("never").exists(), "{told}");
}

#[test]
fn describe_says_the_sizes_of_the_folds() {
    let folder = folder("folds_described");
    let flags = ["--folds", "5", "--group", "island", "--validation", "0.2"];
    let refused = awl(&folder, &[&["describe", PENGUINS, "--task", "sex"], &flags[..]].concat());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("3 groups of \"island\""));
    let described =
        json(&folder, &["describe", PENGUINS, "--task", "sex", "--folds", "5", "--json"]);
    let sizes = |part: &str| -> Vec<u64> {
        let runs = described["runs"].as_object().expect("runs").values();
        runs.map(|run| run[part].as_u64().expect("rows")).collect()
    };
    assert_eq!(sizes("test"), [69, 69, 69, 69, 68]);
    assert_eq!(sizes("validation"), [41; 5]);
    let text = succeed(&folder, &["describe", PENGUINS, "--task", "sex", "--folds", "5"]);
    assert!(text.contains("fold-5: 235 rows to train on, 41 to validate, 68 to test"), "{text}");
}
