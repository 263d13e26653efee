//! What came out of a run, for people and programs.

use super::Arguments;
use super::data::Data;
use super::finish::Results;
use crate::cli::failure::Failure;
use crate::cli::run_dir::RunDir;
use crate::cli::terminal::printable;
use crate::cli::{calibrated, scores, sureness};
use std::io::Write;

/// Says what came out: on stdout, for people or as JSON.
pub fn show(
    arguments: &Arguments,
    run: &RunDir,
    data: &Data,
    results: &Results<'_>,
) -> Result<(), Failure> {
    results.warnings.iter().for_each(|warning| eprintln!("warning: {}", printable(warning)));
    let mut out = std::io::stdout().lock();
    // A reader who has seen enough closes the pipe; that is no failure.
    let _ = if arguments.json {
        let mut json = results.json.clone();
        json["run"] = run.path().display().to_string().into();
        writeln!(out, "{json:#}")
    } else {
        write!(out, "{}", printable(&text(run, data, results)))
    };
    Ok(())
}

fn text(run: &RunDir, data: &Data, results: &Results<'_>) -> String {
    let Results { json, judged, weighed, noise, calibration, .. } = results;
    let seconds = json["seconds"].as_f64().unwrap_or_default();
    let epochs = &json["epochs"];
    let mut text = match json["members"].as_array() {
        Some(members) => {
            let kept = members.iter().filter_map(|it| it["kept_epoch"].as_u64());
            let kept = match (kept.clone().min(), kept.max()) {
                (Some(first), Some(last)) if first < last => format!("epochs {first} to {last}"),
                (_, last) => format!("epoch {}", last.unwrap_or_default()),
            };
            let networks = members.len();
            format!(
                "trained {networks} networks, {epochs} epochs at most, in {seconds:.1} s; each one's best is kept, of {kept}\n"
            )
        }
        None => {
            let kept = match json["best_epoch"].as_u64() {
                Some(best) if json["best_epoch"] == json["epochs"] => {
                    format!("the best was {best}, the last one")
                }
                Some(0) => {
                    "none was better than the linear model that it started from, which is kept"
                        .into()
                }
                Some(best) => format!("the best was {best}"),
                None if *epochs == 0 => "the weights are those of the start".into(),
                None => "the last one's weights are kept".into(),
            };
            format!("trained {epochs} epochs in {seconds:.1} s; {kept}\n")
        }
    };
    if let Some(sentence) = data.told.refit.as_ref() {
        text += &format!("{sentence}\n");
    }
    if let Some(last) = judged.parts.last() {
        let (name, rows) = (last.name, last.part.data.rows());
        let beside =
            scores::Beside { baselines: Some(&last.baselines), intervals: &last.intervals };
        let table = scores::table(&judged.encoder, &last.judgements, &beside);
        let together = match judged.kept.len() {
            1 => String::new(),
            networks => format!(", the {networks} networks together"),
        };
        let sure = sureness::words(data.group.as_deref(), &last.intervals);
        text += &format!("\n{name}, {rows} rows{together} ({sure})\n{table}");
        if judged.kept.len() > 1 {
            let alone = judged.alone.iter().filter(|it| judged.kept.contains(&it.member));
            let alone: Vec<_> = alone.filter_map(|it| it.parts.last()).collect();
            text += &format!("\neach alone\n{}", scores::alone(&judged.encoder, &alone));
        }
    }
    for sentence in scores::thresholds(&judged.encoder) {
        text += &format!("{sentence}\n");
    }
    if !weighed.is_empty() {
        text += &format!("\n{}", scores::weights(&data.encoder, weighed));
    }
    if !calibration.is_empty() {
        text += &format!("\n{}", calibrated::text(calibration));
    }
    if !noise.is_empty() {
        let part = judged.parts.last().map(|last| last.name);
        text += &format!("\n{}", scores::noise(noise, part));
    }
    text + &format!("\nmodel and report: {}, {}\n", run.model().display(), run.report().display())
}
