//! `evaluate` gives every figure that it can, and a figure that means nothing says so.

use super::{Bench, drawn, rows};
use serde_json::Value;

const HEADER: &str = "x,z,kind,sex,mass,length";

fn row(row: usize) -> [String; 6] {
    let (x, z) = (drawn(row, 1), drawn(row, 2));
    [
        format!("{x:.4}"),
        format!("{z:.4}"),
        (if x > 0.2 {
            "owl"
        } else if x > -0.4 {
            "hawk"
        } else {
            "rook"
        })
        .into(),
        (if z > 0.0 { "f" } else { "m" }).into(),
        format!("{:.3}", 3.0 * x + z),
        format!("{:.3}", 2.0 * z),
    ]
}

/// A table of rows, each changed by its place.
fn table(header: &str, count: usize, change: impl Fn(usize, &mut [String; 6])) -> String {
    rows(header, count, |index| {
        let mut cells = row(index + 1_000);
        change(index, &mut cells);
        cells.iter().filter(|cell| *cell != "absent").cloned().collect::<Vec<_>>().join(",")
    })
}

fn trained(name: &str) -> Bench {
    let bench = Bench::new(name);
    bench.write("t.csv", rows(HEADER, 120, |index| row(index).join(",")));
    bench.train(
        "t.csv --task kind --task sex --task 'size=mass,length:mse' --epochs 60 --out run -q",
    );
    bench
}

#[test]
fn every_task_that_can_be_judged_is_judged() {
    let bench = trained("evaluation_tasks");
    type Change = fn(usize, &mut [String; 6]);
    type Case = (&'static str, &'static str, Change, &'static [&'static str], [Option<u64>; 3]);
    let cases: [Case; 7] = [
        ("as it was", HEADER, |_, _| {}, &[], [Some(40), Some(40), Some(40)]),
        (
            "a new class",
            HEADER,
            |index, cells| {
                if index < 5 {
                    cells[2] = "wren".into()
                }
            },
            &["task \"kind\": 5 of 40 labels are of a class that the model does not know"],
            [Some(40); 3],
        ),
        (
            "all new",
            HEADER,
            |_, cells| cells[2] = "wren".into(),
            &["40 of 40 labels"],
            [Some(40); 3],
        ),
        (
            "no column",
            "x,z,kind,mass,length",
            |_, cells| cells[3] = "absent".into(),
            &["task \"sex\" cannot be judged", "no column \"sex\""],
            [Some(40), None, Some(40)],
        ),
        (
            "half a task",
            "x,z,kind,sex,mass",
            |_, cells| cells[5] = "absent".into(),
            &["task \"size\" cannot be judged", "\"length\""],
            [Some(40), Some(40), None],
        ),
        (
            "a slip",
            HEADER,
            |index, cells| {
                if index == 7 {
                    cells[4] = "heavy".into()
                }
            },
            &["task \"size\" cannot be judged", "line 9", "\"heavy\""],
            [Some(40), Some(40), None],
        ),
        (
            "no labels",
            HEADER,
            |_, cells| {
                cells[2] = String::new();
                cells[4] = "NA".into()
            },
            &[],
            [None, Some(40), None],
        ),
    ];
    for (name, header, change, told, labelled) in cases {
        bench.write("new.csv", table(header, 40, change));
        let json: Value = bench.evaluate("run new.csv");
        for (task, labelled) in ["kind", "sex", "size"].into_iter().zip(labelled) {
            assert_eq!(json["tasks"][task]["labelled"].as_u64(), labelled, "{name}: {task}");
        }
        let done = bench.succeed("evaluate run new.csv");
        if !told.is_empty() {
            done.says(told);
            let warnings = json["warnings"].to_string().replace("\\\"", "\"");
            assert!(told.iter().all(|part| warnings.contains(part)), "{name}: {warnings}");
        }
    }
}

#[test]
fn labels_of_an_unknown_class_count_as_wrong() {
    let bench = trained("evaluation_unknown");
    bench.write("good.csv", table(HEADER, 40, |_, _| {}));
    bench.write(
        "new.csv",
        table(HEADER, 40, |index, cells| {
            if index % 4 == 0 {
                cells[2] = "wren".into()
            }
        }),
    );
    bench.write(
        "known.csv",
        table(HEADER, 40, |index, cells| {
            if index % 4 == 0 {
                cells[2] = String::new()
            }
        }),
    );
    let of = |file: &str| bench.evaluate(&format!("run {file}"))["tasks"]["kind"].clone();
    let (new, known) = (of("new.csv"), of("known.csv"));
    assert_eq!((new["labelled"].as_u64(), new["unknown"].as_u64()), (Some(40), Some(10)));
    let right = known["accuracy"].as_f64().expect("a share") * 30.0;
    assert!((new["accuracy"].as_f64().expect("a share") - right / 40.0).abs() < 1e-12, "{new}");
    // What no answer could change is as it was over the other rows.
    for figure in ["log_loss", "auc", "loss", "confusion"] {
        assert_eq!(new[figure], known[figure], "{figure}");
    }
    let f1 = |it: &Value| it["macro_f1"].as_f64().expect("a score");
    assert!(
        (f1(&new) - 0.75 * f1(&known)).abs() < 1e-12,
        "a fourth class with a score of 0: {new}"
    );
    // Where no class is known, what is undefined is null.
    bench.write("new.csv", table(HEADER, 40, |_, cells| cells[2] = "wren".into()));
    let none = of("new.csv");
    assert_eq!(none["accuracy"], 0.0);
    assert!(
        none["log_loss"].is_null() && none["auc"].is_null() && none["loss"].is_null(),
        "{none}"
    );
}

#[test]
fn a_table_of_which_no_task_can_be_judged_is_refused() {
    let bench = trained("evaluation_none");
    bench.write("new.csv", "x,z\n1,2\n");
    let done = bench.awl("evaluate run new.csv");
    assert_eq!(done.code, 2);
    done.says(&["new.csv", "no column \"kind\""]);
}

#[test]
fn figures_no_better_than_one_answer_say_so() {
    let bench = Bench::new("evaluation_majority");
    // Labels that the features say nothing of.
    bench.write(
        "t.csv",
        rows("x,kind,y", 200, |row| {
            let kind = if row % 10 == 0 { "yes" } else { "no" };
            format!("{:.3},{kind},{:.3}", drawn(row, 1), drawn(row, 2))
        }),
    );
    let (done, results) = bench.train("t.csv --task kind --task y:mse --epochs 2 --out run");
    done.says(&[
        "no better than always answering the commonest class",
        "\"kind\" (",
        "% right, \"no\" 90.0 %)",
    ]);
    assert!(results["warnings"].to_string().contains("always answering"));
    bench.write(
        "new.csv",
        rows("x,kind,y", 50, |row| {
            format!(
                "{:.3},{},{}",
                drawn(row, 5),
                if row % 5 == 0 { "yes" } else { "no" },
                9 + row % 3
            )
        }),
    );
    let done = bench.succeed("evaluate run new.csv");
    done.says(&["\"kind\" (", "% right, \"no\" 80.0 %)"]);
    done.says(&["no better than always answering the labels' mean", "\"y\" (R² -"]);
    // One label: R² is undefined, and null.
    bench.write("one.csv", "x,kind,y\n0.1,no,9\n0.2,no,9\n");
    let json = bench.evaluate("run one.csv");
    assert!(json["tasks"]["y"]["r2"].is_null() && json["tasks"]["kind"]["auc"].is_null(), "{json}");
}

#[test]
fn a_run_that_diverged_is_a_failure() {
    let bench = Bench::new("evaluation_diverged");
    bench.write(
        "t.csv",
        rows("x,z,y,kind", 80, |row| {
            format!(
                "{:.3},{:.3},{:.3},{}",
                drawn(row, 1),
                drawn(row, 2),
                drawn(row, 3),
                ["a", "b"][row % 2]
            )
        }),
    );
    for (tasks, rate) in [
        ("--task y:mse", "100"),
        ("--task y:mse --task kind", "1000"),
        ("--task kind", "1e6"),
        ("--task y:mae", "1e4"),
        ("--task y:mse --no-standardize", "300"),
    ] {
        let _ = std::fs::remove_dir_all(bench.path().join("run"));
        let done = bench.awl(&format!(
            "train t.csv {tasks} --engine reference --hidden 8,8 --lr {rate} --epochs 3 --out run"
        ));
        assert_eq!(done.code, 1, "{tasks} --lr {rate}\n{}\n{}", done.out, done.told);
        done.says(&["--lr"]);
    }
}

#[test]
fn figures_of_rows_that_were_trained_on_say_so() {
    let bench = trained("evaluation_seen");
    let text = std::fs::read_to_string(bench.path().join("t.csv")).expect("the table");
    let lines: Vec<&str> = text.lines().collect();
    let trained_on = 120 - 36;
    let mut shuffled = lines.clone();
    shuffled[1..].sort_unstable_by_key(|line| line.len() * 31 + line.as_bytes()[3] as usize);
    let with_more = lines.iter().map(|line| format!("{line},more")).collect::<Vec<_>>().join("\n");
    bench.write("shuffled.csv", shuffled.join("\n")).write("more.csv", with_more);
    bench
        .write("some.csv", lines[..31].join("\n"))
        .write("fresh.csv", table(HEADER, 60, |_, _| {}));
    for (file, told) in [
        ("t.csv", true),
        ("shuffled.csv", true),
        ("more.csv", true),
        ("some.csv", true),
        ("fresh.csv", false),
    ] {
        let done = bench.succeed(&format!("evaluate run {file}"));
        match (told, file) {
            (false, _) => done.is_silent_of("trained on"),
            (true, "some.csv") => done.says(&["of 30 rows equal rows that the run was trained on"]),
            (true, _) => done.says(&[
                &format!("{trained_on} of 120 rows equal rows that the run was trained on"),
                "results.json",
            ]),
        };
    }
}
