//! The report as JSON.

use super::Report;
use awl::bench::{Comparison, EngineCost, LossCost};
use serde_json::{Map, Value, json};
use std::io::{Result, Write};

/// Writes one object.
pub fn write(out: &mut impl Write, report: &Report) -> Result<()> {
    let info = report.gpu.device().adapter_info();
    let object = json!({
        "adapter": {
            "name": info.name,
            "backend": info.backend.to_string(),
            "device_type": format!("{:?}", info.device_type),
            "driver": info.driver,
            "driver_info": info.driver_info,
        },
        "ceilings": {
            "flops_per_second": report.ceilings.flops_per_second,
            "bytes_per_second": report.ceilings.bytes_per_second,
        },
        "workloads": report.comparisons.iter().map(|it| workload(it, report)).collect::<Vec<_>>(),
        "loss_pass": report.losses.iter().map(|it| loss(it, report)).collect::<Vec<_>>(),
    });
    writeln!(out, "{object:#}")
}

fn workload(comparison: &Comparison, report: &Report) -> Value {
    let workload = &comparison.workload;
    let engines = comparison.engines.iter();
    let engines: Map<String, Value> =
        engines.map(|cost| (cost.engine.name().into(), engine(cost))).collect();
    // The product's share; of the engine that was asked for, if it was only one.
    let first = comparison.engines.first();
    json!({
        "name": workload.name,
        "batch": workload.batch,
        "features": workload.features,
        "hidden": workload.hidden,
        "flops_per_step": workload.flops(),
        "least_bytes_per_step": workload.least_bytes(),
        "engines": engines,
        "speedup": comparison.speedup(),
        "share_of_limit": first.map(|cost| comparison.share_of_limit(cost, &report.ceilings)),
    })
}

fn engine(cost: &EngineCost) -> Value {
    let kernels = cost.kernels.as_ref().map(|kernels| {
        let kernel =
            |it: &awl::engine::KernelTime| json!({ "kernel": it.kernel, "us": micros(it.time) });
        kernels.iter().map(kernel).collect::<Vec<_>>()
    });
    json!({
        "us_per_step": cost.us_per_step.median,
        "us_per_step_lower_quartile": cost.us_per_step.lower,
        "us_per_step_upper_quartile": cost.us_per_step.upper,
        "samples": cost.us_per_step.samples,
        "dispatches_per_step": cost.dispatches_per_step,
        "submissions_per_100_steps": cost.submissions_per_100_steps,
        "bytes_per_step": cost.bytes_per_step,
        "gpu_bytes": cost.gpu_bytes,
        "setup_us": micros(cost.setup),
        "kernels": kernels,
    })
}

fn loss(cost: &LossCost, report: &Report) -> Value {
    json!({
        "classes": cost.classes,
        "rows": cost.rows,
        "us_per_pass": cost.us_per_pass.median,
        "us_per_pass_lower_quartile": cost.us_per_pass.lower,
        "us_per_pass_upper_quartile": cost.us_per_pass.upper,
        "samples": cost.us_per_pass.samples,
        "dispatches": cost.dispatches,
        "bytes": cost.bytes,
        "share_of_limit": cost.share_of_limit(&report.ceilings),
    })
}

/// Microseconds with their fraction.
pub fn micros(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
