//! `awl compare`: what it comes to is that of the runs it says, chosen by validation rows alone, however often it was stopped.

mod failing;
mod figures;
mod going_on;

use super::{json, succeed};
use serde_json::Value;
use std::path::Path;

/// Ninety rows in three parts: a number, and a class that hangs on it.
fn table(folder: &Path, is_shuffled: bool) {
    let rows: Vec<(f64, f64, usize)> = (0..90)
        .map(|row| {
            let x = f64::from(row * 37 % 90) / 45.0 - 1.0;
            (x, x * x + 0.2 * f64::from(row % 7) - 0.6, usize::from(x > 0.1) + usize::from(x > 0.6))
        })
        .collect();
    let part = |row: usize| ["train", "train", "train", "validation", "test"][row % 5];
    // Test rows get the labels of other test rows: the parts keep theirs.
    let labels = |row: usize| match (is_shuffled, part(row)) {
        (true, "test") => rows[(row + 25) % 90],
        _ => rows[row],
    };
    let line = |(row, it): (usize, &(f64, f64, usize))| {
        let (_, number, kind) = labels(row);
        format!("{},{number},{},{}\n", it.0, ["low", "mid", "top"][kind], part(row))
    };
    let lines: String = rows.iter().enumerate().map(line).collect();
    std::fs::write(folder.join("table.csv"), format!("x,number,kind,part\n{lines}"))
        .expect("a table");
}

const SMALL: [&str; 17] = [
    "compare",
    "table.csv",
    "--task",
    "number:mse",
    "--task",
    "kind",
    "--split",
    "part",
    "--hidden",
    "6",
    "--epochs",
    "12",
    "--seeds",
    "3",
    "--schemes",
    "awl,fixed,rlw,uw-so",
    "--quiet",
];

fn compared(folder: &Path, flags: &[&str]) -> Value {
    json(folder, &[&SMALL[..], flags, &["--json"]].concat())
}

fn schemes(comparison: &Value) -> &Vec<Value> {
    comparison["schemes"].as_array().expect("schemes")
}

fn scheme<'a>(comparison: &'a Value, name: &str) -> &'a Value {
    schemes(comparison).iter().find(|it| it["name"] == name).expect("a scheme")
}

/// Flags that `awl train` has not, and where it is held what they do; the others are its own, held there.
const OWN: &[(&str, &str)] = &[
    ("--schemes", "figures_are_those_of_the_runs, what_cannot_be_compared"),
    ("--seeds", "figures_are_those_of_the_runs, what_cannot_be_compared"),
    ("--rates", "a_run_of_a_comparison, a_scheme_that_fails"),
    ("--budget", "a_run_of_a_comparison, what_cannot_be_compared"),
];

#[test]
fn every_flag_is_one_of_awl_train_or_held_here() {
    let flags = |command: &str| -> Vec<String> {
        let help = succeed(Path::new("."), &[command, "--help"]);
        let lines = help.lines().filter(|line| line.trim_start().starts_with('-'));
        let words = lines.flat_map(|line| line.split([' ', ',', '[', '<']));
        words.filter(|word| word.starts_with("--") && word.len() > 2).map(String::from).collect()
    };
    let of_train = flags("train");
    let own: Vec<String> =
        flags("compare").into_iter().filter(|it| !of_train.contains(it)).collect();
    let held: Vec<&str> = OWN.iter().map(|(flag, _)| *flag).collect();
    assert_eq!(own, held);
}
