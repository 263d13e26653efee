//! Flags of the losses: each makes the run that the file makes with the numbers written out.

use super::{PENGUINS, awl, folder, lines, succeed};
use std::path::Path;

const SHORT: [&str; 12] = [
    "--epochs",
    "2",
    "--hidden",
    "4",
    "--validation",
    "0",
    "--test",
    "0",
    "--quiet",
    "--no-shuffle",
    "--seed",
    "3",
];

fn steps(folder: &Path, arguments: &[&str]) -> Vec<serde_json::Value> {
    succeed(folder, &[&["train", PENGUINS], arguments, &SHORT].concat());
    let out = arguments.last().expect("a directory");
    let mut lines = lines(&folder.join(out).join("metrics.jsonl"));
    lines.retain(|line| line.get("epoch").is_none());
    lines
}

#[test]
fn class_weights_are_balanced_and_labels_smoothed_by_flags() {
    let folder = folder("losses");
    // 152, 68 and 124 of 344: n/(K·nₖ), rounded to f32.
    let weights = [152.0, 68.0, 124.0].map(|count| (344.0 / (3.0 * count)) as f32);
    let task =
        |more: &str| format!("[[task]]\ncolumns = [\"species\"]\nloss = \"cross_entropy\"\n{more}");
    let mass = "[[task]]\ncolumns = [\"body_mass_g\"]\nloss = \"mse\"\n";
    let written = [
        task(&format!("class_weights = {weights:?}\nlabel_smoothing = 0.2\n")),
        task("class_weights = \"balanced\"\nlabel_smoothing = 0.2\n"),
    ];
    let [first, second] = written.map(|text| text + mass);
    std::fs::write(folder.join("first.toml"), first).expect("a file");
    std::fs::write(folder.join("second.toml"), second).expect("a file");
    let by_numbers = steps(&folder, &["--config", "first.toml", "--out", "numbers"]);
    let by_word = steps(&folder, &["--config", "second.toml", "--out", "word"]);
    let tasks = ["--task", "species", "--task", "body_mass_g"];
    let flags = ["--class-weights", "balanced", "--label-smoothing", "0.2", "--out", "flags"];
    let by_flags = steps(&folder, &[&tasks[..], &flags].concat());
    assert_eq!(by_word, by_numbers);
    assert_eq!(by_flags, by_numbers);
    let plain = steps(&folder, &[&tasks[..], &["--out", "plain"]].concat());
    assert_ne!(by_flags, plain);
    // What was asked for is in the configuration, and the run goes on with it.
    let saved = std::fs::read_to_string(folder.join("flags/config.toml")).expect("a file");
    assert!(
        saved.contains("class_weights = \"balanced\"") && saved.contains("label_smoothing"),
        "{saved}"
    );
    succeed(&folder, &["train", "--resume", "flags", "--epochs", "3", "--quiet"]);
}

#[test]
fn flags_without_a_task_for_them_and_other_words_are_refused() {
    let folder = folder("losses_refused");
    let refused = |arguments: &[&str], told: &str| {
        let output = awl(&folder, &[&["train", PENGUINS, "--out", "never"], arguments].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(told), "{stderr}");
        assert!(!folder.join("never").exists());
    };
    let numbers = ["--task", "body_mass_g"];
    refused(
        &[&numbers[..], &["--class-weights", "balanced"]].concat(),
        "--class-weights is for tasks of the loss cross_entropy",
    );
    refused(
        &[&numbers[..], &["--label-smoothing", "0.1"]].concat(),
        "--label-smoothing is for tasks of the loss cross_entropy",
    );
    refused(&["--task", "species", "--class-weights", "rare"], "balanced");
    refused(&["--task", "species", "--label-smoothing", "1.5"], "smoothing");
    let text = "[[task]]\ncolumns = [\"species\"]\nclass_weights = \"rare\"\n";
    std::fs::write(folder.join("bad.toml"), text).expect("a file");
    refused(
        &["--config", "bad.toml"],
        "class_weights \"rare\": give a number a class, or \"balanced\"",
    );
}
