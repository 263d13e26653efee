//! `--threshold`: which of two classes is answered, and that all who answer or judge do so by it.

use super::{awl, folder, json, succeed};
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;

const SMALL: [&str; 9] =
    ["--hidden", "8", "--quiet", "--epochs", "40", "--lr", "0.01", "--seed=3", "--ignore=id"];

/// Six hundred rows, a twelfth of them sick, none told apart without mistakes.
fn table(folder: &Path) {
    let mut text = String::from("id,pulse,fever,ward,state\n");
    let mut state = 9_u64;
    let mut random = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    };
    for row in 0..600 {
        let (pulse, fever) = (random() * 4.0, random() * 4.0);
        let sick = pulse + fever + 6.0 * random() > 10.3;
        let ward = if fever + random() > 2.5 { "north" } else { "south" };
        let state = if sick { "sick" } else { "well" };
        let _ = writeln!(text, "r{row},{pulse:.4},{fever:.4},{ward},{state}");
    }
    std::fs::write(folder.join("table.csv"), text).expect("a table");
}

fn train(folder: &Path, arguments: &[&str]) {
    let begin = ["train", "table.csv"];
    succeed(folder, &[&begin[..], &SMALL, arguments].concat());
}

fn results(folder: &Path, run: &str) -> Value {
    let text = std::fs::read_to_string(folder.join(run).join("results.json")).expect("results");
    serde_json::from_str(&text).expect("JSON")
}

/// Of a part's rows the label, the answer and the probability of being well.
fn answered(folder: &Path, run: &str, part: &str) -> Vec<(bool, String, f64)> {
    let text = succeed(folder, &["predict", run, "table.csv", "--part", part, "--keep", "state"]);
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let names = rows.headers().expect("a header").clone();
    let at = |name: &str| names.iter().position(|it| it == name).expect("a column");
    let [label, answer, well] = ["state.kept", "state", "state=well"].map(at);
    let rows = rows.records().map(|row| row.expect("a row"));
    rows.map(|row| {
        (&row[label] == "sick", row[answer].into(), row[well].parse().expect("a number"))
    })
    .collect()
}

/// F1 of the sick where those are answered whose probability of being well is not above the threshold.
fn f1(rows: &[(bool, String, f64)], threshold: f64) -> f64 {
    let count = |sick: bool| {
        rows.iter().filter(|(is_sick, _, well)| *is_sick == sick && *well <= threshold).count()
            as f64
    };
    let all = rows.iter().filter(|(is_sick, ..)| *is_sick).count() as f64;
    2.0 * count(true) / (all + count(true) + count(false))
}

fn balanced(rows: &[(bool, String, f64)], threshold: f64) -> f64 {
    let recall = |sick: bool| {
        let own = || rows.iter().filter(|(is_sick, ..)| *is_sick == sick);
        own().filter(|(.., well)| (*well <= threshold) == sick).count() as f64
            / own().count() as f64
    };
    f64::midpoint(recall(true), recall(false))
}

/// By an exhaustive search over what `awl predict` says of the validation rows.
#[test]
fn the_threshold_is_the_best_of_the_validation_rows_and_all_answer_by_it() {
    let folder = folder("thresholds");
    table(&folder);
    type Score = fn(&[(bool, String, f64)], f64) -> f64;
    let cases: [(&str, &str, &[&str], Score); 4] = [
        ("f1", "state:bce", &[], f1),
        ("f1", "state:cross_entropy", &["--task", "ward"], f1),
        ("balanced", "state:bce", &["--members", "2"], balanced),
        ("balanced", "state:cross_entropy", &[], balanced),
    ];
    for (case, (aim, task, more, score)) in cases.into_iter().enumerate() {
        let run = &case.to_string();
        let asked = format!("state={aim}");
        train(&folder, &[&["--task", task, "--threshold", &asked, "--out", run], more].concat());
        let results = results(&folder, run);
        let told = &results["tasks"][0]["threshold"];
        let threshold = told["values"][0].as_f64().expect("a threshold");
        let validation = answered(&folder, run, "validation");
        // But for that by which all are sick.
        let mut cuts: Vec<f64> = validation.iter().map(|(.., well)| *well).collect();
        cuts.sort_by(f64::total_cmp);
        cuts.retain(|cut| *cut < validation.iter().map(|it| it.2).fold(0.0, f64::max));
        let best = cuts.iter().map(|cut| score(&validation, *cut)).fold(0.0, f64::max);
        assert!(
            (told["validation"][0].as_f64().unwrap() - best).abs() < 1e-9,
            "{task} {told} {best}"
        );
        assert!((score(&validation, threshold) - best).abs() < 1e-9, "{task} {told}");
        let half = told["validation_at_half"][0].as_f64().unwrap();
        assert!((half - score(&validation, 0.5)).abs() < 1e-9, "{task} {told}");
        assert!(best > half, "{task}: nothing to choose, {told}");
        // Six decimals of a probability may be on the threshold.
        let test = answered(&folder, run, "test");
        let far = |(.., well): &&(bool, String, f64)| (well - threshold).abs() > 1e-6;
        for (_, answer, well) in test.iter().filter(far) {
            assert_eq!(answer, if *well > threshold { "well" } else { "sick" }, "{task} {well}");
        }
        let mut confusion = [[0_u64; 2]; 2];
        for (sick, answer, _) in &test {
            confusion[usize::from(!sick)][usize::from(answer == "well")] += 1;
        }
        let figures = &results["parts"]["test"]["state"];
        assert_eq!(figures["confusion"], serde_json::json!(confusion), "{task}");
        let right = (confusion[0][0] + confusion[1][1]) as f64 / test.len() as f64;
        assert!((figures["accuracy"].as_f64().unwrap() - right).abs() < 1e-12, "{task}");
        let of_class = &results["by_class"]["state"][0]["classes"][0];
        let recall = confusion[0][0] as f64 / confusion[0].iter().sum::<u64>() as f64;
        assert!((of_class["recall"].as_f64().unwrap() - recall).abs() < 1e-12, "{of_class}");
        let main = &results["importance"]["tasks"]["state"];
        assert!((main["figure"].as_f64().unwrap() - right).abs() < 1e-12, "{main}");
        let judged = json(&folder, &["evaluate", run, "table.csv", "--part", "test", "--json"]);
        let linear = &results["baselines"]["linear"]["test"]["state"];
        // The log loss is added up in another order.
        for figure in ["confusion", "accuracy", "macro_f1"] {
            assert_eq!(judged["tasks"]["state"][figure], figures[figure], "{task}");
            assert_eq!(judged["baselines"]["linear"]["state"][figure], linear[figure], "{task}");
        }
        assert_eq!(judged["thresholds"]["state"][0], told["values"][0]);
        let page = std::fs::read_to_string(folder.join(run).join("report.html")).expect("a report");
        assert!(page.contains("Threshold: well is answered above a probability of "), "{task}");
        let text = succeed(&folder, &["evaluate", run, "table.csv"]);
        assert!(text.contains("state: \"well\" is answered above a probability of "), "{text}");
    }
    // No other task has one, and the run goes on with it.
    assert_eq!(results(&folder, "1")["tasks"][1]["threshold"], Value::Null);
    succeed(&folder, &["train", "--resume", "0", "--epochs", "41", "--quiet"]);
    assert_eq!(results(&folder, "0")["tasks"][0]["threshold"]["chosen_for"], "f1");
    let same = awl(&folder, &["train", "--resume", "0", "--threshold", "f1", "--quiet"]);
    assert_eq!(same.status.code(), Some(2));
}

#[test]
fn a_number_is_taken_as_it_is_and_without_any_the_likelier_class_is_answered() {
    let folder = folder("threshold_number");
    table(&folder);
    train(
        &folder,
        &["--task", "state", "--task", "pulse", "--threshold", "0.9", "--out", "number"],
    );
    train(&folder, &["--task", "state", "--task", "pulse", "--out", "plain"]);
    for (run, threshold) in [("number", 0.9), ("plain", 0.5)] {
        for (_, answer, well) in answered(&folder, run, "test") {
            if (well - threshold).abs() > 1e-6 {
                assert_eq!(answer, if well > threshold { "well" } else { "sick" }, "{run} {well}");
            }
        }
    }
    let [number, plain] = ["number", "plain"].map(|run| results(&folder, run));
    assert_eq!(number["tasks"][0]["threshold"]["values"], serde_json::json!([0.9]));
    assert_eq!(plain["tasks"][0]["threshold"], Value::Null);
    let of = |it: &Value, figure: &str| it["parts"]["test"]["state"][figure].clone();
    assert_eq!(of(&number, "auc"), of(&plain, "auc"));
    assert_ne!(of(&number, "accuracy"), of(&plain, "accuracy"));
}

#[test]
fn what_is_no_threshold_or_has_nothing_to_be_chosen_by_is_refused() {
    let folder = folder("thresholds_refused");
    table(&folder);
    for (arguments, told) in [
        (
            &["--task", "state", "--threshold", "1"][..],
            "threshold 1: give a probability above 0 and below 1",
        ),
        (&["--task", "state", "--threshold", "recall"], "threshold \"recall\": give a probability"),
        (
            &["--task", "state", "--threshold", "stat=f1"],
            "there is no task \"stat\": the tasks are \"state\"",
        ),
        (
            &["--task", "pulse", "--threshold", "f1"],
            "is for tasks of two classes, but there is none",
        ),
        (&["--task", "pulse", "--threshold", "pulse=f1"], "this one has the loss mse"),
        (
            &["--task", "state", "--threshold", "f1", "--validation", "0"],
            "and there are none: give a number",
        ),
    ] {
        let output = awl(&folder, &[&["train", "table.csv", "--out", "never"], arguments].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?} {stderr}");
        assert!(stderr.contains(told), "{arguments:?} {stderr}");
        assert!(!folder.join("never").exists());
    }
    // The choice is told before training.
    let text = succeed(&folder, &["describe", "table.csv", "--task", "state", "--threshold", "f1"]);
    assert!(text.contains("for the F1 of \"sick\", the rarer class"), "{text}");
}

#[test]
fn every_fold_has_a_threshold_of_its_own() {
    let folder = folder("threshold_folds");
    table(&folder);
    let flags = ["--task", "state", "--threshold", "f1", "--folds", "2", "--out", "run"];
    let told = succeed(&folder, &[&["train", "table.csv"], &SMALL[..], &flags].concat());
    let of_fold = |fold: &str| {
        results(&folder, &format!("run/{fold}"))["tasks"][0]["threshold"]["values"][0].clone()
    };
    let values = [of_fold("fold-1"), of_fold("fold-2")];
    assert_ne!(values[0], values[1]);
    let all = results(&folder, "run");
    assert_eq!(all["tasks"]["state"]["thresholds"]["state"]["values"], serde_json::json!(values));
    assert_eq!(all["tasks"]["state"]["better_than_linear"]["figure"], "auc");
    assert!(told.contains("state: \"well\" is answered above a probability of 0."), "{told}");
    // The answers of all rows are each by its own fold's.
    let mut rows = csv::Reader::from_path(folder.join("run/out_of_fold.csv")).expect("a table");
    let mut count = 0;
    for row in rows.deserialize::<std::collections::BTreeMap<String, String>>() {
        let row = row.expect("a row");
        let fold = row["fold"].parse::<usize>().expect("a number");
        let threshold = values[fold - 1].as_f64().expect("a number");
        let well: f64 = row["state=well"].parse().expect("a number");
        if (well - threshold).abs() > 1e-6 {
            assert_eq!(row["state"], if well > threshold { "well" } else { "sick" });
            count += 1;
        }
    }
    assert!(count > 590, "{count}");
}
