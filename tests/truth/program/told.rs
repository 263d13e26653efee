//! What a run tells beside its figures: the weights, the baselines, and whether it might go on.

use super::runs::train;
use super::{PENGUINS, awl, folder, json, lines, succeed};

/// 400 epochs of 241 steps would be 96,400 lines: each twentieth step has one. The last epoch may be the best, and is told of.
#[test]
fn long_runs_have_some_thousands_of_lines_and_may_go_on() {
    let folder = folder("run_long");
    let arguments =
        ["train", PENGUINS, "--task", "body_mass_g:mse", "--hidden", "2", "--batch-size", "1"];
    let more = ["--epochs", "400", "--patience", "0", "--lr", "1e-7", "--quiet", "--out", "run"];
    let output = awl(&folder, &[&arguments[..], &more].concat());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("the best epoch is among the last: more may be better: awl train --resume run --epochs 800"), "{told}");
    let lines = lines(&folder.join("run/metrics.jsonl"));
    let steps: Vec<u64> = lines
        .iter()
        .filter(|it| it.get("epoch").is_none())
        .filter_map(|it| it["step"].as_u64())
        .collect();
    assert_eq!(steps[..3], [1, 20, 40]);
    assert_eq!(steps.len(), 1 + 96_400 / 20);
    assert_eq!(lines.len() - steps.len(), 400, "every epoch has a line");
}

/// Both baselines stand in results, table and report, and an evaluation of the same rows has the same figures of them.
#[test]
fn every_table_has_the_baselines() {
    let folder = folder("run_baselines");
    let results = train(&folder, &["--epochs", "1"]);
    let run = folder.join("run");
    let part = json(&folder, &["evaluate", "run", PENGUINS, "--part", "test", "--json"]);
    for name in ["constant", "linear"] {
        let of = |tasks: &serde_json::Value, task: &str, figure: &str| {
            tasks[task][figure].as_f64().expect("a figure")
        };
        for (task, figure) in [("species", "log_loss"), ("body_mass_g", "rmse"), ("sex", "auc")] {
            let expected = of(&results["baselines"][name]["test"], task, figure);
            let found = of(&part["baselines"][name], task, figure);
            // Parameters are read from a file of f32, and the rows come in another order.
            assert!(
                (found - expected).abs() < 1e-5 * expected,
                "{name}, {task}: {found}, {expected}"
            );
        }
    }
    let constant = &results["baselines"]["constant"]["test"];
    // 23 of 52 are of the commonest species; the mean explains nothing.
    assert_eq!(constant["species"]["accuracy"], 23.0 / 52.0);
    assert_eq!(constant["species"]["auc"], 0.5);
    assert!(constant["body_mass_g"]["r2"].as_f64().expect("R²").abs() < 0.1);
    let linear = &results["baselines"]["linear"]["test"];
    assert!(linear["species"]["accuracy"].as_f64() > Some(0.9), "{linear}");
    assert!(linear["body_mass_g"]["r2"].as_f64() > Some(0.7), "{linear}");
    let told = results["warnings"].to_string();
    assert!(told.contains("no better than a linear model: \\\"species\\\""), "{told}");
    let table = succeed(&folder, &["evaluate", "run", PENGUINS]);
    assert_eq!(table.lines().filter(|line| line.starts_with("  linear")).count(), 3, "{table}");
    let report = std::fs::read_to_string(run.join("report.html")).expect("a report");
    assert!(report.contains("Linear") && report.contains("Constant"));
    // A file that is damaged costs the baselines alone.
    std::fs::write(run.join("baselines.safetensors"), "no tensors").expect("a file");
    let output = awl(&folder, &["evaluate", "run", PENGUINS]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("the baselines are left out: "), "{told}");
    // Runs from before there were baselines are evaluated without.
    std::fs::remove_file(run.join("baselines.safetensors")).expect("a file");
    let table = succeed(&folder, &["evaluate", "run", PENGUINS]);
    assert!(!table.contains("linear"), "{table}");
}

/// The weights told of are those of the model, at the training losses of the epoch that it is of: with patience, not the last one.
#[test]
fn the_weights_that_are_told_are_the_models_own() {
    let folder = folder("run_weights");
    let results = train(&folder, &["--lr", "0.1", "--epochs", "40", "--sigma-init", "-1"]);
    let run = folder.join("run");
    let kept = results["kept_epoch"].as_u64().expect("an epoch");
    assert!(kept < results["epochs"].as_u64().expect("epochs"), "the choice is too easy");
    let bytes = std::fs::read(run.join("model.safetensors")).expect("a model");
    let file = safetensors::SafeTensors::deserialize(&bytes).expect("tensors");
    let data = file.tensor("awl.params").expect("σ").data().to_vec();
    let sigma = data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().expect("four")));
    let sigma: Vec<f64> = sigma.map(f64::from).collect();
    let epochs = lines(&run.join("metrics.jsonl"));
    let epoch = epochs.iter().find(|line| line["epoch"] == kept).expect("the epoch");
    let names = ["species", "body_mass_g", "sex"];
    let losses = names.map(|name| epoch["train"]["losses"][name].as_f64().expect("a loss"));
    let weight = |task: usize| 0.5 / sigma[task].powi(2);
    let sum: f64 = (0..3).map(|task| weight(task) * losses[task]).sum();
    for (task, name) in names.into_iter().enumerate() {
        let told = &results["weights"][name];
        let close = |key: &str, expected: f64| {
            let found = told[key].as_f64().expect("a number");
            assert!((found - expected).abs() < 1e-12 * expected, "{name}, {key}: {told}");
        };
        close("sigma", sigma[task].abs());
        close("weight", weight(task));
        close("loss", losses[task]);
        close("share", weight(task) * losses[task] / sum);
        // Where the gradient at this loss is 0.
        let rest = told["rests_at"].as_f64().expect("a number");
        assert!((2.0 * rest.powi(4) / (1.0 + rest * rest) / losses[task] - 1.0).abs() < 1e-6);
        let is_near = (sigma[task].abs() - rest).abs() <= 0.1 * rest;
        assert_eq!(told["at_rest"], is_near, "{told}");
    }
    // A run that goes on after its end tells the same.
    let again = json(&folder, &["train", "--resume", "run", "--json"]);
    assert_eq!(again["weights"], results["weights"]);
}

/// Where training stops, the line of the file is named that stopped it, whichever rows the split and the shuffling gave it to.
#[test]
fn the_line_at_which_training_stopped_is_named() {
    let folder = folder("run_stopped");
    let row = |row: usize| {
        let y = if row == 40 { "-1e30".into() } else { format!("{:.2}", (row as f64).sin()) };
        format!("{:.3},{y}\n", (1.7 * row as f64).cos())
    };
    let rows: String = (0..60).map(row).collect();
    std::fs::write(folder.join("t.csv"), format!("x,y\n{rows}")).expect("a file");
    for members in ["1", "2"] {
        let _ = std::fs::remove_dir_all(folder.join("run"));
        let arguments = ["train", "t.csv", "--task", "y:mse", "--hidden", "4", "--batch-size", "8"];
        let more = ["--no-standardize", "--validation", "0", "--test", "0", "--epochs", "2"];
        let last = ["--members", members, "--out", "run"];
        let output = awl(&folder, &[&arguments[..], &more, &last].concat());
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}");
        // Line 1 has the names.
        assert!(
            told.contains("that row is line 42 of t.csv, and the number \"y\" there"),
            "{told}"
        );
        assert!(told.contains("whose largest number is -1e30"), "{told}");
    }
}
