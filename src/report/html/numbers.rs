//! What answers of a task of numbers are like: its columns' figures, predicted against true numbers, and what is left between them.

use super::chart::{Chart, Frame};
use super::colour;
use super::run::{Pair, Run, TaskFacts};
use super::scale::{Scale, fraction, number, percent};
use crate::train::uncertainty::NumberCalibration;
use crate::train::{Fit, Regression};
use maud::{Markup, html};

/// As high as wide: both axes of predicted against true have the same numbers.
const SIDE: f64 = 342.0;
const INTERVALS_HEIGHT: f64 = 230.0;

/// The blocks of a card.
pub(super) fn blocks(run: &Run, index: usize, part: &str, figures: &Regression) -> Markup {
    let task = &run.results.tasks[index];
    let columns = run.results.scatter.get(&task.name);
    let several = columns.is_some_and(|columns| columns.len() > 1);
    html! {
        @if !figures.columns.is_empty() { div.block { (table(task, part, &figures.columns)) } }
        @for it in run.results.calibration.iter().filter(|it| it.task == task.name) {
            (intervals(index, part, it, several))
        }
        @for (column, points) in columns.into_iter().flatten() {
            @let points = known(points);
            @if !points.is_empty() {
                @let name = if several { format!("{column}: ") } else { String::new() };
                @let shown = shown(points.len(), figures.labelled, part);
                figure.block {
                    figcaption { (name) "Predicted against true" }
                    (against_true(task, index, column, part, &points))
                    p.words { (shown) " On the line a prediction is right." }
                }
                figure.block {
                    figcaption { (name) "Residuals" }
                    (residuals(index, column, part, &points))
                    p.words {
                        "True minus predicted: a slope, a bend or a fan tells what the network has not learned."
                    }
                }
            }
        }
    }
}

/// A reliability diagram: how many labels lie in intervals, against their probability.
fn intervals(index: usize, part: &str, it: &NumberCalibration, several: bool) -> Markup {
    let name = if several { format!("{}: ", it.column) } else { String::new() };
    let words = |[level, share]: &[f64; 2]| {
        format!("{} of the labels are in intervals of {}", percent(*share), percent(*level))
    };
    let all: Vec<String> = it.curve.iter().map(words).collect();
    let chart = Chart::new(Frame {
        title: format!("{}: intervals", it.column),
        description: format!("{}; the calibration error is {}.", all.join("; "), percent(it.error)),
        height: INTERVALS_HEIGHT,
        x: Scale::between(0.0, 1.0),
        y: Scale::between(0.0, 1.0),
        x_label: "probability of an interval",
        y_label: "share of labels in it",
        y_format: number,
    });
    let line: Vec<_> = it.curve.iter().map(|&[level, share]| (level, Some(share))).collect();
    let dots = it.curve.iter().zip(&all);
    let dots: Vec<_> = dots.map(|(&[level, share], words)| (level, share, words.clone())).collect();
    let is_calibrated = it.coverage.iter().any(|of| of.calibrated.is_some());
    let optional = |value: Option<f64>| value.map_or("–".into(), number);
    html! {
        figure.block {
            figcaption { (name) "Intervals" }
            (chart.draw(&html! {
                (chart.line("diagonal", &[(0.0, Some(0.0)), (1.0, Some(1.0))]))
                (chart.line(&colour(index), &line))
                (chart.dots(&colour(index), &dots, 3.0))
            }))
            table.figures {
                thead { tr {
                    th scope="col" { "Interval" }
                    @for of in &it.coverage { th scope="col" { (percent(of.level)) } }
                } }
                tbody {
                    tr {
                        th scope="row" { "Labels in it" }
                        @for of in &it.coverage { td { (percent(of.share)) } }
                    }
                    @if is_calibrated {
                        tr {
                            th scope="row" { "Calibrated" }
                            @for of in &it.coverage { td { (of.calibrated.map_or("–".into(), percent)) } }
                        }
                    }
                }
            }
            p.words {
                "On the line intervals hold what they promise; below it they are too narrow. " (number(it.rows as f64)) " rows of the "
                (part) " part. Calibration error, the mean distance from the line at 0.05, 0.10, … 0.95: " (percent(it.error))
                ". NLL " (optional(it.nll)) ", CRPS " (optional(it.crps)) "."
                @if is_calibrated { " Calibrated: as far as it took on the validation rows, to a number of deviations." }
            }
        }
    }
}

/// The figures of each column of a task of several.
fn table(task: &TaskFacts, part: &str, columns: &[Fit]) -> Markup {
    let name = |column: usize| task.columns.get(column).cloned().unwrap_or(column.to_string());
    html! {
        table.figures {
            caption { "Column by column, " (part) " part" }
            thead { tr { @for head in ["Column", "RMSE", "MAE", "R²"] { th scope="col" { (head) } } } }
            tbody {
                @for (column, fit) in columns.iter().enumerate() {
                    tr {
                        th scope="row" { (name(column)) }
                        td { (number(fit.rmse)) }
                        td { (number(fit.mae)) }
                        td { (fit.r2.map_or("–".into(), fraction)) }
                    }
                }
            }
        }
    }
}

/// Labels with their predictions, where there are both.
fn known(points: &[Pair]) -> Vec<(f64, f64)> {
    points.iter().filter_map(|&[label, predicted]| Some((label?, predicted?))).collect()
}

/// How many of the labelled rows are drawn.
fn shown(points: usize, labelled: usize, part: &str) -> String {
    let [points, all] = [points, labelled].map(|rows| number(rows as f64));
    match points == all {
        true => format!("All {all} labelled rows of the {part} part."),
        false => format!("{points} of the {all} labelled rows of the {part} part, evenly taken."),
    }
}

fn against_true(
    task: &TaskFacts,
    index: usize,
    column: &str,
    part: &str,
    points: &[(f64, f64)],
) -> Markup {
    // The same numbers on both axes, so that the diagonal is where predictions are right.
    let both = || points.iter().flat_map(|&(label, predicted)| [label, predicted]);
    let [low, high] = ends(both());
    let scale = || match task.transform.as_deref() {
        // Learned by its factors, and seen by them.
        Some("log") => Scale::fitting(both()),
        _ => Scale::between(low, high),
    };
    let [low, high] = scale().ends();
    let chart = Chart::new(Frame {
        title: format!("{column}: predicted against true"),
        description: format!(
            "{} rows of the {part} part; on the diagonal a prediction is right.",
            points.len()
        ),
        height: SIDE,
        x: scale(),
        y: scale(),
        x_label: "true",
        y_label: "predicted",
        y_format: number,
    });
    let words = |&(label, predicted): &(f64, f64)| {
        format!("true {}, predicted {}", number(label), number(predicted))
    };
    let dots: Vec<_> = points.iter().map(|point| (point.0, point.1, words(point))).collect();
    chart.draw(&html! {
        (chart.line("diagonal", &[(low, Some(low)), (high, Some(high))]))
        (chart.dots(&format!("{} cloud", colour(index)), &dots, 2.4))
    })
}

/// What is left of the labels, against what was predicted: against the labels themselves even the best predictions have a slope.
fn residuals(index: usize, column: &str, part: &str, points: &[(f64, f64)]) -> Markup {
    let [left, right] = ends(points.iter().map(|point| point.1));
    let [low, high] = ends(points.iter().map(|(label, predicted)| label - predicted).chain([0.0]));
    let chart = Chart::new(Frame {
        title: format!("{column}: residuals"),
        description: format!(
            "True minus predicted of {} rows of the {part} part, against the prediction.",
            points.len()
        ),
        height: 230.0,
        x: Scale::between(left, right),
        y: Scale::between(low, high),
        x_label: "predicted",
        y_label: "true − predicted",
        y_format: number,
    });
    let dot = |&(label, predicted): &(f64, f64)| {
        let left = label - predicted;
        let words = format!("predicted {}, true is {} more", number(predicted), number(left));
        (predicted, left, words)
    };
    let dots: Vec<_> = points.iter().map(dot).collect();
    chart.draw(&html! {
        (chart.line("diagonal", &[(left, Some(0.0)), (right, Some(0.0))]))
        (chart.dots(&format!("{} cloud", colour(index)), &dots, 2.4))
    })
}

/// From the lowest to the highest, and a little beyond.
fn ends(values: impl Iterator<Item = f64>) -> [f64; 2] {
    let start = (f64::INFINITY, f64::NEG_INFINITY);
    let (low, high) = values.fold(start, |(low, high), it| (low.min(it), high.max(it)));
    let margin = if low < high { 0.04 * (high - low) } else { 1.0 };
    [low - margin, high + margin]
}
