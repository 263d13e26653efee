//! Figures of the answers of all runs together, as `out_of_fold.csv` has them.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Accuracy and macro F1 of labels and answers.
pub fn pooled_classes(pairs: &[(&str, &str)]) -> Value {
    if pairs.is_empty() {
        return Value::Null;
    }
    // Of each class: right answers, labels, answers.
    let mut counts: BTreeMap<&str, [f64; 3]> = BTreeMap::new();
    for (label, answer) in pairs {
        counts.entry(label).or_default()[1] += 1.0;
        counts.entry(answer).or_default()[2] += 1.0;
        counts.entry(label).or_default()[0] += f64::from(u8::from(label == answer));
    }
    let right: f64 = counts.values().map(|it| it[0]).sum();
    let f1: f64 =
        counts.values().map(|[right, labels, answers]| 2.0 * right / (labels + answers)).sum();
    json!({
        "labelled": pairs.len(),
        "accuracy": right / pairs.len() as f64,
        "macro_f1": f1 / counts.len() as f64,
    })
}

/// Errors of answers among numbers, and R² about the labels' mean.
pub fn pooled_numbers(pairs: &[(&str, &str)]) -> Value {
    let parsed = pairs.iter().filter_map(|(label, answer)| {
        Some((label.parse::<f64>().ok()?, answer.parse::<f64>().ok()?))
    });
    let pairs: Vec<(f64, f64)> = parsed.collect();
    if pairs.is_empty() {
        return Value::Null;
    }
    let count = pairs.len() as f64;
    let mean = pairs.iter().map(|(label, _)| label).sum::<f64>() / count;
    let squares: f64 = pairs.iter().map(|(label, answer)| (label - answer).powi(2)).sum();
    let variation: f64 = pairs.iter().map(|(label, _)| (label - mean).powi(2)).sum();
    let absolute: f64 = pairs.iter().map(|(label, answer)| (label - answer).abs()).sum();
    json!({
        "labelled": pairs.len(),
        "rmse": (squares / count).sqrt(),
        "mae": absolute / count,
        "r2": (variation > 0.0).then(|| 1.0 - squares / variation),
    })
}
