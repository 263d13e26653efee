//! What cannot be compared: schemes that fail, and flags and tables that are refused.

use super::{SMALL, compared, schemes, table};
use crate::program::{awl, folder};

#[test]
fn a_scheme_that_fails_is_a_row_that_says_so() {
    let folder = folder("compare_failing");
    table(&folder, false);
    // Numbers as they are, at a rate that no network survives but that of the other list.
    let found = compared(
        &folder,
        &["--out", "out", "--rates", "0.01,1e38", "--budget", "2", "--schemes", "awl"],
    );
    for it in schemes(&found) {
        let tried = it["tried"].as_array().expect("tried");
        assert!(
            tried.iter().any(|it| it["failure"].is_string() || it["score"].as_f64() > Some(1.0)),
            "{}",
            it["name"]
        );
        assert_eq!(it["chosen"][0]["learning_rate"], 0.01, "{}", it["name"]);
    }
    let found = compared(
        &folder,
        &[
            "--out",
            "none",
            "--rates",
            "1e38",
            "--budget",
            "1",
            "--schemes",
            "awl",
            "--no-standardize",
        ],
    );
    for it in schemes(&found) {
        let runs = it["runs"].as_array().expect("runs");
        assert!(
            it["not_compared"].is_string() || runs.iter().all(|run| run["score"].is_number()),
            "{it}"
        );
    }
}

#[test]
fn what_cannot_be_compared_is_refused_with_the_reason() {
    let folder = folder("compare_refused");
    table(&folder, false);
    std::fs::create_dir(folder.join("there")).expect("a folder");
    std::fs::write(folder.join("there/file"), "").expect("a file");
    for (flags, told) in [
        (&["--schemes", "awl,equall"][..], "there is no scheme \"equall\": did you mean equal?"),
        (&["--seeds", "0"], "--seeds 0: an interval needs 2 runs of each at least"),
        (&["--seeds", "1"], "--seeds 1: an interval needs 2 runs of each at least"),
        (&["--rates", "0"], "--rates: give learning rates above 0"),
        (&["--rates", "0.1,nan"], "--rates: give learning rates above 0"),
        (&["--budget", "2"], "--budget 2: each of 3 learning rates is a run"),
        (&["--lr", "0.1"], "--lr is of `awl train`; every scheme's rate is chosen: give --rates"),
        (&["--folds", "3"], "--folds is of `awl train`; all runs share one split"),
        (&["--out", "there"], "there: it exists: name another with --out"),
        (&["--epochs", "0"], "--epochs 0: nothing would be trained"),
    ] {
        let output = awl(&folder, &[&SMALL[..], flags].concat());
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{flags:?}\n{message}");
        assert!(message.contains(told), "{flags:?} should say {told:?}:\n{message}");
        assert!(!folder.join("comparison").exists());
    }
    for (flags, told) in [
        (
            &["--task", "number:mse"][..],
            "\"number\" is the only task, and with one there is nothing to weigh",
        ),
        (
            &["--task", "number:gaussian_nll", "--task", "kind"],
            "task \"number\": weightings are compared by how many times as large losses are",
        ),
        (&["--task", "number:mse", "--task", "kind", "--test", "0"], "there are no rows to test"),
        (
            &["--task", "number:mse", "--task", "kind", "--validation", "0", "--test", "0.2"],
            "there are no rows to validate",
        ),
    ] {
        let output = awl(&folder, &[&["compare", "table.csv"], flags].concat());
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{flags:?}\n{message}");
        assert!(message.contains(told), "{flags:?} should say {told:?}:\n{message}");
    }
    let output = awl(&folder, &["compare", "--resume", "there"]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("name the directory of a comparison"), "{message}");
}
