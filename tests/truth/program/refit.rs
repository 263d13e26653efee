//! `--refit`: a run whose epochs the validation rows choose, then one that learns from these too.

use super::{PENGUINS, awl, folder, json, lines, succeed};
use std::path::Path;

const TRAIN: [&str; 14] = [
    "train",
    PENGUINS,
    "--task",
    "species",
    "--task",
    "body_mass_g",
    "--epochs",
    "40",
    "--patience",
    "3",
    "--hidden",
    "8",
    "--lr",
    "0.02",
];

fn refitted(folder: &Path, more: &[&str]) -> serde_json::Value {
    json(folder, &[&TRAIN[..], &["--refit", "--quiet", "--json", "--out", "run"], more].concat())
}

fn parts(run: &Path) -> Vec<(String, String)> {
    let split = std::fs::read_to_string(run.join("split.csv")).expect("a split");
    let cells = |line: &str| {
        let mut cells = line.split(',').map(String::from);
        (cells.next().expect("a line"), cells.next().expect("a part"))
    };
    split.lines().skip(1).map(cells).collect()
}

/// The second run is the one that these rows, this seed and so many epochs make by themselves: the same weights to the bit, by a
/// table whose own column says what to train on.
#[test]
fn the_model_is_that_of_training_and_validation_rows_and_the_chosen_epochs() {
    let folder = folder("refit_model");
    let results = refitted(&folder, &[]);
    let run = folder.join("run");
    let alone = json(&folder, &[&TRAIN[..], &["--quiet", "--json", "--out", "alone"]].concat());
    let epochs = alone["best_epoch"].as_u64().expect("a best epoch");
    assert!(epochs + 3 == alone["epochs"].as_u64().expect("epochs"), "patience ended it: {epochs}");
    assert_eq!(results["epochs"], epochs);
    assert_eq!(results["rows"], serde_json::json!({ "train": 292, "validation": 0, "test": 52 }));
    let chosen = serde_json::json!({
        "epochs": epochs,
        "is_among_last": false,
        "penalties": results["data"]["refit"]["penalties"],
        "validation": alone["parts"]["validation"],
    });
    assert_eq!(results["data"]["refit"], chosen);
    // Those of the linear models of the first run, from which the network starts.
    assert_eq!(chosen["penalties"].as_array().map(Vec::len), Some(2));
    let read =
        |run: &str| std::fs::read(folder.join(run).join("model.safetensors")).expect("a model");
    assert!(read("run/choice") == read("alone"), "the first run is a run like any other");

    // The same rows are tested on, and all others trained on.
    let [first, second] = [parts(&run.join("choice")), parts(&run)];
    for ((line, part), (_, again)) in first.iter().zip(&second) {
        assert_eq!(again == "test", part == "test", "line {line}");
        assert!(again != "validation", "line {line}");
    }

    let table = std::fs::read_to_string(PENGUINS).expect("the penguins");
    let mut lines = table.lines();
    let mut csv = format!("{},part\n", lines.next().expect("a header"));
    for (line, (number, part)) in lines.zip(&second) {
        csv += &format!("{line},{part}\n");
        assert!(number.parse::<usize>().is_ok());
    }
    std::fs::write(folder.join("split.csv"), csv).expect("a table");
    let mut arguments = TRAIN.map(String::from);
    arguments[1] = "split.csv".into();
    arguments[7] = epochs.to_string();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let expected = json(
        &folder,
        &[&arguments[..], &["--split", "part", "--quiet", "--json", "--out", "expected"]].concat(),
    );
    assert_eq!(expected["rows"]["train"], 292);
    assert!(read("run") == read("expected"), "the model is the expected run's");
    // The test rows come in another order, in which their squares are summed.
    let rmse = |of: &serde_json::Value| {
        of["parts"]["test"]["body_mass_g"]["rmse"].as_f64().expect("an RMSE")
    };
    assert!((rmse(&results) - rmse(&expected)).abs() < 1e-9 * rmse(&expected));
    assert_eq!(results["fingerprint"], expected["fingerprint"]);
    let steps = super::lines(&run.join("metrics.jsonl"));
    assert_eq!(steps, strip_seconds_like(&steps, &folder.join("expected/metrics.jsonl")));
}

/// The other run's lines, with the seconds of these.
fn strip_seconds_like(like: &[serde_json::Value], path: &Path) -> Vec<serde_json::Value> {
    let mut found = lines(path);
    for (line, like) in found.iter_mut().zip(like) {
        if let Some(seconds) = like.get("seconds") {
            line["seconds"] = seconds.clone();
        }
    }
    found
}

/// Whichever of the two runs was under way when it was killed.
#[test]
fn a_run_that_is_killed_goes_on_with_either_part_to_the_same_bits() {
    let folder = folder("refit_killed");
    let results = refitted(&folder, &["--engine", "reference"]);
    let model =
        |run: &str| std::fs::read(folder.join(run).join("model.safetensors")).expect("a model");
    let begin =
        [&TRAIN[..], &["--engine", "reference", "--refit", "--quiet", "--checkpoint-every", "0"]]
            .concat();
    for wait in [30, 120, 300, 600] {
        let _ = std::fs::remove_dir_all(folder.join("killed"));
        super::killed(&folder, &begin, &[wait]);
        assert!(model("run") == model("killed"), "after {wait} ms");
        let again = std::fs::read(folder.join("killed/results.json")).expect("results");
        let again: serde_json::Value = serde_json::from_slice(&again).expect("JSON");
        assert_eq!(again["data"]["refit"], results["data"]["refit"]);
    }
    // Ended, it is as it was; and cut off between the two runs, it makes the second.
    succeed(&folder, &["train", "--resume", "killed", "--quiet"]);
    assert!(model("run") == model("killed"));
    for file in ["checkpoint", "metrics.jsonl", "model.safetensors", "results.json"] {
        let path = folder.join("killed").join(file);
        let _ = std::fs::remove_dir_all(&path).or_else(|_| std::fs::remove_file(&path));
    }
    let output = awl(&folder, &["evaluate", "killed", PENGUINS]);
    assert_eq!(output.status.code(), Some(2));
    succeed(&folder, &["train", "--resume", "killed", "--quiet"]);
    assert!(model("run") == model("killed"));
}

#[test]
fn it_is_said_what_the_figures_are_of_and_what_does_not_go_with_it() {
    let folder = folder("refit_told");
    let shown = awl(&folder, &[&TRAIN[..], &["--refit", "--out", "run"]].concat());
    let results = std::fs::read_to_string(folder.join("run/results.json")).expect("results");
    let results: serde_json::Value = serde_json::from_str(&results).expect("JSON");
    let epochs = &results["epochs"];
    let told = format!(
        "refit: trained anew on training and validation rows (292), for the {epochs} epochs that the validation rows chose; the \
         test figures are of this model, and figures of the validation rows are of the run before, in run/choice"
    );
    let out = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(out.contains(&told), "{out}");
    assert!(results["choices"].as_array().expect("choices").contains(&told.clone().into()));
    let report = std::fs::read_to_string(folder.join("run/report.html")).expect("a report");
    assert!(report.contains(&told), "the report says it too");
    for command in ["evaluate", "predict"] {
        succeed(&folder, &[command, "run", PENGUINS]);
    }

    let more = json(
        &folder,
        &[&TRAIN[..], &["--refit", "--quiet", "--json", "--out", "short", "--epochs", "3"]]
            .concat(),
    );
    let warning = "the epoch that the validation rows chose is among the last: more may be better: --epochs 6";
    assert!(
        more["warnings"].as_array().expect("warnings").contains(&warning.into()),
        "{}",
        more["warnings"]
    );

    for (more, message) in [
        (&["--members", "2"][..], "--refit does not go with --members"),
        (&["--folds", "3"], "--refit does not go with --folds and --repeats"),
        (
            &["--validation", "0"],
            "--refit makes as many epochs as the validation rows choose, and there are none",
        ),
    ] {
        for command in ["train", "describe"] {
            let arguments = [&[command][..], &TRAIN[1..], &["--refit"], more].concat();
            let output = awl(&folder, &arguments);
            assert_eq!(output.status.code(), Some(2), "{arguments:?}");
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(told.contains(message), "{told}");
        }
        assert!(!folder.join("run-2").exists());
    }
    let output = awl(&folder, &["train", "--resume", "run", "--epochs", "90"]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("of a run with --refit: start a new one"), "{told}");
}
