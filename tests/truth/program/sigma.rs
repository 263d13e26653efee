//! `--sigma-form log`: σ is shown as σ, saved as what was learned, and kept off 0; and a run whose σ ran into 0 says so.

use super::{awl, folder, json, lines, succeed};
use safetensors::SafeTensors;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A folder with a table of a line without noise, and of one that bends.
fn exact(name: &str) -> PathBuf {
    let folder = folder(name);
    let row = |i: i32| {
        let x = (f64::from(i) * 0.7).sin();
        format!("{x:.6},{:.6},{:.6}\n", 0.5 * x + 0.25, x * x - x)
    };
    let table = "x,exact,bent\n".to_string() + &(0..64).map(row).collect::<String>();
    std::fs::write(folder.join("exact.csv"), table).expect("a file");
    folder
}

/// Trains on all rows, σ at a rate of 0.1, by the engine whose bits are the same on every adapter.
fn train(folder: &Path, out: &str, more: &[&str]) -> Value {
    let table = ["train", "exact.csv", "-t", "exact:mse", "-t", "bent:mse", "--validation", "0"];
    let model = ["--hidden", "", "--batch-size", "16", "--sigma-lr", "0.1"];
    let engine = ["--engine", "reference", "--json", "--log-every", "1", "--out", out];
    json(folder, &[&table[..], &model, &engine, more].concat())
}

/// The warnings of σ.
fn told(results: &Value) -> String {
    let warnings = results["warnings"].as_array().expect("warnings").iter();
    let texts = warnings.filter_map(Value::as_str).filter(|text| text.starts_with("σ of task"));
    texts.collect::<Vec<_>>().join("\n")
}

/// The steps of a run: `(σ, weight)` of a task.
fn sigma(run: &Path, task: &str) -> Vec<(f64, f64)> {
    let number = |line: &Value, what: &str| line[what][task].as_f64().expect("a number");
    let steps =
        lines(&run.join("metrics.jsonl")).into_iter().filter(|it| it.get("total").is_some());
    steps.map(|line| (number(&line, "sigma"), number(&line, "weight"))).collect()
}

#[test]
fn the_log_form_keeps_sigma_off_0_and_a_run_without_it_is_told_of_it() {
    let folder = exact("sigma_form");
    let long = ["--epochs", "3000"];
    let plain = train(&folder, "plain", &long);
    let path = sigma(&folder.join("plain"), "exact");
    let crossings = path.windows(2).filter(|two| two[0].0 * two[1].0 < 0.0).count();
    let heaviest = path.iter().map(|step| step.1).fold(0.0, f64::max);
    assert!(heaviest > 1e5, "{crossings} crossings, weight {heaviest}");
    // How often it crosses is chaos, and other on other machines.
    let what = match crossings {
        0 => "almost touched 0".into(),
        1 => "crossed 0".into(),
        many => format!("crossed 0 {many} times"),
    };
    let sentence = format!("\"exact\" {what}: its weight reached {heaviest:.1e}");
    assert!(told(&plain).contains(&sentence), "{sentence}\n{}", told(&plain));
    assert!(told(&plain).contains("--sigma-form log"), "{}", told(&plain));

    let log = train(&folder, "log", &[&long[..], &["--sigma-form", "log"]].concat());
    assert!(!told(&log).contains("--sigma-form"), "{}", told(&log));
    let run = folder.join("log");
    for (sigma, weight) in sigma(&run, "exact").into_iter().chain(sigma(&run, "bent")) {
        assert!(sigma > 0.009_999 && weight <= 5_000.1, "σ {sigma}, weight {weight}");
        assert!((weight * 2.0 * sigma * sigma - 1.0).abs() < 1e-9, "σ {sigma}, weight {weight}");
    }
    let config = std::fs::read_to_string(run.join("config.toml")).expect("a configuration");
    assert!(config.contains("sigma_form = \"log\"\n"), "{config}");
    let model = std::fs::read(run.join("model.safetensors")).expect("a model");
    let model = SafeTensors::deserialize(&model).expect("a safetensors file");
    let names: Vec<&str> = model.names().into_iter().filter(|it| it.starts_with("awl")).collect();
    assert_eq!(names, ["awl.log_sigma_squared"]);
    succeed(&folder, &["evaluate", "log", "exact.csv"]);
}

/// What has been seen of σ survives a stop, as do the bits; another form is another run.
#[test]
fn a_run_goes_on_in_its_own_form() {
    let folder = exact("sigma_form_resume");
    for more in [&[][..], &["--sigma-form", "log", "--sigma-floor", "0.02"]] {
        let whole = train(&folder, "whole", &[more, &["--epochs", "3000"]].concat());
        train(&folder, "parts", &[more, &["--epochs", "2500"]].concat());
        let resume = ["train", "--resume", "parts", "--json"];
        let parts = json(&folder, &[&resume[..], &["--epochs", "3000"]].concat());
        assert_eq!(told(&whole), told(&parts));
        let model = |run: &str| std::fs::read(folder.join(run).join("model.safetensors"));
        assert!(model("whole").expect("a model") == model("parts").expect("a model"), "{more:?}");
        let (own, others) = match more {
            [] => ("plain", [["--sigma-form", "log"], ["--sigma-floor", "0.02"]]),
            _ => ("log", [["--sigma-form", "plain"], ["--sigma-floor", "0.01"]]),
        };
        succeed(&folder, &[&resume[..], &["--sigma-form", own]].concat());
        for other in others {
            let output = awl(&folder, &[&resume[..], &other].concat());
            let message = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{other:?}: {message}");
            assert!(message.contains("a run goes on as it began"), "{message}");
        }
        for run in ["whole", "parts"] {
            std::fs::remove_dir_all(folder.join(run)).expect("a run");
        }
    }
}

#[test]
fn the_log_form_starts_where_the_plain_one_does() {
    let folder = exact("sigma_form_start");
    let first = |out: &str, more: &[&str]| {
        train(&folder, out, &[&["--epochs", "1"], more].concat());
        ["exact", "bent"].map(|task| sigma(&folder.join(out), task)[0].0)
    };
    let close = |case: &str, a: [f64; 2], b: [f64; 2]| {
        for (a, b) in a.into_iter().zip(b) {
            assert!((a.abs() - b.abs()).abs() <= 1e-6 * b.abs(), "{case}: {a} and {b}");
        }
    };
    let log = ["--sigma-form", "log"];
    for (name, start) in [
        ("one", &[][..]),
        ("each", &["--sigma-init", "0.3,-2"]),
        ("rest", &["--sigma-init", "closed-form"]),
    ] {
        let plain = first(&format!("plain_{name}"), start);
        close(name, first(&format!("log_{name}"), &[&log[..], start].concat()), plain);
    }
    // Weights of either form are a start for either.
    let from = |run: &str| format!("{run}/model.safetensors");
    let kept = |run: &str| first(&format!("same_{run}"), &["--init", &from(run)]);
    let plain = kept("plain_each");
    close("to log", first("to_log", &[&log[..], &["--init", &from("plain_each")]].concat()), plain);
    let in_log = first("log_again", &[&log[..], &["--init", &from("log_each")]].concat());
    close("to plain", kept("log_each"), in_log);
    assert!(plain[0] != 0.3 && in_log[0] != 0.3, "the weights' own σ, not the start");
}
