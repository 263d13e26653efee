//! How good predictions are, as a table for people and as JSON for programs.

use awl::tables::{Encoder, TargetColumn, TargetEncoding};
use awl::train::{ClassScores, Fit, TaskMetrics};
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// The metrics of every task in its columns' own units.
pub fn in_units(encoder: &Encoder, metrics: Vec<Option<TaskMetrics>>) -> Vec<Option<TaskMetrics>> {
    let pairs = encoder.targets().iter().zip(metrics);
    let scaled = pairs.map(|(target, metrics)| {
        let units: Vec<f64> =
            target.encoding.scalings().iter().map(|scaling| scaling.std).collect();
        metrics.map(|metrics| metrics.in_units(&units))
    });
    scaled.collect()
}

/// An object with an entry a task, null for a task without a label.
pub fn as_json(encoder: &Encoder, metrics: &[Option<TaskMetrics>]) -> Value {
    let pairs = encoder.targets().iter().zip(metrics);
    pairs
        .map(|(target, metrics)| (target.name.clone(), json!(metrics)))
        .collect::<Map<_, _>>()
        .into()
}

/// What the rows and columns of a confusion matrix stand for: the classes, or a pair of values a column.
pub fn classes(encoding: &TargetEncoding) -> Value {
    match encoding {
        TargetEncoding::Numbers(_) => Value::Null,
        TargetEncoding::Binary(pairs) if pairs.len() > 1 => json!(pairs),
        _ => json!(encoding.classes()),
    }
}

/// A line a task, the figures of classes and those of numbers under headings of their own.
pub fn table(encoder: &Encoder, metrics: &[Option<TaskMetrics>]) -> String {
    let pairs = || encoder.targets().iter().zip(metrics);
    let names =
        encoder.targets().iter().flat_map(|target| target.columns.iter().chain([&target.name]));
    let width = names.map(|name| name.chars().count()).max().unwrap_or(0).clamp(8, 40);
    let mut text = String::new();
    for (of_classes, heading) in
        [(true, ["accuracy", "macro F1", "AUC", "log loss"]), (false, ["RMSE", "MAE", "R²", ""])]
    {
        let lines: Vec<_> = pairs()
            .filter_map(|(target, metrics)| Some((target, metrics.as_ref()?)))
            .filter(|(_, metrics)| matches!(metrics, TaskMetrics::Classification(_)) == of_classes)
            .collect();
        if lines.is_empty() {
            continue;
        }
        let [a, b, c, d] = heading;
        let _ = writeln!(text, "{:width$} {:>9} {a:>10} {b:>10} {c:>9} {d:>9}", "", "labelled");
        trim_end(&mut text);
        for (target, metrics) in lines {
            line(&mut text, target, metrics, width);
        }
    }
    for (target, _) in pairs().filter(|(_, metrics)| metrics.is_none()) {
        let _ = writeln!(text, "{:width$}  no labels", clipped(&target.name, width));
    }
    text
}

/// A line for the task, or one a column where it has several: columns may have different units.
fn line(text: &mut String, target: &TargetColumn, metrics: &TaskMetrics, width: usize) {
    let labelled = metrics.labelled();
    let mut push = |name: &str, [a, b, c, d]: [String; 4]| {
        let name = clipped(name, width);
        let _ = writeln!(text, "{name:width$} {labelled:>9} {a:>10} {b:>10} {c:>9} {d:>9}");
        trim_end(text);
    };
    let of_classes = |it: &ClassScores| {
        let percent = format!("{:.1} %", 100.0 * it.accuracy);
        [percent, fixed(Some(it.macro_f1)), fixed(it.auc), fixed(Some(it.log_loss))]
    };
    let of_numbers =
        |it: &Fit| [significant(it.rmse), significant(it.mae), fixed(it.r2), String::new()];
    let columns: Vec<[String; 4]> = match metrics {
        TaskMetrics::Classification(it) if it.columns.is_empty() => vec![of_classes(&it.scores)],
        TaskMetrics::Classification(it) => it.columns.iter().map(of_classes).collect(),
        TaskMetrics::Regression(it) if it.columns.is_empty() => vec![of_numbers(&it.fit)],
        TaskMetrics::Regression(it) => it.columns.iter().map(of_numbers).collect(),
    };
    match (&target.columns[..], columns) {
        ([_], figures) => figures.into_iter().for_each(|figures| push(&target.name, figures)),
        (names, figures) => {
            names.iter().zip(figures).for_each(|(name, figures)| push(name, figures))
        }
    }
}

/// Removes the spaces at the end of the last line.
fn trim_end(text: &mut String) {
    let end = text.trim_end().len();
    text.truncate(end);
    text.push('\n');
}

fn clipped(name: &str, width: usize) -> String {
    match name.chars().count() {
        count if count > width => name.chars().take(width - 1).chain(['…']).collect(),
        _ => name.into(),
    }
}

fn fixed(value: Option<f64>) -> String {
    value.map_or("–".into(), |value| format!("{value:.3}"))
}

/// Four digits that count, since units differ: `0.01234`, `312.4`, `1.234e9`.
fn significant(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if !(1e-4..1e7).contains(&size) => format!("{value:.3e}"),
        size => {
            let digits = (3 - size.log10().floor() as i32).max(0) as usize;
            format!("{value:.digits$}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits_that_count() {
        let cases = [
            (312.44, "312.4"),
            (0.012_345, "0.01235"),
            (12_345.6, "12346"),
            (0.0, "0"),
            (1.5e9, "1.500e9"),
        ];
        for (value, expected) in cases {
            assert_eq!(significant(value), expected);
        }
    }
}
