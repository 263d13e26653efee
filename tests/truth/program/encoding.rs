//! How columns become inputs, as a run's user asks for it, is told of it, and finds it again in the model.

use super::{folder, json, succeed};
use std::fmt::Write as _;
use std::path::Path;

/// 80 rows: three towns of 24 rows, and eight of one.
fn towns(folder: &Path) {
    let mut csv = String::from("town,x,y\n");
    for row in 0..80 {
        let town =
            if row % 10 == 9 { format!("hamlet {row}") } else { format!("town {}", row % 3) };
        let _ = writeln!(csv, "{town},{},{}", row % 7, row % 3 + row % 7);
    }
    std::fs::write(folder.join("towns.csv"), csv).expect("a table");
}

const TRAIN: [&str; 11] = [
    "train",
    "towns.csv",
    "--task",
    "y:mse",
    "--validation",
    "0",
    "--epochs",
    "2",
    "--hidden",
    "4",
    "--quiet",
];

fn train(folder: &Path, more: &[&str]) -> serde_json::Value {
    json(folder, &[&TRAIN[..], more, &["--json"]].concat())
}

const TOLD: &str = "texts that fewer than 2 training rows have share one input of their feature: \"town\" (8 texts in 8 rows, \
                    beside 3 others)";

#[test]
fn rare_texts_are_joined_told_and_found_again() {
    let folder = folder("run_rare");
    towns(&folder);
    let results = train(&folder, &["--out", "run"]);
    let told =
        |it: &serde_json::Value| it["choices"].as_array().expect("choices").contains(&TOLD.into());
    assert!(told(&results), "{}", results["choices"]);
    let rare = serde_json::json!({ "town": { "categories": 8, "rows": 8 } });
    assert_eq!(results["data"]["rare_in_features"], rare);
    let described =
        succeed(&folder, &["describe", "towns.csv", "--task", "y:mse", "--validation", "0"]);
    assert!(described.contains(TOLD) && described.contains("; 5 inputs"), "{described}");
    let config = std::fs::read_to_string(folder.join("run/config.toml")).expect("a configuration");
    assert!(config.contains("\nrare = 2\n"), "{config}");

    // A rare town and a new one are one; a missing one is another.
    std::fs::write(folder.join("new.csv"), "town,x\nhamlet 19,3\nMetropolis,3\n,3\n")
        .expect("rows");
    let answers = succeed(&folder, &["predict", "run", "new.csv"]);
    let answers: Vec<&str> = answers.lines().skip(1).collect();
    assert_eq!(answers[0], answers[1]);
    assert_ne!(answers[1], answers[2]);
    let output = super::awl(&folder, &["predict", "run", "new.csv"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let expected = "texts that few training rows had, or none, and that count as rare: feature \"town\" (2 cells)";
    assert!(told.contains(expected), "{told}");

    let apart = train(&folder, &["--rare", "1", "--out", "apart"]);
    assert_eq!(apart["data"]["rare_in_features"], serde_json::json!({}));
    let error = super::awl(&folder, &["train", "--resume", "run", "--rare", "1"]);
    assert_eq!(error.status.code(), Some(2));
}

/// A run from before `rare` was in its configuration goes on with every text apart, and with its own rows.
#[test]
fn a_run_that_does_not_say_what_is_rare_goes_on_as_it_was() {
    let folder = folder("run_rare_old");
    towns(&folder);
    train(&folder, &["--rare", "1", "--out", "run"]);
    let path = folder.join("run/config.toml");
    let config = std::fs::read_to_string(&path).expect("a configuration");
    assert!(config.contains("rare = 1\n"), "{config}");
    std::fs::write(&path, config.replace("rare = 1\n", "")).expect("a configuration");
    let results =
        json(&folder, &["train", "--resume", "run", "--epochs", "3", "--quiet", "--json"]);
    assert_eq!(results["epochs"], 3, "{results}");
}

/// Named all the same, an identifier makes no input, and is still told to be one.
#[test]
fn an_identifier_that_is_asked_for_says_nothing() {
    let folder = folder("run_rare_id");
    let rows: String =
        (0..60).map(|row| format!("k{},{},{}\n", row * 7_919 % 10_007, row % 7, row % 5)).collect();
    std::fs::write(folder.join("towns.csv"), format!("customer_id,x,y\n{rows}")).expect("a table");
    let results = train(&folder, &["--features", "customer_id,x", "--out", "run"]);
    let warnings = results["warnings"].to_string();
    for told in [
        "names the rows: 60 of 60 cells are different",
        "no text of \\\"customer_id\\\" is in 2 training rows or more, so that no input is made of it (--rare 1 keeps all apart)",
    ] {
        assert!(warnings.contains(told), "{warnings}");
    }
}

/// 61 numbers, one of them a million, and a missing one.
#[test]
fn a_scale_is_in_the_run_its_model_and_what_goes_on_with_it() {
    let folder = folder("run_scale");
    let rows: String = (0..60).map(|row| format!("{},{}\n", (row * row) % 61, row % 7)).collect();
    std::fs::write(folder.join("towns.csv"), format!("x,y\n{rows}1000000,3\n,4\n"))
        .expect("a table");
    for scale in ["standard", "robust", "quantile"] {
        let whole = format!("{scale}-whole");
        train(&folder, &["--scale", scale, "--out", &whole]);
        let config =
            std::fs::read_to_string(folder.join(&whole).join("config.toml")).expect("a file");
        assert!(config.contains(&format!("\nscale = \"{scale}\"\n")), "{config}");
        // Stopped between, it ends with the same bits.
        train(&folder, &["--scale", scale, "--epochs", "1", "--out", scale]);
        succeed(&folder, &["train", "--resume", scale, "--epochs", "2", "--quiet"]);
        let model =
            |run: &str| std::fs::read(folder.join(run).join("model.safetensors")).expect("a model");
        assert!(model(&whole) == model(scale), "{scale}");
    }
    let answers = |run: &str, x: &str| {
        std::fs::write(folder.join("new.csv"), format!("x\n{x}\n")).expect("rows");
        succeed(&folder, &["predict", run, "new.csv"]).lines().nth(1).expect("a row").to_string()
    };
    for (scale, is_told_apart, is_bounded) in
        [("standard", false, false), ("robust", true, true), ("quantile", true, true)]
    {
        // Beside a million, 3 and 30 are one; and beyond it goes on, or does not.
        let apart = answers(scale, "3").parse::<f64>().expect("a number")
            - answers(scale, "30").parse::<f64>().expect("a number");
        assert_eq!(apart.abs() > 1e-3, is_told_apart, "{scale}: {apart}");
        assert_eq!(answers(scale, "1e12") == answers(scale, "1e14"), is_bounded, "{scale}");
    }
    for (arguments, message) in [
        (&["--scale", "robust", "--no-standardize"][..], "cannot be used with"),
        (&["--scale", "rank"], "possible values: standard, robust, quantile"),
    ] {
        let output = super::awl(&folder, &[&TRAIN[..], arguments].concat());
        assert_eq!(output.status.code(), Some(2));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains(message), "{told}");
    }
    std::fs::write(folder.join("run.toml"), "data.standardize = false\ndata.scale = \"robust\"\n")
        .expect("a file");
    let output = super::awl(&folder, &[&TRAIN[..], &["--config", "run.toml"]].concat());
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.contains("cannot be both left as they are and brought to the scale \"robust\""),
        "{told}"
    );
}
