//! `awl export`: the model for other programs.

use super::failure::Failure;
use super::run_dir::{self, RunDir};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// `awl export`
#[derive(clap::Args)]
pub struct Arguments {
    /// The directory of a run that `awl train` made.
    run: PathBuf,
    /// Write an ONNX model, from the table's columns to every task's answer in its own unit.
    #[arg(long, required = true)]
    onnx: bool,
    /// Only this network of a run of several, from 0: the file answers with all of them together without.
    #[arg(long, value_name = "NUMBER")]
    member: Option<usize>,
    /// The file to write [default: model.onnx in the run's directory].
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Exports.
pub fn run(arguments: &Arguments) -> ExitCode {
    match export(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn export(arguments: &Arguments) -> Result<(), Failure> {
    let run = RunDir::open(&arguments.run)?;
    let (model, parameters) = run.load_model()?;
    run.is_ahead_of(&model).iter().for_each(|why| eprintln!("warning: {why}"));
    let members = match arguments.member {
        None => &parameters[..],
        Some(member) => parameters.get(member..=member).ok_or_else(|| {
            let last = parameters.len() - 1;
            Failure::input(format!(
                "--member {member}: the run's networks have the numbers 0 to {last}"
            ))
        })?,
    };
    let bytes = awl::export::onnx_ensemble(&model.encoder, &model.network, members)?;
    let out = arguments.out.clone().unwrap_or_else(|| run.path().join("model.onnx"));
    run_dir::save(&out, &bytes)?;
    let mut stdout = std::io::stdout();
    let _ = match arguments.json {
        true => writeln!(stdout, "{}", serde_json::json!({ "onnx": out })),
        false => writeln!(stdout, "{}", out.display()),
    };
    Ok(())
}
