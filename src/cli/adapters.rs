//! `awl adapters`: what this machine has to train on.

use awl::gpu::{self, AdapterReport};
use awl::wgpu::{Features, Limits};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::process::ExitCode;

/// `awl adapters`
#[derive(clap::Args)]
pub struct Arguments {
    /// Print a JSON array instead of lines.
    #[arg(long)]
    json: bool,
}

/// Lists the adapters; succeeds if one of them can be used.
pub fn run(arguments: &Arguments) -> ExitCode {
    let reports = match pollster::block_on(gpu::adapters()) {
        Ok(reports) => reports,
        Err(error) => {
            eprintln!("awl: {error}");
            return ExitCode::from(2);
        }
    };
    let usable = gpu::usable(&reports);
    // A reader who has seen enough closes the pipe; that is no failure.
    let _ = match (arguments.json, &usable) {
        (true, _) => print_json(&reports),
        (false, Ok(_)) => print_lines(&reports),
        (false, Err(_)) => Ok(()),
    };
    match usable {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) if arguments.json => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("awl: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print_lines(reports: &[AdapterReport]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    reports.iter().try_for_each(|report| writeln!(out, "{report}"))
}

fn print_json(reports: &[AdapterReport]) -> io::Result<()> {
    writeln!(io::stdout(), "{:#}", objects(reports))
}

/// An array with an object an adapter.
pub fn objects(reports: &[AdapterReport]) -> Value {
    reports.iter().map(object).collect::<Vec<_>>().into()
}

/// The limits that matter, and the optional features that are used where they are there.
pub fn limits(report: &AdapterReport) -> String {
    let limits = &report.limits;
    let features = features(report.features);
    format!(
        "{} MiB a binding, {} storage buffers, {} KiB of workgroup memory, {} invocations; {}",
        limits.max_storage_buffer_binding_size >> 20,
        limits.max_storage_buffers_per_shader_stage,
        limits.max_compute_workgroup_storage_size >> 10,
        limits.max_compute_invocations_per_workgroup,
        if features.is_empty() { "no optional feature".into() } else { features.join(", ") }
    )
}

/// The optional features that make a difference.
pub const FEATURES: [(&str, Features); 4] = [
    ("timestamps", Features::TIMESTAMP_QUERY),
    ("subgroups", Features::SUBGROUP),
    ("kept pipelines", Features::PIPELINE_CACHE),
    ("f16", Features::SHADER_F16),
];

/// What is known of one adapter.
pub fn object(report: &AdapterReport) -> Value {
    let info = &report.info;
    json!({
        "name": info.name,
        "backend": info.backend.to_string(),
        "device_type": format!("{:?}", info.device_type),
        "driver": info.driver,
        "driver_info": info.driver_info,
        "limits": limits_object(&report.limits),
        "features": features(report.features),
        "usable": report.unfit.is_none(),
        "reason": report.unfit,
    })
}

/// The limits that matter, by wgpu's names.
pub fn limits_object(limits: &Limits) -> Value {
    json!({
        "max_storage_buffer_binding_size": limits.max_storage_buffer_binding_size,
        "max_buffer_size": limits.max_buffer_size,
        "max_storage_buffers_per_shader_stage": limits.max_storage_buffers_per_shader_stage,
        "max_compute_workgroup_storage_size": limits.max_compute_workgroup_storage_size,
        "max_compute_invocations_per_workgroup": limits.max_compute_invocations_per_workgroup,
    })
}

/// The names of the optional features among these that make a difference.
pub fn features(has: Features) -> Vec<&'static str> {
    let among = FEATURES.iter().filter(|(_, feature)| has.contains(*feature));
    among.map(|(name, _)| *name).collect()
}
