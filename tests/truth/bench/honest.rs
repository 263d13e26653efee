//! Where fused is slower it says so, with what is known of why; and what an adapter would run is told without running it.

use super::bench;
use crate::support::{gpu, small_gpu};
use awl::Gpu;
use awl::bench::{
    Comparison, EngineCost, EngineKind, LossCost, PassCost, Slower, Spread, Standing, WORKLOADS,
    compare, plan,
};
use awl::engine::KernelTime;
use pollster::block_on;
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;

/// Microseconds of kernels, by name.
type Kernels = &'static [(&'static str, u64)];

fn cost(engine: EngineKind, samples: [f64; 5], kernels: Option<Kernels>) -> EngineCost {
    let (program, dispatches_per_step) = match engine {
        EngineKind::Fused => ("block", 2),
        EngineKind::Unfused => ("unfused", 32),
    };
    let time = |&(kernel, us)| KernelTime { kernel, time: Duration::from_micros(us) };
    EngineCost {
        engine,
        program,
        us_per_step: Spread::of(samples.to_vec()),
        host_us_per_step: Spread::of(vec![3.0]),
        dispatches_per_step,
        steps_per_round: 1,
        submissions_per_100_steps: 1.0,
        bytes_per_step: 1,
        gpu_bytes: 1,
        setup: Duration::ZERO,
        kernels: kernels.map(|kernels| kernels.iter().map(time).collect()),
    }
}

fn compared(fused: EngineCost, unfused: EngineCost) -> Comparison {
    Comparison { workload: WORKLOADS[0], engines: vec![fused, unfused] }
}

#[test]
fn slower_is_what_lies_beyond_the_spread_of_the_runs() {
    use {EngineKind::*, Standing::*};
    let unfused = [98.0, 99.0, 100.0, 101.0, 102.0];
    let cases = [
        ([148.0, 149.0, 150.0, 151.0, 152.0], Slower),
        ([48.0, 49.0, 50.0, 51.0, 52.0], Faster),
        // Medians apart, but the quartiles 100 to 120 and 99 to 101 meet.
        ([90.0, 100.0, 110.0, 120.0, 130.0], Same),
        // One slow run of five is chance.
        ([98.0, 99.0, 100.0, 101.0, 900.0], Same),
    ];
    for (fused, expected) in cases {
        let found = compared(cost(Fused, fused, None), cost(Unfused, unfused, None));
        assert_eq!(found.standing(), Some(expected), "{fused:?}");
        assert_eq!(found.slower().is_some(), expected == Standing::Slower, "{fused:?}");
    }
    let alone = Comparison { workload: WORKLOADS[0], engines: vec![cost(Fused, unfused, None)] };
    assert_eq!((alone.standing(), alone.slower()), (None, None));
}

#[test]
fn the_reason_names_programs_dispatches_and_the_kernels_that_take_the_time() {
    let fused: Kernels = &[("block/step", 120), ("ending/finish", 30)];
    const PRODUCT: (&str, u64) = ("unfused/product", 30);
    let unfused: Kernels = &[PRODUCT, ("unfused/adam", 10), PRODUCT, ("a", 20), ("b", 10)];
    let pair = |of_fused, of_unfused| {
        let fused = cost(EngineKind::Fused, [150.0; 5], of_fused);
        compared(fused, cost(EngineKind::Unfused, [100.0; 5], of_unfused)).slower()
    };
    let Slower { what, why } = pair(Some(fused), Some(unfused)).expect("slower");
    for words in ["slower", "1.50 times", "block in 2 dispatches", "unfused in 32 dispatches"] {
        assert!(what.contains(words), "{what:?} lacks {words:?}");
    }
    for words in ["150 us of GPU time", "block/step x 1 80 %", "ending/finish x 1 20 %"] {
        assert!(why.contains(words), "{why:?} lacks {words:?}");
    }
    assert!(why.contains("unfused/product x 2 60 %") && why.contains("a x 1 20 %"), "{why}");
    // Two engines, of which one has no times, cannot be compared.
    for (fused, unfused) in [(None, None), (Some(fused), None)] {
        let Slower { what, why } = pair(fused, unfused).expect("slower");
        assert!(why.contains("not known") && why.contains("no timestamps"), "{why}");
        assert!(!format!("{what}{why}").contains("faster"), "{what} {why}");
    }
}

#[test]
fn a_slower_loss_pass_says_so_and_what_was_not_measured() {
    let cost = |fused, unfused| {
        let pass = |engine, us, dispatches| PassCost {
            engine,
            us_per_pass: Spread::of(vec![us; 5]),
            dispatches,
        };
        let passes =
            vec![pass(EngineKind::Fused, fused, 2), pass(EngineKind::Unfused, unfused, 11)];
        LossCost { classes: 10, rows: 64, bytes: 1_000, passes }
    };
    let Slower { what, why } = cost(201.0, 200.0).slower().expect("slower");
    assert!(what.contains("1.0050 times") && what.contains("2 dispatches a pass"), "{what}");
    assert!(what.contains("unfused 11") && why.contains("not measured"), "{what} {why}");
    assert_eq!((cost(200.0, 201.0).slower(), cost(200.0, 200.0).slower()), (None, None));
    assert_eq!(cost(200.0, 201.0).standing(), Some(Standing::Faster));
}

#[test]
fn a_plan_is_what_then_runs() {
    let plain = block_on(Gpu::plain()).expect("a plain device");
    for gpu in [gpu(), &plain] {
        let ran = block_on(compare(gpu, WORKLOADS[0], &EngineKind::ALL, 0.01, |_| ()));
        for cost in ran.expect("a comparison").engines {
            let planned = block_on(plan(gpu, WORKLOADS[0], cost.engine)).expect("a plan");
            let step = planned.step.expect("a workload that fits");
            assert_eq!(step.program, cost.program);
            assert_eq!(step.dispatches(), cost.dispatches_per_step);
            assert_eq!(step.steps_per_round, cost.steps_per_round);
            if let Some(sums) = cost.by_kernel() {
                let mut ran: Vec<_> = sums.iter().map(|it| (it.kernel, it.dispatches)).collect();
                let mut planned = step.kernels;
                ran.sort_unstable();
                planned.sort_unstable();
                assert_eq!(planned, ran);
            }
        }
    }
}

#[test]
fn what_does_not_fit_has_a_reason_in_place_of_a_program() {
    let made = block_on(plan(&small_gpu(65_536), WORKLOADS[4], EngineKind::Fused));
    let why = made.expect("a plan").step.expect_err("megabytes of rows");
    assert!(why.contains("the features of the steps") && !why.contains('\n'), "{why}");
}

#[test]
fn the_device_is_told_without_timing_anything() {
    let told = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_awl"));
        command.args(["bench", "--device", "--workload", "seed"]).args(arguments);
        let output = command.env("AWL_PROGRAM", "tiled").output().expect("the program runs");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    let report: Value = serde_json::from_str(&told(&["--json"])).expect("JSON");
    let limits = &report["opened_with"]["limits"];
    let expected = gpu().device().limits();
    assert_eq!(
        limits["max_compute_workgroup_storage_size"],
        expected.max_compute_workgroup_storage_size
    );
    assert_eq!(limits["max_storage_buffer_binding_size"], expected.max_storage_buffer_binding_size);
    assert!(report["adapter"]["features"].is_array() && report["adapter"]["backend"].is_string());
    let fused = &report["workloads"][0]["engines"]["fused"];
    assert_eq!(fused["program"], "tiled");
    // Three layers, of which the first has no input to differentiate; the loss pass and the ending.
    let kernels = fused["kernels"].as_array().expect("kernels");
    let mut counts: Vec<_> = kernels.iter().map(|it| it["dispatches_per_step"].clone()).collect();
    counts.sort_by_key(Value::as_u64);
    assert_eq!(counts, [1, 1, 2, 3, 3].map(|count| json!(count)));
    assert!(fused.get("us_per_step").is_none(), "{fused}");
    let text = told(&[]);
    for words in ["bytes of workgroup memory", "timestamps", "subgroups", "tiled/forward x 3,"] {
        assert!(text.contains(words), "{words:?} is missing in {text}");
    }
    // But for the adapter's name.
    assert!(text.lines().skip(1).all(|line| line.chars().count() <= 80), "{text}");
    let one = bench(&["--device", "--plain", "--engine", "unfused", "--workload", "wide"]);
    let one = String::from_utf8(one.stdout).expect("text");
    assert!(one.contains("unfused/adam x 1") && !one.contains("seed"), "{one}");
}
