//! `awl evaluate`: how good a model is on labelled rows.

use super::failure::Failure;
use super::run_dir::RunDir;
use super::scores;
use awl::Gpu;
use awl::engine::Predictor;
use awl::train::metrics;
use pollster::block_on;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// `awl evaluate`
#[derive(clap::Args)]
pub struct Arguments {
    /// The directory of a run that `awl train` made.
    run: PathBuf,
    /// The table with the labels; columns are found by their names, and missing labels are left out task by task.
    data: PathBuf,
    /// Print JSON: every figure, with confusion matrices.
    #[arg(long)]
    json: bool,
}

/// Evaluates.
pub fn run(arguments: &Arguments) -> ExitCode {
    match evaluate(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn evaluate(arguments: &Arguments) -> Result<(), Failure> {
    let (model, parameters) = RunDir::open(&arguments.run)?.load_model()?;
    let encoder = &model.encoder;
    let table = model.open(&arguments.data)?;
    let data = encoder.encode(&table)?;
    for (column, cells) in encoder.unseen(&table)? {
        eprintln!(
            "warning: feature \"{column}\": {cells} cells hold a text that the model was not trained on"
        );
    }
    drop(table);
    let predictions = block_on(async {
        let gpu = Gpu::new().await?;
        Predictor::new(&gpu, &model.network, &parameters).await?.predict(data.features()).await
    })?;
    let scores = scores::in_units(encoder, metrics(&model.network, &predictions, &data)?);
    let mut out = std::io::stdout().lock();
    // A reader who has seen enough closes the pipe; that is no failure.
    let _ = if arguments.json {
        let classes =
            encoder.targets().iter().map(|it| (it.name.clone(), scores::classes(&it.encoding)));
        let classes: serde_json::Map<_, _> = classes.collect();
        let report = json!({ "rows": data.rows(), "tasks": scores::as_json(encoder, &scores), "classes": classes });
        writeln!(out, "{report:#}")
    } else {
        write!(out, "{} rows\n{}", data.rows(), scores::table(encoder, &scores))
    };
    Ok(())
}
