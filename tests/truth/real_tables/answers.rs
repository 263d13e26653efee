//! What `predict` writes is what `evaluate` judged and what the ONNX export computes.

use super::{Bench, column, drawn, rows};
use crate::python;

/// The named command runs 200 tables; here are as many as take some seconds.
const TABLES: &str = "40";

/// Random tables, scored by a script that shares nothing with the program.
#[test]
fn answers_are_as_good_as_evaluate_says_for_random_tables() {
    // Where it is there, the script has it answer for the exported models.
    python::has("onnxruntime", "numpy, onnxruntime");
    if python::has("python3", "sys") {
        let awl = env!("CARGO_BIN_EXE_awl");
        python::judge("check_answers.py", &["--tables", TABLES, "--awl", awl]);
    }
}

/// Targets of scales and offsets that `f32` cannot hold or tell apart, answered in their own digits.
#[test]
fn answers_keep_the_digits_of_their_labels() {
    let bench = Bench::new("answers_digits");
    for (name, offset, scale) in [
        ("julian", 2_460_310.5, 0.5),
        ("seconds", 1.7e9, 40.0),
        ("nanoseconds", 1.7e18, 1e9),
        ("northing", 5_432_100.0, 0.02),
        ("erg", 3e51, 1e51),
        ("barn", 2e-47, 1e-47),
        ("far", 0.0, 1e300),
        ("subnormal", 0.0, 1e-310),
        ("negative", -1e12, 3.0),
    ] {
        let table = rows("x,z,y", 80, |row| {
            let (x, z) = (drawn(row, 1), drawn(row, 2));
            format!("{x},{z},{:e}", offset + scale * (x - 0.5 * z))
        });
        bench.write("t.csv", &table);
        let _ = std::fs::remove_dir_all(bench.path().join("run"));
        bench.train("t.csv --task y:mse --validation 0 --epochs 120 --out run -q");
        let told = bench.evaluate("run t.csv");
        let told = &told["tasks"]["y"];
        let answers = column(&bench.succeed("predict run t.csv").out, "y");
        let labels = column(&table, "y");
        let errors = answers.iter().zip(&labels).map(|(answer, label)| {
            (answer.parse::<f64>().expect("a number") - label.parse::<f64>().expect("a number"))
                / scale
        });
        let squares: Vec<f64> = errors.map(|error| error * error).collect();
        let rmse = (squares.iter().sum::<f64>() / 80.0).sqrt();
        let told_rmse = told["rmse"].as_f64().expect("a number") / scale;
        // What is told is of the answers before they are rounded to numbers that `f64` has so far from 0.
        let spacing = f64::abs(offset) * f64::EPSILON / scale;
        let is_near = (rmse - told_rmse).abs() < 1e-6 + spacing;
        assert!(is_near, "{name}: {rmse} by the answers, {told_rmse} told");
        assert!(rmse < 0.2, "{name}: an error of {rmse}");
        let mut different = answers.clone();
        different.sort();
        different.dedup();
        assert!(different.len() > 70, "{name}: {} different answers", different.len());
        let objects = bench.succeed("predict run t.csv --json").out;
        for (line, answer) in objects.lines().zip(&answers) {
            let object: serde_json::Value = serde_json::from_str(line).expect("JSON");
            assert_eq!(object["y"].as_f64(), answer.parse().ok(), "{name}");
        }
    }
}

/// `1,234` is read as the training table's other cells said, also from a file that leaves it open.
#[test]
fn numbers_written_for_people_are_read_alike_in_new_files() {
    let bench = Bench::new("answers_people");
    let y = |row: usize| drawn(row, 1);
    let german = |number: f64| format!("{:.3}", 1.0 + number).replace('.', ",");
    bench.write(
        "comma.csv",
        rows("x;y", 80, |row| format!("{};{}", german(y(row)), german(y(row)))),
    );
    bench.write(
        "point.csv",
        rows("x,y", 80, |row| format!("{:.3},{:.3}", 1.0 + y(row), 1.0 + y(row))),
    );
    bench.train("comma.csv --task y:mse --epochs 200 --validation 0 --out comma -q");
    let (done, _) = bench.train("comma.csv --task y:mse --epochs 1 --out told");
    done.says(&["decimal comma", "\"x\", \"y\""]);
    let from_comma = bench.succeed("predict comma comma.csv").out;
    assert_eq!(bench.succeed("predict comma point.csv").out, from_comma);
    // Read with a point or a comma, 1,234 makes the same answer: the comma of training.
    bench.write("open.csv", "x\n\"1,234\"\n").write("plain.csv", "x\n1.234\n");
    let open = bench.succeed("predict comma open.csv").out;
    assert_eq!(open, bench.succeed("predict comma plain.csv").out);
    for (file, flag) in [("open.csv", "--decimal=."), ("plain.csv", "--decimal=,")] {
        let other = bench.succeed(&format!("predict comma {file} {flag}"));
        assert_ne!(other.out, open);
        other.says(&["standard deviations", "\"x\""]);
    }
    let evaluated = bench.evaluate("comma comma.csv");
    assert_eq!(evaluated["tasks"], bench.evaluate("comma point.csv")["tasks"]);
}

/// `TRUE`, `True` and `true` are one answer to a model that was trained on any of them.
#[test]
fn yes_and_no_are_the_same_in_any_capitals() {
    let bench = Bench::new("answers_yes_no");
    let word = |row: usize| ["TRUE", "True", "true", "FALSE", "False", "false"][row % 6];
    let table = rows("flag,x,y", 90, |row| {
        let worth = if row % 6 < 3 { 1.0 } else { -1.0 };
        format!("{},{:.3},{:.3}", word(row), drawn(row, 1), worth + 0.1 * drawn(row, 2))
    });
    bench.write("t.csv", &table).write("small.csv", table.to_lowercase());
    let (_, results) =
        bench.train("t.csv --task y:mse --task flag2=x --epochs 2 --features flag --out run -q");
    assert_eq!(results["data"]["suspects"], serde_json::json!([]));
    bench.train("t.csv --task y:mse --epochs 150 --validation 0 --out long -q");
    let answers = bench.succeed("predict long t.csv");
    assert_eq!(answers.out, bench.succeed("predict long small.csv").out);
    answers.is_silent_of("not trained on");
    assert!(bench.evaluate("long t.csv")["tasks"]["y"]["r2"].as_f64() > Some(0.9));
    // As a task it has two classes, and is judged in any capitals.
    let (_, results) = bench.train("t.csv --task flag --epochs 2 --out task -q");
    assert_eq!(results["tasks"][0]["classes"], serde_json::json!(["false", "true"]));
    let judged = bench.evaluate("task small.csv");
    assert_eq!(judged["tasks"]["flag"]["labelled"], 90);
    assert_eq!(judged["tasks"]["flag"]["unknown"], serde_json::Value::Null);
}

/// What training found out about a column's numbers holds for files that leave it open, for every command.
#[test]
fn every_command_reads_numbers_as_training_did() {
    let bench = Bench::new("answers_commands");
    let points = |number: f64| {
        let text = format!("{number:.0}");
        match text.len() {
            7.. => format!(
                "{}.{}.{}",
                &text[..text.len() - 6],
                &text[text.len() - 6..text.len() - 3],
                &text[text.len() - 3..]
            ),
            4.. => format!("{}.{}", &text[..text.len() - 3], &text[text.len() - 3..]),
            _ => text,
        }
    };
    let table = |count: usize, salt: u64, most: f64| {
        rows("x;g;y", count, |row| {
            let y = most * (0.2 + 0.7 * drawn(row, salt).abs());
            format!("{:.1};{};{}", y / 1e4, ["u", "v"][row % 2], points(y)).replacen('.', ",", 1)
        })
    };
    bench.write("large.csv", table(120, 1, 3e6)).write("small.csv", table(40, 2, 9e5));
    bench.train("large.csv --task y:mse --epochs 150 --validation 0 --out run -q");
    let told = bench.evaluate("run small.csv");
    assert!(told["tasks"]["y"]["r2"].as_f64() > Some(0.5), "{told}");
}

/// `2.072` beside `505` groups thousands; a percent sign that new rows lack is told.
#[test]
fn signs_that_mean_something_else_in_new_rows_are_told() {
    let bench = Bench::new("answers_signs");
    let y = |row: usize| 5.0 + 90.0 * drawn(row, 1).abs();
    bench.write(
        "percent.csv",
        rows("rate,z,y", 90, |row| format!("{:.1}%,{:.2},{:.3}", y(row), drawn(row, 2), y(row))),
    );
    bench.train("percent.csv --task y:mse --epochs 5 --out run -q");
    for (name, cell, told) in [
        ("fraction.csv", "0.45", true),
        ("plain.csv", "45", true),
        ("euro.csv", "€45", true),
        ("same.csv", "45%", false),
        ("other.csv", "45.5 %", false),
    ] {
        bench.write(name, format!("rate,z,y\n{cell},0.1,45\n{cell},0.2,45\n"));
        for command in ["predict", "evaluate"] {
            let done = bench.succeed(&format!("{command} run {name}"));
            match told {
                true => done.says(&["\"rate\"", "where the model was trained"]),
                false => done.is_silent_of("where the model was trained"),
            };
        }
    }
}
