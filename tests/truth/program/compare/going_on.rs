//! A comparison that is stopped goes on as it began.

use super::{SMALL, compared, table};
#[cfg(unix)]
use crate::program::interrupted;
use crate::program::{PENGUINS, awl, command, folder, json};
use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;

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
        let mut child = command(next());
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
    let told = interrupted(&folder, &flags, "out/plan.json");
    assert!(told.contains("stopped; go on with: awl compare --resume out"), "{told}");
    assert!(!folder.join("out/comparison.json").exists());
}

#[test]
fn a_comparison_that_breaks_off_says_how_to_go_on() {
    let folder = folder("compare_broken_off");
    table(&folder, false);
    let mut program = command(&[&SMALL[..], &["--out", "lost"]].concat());
    let output = program.current_dir(&folder).env("AWL_DRILL", "lose-device@2").output();
    let output = output.expect("the program runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("go on with: awl compare --resume lost"), "{told}");
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
    let lock = std::fs::File::open(folder.join("out/.lock")).expect("a lock");
    lock.lock().expect("nobody has it");
    refused(&[], "out: another process is at work in this directory");
    drop(lock);
    let text = std::fs::read_to_string(folder.join("table.csv")).expect("a table");
    std::fs::write(folder.join("table.csv"), text.replacen("low", "mid", 1)).expect("a table");
    refused(&[], "the rows are not those that the comparison began with");
}
