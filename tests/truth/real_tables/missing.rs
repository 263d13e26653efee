//! Nothing vanishes untold: which cells are missing and by which word, which rows are left out, and which classes there are.

use super::{Bench, drawn, rows};
use serde_json::json;

/// A table whose label is a word every third row, and else one of three classes.
fn damage(word: &str) -> String {
    rows("x,z,damage,cost", 120, |row| {
        let x = drawn(row, 1);
        let class =
            if row % 3 == 0 { word.to_string() } else { ["Minor", "Severe"][row % 2].to_string() };
        format!("{x:.4},{:.4},{class},{:.2}", drawn(row, 2), 9.0 * x)
    })
}

#[test]
fn words_for_missing_labels_are_counted_and_doubtful_ones_are_asked_about() {
    let bench = Bench::new("missing_words");
    // The word, flags, whether it is a class, and what must be said.
    let cases: [(&str, &str, bool, &[&str]); 12] = [
        ("None", "", true, &["\"damage\"", "\"None\" in 40 of 120 cells"]),
        ("none", "", true, &["\"damage\"", "\"none\" in 40 of 120"]),
        ("?", "", true, &["\"damage\"", "\"?\" in 40 of 120"]),
        ("-", "", true, &["\"damage\"", "\"-\" in 40 of 120"]),
        ("\"NA\"", "", true, &["\"damage\"", "\"NA\" in 40 of 120"]),
        ("NA", "", false, &["40 of 120 labels of task \"damage\" are \"NA\"", "--missing"]),
        ("N/A", "", false, &["40 of 120 labels of task \"damage\" are \"N/A\""]),
        ("null", "", false, &["task \"damage\"", "missing: 40 \"null\""]),
        ("", "", false, &["task \"damage\"", "80 labels in 120 rows", "missing: 40 empty"]),
        ("None", "--missing None", false, &["missing: 40 \"None\""]),
        ("unknown", "--missing 'Unknown,-9'", false, &["missing: 40 \"unknown\""]),
        ("NA", "--missing ''", true, &["NA 40"]),
    ];
    for (case, (word, flags, is_class, told)) in cases.into_iter().enumerate() {
        bench.write("t.csv", damage(word));
        let (done, results) = bench.train(&format!(
            "t.csv --task damage --task cost:mse --epochs 2 --out run-{case} {flags}"
        ));
        done.says(told);
        let bare = word.trim_matches('"');
        let classes = &results["tasks"][0]["classes"];
        assert_eq!(
            classes.to_string().contains(&format!("\"{bare}\"")),
            is_class,
            "{word}: {classes}"
        );
        let facts = &results["data"]["tasks"]["damage"];
        if is_class {
            assert_eq!(facts["classes"][bare], 40, "{word}: {facts}");
        } else {
            assert_eq!(facts["missing"], json!({bare: 40}), "{word}: {facts}");
        }
        // All that the terminal said is in the results and in the report.
        let report = std::fs::read_to_string(bench.path().join(format!("run-{case}/report.html")))
            .expect("a report");
        for warning in results["warnings"].as_array().expect("warnings") {
            let warning = warning.as_str().expect("a sentence");
            assert!(done.told.contains(warning), "{warning}\n{}", done.told);
            let escaped = warning
                .replace('&', "&amp;")
                .replace('"', "&quot;")
                .replace('<', "&lt;")
                .replace('>', "&gt;");
            assert!(report.contains(&escaped), "{escaped}");
        }
        let choices = results["choices"].as_array().expect("choices");
        assert!(choices.iter().all(|choice| done.told.contains(choice.as_str().unwrap_or("?"))));
    }
}

#[test]
fn among_numbers_doubtful_words_are_missing_and_counted() {
    let bench = Bench::new("missing_numbers");
    for word in ["None", "?", "-", "--", ".", "\"NA\"", "nil"] {
        bench.write(
            "t.csv",
            rows("x,y", 60, |row| {
                let y =
                    if row % 6 == 0 { word.to_string() } else { format!("{:.3}", drawn(row, 2)) };
                format!("{:.3},{y}", drawn(row, 1))
            }),
        );
        let _ = std::fs::remove_dir_all(bench.path().join("run"));
        let (done, results) = bench.train("t.csv --task y:mse --epochs 1 --out run");
        let bare = word.trim_matches('"');
        done.says(&["50 labels in 60 rows", &format!("missing: 10 \"{bare}\"")]);
        assert_eq!(results["data"]["tasks"]["y"]["missing"], json!({bare: 10}));
    }
    // A number that was said to stand for a missing cell does, however it is written.
    for (cell, flag) in [
        ("-200", "--missing=-200"),
        ("-200.0", "--missing=-200"),
        ("-2e2", "--missing -200"),
        ("999", "--missing 999,-1"),
    ] {
        bench.write(
            "t.csv",
            rows("x,y", 60, |row| {
                let y =
                    if row % 6 == 0 { cell.to_string() } else { format!("{:.3}", drawn(row, 2)) };
                format!("{:.3},{y}", drawn(row, 1))
            }),
        );
        let _ = std::fs::remove_dir_all(bench.path().join("run"));
        let (done, _) = bench.train(&format!("t.csv --task y:mse --epochs 1 --out run {flag}"));
        done.says(&["50 labels in 60 rows", &format!("10 \"{cell}\"")]);
        // New tables are read alike.
        let told = bench.evaluate("run t.csv");
        assert_eq!(told["tasks"]["y"]["labelled"], 50, "{told}");
    }
}

#[test]
fn rows_without_any_cell_are_left_out_and_counted_wherever_they_stand() {
    let bench = Bench::new("missing_rows");
    let good =
        |row: usize| format!("{:.3},{},{:.3}", drawn(row, 1), ["n", "s"][row % 2], drawn(row, 2));
    for (name, empty, told) in [
        ("below", vec![",,"; 5], "5 rows without any cell are left out (lines 62 to 66)"),
        ("one", vec![" , ,"], "1 row without any cell is left out (line 62)"),
        (
            "quoted",
            vec!["\"\",,", ",\"\",\" \""],
            "2 rows without any cell are left out (lines 62 to 63)",
        ),
    ] {
        let body: Vec<String> = (0..60).map(good).collect();
        let below = format!("x,site,y\n{}\n{}\n", body.join("\n"), empty.join("\n"));
        let above = format!("x,site,y\n{}\n{}\n", empty.join("\n"), body.join("\n"));
        for (place, table) in [("below", &below), ("above", &above)] {
            bench.write("t.csv", table);
            let _ = std::fs::remove_dir_all(bench.path().join("run"));
            let (done, results) = bench.train("t.csv --task y:mse --epochs 1 --out run");
            if place == "below" {
                done.says(&[told]);
            }
            assert_eq!(results["data"]["rows"]["empty"], empty.len(), "{name}");
            let rows = &results["rows"];
            let sum: u64 =
                ["train", "validation", "test"].iter().filter_map(|part| rows[part].as_u64()).sum();
            assert_eq!(sum, 60, "{name}: {rows}");
            let answers = bench.succeed("predict run t.csv");
            assert_eq!(answers.out.lines().count(), 61, "{name}");
            answers.says(&["without any cell", "left out"]);
        }
    }
    // Rows that have cells, but no label of any task.
    bench.write(
        "t.csv",
        rows("x,y", 60, |row| {
            format!("{:.3},{}", drawn(row, 1), if row < 12 { "" } else { "1.5" })
                .replace("1.5", &format!("{:.3}", drawn(row, 2)))
        }),
    );
    let _ = std::fs::remove_dir_all(bench.path().join("run"));
    let (done, results) = bench.train("t.csv --task y:mse --epochs 1 --out run");
    done.says(&["12 of 60 rows teach nothing, without a label of any task"]);
    assert_eq!(results["data"]["rows"]["without_a_label"], 12);
}

#[test]
fn missing_cells_of_features_and_of_tasks_in_part_are_counted() {
    let bench = Bench::new("missing_features");
    bench.write(
        "t.csv",
        rows("x,region,thin,y,a,b", 120, |row| {
            let gap = |every: usize, word: &str, cell: String| {
                if row.is_multiple_of(every) { word.to_string() } else { cell }
            };
            let x = gap(4, "None", format!("{:.3}", drawn(row, 1)));
            let region = gap(3, "NA", ["EU", "AS"][row % 2].into());
            let thin = if row < 10 { format!("{:.3}", drawn(row, 4)) } else { String::new() };
            let b = gap(5, "", format!("{:.3}", drawn(row, 3)));
            format!("{x},{region},{thin},{:.3},{:.3},{b}", drawn(row, 2), drawn(row, 5))
        }),
    );
    let (done, results) = bench.train("t.csv --task y:mse --task 'm=a,b:mse' --epochs 1 --out run");
    done.says(&["missing cells of features", "\"x\" 30 \"None\"", "\"region\" 40 \"NA\""]);
    done.says(&["most cells are missing of \"thin\" (110 of 120)"]);
    assert_eq!(
        results["data"]["missing_in_features"],
        json!({"x": {"None": 30}, "region": {"NA": 40}, "thin": {"": 110}})
    );
    done.says(&[
        "24 of 120 rows have some columns of task \"m\" but not all",
        "\"b\" in 24",
        "a task of its own",
    ]);
    // The report has all of it too.
    let report = std::fs::read_to_string(bench.path().join("run/report.html")).expect("a report");
    for choice in results["choices"].as_array().expect("choices") {
        let escaped =
            choice.as_str().expect("a sentence").replace('&', "&amp;").replace('"', "&quot;");
        assert!(report.contains(&escaped), "{escaped}");
    }
}

/// A word may mean a missing cell in one column and something else in another.
#[test]
fn a_word_is_that_of_one_column_where_its_name_stands_before_it() {
    let bench = Bench::new("missing_column");
    bench.write(
        "t.csv",
        rows("score,y,k", 90, |row| {
            let score = if row % 9 == 0 { "-1".into() } else { format!("{}", 30 + row % 40) };
            format!("{score},{:.3},{}", drawn(row, 1), ["-1", "0", "1"][row % 3])
        }),
    );
    let (done, _) = bench.train("t.csv --task y:mse --task k:cross_entropy --epochs 1 --out run");
    done.says(&["\"score\"", "-1 in 10 of 90"]).says(&["train with --missing=score=-1"]);
    let (done, results) = bench.train(
        "t.csv --task y:mse --task k:cross_entropy --missing=score=-1 --epochs 1 --out clean",
    );
    done.is_silent_of("-1 in 10");
    assert_eq!(results["tasks"][1]["classes"], json!(["-1", "0", "1"]));
    assert_eq!(results["data"]["missing_in_features"], json!({"score": {"-1": 10}}));
    // A later table is read alike.
    assert_eq!(bench.evaluate("clean t.csv")["tasks"]["k"]["labelled"], 90);
}
