//! `awl bench`: what it reports, not how fast anything is.

use crate::support::gpu;
use awl::bench::{EngineKind, WORKLOADS, compare};
use awl::engine::Reference;
use awl::wgpu;
use awl::{Dataset, Engine, Gpu, GpuEngine, Matrix, Target, Trainer};
use pollster::block_on;
use std::process::{Command, Output};

fn bench(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_awl"));
    command.arg("bench").args(arguments).output().expect("the program runs")
}

#[test]
fn the_json_has_every_figure() {
    let output = bench(&["--workload", "seed", "--seconds", "0.1", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let is_positive = |pointer: &str| {
        let value = report.pointer(pointer).and_then(serde_json::Value::as_f64);
        assert!(value.is_some_and(|value| value > 0.0), "{pointer} is {value:?}");
    };
    assert!(report.pointer("/adapter/name").is_some_and(serde_json::Value::is_string));
    is_positive("/ceilings/flops_per_second");
    is_positive("/ceilings/bytes_per_second");
    assert_eq!(report["workloads"][0]["name"], "seed");
    assert_eq!(report["workloads"][0]["batch"], 256);
    assert_eq!(report["workloads"][0]["features"], 16);
    assert_eq!(report["workloads"][0]["hidden"], serde_json::json!([32, 32]));
    for engine in ["fused", "unfused"] {
        for figure in ["us_per_step", "dispatches_per_step", "bytes_per_step", "gpu_bytes"] {
            is_positive(&format!("/workloads/0/engines/{engine}/{figure}"));
        }
    }
    is_positive("/workloads/0/speedup");
    is_positive("/workloads/0/share_of_limit");
}

#[test]
fn a_plot_is_drawn_and_names_its_workload() {
    let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/bench.svg");
    let arguments = ["--workload", "seed", "--engine", "fused", "--seconds", "0.1", "--plot", path];
    let output = bench(&arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(table.contains("seed") && !table.contains("unfused"), "{table}");
    let svg = std::fs::read_to_string(path).expect("the plot");
    assert!(svg.contains("<svg") && svg.contains("seed"), "{svg}");
}

#[test]
fn bad_arguments_are_refused_before_anything_is_measured() {
    let refused = |arguments: &[&str], parts: &[&str]| {
        let output = bench(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        parts.iter().for_each(|part| assert!(text.contains(part), "{text:?} lacks {part:?}"));
    };
    refused(&["--workload", "huge"], &["huge", "seed", "loss-pass"]);
    refused(&["--engine", "reference"], &["reference", "unfused"]);
    refused(&["--seconds", "0"], &["0", "above 0"]);
    refused(&["--plot", "bench.png"], &["bench.png", ".svg"]);
    refused(&["--plot", "no/such/folder/bench.svg"], &["no/such/folder", "make it"]);
    refused(&["--workload", "loss-pass", "--engine", "unfused"], &["loss-pass", "--engine"]);
}

#[test]
fn memory_is_given_back_after_a_comparison() {
    // A GPU of its own: other tests hold buffers on the shared one.
    let gpu = block_on(Gpu::new()).expect("an adapter");
    let before = gpu.bytes_held();
    let made = block_on(compare(&gpu, WORKLOADS[0], &EngineKind::ALL, 0.01, |_| ()));
    let costs = made.expect("a comparison").engines;
    // The features alone are 4 batches of 256 rows of 16 numbers.
    assert!(costs.iter().all(|cost| cost.gpu_bytes > 4 * 4 * 256 * 16), "{costs:?}");
    assert_eq!(gpu.bytes_held(), before);
}

#[test]
fn a_profiled_step_trains_like_any_other() {
    let (recipe, data) = (WORKLOADS[0].recipe(), WORKLOADS[0].dataset());
    let (recipe, data) = (recipe.expect("a recipe"), data.expect("data"));
    let engine = block_on(GpuEngine::fused(gpu(), recipe.clone(), &data));
    let mut trainer = Trainer::new(engine.expect("an engine"));
    block_on(trainer.steps(3)).expect("steps");
    let profile = block_on(trainer.engine().profile()).expect("a profile");
    let has_clock = gpu().device().features().contains(wgpu::Features::TIMESTAMP_QUERY);
    assert_eq!(profile.is_some(), has_clock);
    let Some(times) = profile else {
        return assert_eq!(trainer.engine().last_step(), 3, "no step without a clock");
    };
    assert_eq!(times.len(), trainer.engine().dispatches_per_step());
    assert_eq!(trainer.engine().last_step(), 4);
    let records = block_on(trainer.steps(1)).expect("a step");
    let mut judge = Trainer::new(Reference::new(recipe, data).expect("the reference"));
    let expected = block_on(judge.steps(5)).expect("steps");
    assert_eq!(records[0].step, 5);
    let (found, expected) = (records[0].total, expected[4].total);
    assert!((found - expected).abs() < 1e-4 * expected, "{found} is not {expected}");
}

#[test]
fn bytes_of_a_step_follow_the_batch_and_not_the_dataset() {
    let bytes = |batches: usize| {
        let workload = WORKLOADS[0];
        let (recipe, data) = (workload.recipe(), workload.dataset());
        let (recipe, data) = (recipe.expect("a recipe"), data.expect("data"));
        // The dataset again, `batches` batches of it.
        let rows = batches * workload.batch;
        let features = data.features().values()[..rows * workload.features].to_vec();
        let features = Matrix::new(workload.features, features).expect("features");
        let values = Matrix::new(1, vec![0.5; rows]).expect("values");
        let targets = vec![Target::numbers(values), Target::classes(vec![3; rows])];
        let data = Dataset::new(features, targets).expect("data");
        let engine = block_on(GpuEngine::fused(gpu(), recipe, &data)).expect("an engine");
        engine.bytes_per_step()
    };
    assert_eq!(bytes(1), bytes(4));
    assert!(bytes(2) > WORKLOADS[0].least_bytes());
}
