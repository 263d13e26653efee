//! How rows are split, and asking about one part of a run's rows later.

use super::{PENGUINS, awl, folder, json, succeed};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A number from 0 to 1 that looks random.
fn drawn(number: u64) -> f64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// The lines of each part in a run's `split.csv`.
fn parts(run: &Path) -> BTreeMap<String, BTreeSet<usize>> {
    let text = std::fs::read_to_string(run.join("split.csv")).expect("a split");
    let mut parts: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let number = cells[0].parse().expect("a line's number");
        assert!(parts.entry(cells[1].into()).or_default().insert(number), "line {number} twice");
    }
    parts
}

/// Sixty people of ten rows each. What is to be predicted is a property of the person that nothing tells but who it is, which the
/// measures give away: whoever has seen rows of a person knows it, and nobody else can.
pub fn people(folder: &Path) {
    let mut text = "person,a,b,c,wealth\n".to_string();
    for person in 0..60u64 {
        let of = |what: u64| drawn(10 * person + what);
        for visit in 0..10u64 {
            let noise = |what: u64| 0.01 * drawn(100_000 + 1_000 * person + 10 * visit + what);
            let [a, b, c] = [0, 1, 2].map(|what| of(what) + noise(what));
            text += &format!("p{person},{a:.5},{b:.5},{c:.5},{:.4}\n", of(3) + noise(3));
        }
    }
    std::fs::write(folder.join("people.csv"), text).expect("a table");
}

#[test]
fn repeated_measures_look_learned_by_rows_and_are_not_by_groups() {
    let folder = folder("splits_people");
    people(&folder);
    let r2 = |out: &str, flags: &[&str]| {
        let arguments = [
            &["train", "people.csv", "--task", "wealth:mse", "--ignore", "person", "--lr", "0.01"]
                [..],
            &[
                "--epochs",
                "150",
                "--patience",
                "0",
                "--hidden",
                "64,64",
                "--quiet",
                "--json",
                "--out",
                out,
            ],
            flags,
        ];
        let results = json(&folder, &arguments.concat());
        results["parts"]["test"]["wealth"]["r2"].as_f64().expect("R²")
    };
    let by_rows = r2("rows", &[]);
    assert!(by_rows > 0.9, "R² by rows is {by_rows}");
    let by_groups = r2("groups", &["--group", "person"]);
    assert!(by_groups < 0.1, "R² by groups is {by_groups}");
    // Lines from 2 on, ten a person.
    let mut part_of = BTreeMap::new();
    for (part, lines) in parts(&folder.join("groups")) {
        for line in lines {
            let before = part_of.insert((line - 2) / 10, part.clone());
            assert!(before.is_none_or(|before| before == part), "line {line}");
        }
    }
    assert_eq!(part_of.len(), 60);
}

#[test]
fn the_column_of_groups_is_no_feature_unless_it_is_named_and_then_told_of() {
    let folder = folder("splits_feature");
    people(&folder);
    let train = |flags: &[&str]| {
        let arguments = ["train", "people.csv", "--task", "wealth:mse", "--epochs", "1"];
        let output = awl(&folder, &[&arguments[..], flags].concat());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let told = train(&["--group", "person", "--out", "one"]);
    assert!(told.contains("features: \"a\", \"b\", \"c\"\n"), "{told}");
    assert!(
        told.contains(
            "split: rows with the same \"person\" in one part: groups 42 to train on (420 rows)"
        ),
        "{told}"
    );
    let told = train(&["--group", "person", "--features", "person,a", "--out", "two"]);
    assert!(told.contains("\"person\" splits the rows, and is among the features"), "{told}");
    for (flags, problem) in [
        (&["--group", "wealth"][..], "column \"wealth\" splits the rows, and is to be predicted"),
        (&["--group", "persn"], "did you mean"),
        (&["--time", "person"], "is no time that can surely be told older from newer"),
        (&["--group", "person", "--time", "a"], "cannot be used with"),
        (&["--group", "person", "--split", "a"], "cannot be used with"),
    ] {
        let told = train(&[flags, &["--out", "never"]].concat());
        assert!(told.contains(problem), "{told}");
        assert!(!folder.join("never").exists());
    }
}

/// Three islands: one each is no sample of islands.
#[test]
fn few_groups_have_no_intervals_and_say_so() {
    let folder = folder("splits_few");
    let arguments =
        ["train", PENGUINS, "--task", "body_mass_g", "--group", "island", "--epochs", "1"];
    let told = succeed(&folder, &[&arguments[..], &["--quiet", "--out", "run"]].concat());
    assert!(told.contains("no intervals of so few groups of \"island\""), "{told}");
    assert!(!told.contains("  from"), "{told}");
    let told = succeed(&folder, &["evaluate", "run", PENGUINS, "--part", "test"]);
    assert!(told.contains("no intervals of so few groups") && !told.contains("  from"), "{told}");
}

#[test]
fn the_newest_rows_are_tested_on() {
    let folder = folder("splits_time");
    let mut text = "day,x,y\n".to_string();
    for row in 0..100u64 {
        // Each day twice, in no order.
        let day = row * 37 % 100 / 2;
        text +=
            &format!("2024-{:02}-{:02},{},{}\n", 1 + day / 28, 1 + day % 28, row % 9, row % 7 * 3);
    }
    std::fs::write(folder.join("days.csv"), text).expect("a table");
    let told = awl(
        &folder,
        &["train", "days.csv", "--task", "y:mse", "--time", "day", "--epochs", "1", "--out", "run"],
    );
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(
        told.contains("split by \"day\": 2024-01-01 to 2024-02-07 to train on (70 rows)"),
        "{told}"
    );
    assert!(told.contains("features: \"x\"\n"), "{told}");
    let day = |line: usize| (line as u64 - 2) * 37 % 100 / 2;
    let parts = parts(&folder.join("run"));
    let days = |part: &str| parts[part].iter().map(|&line| day(line)).collect::<BTreeSet<_>>();
    assert_eq!(days("train"), (0..35).collect());
    assert!(days("validation").last() < days("test").first());
    assert_eq!(days("test").last(), Some(&49));
}

fn penguins(folder: &Path, flags: &[&str]) {
    let arguments = [
        "train",
        PENGUINS,
        "--task",
        "species",
        "--task",
        "body_mass_g",
        "--epochs",
        "2",
        "--quiet",
    ];
    succeed(folder, &[&arguments[..], flags].concat());
}

#[test]
fn the_split_may_have_a_seed_of_its_own() {
    let folder = folder("splits_seed");
    for (out, flags) in [
        ("a", &["--seed", "1"][..]),
        ("b", &["--seed", "2", "--split-seed", "1"]),
        ("c", &["--seed", "2"]),
    ] {
        penguins(&folder, &[flags, &["--out", out]].concat());
    }
    let [a, b, c] = ["a", "b", "c"].map(|run| parts(&folder.join(run)));
    assert_eq!(a, b);
    assert_ne!(a, c);
    assert_eq!(a.values().map(BTreeSet::len).sum::<usize>(), 344);
}

#[test]
fn a_part_of_the_runs_own_table_is_evaluated_and_predicted_by_its_name() {
    let folder = folder("splits_part");
    penguins(&folder, &["--out", "run"]);
    let results = std::fs::read_to_string(folder.join("run/results.json")).expect("results");
    let results: serde_json::Value = serde_json::from_str(&results).expect("JSON");
    for (part, rows) in [("validation", 51), ("test", 52)] {
        let found = json(&folder, &["evaluate", "run", PENGUINS, "--part", part, "--json"]);
        assert_eq!(found["rows"], rows);
        for (task, figure) in [("species", "log_loss"), ("species", "auc"), ("body_mass_g", "rmse")]
        {
            let of = |tasks: &serde_json::Value| tasks[task][figure].as_f64().expect("a figure");
            let (found, expected) = (of(&found["tasks"]), of(&results["parts"][part]));
            // The rows come in another order.
            assert!(
                (found - expected).abs() < 1e-12 * expected,
                "{part}, {figure}: {found}, not {expected}"
            );
        }
        assert!(!found["warnings"].to_string().contains("equal rows"), "{part}: {found}");
        if part == "test" {
            // The same rows in another order are as sure.
            for (task, figure) in [("species", "macro_f1"), ("body_mass_g", "mae")] {
                let ends = |it: &serde_json::Value| it["intervals"][task][figure][1].as_f64();
                let (found, expected) =
                    (ends(&found).expect("an end"), ends(&results).expect("an end"));
                assert!(
                    (found - expected).abs() < 1e-9 * expected,
                    "{figure}: {found}, {expected}"
                );
            }
        }
    }
    let of_train = json(&folder, &["evaluate", "run", PENGUINS, "--part", "train", "--json"]);
    assert!(of_train["warnings"].to_string().contains("equal rows that the run was trained on"));
    let all = succeed(&folder, &["predict", "run", PENGUINS]);
    let all: Vec<&str> = all.lines().collect();
    let test = succeed(&folder, &["predict", "run", PENGUINS, "--part", "test"]);
    let expected: Vec<&str> =
        parts(&folder.join("run"))["test"].iter().map(|line| all[line - 1]).collect();
    assert_eq!(test.lines().skip(1).collect::<Vec<_>>(), expected);

    let text = std::fs::read_to_string(PENGUINS).expect("a table");
    let swapped = text.replacen("39.1", "39.9", 1);
    let shorter = text.lines().take(300).map(|line| format!("{line}\n")).collect::<String>();
    for (table, told) in
        [(swapped, "line 2 is not the row"), (shorter, "of the 52 rows of the part test are there")]
    {
        std::fs::write(folder.join("other.csv"), table).expect("a table");
        for command in ["evaluate", "predict"] {
            let output = awl(&folder, &[command, "run", "other.csv", "--part", "test"]);
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{stderr}");
            assert!(stderr.contains(told), "{command}: {stderr}");
        }
    }
    // The file itself may be cut: behind a line, or within one.
    let split = std::fs::read_to_string(folder.join("run/split.csv")).expect("a file");
    let lines = split.lines().take(200).map(|line| format!("{line}\n")).collect::<String>();
    for (cut, told) in [
        (lines, "split.csv: it ends before line 201 of"),
        (split[..split.len() - 5].into(), "split.csv: its last line is cut short"),
    ] {
        std::fs::write(folder.join("run/split.csv"), cut).expect("a file");
        let output = awl(&folder, &["evaluate", "run", PENGUINS, "--part", "test"]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(told), "{stderr}");
    }
    penguins(&folder, &["--test", "0", "--out", "untested"]);
    let output = awl(&folder, &["evaluate", "untested", PENGUINS, "--part", "test"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("the run had no such rows: its parts are train, validation"),
        "{stderr}"
    );
    std::fs::remove_file(folder.join("untested/split.csv")).expect("a file");
    let output = awl(&folder, &["predict", "untested", PENGUINS, "--part", "train"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("does not say which part its rows were in"), "{stderr}");
}

/// As `--ignore` takes it.
#[test]
fn a_group_may_be_named_in_quotes() {
    let folder = folder("splits_quoted");
    let rows = (0..40).map(|row| format!("{row},{},g{}\n", row * row % 7, row % 10));
    let text = format!("x,y,\"b,c\"\n{}", rows.collect::<String>());
    std::fs::write(folder.join("t.csv"), text).expect("a table");
    for name in ["b,c", "\"b,c\""] {
        let told = succeed(&folder, &["describe", "t.csv", "--task", "y:mse", "--group", name]);
        assert!(told.contains("rows with the same \"b,c\" in one part"), "{told}");
    }
}

/// Names of classes and columns move no cursor.
#[test]
fn signs_that_a_terminal_obeys_are_written_out() {
    let folder = folder("splits_signs");
    let rows = (0..40).map(|row| {
        format!("{row},{}\n", if row % 2 == 0 { "owl\u{1b}[2J".into() } else { "hawk".repeat(99) })
    });
    let text = format!("x,ki\u{7}nd\n{}", rows.collect::<String>());
    std::fs::write(folder.join("t.csv"), text).expect("a table");
    for command in
        [&["describe", "t.csv"][..], &["train", "t.csv", "--epochs", "1", "--out", "run"]]
    {
        let output =
            awl(&folder, &[command, &["--task", "ki\u{7}nd", "--threshold", "0.4"]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        for told in [output.stdout, output.stderr] {
            let told = String::from_utf8(told).expect("UTF-8");
            assert!(!told.contains(['\u{1b}', '\u{7}']), "{told:?}");
            assert!(!told.contains(&"hawk".repeat(40)), "{told}");
        }
    }
}
