//! Bad input, as new users give it: exit status 2, one message that says what to do, and nothing half-written.

use super::{awl, command, folder};
use std::fs;
use std::path::Path;
use std::process::Stdio;

/// A table that is good.
const GOOD: &str =
    "x,kind,y\n1,a,2\n2,b,4.5\n3,a,6\n4,b,8\n5,a,10\n6,b,12\n7,a,14\n8,b,16\n9,a,18\n10,b,20\n";

fn refused(folder: &Path, arguments: &[&str], told: &[&str]) {
    let before = names(folder);
    let output = awl(folder, arguments);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "awl {arguments:?}\n{message}");
    for part in told {
        assert!(message.contains(part), "awl {arguments:?} should say {part:?}:\n{message}");
    }
    assert!(!message.contains("panicked"), "{message}");
    assert!(output.stdout.is_empty(), "awl {arguments:?}");
    assert_eq!(names(folder), before, "awl {arguments:?} left something behind");
}

/// Everything in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().display().to_string()).collect();
    names.sort();
    names
}

#[test]
fn tables_that_cannot_be_trained_on() {
    let folder = folder("bad_tables");
    let y = "y:mse";
    let cases: &[(&[u8], &str, &[&str])] = &[
        (b"", y, &["bad.csv", "the file is empty"]),
        (b"x,y\n", y, &["bad.csv", "no row"]),
        (b"x,y\n1,2\n3\n", y, &["line 3", "cells"]),
        (b"x,y,x\n1,2,3\n", y, &["columns 1 and 3", "\"x\""]),
        (b"x,y\n\xc3\xa9,1\n1,\xff\n2,3\n", y, &["line 3", "UTF-8", "--encoding"]),
        (b"x,y\n1,2\n2,3\n\"3,4\n", y, &["line 4", "quote"]),
        (b"x,y\n1,2\n2,3\n3,lots\n4,5\n5,6\n6,7\n7,8\n8,9\n", y, &["line 4", "\"y\"", "lots"]),
        (b"x,y\n1,2\ntwo,3\n3,4\n4,5\n5,6\n6,7\n7,8\n8,9\n", y, &["line 3", "\"x\"", "two"]),
        (b"x,y\n1,NA\n2,\n3,NA\n4,NA\n5,NA\n6,NA\n7,NA\n8,NA\n", y, &["\"y\"", "missing"]),
        (b"x,y\n1,3\n2,3\n3,3\n4,3\n5,3\n6,3\n7,3\n8,3\n", y, &["\"y\"", "3"]),
        (b"x,y\n1,a\n2,a\n3,a\n4,a\n5,a\n6,a\n7,a\n8,a\n", "y:cross_entropy", &["\"y\"", "\"a\""]),
        (b"x,y\n1,a\n2,b\n3,c\n4,a\n5,b\n6,c\n7,a\n8,b\n", "y:bce", &["\"y\"", "bce"]),
        (b"x,y\n1,a\n2,b\n3,c\n4,a\n5,b\n6,c\n7,a\n8,b\n", y, &["\"y\"", "not a number"]),
        (b"y\n1\n2\n3\n4\n5\n6\n7\n8\n", y, &["no column is left to predict from"]),
    ];
    for (bytes, task, told) in cases {
        fs::write(folder.join("bad.csv"), bytes).expect("a file");
        refused(&folder, &["train", "bad.csv", "--task", task], told);
    }
    fs::write(folder.join("bad.csv.gz"), b"\x1f\x8b\x08\x00cut").expect("a file");
    refused(&folder, &["train", "bad.csv.gz", "--task", y], &["bad.csv.gz"]);
    fs::create_dir(folder.join("directory")).expect("a folder");
    refused(&folder, &["train", "directory", "--task", y], &["directory"]);
}

#[test]
fn arguments_that_cannot_mean_anything() {
    let folder = folder("bad_arguments");
    fs::write(folder.join("t.csv"), GOOD).expect("a file");
    fs::create_dir(folder.join("taken")).expect("a folder");
    fs::write(folder.join("taken/file"), "mine").expect("a file");
    fs::write(folder.join("file"), "mine").expect("a file");
    let cases: &[(&[&str], &[&str])] = &[
        (&["train", "no.csv", "-t", "y"], &["no.csv"]),
        (&["train", "t.csv"], &["--task"]),
        (&["train", "t.csv", "-t", "knid"], &["no column \"knid\"", "did you mean \"kind\"?"]),
        (&["train", "t.csv", "-t", "y:msee"], &["no loss \"msee\"", "did you mean \"mse\"?"]),
        (&["train", "t.csv", "-t", "y", "-t", "y"], &["y"]),
        (
            &["train", "t.csv", "-t", "y", "--features", "x,kin"],
            &["\"kin\"", "did you mean \"kind\"?"],
        ),
        (&["train", "t.csv", "-t", "y", "--features", "x,y"], &["\"y\""]),
        (&["train", "t.csv", "-t", "y", "--ignore", "knd"], &["\"knd\"", "did you mean \"kind\"?"]),
        (&["train", "t.csv", "-t", "y", "--out", "taken"], &["taken", "--resume"]),
        (&["train", "t.csv", "-t", "y", "--out", "file"], &["file"]),
        (&["train", "t.csv", "-t", "y", "--validation", "1.5"], &["--validation 1.5", "fraction"]),
        (
            &["train", "t.csv", "-t", "y", "--validation", "0.6", "--test", "0.6"],
            &["no rows to train on"],
        ),
        (&["train", "t.csv", "-t", "y", "--validation", "0.01"], &["row"]),
        (&["train", "t.csv", "-t", "y", "--hidden", "64;64"], &["such as 64,64"]),
        (&["train", "t.csv", "-t", "y", "--hidden", "0"], &["width 0"]),
        (&["train", "t.csv", "-t", "y", "--lr", "-1"], &["-1"]),
        (&["train", "t.csv", "-t", "y", "--lr", "nan"], &["NaN"]),
        (&["train", "t.csv", "-t", "y", "--batch-size", "0"], &["batch"]),
        (&["train", "t.csv", "-t", "y", "--dropout", "1"], &["dropout"]),
        (&["train", "t.csv", "-t", "y", "--clip", "0"], &["clip"]),
        (&["train", "t.csv", "-t", "y", "--sigma-init", "0"], &["σ", "0"]),
        (&["train", "t.csv", "-t", "y", "--sigma-init", "1,2"], &["weighting", "tasks"]),
        (&["train", "t.csv", "-t", "y", "--sigma-init", "near"], &["closed-form"]),
        (
            &["train", "t.csv", "-t", "y", "--weighting", "equal", "--sigma-lr", "0.1"],
            &["--sigma-lr"],
        ),
        (
            &["train", "t.csv", "-t", "y", "--weighting", "equal", "--sigma-form", "log"],
            &["--sigma-form", "awl alone"],
        ),
        (&["train", "t.csv", "-t", "y", "--sigma-form", "square"], &["square", "plain", "log"]),
        (&["train", "t.csv", "-t", "y", "--sigma-floor", "0.1"], &["--sigma-form log"]),
        (
            &["train", "t.csv", "-t", "y", "--sigma-form", "log", "--sigma-floor", "0"],
            &["floor of 0", "such as 0.01"],
        ),
        (
            &["train", "t.csv", "-t", "y", "--sigma-form", "log", "--sigma-init", "0.001"],
            &["σ starts at 0.001", "floor of 0.01"],
        ),
        (&["train", "t.csv", "-t", "y", "--weighting", "fixed"], &["\"y\"", "weight"]),
        (&["train", "t.csv", "-t", "y", "--weighting", "magic"], &["magic", "awl"]),
        (&["train", "t.csv", "-t", "y", "--split", "kind"], &["line 2", "\"a\"", "train"]),
        (&["train", "t.csv", "-t", "y", "--init", "no.safetensors"], &["no.safetensors"]),
        (&["train", "t.csv", "-t", "y", "--init", "file"], &["file", "safetensors"]),
        (&["train", "--resume", "taken"], &["taken", "config.toml"]),
        (&["evaluate", "taken", "t.csv"], &["taken", "config.toml"]),
        (&["predict", "nowhere", "t.csv"], &["nowhere"]),
        (&["export", "nowhere", "--onnx"], &["nowhere"]),
        (&["trian"], &["trian"]),
    ];
    for (arguments, told) in cases {
        refused(&folder, arguments, told);
    }
}

#[test]
fn configurations_that_cannot_mean_anything() {
    let folder = folder("bad_configurations");
    fs::write(folder.join("t.csv"), GOOD).expect("a file");
    let good = "[data]\npath = \"t.csv\"\n[[task]]\ncolumns = [\"y\"]\n";
    let cases: &[(&str, &[&str])] = &[
        ("[train]\nepoch = 3\n", &["run.toml", "line 2", "epoch", "epochs"]),
        ("[train]\nepochs = \"many\"\n", &["run.toml", "line 2", "many"]),
        ("[train\n", &["run.toml", "line 1"]),
        ("[model]\nactivation = \"rlu\"\n", &["rlu", "relu"]),
        ("[data]\npath = \"t.csv\"\n", &["no task"]),
        ("[[task]]\ncolumns = [\"y\"]\n", &["no table"]),
        (&format!("{good}delta = 2\nloss = \"mse\"\n"), &["delta", "huber"]),
        (&format!("{good}weight = 2\n"), &["\"y\"", "fixed"]),
        (&format!("{good}[[task]]\ncolumns = []\n"), &["no name"]),
        (&format!("{good}[weighting]\nsigma_init = \"near\"\n"), &["near", "closed-form"]),
        (&format!("{good}[weighting]\nsigma_form = \"ln\"\n"), &["line 6", "plain", "log"]),
    ];
    for (text, told) in cases {
        fs::write(folder.join("run.toml"), text).expect("a file");
        refused(&folder, &["train", "--config", "run.toml"], told);
    }
    refused(&folder, &["train", "--config", "no.toml"], &["no.toml"]);
}

#[test]
fn rows_that_a_model_was_not_made_for() {
    let folder = folder("bad_rows");
    fs::write(folder.join("t.csv"), GOOD).expect("a file");
    let train = [
        "train", "t.csv", "-t", "kind", "-t", "y", "--epochs", "1", "--hidden", "4", "--out",
        "run", "-q",
    ];
    super::succeed(&folder, &train);
    fs::write(folder.join("other.csv"), "z,kind,y\n1,a,2\n").expect("a file");
    fs::write(folder.join("word.csv"), "x,kind,y\nmuch,a,2\n").expect("a file");
    for command in ["evaluate", "predict"] {
        refused(&folder, &[command, "run", "word.csv"], &["word.csv", "line 2", "\"x\"", "much"]);
        refused(&folder, &[command, "run", "none.csv"], &["none.csv"]);
    }
    refused(&folder, &["evaluate", "run", "other.csv"], &["other.csv", "no column \"x\""]);
    refused(&folder, &["predict", "run", "t.csv", "--keep", "nmae"], &["no column \"nmae\""]);
    // A word in the last row: the file that was to be written does not appear.
    let many = (0..40_000).map(|row| format!("{row}\n")).collect::<String>();
    fs::write(folder.join("late.csv"), format!("x\n{many}much\n")).expect("a file");
    let late = ["predict", "run", "late.csv", "--out", "answers.csv"];
    refused(&folder, &late, &["late.csv", "line 40002", "much"]);
    // A model that was cut short.
    let model = folder.join("run/model.safetensors");
    let bytes = fs::read(&model).expect("a model");
    fs::write(&model, &bytes[..bytes.len() - 9]).expect("a file");
    refused(&folder, &["predict", "run", "t.csv"], &["model.safetensors", "cut short"]);
    fs::remove_file(&model).expect("it was there");
    refused(&folder, &["predict", "run", "t.csv"], &["model.safetensors", "has not ended yet"]);
}

/// What goes wrong at run time has exit status 1, and says so.
#[test]
fn a_loss_that_explodes_ends_the_run_with_a_sentence() {
    let folder = folder("explodes");
    fs::write(folder.join("t.csv"), GOOD).expect("a file");
    let train = ["train", "t.csv", "-t", "y", "--lr", "1e30", "--out", "run", "--validation", "0"];
    let output = awl(&folder, &train);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(
        message.contains("lower the learning rate") && message.contains("checkpoint"),
        "{message}"
    );
}

/// A run's configuration is UTF-8, so a file's name must be.
#[cfg(target_os = "linux")]
#[test]
fn a_table_whose_name_is_not_utf8_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let folder = folder("not_utf8");
    let name = std::ffi::OsStr::from_bytes(b"t\xff.csv");
    fs::write(folder.join(name), GOOD).expect("a file");
    let mut program = command(&["train", "-t", "y", "--out", "run"]);
    let output = program.arg(name).current_dir(&folder).output().expect("it runs");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("UTF-8") && message.contains("rename"), "{message}");
    assert!(!folder.join("run").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_a_closed_pipe_is_no_failure() {
    let folder = folder("full_disk");
    fs::write(folder.join("t.csv"), GOOD).expect("a file");
    let train = [
        "train", "t.csv", "-t", "kind", "-t", "y", "--epochs", "1", "--hidden", "4", "--out",
        "run", "-q",
    ];
    super::succeed(&folder, &train);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("a full disk");
    let output = command(&["predict", "run", "t.csv"])
        .current_dir(&folder)
        .stdout(full)
        .output()
        .expect("it runs");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("standard output") && message.contains("space"), "{message}");
    // More than what is written at the end, and than a pipe holds.
    let many = (0..20_000).map(|row| format!("{row}\n")).collect::<String>();
    fs::write(folder.join("many.csv"), format!("x\n{many}")).expect("a file");
    let mut child = command(&["predict", "run", "many.csv"])
        .current_dir(&folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
