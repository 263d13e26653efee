//! `awl doctor`: green where training can be trusted, red with the right sentence where it cannot.

use crate::program::command;
use awl::bench::WORKLOADS;
use serde_json::Value;
use std::collections::HashSet;

#[test]
fn a_sound_adapter_passes_every_check() {
    let output = command(&["doctor", "--json"]).output().expect("the program runs");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    assert_eq!(report["sound"], true);
    let checks = report["checks"].as_array().expect("checks");
    assert!(checks.iter().all(|check| check["good"] == true), "{report:#}");
    // Three engines on four networks, the loss pass, bits, two sizes, a lost device, speed.
    assert_eq!(checks.len(), 18);
    assert!(report["steps_per_second"].as_f64() > Some(0.0));
    let programs = report["programs"].as_object().expect("programs");
    let names = programs.keys().map(String::as_str).collect::<HashSet<_>>();
    assert_eq!(names, WORKLOADS.iter().map(|workload| workload.name).collect());
    let is_fused = |program: &Value| program.as_str().is_some_and(|name| name != "unfused");
    assert!(programs.values().all(is_fused), "{programs:?}");
    let limits = &report["adapters"][0]["limits"];
    assert!(limits["max_storage_buffer_binding_size"].as_u64() >= Some(128 << 20), "{limits}");
}

#[test]
fn without_a_driver_it_says_what_to_install() {
    for arguments in [&["doctor"][..], &["doctor", "--json"]] {
        let mut program = command(arguments);
        program.env("WGPU_BACKEND", "vulkan").env("VK_DRIVER_FILES", "/nonexistent");
        let output = program.env_remove("WGPU_ADAPTER_NAME").output().expect("the program runs");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("install a Vulkan driver"), "{told}");
        if let [_, _] = arguments {
            let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
            assert_eq!(report["sound"], false);
        }
    }
}
