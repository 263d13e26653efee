//! `awl bench`: what it reports, not how fast anything is.

mod fleet;
mod honest;

use crate::support::{assert_close, gpu, small_gpu};
use awl::bench::{Axis, EngineKind, LossPasses, WORKLOADS, compare, growth};
use awl::engine::Reference;
use awl::loss::LossResults;
use awl::wgpu;
use awl::{AutomaticWeightedLoss, Weighting};
use awl::{Dataset, Engine, GpuEngine, Loss, Matrix, Target, Task, Trainer};
use pollster::block_on;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
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
    assert_eq!(report["workloads"][0]["engines"]["unfused"]["program"], "unfused");
    for engine in ["fused", "unfused"] {
        let figures = ["us_per_step", "host_us_per_step", "dispatches_per_step", "steps_per_round"];
        for figure in figures.into_iter().chain(["bytes_per_step", "gpu_bytes"]) {
            is_positive(&format!("/workloads/0/engines/{engine}/{figure}"));
        }
    }
    is_positive("/workloads/0/speedup");
    let [standing, why] = ["fused_is", "why_slower"].map(|key| &report["workloads"][0][key]);
    assert!(["faster", "same", "slower"].iter().any(|word| standing == word), "{standing}");
    assert_eq!(why.is_string(), standing == "slower", "{why}");
    is_positive("/workloads/0/share_of_limit");
}

#[test]
fn the_program_of_a_fused_step_can_be_named() {
    let named = |name: &str| {
        let arguments = ["--workload", "seed", "--engine", "fused", "--seconds", "0.1", "--json"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_awl"));
        command.arg("bench").args(arguments).env("AWL_PROGRAM", name);
        command.output().expect("the program runs")
    };
    let output = named("tiled");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let fused = &report["workloads"][0]["engines"]["fused"];
    assert_eq!(fused["program"], "tiled");
    // Three layers, of which the first has no input to differentiate; the loss pass and the ending.
    assert_eq!(fused["dispatches_per_step"], 3 * 3 - 1 + 2);
    let output = named("quick");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("AWL_PROGRAM is \"quick\"") && told.contains("block, tiled"), "{told}");
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
fn growth_accounts_for_every_size_of_both_axes() {
    let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/growth.svg");
    let output = bench(&["--growth", "--seconds", "0.003", "--json", "--plot", path]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(report.pointer("/adapter/name").is_some_and(serde_json::Value::is_string));
    for (index, axis, first, last, count) in [(0, "batch", 64, 1 << 20, 8), (1, "width", 8, 512, 7)]
    {
        let growth = &report["growth"][index];
        assert_eq!(growth["axis"], axis);
        let sizes = growth["sizes"].as_array().expect("sizes");
        assert_eq!(sizes.len(), count);
        assert_eq!((&sizes[0]["size"], &sizes[count - 1]["size"]), (&first.into(), &last.into()));
        for size in sizes {
            for engine in ["fused", "unfused"] {
                let us = size["engines"][engine]["us_per_step"].as_f64();
                let why = size["left_out"][engine].as_str();
                assert!(
                    us.is_some_and(|us| us > 0.0) != why.is_some_and(|w| !w.is_empty()),
                    "{size}"
                );
            }
        }
        // Nothing is known against the smallest size before it is timed.
        let point = &sizes[0]["engines"]["fused"];
        assert!(point["us_per_row"].as_f64().is_some_and(|us| us > 0.0), "{point}");
        assert!(point["ns_per_multiply_add"].as_f64().is_some_and(|ns| ns > 0.0), "{point}");
        assert_eq!(point["ratio_to_previous"], serde_json::Value::Null);
    }
    let svg = std::fs::read_to_string(path).expect("the plot");
    for words in
        ["rows of a batch", "width of both hidden layers", "linear in the rows", "1,048,576"]
    {
        assert!(svg.contains(words), "{words:?} is missing");
    }
}

#[test]
fn sizes_that_the_adapter_cannot_hold_are_left_out() {
    let gpu = small_gpu(65_536);
    let made = block_on(growth(&gpu, Axis::Batch, &EngineKind::ALL, 0.5, |_| ()));
    let growth = made.expect("what could be held");
    assert_eq!(growth.points[0].size, 64);
    // 4,096 rows of 16 features have four times as many bytes.
    assert!(growth.points.iter().all(|point| point.size < 4096), "{:?}", growth.points);
    for engine in EngineKind::ALL {
        let mut left_out = growth.left_out.iter().filter(|it| it.engine == engine);
        let why = &left_out.find(|it| it.size == 4096).expect("4,096 rows").why;
        // A slow driver may be given up for time before it is for memory.
        let is_slow = why.contains("s is the most");
        assert!(is_slow || why.contains("262144 bytes for the features of the steps"), "{why}");
        assert!(!why.contains('\n'), "{why}");
    }
    gpu.check().expect("a device that still works");
}

#[test]
fn growth_of_one_engine_is_a_table_of_that_engine() {
    let output = bench(&["--growth", "--engine", "fused", "--seconds", "0.003"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    for words in ["us/row", "ns/multiply-add", "fused"] {
        assert!(table.contains(words), "{words:?} is missing in {table}");
    }
    assert!(!table.contains("unfused"), "{table}");
    let lines = |axis: &str| table.lines().filter(|line| line.contains(axis)).count();
    // One for each size, measured or left out: none is passed over in silence.
    let [batch, width] = ["fused, batch ", "fused, width "].map(lines);
    let is_measured = |line: &&str| line.contains(" - ") && !line.starts_with("left out");
    // The first line is the adapter's name.
    let measured = table.lines().skip(1).filter(is_measured).count();
    assert_eq!(batch + width + measured, 8 + 7, "{table}");
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
    refused(&["--growth", "--workload", "seed"], &["--growth", "--workload"]);
    for flags in [&["--growth"][..], &["--seconds", "3"], &["--plot", "bench.svg"]] {
        let arguments = [&["--device"][..], flags].concat();
        refused(&arguments, &["--device", flags[0], "cannot be used with"]);
    }
    for flags in
        [&["--growth"][..], &["--device"], &["--engine", "fused"], &["--plot", "bench.svg"]]
    {
        let arguments = [&["--fleet", "2"][..], flags].concat();
        refused(&arguments, &["--fleet", flags[0], "cannot be used with"]);
    }
    for networks in ["0", "2,0", "two", "1.5", "-1", "", "1,,2", "99999999999999999999999"] {
        refused(&[&format!("--fleet={networks}")], &["--fleet", "from 1"]);
    }
    for flags in [&["--device"][..], &["--fleet", "2"]] {
        let arguments = [flags, &["--workload", "loss-pass"]].concat();
        refused(&arguments, &[flags[0], "loss-pass", "leave"]);
    }
    refused(&["--plot", "bench.png"], &["bench.png", ".svg"]);
    refused(&["--plot", "no/such/folder/bench.svg"], &["no/such/folder", "make it"]);
}

#[test]
fn fused_and_unfused_loss_passes_find_the_same() {
    let rows = 100;
    let smoothed = Loss::CrossEntropy {
        label_smoothing: 0.1,
        class_weights: Some((1..=7).map(|c| c as f32 / 4.0).collect()),
    };
    let tasks = [
        Task::new("value", Loss::Mse, 2),
        Task::new("kind", smoothed, 7),
        Task::new("unlabelled", Loss::cross_entropy(), 20),
    ];
    let random = &mut ChaCha8Rng::seed_from_u64(1);
    let mut draw = |count: usize| (0..count).map(|_| random.random_range(-3f32..3.0)).collect();
    let values = Target::numbers(Matrix::new(2, draw(2 * rows)).expect("values"));
    let kinds = Target::classes((0..rows as u32).map(|row| row * 5 % 7).collect());
    let targets = [
        values.labelled((0..rows).map(|row| row % 3 != 0).collect()).expect("a mask"),
        kinds.labelled((0..rows).map(|row| row % 4 != 1).collect()).expect("a mask"),
        Target::classes(vec![0; rows]).labelled(vec![false; rows]).expect("a mask"),
    ];
    let predictions = Matrix::new(29, draw(29 * rows)).expect("predictions");
    let given = Weighting::fixed(vec![0.3, 2.0, 1.0]);
    for weighting in [AutomaticWeightedLoss::starting_at(vec![0.6, 1.7, 0.9]).into(), given] {
        let made = LossPasses::new(gpu(), &tasks, &targets, &predictions, &weighting);
        let passes = block_on(made).expect("the passes");
        let [fused, unfused] = EngineKind::ALL.map(|engine| {
            let (results, gradient) = block_on(passes.results(engine)).expect("results");
            let LossResults { total, losses, weights, sigma_gradient } = results;
            let tensors =
                [vec![total], losses, weights, sigma_gradient, gradient.values().to_vec()];
            tensors.map(|tensor| tensor.into_iter().map(f64::from).collect::<Vec<_>>())
        });
        let names = ["total", "losses", "weights", "sigma's gradient", "gradient"];
        for (name, (fused, unfused)) in names.iter().zip(fused.iter().zip(&unfused)) {
            assert_close(&format!("{}, {name}", weighting.name()), fused, unfused, 1e-5);
        }
        // Agreement on nothing would be no agreement.
        assert!(fused[1][..2].iter().all(|&loss| loss > 0.1) && fused[1][2] == 0.0, "{fused:?}");
        assert!(fused[4].iter().filter(|&&slope| slope != 0.0).count() > 29 * rows / 6);
        // What the masked losses are divided by, the losses, their sums.
        assert_eq!(passes.dispatches(EngineKind::Fused), 3);
        // 3 of numbers, 4 of classes, then weights and σ's gradient, then the gradient at each task's predictions.
        assert_eq!(passes.dispatches(EngineKind::Unfused), 3 + 4 + 4 + 2 + 3);
    }
}

#[test]
fn loss_passes_refuse_predictions_of_another_shape() {
    let tasks = [Task::new("kind", Loss::cross_entropy(), 3)];
    let targets = [Target::classes(vec![0, 1])];
    let weighting = AutomaticWeightedLoss::new(1).into();
    for (columns, rows, unit) in [(2, 2, "columns"), (3, 3, "rows")] {
        let predictions = Matrix::new(columns, vec![0.0; columns * rows]).expect("predictions");
        let made = block_on(LossPasses::new(gpu(), &tasks, &targets, &predictions, &weighting));
        let error = made.err().expect("an error").to_string();
        assert!(error.contains(unit), "{error:?} lacks {unit:?}");
    }
}

#[test]
fn the_memory_of_an_engine_is_told_with_what_lies_between_its_dispatches() {
    let made = block_on(compare(gpu(), WORKLOADS[0], &EngineKind::ALL, 0.01, |_| ()));
    let [fused, unfused] = made.expect("a comparison").engines.try_into().expect("two engines");
    // The features of 4 batches of 256 rows of 16 numbers, and the parameters with both moments; the unfused engine
    // also keeps every layer's outputs before and after the activation, 2 x (32 + 32) a row.
    let least = 4 * (4 * 256 * 16 + 3 * 1_963);
    assert!(fused.gpu_bytes > least, "{} bytes", fused.gpu_bytes);
    assert!(unfused.gpu_bytes > least + 4 * 256 * 128, "{} bytes", unfused.gpu_bytes);
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
