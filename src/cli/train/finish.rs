//! The end of a run: the best weights, judged on the rows that no choice was made on; the model, the results, the report.

use super::config::Config;
use super::data::{Data, Part};
use super::explained::explain;
use super::judged::{Judged, PartFigures, judge_members, of_member};
use super::noise;
use super::thresholds;
use super::watch::Onlooker;
use crate::cli::baselines;
use crate::cli::calibrated;
use crate::cli::failure::Failure;
use crate::cli::model::Model;
use crate::cli::run_dir;
use crate::cli::scores;
use awl::engine::Engine;
use awl::tables::{Encoder, NumberEncoding, Predicted, ReadOptions, TargetEncoding, Transform};
use awl::train::uncertainty::NumberCalibration;
use awl::train::{Baselines, HomoscedasticNoise, Progress, Run, Weighed, Weights};
use awl::{Matrix, Recipe};
use serde_json::{Map, Value, json};

/// What came out.
pub struct Results<'a> {
    /// `results.json`.
    pub json: Value,
    pub judged: Judged<'a>,
    /// How the tasks are weighed, of several networks on average.
    pub weighed: Vec<Weighed>,
    /// The noise that the weights stand for.
    pub noise: Vec<HomoscedasticNoise>,
    /// Whether the intervals of numbers hold what they promise on the last part.
    pub calibration: Vec<NumberCalibration>,
    /// What went wrong or is not what it seems, told at the end.
    pub warnings: Vec<String>,
    /// Why the run is a failure, if it is.
    pub diverged: Option<String>,
}

impl Results<'_> {
    /// `results.json`
    pub fn json(&self) -> &Value {
        &self.json
    }
}

/// Points of a plot of predictions against labels.
const MOST_POINTS: usize = 500;

/// Judges the best weights and writes model, results and report. `baselines` are those of these rows, where they were fitted already.
pub async fn finish<'a, E: Engine>(
    training: Run<'_, E>,
    onlooker: &Onlooker<'_>,
    data: &'a Data,
    baselines: Option<Baselines>,
    adapter: String,
    config: &Config,
) -> Result<Results<'a>, Failure> {
    let progress = training.progress().to_vec();
    let (mut trainer, weights) = training.finish().await?;
    let run = onlooker.run;
    let model = |encoder: &Encoder, members: &[usize], diverged: Option<String>| {
        model_bytes(onlooker, data, encoder, &weights, members, diverged)
    };
    let members: Vec<usize> =
        (0..weights.len()).filter(|&member| weights[member].is_some()).collect();
    run_dir::save(&run.model(), &model(&data.encoder, &members, None)?)?;
    // Fitted once: the same rows give the same models.
    let mut baselines = baselines.map_or_else(|| data.baselines(), Ok)?;
    thresholds::of_linear(&mut baselines, data)?;
    baselines::save(run, &baselines)?;
    let unfitted = baselines.unfitted.iter().map(|task| {
        format!("task \"{task}\" has no linear model beside it, whose weights would be too many")
    });
    let unfitted: Vec<String> = unfitted.collect();
    let mut judged = judge_members(&mut trainer, &members, data, &baselines).await?;
    let diverged = judged.diverged();
    let noise = noise::measure(&mut trainer, &judged.kept, data, &judged.encoder).await?;
    judged.encoder = noise.encoder;
    if judged.encoder != data.encoder || diverged.is_some() || judged.kept.len() < members.len() {
        let model = model(&judged.encoder, &judged.kept, diverged.clone())?;
        run_dir::save(&run.model(), &model)?;
    }
    if !noise.scores.is_empty() {
        run_dir::save(&run.calibration(), &noise.scores.to_bytes()?)?;
    }
    let calibration = match judged.parts.last() {
        Some(last) => {
            let rows = (&last.part.table, last.part.data.features());
            // Those of the validation rows have made the scores.
            let scores = (last.name == "test" && !noise.scores.is_empty()).then_some(&noise.scores);
            let predict =
                async |member, rows: &Matrix| trainer.engine().predict_by(member, rows).await;
            calibrated::figures(&judged.encoder, rows, scores, &judged.kept, predict).await?
        }
        None => Vec::new(),
    };
    let explained = explain(&mut trainer, data, &judged).await;
    let mut warnings = judged.warnings.clone();
    warnings.extend(noise.warnings);
    warnings.extend(explained.warnings);
    warnings.extend(unfitted);
    warnings.extend(sigma_warnings(onlooker));
    warnings.extend(left_out(&progress, &judged));
    warnings.extend(still_improving(onlooker, &progress));
    warnings.extend(nothing_learned(&progress));
    if let Some(last) = judged.parts.last() {
        warnings.extend(scores::notes(&judged.encoder, &last.judgements));
        warnings.extend(scores::against(&judged.encoder, &last.judgements, &last.baselines));
    }
    let told: Vec<&String> = data.told.warnings.iter().chain(&warnings).chain(&diverged).collect();
    let weighed = |member: usize| {
        let weights = weights[member].as_ref();
        let weighting = &onlooker.recipes[member].weighting;
        let losses = &progress[member].kept_losses;
        weights.map(|it| Weighed::all(weighting, &it.sigma, losses)).unwrap_or_default()
    };
    let of_each: Vec<Vec<Weighed>> = (0..weights.len()).map(weighed).collect();
    let kept: Vec<Vec<Weighed>> = judged.kept.iter().map(|&it| of_each[it].clone()).collect();
    let together = Weighed::means(&kept);
    let mut json = as_json(onlooker, data, &progress, &judged, adapter, &told)?;
    json["weights"] = weighed_json(data, &together);
    let apart = judged.parts.last().map(|last| &last.judgements[..]);
    let noise = HomoscedasticNoise::all(&judged.encoder, &together, apart);
    json["homoscedastic_noise"] = json!(noise);
    json["calibration"] = json!(calibration);
    json["parts"]["train"] = explained.training;
    json["by_class"] = explained.by_class;
    json["importance"] = explained.importance;
    provenance(&mut json, onlooker, config)?;
    for (member, own) in of_each.iter().enumerate().filter(|_| of_each.len() > 1) {
        json["members"][member]["weights"] = weighed_json(data, own);
    }
    run_dir::save(&run.results(), format!("{json:#}\n").as_bytes())?;
    let report = awl::report::html(run.path()).map_err(Failure::at_run_time)?;
    run_dir::save(&run.report(), report.as_bytes())?;
    Ok(Results { json, judged, weighed: together, noise, calibration, warnings, diverged })
}

/// When, from what and how: enough to make the run again, and to know it again. The date alone differs between equal runs.
fn provenance(json: &mut Value, onlooker: &Onlooker<'_>, config: &Config) -> Result<(), Failure> {
    let now = jiff::Timestamp::now().as_second();
    let date = jiff::Timestamp::from_second(now).map(|date| date.to_string());
    json["date"] = date.unwrap_or_default().into();
    json["fingerprint"] = onlooker.fingerprint.clone().into();
    json["seed"] = config.train.seed.into();
    json["split_seed"] = config.data.split_seed.unwrap_or(config.train.seed).into();
    json["config"] = config.to_json()?;
    Ok(())
}

/// How each task is weighed.
fn weighed_json(data: &Data, weighed: &[Weighed]) -> Value {
    let names = data.encoder.targets().iter().map(|target| target.name.clone());
    let task = |(name, it): (String, &Weighed)| {
        let mut task = json!(it);
        task["at_rest"] = json!(it.is_at_rest());
        (name, task)
    };
    names.zip(weighed).map(task).collect::<Map<_, _>>().into()
}

/// The model's file: the weights of these members, and what predictions need beside them.
fn model_bytes(
    onlooker: &Onlooker<'_>,
    data: &Data,
    encoder: &Encoder,
    weights: &[Option<Weights>],
    members: &[usize],
    diverged: Option<String>,
) -> Result<Vec<u8>, Failure> {
    let of = |&member: &usize| {
        let weights = weights[member].clone()?;
        Some((weights, onlooker.recipes[member].clone()))
    };
    let (weights, recipes): (Vec<Weights>, Vec<Recipe>) = members.iter().filter_map(of).unzip();
    let model = Model {
        version: env!("CARGO_PKG_VERSION").into(),
        network: recipes[0].network.clone(),
        members: members.len(),
        encoder: encoder.clone(),
        reading: ReadOptions {
            text: data.text.clone(),
            formats: data.formats.clone(),
            ..onlooker.reading.clone()
        },
        group: data.group.clone(),
        steps: onlooker.steps().into_iter().max(),
        diverged,
    };
    Ok(Weights::fleet_to_bytes(&weights, &recipes, &json!(model))?)
}

/// Whether no epoch answered the validation rows better than the linear model that training started from.
fn nothing_learned(progress: &[Progress]) -> Option<String> {
    let is_start = |it: &&Progress| it.epochs > 0 && it.best.is_some_and(|best| best.epoch == 0);
    let who = match (progress.iter().filter(is_start).count(), progress.len()) {
        (0, _) => return None,
        (_, 1) => "the network is".to_string(),
        (some, all) => format!("{some} of {all} networks are"),
    };
    Some(format!(
        "{who} still the linear model of the start, than which no epoch was better on the validation rows: more rows, a lower --lr, or \
         --start random may do better, and a linear model may be all that the table supports"
    ))
}

/// Whether the validation rows were still answered better when the epochs were over.
fn still_improving(onlooker: &Onlooker<'_>, progress: &[Progress]) -> Option<String> {
    let epochs = onlooker.epochs;
    let at_its_end = |it: &&Progress| {
        let is_late = |epoch: usize| epoch > 0 && epoch + FEW >= epochs;
        it.epochs == epochs && it.best.is_some_and(|best| is_late(best.epoch))
    };
    let still = progress.iter().filter(at_its_end).count();
    let who = match (still, progress.len()) {
        (0, _) => return None,
        (_, 1) => "the best epoch is among the last".to_string(),
        (still, all) => format!("the best epoch of {still} of {all} networks is among the last"),
    };
    let more = match &onlooker.name {
        // One of several does not go on alone.
        Some(_) => format!("--epochs {}", 2 * epochs),
        None => {
            format!("awl train --resume {} --epochs {}", onlooker.run.path().display(), 2 * epochs)
        }
    };
    Some(format!("{who}: more may be better: {more}"))
}

/// Epochs at the end that are among the last.
pub const FEW: usize = 2;

/// Who is not in the model, and why.
fn left_out(progress: &[Progress], judged: &Judged<'_>) -> Vec<String> {
    let is_kept = |member: usize| judged.kept.contains(&member);
    let failed = progress.iter().enumerate().filter_map(|(member, progress)| {
        let why = progress.failure.as_ref()?;
        Some(format!("member {member} stopped and is left out of the model: {why}"))
    });
    let diverged = judged.alone.iter().filter(|it| !is_kept(it.member)).filter_map(|it| {
        let why = it.diverged.as_ref()?;
        Some(format!("member {} diverged and is left out of the model: {why}", it.member))
    });
    failed.chain(diverged).collect()
}

/// `results.json`.
fn as_json(
    onlooker: &Onlooker<'_>,
    data: &Data,
    progress: &[Progress],
    judged: &Judged<'_>,
    adapter: String,
    warnings: &[&String],
) -> Result<Value, Failure> {
    let encoder = &judged.encoder;
    let [training, validation, test] = data.sizes();
    let tasks = encoder.targets().iter().map(|target| {
        let mut task = json!({
            "name": target.name,
            "loss": target.loss.name(),
            "columns": target.columns,
            "classes": scores::classes(&target.encoding),
        });
        let transform = target.encoding.numbers().first().map(NumberEncoding::transform);
        if let Some(transform) = transform.filter(|it| *it != Transform::None) {
            task["transform"] = transform.name().into();
        }
        if let Some(chosen) = judged.thresholds.iter().find(|it| it.task == target.name) {
            task["threshold"] = chosen.json();
        }
        task
    });
    let parts = judged.parts.iter();
    let parts: Map<_, _> =
        parts.map(|it| (it.name.to_string(), scores::as_json(encoder, &it.judgements))).collect();
    let scatter = match judged.parts.last() {
        Some(PartFigures { part, predictions, .. }) => points(encoder, part, predictions)?,
        None => json!({}),
    };
    let steps = onlooker.steps();
    let mut json = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "epochs": progress.iter().map(|it| it.epochs).max(),
        "steps": steps.iter().max(),
        "seconds": onlooker.seconds(),
        "adapter": adapter,
        "rows": {
            "train": training,
            "validation": validation,
            "test": test,
        },
        "tasks": tasks.collect::<Vec<_>>(),
        "parts": parts,
        "baselines": of_baselines(encoder, judged),
        "intervals": judged.parts.last().map(|it| scores::intervals(encoder, &it.intervals)),
        "group": data.group,
        "scatter": scatter,
        "choices": data.told.choices,
        "warnings": warnings,
        "data": data.told.data,
    });
    match progress {
        [one] => {
            json["best_epoch"] = json!(one.best.map(|best| best.epoch));
            json["kept_epoch"] = json!(one.kept_epoch());
        }
        several => {
            let member = |(member, progress): (usize, &Progress)| {
                let alone = judged.alone.iter().find(|it| it.member == member);
                json!({
                    "member": member,
                    "seed": onlooker.recipes[member].seed,
                    "epochs": progress.epochs,
                    "steps": steps[member],
                    "best_epoch": progress.best.map(|best| best.epoch),
                    "kept_epoch": progress.kept_epoch(),
                    "failure": progress.failure.as_ref().or(alone.and_then(|it| it.diverged.as_ref())),
                    "parts": alone.map(|alone| judged.figures_of(encoder, alone)),
                })
            };
            json["members"] = several.iter().enumerate().map(member).collect();
        }
    }
    Ok(json)
}

/// Figures of the baselines, by their names and the parts'.
fn of_baselines(encoder: &Encoder, judged: &Judged<'_>) -> Value {
    let of = |(index, name): (usize, &str)| {
        let parts = judged.parts.iter();
        let figures = parts
            .map(|part| (part.name.to_string(), scores::as_json(encoder, &part.baselines[index])));
        (name.to_string(), Value::from(figures.collect::<Map<_, _>>()))
    };
    baselines::NAMES.into_iter().enumerate().map(of).collect::<Map<_, _>>().into()
}

/// What became of σ: of many members, what the first has to tell of.
fn sigma_warnings(onlooker: &Onlooker<'_>) -> Vec<String> {
    let members: Vec<usize> = (0..onlooker.recipes.len()).collect();
    let told = members.iter().map(|&member| (member, onlooker.diagnose(member)));
    let told: Vec<(usize, Vec<String>)> = told.filter(|(_, told)| !told.is_empty()).collect();
    let Some((first, words)) = told.first() else { return Vec::new() };
    let words = words.iter().cloned().map(|words| of_member(&members, *first, words));
    let others = match told.len() - 1 {
        0 => None,
        1 => Some("1 more member has something to tell of its σ".to_string()),
        others => Some(format!("{others} more members have something to tell of their σ")),
    };
    words.chain(others).collect()
}

/// Labels and predictions of the tasks of numbers, in their own units: `{task: {column: [[label, prediction], …]}}`.
fn points(encoder: &Encoder, part: &Part, predictions: &Matrix) -> Result<Value, Failure> {
    let mut tasks = Map::new();
    let mut offset = 0;
    for (target, labels) in encoder.targets().iter().zip(part.data.targets()) {
        let own = offset..offset + target.outputs();
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
