//! Suspects are named before training, with what to do; what is read as meant is said.

use super::{Bench, drawn, rows};
use serde_json::Value;

/// Trains on a table whose column `s` is made so, beside an innocent one; what was told, and the features that were taken.
fn suspect(
    bench: &Bench,
    flags: &str,
    cell: impl Fn(usize) -> String,
) -> (super::Done, Vec<String>) {
    bench.write(
        "t.csv",
        rows("x,s,y,kind", 120, |row| {
            format!(
                "{:.3},{},{:.3},{}",
                drawn(row, 1),
                cell(row),
                drawn(row, 1) + drawn(row, 2),
                ["a", "b", "c"][row * 7 % 11 % 3]
            )
        }),
    );
    let _ = std::fs::remove_dir_all(bench.path().join("run"));
    let (done, results) =
        bench.train(&format!("t.csv --task y:mse --task kind --epochs 1 --out run {flags}"));
    // Whatever the terminal said is in the results.
    let warnings = results["warnings"].as_array().expect("warnings").iter();
    assert!(warnings.clone().all(|it| done.told.contains(it.as_str().unwrap_or("?"))));
    let text =
        std::fs::read_to_string(bench.path().join("run/config.toml")).expect("a configuration");
    let config: toml_lite::Features = toml_lite::features(&text);
    (done, config)
}

/// The list of features in a configuration, which is on one line or several.
mod toml_lite {
    pub type Features = Vec<String>;

    pub fn features(text: &str) -> Features {
        let start = text.find("features = [").expect("features") + 12;
        let end = start + text[start..].find(']').expect("an end");
        text[start..end].split('"').skip(1).step_by(2).map(Into::into).collect()
    }
}

#[test]
fn columns_that_name_or_date_the_rows_are_left_out_and_said_to_be() {
    let bench = Bench::new("suspects_left_out");
    type Case<'a> = (&'a str, &'a dyn Fn(usize) -> String, &'a str);
    let cases: [Case<'_>; 8] = [
        ("row numbers", &|row| row.to_string(), "numbers the rows"),
        ("names", &|row| format!("person {row}"), "texts"),
        (
            "uuids",
            &|row| format!("{:08x}-0000-4000-8000-{:012x}", row * 7919, row * 104_729),
            "\"s\"",
        ),
        ("ISO dates", &|row| format!("2024-{:02}-{:02}", 1 + row % 12, 1 + row % 28), "dates"),
        ("days first", &|row| format!("{:02}/{:02}/2024", 1 + row % 28, 1 + row % 12), "dates"),
        ("German dates", &|row| format!("{:02}.{:02}.2024", 1 + row % 28, 1 + row % 12), "dates"),
        ("times", &|row| format!("{:02}:{:02}", row % 24, row * 7 % 60), "times"),
        (
            "date and time",
            &|row| format!("2024-03-{:02}T{:02}:00:00Z", 1 + row % 28, row % 24),
            "dates",
        ),
    ];
    for (name, cell, said) in cases {
        let (done, features) = suspect(&bench, "", cell);
        done.says(&["\"s\"", said, "left out", "--features"]);
        assert_eq!(features, ["x"], "{name}");
        // Whoever wants it all the same gets it, and is told.
        let (done, features) = suspect(&bench, "--features x,s", cell);
        done.says(&["\"s\"", said]);
        assert_eq!(features, ["x", "s"], "{name}");
    }
}

#[test]
fn row_numbers_of_pandas_and_r_are_not_learned_from() {
    let bench = Bench::new("suspects_index");
    let body = |first: usize| {
        rows("", 90, |row| {
            format!("{},{:.3},{}", first + row, drawn(row, 1), ["a", "b", "c"][row / 30])
        })
    };
    for (name, header, first, told) in [
        ("to_csv", ",x,kind", 0, "index=False"),
        ("write.csv", "\"\",\"x\",\"kind\"", 1, "row.names=FALSE"),
        ("read back", "Unnamed: 0,x,kind", 0, "\"Unnamed: 0\" numbers the rows"),
        ("read back by R", "X,x,kind", 1, "\"X\" numbers the rows"),
        ("id", "ID,x,kind", 1_001, "\"ID\""),
        ("record", "record_id,x,kind", 55, "\"record_id\""),
    ] {
        bench.write("t.csv", format!("{header}{}", body(first)));
        bench.write("moved.csv", format!("{header}{}", body(first + 7_000)));
        let _ = std::fs::remove_dir_all(bench.path().join("run"));
        let (done, _) = bench.train("t.csv --task kind --epochs 3 --out run");
        done.says(&[told]);
        let answers = |file: &str| bench.succeed(&format!("predict run {file}")).out;
        assert_eq!(answers("t.csv"), answers("moved.csv"), "{name}");
    }
}

#[test]
fn numbers_written_for_people_are_numbers_or_named() {
    let bench = Bench::new("suspects_people");
    let amount = |row: usize| 80.0 + 3_000.0 * drawn(row, 3).abs();
    let grouped = |row: usize| {
        let text = format!("{:.2}", amount(row));
        let (whole, rest) = text.split_once('.').expect("decimals");
        if whole.len() > 3 {
            format!("\"{},{}.{rest}\"", &whole[..whole.len() - 3], &whole[whole.len() - 3..])
        } else {
            text
        }
    };
    for (cell, told, is_number) in [
        (&grouped as &dyn Fn(usize) -> String, "thousands separators", true),
        (&|row| format!("${:.2}", amount(row)), "with \"$\"", true),
        (&|row| format!("{:.1} €", amount(row)), "with \"€\"", true),
        (&|row| format!("{}%", row * 7 % 101), "with \"%\"", true),
        (
            &|row| format!("\"{}\"", format!("{:.2}", amount(row)).replace('.', ",")),
            "decimal comma",
            true,
        ),
        // Not all alike: named, and left to the user.
        (
            &|row| {
                if row.is_multiple_of(2) {
                    format!("${}", row % 12)
                } else {
                    format!("€{}", row % 10)
                }
            },
            "numbers with",
            false,
        ),
        (&|row| format!("{} kg", row % 15), "\"kg\" after them", false),
    ] {
        let (done, _) = suspect(&bench, "", cell);
        done.says(&[told, "\"s\""]);
        let encoded = std::fs::read(bench.path().join("run/model.safetensors")).expect("a model");
        let encoded = String::from_utf8_lossy(&encoded[..6_000.min(encoded.len())]).into_owned();
        let of_s = encoded.split("\\\"column\\\":\\\"s\\\"").nth(1).expect("the feature");
        assert_eq!(of_s.starts_with(",\\\"encoding\\\":{\\\"number\\\""), is_number, "{told}");
    }
}

#[test]
fn cells_that_stand_for_something_else_are_named() {
    let bench = Bench::new("suspects_cells");
    let value = |row: usize| 3.0 + 2.0 * drawn(row, 4);
    for (cell, told) in [
        (
            &(|row: usize| {
                if row.is_multiple_of(6) { "-200".into() } else { format!("{:.2}", value(row)) }
            }) as &dyn Fn(usize) -> String,
            &["\"s\"", "-200 in 20 of 120"][..],
        ),
        (
            &|row| if row.is_multiple_of(10) { "999".into() } else { format!("{:.2}", value(row)) },
            &["\"s\"", "999 in 12"],
        ),
        (
            &|row| {
                if row.is_multiple_of(10) {
                    "-9999".into()
                } else {
                    format!("{:.0}", 40.0 * value(row))
                }
            },
            &["\"s\"", "-9999 in 12"],
        ),
        (
            &|row| if row == 33 { "31800".into() } else { format!("{:.2}", value(row)) },
            &["\"s\"", "line 35", "31800"],
        ),
        (
            &|row| {
                if row.is_multiple_of(9) {
                    "Male"
                } else if row % 9 == 1 {
                    "male"
                } else {
                    "female"
                }
                .into()
            },
            &["\"s\"", "\"Male\"", "\"male\"", "capitals"],
        ),
        (
            &|row| {
                if row.is_multiple_of(2) {
                    "caf\u{e9}"
                } else if row % 4 == 1 {
                    "cafe\u{301}"
                } else {
                    "bar"
                }
                .into()
            },
            &["\"s\"", "cafe\\u{301}"],
        ),
    ] {
        let (done, features) = suspect(&bench, "", cell);
        done.says(told);
        assert_eq!(features, ["x", "s"]);
    }
    // With a line of flags that does something about it.
    let (done, _) = suspect(&bench, "", |row| {
        if row.is_multiple_of(6) { "-200".into() } else { format!("{:.2}", value(row)) }
    });
    done.says(&["train with --missing=s=-200"]);
    let (done, _) = suspect(&bench, "--missing=-200", |row| {
        if row.is_multiple_of(6) { "-200".into() } else { format!("{:.2}", value(row)) }
    });
    done.is_silent_of("stand for");
}

#[test]
fn features_that_give_a_label_away_are_named() {
    let bench = Bench::new("suspects_leak");
    let y = |row: usize| drawn(row, 1) + drawn(row, 2);
    let kind = |row: usize| ["a", "b", "c"][row * 7 % 11 % 3];
    for (cell, task) in [
        (&(|row: usize| format!("{:.4}", 0.9 * y(row) - 3.0)) as &dyn Fn(usize) -> String, "\"y\""),
        (&|row| format!("{:.3}", y(row)), "\"y\""),
        (&|row| format!("group {}", kind(row)), "\"kind\""),
        (&|row| (10 + kind(row).as_bytes()[0]).to_string(), "\"kind\""),
        (
            &|row| format!("{:.2}", f64::from(kind(row).as_bytes()[0]) + 0.3 * drawn(row, 5)),
            "\"kind\"",
        ),
    ] {
        let (done, _) = suspect(&bench, "", cell);
        done.says(&["\"s\"", task, "alone"]).says(&["--ignore=s"]);
    }
}

#[test]
fn innocent_tables_raise_no_suspicion() {
    let bench = Bench::new("suspects_innocent");
    for (name, cell) in [
        ("ages", &(|row: usize| (20 + row * 13 % 60).to_string()) as &dyn Fn(usize) -> String),
        ("years", &|row| (1990 + row * 7 % 30).to_string()),
        ("prices", &|row| format!("{:.2}", (5.0 + 2.0 * drawn(row, 3)).exp())),
        ("counts", &|row| (row * row % 17).to_string()),
        ("codes", &|row| format!("B{}", row % 9)),
        ("flags", &|row| ["yes", "no"][row % 2].into()),
        ("sides", &|row| ["left", "right", "Both"][row * 5 % 7 % 3].into()),
        ("temperatures", &|row| format!("{:.1}", 40.0 * drawn(row, 6))),
        ("mostly zero", &|row| {
            if row.is_multiple_of(4) { format!("{:.2}", drawn(row, 7).abs()) } else { "0".into() }
        }),
    ] {
        let (done, features) = suspect(&bench, "", cell);
        let of_s = |line: &&str| line.starts_with("warning") && line.contains("\"s\"");
        assert_eq!(done.told.lines().find(of_s), None, "{name}");
        assert_eq!(features, ["x", "s"], "{name}");
    }
    let penguins: Value = bench
        .train(&format!(
            "{} --task species --task body_mass_g --epochs 1 --out penguins",
            crate::program::PENGUINS
        ))
        .1;
    assert_eq!(penguins["data"]["suspects"], serde_json::json!([]));
}
