//! `awl bench --device`: the adapter, and the program and kernels that it would get for each workload. Nothing is timed.

use super::json::adapter;
use super::text::filled;
use super::{Arguments, Outcome, Plan, open, refuse_loss_pass};
use crate::cli::adapters;
use awl::bench::{PlannedStep, StepPlan, Workload, plan};
use awl::gpu::{self, AdapterReport};
use awl::wgpu::{Features, Limits};
use awl::{Gpu, Result};
use serde_json::{Map, Value, json};
use std::io::{self, Write};

/// What was found.
struct Report {
    gpu: Gpu,
    /// What the adapter has, of which the device was opened with a part; `None` if wgpu no longer lists it.
    adapter: Option<AdapterReport>,
    workloads: Vec<(Workload, Vec<StepPlan>)>,
}

/// Asks, and writes what was found.
pub fn run(arguments: &Arguments) -> Outcome {
    refuse_loss_pass(arguments, "--device")?;
    let made = pollster::block_on(ask(arguments));
    let report = made?;
    let mut out = io::stdout().lock();
    // A reader who has seen enough closes the pipe; that is no failure.
    let _ = match arguments.json {
        true => writeln!(out, "{:#}", object(&report)),
        false => write(&mut out, &report),
    };
    Ok(())
}

async fn ask(arguments: &Arguments) -> Result<Report> {
    let gpu = open(arguments).await?;
    let info = gpu.device().adapter_info();
    let adapter = gpu::adapters().await?.into_iter().find(|report| report.info == info);
    let Plan { workloads, engines, .. } = Plan::new(arguments);
    let mut planned = Vec::new();
    for workload in workloads {
        let mut plans = Vec::new();
        for &engine in &engines {
            plans.push(plan(&gpu, workload, engine).await?);
        }
        planned.push((workload, plans));
    }
    Ok(Report { gpu, adapter, workloads: planned })
}

/// The limits that decide which kernels run.
fn limits(limits: &Limits) -> [(&'static str, u64); 4] {
    [
        ("bytes a binding", limits.max_storage_buffer_binding_size),
        ("bytes of workgroup memory", limits.max_compute_workgroup_storage_size.into()),
        ("invocations a workgroup", limits.max_compute_invocations_per_workgroup.into()),
        ("storage buffers a kernel", limits.max_storage_buffers_per_shader_stage.into()),
    ]
}

fn write(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let device = report.gpu.device();
    writeln!(out, "{}\n\n{:<28}{:>16}{:>16}", report.gpu.name(), "", "adapter has", "opened with")?;
    let own = report.adapter.as_ref();
    let has = own.map(|own| limits(&own.limits));
    for (index, (name, used)) in limits(&device.limits()).into_iter().enumerate() {
        let has = has.map_or("not known".into(), |has| has[index].1.to_string());
        writeln!(out, "{name:<28}{has:>16}{used:>16}")?;
    }
    for (name, feature) in adapters::FEATURES {
        let word = |has: Features| if has.contains(feature) { "yes" } else { "no" };
        let has = own.map_or("not known", |own| word(own.features));
        writeln!(out, "{name:<28}{has:>16}{:>16}", word(device.features()))?;
    }
    writeln!(
        out,
        "\n{:<9}{:<8}{:<14}kernels x their dispatches a step",
        "workload", "engine", "program"
    )?;
    for (workload, plans) in &report.workloads {
        for (index, StepPlan { engine, step, .. }) in plans.iter().enumerate() {
            let name = if index == 0 { workload.name } else { "" };
            let (program, told) = match step {
                Ok(step) => (step.program, kernels(step)),
                Err(why) => ("none", why.split(' ').map(String::from).collect()),
            };
            let told = filled(told.iter().map(String::as_str), 31);
            writeln!(out, "{name:<9}{:<8}{program:<14}{told}", engine.name())?;
        }
    }
    Ok(())
}

/// Pieces of a line, a kernel each.
fn kernels(step: &PlannedStep) -> Vec<String> {
    let last = step.kernels.len().saturating_sub(1);
    let pieces = step.kernels.iter().enumerate().map(|(index, (kernel, count))| {
        format!("{kernel} x {count}{}", if index < last { "," } else { "" })
    });
    let most = match step.steps_per_round {
        1 => None,
        most => Some(format!("for up to {most} steps")),
    };
    pieces.chain(most).collect()
}

fn object(report: &Report) -> Value {
    let device = report.gpu.device();
    json!({
        "adapter": report.adapter.as_ref().map_or_else(|| adapter(&report.gpu), adapters::object),
        "opened_with": {
            "limits": adapters::limits_object(&device.limits()),
            "features": adapters::features(device.features()),
        },
        "workloads": report.workloads.iter().map(workload).collect::<Vec<_>>(),
    })
}

fn workload((workload, plans): &(Workload, Vec<StepPlan>)) -> Value {
    let engine = |plan: &StepPlan| (plan.engine.name().into(), planned(plan));
    json!({
        "name": workload.name,
        "batch": workload.batch,
        "features": workload.features,
        "hidden": workload.hidden,
        "engines": plans.iter().map(engine).collect::<Map<String, Value>>(),
    })
}

fn planned(plan: &StepPlan) -> Value {
    let step = plan.step.as_ref();
    let kernels = step.ok().map(|step| {
        let kernel = |(kernel, count): &(&str, usize)| {
            json!({ "kernel": kernel, "dispatches_per_step": count })
        };
        step.kernels.iter().map(kernel).collect::<Vec<_>>()
    });
    json!({
        "program": step.ok().map(|step| step.program),
        "kernels": kernels,
        "dispatches_per_step": step.ok().map(PlannedStep::dispatches),
        "steps_per_round": step.ok().map(|step| step.steps_per_round),
        "reason": step.err(),
    })
}
