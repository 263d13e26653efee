//! Its figures are those of its runs, its runs those of `awl train`, and its choices those of the validation rows.

use super::{compared, scheme, schemes, table};
use crate::program::{folder, lines, succeed};
use serde_json::Value;

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
        let lines = lines(&folder.join(&out).join("metrics.jsonl"));
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
