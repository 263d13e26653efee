//! A stranger's first ten minutes: a table with every fault at once ends in one message that helps with all of it, and that
//! message's own flags end in a model.

use super::{Bench, drawn, rows};

/// Thirty columns, in a spreadsheet's layout.
const HEADER: &str = ";id;customer;joined;visit time;age;height;weight;income;rate;price;net;active;member;sex;region;city;grade;code;sensor;reading;distance;dose;blank;note;\"GDP per capita, PPP\";copy;group;damage;score;churn;;";

fn table() -> String {
    let comma = |number: f64| format!("{number:.2}").replace('.', ",");
    let body = rows(HEADER, 200, |row| {
        let (a, b) = (drawn(row, 1), drawn(row, 2));
        let score = 50.0 + 20.0 * a + 5.0 * b;
        let damage = if a < 0.1 {
            "None"
        } else if a < 0.6 {
            "Minor"
        } else {
            "Severe"
        };
        let cells: Vec<String> = vec![
            row.to_string(),
            (1_000 + row).to_string(),
            format!("customer {row}"),
            format!("{:02}.{:02}.2023", 1 + row % 28, 1 + row % 12),
            format!("{:02}:{:02}", row % 24, row * 7 % 60),
            format!("{:.0}", 40.0 + 20.0 * a),
            comma(170.0 + 10.0 * b),
            if row == 77 { "heavy".into() } else { comma(70.0 + 12.0 * b) },
            format!("{}.{:03},50", 1 + row % 9, row * 37 % 1_000),
            format!("{}%", 5 + row % 90),
            format!("€{}", comma(5.0 + f64::from(row as u32 % 40))),
            comma(1_000.0 + 300.0 * b),
            ["TRUE", "True", "true", "FALSE", "False", "false"][row * 5 % 6].into(),
            ["yes", "no"][row % 2].into(),
            ["Male", "male", "female"][row * 7 % 11 % 3].into(),
            ["NA", "EU", "APAC"][row % 3].into(),
            ["K\u{f6}ln", "Ko\u{308}ln", "Bonn"][row * 3 % 7 % 3].into(),
            (1 + row % 5).to_string(),
            format!("B{}", row % 7),
            if row % 9 == 0 { "-200".into() } else { comma(2.0 + b) },
            if row == 150 { "90000,0".into() } else { comma(3.0 + b) },
            format!("{} km", 3 + row % 50),
            ["0,3", "0,30000000000000004"][row % 2].into(),
            String::new(),
            format!("seen on day {row} by {}", row * 31 % 97),
            comma(20.0 + 3.0 * b),
            comma(2.0 * score - 1.0),
            "all".into(),
            damage.into(),
            if row % 8 == 0 { "?".into() } else { comma(score) },
            if row % 50 == 3 { "1" } else { "0" }.into(),
            String::new(),
            String::new(),
        ];
        cells.join(";")
    });
    format!("sep=;\n{body}{}", format!("{}\n", ";".repeat(32)).repeat(12))
}

#[test]
fn a_table_with_every_fault_ends_in_one_message_and_then_in_a_model() {
    let bench = Bench::new("messy");
    bench.write("messy.csv", table());
    let tasks = "--task score:mse --task damage --task churn";
    // The one cell that is a slip is asked about; nothing is half-written.
    let done = bench.awl(&format!("train messy.csv {tasks} --out run"));
    assert_eq!(done.code, 2, "{}", done.told);
    done.says(&["messy.csv", "line 80", "\"weight\"", "\"heavy\"", "--missing=heavy"]);
    assert!(!bench.path().join("run").exists());

    let (done, results) =
        bench.train(&format!("messy.csv {tasks} --missing heavy --epochs 30 --out run"));
    for told in [
        &["Excel"][..],
        &["the first column has no name"],
        &["2 columns without a name"],
        &["12 rows without any cell are left out (lines 203 to 214)"],
        &["decimal comma", "\"height\""],
        &["points between thousands", "\"income\""],
        &["\"%\"", "\"rate\""],
        &["\"€\"", "\"price\""],
        &["\"id\""],
        &["\"customer\"", "\"note\"", "left out"],
        &["\"joined\"", "\"visit time\"", "dates or times", "left out"],
        &["\"blank\" has no cell"],
        &["\"sensor\"", "-200"],
        &["\"reading\"", "line 153"],
        &["\"distance\"", "km"],
        &["\"sex\"", "\"city\"", "capitals"],
        &["\"copy\"", "\"score\""],
        &["\"dose\"", "\"group\"", "the same in every training row"],
        &["\"None\" in", "\"damage\""],
        &["missing: 25 \"?\""],
        &["\"churn\"", "0 196, 1 4"],
        &[
            "train with",
            "--missing=",
            "sensor=-200",
            "damage=None",
            "reading=90000",
            "--ignore=copy",
        ],
    ] {
        done.says(told);
    }
    assert!(done.told.lines().count() < 60, "{} lines:\n{}", done.told.lines().count(), done.told);
    assert_eq!(
        results["rows"]["train"].as_u64().unwrap_or(0)
            + results["rows"]["validation"].as_u64().unwrap_or(0)
            + results["rows"]["test"].as_u64().unwrap_or(0),
        200
    );

    // The line of flags, as it stands in the message, works.
    let line =
        done.told.lines().find(|line| line.contains("train with ")).expect("a line of flags");
    let flags =
        line.split("train with ").nth(1).expect("flags").replace("--missing=", "--missing=heavy,");
    let (done, results) =
        bench.train(&format!("messy.csv {tasks} {flags} --epochs 150 --out cleaned"));
    done.is_silent_of("determines").is_silent_of("-200 in").says(&["\"sensor\""]);
    assert!(results["parts"]["test"]["score"]["r2"].as_f64() > Some(0.7), "{}", results["parts"]);
    bench.succeed("predict cleaned messy.csv --keep id,score --out answers.csv");
    bench.succeed("evaluate cleaned messy.csv");
    bench.succeed("export cleaned --onnx");
}
