//! The end of a run: the best weights, judged on the rows that no choice was made on; the model, the results, the report.

use super::Arguments;
use super::data::{Data, Part};
use super::watch::Onlooker;
use crate::cli::failure::Failure;
use crate::cli::run_dir::{self, Model, RunDir};
use crate::cli::scores;
use awl::Matrix;
use awl::data::Values;
use awl::engine::{Engine, TaskRecord};
use awl::tables::{
    Encoder, FeatureEncoding, Predicted, ReadOptions, Scaling, TargetColumn, TargetEncoding,
};
use awl::train::{Judgement, Run, TaskMetrics, diagnose, judge};
use serde_json::{Map, Value, json};
use std::io::Write;

/// What came out.
pub struct Results {
    /// `results.json`.
    json: Value,
    /// The part that the result is judged by, its number of rows, and its figures.
    judged: Option<(&'static str, usize, Vec<Judgement>)>,
    /// What went wrong or is not what it seems, told at the end.
    warnings: Vec<String>,
    /// Why the run is a failure, if it is.
    pub diverged: Option<String>,
}

/// Errors larger than this, in standard deviations of the training labels, are no result: always answering the mean is wrong
/// by one.
const DIVERGED_ERROR: f64 = 100.0;
/// As large a logarithm of the probability given to the labels, on average, is none either.
const DIVERGED_LOG_LOSS: f64 = 100.0;

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
    let mut model = Model {
        version: env!("CARGO_PKG_VERSION").into(),
        network: recipe.network.clone(),
        encoder: encoder.clone(),
        reading: ReadOptions {
            text: data.text.clone(),
            formats: data.formats.clone(),
            ..onlooker.reading.clone()
        },
        diverged: None,
    };
    run_dir::save(&run.model(), &weights.to_bytes(recipe, &json!(model))?)?;

    let mut parts = Map::new();
    let mut scatter = Value::Object(Map::new());
    let mut judged = None;
    let mut absurd = Vec::new();
    for (name, part) in [("validation", &data.validation), ("test", &data.test)] {
        let Some(part) = part else { continue };
        let predictions = trainer.engine().predict(part.data.features()).await?;
        let judgements = judge(encoder, &part.table, &predictions).map_err(Failure::at_run_time)?;
        parts.insert(name.into(), scores::as_json(encoder, &judgements));
        scatter = points(encoder, part, &predictions)?;
        absurd.extend(absurd_figures(data, name, &judgements));
        judged = Some((name, part.data.rows(), judgements));
    }
    let mut warnings = warnings(onlooker);
    if let Some((_, _, judgements)) = &judged {
        warnings.extend(scores::notes(encoder, judgements));
    }
    // Rows with extreme features are answered absurdly by a good network too; the rows that it learned from are not.
    let diverged = if absurd.is_empty() {
        None
    } else {
        let metrics = trainer.evaluate(&data.training).await.map_err(Failure::at_run_time)?;
        let figures = scores::in_units(encoder, metrics).into_iter();
        let judgements: Vec<Judgement> =
            figures.map(|it| it.map_or(Judgement::Unlabelled, Judgement::Figures)).collect();
        let is_absurd = !absurd_figures(data, "training", &judgements).is_empty();
        let figures = absurd.join("; ");
        if is_absurd {
            // Of numbers far from 0, no learning rate helps.
            let raw = encoder
                .targets()
                .iter()
                .flat_map(|it| it.encoding.scalings())
                .any(|it| *it == Scaling::NONE)
                || encoder.feature_columns().iter().any(|it| {
                    matches!(it.encoding, FeatureEncoding::Number { scaling: Scaling::NONE, .. })
                });
            let remedy = match raw {
                true => {
                    "standardise features and targets (without --no-standardize), or lower the learning rate (--lr)"
                }
                false => "lower the learning rate (--lr), or scale gradients down (--clip 1)",
            };
            Some(format!("the run diverged: {figures}: {remedy}"))
        } else {
            warnings.push(format!(
                "{figures}: look for rows with extreme features, since training rows are answered well"
            ));
            None
        }
    };
    if diverged.is_some() {
        model.diverged.clone_from(&diverged);
        run_dir::save(&run.model(), &weights.to_bytes(recipe, &json!(model))?)?;
    }
    let rows = |part: &Option<Part>| part.as_ref().map_or(0, |part| part.data.rows());
    let all_warnings: Vec<&String> =
        data.told.warnings.iter().chain(&warnings).chain(&diverged).collect();
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
        "version": env!("CARGO_PKG_VERSION"),
        "best_epoch": progress.best.map(|best| best.epoch),
        "kept_epoch": progress.best.map_or(progress.epochs, |best| best.epoch),
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
        "choices": data.told.choices,
        "warnings": all_warnings,
        "data": data.told.data,
    });
    run_dir::save(&run.results(), format!("{json:#}\n").as_bytes())?;
    let report = awl::report::html(run.path()).map_err(Failure::at_run_time)?;
    run_dir::save(&run.report(), report.as_bytes())?;
    Ok(Results { json, judged, warnings, diverged })
}

/// What is absurd among the figures of a part: answers far beyond all labels.
fn absurd_figures(data: &Data, part: &str, judgements: &[Judgement]) -> Vec<String> {
    let targets = data.encoder.targets().iter().zip(data.training.targets()).zip(judgements);
    let is_far = |((target, labels), judgement): ((&TargetColumn, &awl::Target), &Judgement)| {
        let (name, far) = (&target.name, judgement.figures()?);
        match far {
            TaskMetrics::Classification(it) => {
                let loss = it.scores.log_loss.filter(|loss| *loss > DIVERGED_LOG_LOSS)?;
                Some(format!("log loss of \"{name}\" is {loss:.3e} on the {part} part"))
            }
            TaskMetrics::Regression(it) => {
                let fits =
                    if it.columns.is_empty() { std::slice::from_ref(&it.fit) } else { &it.columns };
                let scalings = target.encoding.scalings().iter().enumerate();
                let mut pairs = fits.iter().zip(scalings);
                let (fit, _) = pairs.find(|(fit, (column, scaling))| {
                    fit.rmse > DIVERGED_ERROR * deviation(scaling, labels, *column)
                })?;
                let r2 = fit.r2.map_or(String::new(), |r2| format!(", R² {r2:.3e}"));
                Some(format!("\"{name}\" is off by {:.3e} on the {part} part{r2}", fit.rmse))
            }
        }
    };
    targets.filter_map(is_far).collect()
}

/// The standard deviation of a column of training labels, in its own unit.
fn deviation(scaling: &Scaling, labels: &awl::Target, column: usize) -> f64 {
    if *scaling != Scaling::NONE {
        return scaling.std;
    }
    let Values::Numbers(matrix) = labels.values() else { return f64::INFINITY };
    let rows = (0..matrix.rows()).filter(|&row| labels.has_label(row));
    let values: Vec<f64> = rows.map(|row| f64::from(matrix.row(row)[column])).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

/// What became of σ.
fn warnings(onlooker: &Onlooker<'_>) -> Vec<String> {
    let (Some(last), Some(epoch)) = (&onlooker.last, &onlooker.last_epoch) else {
        return Vec::new();
    };
    let tasks = last.tasks.iter().zip(&epoch.losses);
    let tasks: Vec<TaskRecord> = tasks.map(|(&task, &loss)| TaskRecord { loss, ..task }).collect();
    diagnose(&onlooker.tasks, onlooker.recipe.weighting.form(), &onlooker.paths, &tasks)
}

/// Labels and predictions of the tasks of numbers, in their own units: `{task: {column: [[label, prediction], …]}}`.
fn points(encoder: &Encoder, part: &Part, predictions: &Matrix) -> Result<Value, Failure> {
    let mut tasks = Map::new();
    let mut offset = 0;
    for (target, labels) in encoder.targets().iter().zip(part.data.targets()) {
        let own = offset..offset + target.width();
        offset = own.end;
        let TargetEncoding::Numbers(_) = &target.encoding else { continue };
        let numbers = target.columns.iter().map(|name| part.table.numbers(name));
        let numbers: Vec<_> = numbers.collect::<Result<_, _>>()?;
        let labelled: Vec<usize> =
            (0..part.data.rows()).filter(|&row| labels.has_label(row)).collect();
        let every = labelled.len().div_ceil(MOST_POINTS).max(1);
        let mut columns: Vec<Vec<Value>> = vec![Vec::new(); target.columns.len()];
        for &row in labelled.iter().step_by(every) {
            let predicted = target.decode(&predictions.row(row)[own.clone()])?;
            for (column, predicted) in predicted.into_iter().enumerate() {
                let Predicted::Number(predicted) = predicted else { continue };
                columns[column].push(json!([numbers[column][row], predicted]));
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
    let epochs = &json["epochs"];
    let kept = match json["best_epoch"].as_u64() {
        Some(best) => format!("the best was {best}"),
        None => "the last one's weights are kept".into(),
    };
    let mut text = format!("trained {epochs} epochs in {seconds:.1} s; {kept}\n");
    if let Some((name, rows, judgements)) = &results.judged {
        text += &format!("\n{name}, {rows} rows\n{}", scores::table(&data.encoder, judgements));
    }
    text + &format!("\nmodel and report: {}, {}\n", run.model().display(), run.report().display())
}
