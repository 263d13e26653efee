//! `awl adapters`: what this machine has to train on.

use awl::gpu::{self, AdapterReport};
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
    let reports = pollster::block_on(gpu::adapters());
    let usable = gpu::usable(&reports);
    if arguments.json {
        let objects: Vec<_> = reports.iter().map(json).collect();
        println!("{:#}", serde_json::Value::from(objects));
    } else if usable.is_ok() {
        reports.iter().for_each(|report| println!("{report}"));
    }
    match usable {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("awl: {error}");
            ExitCode::FAILURE
        }
    }
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
