//! The report as JSON.

use super::Report;
use awl::Gpu;
use awl::bench::{Ceilings, Comparison, EngineCost, LossCost, PassCost, Standing};
use serde_json::{Map, Value, json};
use std::io::{Result, Write};

/// Writes one object.
pub fn write(out: &mut impl Write, gpu: &Gpu, report: &Report) -> Result<()> {
    let object = json!({
        "adapter": adapter(gpu),
        "ceilings": {
            "flops_per_second": report.ceilings.flops_per_second,
            "bytes_per_second": report.ceilings.bytes_per_second,
        },
        "workloads": report.comparisons.iter().map(|it| workload(it, report)).collect::<Vec<_>>(),
        "loss_pass": report.losses.iter().map(|it| loss(it, &report.ceilings)).collect::<Vec<_>>(),
    });
    writeln!(out, "{object:#}")
}

/// Who did the work.
pub fn adapter(gpu: &Gpu) -> Value {
    let info = gpu.device().adapter_info();
    json!({
        "name": info.name,
        "backend": info.backend.to_string(),
        "device_type": format!("{:?}", info.device_type),
        "driver": info.driver,
        "driver_info": info.driver_info,
    })
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
        "fused_is": comparison.standing().map(Standing::name),
        "why_slower": comparison.slower().map(|it| it.to_string()),
        "share_of_limit": first.and_then(|cost| comparison.share_of_limit(cost, &report.ceilings)),
    })
}

/// What a step costs in one engine.
pub fn engine(cost: &EngineCost) -> Value {
    let kernels = cost.kernels.as_ref().map(|kernels| {
        let kernel =
            |it: &awl::engine::KernelTime| json!({ "kernel": it.kernel, "us": micros(it.time) });
        kernels.iter().map(kernel).collect::<Vec<_>>()
    });
    json!({
        "program": cost.program,
        "us_per_step": cost.us_per_step.median,
        "us_per_step_lower_quartile": cost.us_per_step.lower,
        "us_per_step_upper_quartile": cost.us_per_step.upper,
        "samples": cost.us_per_step.samples,
        "host_us_per_step": cost.host_us_per_step.median,
        "host_us_per_step_lower_quartile": cost.host_us_per_step.lower,
        "host_us_per_step_upper_quartile": cost.host_us_per_step.upper,
        "dispatches_per_step": cost.dispatches_per_step,
        "steps_per_round": cost.steps_per_round,
        "submissions_per_100_steps": cost.submissions_per_100_steps,
        "bytes_per_step": cost.bytes_per_step,
        "gpu_bytes": cost.gpu_bytes,
        "setup_us": micros(cost.setup),
        "kernels": kernels,
    })
}

fn loss(cost: &LossCost, ceilings: &Ceilings) -> Value {
    let pass = |pass: &PassCost| {
        json!({
            "us_per_pass": pass.us_per_pass.median,
            "us_per_pass_lower_quartile": pass.us_per_pass.lower,
            "us_per_pass_upper_quartile": pass.us_per_pass.upper,
            "samples": pass.us_per_pass.samples,
            "dispatches": pass.dispatches,
            "share_of_copying": cost.share_of_copying(pass, ceilings),
        })
    };
    let engines = cost.passes.iter();
    let engines: Map<String, Value> =
        engines.map(|it| (it.engine.name().into(), pass(it))).collect();
    json!({
        "classes": cost.classes,
        "rows": cost.rows,
        "bytes": cost.bytes,
        "engines": engines,
        "speedup": cost.speedup(),
        "fused_is": cost.standing().map(Standing::name),
        "why_slower": cost.slower().map(|it| it.to_string()),
    })
}

/// Microseconds with their fraction.
fn micros(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use awl::bench::{EngineKind, Spread};

    #[test]
    fn a_loss_pass_has_both_engines_and_the_speedup() {
        let pass = |engine, median, dispatches| PassCost {
            engine,
            us_per_pass: Spread::of(vec![median]),
            dispatches,
        };
        let passes = vec![pass(EngineKind::Fused, 200.0, 1), pass(EngineKind::Unfused, 500.0, 11)];
        let cost = LossCost { classes: 10, rows: 64, bytes: 1_000_000, passes };
        let ceilings = Ceilings { flops_per_second: None, bytes_per_second: Some(1e10) };
        let value = loss(&cost, &ceilings);
        assert_eq!(value["speedup"], 2.5);
        assert_eq!(value["fused_is"], "faster");
        assert_eq!(value["why_slower"], Value::Null);
        assert_eq!(value["bytes"], 1_000_000);
        assert_eq!(value["engines"]["unfused"]["dispatches"], 11);
        assert_eq!(value["engines"]["unfused"]["us_per_pass"], 500.0);
        assert_eq!(value["engines"]["fused"]["share_of_copying"], 0.5);
        let unmeasured = Ceilings { bytes_per_second: None, ..ceilings };
        assert_eq!(loss(&cost, &unmeasured)["engines"]["fused"]["share_of_copying"], Value::Null);
    }
}
