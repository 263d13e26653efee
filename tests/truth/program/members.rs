//! `--members`: several networks in one run, each as it would be alone, which answer together.

use super::{PENGUINS, awl, folder, killed, lines, succeed};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;
use std::path::Path;

const TASKS: [&str; 6] = ["--task", "species", "--task", "body_mass_g", "--task", "sex:bce"];
const SMALL: [&str; 6] = ["--hidden", "6", "--quiet", "--dropout", "0.1", "--epochs"];
/// The split hangs on the seed; without one all runs have the same rows.
const NO_SPLIT: [&str; 4] = ["--validation", "0", "--test", "0"];

fn train(folder: &Path, arguments: &[&str]) -> String {
    succeed(folder, &[&["train", PENGUINS], &TASKS[..], &SMALL, arguments].concat())
}

/// A tensor's values, of one member or all.
fn tensor(run: &Path, name: &str) -> Vec<f32> {
    let bytes = std::fs::read(run.join("model.safetensors")).expect("a model");
    let file = SafeTensors::deserialize(&bytes).expect("tensors");
    let data = file.tensor(name).expect("a tensor").data().to_vec();
    data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().expect("four"))).collect()
}

/// The steps of a member, as of a run of it alone.
fn steps_of(run: &Path, member: u64) -> Vec<Value> {
    let mut steps = lines(&run.join("metrics.jsonl"));
    steps.retain(|line| line.get("epoch").is_none());
    steps.retain(|line| line.get("member").is_none_or(|it| it.as_u64() == Some(member)));
    for line in &mut steps {
        line.as_object_mut().expect("an object").remove("member");
    }
    steps
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn each_network_is_the_one_of_its_seed_alone_and_they_answer_with_the_mean() {
    let folder = folder("members");
    train(
        &folder,
        &[&["4", "--members", "3", "--seed", "20", "--out", "all"], &NO_SPLIT[..]].concat(),
    );
    let all = folder.join("all");
    for (member, seed) in ["20", "21", "22"].into_iter().enumerate() {
        train(&folder, &[&["4", "--seed", seed, "--out", seed], &NO_SPLIT[..]].concat());
        let alone = folder.join(seed);
        assert_eq!(steps_of(&all, member as u64), steps_of(&alone, 0), "member {member}");
        for name in ["trunk.0.weight", "heads.body_mass_g.bias", "awl.params"] {
            let (all, alone) = (tensor(&all, name), tensor(&alone, name));
            assert_eq!(all.len(), 3 * alone.len(), "{name}");
            assert_eq!(
                all[member * alone.len()..][..alone.len()],
                alone,
                "member {member}, {name}"
            );
        }
    }
    let answers = |run: &str| -> Vec<Value> {
        succeed(&folder, &["predict", run, PENGUINS, "--json"]).lines().map(json).collect()
    };
    let [one, two, three] = ["20", "21", "22"].map(answers);
    for (row, together) in answers("all").iter().enumerate() {
        for name in ["body_mass_g", "species=Adelie", "species=Gentoo", "sex=male"] {
            let of = |answers: &[Value]| answers[row][name].as_f64().expect("a number");
            let mean = (of(&one) + of(&two) + of(&three)) / 3.0;
            let found = together[name].as_f64().expect("a number");
            // Probabilities are written in six digits.
            assert!(
                (found - mean).abs() <= 1e-6 * mean.abs().max(2.0),
                "{row}, {name}: {found}, not {mean}"
            );
        }
    }
    let figures = |run: &str| json(&succeed(&folder, &["evaluate", run, PENGUINS, "--json"]));
    let together = figures("all");
    let alone = ["20", "21", "22"].map(|run| figures(run)["tasks"].clone());
    assert_eq!(together["members"], Value::from(alone.to_vec()));
}

/// Wherever the kills fall, and if they miss, the bits must be those of a run that nobody touched.
#[test]
fn networks_that_are_killed_and_resumed_end_with_the_bits_of_those_that_were_not() {
    let folder = folder("members_killed");
    let start =
        ["60", "--members", "4", "--patience", "4", "--lr", "0.02", "--checkpoint-every", "0"];
    train(&folder, &[&start[..], &["--out", "whole"]].concat());
    let whole = folder.join("whole");
    let begin = [&["train", PENGUINS], &TASKS[..], &SMALL, &start].concat();
    let killed = killed(&folder, &begin, &[400, 900]);
    let model = |run: &Path| std::fs::read(run.join("model.safetensors")).expect("a model");
    assert!(model(&whole) == model(&killed), "the models differ");
    for member in 0..4 {
        assert!(steps_of(&whole, member) == steps_of(&killed, member), "member {member}");
    }
    // A member more is another run.
    let other = ["train", "--resume", "whole", "--members", "5"];
    let output = awl(&folder, &other);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("a run goes on as it began"));
}

/// By the engine whose bits are the same on every adapter, so that the first of two ends first: its step bounds no lines but its own.
#[test]
fn a_run_that_goes_on_after_its_end_keeps_every_members_lines() {
    let folder = folder("members_lines");
    let flags = [
        "30",
        "--members",
        "2",
        "--patience",
        "2",
        "--lr",
        "0.02",
        "--seed",
        "5",
        "--engine",
        "reference",
    ];
    train(&folder, &[&flags[..], &["--out", "run"]].concat());
    let run = folder.join("run");
    let [first, second] = [0, 1].map(|member| steps_of(&run, member).len());
    assert!(first < second, "{first} and {second} steps");
    let log = || std::fs::read_to_string(run.join("metrics.jsonl")).expect("a log");
    let before = log();
    succeed(&folder, &["train", "--resume", "run", "--quiet"]);
    assert_eq!(log(), before);
}

/// The model of a run of three networks, with the second one's first layer so many times as large.
fn spoilt(run: &Path, to: &Path, factor: f32) {
    let bytes = std::fs::read(run.join("model.safetensors")).expect("a model");
    let file = SafeTensors::deserialize(&bytes).expect("tensors");
    let tensors: Vec<_> = file
        .tensors()
        .into_iter()
        .map(|(name, view)| {
            let mut data = view.data().to_vec();
            if name == "trunk.0.weight" {
                let of_each = data.len() / 3;
                for value in data[of_each..2 * of_each].chunks_exact_mut(4) {
                    let number = f32::from_le_bytes((&*value).try_into().expect("four"));
                    value.copy_from_slice(&(number * factor).to_le_bytes());
                }
            }
            (name, view.shape().to_vec(), data)
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, data)| {
        (name, TensorView::new(Dtype::F32, shape.clone(), data).expect("a tensor"))
    });
    std::fs::write(to, safetensors::serialize(views, None).expect("a file")).expect("a file");
}

/// Weights so large that a loss overflows, or that answers are absurd: the others go on, and make the model.
#[test]
fn a_network_that_fails_or_diverges_is_left_out_of_the_model_and_told_of() {
    let folder = folder("members_left_out");
    train(&folder, &["2", "--members", "3", "--out", "good"]);
    for (factor, told) in [
        (1e25, "member 1 stopped and is left out of the model: "),
        (1e9, "member 1 diverged and is left out of the model: "),
    ] {
        spoilt(&folder.join("good"), &folder.join("bad.safetensors"), factor);
        let out = format!("run{factor}");
        let arguments =
            ["3", "--members", "3", "--lr", "1e-4", "--init", "bad.safetensors", "--out", &out];
        let arguments = [&["train", PENGUINS], &TASKS[..], &SMALL, &arguments].concat();
        let output = awl(&folder, &arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && stderr.contains(told), "{stderr}");
        let run = folder.join(&out);
        assert_eq!(tensor(&run, "heads.body_mass_g.bias").len(), 2);
        let results = json(&std::fs::read_to_string(run.join("results.json")).expect("results"));
        let failed = |member: usize| results["members"][member]["failure"].is_string();
        assert_eq!([0, 1, 2].map(failed), [false, true, false]);
        let report = std::fs::read_to_string(run.join("report.html")).expect("a report");
        assert!(report.contains("3 networks learned") && report.contains("The model is 2 of them"));
        succeed(&folder, &["evaluate", &out, PENGUINS]);
    }
    // Another number of members than the file's.
    let arguments = ["3", "--members", "2", "--init", "bad.safetensors", "--out", "never"];
    let output = awl(&folder, &[&["train", PENGUINS], &TASKS[..], &SMALL, &arguments].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("it holds 3 networks, for a fleet of 2"), "{stderr}");
    assert!(!folder.join("never").exists());
}

#[test]
fn wrong_numbers_of_networks_are_refused_and_one_of_several_is_exported_by_its_number() {
    let folder = folder("members_refused");
    for (arguments, told) in [
        (&["--members", "0"][..], "--members 0: train 1 to 10000 networks at once"),
        (&["--members", "10001"], "--members 10001: train 1 to 10000 networks at once"),
        (&["--members", "-1"], "--members"),
        (&["--members", "101", "--tensorboard"], "train 100 at most, or leave it out"),
    ] {
        let arguments =
            [&["train", PENGUINS], &TASKS[..], &SMALL, &["1", "--out", "run"], arguments].concat();
        let output = awl(&folder, &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains(told), "{stderr}");
        assert!(!folder.join("run").exists());
    }
    train(&folder, &["1", "--members", "2", "--tensorboard", "--out", "run"]);
    for member in ["member-0", "member-1"] {
        assert_eq!(
            std::fs::read_dir(folder.join("run").join(member)).expect("a folder").count(),
            1
        );
    }
    let output = awl(&folder, &["export", "run", "--onnx", "--member", "2"]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("the run's networks have the numbers 0 to 1"), "{stderr}");
    let exported = |arguments: &[&str]| {
        succeed(&folder, &[&["export", "run", "--onnx"], arguments].concat());
        std::fs::read(folder.join("run/model.onnx")).expect("a model").len()
    };
    // Both networks, or one.
    assert!(exported(&[]) > exported(&["--member", "1"]));
}

#[test]
fn rows_drawn_with_replacement_are_a_members_own_and_stay_so_when_a_run_goes_on() {
    let folder = folder("members_bootstrap");
    let begin = ["--members", "2", "--seed", "4", "--patience", "0"];
    let train = |epochs: &str, out: &str, more: &[&str]| {
        train(&folder, &[&[epochs], &begin[..], &["--out", out], more].concat());
    };
    train("3", "plain", &[]);
    train("3", "drawn", &["--bootstrap"]);
    train("6", "whole", &["--bootstrap"]);
    succeed(&folder, &["train", "--resume", "drawn", "--epochs", "6", "--quiet"]);
    let [plain, drawn, whole] = ["plain", "drawn", "whole"].map(|run| folder.join(run));
    for member in 0..2 {
        let [plain, drawn, whole] = [&plain, &drawn, &whole].map(|run| steps_of(run, member));
        assert!(drawn.len() > 3 && drawn == whole, "member {member}");
        assert_ne!(plain[0]["total"], drawn[0]["total"], "member {member}");
    }
    let config = std::fs::read_to_string(drawn.join("config.toml")).expect("a configuration");
    assert!(config.contains("bootstrap = true"), "{config}");
    let alone = awl(&folder, &["train", PENGUINS, "--task", "species", "--bootstrap"]);
    assert_eq!(alone.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&alone.stderr).contains("give --members"));
    let none = awl(&folder, &["train", PENGUINS, "--task", "species", "--members", "0"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&none.stderr).contains("train 1 to"));
}
