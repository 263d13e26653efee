//! How good predictions are, as a table for people and as JSON for programs.

mod headline;
mod notes;

pub use self::headline::{alone, brief};
pub use self::notes::{against, notes};

use super::baselines::{NAMES, OfBaselines};
use super::terminal::one_line;
use awl::tables::{Encoder, TargetColumn, TargetEncoding};
use awl::train::{
    ABOUT_NOISE, ClassScores, Fit, HomoscedasticNoise, Intervals, Judgement, TaskMetrics, Weighed,
};
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// An object with an entry a task, null for a task that has no figures.
pub fn as_json(encoder: &Encoder, judgements: &[Judgement]) -> Value {
    by_task(encoder, judgements.iter().map(Judgement::figures))
}

/// The same of metrics.
pub fn by_task<'a>(
    encoder: &Encoder,
    metrics: impl Iterator<Item = Option<&'a TaskMetrics>>,
) -> Value {
    let pairs = encoder.targets().iter().zip(metrics);
    pairs
        .map(|(target, metrics)| (target.name.clone(), json!(metrics)))
        .collect::<Map<_, _>>()
        .into()
}

/// R² in three digits, be it ever so far below 0.
pub fn rounded(r2: f64) -> String {
    if r2 > -1e3 { format!("{r2:.3}") } else { format!("{r2:.3e}") }
}

/// What the rows and columns of a confusion matrix stand for: the classes, or a pair of values a column.
pub fn classes(encoding: &TargetEncoding) -> Value {
    match encoding {
        TargetEncoding::Numbers(_) => Value::Null,
        TargetEncoding::Binary(pairs) if pairs.len() > 1 => json!(pairs),
        _ => json!(encoding.classes()),
    }
}

/// Letters of a name in a sentence, at most.
const MOST_LETTERS: usize = 40;

/// By what is answered where a threshold was asked for, a sentence a column.
pub fn thresholds(encoder: &Encoder) -> Vec<String> {
    let mut sentences = Vec::new();
    for target in encoder.targets().iter().filter(|target| target.has_thresholds()) {
        for (column, threshold) in target.thresholds().into_iter().enumerate() {
            let (name, pair) = match &target.encoding {
                TargetEncoding::Binary(pairs) if pairs.len() > 1 => {
                    (&target.columns[column], &pairs[column][..])
                }
                encoding => (&target.name, encoding.classes().unwrap_or_default()),
            };
            if let [first, second] = pair {
                let threshold = significant(threshold);
                let [name, first, second] =
                    [name, first, second].map(|it| clipped(it, MOST_LETTERS));
                sentences.push(format!(
                    "{name}: \"{second}\" is answered above a probability of {threshold}, else \"{first}\""
                ));
            }
        }
    }
    sentences
}

/// What a table has below each task's figures.
pub struct Beside<'a> {
    pub baselines: Option<&'a OfBaselines>,
    /// An entry a task, or none at all.
    pub intervals: &'a [Intervals],
}

/// From and to of each figure, by task.
pub fn intervals(encoder: &Encoder, intervals: &[Intervals]) -> Value {
    let pairs = encoder.targets().iter().zip(intervals);
    pairs.map(|(target, it)| (target.name.clone(), json!(it))).collect::<Map<_, _>>().into()
}

/// A line a task, the figures of classes and those of numbers under headings of their own; below each from where to where they may
/// as well be, and those of the baselines.
pub fn table(encoder: &Encoder, judgements: &[Judgement], beside: &Beside<'_>) -> String {
    let pairs = || encoder.targets().iter().zip(judgements);
    let names =
        encoder.targets().iter().flat_map(|target| target.columns.iter().chain([&target.name]));
    let least = if beside.baselines.is_some() { 2 + NAMES[0].len() } else { 8 };
    let width = names.map(|name| name.chars().count()).max().unwrap_or(0).clamp(least, 40);
    let mut text = String::new();
    for (of_classes, heading) in [
        (true, ["accuracy", "macro F1", "AUC", "avg prec", "log loss"]),
        (false, ["RMSE", "MAE", "R²", "", ""]),
    ] {
        let lines: Vec<_> = pairs()
            .enumerate()
            .filter_map(|(task, (target, judgement))| Some((task, target, judgement.figures()?)))
            .filter(|(_, _, it)| matches!(it, TaskMetrics::Classification(_)) == of_classes)
            .collect();
        if lines.is_empty() {
            continue;
        }
        let [a, b, c, d, e] = heading;
        let _ =
            writeln!(text, "{:width$} {:>9} {a:>9} {b:>9} {c:>9} {d:>8} {e:>9}", "", "labelled");
        trim_end(&mut text);
        for (task, target, metrics) in lines {
            let baselines = beside.baselines.into_iter().flat_map(|it| NAMES.into_iter().zip(it));
            let baselines = baselines.filter_map(|(name, it)| Some((name, it[task].figures()?)));
            let baselines = baselines.map(|(name, it)| (name, lines_of(it)));
            let ends = beside.intervals.get(task).map(|it| ends_of(metrics, it));
            let below: Vec<_> = ends.into_iter().flatten().chain(baselines).collect();
            line(&mut text, target, metrics, &below, width);
        }
    }
    for (target, judgement) in pairs() {
        let why = match judgement {
            Judgement::Figures(_) => continue,
            Judgement::Unlabelled => "no labels",
            Judgement::Impossible(_) => "not judged",
        };
        let _ = writeln!(text, "{:width$}  {why}", clipped(&target.name, width));
    }
    text
}

/// A line for the task, or one a column where it has several: columns may have different units. Below each other lines of it.
fn line(
    text: &mut String,
    target: &TargetColumn,
    metrics: &TaskMetrics,
    below: &[(&str, Vec<[String; 5]>)],
    width: usize,
) {
    let mut push = |name: &str, labelled: &str, [a, b, c, d, e]: &[String; 5]| {
        let name = clipped(name, width);
        let _ = writeln!(text, "{name:width$} {labelled:>9} {a:>9} {b:>9} {c:>9} {d:>8} {e:>9}");
        trim_end(text);
    };
    let labelled = metrics.labelled().to_string();
    let names = match &target.columns[..] {
        [_] => std::slice::from_ref(&target.name),
        several => several,
    };
    for (column, (name, figures)) in names.iter().zip(lines_of(metrics)).enumerate() {
        push(name, &labelled, &figures);
        for (name, figures) in below {
            let name = format!("  {name}");
            figures.get(column).iter().for_each(|figures| push(&name, "", figures));
        }
    }
}

/// From where to where a task's figures may as well be; of several columns nothing is known of each.
fn ends_of(metrics: &TaskMetrics, intervals: &Intervals) -> Vec<(&'static str, Vec<[String; 5]>)> {
    let (names, is_single) = match metrics {
        TaskMetrics::Classification(it) => (
            ["accuracy", "macro_f1", "auc", "average_precision", "log_loss"],
            it.columns.is_empty(),
        ),
        TaskMetrics::Regression(it) => (["rmse", "mae", "r2", "", ""], it.columns.is_empty()),
    };
    if !is_single || intervals.is_empty() {
        return Vec::new();
    }
    let end = |which: usize| {
        let figure = |name: &str| match (name, intervals.get(name)) {
            (_, None) => String::new(),
            ("accuracy", Some(ends)) => format!("{:.1} %", 100.0 * ends[which]),
            ("rmse" | "mae", Some(ends)) => significant(ends[which]),
            ("r2", Some(ends)) => rounded(ends[which]),
            (_, Some(ends)) => fixed(Some(ends[which])),
        };
        vec![names.map(figure)]
    };
    vec![("from", end(0)), ("to", end(1))]
}

/// The figures of a task, a line a column.
fn lines_of(metrics: &TaskMetrics) -> Vec<[String; 5]> {
    let of_classes = |it: &ClassScores| {
        let percent = format!("{:.1} %", 100.0 * it.accuracy);
        [
            percent,
            fixed(Some(it.macro_f1)),
            fixed(it.auc),
            fixed(it.average_precision),
            fixed(it.log_loss),
        ]
    };
    let of_numbers = |it: &Fit| {
        [
            significant(it.rmse),
            significant(it.mae),
            it.r2.map_or("–".into(), rounded),
            String::new(),
            String::new(),
        ]
    };
    match metrics {
        TaskMetrics::Classification(it) if it.columns.is_empty() => vec![of_classes(&it.scores)],
        TaskMetrics::Classification(it) => it.columns.iter().map(of_classes).collect(),
        TaskMetrics::Regression(it) if it.columns.is_empty() => vec![of_numbers(&it.fit)],
        TaskMetrics::Regression(it) => it.columns.iter().map(of_numbers).collect(),
    }
}

/// A line a task: its training loss, σ, weight, share of the weighted losses, and whether σ has come to rest.
pub fn weights(encoder: &Encoder, weighed: &[Weighed]) -> String {
    let names = encoder.targets().iter().map(|target| target.name.chars().count());
    let width = names.max().unwrap_or(0).clamp(8, 40);
    let is_learned = weighed.iter().any(|it| it.sigma.is_some());
    let learned = |text: String| if is_learned { text } else { String::new() };
    let mut text = format!(
        "{:width$} {:>9} {:>10} {:>9}{}\n",
        "weights",
        "loss",
        "weight",
        "share",
        learned(format!(" {:>9}", "σ"))
    );
    for (target, it) in encoder.targets().iter().zip(weighed) {
        let name = clipped(&target.name, width);
        let loss = it.loss.map_or("–".into(), significant);
        let share = it.share.map_or("–".into(), |share| format!("{:.1} %", 100.0 * share));
        let sigma = it.sigma.map_or("–".into(), significant);
        let rest = match (it.is_at_rest(), it.rests_at) {
            (Some(true), _) => "  at rest".into(),
            (Some(false), Some(rest)) => format!("  on its way to {}", significant(rest)),
            _ => String::new(),
        };
        let sigma = learned(format!(" {sigma:>9}{rest}"));
        let weight = significant(it.weight);
        let _ = writeln!(text, "{name:width$} {loss:>9} {weight:>10} {share:>9}{sigma}");
    }
    text
}

/// A line a column: the noise that its task's weight stands for, beside the residuals of a part kept apart.
pub fn noise(noise: &[HomoscedasticNoise], part: Option<&str>) -> String {
    let names = noise.iter().map(|it| it.column.chars().count());
    let width = names.max().unwrap_or(0).clamp(8, 40);
    let residual = part.map_or(String::new(), |part| format!("{part} residual"));
    let wide = residual.len().max(9);
    let mut text = format!("{:width$} {:>9} {residual:>wide$}\n", "noise", "by σ");
    for it in noise {
        let name = clipped(&it.column, width);
        let apart = it.residual.map_or(String::new(), significant);
        let words = it.words().map_or(String::new(), |words| format!("  {words}"));
        let _ =
            writeln!(text, "{name:width$} {:>9} {apart:>wide$}{words}", significant(it.by_weight));
    }
    format!("{text}{ABOUT_NOISE}\n")
}

/// Removes the spaces at the end of the last line.
fn trim_end(text: &mut String) {
    let end = text.trim_end().len();
    text.truncate(end);
    text.push('\n');
}

/// A name, cut where it is longer.
pub fn clipped(name: &str, width: usize) -> String {
    let name = one_line(name);
    match name.chars().count() {
        count if count > width => name.chars().take(width - 1).chain(['…']).collect(),
        _ => name.into_owned(),
    }
}

fn fixed(value: Option<f64>) -> String {
    value.map_or("–".into(), |value| format!("{value:.3}"))
}

/// Four digits that count, since units differ: `0.01234`, `312.4`, `1.234e9`.
pub fn significant(value: f64) -> String {
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
