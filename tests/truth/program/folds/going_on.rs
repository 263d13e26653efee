//! Runs that were stopped go on to the figures that there would have been.

use super::{SMALL, TASKS, text};
#[cfg(unix)]
use crate::program::interrupted;
use crate::program::{PENGUINS, awl, folder, killed, succeed};

/// Wherever the kills fall, and if they miss, the figures must be those of runs that nobody touched.
#[test]
fn runs_that_are_killed_and_resumed_end_with_the_figures_of_those_that_were_not() {
    let folder = folder("folds_killed");
    let begin =
        [&["train", PENGUINS], &TASKS[..], &SMALL, &["--folds", "3", "--checkpoint-every", "0"]]
            .concat();
    succeed(&folder, &[&begin[..], &["--out", "whole"]].concat());
    let killed = killed(&folder, &begin, &[1_500, 3_000, 2_000]);
    let whole = folder.join("whole");
    for file in ["results.json", "out_of_fold.csv", "folds.csv", "fold-2/split.csv"] {
        assert_eq!(text(&whole.join(file)), text(&killed.join(file)), "{file}");
    }
    let lacking = killed.join("fold-2/out_of_fold.csv");
    std::fs::remove_file(&lacking).expect("a file");
    succeed(&folder, &["train", "--resume", "killed", "--quiet"]);
    assert_eq!(text(&whole.join("results.json")), text(&killed.join("results.json")));
    let lock = std::fs::File::open(killed.join(".lock")).expect("a lock");
    lock.lock().expect("nobody has it");
    let refused = awl(&folder, &["train", "--resume", "killed", "--quiet"]);
    drop(lock);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("killed: another process"));
    // A fold is a run, which its configuration makes again.
    let config = ["train", "--config", "whole/fold-2/config.toml", "--out", "again", "--quiet"];
    succeed(&folder, &config);
    let model =
        |run: &str| std::fs::read(folder.join(run).join("model.safetensors")).expect("a model");
    assert!(model("again") == model("whole/fold-2"), "the models differ");
}

/// Ctrl-C: what is done is kept and told.
#[cfg(unix)]
#[test]
fn runs_that_are_interrupted_say_what_is_done_and_how_to_go_on() {
    let folder = folder("folds_interrupted");
    let flags =
        ["--folds", "2", "--epochs", "1000000", "--patience", "0", "--hidden", "8", "--out", "run"];
    let begin = [&["train", PENGUINS], &TASKS[..], &flags].concat();
    let told = interrupted(&folder, &begin, "run/fold-1/metrics.jsonl");
    assert!(told.contains("fold 1 of 2: "), "{told}");
    assert!(told.contains("stopped in fold 1 of 2; 0 of 2 runs are done"), "{told}");
    assert!(told.contains("go on with: awl train --resume run"), "{told}");
    assert!(!folder.join("run/results.json").exists());
}
