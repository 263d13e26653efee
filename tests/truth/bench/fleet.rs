//! Fleets: each is told beside one network alone, or with the reason why not.

use super::bench;
use crate::support::{gpu, small_gpu};
use awl::GpuEngine;
use awl::bench::{EngineCost, EngineKind, FleetCost, Fleets, Spread, Standing, WORKLOADS, fleets};
use awl::wgpu::DeviceType;
use pollster::block_on;
use serde_json::{Value, json};
use std::time::Duration;

/// Why each size was left out, where it was.
fn left_out(fleets: &Fleets) -> Vec<Option<&str>> {
    let why = fleets.sizes.iter().map(|size| size.cost.as_ref().err());
    why.map(|why| why.map(String::as_str)).collect()
}

#[test]
fn the_json_has_every_size_once_from_small_to_large() {
    let arguments = ["--fleet", "3,1", "--fleet", "3", "--workload", "seed", "--seconds", "0.5"];
    let output = bench(&[&arguments[..], &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(report.pointer("/adapter/name").is_some_and(Value::is_string));
    assert_eq!(report["workloads"][0]["name"], "seed");
    let sizes = report["workloads"][0]["fleets"].as_array().expect("sizes");
    let networks: Vec<_> = sizes.iter().map(|size| &size["networks"]).collect();
    assert_eq!(networks, [&json!(1), &json!(3)]);
    for size in sizes {
        let positive = |pointer: &str| {
            let value = size.pointer(pointer).and_then(Value::as_f64);
            value.filter(|value| *value > 0.0).unwrap_or_else(|| panic!("{pointer} of {size}"))
        };
        for part in ["", "_lower_quartile", "_upper_quartile"] {
            positive(&format!("/throughput{part}"));
            let us = positive(&format!("/us_per_step_and_network{part}"));
            let networks = positive("/networks");
            let all = positive(&format!("/fleet/us_per_step{part}"));
            assert!((us * networks - all).abs() < 1e-9 * all, "{size}");
        }
        positive("/alone/us_per_step");
        // What they are is told by the engines themselves, whichever the adapter.
        for same in ["program", "dispatches_per_step", "steps_per_round"] {
            assert_eq!(size["fleet"][same], size["alone"][same], "{size}");
        }
        let is_one = size["networks"] == 1;
        let [held, alone] = ["/fleet/gpu_bytes", "/alone/gpu_bytes"].map(positive);
        assert!(if is_one { held == alone } else { held > alone }, "{size}");
        let [standing, why] = ["fleet_is", "why_not_faster"].map(|key| &size[key]);
        assert!(["faster", "same", "slower"].iter().any(|word| standing == word), "{standing}");
        assert_eq!(why.is_string(), !is_one && standing != "faster", "{size}");
        assert_eq!(size["left_out"], Value::Null);
    }
}

#[test]
fn the_tables_have_a_row_a_size_and_name_what_was_left_out() {
    let output = bench(&["--fleet", "2,100000000", "--workload", "seed", "--seconds", "0.5"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("text");
    let rows = text.lines().filter(|line| line.split_whitespace().take(2).eq(["seed", "2"]));
    assert_eq!(rows.count(), 2, "{text}");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in
        ["left out: seed, 100000000 networks: a step would take", "fewer networks may do"]
    {
        assert!(words.contains(expected), "{expected:?} is missing in {text}");
    }
    // But for the adapter's name.
    assert!(text.lines().skip(1).all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn where_no_fleet_was_timed_there_is_nothing_to_tell_but_why() {
    let output = bench(&["--fleet", "100000000", "--workload", "seed", "--seconds", "0.5"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("seed, 100000000 networks") && told.contains("fewer networks"), "{told}");
    assert!(output.stdout.is_empty(), "{output:?}");
}

/// A fleet beside one network alone that takes 100 us, which took these times in five turns.
fn beside_one(networks: usize, us: [f64; 5]) -> FleetCost {
    let cost = |samples: Vec<f64>| EngineCost {
        engine: EngineKind::Fused,
        program: "block",
        us_per_step: Spread::of(samples),
        host_us_per_step: Spread::of(vec![3.0]),
        dispatches_per_step: 2,
        steps_per_round: 1,
        submissions_per_100_steps: 1.0,
        bytes_per_step: 1,
        gpu_bytes: 1,
        setup: Duration::ZERO,
        kernels: None,
    };
    FleetCost {
        networks,
        throughput: Spread::of(us.iter().map(|us| networks as f64 * 100.0 / us).collect()),
        fleet: cost(us.to_vec()),
        alone: cost(vec![100.0; 5]),
    }
}

#[test]
fn a_fleet_is_what_three_quarters_of_the_turns_find() {
    use Standing::{Faster, Same, Slower};
    let cases = [
        (2, [190.0, 195.0, 198.0, 199.0, 500.0], Faster),
        (2, [190.0, 195.0, 198.0, 201.0, 201.0], Same),
        (2, [201.0, 202.0, 203.0, 204.0, 100.0], Slower),
        (2, [200.0; 5], Same),
        // One network is no fleet.
        (1, [90.0; 5], Same),
        (1, [110.0; 5], Same),
    ];
    for (networks, us, expected) in cases {
        let cost = beside_one(networks, us);
        assert_eq!(cost.standing(), expected, "{networks} networks: {us:?}");
        let told = cost.not_faster();
        assert_eq!(told.is_some(), networks > 1 && expected != Faster, "{told:?}");
    }
    let why = beside_one(2, [250.0; 5]).not_faster().expect("slower");
    for words in ["2 networks", "0.80 times", "block in 2 dispatches", "no timestamps"] {
        assert!(why.contains(words), "{why:?} lacks {words:?}");
    }
    assert_eq!(beside_one(8, [400.0; 5]).us_per_network().median, 50.0);
}

#[test]
fn what_is_too_large_has_a_reason_and_its_remedy() {
    let small = small_gpu(65_536);
    let made = block_on(fleets(&small, WORKLOADS[4], &[1, 2], 0.1, |_| ()));
    let fleet = made.expect("an answer");
    for why in left_out(&fleet) {
        let why = why.expect("megabytes of rows");
        // One network does not fit either.
        assert!(
            why.contains("the features of the steps") && !why.contains("fewer networks"),
            "{why}"
        );
    }
    small.check().expect("a device that still works");
    // The time is no reason, but on a GPU.
    let most = [usize::MAX];
    let made = block_on(fleets(gpu(), WORKLOADS[0], &most, f64::MAX, |_| ()));
    let fleet = made.expect("an answer");
    let why = left_out(&fleet)[0].expect("more than any machine holds");
    let is_software = gpu().device().adapter_info().device_type == DeviceType::Cpu;
    match is_software && cfg!(target_os = "linux") {
        true => assert!(why.contains("bytes of memory are free"), "{why}"),
        false => assert!(why.contains("a step would take"), "{why}"),
    }
    assert!(why.ends_with("fewer networks may do"), "{why}");
    let none = block_on(fleets(gpu(), WORKLOADS[0], &[0], 0.1, |_| ()));
    assert!(none.expect_err("a refusal").to_string().contains("at least one"));
}

#[test]
fn a_fleet_in_several_parts_is_told_as_a_whole() {
    // So small a binding holds the states of ten networks or so.
    let gpu = small_gpu(4 * 65_536);
    let data = WORKLOADS[0].dataset().expect("data");
    let fleet = |networks: usize| {
        let members = (0..networks).map(|it| WORKLOADS[0].member(it).expect("a recipe")).collect();
        block_on(GpuEngine::fleet(&gpu, members, &data)).expect("a fleet")
    };
    let (alone, many) = (fleet(1), fleet(24));
    let parts = many.dispatches_per_step() / alone.dispatches_per_step();
    assert!(parts > 1, "{} dispatches", many.dispatches_per_step());
    // The features are there once; all else of every network.
    let features = 4 * data.features().values().len() as u64;
    assert!(many.gpu_bytes() > 20 * (alone.gpu_bytes() - features), "{}", many.gpu_bytes());
    // A step reads the features once a part, and all else of every network.
    let batch = features / WORKLOADS[0].batches as u64;
    let of_one = alone.bytes_per_step() - batch;
    assert!(many.bytes_per_step() > parts as u64 * batch + 20 * of_one, "{of_one}");
}
