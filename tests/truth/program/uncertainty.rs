//! `awl predict --uncertainty`, `--interval` and `--calibrate`: noise and ignorance beside every answer.

use super::{PENGUINS, awl, folder, json, succeed};
use safetensors::SafeTensors;
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;

/// Even numbers between 0 and 1.
fn random(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as f64 / f64::from(1_u32 << 31)
}

/// The sum of twelve even numbers less six: variance 1.
fn normal(state: &mut u64) -> f64 {
    (0..12).map(|_| random(state)).sum::<f64>() - 6.0
}

/// A wave with noise of standard deviation 0.2, and no row with x between −1 and 1.
fn wave_with_a_gap(path: &Path, rows: usize, seed: u64) {
    let mut state = seed;
    let mut text = String::from("x,y\n");
    for _ in 0..rows {
        let side = if random(&mut state) < 0.5 { -1.0 } else { 1.0 };
        let x = side * (1.0 + random(&mut state));
        let _ = writeln!(text, "{x},{}", (2.0 * x).sin() + 0.2 * normal(&mut state));
    }
    std::fs::write(path, text).expect("a table");
}

fn answers(folder: &Path, arguments: &[&str]) -> Vec<Value> {
    let text = succeed(folder, &[&["predict"], arguments, &["--json"]].concat());
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn number(row: &Value, name: &str) -> f64 {
    row[name].as_f64().unwrap_or_else(|| panic!("{name} of {row}"))
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

#[test]
fn ignorance_grows_where_no_row_was_and_noise_does_not() {
    let folder = folder("uncertainty_gap");
    wave_with_a_gap(&folder.join("wave.csv"), 600, 5);
    wave_with_a_gap(&folder.join("new.csv"), 4_000, 6);
    let flags = ["--task", "y:mse", "--hidden", "24,24", "--members", "8", "--epochs", "60"];
    let more = ["--lr", "0.02", "--patience", "0", "--start", "random", "--seed", "1"];
    let rows = ["--validation", "0.5", "--test", "0", "--quiet", "--out", "run"];
    succeed(&folder, &[&["train", "wave.csv"], &flags[..], &more, &rows].concat());
    let mut grid = String::from("x\n");
    (0..=100).for_each(|place| {
        let _ = writeln!(grid, "{}", -2.0 + 0.04 * f64::from(place));
    });
    std::fs::write(folder.join("grid.csv"), grid).expect("a table");
    let rows = answers(&folder, &["run", "grid.csv", "--keep", "x", "--interval", "0.9"]);
    let of = |name: &str, is_meant: fn(f64) -> bool| {
        let rows = rows.iter().filter(|row| is_meant(row["x"].as_str().unwrap().parse().unwrap()));
        median(rows.map(|row| number(row, name)).collect())
    };
    let is_inside = |x: f64| x.abs() < 0.6;
    let is_outside = |x: f64| x.abs() > 1.1 && x.abs() < 1.9;
    let [within, without] = [of("y.ignorance_sd", is_inside), of("y.ignorance_sd", is_outside)];
    assert!(within > 2.0 * without, "ignorance {within} in the gap, {without} outside");
    let [within, without] = [of("y.noise_sd", is_inside), of("y.noise_sd", is_outside)];
    assert!((within / without - 1.0).abs() < 0.3, "noise {within} and {without}");
    assert!((without / 0.2 - 1.0).abs() < 0.15, "noise {without}, not 0.2");
    for row in &rows {
        let [sd, noise, ignorance] =
            ["y.sd", "y.noise_sd", "y.ignorance_sd"].map(|name| number(row, name));
        assert!((sd * sd - noise * noise - ignorance * ignorance).abs() < 1e-4 * sd * sd, "{row}");
        assert!(
            number(row, "y.low") < number(row, "y") && number(row, "y") < number(row, "y.high")
        );
    }
    // New rows of the same kind are in the intervals as often as these say. These are made by 300 validation rows, whose standard
    // deviation is known to 4 %, a share of 0.9 to 0.015.
    for more in [&[][..], &["--calibrate"]] {
        let arguments = [&["run", "new.csv", "--keep", "y", "--interval", "0.9"], more].concat();
        let rows = answers(&folder, &arguments);
        let is_in = |row: &&Value| {
            let label: f64 = row["y.kept"].as_str().unwrap().parse().unwrap();
            (number(row, "y.low")..=number(row, "y.high")).contains(&label)
        };
        let share = rows.iter().filter(is_in).count() as f64 / rows.len() as f64;
        assert!((share - 0.9).abs() < 0.045, "{share} {more:?}");
    }
}

#[test]
fn every_kind_of_task_says_how_sure_it_is() {
    let folder = folder("uncertainty_kinds");
    let tasks = ["species", "body_mass_g:mae:log", "flipper_length_mm:poisson", "sex:bce"];
    let tasks: Vec<&str> = tasks.iter().flat_map(|task| ["--task", task]).collect();
    let quantile = ["--task", "bill_depth_mm:quantile(0.9)"];
    let small = ["--hidden", "8", "--epochs", "8", "--seed", "3", "--quiet"];
    let train = |more: &[&str]| {
        succeed(&folder, &[&["train", PENGUINS], &tasks[..], &quantile, &small, more].concat());
    };
    train(&["--members", "3", "--out", "three"]);
    let rows = answers(&folder, &["three", PENGUINS, "--interval", "0.8"]);
    for row in &rows {
        for name in ["body_mass_g", "flipper_length_mm"] {
            let of = |part: &str| number(row, &format!("{name}.{part}"));
            let parts = of("noise_sd").powi(2) + of("ignorance_sd").powi(2);
            assert!((of("sd").powi(2) / parts - 1.0).abs() < 1e-4, "{name}: {row}");
            assert!(of("low") < number(row, name) && number(row, name) < of("high"), "{row}");
        }
        assert!(number(row, "bill_depth_mm.ignorance_sd") > 0.0);
        assert!(row.get("bill_depth_mm.sd").is_none() && row.get("bill_depth_mm.low").is_none());
        for (name, classes) in
            [("species", &["Adelie", "Chinstrap", "Gentoo"][..]), ("sex", &["female", "male"])]
        {
            let of_class = |class: &&str| {
                let p = number(row, &format!("{name}={class}"));
                if p > 0.0 { -p * p.ln() } else { 0.0 }
            };
            let entropy: f64 = classes.iter().map(of_class).sum();
            let found = number(row, &format!("{name}.entropy"));
            // Probabilities are written in six digits.
            assert!((found - entropy).abs() < 1e-4, "{name}: {found}, not {entropy}");
            let mutual = number(row, &format!("{name}.mutual_information"));
            assert!((0.0..=found + 1e-6).contains(&mutual), "{row}");
        }
    }
    // By default where there are several networks; alone where it is not wanted, and of one network where it is.
    let header = |arguments: &[&str]| {
        let text = succeed(&folder, &[&["predict"], arguments].concat());
        text.lines().next().expect("a header").to_string()
    };
    assert!(header(&["three", PENGUINS]).contains("body_mass_g.sd"));
    assert!(!header(&["three", PENGUINS]).contains("body_mass_g.low"));
    let alone = header(&["three", PENGUINS, "--no-uncertainty"]);
    assert!(!alone.contains(".sd") && !alone.contains(".entropy"), "{alone}");
    train(&["--out", "one"]);
    assert_eq!(header(&["one", PENGUINS]), alone);
    let rows = answers(&folder, &["one", PENGUINS, "--uncertainty"]);
    assert!(rows.iter().all(|row| number(row, "body_mass_g.ignorance_sd") == 0.0));
    assert!(rows.iter().all(|row| number(row, "species.mutual_information") == 0.0));
    assert!(rows.iter().all(|row| number(row, "body_mass_g.sd") > 0.0));
}

#[test]
fn what_cannot_be_said_is_refused() {
    let folder = folder("uncertainty_refused");
    let small = ["--hidden", "4", "--epochs", "2", "--quiet"];
    let train = |more: &[&str]| {
        succeed(&folder, &[&["train", PENGUINS], &small[..], more].concat());
    };
    train(&["--task", "species", "--out", "classes"]);
    train(&["--task", "body_mass_g", "--out", "numbers"]);
    let results = json(&folder, &["evaluate", "numbers", PENGUINS, "--json"]);
    assert!(results["tasks"]["body_mass_g"].is_object());
    let told = |run: &str, flags: &[&str]| {
        let output = awl(&folder, &[&["predict", run, PENGUINS], flags].concat());
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        assert!(output.stdout.is_empty(), "{flags:?}");
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    for (run, flags, words) in [
        ("classes", &["--interval", "0.9"][..], "no task of numbers"),
        ("numbers", &["--interval", "1.5"], "above 0 and below 1"),
        ("numbers", &["--interval", "0"], "above 0 and below 1"),
        ("numbers", &["--interval", "NaN"], "above 0 and below 1"),
        ("numbers", &["--calibrate"], "--interval"),
        ("numbers", &["--interval", "0.9", "--no-uncertainty"], "cannot be used with"),
        // 52 rows for validation hold at most 51 of 52 parts.
        ("numbers", &["--interval", "0.999", "--calibrate"], "999 at least"),
    ] {
        let told = told(run, flags);
        assert!(told.contains(words), "{flags:?}: {told}");
    }
    std::fs::remove_file(folder.join("numbers/calibration.safetensors")).expect("the scores");
    let without = told("numbers", &["--interval", "0.9", "--calibrate"]);
    assert!(without.contains("calibration.safetensors is not there"), "{without}");
    // A model of a version that measured no noise, and wrote no checksum.
    let model = folder.join("numbers/model.safetensors");
    let bytes = std::fs::read(&model).expect("a model");
    let tensors = SafeTensors::deserialize(&bytes).expect("tensors");
    let (_, metadata) = SafeTensors::read_metadata(&bytes).expect("a header");
    let notes = metadata.metadata().as_ref().and_then(|it| it.get("awl")).expect("notes");
    let notes: Value = serde_json::from_str(notes).expect("JSON");
    let mut notes = notes["sealed"].to_string();
    let begin = notes.find(",\"noise\":[").expect("the noise");
    let end = begin + notes[begin..].find(']').expect("an end");
    notes.replace_range(begin..=end, "");
    let older = Some([("awl".to_string(), notes)].into());
    let older = safetensors::serialize(tensors.tensors(), older).expect("a file");
    std::fs::write(&model, older).expect("a model");
    let old = told("numbers", &["--uncertainty"]);
    assert!(old.contains("\"body_mass_g\"") && old.contains("train it again"), "{old}");
    assert!(!succeed(&folder, &["predict", "numbers", PENGUINS]).contains("body_mass_g.sd"));
    // Without rows for validation it is measured, and said to be too low.
    let output = awl(
        &folder,
        &[
            &["train", PENGUINS, "--task", "body_mass_g", "--validation", "0"],
            &small[..],
            &["--out", "none"],
        ]
        .concat(),
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("looks too sure"), "{output:?}");
    assert!(
        succeed(&folder, &["predict", "none", PENGUINS, "--uncertainty"])
            .contains("body_mass_g.sd")
    );
}
