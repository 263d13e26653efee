//! `awl adapters`: what this machine has to train on.

use awl::gpu::{self, AdapterReport};
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
    let objects: Vec<_> = reports.iter().map(json).collect();
    writeln!(io::stdout(), "{:#}", serde_json::Value::from(objects))
}

fn json(report: &AdapterReport) -> serde_json::Value {
    let info = &report.info;
    serde_json::json!({
        "name": info.name,
        "backend": info.backend.to_string(),
        "device_type": format!("{:?}", info.device_type),
        "driver": info.driver,
        "driver_info": info.driver_info,
        "usable": report.unfit.is_none(),
        "reason": report.unfit,
    })
}
