//! Folds together with what else makes a run more than one network of one column a task.

use super::{SMALL, read, rows};
use crate::program::{PENGUINS, awl, folder, json, succeed};

/// Every fold is answered by its networks together, with the mean of their probabilities.
#[test]
fn the_answers_of_a_fold_are_those_of_its_networks_together() {
    let folder = folder("folds_members");
    let begin = ["train", PENGUINS, "--task", "sex:bce", "--task", "species"];
    let more = ["--folds", "2", "--members", "2", "--out", "run"];
    succeed(&folder, &[&begin[..], &SMALL, &more].concat());
    for fold in ["run/fold-1", "run/fold-2"] {
        let results = read(&folder.join(fold).join("results.json"));
        assert_eq!(results["members"].as_array().map(Vec::len), Some(2));
        let judged = json(&folder, &["evaluate", fold, PENGUINS, "--part", "test", "--json"]);
        assert_eq!(
            judged["tasks"]["sex"]["confusion"],
            results["parts"]["test"]["sex"]["confusion"]
        );
        let answers =
            succeed(&folder, &["predict", fold, PENGUINS, "--part", "test", "--no-uncertainty"]);
        let mut answers = csv::Reader::from_reader(answers.as_bytes());
        let answers: Vec<std::collections::BTreeMap<String, String>> =
            answers.deserialize().map(|row| row.expect("a row")).collect();
        let written = rows(&folder.join(fold));
        assert_eq!(answers.len(), written.len());
        for (answer, row) in answers.iter().zip(&written) {
            for (name, cell) in answer {
                assert_eq!(row[name], *cell, "{fold}, {name}");
            }
        }
    }
    let all = read(&folder.join("run/results.json"));
    let of = |fold: &str| {
        read(&folder.join(fold).join("results.json"))["parts"]["test"]["sex"]["accuracy"].clone()
    };
    let values = &all["tasks"]["sex"]["network"]["accuracy"]["values"];
    assert_eq!(*values, serde_json::json!([of("run/fold-1"), of("run/fold-2")]));
}

/// The pooled RMSE of each column is that of the labels and answers in `out_of_fold.csv`.
#[test]
fn columns_of_a_task_have_figures_of_their_own_over_all_folds() {
    let folder = folder("folds_columns");
    let task = "size=bill_length_mm,bill_depth_mm:mse";
    let begin = ["train", PENGUINS, "--task", task, "--folds", "3", "--out", "run"];
    succeed(&folder, &[&begin[..], &SMALL].concat());
    let all = read(&folder.join("run/results.json"));
    let written = rows(&folder.join("run"));
    for column in ["bill_length_mm", "bill_depth_mm"] {
        let labelled = written.iter().filter(|row| !row[&format!("{column}.label")].is_empty());
        let number = |text: &str| text.parse::<f64>().expect("a number");
        let squares: Vec<f64> = labelled
            .map(|row| (number(&row[column]) - number(&row[&format!("{column}.label")])).powi(2))
            .collect();
        assert_eq!(squares.len(), 342);
        let expected = (squares.iter().sum::<f64>() / squares.len() as f64).sqrt();
        let found = &all["tasks"]["size"]["columns"][column]["pooled"]["rmse"];
        let found = found.as_f64().expect("a figure");
        assert!((found - expected).abs() < 1e-9 * expected, "{column}: {found}, not {expected}");
        let values = &all["tasks"]["size"]["columns"][column]["network"]["rmse"]["values"];
        assert_eq!(values.as_array().map(Vec::len), Some(3));
    }
}

/// Weights of a run know rows that a fold is tested on.
#[test]
fn weights_that_may_know_the_tested_rows_are_warned_of() {
    let folder = folder("folds_init");
    let begin = [
        "train",
        PENGUINS,
        "--task",
        "species",
        "--features",
        "island,year",
        "--hidden",
        "8",
        "--epochs",
        "1",
        "--quiet",
    ];
    succeed(&folder, &[&begin[..], &["--out", "first"]].concat());
    let init = ["--init", "first/model.safetensors", "--out"];
    for (more, is_told) in [(&["folds", "--folds", "2"][..], true), (&["alone"], false)] {
        let output = awl(&folder, &[&begin[..], &init, more].concat());
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{told}");
        assert_eq!(told.contains("runs are tested on rows that it has seen"), is_told, "{told}");
    }
    let warnings = read(&folder.join("folds/results.json"))["warnings"].to_string();
    assert!(warnings.contains("first/model.safetensors"), "{warnings}");
}
