//! Pages of run directories that are made here.

mod fixture;
mod pictures;

use self::fixture::{Fixture, axis, path_of, picture, pictures, points, step_line};
use super::html;
use serde_json::{Value, json};
use std::fs;

#[test]
fn a_page_says_what_came_out() {
    let page = Fixture::new("says", 3).page();
    for words in [
        "One network learned 2 tasks from 320 rows in 3 epochs: 30 steps, 12.3 s on A GPU.",
        "The model is that of epoch 2, which was best on the 40 rows kept for validation.",
        "On the 40 rows of the test part, which no choice was made on, kind is right in 90.0 % of the cases; mass is off by 246.8 on average, 85.0 % of its variance explained.",
        "kind: 1.3 at the end",
        "best: epoch 2",
        // Of 40 labels 19 are owls.
        "… of the commonest class alone</th><td role=\"cell\">47.5 %</td><td role=\"cell\">47.5 %</td>",
        "title=\"hawk answered as owl: 2 of 15 (13.3 %)\"",
        "From 0.001 in the first epoch to 0.0003333 in the last.",
        "true 4000, predicted 4100",
        "<dd>A GPU (vulkan, driver 1)</dd>",
        "epochs = 3",
    ] {
        assert!(page.contains(words), "{words}");
    }
    // A chart a task, σ, weights, shares, learning rate, predicted against true, and residuals, each with words for
    // those who hear the page.
    let charts: Vec<String> =
        pictures(&page).into_iter().filter(|picture| picture.contains("role=\"img\"")).collect();
    assert_eq!(charts.len(), 8);
    assert!(charts.iter().all(|chart| chart.contains("<title>") && chart.contains("<desc>")));
    // The mark of the best epoch is at its step, 20 of 1 to 30, between the axis' ends.
    let losses = picture(&page, "Loss of mass");
    let [left, right] = axis(&losses);
    let expected = (10.0 * (left + (right - left) * 19.0 / 29.0)).round() / 10.0;
    assert!(losses.contains(&format!("class=\"best\"><line x1=\"{expected}\"")), "{losses}");
}

#[test]
fn a_page_needs_nothing_else_and_names_do_no_harm() {
    let mut run = Fixture::new("harmless", 3);
    let evil = "<script>alert('1')</script>\"><img src=x onerror=alert(1)>";
    let text = run.results.to_string().replace("\"kind\"", &json!(evil).to_string());
    run.results = serde_json::from_str(&text.replace("owl", "</td><script>")).unwrap();
    run.results["adapter"] = evil.into();
    run.results["warnings"] = json!([evil]);
    for line in &mut run.lines {
        let text = line.to_string().replace("\"kind\"", &json!(evil).to_string());
        *line = serde_json::from_str(&text).unwrap();
    }
    run.config = "# </pre><script>alert(1)</script> & \"quotes\"".into();
    let page = run.page();
    assert!(page.contains("&lt;script&gt;alert('1')&lt;/script&gt;&quot;&gt;&lt;img src=x"));
    for harm in ["<script", "<img", "http:", "https:", "url(", "@import", " src=\"", " onerror=\""]
    {
        assert!(!page.contains(harm), "{harm}");
    }
    let links: Vec<_> = page.match_indices("href=").map(|(at, _)| &page[at..at + 13]).collect();
    assert_eq!(links, ["href=\"data:,\""]);
    assert_eq!(pictures(&page).iter().filter(|svg| svg.contains("role=\"img\"")).count(), 8);
}

/// Everything that a run may lack or have too much of.
#[test]
fn unusual_runs_have_a_page_too() {
    type Case<'a> = (&'a str, fn(&mut Fixture), &'a [&'a str]);
    let cases: &[Case] = &[
        ("as it is", |_| {}, &["σ, learned", "Learning rate"]),
        (
            "no validation and no test part",
            |run| {
                run.results["parts"] = json!({});
                run.results["rows"] = json!({"train": 320, "validation": 0, "test": 0});
                run.results["scatter"] = json!({});
                for line in &mut run.lines {
                    line.as_object_mut().unwrap().remove("validation");
                }
            },
            &["No rows were kept apart", "No row outside of the training part has a label"],
        ),
        (
            "no test part",
            |run| drop(run.results["parts"].as_object_mut().unwrap().remove("test")),
            &["On the validation rows, kind is right", ">Validation</th></tr>"],
        ),
        (
            "weights that are not learned",
            |run| {
                for line in &mut run.lines {
                    line.as_object_mut().unwrap().remove("sigma");
                }
            },
            &["<figcaption>Weight</figcaption>"],
        ),
        ("one step", |run| run.lines = vec![step_line(1)], &["Loss of mass"]),
        ("no step", |run| run.lines.clear(), &["No row of training had a label."]),
        (
            "a task without a label in any part",
            |run| {
                for line in &mut run.lines {
                    for losses in ["/losses/mass", "/train/losses/mass", "/validation/losses/mass"]
                    {
                        if let Some(loss) = line.pointer_mut(losses) {
                            *loss = Value::Null;
                        }
                    }
                }
                run.results["parts"]["validation"]["mass"] = Value::Null;
                run.results["parts"]["test"]["mass"] = Value::Null;
                run.results["scatter"] = json!({});
            },
            &["No row of training had a label.", "No row outside of the training part"],
        ),
        (
            "losses that are all the same, and 0",
            |run| {
                for line in &mut run.lines {
                    for losses in ["/losses", "/train/losses", "/validation/losses"] {
                        if let Some(losses) = line.pointer_mut(losses) {
                            *losses = json!({"kind": 0.0, "mass": 0.0});
                        }
                    }
                }
            },
            &["Loss of kind"],
        ),
        (
            "a class that has neither label nor answer, and undefined figures",
            |run| {
                let kind = &mut run.results["parts"]["test"]["kind"];
                kind["confusion"] = json!([[5, 0, 0], [0, 0, 0], [0, 0, 0]]);
                kind["auc"] = Value::Null;
                kind["loss"] = Value::Null;
                run.results["parts"]["test"]["mass"]["r2"] = Value::Null;
            },
            &[
                "AUC</th><td role=\"cell\">0.970</td><td role=\"cell\">–</td>",
                "mass is off by 246.8 on average.",
            ],
        ),
    ];
    for (index, (what, change, expected)) in cases.iter().enumerate() {
        let mut run = Fixture::new(&format!("unusual-{index}"), 3);
        change(&mut run);
        let page = run.page();
        pictures(&page);
        for words in *expected {
            assert!(page.contains(words), "{what}: {words} is not in {page}");
        }
        let has_sigma = run.lines.iter().any(|line| line.get("sigma").is_some());
        assert_eq!(page.contains("σ, learned"), has_sigma, "{what}");
    }
}

#[test]
fn eight_tasks_and_several_columns_fit() {
    let mut run = Fixture::new("eight", 1);
    let name = |task: usize| format!("a_name_that_is_far_too_long_for_a_phone_{task}");
    let per_task =
        |value: f64| -> Value { (0..8).map(|task| (name(task), json!(value))).collect() };
    let fit = json!({"rmse": 2.0, "mae": 1.0, "r2": 0.5});
    let mass = json!({"loss": 0.2, "labelled": 9, "rmse": 2.0, "mae": 1.0, "r2": 0.5, "columns": [fit, fit]});
    let tasks =
        (0..8).map(|task| json!({"name": name(task), "loss": "mse", "columns": ["left", "right"]}));
    run.results["tasks"] = tasks.collect();
    run.results["parts"] =
        json!({"test": (0..8).map(|task| (name(task), mass.clone())).collect::<Value>()});
    run.results["scatter"] = json!({name(7): {"left": [[1, 2]], "right": [[3, 3]]}});
    run.lines = (1..=3)
        .map(|step| json!({"step": step, "losses": per_task(1.0), "weight": per_task(0.5)}))
        .collect();
    let page = run.page();
    assert!(page.contains("How good it is at each task is told below."));
    let shares = picture(&page, "Share of the weighted loss");
    assert_eq!(shares.matches("class=\"area").count(), 8);
    // Eighths: the boundary between the fourth and the fifth is in the middle, between 165 and 26.
    let heights: Vec<f64> = points(&path_of(&shares, "area c3 d0")).iter().map(|p| p.1).collect();
    assert_eq!(heights, [95.5, 95.5, 95.5, 112.9, 112.9, 112.9]);
    assert_eq!(
        page.matches("<th scope=\"row\">right</th><td>2</td><td>1</td><td>0.500</td>").count(),
        8
    );
    assert!(page.contains("left: Predicted against true"));
}

/// The loss is the log loss but for the last digit in one part alone: the lines of both must not be mixed up.
#[test]
fn figures_stand_in_their_own_lines() {
    let mut run = Fixture::new("lines", 1);
    run.results["parts"]["validation"]["kind"]["loss"] = json!(0.300_000_000_000_000_1);
    assert!(!run.page().contains(
        "<tr role=\"row\"><th scope=\"row\" role=\"rowheader\">Loss</th><td role=\"cell\">0.3</td>"
    ));
    run.results["parts"]["validation"]["kind"]["loss"] = json!(0.7);
    let page = run.page();
    let line = |name: &str, one: &str, other: &str| {
        format!("{name}</th><td role=\"cell\">{one}</td><td role=\"cell\">{other}</td>")
    };
    for line in [
        line("Log loss", "0.3", "0.3"),
        line(">Loss", "0.7", "0.3"),
        line("Rows with a label", "40", "40"),
    ] {
        assert!(page.contains(&line), "{line}");
    }
}

#[test]
fn names_of_classes_are_never_cut() {
    let mut run = Fixture::new("names", 1);
    let long = "a class whose name is as long as a sentence, and goes on";
    run.results["tasks"][0]["classes"] = json!(["owl", long, "wren"]);
    let page = run.page();
    // Whole beside the cells, with the number that stands for it above them.
    assert!(page.contains(&format!(
        "<th scope=\"row\">{long}<span class=\"place\" aria-hidden=\"true\">2</span>"
    )));
    assert!(page.contains(&format!("title=\"{long}\"><span aria-hidden=\"true\">2</span>")));
    assert!(!include_str!("page.css").contains("text-overflow"));
}

#[test]
fn two_columns_of_yes_or_no_have_a_matrix_each() {
    let mut run = Fixture::new("binary", 1);
    let scores = json!({
        "accuracy": 0.8, "macro_f1": 0.8, "auc": null, "log_loss": 0.4, "confusion": [[3, 1], [0, 1]],
    });
    let mut both = scores.clone();
    both["loss"] = json!(0.4);
    both["labelled"] = json!(5);
    both["columns"] = json!([scores, scores]);
    let names = |classes: Value| json!([{"name": "kind", "loss": "bce", "columns": ["flies", "swims"], "classes": classes}]);
    run.results["parts"] = json!({"test": {"kind": both}});
    for (classes, answer) in [
        (Value::Null, "1 answered as 1: 1 of 1"),
        (json!([["no", "yes"], ["never", "often"]]), "often answered as often: 1 of 1"),
    ] {
        run.results["tasks"] = names(classes);
        let page = run.page();
        assert!(page.contains("flies: true class (rows)") && page.contains("swims: true class"));
        assert!(page.contains(answer), "{page}");
        assert!(page.contains("… of the commonest class alone</th><td role=\"cell\">–</td>"));
    }
}

#[test]
fn many_classes_are_told_as_their_most_confused_pairs() {
    let mut run = Fixture::new("pairs", 1);
    let names: Vec<String> = (0..21).map(|class| format!("bird {class}")).collect();
    let mut matrix = vec![vec![0; 21]; 21];
    (0..21).for_each(|class| matrix[class][class] = 8);
    (matrix[3][4], matrix[20][0], matrix[7][6]) = (1, 2, 2);
    run.results["tasks"][0]["classes"] = json!(names);
    run.results["parts"]["test"]["kind"]["confusion"] = json!(matrix);
    let page = run.page();
    assert!(!page.contains("Confusion matrix of kind"));
    let row = |class: usize, answer: usize, count: usize, share: &str| {
        format!(
            "<tr><th scope=\"row\">bird {class}</th><td>bird {answer}</td><td>{count}</td><td>{share} %</td></tr>"
        )
    };
    let rows = [row(7, 6, 2, "20.0"), row(20, 0, 2, "20.0"), row(3, 4, 1, "11.1")].concat();
    assert!(page.contains(&rows), "{page}");
}

#[test]
fn a_bad_directory_is_told_by_file_and_line() {
    let run = Fixture::new("bad", 3);
    let results = run.results.to_string();
    let cases: &[(&str, Option<&[u8]>, &str)] = &[
        ("config.toml", None, "it has no config.toml: name one that `awl train` has made"),
        ("metrics.jsonl", None, "it has no metrics.jsonl"),
        ("results.json", None, "it has no results.json"),
        ("config.toml", Some(b"\xff"), "config.toml is not UTF-8"),
        (
            "results.json",
            Some(&results.as_bytes()[..90]),
            "results.json, line 1: EOF while parsing",
        ),
        ("results.json", Some(b"{\n\"name\": 1}"), "results.json, line 2: missing field `epochs`"),
        ("results.json", Some(b"[]"), "results.json, line 1: "),
        (
            "metrics.jsonl",
            Some(b"\n{\"step\": 1, \"loss"),
            "metrics.jsonl, line 2: EOF while parsing",
        ),
        ("metrics.jsonl", Some(b"{\"step\": 1}"), "metrics.jsonl, line 1: missing field `losses`"),
        ("metrics.jsonl", Some(b"{\"epoch\": 1}"), "metrics.jsonl, line 1: missing field `step`"),
        ("metrics.jsonl", Some(b"7"), "metrics.jsonl, line 1: invalid type: integer `7`"),
        ("metrics.jsonl", Some(b"{}\n"), "metrics.jsonl, line 1: missing field `step`"),
        ("metrics.jsonl", Some(b"\xff\xfe\n"), "metrics.jsonl, line 1: it is not UTF-8"),
    ];
    for (file, contents, expected) in cases {
        run.write();
        match contents {
            Some(bytes) => fs::write(run.path.join(file), bytes).unwrap(),
            None => fs::remove_file(run.path.join(file)).unwrap(),
        }
        let error = html(&run.path).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}, not {expected}");
        assert!(error.contains("awl-report-bad"), "{error}");
    }
    let mut nameless = Fixture::new("nameless", 1);
    nameless.results["tasks"] = json!([]);
    nameless.write();
    let error = html(&nameless.path).unwrap_err().to_string();
    assert!(error.contains("results.json: no task is named"), "{error}");
    let error = html(&nameless.path.join("nowhere")).unwrap_err().to_string();
    assert!(error.contains("nowhere is not the directory of a finished run"), "{error}");
}

#[test]
fn a_page_tells_of_classes_features_and_where_it_comes_from() {
    let mut run = Fixture::new("explained", 1);
    let class = |labelled: u64, recall: f64| json!({"labelled": labelled, "precision": 0.75, "recall": recall, "f1": 0.6, "average_precision": 0.8125});
    run.results["by_class"] = json!({"kind": [{
        "classes": [class(19, 0.5), class(15, 0.25), class(6, 1.0)],
        "curves": [{"class": 2, "points": [[0.5, 1.0], [1.0, 0.75]]}],
        "calibration": {"bins": [{"rows": 30, "probability": 0.55, "share": 0.5}, {"rows": 10, "probability": 0.95, "share": 1.0}], "error": 0.05},
    }]});
    run.results["importance"] = json!({"rows": 40, "draws": 5, "passed_over": 7, "part": "test", "tasks": {
        "kind": {"measure": "accuracy", "figure": 0.9, "features": [
            {"feature": "wing", "drop": 0.4, "spread": 0.02, "loss_rise": 1.0},
            {"feature": "<b>tail</b>", "drop": -0.01, "spread": 0.005, "loss_rise": 0.0},
        ]},
        "mass": null,
    }});
    run.results["parts"]["train"] = run.results["parts"]["test"].clone();
    run.results["parts"]["train"]["kind"]["accuracy"] = json!(0.995);
    run.results["date"] = json!("2026-01-02T03:04:05Z");
    run.results["fingerprint"] = json!("0123456789abcdef");
    run.results["seed"] = json!(3);
    run.results["split_seed"] = json!(4);
    run.results["data"] = json!({"file": "birds.csv"});
    let page = run.page();
    for words in [
        ">Training</th>",
        "Accuracy</th><td role=\"cell\">99.5 %</td><td role=\"cell\">90.0 %</td>",
        "hawk</th><td>15</td><td>0.250</td><td>0.750</td><td>0.600</td><td>0.812</td>",
        "wren: average precision 0.812, 15.0 % of the rows",
        "30 rows: probability 55.0 %, came true 50.0 %",
        "Expected calibration error: 0.050.",
        "wren",
        "Drop of accuracy",
        "style=\"--s:100.0%\">40.0 %<span class=\"spread\"> ± 2.0 %</span>",
        "style=\"--s:0.0%\">−1.0 %",
        "&lt;b&gt;tail&lt;/b&gt;",
        "7 features that seemed to matter least were not looked at closely.",
        "2026-01-02 03:04:05 UTC",
        "0123456789abcdef",
        "<dd>3, of the split 4</dd>",
        "<dd>birds.csv</dd>",
    ] {
        assert!(page.contains(words), "{words} is not in {page}");
    }
    // Right of half the probability, where it came true as often as not: in the middle of the chart.
    let chart = picture(&page, "kind: calibration");
    let [left, right] = axis(&chart);
    let x = (10.0 * (left + 0.55 * (right - left))).round() / 10.0;
    assert!(chart.contains(&format!("<circle cx=\"{x}\" cy=\"108\"")), "{chart}");
    let curve = picture(&page, "kind: precision and recall");
    assert_eq!(points(&path_of(&curve, "line c0 d0")).len(), 2);
}
