//! Whole numbers that have no `f64` of their own: as labels and as categories each is what it is written as, from the table to the
//! answers of a saved model.

use super::{Bench, column, drawn, rows};
use serde_json::json;

/// Three shops whose numbers are one to 64 bits, and one that is not; negative, of other lengths, some missing.
const SHOPS: [[&str; 4]; 3] = [
    ["9007199254740992", "9007199254740993", "9007199254740994", "12"],
    ["-9007199254740993", "-9007199254740992", "9007199254740993", "-7"],
    ["1152921504606846976", "1152921504606847000", "1152921504606846977", "18446744073709551615"],
];

/// A row's shop can be read off `x`.
fn table(shops: [&str; 4], label: impl Fn(usize, &str) -> String) -> String {
    rows("x,y,shop", 160, |row| {
        let shop = row % 4;
        let x = shop as f64 + 0.2 * drawn(row, 1);
        format!("{x:.4},{:.4},{}", [3.0, -1.0, 0.0, 7.0][shop], label(row, shops[shop]))
    })
}

#[test]
fn labels_beyond_64_bits_are_classes_of_their_own() {
    for (case, shops) in SHOPS.into_iter().enumerate() {
        let bench = Bench::new(&format!("whole_labels_{case}"));
        let missing =
            |row: usize, shop: &str| if row % 20 < 4 { String::new() } else { shop.into() };
        bench.write("t.csv", table(shops, missing));
        for task in ["shop", "shop:cross_entropy"] {
            let _ = std::fs::remove_dir_all(bench.path().join("run"));
            let (_, results) = bench.train(&format!(
                "t.csv --features x --task {task} --epochs 150 --patience 0 --batch-size 16 --out run"
            ));
            let mut names = shops.to_vec();
            names.sort_unstable();
            assert_eq!(results["tasks"][0]["classes"], json!(names), "{task}");
            let accuracy = &results["parts"]["test"]["shop"]["accuracy"];
            assert!(accuracy.as_f64() > Some(0.95), "{task}: {}", results["parts"]);
            // The saved model's answers, and its judgement of a table that has but one of them.
            let answers = column(&bench.succeed("predict run t.csv").out, "shop");
            let right =
                answers.iter().enumerate().filter(|(row, answer)| **answer == shops[row % 4]);
            assert!(right.count() > 150, "{task}: {answers:?}");
            for (index, shop) in shops.iter().enumerate() {
                let own = rows("x,shop", 10, |row| {
                    format!("{}.{row},{shop}", if row < 5 { index } else { 9 })
                });
                bench.write("own.csv", own);
                let figures = bench.evaluate("run own.csv");
                let figures = &figures["tasks"]["shop"];
                assert_eq!(figures["labelled"], 10, "{shop}: {figures}");
                assert!(figures.get("unknown").is_none(), "{shop} is a class: {figures}");
            }
            bench.write("other.csv", "x,shop\n1.0,9007199254740995\n2.0,9007199254740997\n");
            let done = bench.succeed("evaluate run other.csv --json");
            let figures: serde_json::Value = serde_json::from_str(&done.out).expect("JSON");
            assert_eq!(figures["tasks"]["shop"]["unknown"], 2, "{figures}");
        }
    }
}

#[test]
fn categories_beyond_64_bits_are_inputs_of_their_own() {
    for (case, shops) in SHOPS.into_iter().enumerate() {
        let bench = Bench::new(&format!("whole_features_{case}"));
        bench.write("t.csv", table(shops, |_, shop| shop.into()));
        let (_, results) = bench.train(
            "t.csv --features shop --text shop --task y:mse --epochs 150 --patience 0 --batch-size 16 --out run",
        );
        let r2 = results["parts"]["test"]["y"]["r2"].as_f64();
        assert!(r2 > Some(0.99), "each shop has a number of its own: {}", results["parts"]);
        // One row a file: nothing but the saved model says that the column is text.
        for (shop, expected) in shops.into_iter().zip([3.0, -1.0, 0.0, 7.0]) {
            bench.write("one.csv", format!("shop\n{shop}\n"));
            let answer = column(&bench.succeed("predict run one.csv").out, "y");
            let answer: f64 = answer[0].parse().expect("a number");
            assert!((answer - expected).abs() < 0.5, "{shop}: {answer}, not {expected}");
        }
    }
}
