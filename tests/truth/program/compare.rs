//! `awl compare`: what it comes to is that of the runs it says, chosen by validation rows alone, however often it was stopped.

use super::{PENGUINS, awl, folder, json, succeed};
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// Ninety rows in three parts: a number, and a class that hangs on it.
fn table(folder: &Path, is_shuffled: bool) {
    let rows: Vec<(f64, f64, usize)> = (0..90)
        .map(|row| {
            let x = f64::from(row * 37 % 90) / 45.0 - 1.0;
            (x, x * x + 0.2 * f64::from(row % 7) - 0.6, usize::from(x > 0.1) + usize::from(x > 0.6))
        })
        .collect();
    let part = |row: usize| ["train", "train", "train", "validation", "test"][row % 5];
    // Test rows get the labels of other test rows: the parts keep theirs.
    let labels = |row: usize| match (is_shuffled, part(row)) {
        (true, "test") => rows[(row + 25) % 90],
        _ => rows[row],
    };
    let line = |(row, it): (usize, &(f64, f64, usize))| {
        let (_, number, kind) = labels(row);
        format!("{},{number},{},{}\n", it.0, ["low", "mid", "top"][kind], part(row))
    };
    let lines: String = rows.iter().enumerate().map(line).collect();
    std::fs::write(folder.join("table.csv"), format!("x,number,kind,part\n{lines}"))
        .expect("a table");
}

const SMALL: [&str; 17] = [
    "compare",
    "table.csv",
    "--task",
    "number:mse",
    "--task",
    "kind",
    "--split",
    "part",
    "--hidden",
    "6",
    "--epochs",
    "12",
    "--seeds",
    "3",
    "--schemes",
    "awl,fixed,rlw,uw-so",
    "--quiet",
];

fn compared(folder: &Path, flags: &[&str]) -> Value {
    json(folder, &[&SMALL[..], flags, &["--json"]].concat())
}

fn without_times(mut comparison: Value) -> Value {
    comparison.as_object_mut().expect("an object").remove("times").expect("times");
    comparison
}

/// Holds two comparisons to be equal but for their times.
fn same(one: Value, other: Value) {
    let [one, other] = [one, other].map(without_times);
    for (key, value) in one.as_object().expect("an object") {
        assert!(*value == other[key], "{key} differs");
    }
    assert_eq!(one.as_object().map(|it| it.len()), other.as_object().map(|it| it.len()));
}

fn schemes(comparison: &Value) -> &Vec<Value> {
    comparison["schemes"].as_array().expect("schemes")
}

fn scheme<'a>(comparison: &'a Value, name: &str) -> &'a Value {
    schemes(comparison).iter().find(|it| it["name"] == name).expect("a scheme")
}

/// The mean test loss of a task, and its interval by SciPy's `t.ppf(0.975, 2)`.
const T_OF_TWO: f64 = 4.302_652_729_911_275;

#[test]
fn figures_are_those_of_the_runs_and_the_file_is_what_is_printed() {
    let folder = folder("compare_figures");
    table(&folder, false);
    let found = compared(&folder, &["--out", "out"]);
    let saved = std::fs::read_to_string(folder.join("out/comparison.json")).expect("a file");
    assert_eq!(serde_json::from_str::<Value>(&saved).expect("JSON"), found);
    let names: Vec<&str> = schemes(&found).iter().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(names, ["stl", "equal", "awl", "fixed", "rlw", "uw-so"]);
    for it in schemes(&found) {
        for (task, of_task) in it["tasks"].as_array().expect("tasks").iter().enumerate() {
            let runs = it["runs"].as_array().expect("runs");
            let losses: Vec<f64> = runs
                .iter()
                .map(|run| run["test"][task]["loss"].as_f64().expect("a loss"))
                .collect();
            let mean = losses.iter().sum::<f64>() / 3.0;
            let variance = losses.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / 2.0;
            let half = T_OF_TWO * (variance / 3.0).sqrt();
            for (end, expected) in [("low", mean - half), ("mean", mean), ("high", mean + half)] {
                let found = of_task["loss"][end].as_f64().expect("a number");
                assert!(
                    (found - expected).abs() < 1e-9,
                    "{} {end}: {found}, not {expected}",
                    it["name"]
                );
            }
        }
        // The trial that won has the lowest score of those of its network.
        for chosen in it["chosen"].as_array().expect("chosen") {
            let tried = it["tried"].as_array().expect("tried").iter();
            let own = tried.filter(|tried| tried["task"] == chosen["task"]);
            let least = own.filter_map(|it| it["score"].as_f64()).fold(f64::INFINITY, f64::min);
            assert_eq!(chosen["score"].as_f64(), Some(least), "{}", it["name"]);
        }
    }
    let page = std::fs::read_to_string(folder.join("out/comparison.html")).expect("a page");
    assert!(page.contains("On the front: ") && !page.contains("http://"));
    let told = succeed(&folder, &["compare", "--resume", "out", "--quiet"]);
    assert!(told.lines().all(|line| line.chars().count() <= 100), "{told}");
    assert!(told.contains("+ is better"), "{told}");
}

/// A network of `awl train` with the scheme, rate and seed that the comparison says has the very figures that it says.
#[test]
fn a_run_of_a_comparison_is_one_of_awl_train() {
    let folder = folder("compare_trained");
    table(&folder, false);
    let found = compared(
        &folder,
        &[
            "--out",
            "out",
            "--schemes",
            "awl",
            "--rates",
            "0.01",
            "--budget",
            "1",
            "--patience",
            "0",
            "--engine",
            "reference",
        ],
    );
    for (name, seed) in [("equal", 0), ("equal", 2), ("awl", 1)] {
        let out = format!("{name}-{seed}");
        let seed_flag = seed.to_string();
        let train = [
            "train",
            "table.csv",
            "--task",
            "number:mse",
            "--task",
            "kind",
            "--split",
            "part",
            "--hidden",
            "6",
            "--epochs",
            "12",
            "--dropout",
            "0",
            "--lr",
            "0.01",
            "--weighting",
            name,
            "--seed",
            &seed_flag,
            "--patience",
            "0",
            "--quiet",
            "--engine",
            "reference",
            "--out",
            &out,
        ];
        succeed(&folder, &train);
        let run = &scheme(&found, name)["runs"][seed];
        let lines = super::lines(&folder.join(&out).join("metrics.jsonl"));
        let epochs: Vec<&Value> = lines.iter().filter(|line| line.get("epoch").is_some()).collect();
        let curve = run["curves"][0].as_array().expect("a curve");
        assert_eq!(curve.len(), epochs.len(), "{out}");
        for (point, epoch) in curve.iter().zip(epochs) {
            assert_eq!(point["validation"][0], epoch["validation"]["losses"]["number"], "{out}");
            assert_eq!(point["validation"][1], epoch["validation"]["losses"]["kind"], "{out}");
        }
    }
}

/// Every seed means the same first weights and the same rows for all: at a rate of 0 nothing else is left.
#[test]
fn runs_of_a_seed_start_from_the_same_weights() {
    let folder = folder("compare_paired");
    table(&folder, false);
    let found = compared(
        &folder,
        &["--out", "out", "--rates", "1e-30", "--epochs", "1", "--engine", "reference"],
    );
    let first =
        |name: &str, seed: usize| &scheme(&found, name)["runs"][seed]["curves"][0][0]["validation"];
    for seed in 0..3 {
        for name in ["awl", "fixed", "rlw", "uw-so"] {
            for task in 0..2 {
                let [own, equal] = [first(name, seed), first("equal", seed)]
                    .map(|it| it[task].as_f64().expect("a loss"));
                assert!((own - equal).abs() < 1e-9, "{name}, seed {seed}: {own} and {equal}");
            }
        }
    }
    assert_ne!(first("equal", 0), first("equal", 1));
}

/// The criterion by hand: constant answers from the table, and the mean of the tasks' losses divided by theirs.
#[test]
fn scores_are_means_of_losses_relative_to_those_of_constant_answers() {
    let folder = folder("compare_scores");
    table(&folder, false);
    let found = compared(&folder, &["--out", "out", "--schemes", "awl"]);
    let text = std::fs::read_to_string(folder.join("table.csv")).expect("a table");
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let of = |part: &str| rows.iter().filter(|row| row[3] == part).cloned().collect::<Vec<_>>();
    let (training, validation) = (of("train"), of("validation"));
    let numbers = |rows: &[Vec<&str>]| -> Vec<f64> {
        rows.iter().map(|row| row[1].parse().expect("a number")).collect()
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let middle = mean(&numbers(&training));
    let squares = |rows: &[Vec<&str>]| {
        mean(&numbers(rows).iter().map(|it| (it - middle).powi(2)).collect::<Vec<_>>())
    };
    let number = squares(&validation) / squares(&training);
    let share = |kind: &str| {
        let count = training.iter().filter(|row| row[2] == kind).count() as f64;
        (count + 0.5) / (training.len() as f64 + 1.5)
    };
    let kind = mean(&validation.iter().map(|row| -share(row[2]).ln()).collect::<Vec<_>>());
    let constants = [number, kind];
    for (task, expected) in found["tasks"].as_array().expect("tasks").iter().zip(constants) {
        let found = task["constant"].as_f64().expect("a loss");
        assert!((found - expected).abs() < 1e-5 * expected, "{found}, not {expected}");
    }
    for name in ["equal", "awl"] {
        for run in scheme(&found, name)["runs"].as_array().expect("runs") {
            let curve = run["curves"][0].as_array().expect("a curve");
            let score = |point: &Value| {
                let ratio = |task: usize| {
                    point["validation"][task].as_f64().expect("a loss") / constants[task]
                };
                (ratio(0) + ratio(1)) / 2.0
            };
            let best = curve.iter().min_by(|a, b| score(a).total_cmp(&score(b))).expect("an epoch");
            assert_eq!(best["epoch"], run["best_epoch"][0], "{name}");
            let found = run["score"].as_f64().expect("a score");
            assert!((found - score(best)).abs() < 1e-5, "{name}: {found}, not {}", score(best));
        }
    }
}

/// Test labels that are dealt anew change the tested figures, and nothing that was chosen.
#[test]
fn test_rows_have_no_part_in_any_choice() {
    let folder = folder("compare_shuffled");
    table(&folder, false);
    let found = compared(&folder, &["--out", "one"]);
    table(&folder, true);
    let other = compared(&folder, &["--out", "other"]);
    for (one, other) in schemes(&found).iter().zip(schemes(&other)) {
        assert_eq!(one["chosen"], other["chosen"], "{}", one["name"]);
        assert_eq!(one["tried"], other["tried"], "{}", one["name"]);
        for (one, other) in one["runs"]
            .as_array()
            .expect("runs")
            .iter()
            .zip(other["runs"].as_array().expect("runs"))
        {
            for same in ["best_epoch", "epochs", "score", "curves"] {
                assert_eq!(one[same], other[same]);
            }
            assert_ne!(one["test"], other["test"]);
        }
    }
}

/// Wherever the kills fall.
#[test]
fn a_comparison_that_is_killed_and_resumed_ends_as_one_that_was_not() {
    let folder = folder("compare_killed");
    let flags = [
        "compare",
        PENGUINS,
        "--task",
        "species",
        "--task",
        "body_mass_g",
        "--hidden",
        "8",
        "--epochs",
        "30",
        "--seeds",
        "2",
        "--schemes",
        "awl,stch",
        "--quiet",
        "--checkpoint-every",
        "0",
    ];
    let whole = json(&folder, &[&flags[..], &["--out", "whole", "--json"]].concat());
    let resume =
        ["compare", "--resume", "killed", "--quiet", "--json", "--checkpoint-every", "0.05"];
    let begin = [&flags[..], &["--out", "killed", "--json"]].concat();
    let next = || if folder.join("killed").exists() { &resume[..] } else { &begin };
    for wait in [900, 700, 1_300] {
        let mut child = super::command(next());
        child.current_dir(&folder).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = child.spawn().expect("the program starts");
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().expect("a kill");
        child.wait().expect("an end");
    }
    let killed = json(&folder, next());
    same(killed, whole.clone());
    // Also where the files of some runs are lost.
    std::fs::remove_file(folder.join("killed/runs/tested-awl-seed-1.json")).expect("a run");
    same(json(&folder, &resume), whole);
}

#[cfg(unix)]
#[test]
fn ctrl_c_says_how_to_go_on() {
    let folder = folder("compare_interrupted");
    let flags = [
        "compare",
        PENGUINS,
        "--task",
        "species",
        "--task",
        "body_mass_g",
        "--epochs",
        "100000",
        "--patience",
        "0",
        "--out",
        "out",
    ];
    let told = super::interrupted(&folder, &flags, "out/plan.json");
    assert!(told.contains("stopped; go on with: awl compare --resume out"), "{told}");
    assert!(!folder.join("out/comparison.json").exists());
}

#[test]
fn a_scheme_that_fails_is_a_row_that_says_so() {
    let folder = folder("compare_failing");
    table(&folder, false);
    // Numbers as they are, at a rate that no network survives but that of the other list.
    let found = compared(
        &folder,
        &["--out", "out", "--rates", "0.01,1e38", "--budget", "2", "--schemes", "awl"],
    );
    for it in schemes(&found) {
        let tried = it["tried"].as_array().expect("tried");
        assert!(
            tried.iter().any(|it| it["failure"].is_string() || it["score"].as_f64() > Some(1.0)),
            "{}",
            it["name"]
        );
        assert_eq!(it["chosen"][0]["learning_rate"], 0.01, "{}", it["name"]);
    }
    let found = compared(
        &folder,
        &[
            "--out",
            "none",
            "--rates",
            "1e38",
            "--budget",
            "1",
            "--schemes",
            "awl",
            "--no-standardize",
        ],
    );
    for it in schemes(&found) {
        let runs = it["runs"].as_array().expect("runs");
        assert!(
            it["not_compared"].is_string() || runs.iter().all(|run| run["score"].is_number()),
            "{it}"
        );
    }
}

#[test]
fn what_cannot_be_compared_is_refused_with_the_reason() {
    let folder = folder("compare_refused");
    table(&folder, false);
    std::fs::create_dir(folder.join("there")).expect("a folder");
    std::fs::write(folder.join("there/file"), "").expect("a file");
    for (flags, told) in [
        (&["--schemes", "awl,equall"][..], "there is no scheme \"equall\": did you mean equal?"),
        (&["--seeds", "0"], "--seeds 0: an interval needs 2 runs of each at least"),
        (&["--seeds", "1"], "--seeds 1: an interval needs 2 runs of each at least"),
        (&["--rates", "0"], "--rates: give learning rates above 0"),
        (&["--rates", "0.1,nan"], "--rates: give learning rates above 0"),
        (&["--budget", "2"], "--budget 2: each of 3 learning rates is a run"),
        (&["--lr", "0.1"], "--lr is of `awl train`; every scheme's rate is chosen: give --rates"),
        (&["--folds", "3"], "--folds is of `awl train`; all runs share one split"),
        (&["--out", "there"], "there: it exists: name another with --out"),
        (&["--epochs", "0"], "--epochs 0: nothing would be trained"),
    ] {
        let output = awl(&folder, &[&SMALL[..], flags].concat());
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{flags:?}\n{message}");
        assert!(message.contains(told), "{flags:?} should say {told:?}:\n{message}");
        assert!(!folder.join("comparison").exists());
    }
    for (flags, told) in [
        (
            &["--task", "number:mse"][..],
            "\"number\" is the only task, and with one there is nothing to weigh",
        ),
        (&["--task", "number:mse", "--task", "kind", "--test", "0"], "there are no rows to test"),
        (
            &["--task", "number:mse", "--task", "kind", "--validation", "0", "--test", "0.2"],
            "there are no rows to validate",
        ),
    ] {
        let output = awl(&folder, &[&["compare", "table.csv"], flags].concat());
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{flags:?}\n{message}");
        assert!(message.contains(told), "{flags:?} should say {told:?}:\n{message}");
    }
    let output = awl(&folder, &["compare", "--resume", "there"]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("name the directory of a comparison"), "{message}");
}

/// What a comparison was begun with stays, and its rows too.
#[test]
fn a_comparison_goes_on_as_it_began_or_not_at_all() {
    let folder = folder("compare_changed");
    table(&folder, false);
    compared(&folder, &["--out", "out", "--schemes", "awl", "--epochs", "2"]);
    let refused = |flags: &[&str], told: &str| {
        let output = awl(&folder, &[&["compare", "--resume", "out"], flags].concat());
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{flags:?}\n{message}");
        assert!(message.contains(told), "{flags:?} should say {told:?}:\n{message}");
    };
    refused(&["--epochs", "3"], "a comparison goes on as it began");
    refused(&["--hidden", "7"], "a comparison goes on as it began");
    refused(&["--seeds", "4"], "cannot be used with");
    let text = std::fs::read_to_string(folder.join("table.csv")).expect("a table");
    std::fs::write(folder.join("table.csv"), text.replacen("low", "mid", 1)).expect("a table");
    refused(&[], "the rows are not those that the comparison began with");
}

/// Flags that `awl train` has not, and where it is held what they do; the others are its own, held there.
const OWN: &[(&str, &str)] = &[
    ("--schemes", "figures_are_those_of_the_runs, what_cannot_be_compared"),
    ("--seeds", "figures_are_those_of_the_runs, what_cannot_be_compared"),
    ("--rates", "a_run_of_a_comparison, a_scheme_that_fails"),
    ("--budget", "a_run_of_a_comparison, what_cannot_be_compared"),
];

#[test]
fn every_flag_is_one_of_awl_train_or_held_here() {
    let flags = |command: &str| -> Vec<String> {
        let help = succeed(Path::new("."), &[command, "--help"]);
        let lines = help.lines().filter(|line| line.trim_start().starts_with('-'));
        let words = lines.flat_map(|line| line.split([' ', ',', '[', '<']));
        words.filter(|word| word.starts_with("--") && word.len() > 2).map(String::from).collect()
    };
    let of_train = flags("train");
    let own: Vec<String> =
        flags("compare").into_iter().filter(|it| !of_train.contains(it)).collect();
    let held: Vec<&str> = OWN.iter().map(|(flag, _)| *flag).collect();
    assert_eq!(own, held);
}
