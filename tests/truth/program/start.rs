//! What a network starts from: the linear model of its tasks, or weights drawn at random.

use super::{awl, folder, json, lines, succeed};
use std::path::Path;

fn number(i: usize) -> f64 {
    ((i * 7_919 + i * i * 31) % 2_003) as f64 / 1_001.5 - 1.0
}

/// More columns than rows, and a truth that is spread over all of them.
fn wide(folder: &Path) {
    const COLUMNS: usize = 150;
    let names: String = (0..COLUMNS).map(|column| format!("x{column},")).collect();
    let row = |row: usize| {
        let x: Vec<f64> = (0..COLUMNS).map(|column| number(row * COLUMNS + column)).collect();
        let y: f64 = x.iter().enumerate().map(|(c, x)| x * number(c + 500_000)).sum();
        let cells: String = x.iter().map(|x| format!("{x:.4},")).collect();
        format!("{cells}{y:.4},{}\n", if y + number(row) > 0.0 { "up" } else { "down" })
    };
    let rows: String = (0..120).map(row).collect();
    std::fs::write(folder.join("wide.csv"), format!("{names}y,sign\n{rows}")).expect("a table");
}

const RUN: [&str; 12] = [
    "train", "wide.csv", "--task", "y", "--task", "sign", "--hidden", "16,8", "--seed", "2",
    "--quiet", "--json",
];

/// Network and linear model give the same answers where no epoch was better, and the run says that it is so.
#[test]
fn a_network_that_learns_nothing_more_is_the_linear_model() {
    let folder = folder("start");
    wide(&folder);
    // Every step leads away.
    let wild = ["--lr", "0.5", "--epochs", "2", "--out", "wild"];
    let wild = json(&folder, &[&RUN[..], &wild].concat());
    assert_eq!((&wild["best_epoch"], &wild["kept_epoch"]), (&0.into(), &0.into()));
    for (task, figure) in [("y", "rmse"), ("sign", "log_loss")] {
        let [network, linear] = [&wild["parts"], &wild["baselines"]["linear"]]
            .map(|of| of["test"][task][figure].as_f64().expect("a figure"));
        assert!((network - linear).abs() < 1e-5 * linear, "{task}: {network}, not {linear}");
    }
    let warnings = wild["warnings"].to_string();
    assert!(warnings.contains("still the linear model of the start"), "{warnings}");
    assert!(!warnings.contains("among the last"), "{warnings}");
    let told = succeed(&folder, &["evaluate", "wild", "wide.csv"]);
    assert!(told.contains("linear"), "{told}");
    let report = std::fs::read_to_string(folder.join("wild/report.html")).expect("a report");
    assert!(report.contains("The model is the linear one that training started from"), "no words");
    // The first step is already of the linear model's losses.
    let first = |run: &str| {
        let steps = lines(&folder.join(run).join("metrics.jsonl"));
        steps[0]["losses"]["y"].as_f64().expect("a loss")
    };
    let drawn = ["--start", "random", "--epochs", "2", "--out", "drawn"];
    let drawn = json(&folder, &[&RUN[..], &drawn].concat());
    assert_ne!(drawn["best_epoch"], 0);
    assert!(first("wild") < 0.5 * first("drawn"), "{} {}", first("wild"), first("drawn"));
    // Learned from once more with the validation rows, for no epoch at all: the linear model of all these rows.
    let again = ["--lr", "0.5", "--epochs", "2", "--refit", "--out", "again"];
    let again = json(&folder, &[&RUN[..], &again].concat());
    assert_eq!((&again["epochs"], &again["rows"]["validation"]), (&0.into(), &0.into()));
    let [network, linear] = [&again["parts"], &again["baselines"]["linear"]]
        .map(|of| of["test"]["y"]["rmse"].as_f64().expect("a figure"));
    assert!((network - linear).abs() < 1e-5 * linear, "refit: {network}, not {linear}");
    // Members differ in what they learn, not in where they start.
    let members = ["--members", "2", "--epochs", "3", "--out", "members"];
    let members = json(&folder, &[&RUN[..], &members].concat());
    assert_eq!(members["members"].as_array().map(Vec::len), Some(2));
}

#[test]
fn starts_that_cannot_be_are_refused() {
    let folder = folder("start_refused");
    wide(&folder);
    for (flags, told) in [
        (&["--start", "linear", "--activation", "tanh"][..], "tanh"),
        (&["--start", "linear", "--hidden", "16,3"], "at least 4"),
        (&["--start", "linear", "--init", "m.safetensors"], "cannot be used with"),
    ] {
        let output = awl(&folder, &[&RUN[..], &["--out", "never"], flags].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(told), "{stderr}");
        assert!(!folder.join("never").exists());
    }
    // By default such networks start at random.
    let tanh = ["--activation", "tanh", "--epochs", "1", "--out", "tanh"];
    json(&folder, &[&RUN[..], &tanh].concat());
}
