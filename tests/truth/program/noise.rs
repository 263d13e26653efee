//! The noise that σ stands for: what a table was made with, in its own unit.

use super::{awl, folder, json, succeed};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde_json::Value;
use std::path::PathBuf;

const PRICE: f64 = 700.0;
const SIZE: f64 = 0.02;

/// A normal draw, by Box and Muller.
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let [a, b] = [0, 1].map(|_| 1.0 - random.random::<f64>());
    (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

/// 5,000 rows of two numbers whose noise is known.
fn table(name: &str) -> PathBuf {
    let folder = folder(name);
    let random = &mut ChaCha8Rng::seed_from_u64(18);
    let mut text = "x,price,size\n".to_string();
    for _ in 0..5_000 {
        let x = 2.0 * random.random::<f64>() - 1.0;
        let price = 20_000.0 + 3_000.0 * x + PRICE * normal(random);
        let size = 1.0 + 0.05 * x * x + SIZE * normal(random);
        text += &format!("{x:.6},{price:.2},{size:.6}\n");
    }
    std::fs::write(folder.join("table.csv"), text).expect("a file");
    folder
}

fn noise(results: &Value) -> [(f64, f64); 2] {
    let of = |column: &str| {
        let all = results["homoscedastic_noise"].as_array().expect("noise");
        let own = all.iter().find(|it| it["column"] == column).expect("a column");
        (own["by_weight"].as_f64().expect("by σ"), own["residual"].as_f64().expect("a residual"))
    };
    [of("price"), of("size")]
}

#[test]
fn sigma_recovers_the_noise_of_a_table_within_5_percent() {
    let folder = table("noise");
    let table =
        ["train", "table.csv", "-t", "price", "-t", "size", "--validation", "0", "--test", "0.2"];
    // Dropout would add a noise of its own.
    let common = [&table[..], &["--hidden", "16", "--dropout", "0", "--epochs"]].concat();
    for weighting in ["awl", "uncertainty"] {
        // Rates that fall to nothing: σ comes to rest where it is.
        let rates = ["60", "--schedule", "cosine", "--lr", "3e-3", "--sigma-lr", "0.02"];
        let out = ["--weighting", weighting, "--out", weighting, "--json"];
        let results = json(&folder, &[&common[..], &rates, &out].concat());
        for ((by_weight, residual), truth) in noise(&results).into_iter().zip([PRICE, SIZE]) {
            let case = format!("{weighting}: {by_weight}, {residual}, of {truth}");
            assert!((by_weight / truth - 1.0).abs() < 0.05, "{case}");
            assert!((residual / truth - 1.0).abs() < 0.1, "{case}");
        }
        let page = std::fs::read_to_string(folder.join(weighting).join("report.html"));
        assert!(page.expect("a report").contains("σ stands for noise"), "{weighting}");
    }
    // Weights that stand for no noise tell of none.
    let given = [&common[..], &["1", "--weighting", "equal", "--out", "given"]].concat();
    assert!(!succeed(&folder, &given).contains("by σ"));
}

/// Noise that grows with x: at 5,000 rows the predicted deviation is within 10 % of the true one, the median over x.
#[test]
fn noise_that_depends_on_the_row_is_recovered_within_10_percent() {
    let folder = folder("noise_by_row");
    let random = &mut ChaCha8Rng::seed_from_u64(81);
    let deviation = |x: f64| 20.0 + 15.0 * (x + 1.0);
    let mut text = "x,y\n".to_string();
    for _ in 0..5_000 {
        let x = 2.0 * random.random::<f64>() - 1.0;
        let y = 500.0 + 200.0 * (2.0 * x).sin() + deviation(x) * normal(random);
        text += &format!("{x:.6},{y:.4}\n");
    }
    std::fs::write(folder.join("rows.csv"), text).expect("a file");
    let xs: Vec<f64> = (0..101).map(|at| f64::from(at) / 50.0 - 1.0).collect();
    let asked = "x\n".to_string() + &xs.iter().map(|x| format!("{x}\n")).collect::<String>();
    std::fs::write(folder.join("asked.csv"), asked).expect("a file");
    for (loss, out) in [("y:gaussian_nll", "plain"), ("y:gaussian_nll(0.5)", "beta")] {
        let flags = ["--hidden", "32", "--epochs", "60", "--dropout", "0", "--schedule", "cosine"];
        let train = ["train", "rows.csv", "-t", loss, "--lr", "5e-3", "--out", out];
        succeed(&folder, &[&train[..], &flags].concat());
        let answers = succeed(&folder, &["predict", out, "asked.csv"]);
        let mut lines = answers.lines();
        let header = lines.next().expect("a header").split(',').position(|it| it == "y.noise_sd");
        let at = header.expect("the deviation of the noise");
        let found = lines.map(|line| line.split(',').nth(at).expect("a cell").parse::<f64>());
        let off = found.zip(&xs).map(|(sd, &x)| (sd.expect("a number") / deviation(x) - 1.0).abs());
        let mut off: Vec<f64> = off.collect();
        off.sort_by(f64::total_cmp);
        assert!(off[50] < 0.1, "{loss}: off by {:.3} in the median", off[50]);
        // One network has no ignorance, and its intervals hold.
        let figures: Value = serde_json::from_str(
            &std::fs::read_to_string(folder.join(out).join("results.json")).expect("results"),
        )
        .expect("JSON");
        let of_90 = &figures["calibration"][0]["coverage"][2];
        let share = of_90["share"].as_f64().expect("a share");
        assert!((0.86..0.94).contains(&share), "{loss}: {of_90}");
    }
    let refused = awl(&folder, &["predict", "plain", "asked.csv", "--interval", "1.5"]);
    assert_eq!(refused.status.code(), Some(2));
}
