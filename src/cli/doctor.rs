//! `awl doctor`: whether training can be trusted on this machine.

use super::adapters;
use super::failure::Failure;
use awl::bench::StepPlan;
use awl::doctor::{Diagnosis, examine};
use awl::gpu::{self, AdapterReport};
use pollster::block_on;
use serde_json::{Map, Value, json};
use std::io::{self, Write};
use std::process::ExitCode;

/// `awl doctor`
#[derive(clap::Args)]
pub struct Arguments {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Examines; succeeds if training can be trusted.
pub fn run(arguments: &Arguments) -> ExitCode {
    let reports = match block_on(gpu::adapters()) {
        Ok(reports) => reports,
        Err(error) => return Failure::from(error).report(),
    };
    let diagnosis = match gpu::usable(&reports).and_then(|_| block_on(examine())) {
        Ok(diagnosis) => diagnosis,
        Err(error) => {
            if arguments.json {
                let object = json!({ "sound": false, "adapters": adapters::objects(&reports), "error": error.to_string() });
                let _ = writeln!(io::stdout(), "{object:#}");
            }
            return Failure::Run(error.to_string()).report();
        }
    };
    // A reader who has seen enough closes the pipe; that is no failure.
    let _ = match arguments.json {
        true => writeln!(io::stdout(), "{:#}", object(&reports, &diagnosis)),
        false => print(&reports, &diagnosis),
    };
    if diagnosis.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn object(reports: &[AdapterReport], diagnosis: &Diagnosis) -> Value {
    let checks = diagnosis.checks.iter().map(|check| {
        let (Ok(found) | Err(found)) = &check.outcome;
        json!({ "name": check.name, "good": check.outcome.is_ok(), "found": found })
    });
    json!({
        "sound": diagnosis.is_sound(),
        "version": env!("CARGO_PKG_VERSION"),
        "system": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        "adapters": adapters::objects(reports),
        "checks": checks.collect::<Vec<_>>(),
        "steps_per_second": diagnosis.steps_per_second,
        "programs": diagnosis.plans.iter().map(program).collect::<Map<String, Value>>(),
        "advice": diagnosis.advice,
    })
}

/// A workload's name, and the program that makes its steps; null if none does.
fn program(plan: &StepPlan) -> (String, Value) {
    (plan.workload.name.into(), plan.step.as_ref().map(|step| step.program).ok().into())
}

/// Which programs make the fused steps.
fn programs(plans: &[StepPlan]) -> String {
    let words = plans.iter().map(|plan| match &plan.step {
        Ok(step) => format!("{} by {}", plan.workload.name, step.program),
        Err(_) => format!("{} by none: it does not fit", plan.workload.name),
    });
    let words = words.collect::<Vec<_>>().join(", ");
    format!("fused steps of `awl bench` are made: {words} (`awl bench --device` names the kernels)")
}

fn print(reports: &[AdapterReport], diagnosis: &Diagnosis) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let (system, machine) = (std::env::consts::OS, std::env::consts::ARCH);
    writeln!(
        out,
        "awl {} on {system} {machine}\n\nadapters, the first that can be used is examined:",
        env!("CARGO_PKG_VERSION")
    )?;
    for report in reports {
        writeln!(out, "  {report}")?;
        writeln!(out, "    {}", adapters::limits(report))?;
    }
    writeln!(out)?;
    for check in &diagnosis.checks {
        let mark = if check.outcome.is_ok() { "ok  " } else { "BAD " };
        let (Ok(found) | Err(found)) = &check.outcome;
        writeln!(out, "{mark} {:<56} {found}", check.name)?;
    }
    if !diagnosis.plans.is_empty() {
        writeln!(out, "note {}", programs(&diagnosis.plans))?;
    }
    for advice in &diagnosis.advice {
        writeln!(out, "note {advice}")?;
    }
    let bad = diagnosis.checks.iter().filter(|check| check.outcome.is_err()).count();
    match bad {
        0 => writeln!(out, "\nTraining can be trusted here."),
        _ => writeln!(
            out,
            "\nTraining cannot be trusted here: {bad} of {} checks failed.",
            diagnosis.checks.len()
        ),
    }
}
