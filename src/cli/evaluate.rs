//! `awl evaluate`: how good a model is on labelled rows.

use super::baselines;
use super::calibrated;
use super::failure::Failure;
use super::far::Strange;
use super::model::Model;
use super::networks::{EngineFlag, Networks};
use super::reading::ReadingFlags;
use super::run_dir::RunDir;
use super::scores;
use super::split_file::{PartName, SplitFile};
use super::sureness;
use super::terminal::printable;
use awl::train::{Judgement, by_class, judge};
use awl::{Dataset, Encoder, Matrix, Table};
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
    /// Only the rows of this part of the run's own table, which is then to be named as DATA.
    #[arg(long, value_enum, value_name = "PART")]
    part: Option<PartName>,
    /// Print JSON: every figure, with confusion matrices.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    engine: EngineFlag,
    #[command(flatten)]
    reading: ReadingFlags,
}

/// Evaluates.
pub fn run(arguments: &Arguments) -> ExitCode {
    match evaluate(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn evaluate(arguments: &Arguments) -> Result<(), Failure> {
    let run = RunDir::open(&arguments.run)?;
    let (model, parameters) = run.load_model()?;
    let Model { encoder, network, .. } = &model;
    let mut table = Table::open_with(&arguments.data, &model.read_options(&arguments.reading))?;
    let mut features = encoder.encode_features(&table)?;
    if let Some(part) = arguments.part {
        let split = SplitFile::read(&run.split())?;
        let rows = split.rows_of(part, &table, &features)?;
        split.check_found(part, rows.len(), table.name())?;
        table = table.select(&rows);
        features = encoder.encode_features(&table)?;
    }
    let mut alone = Vec::new();
    let scores = calibrated::scores(&run)?;
    let (predictions, calibration) = block_on(async {
        let networks = Networks::of(&run, arguments.engine, network, &parameters).await?;
        let take = |predictions: &Matrix| {
            if parameters.len() > 1 {
                alone.push(judge(encoder, &table, predictions)?);
            }
            Ok(())
        };
        let predictions = networks.each(&features, take).await?;
        let members: Vec<usize> = (0..parameters.len()).collect();
        let rows = (&table, &features);
        let predict = async |member, features: &Matrix| networks.by(member, features).await;
        let calibration =
            calibrated::figures(encoder, rows, scores.as_ref(), &members, predict).await?;
        Ok::<_, Failure>((predictions, calibration))
    })?;
    let judgements = judge(encoder, &table, &predictions)?;
    check_judged(&judgements)?;
    let mut warnings = Vec::new();
    let mut strange = Strange::default();
    strange.look(&model, &table)?;
    warnings.extend(run.is_ahead_of(&model));
    warnings.extend(model.diverged.clone());
    warnings.extend(strange.sentences());
    warnings.extend(seen(&run, encoder, features.clone(), &table));
    warnings.extend(scores::notes(encoder, &judgements));
    let of_baselines = match baselines::load(&run, encoder) {
        Ok(Some(baselines)) => Some(baselines::judged(&baselines, encoder, &table, &features)?),
        Ok(None) => None,
        // The network's own figures do not hang on it.
        Err(Failure::Input(why) | Failure::Run(why)) => {
            warnings.push(format!("the baselines are left out: {why}"));
            None
        }
    };
    if let Some(of_baselines) = &of_baselines {
        warnings.extend(scores::against(encoder, &judgements, of_baselines));
    }
    let lacked = encoder.sample_weights().filter(|weights| !table.has(&weights.column));
    warnings.extend(lacked.map(|weights| {
        format!(
            "the table has no column \"{}\", by which training weighed the rows: losses take all rows alike here",
            weights.column
        )
    }));
    warnings.extend(unknown(encoder, &table));
    let group = model.group.as_deref().filter(|group| table.has(group));
    let of_intervals = sureness::of(encoder, &table, &predictions, &judgements, group)?;
    table.reading().sentences().iter().for_each(|sentence| eprintln!("{sentence}"));
    warnings.iter().for_each(|warning| eprintln!("warning: {}", printable(warning)));
    let mut out = std::io::stdout().lock();
    // A reader who has seen enough closes the pipe; that is no failure.
    let _ = if arguments.json {
        let classes =
            encoder.targets().iter().map(|it| (it.name.clone(), scores::classes(&it.encoding)));
        let classes: serde_json::Map<_, _> = classes.collect();
        let mut report = json!({
            "rows": table.rows(),
            "tasks": scores::as_json(encoder, &judgements),
            "classes": classes,
            "warnings": warnings,
        });
        let thresholds = encoder.targets().iter().filter(|target| target.has_thresholds());
        let thresholds = thresholds.map(|target| (target.name.clone(), json!(target.thresholds())));
        report["thresholds"] = thresholds.collect::<serde_json::Map<_, _>>().into();
        let each = by_class(encoder, &table, &predictions)?;
        let each = encoder.targets().iter().zip(each).filter(|(_, columns)| !columns.is_empty());
        let each = each.map(|(target, columns)| (target.name.clone(), json!(columns)));
        report["by_class"] = each.collect::<serde_json::Map<_, _>>().into();
        report["intervals"] = scores::intervals(encoder, &of_intervals);
        report["calibration"] = json!(calibration);
        if let Some(of_baselines) = &of_baselines {
            let named = baselines::NAMES.into_iter().zip(of_baselines);
            let named = named.map(|(name, it)| (name.to_string(), scores::as_json(encoder, it)));
            report["baselines"] = named.collect::<serde_json::Map<_, _>>().into();
        }
        if !alone.is_empty() {
            report["members"] = alone.iter().map(|it| scores::as_json(encoder, it)).collect();
        }
        writeln!(out, "{report:#}")
    } else {
        let mut text = match alone.len() {
            0 => format!("{} rows ({})\n", table.rows(), sureness::words(group, &of_intervals)),
            networks => format!(
                "{} rows, {networks} networks together ({})\n",
                table.rows(),
                sureness::words(group, &of_intervals)
            ),
        };
        let beside = scores::Beside { baselines: of_baselines.as_ref(), intervals: &of_intervals };
        text += &scores::table(encoder, &judgements, &beside);
        for sentence in scores::thresholds(encoder) {
            text += &format!("{sentence}\n");
        }
        if !calibration.is_empty() {
            text += &format!("\n{}", calibrated::text(&calibration));
        }
        if !alone.is_empty() {
            let alone: Vec<_> = alone.iter().collect();
            text += &format!("\neach alone\n{}", scores::alone(encoder, &alone));
        }
        write!(out, "{}", printable(&text))
    };
    Ok(())
}

/// Fails with the first reason if no task at all can be judged.
fn check_judged(judgements: &[Judgement]) -> Result<(), Failure> {
    let impossible = |it: &&Judgement| matches!(it, Judgement::Impossible(_));
    if judgements.iter().all(|it| impossible(&it))
        && let Some(Judgement::Impossible(error)) = judgements.iter().find(impossible)
    {
        return Err(Failure::input(error.to_string()));
    }
    Ok(())
}

/// Names labels of classes that the model does not know, with the class that was meant where only capitals differ.
fn unknown(encoder: &Encoder, table: &Table) -> Vec<String> {
    const MOST: usize = 5;
    let mut sentences = Vec::new();
    for target in encoder.targets() {
        let Ok(unknown) = target.unknown(table) else { continue };
        let known = target.encoding.classes().unwrap_or_default();
        let named = unknown.iter().take(MOST).map(|(label, rows)| {
            let alike = known.iter().find(|class| class.to_lowercase() == label.to_lowercase());
            let meant =
                alike.map_or(String::new(), |class| format!(", like \"{class}\" but for capitals"));
            let label: String = label.chars().take(60).collect();
            format!("\"{label}\" ({rows}{meant})")
        });
        let named = named.collect::<Vec<_>>().join(", ");
        if !named.is_empty() {
            let more = if unknown.len() > MOST {
                format!(" … ({} in all)", unknown.len())
            } else {
                String::new()
            };
            sentences.push(format!(
                "labels of \"{}\" that the model does not know: {named}{more}",
                target.name
            ));
        }
    }
    sentences
}

/// Whether the run was trained on these very rows.
fn seen(run: &RunDir, encoder: &Encoder, features: Matrix, table: &Table) -> Option<String> {
    let seen = run.rows_seen()?;
    // Rows with labels that training could not have had are none of its rows.
    let data = match seen.needs_labels() {
        true => encoder.encode(table).ok()?,
        false => Dataset::new(features, Vec::new()).ok()?,
    };
    let count = seen.count(&data);
    let apart = match run.has_rows_apart() {
        true => format!(": those of rows kept apart are in {}", run.results().display()),
        false => String::new(),
    };
    (count > 0).then(|| {
        format!(
            "{count} of {} rows equal rows that the run was trained on, where figures say nothing of new rows{apart}",
            table.rows()
        )
    })
}
