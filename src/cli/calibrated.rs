//! Whether a model's intervals hold what they promise on labelled rows: figures, and what is said of them.

use super::failure::Failure;
use super::run_dir::RunDir;
use super::scores::{clipped, significant};
use awl::tables::{Encoder, Table};
use awl::train::uncertainty::{Calibration, Members, NumberCalibration, Scores, blocks};
use awl::{Matrix, Result};
use std::fmt::Write;
use std::fs;

/// Of every column of numbers whose noise is known, on these rows; `predict` gives a network's predictions for a block of features.
pub async fn figures(
    encoder: &Encoder,
    (table, features): (&Table, &Matrix),
    scores: Option<&Scores>,
    networks: &[usize],
    mut predict: impl AsyncFnMut(usize, &Matrix) -> Result<Matrix>,
) -> Result<Vec<NumberCalibration>> {
    let labels = encoder.encode_numbers(table);
    let mut calibration = Calibration::new(encoder, scores);
    if calibration.is_empty() {
        return Ok(Vec::new());
    }
    for block in blocks(features) {
        let (first, features) = block?;
        let mut predictions = Vec::with_capacity(networks.len());
        for &network in networks {
            predictions.push(predict(network, &features).await?);
        }
        calibration.add(&Members::new(encoder, predictions)?, &labels, first)?;
    }
    Ok(calibration.figures())
}

/// The scores by which the run calibrates intervals, if it has some.
pub fn scores(run: &RunDir) -> Result<Option<Scores>, Failure> {
    let path = run.calibration();
    if !path.exists() {
        return Ok(None);
    }
    let file = path.display().to_string();
    let bytes = fs::read(&path).map_err(|error| format!("{file}: {error}"))?;
    Ok(Some(Scores::from_bytes(&file, &bytes)?))
}

/// A line a column, and one more of calibrated intervals.
pub fn text(figures: &[NumberCalibration]) -> String {
    let names = figures.iter().map(|it| it.column.chars().count());
    let width = names.max().unwrap_or(0).clamp(12, 40);
    let mut text = format!("{:width$}", "intervals of");
    for it in figures.first().map(|it| &it.coverage[..]).unwrap_or_default() {
        let _ = write!(text, " {:>7}", percent(it.level));
    }
    let _ = writeln!(text, " {:>9} {:>9} {:>9}", "error", "NLL", "CRPS");
    for it in figures {
        let _ = write!(text, "{:width$}", clipped(&it.column, width));
        for of in &it.coverage {
            let _ = write!(text, " {:>7}", percent(of.share));
        }
        let optional = |value: Option<f64>| value.map_or("–".into(), significant);
        let [error, nll, crps] = [percent(it.error), optional(it.nll), optional(it.crps)];
        let _ = writeln!(text, " {error:>9} {nll:>9} {crps:>9}");
        if it.coverage.iter().any(|of| of.calibrated.is_some()) {
            let _ = write!(text, "{:width$}", "  calibrated");
            for of in &it.coverage {
                let _ = write!(text, " {:>7}", of.calibrated.map_or("–".into(), percent));
            }
            text.push('\n');
        }
    }
    text + "the share of labels in intervals of that probability; calibrated: as awl predict --calibrate makes them\n"
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
