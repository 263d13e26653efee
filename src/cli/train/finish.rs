//! The end of a run: the best weights, judged on the rows that no choice was made on; the model, the results, the report.

use super::Arguments;
use super::data::Data;
use super::watch::Onlooker;
use crate::cli::failure::Failure;
use crate::cli::run_dir::{self, Model, RunDir};
use crate::cli::scores;
use awl::data::Values;
use awl::engine::{Engine, TaskRecord};
use awl::tables::{Encoder, Predicted, TargetEncoding};
use awl::train::{Run, TaskMetrics, diagnose, metrics};
use awl::{Dataset, Matrix};
use serde_json::{Map, Value, json};
use std::io::Write;

/// What came out.
pub struct Results {
    /// `results.json`.
    json: Value,
    /// The part that the result is judged by, and its metrics.
    judged: Option<(&'static str, usize, Vec<Option<TaskMetrics>>)>,
    warnings: Vec<String>,
}

/// Points of a plot of predictions against labels.
const MOST_POINTS: usize = 500;

/// Judges the best weights and writes model, results and report.
pub async fn finish<E: Engine>(
    training: Run<'_, E>,
    onlooker: &Onlooker<'_>,
    data: &Data,
    adapter: String,
) -> Result<Results, Failure> {
    let progress = training.progress().clone();
    let (mut trainer, weights) = training.finish().await?;
    let recipe = &onlooker.recipe;
    let encoder = &data.encoder;
    let run = onlooker.run;
    let model = Model {
        version: env!("CARGO_PKG_VERSION").into(),
        network: recipe.network.clone(),
        encoder: encoder.clone(),
        text: data.text.clone(),
    };
    run_dir::save(&run.model(), &weights.to_bytes(recipe, &json!(model))?)?;

    let mut parts = Map::new();
    let mut scatter = Value::Object(Map::new());
    let mut judged = None;
    for (name, part) in [("validation", &data.validation), ("test", &data.test)] {
        let Some(part) = part else { continue };
        let predictions = trainer.engine().predict(part.features()).await?;
        let scores = scores::in_units(encoder, metrics(&recipe.network, &predictions, part)?);
        parts.insert(name.into(), scores::as_json(encoder, &scores));
        scatter = points(encoder, part, &predictions)?;
        judged = Some((name, part.rows(), scores));
    }
    let warnings = warnings(onlooker);
    let rows = |part: &Option<Dataset>| part.as_ref().map_or(0, Dataset::rows);
    let tasks: Vec<Value> = encoder
        .targets()
        .iter()
        .map(|target| {
            json!({
                "name": target.name,
                "loss": target.loss.name(),
                "columns": target.columns,
                "classes": scores::classes(&target.encoding),
            })
        })
        .collect();
    let json = json!({
        "best_epoch": progress.best.map_or(progress.epochs, |best| best.epoch),
        "epochs": progress.epochs,
        "steps": trainer.engine().last_step(),
        "seconds": onlooker.seconds(),
        "adapter": adapter,
        "rows": {
            "train": data.training.rows(),
            "validation": rows(&data.validation),
            "test": rows(&data.test),
        },
        "tasks": tasks,
        "parts": parts,
        "scatter": scatter,
        "warnings": warnings,
    });
    run_dir::save(&run.results(), format!("{json:#}\n").as_bytes())?;
    let report = awl::report::html(run.path()).map_err(Failure::at_run_time)?;
    run_dir::save(&run.report(), report.as_bytes())?;
    Ok(Results { json, judged, warnings })
}

/// What became of σ.
fn warnings(onlooker: &Onlooker<'_>) -> Vec<String> {
    let (Some(last), Some(epoch)) = (&onlooker.last, &onlooker.last_epoch) else {
        return Vec::new();
    };
    let tasks = last.tasks.iter().zip(&epoch.losses);
    let tasks: Vec<TaskRecord> = tasks.map(|(&task, &loss)| TaskRecord { loss, ..task }).collect();
    diagnose(&onlooker.tasks, &onlooker.start, &tasks)
}

/// Labels and predictions of the tasks of numbers, in their own units: `{task: {column: [[label, prediction], …]}}`.
fn points(encoder: &Encoder, part: &Dataset, predictions: &Matrix) -> Result<Value, Failure> {
    let mut tasks = Map::new();
    let mut offset = 0;
    for (target, labels) in encoder.targets().iter().zip(part.targets()) {
        let own = offset..offset + target.width();
        offset = own.end;
        let (TargetEncoding::Numbers(scalings), Values::Numbers(values)) =
            (&target.encoding, labels.values())
        else {
            continue;
        };
        let labelled: Vec<usize> = (0..part.rows()).filter(|&row| labels.has_label(row)).collect();
        let every = labelled.len().div_ceil(MOST_POINTS).max(1);
        let mut columns: Vec<Vec<Value>> = vec![Vec::new(); target.columns.len()];
        for &row in labelled.iter().step_by(every) {
            let predicted = target.decode(&predictions.row(row)[own.clone()])?;
            for (column, predicted) in predicted.into_iter().enumerate() {
                let Predicted::Number(predicted) = predicted else { continue };
                let label = scalings[column].restore(values.row(row)[column].into());
                columns[column].push(json!([label, predicted]));
            }
        }
        let columns: Map<_, Value> =
            target.columns.iter().cloned().zip(columns.into_iter().map(Value::from)).collect();
        tasks.insert(target.name.clone(), columns.into());
    }
    Ok(tasks.into())
}

/// Says what came out: on stdout, for people or as JSON.
pub fn show(
    arguments: &Arguments,
    run: &RunDir,
    data: &Data,
    results: &Results,
) -> Result<(), Failure> {
    results.warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
    let mut out = std::io::stdout().lock();
    // A reader who has seen enough closes the pipe; that is no failure.
    let _ = if arguments.json {
        let mut json = results.json.clone();
        json["run"] = run.path().display().to_string().into();
        writeln!(out, "{json:#}")
    } else {
        write!(out, "{}", text(run, data, results))
    };
    Ok(())
}

fn text(run: &RunDir, data: &Data, results: &Results) -> String {
    let json = &results.json;
    let seconds = json["seconds"].as_f64().unwrap_or_default();
    let (best, epochs) = (&json["best_epoch"], &json["epochs"]);
    let mut text = format!("trained {epochs} epochs in {seconds:.1} s; the best was {best}\n");
    if let Some((name, rows, scores)) = &results.judged {
        text += &format!("\n{name}, {rows} rows\n{}", scores::table(&data.encoder, scores));
    }
    text + &format!("\nmodel and report: {}, {}\n", run.model().display(), run.report().display())
}
