//! A run that was stopped goes on as if it had not been: the same bits.

#[cfg(unix)]
use super::interrupted;
use super::{PENGUINS, awl, folder, killed, succeed};
use std::path::Path;

const TASKS: [&str; 6] = ["--task", "species", "--task", "body_mass_g", "--task", "sex"];
const SMALL: [&str; 10] = [
    "--hidden",
    "8",
    "--epochs",
    "60",
    "--patience",
    "0",
    "--quiet",
    "--dropout",
    "0.1",
    "--checkpoint-every",
];

fn steps(run: &Path) -> String {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).expect("a file");
    text.lines().filter(|line| line.starts_with("{\"step\"")).collect::<Vec<_>>().join("\n")
}

fn model(run: &Path) -> Vec<u8> {
    std::fs::read(run.join("model.safetensors")).expect("a model")
}

/// Wherever the kills fall, and if they miss, the bits must be those of a run that nobody touched.
#[test]
fn a_run_that_is_killed_and_resumed_ends_with_the_bits_of_one_that_was_not() {
    let folder = folder("killed");
    let start = [&["train", PENGUINS], &TASKS[..], &SMALL, &["0"]].concat();
    succeed(&folder, &[&start[..], &["--out", "whole"]].concat());
    let whole = folder.join("whole");
    let killed = killed(&folder, &start, &[300, 700, 450, 1_000]);
    assert!(model(&whole) == model(&killed), "the models differ");
    assert!(steps(&whole) == steps(&killed), "the records differ");
}

#[test]
fn a_run_that_has_ended_may_be_given_more_epochs() {
    let folder = folder("more_epochs");
    let train = |epochs: &str, out: &str| {
        let start = [
            "train",
            PENGUINS,
            "--epochs",
            epochs,
            "--out",
            out,
            "--quiet",
            "--patience",
            "0",
            "--hidden",
            "8",
        ];
        succeed(&folder, &[&start[..], &TASKS].concat());
    };
    train("9", "whole");
    train("4", "longer");
    succeed(&folder, &["train", "--resume", "longer", "--epochs", "9", "--quiet"]);
    let [whole, longer] = ["whole", "longer"].map(|run| folder.join(run));
    assert!(model(&whole) == model(&longer), "the models differ");
    assert!(steps(&whole) == steps(&longer), "the records differ");
}

#[test]
fn what_would_make_it_another_run_is_refused() {
    let folder = folder("resume_refused");
    let table = std::fs::read_to_string(PENGUINS).expect("a table");
    std::fs::write(folder.join("table.csv"), &table).expect("a file");
    let start = ["train", "table.csv", "--epochs", "1", "--out", "run", "--quiet", "--hidden", "8"];
    succeed(&folder, &[&start[..], &TASKS].concat());
    let before = model(&folder.join("run"));
    let refused = |arguments: &[&str], told: &str| {
        let output = awl(&folder, arguments);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(told), "{message}");
    };
    refused(&["train", "--resume", "run", "--lr", "0.5"], "a run goes on as it began");
    refused(&["train", "--resume", "nowhere"], "nowhere");
    refused(&["train", "--resume", "run", "--epochs", "0"], "the run has made 1 already");
    std::fs::write(folder.join("table.csv"), table.replacen("39.1", "39.2", 1)).expect("a file");
    refused(&["train", "--resume", "run"], "the rows are not those that the run was trained on");
    std::fs::write(folder.join("table.csv"), &table).expect("a file");
    let checkpoint = folder.join("run/checkpoint/state.safetensors");
    let bytes = std::fs::read(&checkpoint).expect("a checkpoint");
    std::fs::remove_file(folder.join("run/checkpoint/previous.safetensors")).expect("a file");
    std::fs::write(&checkpoint, &bytes[..bytes.len() / 2]).expect("a file");
    refused(&["train", "--resume", "run"], "cut short");
    std::fs::write(&checkpoint, before.clone()).expect("a file");
    refused(&["train", "--resume", "run"], "no training state");
    assert_eq!(model(&folder.join("run")), before);
}

/// The first of two classes, which is the number that stands for a missing label too.
#[test]
fn a_label_less_makes_another_table() {
    let folder = folder("resume_label");
    let table = std::fs::read_to_string(PENGUINS).expect("a table");
    std::fs::write(folder.join("table.csv"), &table).expect("a file");
    let rows = ["--validation", "0", "--test", "0", "--epochs", "1", "--hidden", "8"];
    let start = ["train", "table.csv", "--task", "sex", "--out", "run", "--quiet"];
    succeed(&folder, &[&start[..], &rows].concat());
    let at = table.rfind(",female,").expect("a female penguin");
    let lacking = [&table[..at], ",,", &table[at + ",female,".len()..]].concat();
    std::fs::write(folder.join("table.csv"), lacking).expect("a file");
    let output = awl(&folder, &["train", "--resume", "run", "--epochs", "2"]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("the rows are not those that the run was trained on"), "{message}");
}

/// Ctrl-C: the step is finished, everything is saved, and the run goes on later.
#[cfg(unix)]
#[test]
fn a_run_that_is_interrupted_saves_and_says_how_to_go_on() {
    let folder = folder("interrupted");
    let endless = [
        "train",
        PENGUINS,
        "--epochs",
        "1000000",
        "--patience",
        "0",
        "--hidden",
        "8",
        "--out",
        "run",
    ];
    // The first lines of the log: training is under way.
    let begin = [&endless[..], &TASKS].concat();
    let told = interrupted(&folder, &begin, "run/metrics.jsonl");
    assert!(told.contains("go on with: awl train --resume run"), "{told}");
    let text = std::fs::read_to_string(folder.join("run/results.json")).expect("results");
    let results: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let more = (results["epochs"].as_u64().expect("a number") + 2).to_string();
    succeed(&folder, &["train", "--resume", "run", "--epochs", &more, "--quiet"]);
    let start = [
        "train",
        PENGUINS,
        "--epochs",
        &more,
        "--patience",
        "0",
        "--hidden",
        "8",
        "--out",
        "whole",
        "--quiet",
    ];
    succeed(&folder, &[&start[..], &TASKS].concat());
    let [whole, run] = ["whole", "run"].map(|run| folder.join(run));
    assert!(model(&whole) == model(&run), "the models differ");
    assert!(steps(&whole) == steps(&run), "the records differ");
}
