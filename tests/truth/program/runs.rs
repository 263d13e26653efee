//! From a table to a model, its figures and its answers.

use super::{PENGUINS, awl, command, folder, json, lines, succeed};
use std::path::Path;

/// A small run over three tasks, one of them with missing labels, into `run`.
pub fn train(folder: &Path, more: &[&str]) -> serde_json::Value {
    let tasks = ["--task", "species", "--task", "body_mass_g", "--task", "sex"];
    let small = ["--hidden", "8", "--epochs", "12", "--lr", "0.02", "--out", "run", "--json"];
    let arguments = [&["train", PENGUINS], &tasks[..], &small, more].concat();
    json(folder, &arguments)
}

#[test]
fn a_run_leaves_everything_that_was_promised() {
    let folder = folder("run_leaves");
    let results = train(&folder, &["--tensorboard", "--log-every", "3"]);
    let run = folder.join("run");
    for file in ["config.toml", "model.safetensors", "checkpoint/state.safetensors", "report.html"]
    {
        assert!(run.join(file).is_file(), "{file}");
    }
    let mut saved: serde_json::Value =
        serde_json::from_slice(&std::fs::read(run.join("results.json")).expect("results"))
            .expect("JSON");
    saved["run"] = "run".into();
    assert_eq!(saved, results);
    assert_eq!(results["rows"], serde_json::json!({"train": 241, "validation": 51, "test": 52}));
    let tasks: Vec<(&str, &str)> = results["tasks"]
        .as_array()
        .expect("tasks")
        .iter()
        .map(|task| (task["name"].as_str().unwrap_or(""), task["loss"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(tasks, [("species", "cross_entropy"), ("body_mass_g", "mse"), ("sex", "bce")]);
    // Far better than always guessing the commonest species, 44 %, or the mean mass, R² 0.
    let test = &results["parts"]["test"];
    assert!(test["species"]["accuracy"].as_f64() > Some(0.8), "{test}");
    assert!(test["body_mass_g"]["r2"].as_f64() > Some(0.5), "{test}");
    assert!(test["body_mass_g"]["rmse"].as_f64() > Some(100.0), "in grams: {test}");

    // A line for the first step, for every third one, and for every epoch of 4 steps.
    let all = lines(&run.join("metrics.jsonl"));
    let (epochs, steps): (Vec<_>, Vec<_>) =
        all.iter().partition(|line| line.get("epoch").is_some());
    let numbers: Vec<u64> = steps.iter().filter_map(|line| line["step"].as_u64()).collect();
    let last = results["steps"].as_u64().expect("steps");
    assert_eq!(numbers, [1].into_iter().chain((3..=last).step_by(3)).collect::<Vec<u64>>());
    assert_eq!(epochs.len() as u64, results["epochs"].as_u64().expect("epochs"));
    assert_eq!(
        steps[0]["sigma"],
        serde_json::json!({"species": 1.0, "body_mass_g": 1.0, "sex": 1.0})
    );
    assert_eq!(steps[0]["weight"]["sex"], 0.5);
    let first = epochs[0];
    assert!(
        first["validation"]["score"].is_f64() && first["train"]["losses"]["sex"].is_f64(),
        "{first}"
    );
    // The figures that cost much are for the weights that are kept.
    for epoch in &epochs {
        let validation = epoch["validation"].as_object().expect("an object");
        assert_eq!(validation.keys().collect::<Vec<_>>(), ["losses", "score"], "{epoch}");
        let losses = validation["losses"].as_object().expect("an object").values();
        let sum: f64 = losses.map(|loss| loss.as_f64().expect("a number")).sum();
        let score = validation["score"].as_f64().expect("a number");
        assert!((sum - score).abs() <= 1e-12 * score, "{epoch}");
    }
    let files = std::fs::read_dir(&run).expect("the run");
    let events = |name: &str| name.starts_with("events.out.tfevents");
    assert!(files.flatten().any(|file| file.file_name().to_str().is_some_and(events)));
}

#[test]
fn the_model_says_the_same_of_rows_as_the_run_did() {
    let folder = folder("evaluate");
    let text = std::fs::read_to_string(PENGUINS).expect("the table");
    let (mut table, mut test) = (String::new(), String::new());
    for (row, line) in text.lines().enumerate() {
        let part = match row {
            0 => "part",
            _ if row % 5 == 0 => "test",
            _ if row % 5 == 1 => "validation",
            _ => "train",
        };
        table += &format!("{line},{part}\n");
        if ["part", "test"].contains(&part) {
            test += &format!("{line}\n");
        }
    }
    std::fs::write(folder.join("all.csv"), table).expect("a file");
    std::fs::write(folder.join("test.csv"), test).expect("a file");
    let results = json(
        &folder,
        &[
            "train",
            "all.csv",
            "-t",
            "species",
            "-t",
            "mass=body_mass_g:huber",
            "-t",
            "sex",
            "--split",
            "part",
            "--hidden",
            "8",
            "--epochs",
            "3",
            "--out",
            "run",
            "--json",
        ],
    );
    let evaluated = json(&folder, &["evaluate", "run", "test.csv", "--json"]);
    assert_eq!(evaluated["tasks"], results["parts"]["test"]);
    assert_eq!(evaluated["by_class"], results["by_class"]);
    check_explained(&results);
    let table = succeed(&folder, &["evaluate", "run", "test.csv"]);
    assert!(
        table.starts_with("68 rows (from, to: 95 % of redrawn rows)\n")
            && table.contains("mass")
            && table.contains("RMSE"),
        "{table}"
    );

    // The same answers, counted by hand.
    let answers = succeed(&folder, &["predict", "run", "test.csv", "--keep", "species"]);
    let mut reader = csv::Reader::from_reader(answers.as_bytes());
    let header: Vec<String> = reader.headers().expect("a header").iter().map(Into::into).collect();
    assert_eq!(
        header,
        [
            "species.kept",
            "species",
            "species=Adelie",
            "species=Chinstrap",
            "species=Gentoo",
            "mass",
            "sex",
            "sex=female",
            "sex=male",
        ]
    );
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("rows");
    assert_eq!(rows.len(), 68);
    let right = rows.iter().filter(|row| row[0] == row[1]).count();
    let accuracy = evaluated["tasks"]["species"]["accuracy"].as_f64().expect("a number");
    assert!((right as f64 / 68.0 - accuracy).abs() < 1e-12);
    for row in &rows {
        let sum: f64 =
            (2..5).map(|column| row[column].parse::<f64>().expect("a probability")).sum();
        assert!((sum - 1.0).abs() < 2e-6, "{row:?}");
        let mass: f64 = row[5].parse().expect("a number");
        assert!((2_000.0..7_000.0).contains(&mass), "in grams: {row:?}");
        assert_eq!(
            &row[6] == "male",
            row[8].parse::<f64>().expect("a probability") > 0.5,
            "{row:?}"
        );
    }
    succeed(&folder, &["predict", "run", "test.csv", "--json", "--out", "answers.jsonl"]);
    let objects = lines(&folder.join("answers.jsonl"));
    assert_eq!(objects.len(), 68);
    assert_eq!(objects[0]["sex"].as_str(), Some(&rows[0][6]));
}

/// `00501` and `501` are two codes, whole or in blocks, in training and after.
#[test]
fn codes_that_look_like_numbers_are_what_they_are_written() {
    let folder = folder("codes");
    let codes = [("00501", 1), ("501", 20), ("10001", 9)];
    let rows = (0..90).map(|row| codes[row % 3]).map(|(code, y)| format!("{code},{y}\n"));
    std::fs::write(folder.join("t.csv"), format!("code,y\n{}", rows.collect::<String>()))
        .expect("a file");
    let train = [
        "train", "t.csv", "-t", "y:mse", "--text", "code", "--epochs", "150", "--lr", "0.03",
        "--hidden", "8",
    ];
    succeed(&folder, &[&train[..], &["--out", "run", "-q"]].concat());
    let evaluated = json(&folder, &["evaluate", "run", "t.csv", "--json"]);
    assert!(evaluated["tasks"]["y"]["rmse"].as_f64() < Some(1.0), "{evaluated}");
    let answers = succeed(&folder, &["predict", "run", "t.csv", "--keep", "code"]);
    for line in answers.lines().skip(1) {
        let (code, y) = line.split_once(',').expect("two cells");
        let expected = codes.iter().find(|it| it.0 == code).expect("a code as it was written").1;
        assert!((y.parse::<f64>().expect("a number") - f64::from(expected)).abs() < 2.0, "{line}");
    }
}

#[test]
fn tables_come_from_standard_input_too() {
    let folder = folder("standard_input");
    let table = std::fs::File::open(PENGUINS).expect("the table");
    let train = [
        "train", "-", "-t", "species", "--epochs", "1", "--hidden", "4", "--out", "run", "--quiet",
    ];
    let mut program = command(&train);
    let output = program.current_dir(&folder).stdin(table).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let from_file = succeed(&folder, &["predict", "run", PENGUINS]);
    let table = std::fs::File::open(PENGUINS).expect("the table");
    let mut program = command(&["predict", "run", "-"]);
    let output = program.current_dir(&folder).stdin(table).output().expect("it runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), from_file);
}

#[test]
fn the_effective_configuration_makes_the_same_run_again() {
    let folder = folder("config_again");
    train(
        &folder,
        &[
            "--weight-decay",
            "0.01",
            "--sigma-init",
            "closed-form",
            "--optimizer",
            "adamw",
            "--clip",
            "1",
        ],
    );
    succeed(&folder, &["train", "--config", "run/config.toml", "--out", "again", "--quiet"]);
    for file in ["config.toml", "model.safetensors"] {
        let read = |run: &str| std::fs::read(folder.join(run).join(file)).expect("a file");
        assert_eq!(read("run"), read("again"), "{file}");
    }
    // Flags win over the file.
    succeed(
        &folder,
        &["train", "--config", "run/config.toml", "--epochs", "2", "--out", "short", "--quiet"],
    );
    let text = std::fs::read_to_string(folder.join("short/config.toml")).expect("a file");
    assert!(text.contains("epochs = 2\n"), "{text}");
}

#[test]
fn training_stops_early_and_keeps_the_best_epoch() {
    let folder = folder("early");
    let results =
        train(&folder, &["--epochs", "500", "--patience", "3", "--lr", "0.1", "--hidden", "32,32"]);
    let epochs = results["epochs"].as_u64().expect("a number");
    let best = results["best_epoch"].as_u64().expect("a number");
    assert_eq!(epochs, best + 3);
    let all = lines(&folder.join("run/metrics.jsonl"));
    let scores: Vec<f64> =
        all.iter().filter_map(|line| line["validation"]["score"].as_f64()).collect();
    let lowest = scores.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(scores[best as usize - 1], lowest);
    // The figures are those of the best epoch, not of the last.
    let loss = |task: &str| results["parts"]["validation"][task]["loss"].as_f64().expect("a loss");
    let sum: f64 = ["species", "body_mass_g", "sex"].map(loss).iter().sum();
    assert!((sum - lowest).abs() < 1e-5 * lowest, "{sum} and {lowest}");
}

/// That kernels are compiled is told on a terminal, which nobody reads here.
#[test]
fn output_that_is_no_terminal_says_nothing_of_compiling() {
    let folder = folder("compiling_unsaid");
    for (out, how) in [("json", "--json"), ("quiet", "--quiet"), ("plain", "--no-shuffle")] {
        let start = ["train", PENGUINS, "--task", "sex", "--epochs", "1", "--out", out, how];
        let mut program = command(&start);
        // Else Mesa has them from another test.
        program.current_dir(&folder).env("MESA_SHADER_CACHE_DISABLE", "true");
        let output = program.output().expect("the program runs");
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8_lossy(&told);
        assert_eq!(output.status.code(), Some(0), "{how}: {told}");
        assert!(!told.contains("compiling"), "{how}: {told}");
    }
}

#[test]
fn help_has_examples_and_completions_and_pages_are_written() {
    let folder = folder("help");
    let help = succeed(&folder, &["train", "--help"]);
    assert!(help.contains("awl train penguins.csv --task species"), "{help}");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(succeed(&folder, &["completions", shell]).contains("awl"), "{shell}");
    }
    succeed(&folder, &["man", "pages"]);
    for page in ["awl.1", "awl-train.1", "awl-predict.1"] {
        assert!(
            std::fs::read_to_string(folder.join("pages").join(page))
                .is_ok_and(|text| text.contains(".TH"))
        );
    }
    assert_eq!(awl(&folder, &["train"]).status.code(), Some(2));
}

/// llvmpipe says in its name how wide its vectors are; a choice of the user's stands.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn the_program_asks_llvmpipe_for_the_widest_vectors_of_the_cpu() {
    const VARIABLE: &str = "LP_NATIVE_VECTOR_WIDTH";
    let adapters = |width: Option<&str>| {
        let mut program = command(&["adapters"]);
        match width {
            Some(width) => program.env(VARIABLE, width),
            None => program.env_remove(VARIABLE),
        };
        let output = program.output().expect("the program runs");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let narrow = adapters(Some("256"));
    let wide = match is_x86_feature_detected!("avx512vl") {
        true => narrow.replace("256 bits", "512 bits"),
        false => narrow.clone(),
    };
    assert_eq!(adapters(None), wide);
    assert!(!narrow.contains("512 bits"), "{narrow}");
}

/// What is said beyond the figures agrees with them.
fn check_explained(results: &serde_json::Value) {
    assert_eq!(results["parts"]["train"]["species"]["labelled"], results["rows"]["train"]);
    let species = &results["by_class"]["species"][0]["classes"];
    let classes = species.as_array().expect("classes");
    let labelled: u64 = classes.iter().filter_map(|it| it["labelled"].as_u64()).sum();
    assert_eq!(results["parts"]["test"]["species"]["labelled"], labelled);
    let tasks = results["importance"]["tasks"].as_object().expect("tasks");
    for (task, measure) in [("species", "accuracy"), ("mass", "r2"), ("sex", "accuracy")] {
        let (it, figures) = (&tasks[task], &results["parts"]["test"][task]);
        assert_eq!(it["measure"], measure, "{task}");
        let [found, expected] =
            [&it["figure"], &figures[measure]].map(|it| it.as_f64().expect("a figure"));
        assert!((found - expected).abs() < 1e-9, "{task}: {found}, not {expected}");
        assert_eq!(it["features"].as_array().expect("features").len(), 5, "{task}");
    }
    assert_eq!((&results["seed"], &results["split_seed"]), (&0.into(), &0.into()));
    assert_eq!(results["config"]["train"]["epochs"], 3);
    assert_eq!(results["config"]["optimizer"]["lr"], 0.001);
    assert!(results["date"].as_str().is_some_and(|it| it.ends_with('Z')), "{}", results["date"]);
    assert_eq!(results["fingerprint"].as_str().map(str::len), Some(16));
}
