//! A run of the reference engine, and what can be done with it on a machine that has no adapter.

use super::{command, folder, json, succeed};
use std::path::Path;
use std::process::Output;

/// Runs the program where it finds no adapter.
fn without(folder: &Path, arguments: &[&str]) -> Output {
    let mut program = command(arguments);
    program.env("WGPU_BACKEND", "vulkan").env("VK_DRIVER_FILES", "/nonexistent");
    program.current_dir(folder).output().expect("the program runs")
}

fn done(folder: &Path, arguments: &[&str]) -> String {
    let output = without(folder, arguments);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "awl {arguments:?}\n{told}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn a_run_of_the_reference_is_judged_predicted_with_and_exported() {
    let folder = folder("no_adapter");
    let rows = (0..40).map(|row| format!("{row},{},{}\n", 3 * row % 17, ["x", "y"][row % 2]));
    let table = String::from("a,b,c\n") + &rows.collect::<String>();
    std::fs::write(folder.join("t.csv"), table).expect("a file");
    let train = "train t.csv --task b --task c --epochs 2 --hidden 3 --members 2 --engine reference --out run --quiet";
    done(&folder, &train.split(' ').collect::<Vec<_>>());
    done(&folder, &["export", "run", "--onnx"]);
    let evaluate = ["evaluate", "run", "t.csv", "--json"];
    let judged: serde_json::Value = serde_json::from_str(&done(&folder, &evaluate)).expect("JSON");
    let on_cpu = done(&folder, &["predict", "run", "t.csv"]);
    assert_eq!(on_cpu.lines().count(), 41);
    // What the GPU says of the same networks, which is another implementation.
    let gpu = ["--engine", "fused"];
    let on_gpu = succeed(&folder, &[&["predict", "run", "t.csv"][..], &gpu].concat());
    let numbers = |text: &str| -> Vec<f64> {
        let cells = text.lines().skip(1).flat_map(|line| line.split(','));
        cells.filter_map(|cell| cell.parse().ok()).collect()
    };
    let (on_cpu, on_gpu) = (numbers(&on_cpu), numbers(&on_gpu));
    assert!(on_cpu.len() >= 80, "{on_cpu:?}");
    assert_eq!(on_cpu.len(), on_gpu.len());
    for (one, other) in on_cpu.iter().zip(&on_gpu) {
        assert!((one - other).abs() <= 1e-5 * (1.0 + one.abs()), "{one} and {other}");
    }
    let by_gpu = json(&folder, &[&evaluate[..], &gpu].concat());
    let loss = |of: &serde_json::Value| of["tasks"]["b"]["loss"].as_f64().expect("a loss");
    assert!((loss(&judged) - loss(&by_gpu)).abs() < 1e-5, "{judged} and {by_gpu}");
    // Who asks for the GPU is told that there is none.
    let refused = without(&folder, &[&["predict", "run", "t.csv"][..], &gpu].concat());
    assert_eq!(refused.status.code(), Some(1));
}
