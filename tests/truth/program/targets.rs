//! Targets of numbers: transforms, counts and quantiles, as users ask for them and as answers undo them.

use super::{awl, folder, json, succeed};
use serde_json::Value;
use std::path::Path;

/// 400 rows: a price that is the exponential of a line, a count of that rate, and a number with noise of one side.
fn table() -> String {
    let mut text = String::from("x,z,price,count,delay\n");
    let mut seed = 1_u64;
    let mut uniform = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 11) as f64 / 2_f64.powi(53)
    };
    for _ in 0..400 {
        let (x, z) = (uniform() * 4.0 - 2.0, uniform());
        let price = (5.0 + 1.5 * x + 0.1 * uniform()).exp();
        // Of a Poisson distribution: how many exponential waits fit into one unit.
        let (rate, mut waited, mut count) = ((0.5 + x).exp(), 0.0, 0);
        loop {
            waited -= uniform().max(1e-12).ln() / rate;
            if waited > 1.0 {
                break;
            }
            count += 1;
        }
        let delay = 10.0 + x - 3.0 * uniform().max(1e-12).ln();
        text += &format!("{x:.4},{z:.4},{price:.3},{count},{delay:.3}\n");
    }
    text
}

/// The columns of a CSV file as numbers, by name.
fn column(text: &str, name: &str) -> Vec<f64> {
    let mut lines = text.lines();
    let at = lines.next().expect("a header").split(',').position(|it| it == name).expect(name);
    lines.map(|line| line.split(',').nth(at).expect("a cell").parse().expect("a number")).collect()
}

fn train(folder: &Path, tasks: &[&str], out: &str) -> Value {
    std::fs::write(folder.join("t.csv"), table()).expect("a table");
    let tasks: Vec<&str> = tasks.iter().flat_map(|task| ["--task", task]).collect();
    let rest = ["--features", "x,z", "--epochs", "60", "--lr", "0.01", "--hidden", "16", "--quiet"];
    json(folder, &[&["train", "t.csv"], &tasks[..], &rest, &["--json", "--out", out]].concat())
}

#[test]
fn transforms_are_undone_in_every_answer_and_figure() {
    let folder = folder("transforms");
    for (transform, least) in [("log", 0.95), ("log1p", 0.95), ("quantile", 0.8)] {
        let results = train(&folder, &[&format!("price:mse:{transform}")], transform);
        let r2 = results["parts"]["test"]["price"]["r2"].as_f64().expect("an R²");
        assert!(r2 > least, "{transform}: {r2}");
        // Answers are in the column's unit, and figures are of them: taken anew from the answers to all rows.
        let answers = succeed(&folder, &["predict", transform, "t.csv"]);
        let (found, truth) = (column(&answers, "price"), column(&table(), "price"));
        let squares = found.iter().zip(&truth).map(|(p, t)| (p - t).powi(2)).sum::<f64>();
        let rmse = (squares / truth.len() as f64).sqrt();
        let told = json(&folder, &["evaluate", transform, "t.csv", "--json"]);
        let told = told["tasks"]["price"]["rmse"].as_f64().expect("an RMSE");
        assert!((told - rmse).abs() < 1e-6 * rmse, "{transform}: {told}, from answers {rmse}");
        assert!(found.iter().all(|answer| *answer > 0.0), "{transform}");
        // A run that goes on has the same scale.
        succeed(&folder, &["train", "--resume", transform, "--epochs", "62", "--quiet"]);
    }
    // A straight line is a poor answer to an exponential, and a good one to its logarithm.
    let results: Value = serde_json::from_slice(
        &std::fs::read(folder.join("log/results.json")).expect("the results"),
    )
    .expect("JSON");
    let linear = &results["baselines"]["linear"]["test"]["price"]["r2"];
    assert!(linear.as_f64().expect("an R²") > 0.95, "{linear}");
}

#[test]
fn counts_have_a_rate_and_quantiles_their_share_below() {
    let folder = folder("counts");
    let tasks = ["count:poisson", "delay:quantile(0.9)"];
    let results = train(&folder, &tasks, "run");
    let loss = |of: &Value| of["test"]["count"]["loss"].as_f64().expect("a loss");
    let baselines = &results["baselines"];
    assert!(loss(&results["parts"]) < 0.8 * loss(&baselines["constant"]), "{results}");
    assert!(loss(&baselines["linear"]) < 0.8 * loss(&baselines["constant"]), "{results}");
    let answers = succeed(&folder, &["predict", "run", "t.csv"]);
    let (rates, counts) = (column(&answers, "count"), column(&table(), "count"));
    let ratio = rates.iter().sum::<f64>() / counts.iter().sum::<f64>();
    assert!((0.9..1.1).contains(&ratio) && rates.iter().all(|rate| *rate > 0.0), "{ratio}");
    let pairs = column(&answers, "delay").into_iter().zip(column(&table(), "delay"));
    let below = pairs.filter(|(answer, label)| label < answer).count();
    assert!((0.85 * 400.0..0.95 * 400.0).contains(&(below as f64)), "{below} of 400");
    let config = std::fs::read_to_string(folder.join("run/config.toml")).expect("a file");
    assert!(config.contains("quantile = 0.9") && config.contains("loss = \"poisson\""), "{config}");
}

#[test]
fn what_a_transform_or_a_count_cannot_be_is_refused_with_its_line() {
    let folder = folder("targets-refused");
    let rows = "x,y,n\n1,2,3\n2,0,1\n3,5,-2\n4,3,2\n5,1.5,4\n6,2.5,0\n";
    std::fs::write(folder.join("t.csv"), rows).expect("a table");
    for (task, words) in [
        ("y:mse:log", &["line 3", "\"y\"", "log1p"][..]),
        ("n:poisson", &["line 4", "\"n\"", "-2", "poisson"]),
        ("n:mse:log1p", &["line 4", "-2", "quantile"]),
        ("y:log", &["y:mse:log"]),
        ("y:mse:logg", &["logg", "log"]),
        ("y:poisson:log", &["poisson", "log"]),
        ("x:bce:log", &["bce", "log"]),
        ("y:quantile(1.5)", &["1.5", "between 0 and 1"]),
        ("y:quantile(much)", &["much", "quantile(0.9)"]),
        ("y:mse(2)", &["mse takes no number"]),
    ] {
        let arguments = ["train", "t.csv", "--task", task, "--validation", "0", "--test", "0"];
        let output = awl(&folder, &arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{task}: {said}");
        for word in words {
            assert!(said.contains(word), "{task}: \"{word}\" is not in: {said}");
        }
    }
}
