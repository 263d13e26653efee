//! Weights of rows by a column: a row that weighs 3 counts as three such rows.

use super::{awl, folder, json, lines, succeed};
use std::path::Path;

const HEADER: &str = "x,z,kind,size,cases\n";

/// Row `i`, without what it weighs.
fn row(i: usize) -> String {
    let (x, z) = ((i * 37 % 29) as f64 / 14.5 - 1.0, (i * i % 13) as f64 / 6.5 - 1.0);
    let kind = ["a", "b", "c"][(i * 7 + i / 3) % 3];
    format!("{x:.3},{z:.3},{kind},{:.3}", 0.7 * x - 0.2 * z * z + (i % 5) as f64 / 10.0)
}

fn cases(i: usize) -> usize {
    [1, 3, 0, 2][i % 4]
}

/// A table of 40 rows whose weights are those times something, and one of each row as often as it weighs.
fn tables(folder: &Path, times: f64) {
    let weighted = |i| format!("{},{}\n", row(i), times * cases(i) as f64);
    let repeated = |i| format!("{},1\n", row(i)).repeat(cases(i));
    let both: [(&str, Vec<String>); 2] = [
        ("weighted.csv", (0..40).map(weighted).collect()),
        ("repeated.csv", (0..40).map(repeated).collect()),
    ];
    for (name, rows) in both {
        std::fs::write(folder.join(name), HEADER.to_owned() + &rows.concat()).expect("a table");
    }
}

const RUN: &str = "--task kind:cross_entropy --task size:mae --epochs 8 --batch-size 1000 --hidden 5 --dropout 0 --lr 0.03 \
                   --no-standardize --no-shuffle --validation 0 --test 0 --log-every 1";

fn train(folder: &Path, table: &str, more: &str, out: &str) -> serde_json::Value {
    let flags = format!("train {table} {RUN} {more} --json --out {out}");
    json(folder, &flags.split_whitespace().collect::<Vec<_>>())
}

fn totals(folder: &Path, run: &str) -> Vec<f64> {
    let steps = lines(&folder.join(run).join("metrics.jsonl"));
    steps.iter().filter_map(|line| line["total"].as_f64()).collect()
}

#[test]
fn a_row_counts_as_often_as_its_cell_says() {
    let folder = folder("weights");
    tables(&folder, 1e9);
    for engine in ["fused", "reference"] {
        let flags = format!("--weight cases --engine {engine}");
        let weighted = train(&folder, "weighted.csv", &flags, &format!("weighted-{engine}"));
        let more = format!("--ignore cases --engine {engine}");
        train(&folder, "repeated.csv", &more, &format!("repeated-{engine}"));
        let [found, expected] =
            ["weighted", "repeated"].map(|run| totals(&folder, &format!("{run}-{engine}")));
        assert_eq!(found.len(), 8);
        for (found, expected) in found.iter().zip(&expected) {
            assert!(
                (found - expected).abs() <= 1e-5 * expected,
                "{engine}: {found}, not {expected}"
            );
        }
        let said = weighted["choices"].to_string();
        assert!(
            said.contains("1e9 to 3e9, 40 rows") && said.contains("10 weigh nothing"),
            "{said}"
        );
        // Kish: 60²/140.
        assert!(said.contains("about as much as 26 of equal weight"), "{said}");
    }
    let plain = "--ignore cases";
    train(&folder, "weighted.csv", plain, "plain");
    assert_ne!(totals(&folder, "plain"), totals(&folder, "weighted-fused"));
}

/// Losses of evaluate are weighted means, of the network and of the baselines; all other figures take every row alike.
#[test]
fn losses_are_weighted_where_the_table_has_the_weights() {
    let folder = folder("weights_evaluated");
    tables(&folder, 2.0);
    train(&folder, "weighted.csv", "--weight cases", "run");
    let figures = |table: &str| json(&folder, &["evaluate", "run", table, "--json"]);
    let [weighted, repeated] = ["weighted.csv", "repeated.csv"].map(figures);
    for task in ["kind", "size"] {
        let loss = |figures: &serde_json::Value| figures[task]["loss"].as_f64().expect("a loss");
        for of in ["/tasks", "/baselines/constant", "/baselines/linear"] {
            let [found, expected] = [&weighted, &repeated]
                .map(|it| loss(it.pointer(of).unwrap_or_else(|| panic!("{of} in {it}"))));
            assert!((found - expected).abs() < 1e-6, "{task}, {of}: {found}, not {expected}");
        }
        assert_eq!(weighted["tasks"][task]["labelled"], 40);
    }
    // Fitted to the weighted rows: each class as often as it weighs, and the median by weight.
    let text = std::fs::read_to_string(folder.join("repeated.csv")).expect("a table");
    let mut sizes: Vec<f64> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(3).and_then(|cell| cell.parse().ok()).expect("a number"))
        .collect();
    sizes.sort_by(f64::total_cmp);
    let constant = repeated.pointer("/baselines/constant/size/mae").expect("an error");
    let median = sizes[(sizes.len() - 1) / 2];
    let error = sizes.iter().map(|it| (it - median).abs()).sum::<f64>() / sizes.len() as f64;
    assert!((constant.as_f64().expect("a number") - error).abs() < 1e-3, "{constant}, not {error}");
    let seen = json(
        &folder,
        &["describe", "weighted.csv", "--task", "size", "--weight", "cases", "--json"],
    );
    let cases =
        seen["columns"].as_array().and_then(|all| all.iter().find(|it| it["name"] == "cases"));
    assert_eq!(cases.expect("the column")["used"], "weight");
    // Without the column nothing is weighed, and that is said.
    let bare = text.lines().map(|line| line.rsplit_once(',').expect("cells").0.to_owned() + "\n");
    std::fs::write(folder.join("bare.csv"), bare.collect::<String>()).expect("a table");
    let bare = figures("bare.csv");
    assert_eq!(bare["tasks"]["kind"]["loss"], repeated["tasks"]["kind"]["loss"]);
    assert!(bare["warnings"].to_string().contains("no column \\\"cases\\\""), "{bare}");
    succeed(&folder, &["predict", "run", "bare.csv"]);
    // Without a weight no validation row chooses.
    let weighted = text_of(&folder);
    let parts = weighted.lines().enumerate().map(|(line, row)| match line {
        0 => format!("{row},part\n"),
        _ if row.ends_with(",0") => format!("{row},validation\n"),
        _ => format!("{row},{}\n", if line % 5 == 0 { "test" } else { "train" }),
    });
    std::fs::write(folder.join("parts.csv"), parts.collect::<String>()).expect("a table");
    let flags =
        "train parts.csv --task size --weight cases --split part --epochs 2 --json --out unchosen";
    let unchosen = json(&folder, &flags.split_whitespace().collect::<Vec<_>>());
    assert!(
        unchosen["warnings"].to_string().contains("no validation row has a weight"),
        "{unchosen}"
    );
    assert_eq!((&unchosen["best_epoch"], &unchosen["kept_epoch"]), (&().into(), &2.into()));
    // A slip of the keyboard.
    let text = text_of(&folder);
    std::fs::write(folder.join("slip.csv"), text.replacen(",6\n", ",6e5\n", 1)).expect("a table");
    let slip = train(&folder, "slip.csv", "--weight cases", "slip");
    let said = slip["warnings"].to_string();
    assert!(said.contains("so uneven that 40 rows tell about as much as 1 would"), "{said}");
}

fn text_of(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("weighted.csv")).expect("a table")
}

#[test]
fn weights_that_make_no_sense_are_refused_by_line() {
    let folder = folder("weights_refused");
    let refused = |cells: &dyn Fn(usize) -> String, flags: &str, told: &[&str]| {
        let rows: String = (0..40).map(|i| format!("{},{}\n", row(i), cells(i))).collect();
        std::fs::write(folder.join("t.csv"), HEADER.to_owned() + &rows).expect("a table");
        let flags = format!("train t.csv {RUN} {flags} --out never");
        let output = awl(&folder, &flags.split_whitespace().collect::<Vec<_>>());
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        told.iter().for_each(|told| assert!(stderr.contains(told), "{told}: {stderr}"));
        assert!(!folder.join("never").exists());
    };
    let but = |at: usize, cell: &'static str| {
        move |i: usize| if i == at { cell.to_string() } else { "2".into() }
    };
    refused(&but(5, ""), "--weight cases", &["line 7", "\"cases\"", "a row without a weight"]);
    refused(&but(3, "-1"), "--weight cases", &["line 5", "a weight of -1"]);
    refused(&but(3, "many"), "--weight cases", &["line 5", "many"]);
    refused(&|_| "some".into(), "--weight cases", &["line 2", "\"some\" is no weight"]);
    refused(&|_| "0".into(), "--weight cases", &["are all 0"]);
    refused(&but(0, "2"), "--weight case", &["did you mean \"cases\"?"]);
    refused(&but(0, "2"), "--weight size", &["\"size\" is a target"]);
    refused(&but(0, "2"), "--weight cases --features x,cases", &["\"cases\" is a feature"]);
}
