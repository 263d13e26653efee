//! How much each row counts: a column that the user names.

use super::Told;
use super::features::in_table;
use crate::cli::failure::Failure;
use awl::{Encoder, Table};

/// Rows that tell less than this part of what as many of equal weight would are warned of.
const UNEVEN: f64 = 0.1;

/// The encoder with the rows weighed by a column, where one is named.
pub fn weigh(
    encoder: Encoder,
    column: Option<&str>,
    training: &Table,
    validation: Option<&Table>,
    told: &mut Told,
) -> Result<Encoder, Failure> {
    let Some(column) = column else { return Ok(encoder) };
    let column = &in_table(training, column);
    let encoder = encoder.weighted_by(training, column)?;
    let weights = encoder.weights_of(training)?.unwrap_or_default();
    told.choices.push(summary(column, &weights));
    let of_validation = validation.map(|table| encoder.weights_of(table)).transpose()?.flatten();
    if of_validation.is_some_and(|weights| weights.iter().all(|&weight| weight == 0.0)) {
        told.warnings.push(format!(
            "no validation row has a weight in \"{column}\": nothing chooses the epoch, and the last one is kept"
        ));
    }
    let alike = effective(&weights);
    if alike < UNEVEN * weights.len() as f64 {
        told.warnings.push(format!(
            "the weights in \"{column}\" are so uneven that {} rows tell about as much as {alike:.0} would: look for a wrong one",
            weights.len()
        ));
    }
    if weights.iter().all(|&weight| weight == weights[0]) {
        told.warnings.push(format!(
            "every training row has the same weight in \"{column}\": it changes nothing"
        ));
    }
    Ok(encoder)
}

/// `weights of the rows by "cases": 1 to 12, 241 rows that teach like 103 of equal weight; 3 weigh nothing`.
fn summary(column: &str, weights: &[f64]) -> String {
    let some = weights.iter().copied().filter(|&weight| weight > 0.0);
    let lowest = some.clone().fold(f64::INFINITY, f64::min);
    let highest = some.clone().fold(0.0, f64::max);
    let none = weights.len() - some.count();
    let nothing = match none {
        0 => String::new(),
        1 => "; 1 weighs nothing".into(),
        _ => format!("; {none} weigh nothing"),
    };
    format!(
        "weights of the rows by \"{column}\": {} to {}, {} rows to train on that tell about as much as {:.0} of equal \
         weight{nothing}; they count in losses, while accuracy and all other figures take every row alike",
        short(lowest),
        short(highest),
        weights.len(),
        effective(weights)
    )
}

/// Kish's effective sample size, `(Σ w)²/Σ w²`.
fn effective(weights: &[f64]) -> f64 {
    // Brought to 1 at most, so that no square is infinite.
    let highest = weights.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let relative = weights.iter().map(|weight| weight / highest);
    relative.clone().sum::<f64>().powi(2) / relative.map(|weight| weight * weight).sum::<f64>()
}

fn short(weight: f64) -> String {
    if (1e-4..1e7).contains(&weight) { weight.to_string() } else { format!("{weight:e}") }
}
