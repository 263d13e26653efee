//! No choice is made from nothing: what the best epoch was chosen by is said, and where nothing chose, the last one is kept.

use super::{Bench, drawn, rows};
use serde_json::{Value, json};

/// A table with a part a row, whose labels are there where `labelled` says so of row, part and task.
fn table(labelled: impl Fn(usize, &str, &str) -> bool) -> String {
    rows("x,y,kind,part", 100, |row| {
        let part = ["train", "train", "train", "validation", "test"][row % 5];
        let x = drawn(row, 1);
        let y = if labelled(row, part, "y") { format!("{:.4}", 3.0 * x) } else { String::new() };
        let kind = if x > 0.0 { "a" } else { "b" };
        let kind = if labelled(row, part, "kind") { kind } else { "" };
        format!("{x:.4},{y},{kind},{part}")
    })
}

#[test]
fn the_best_epoch_is_chosen_by_labels_or_not_at_all() {
    let bench = Bench::new("choice");
    let all: &[&str] = &["y", "kind"];
    let none: &[&str] = &[];
    type Labelled = fn(usize, &str, &str) -> bool;
    let cases: [(&str, Labelled, &[&str], &[&str]); 6] = [
        ("all", |_, _, _| true, all, none),
        (
            "neither",
            |_, part, _| part != "validation",
            none,
            &["no validation row has a label of any task", "last one's weights"],
        ),
        (
            "no kind",
            |_, part, task| part != "validation" || task == "y",
            &["y"],
            &["no validation row has a label of \"kind\"", "\"y\" alone"],
        ),
        (
            "no y",
            |_, part, task| part != "validation" || task == "kind",
            &["kind"],
            &["no validation row has a label of \"y\"", "\"kind\" alone"],
        ),
        (
            "one y",
            |row, part, task| part != "validation" || task == "kind" || row == 3,
            all,
            &["few validation labels", "1 of \"y\""],
        ),
        (
            "few of both",
            |row, part, _| part != "validation" || row < 10,
            all,
            &["few validation labels", "2 of \"y\", 2 of \"kind\""],
        ),
    ];
    for (name, labelled, chosen_by, told) in cases {
        bench.write("t.csv", table(labelled));
        let out = format!("run-{}", name.replace(' ', "-"));
        let (done, results) = bench
            .train(&format!("t.csv --task y:mse --task kind --split part --epochs 40 --out {out}"));
        if !told.is_empty() {
            done.says(told);
        }
        done.is_silent_of("-0.0000");
        assert_eq!(results["data"]["chosen_by"], json!(chosen_by), "{name}");
        assert_eq!(results["best_epoch"].is_null(), chosen_by.is_empty(), "{name}: {results}");
        let kept = results["kept_epoch"].as_u64().expect("an epoch");
        assert!(kept > 1, "{name}: the weights of epoch {kept}");
        if chosen_by.is_empty() {
            assert_eq!(results["kept_epoch"], results["epochs"], "{name}");
        }
        assert!(
            results["parts"]["test"]["y"]["r2"].as_f64() > Some(0.8),
            "{name}: {}",
            results["parts"]["test"]
        );
        // A score is null where there is none, never 0.
        let log =
            std::fs::read_to_string(bench.path().join(&out).join("metrics.jsonl")).expect("a log");
        for line in log.lines().filter(|line| line.contains("\"validation\"")) {
            let line: Value = serde_json::from_str(line).expect("JSON");
            assert_eq!(
                line["validation"]["score"].is_null(),
                chosen_by.is_empty(),
                "{name}: {line}"
            );
        }
    }
}

/// Whatever the seed, each part gets labels as far as they go round.
#[test]
fn few_labels_are_in_every_part_whatever_the_seed() {
    let bench = Bench::new("choice_few");
    bench.write(
        "t.csv",
        rows("x,y", 60, |row| {
            let label = if row % 10 == 3 { format!("{row}") } else { "NA".into() };
            format!("{:.4},{label}", drawn(row, 1))
        }),
    );
    for seed in 0..10 {
        let (done, results) =
            bench.train(&format!("t.csv --task y:mse --epochs 2 --seed {seed} --out run-{seed}"));
        let labels = &results["data"]["tasks"]["y"]["labels"];
        let of = |part: &str| labels[part].as_u64().expect("a number");
        assert!(
            of("train") >= 2 && of("validation") >= 1 && of("test") >= 1,
            "seed {seed}: {labels}"
        );
        assert_eq!(of("train") + of("validation") + of("test"), 6);
        done.says(&["few validation labels"]).says(&["54 \"NA\""]);
    }
}

#[test]
fn without_validation_the_last_epoch_is_kept_and_said_to_be() {
    let bench = Bench::new("choice_none");
    bench.write("t.csv", rows("x,y", 40, |row| format!("{},{}", drawn(row, 1), drawn(row, 2))));
    for flags in ["--validation 0", "--validation 0 --test 0.2"] {
        let _ = std::fs::remove_dir_all(bench.path().join("run"));
        let (done, results) =
            bench.train(&format!("t.csv --task y:mse {flags} --epochs 7 --out run"));
        assert!(
            done.out.contains("trained 7 epochs")
                && done.out.contains("the last one's weights are kept"),
            "{}",
            done.out
        );
        assert_eq!(
            (results["best_epoch"].as_u64(), results["kept_epoch"].as_u64()),
            (None, Some(7))
        );
    }
}
