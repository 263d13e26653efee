//! Weights and σ from epoch to epoch: a chart a scheme, a line a task, means over the seeds.

use super::super::chart::{Chart, Frame};
use super::super::scale::{Scale, number};
use super::super::{class, legend};
use super::compared;
use crate::compare::{Comparison, OfScheme, Point, STL};
use maud::{Markup, html};
use std::collections::BTreeMap;

const HEIGHT: f64 = 190.0;

/// Values of an epoch, a task each.
type Lines = Vec<Vec<(f64, Option<f64>)>>;

/// The charts of all schemes whose weights change, then of their σ; and in words which do not.
pub(super) fn all(all: &Comparison) -> Markup {
    let schemes = || compared(all).map(|(_, it)| it).filter(|it| it.entry.name != STL);
    let shares = |scheme: &OfScheme| of_epochs(scheme, all.tasks.len(), shares);
    let still: Vec<&str> =
        schemes().filter(|it| !moves(&shares(it))).map(|it| it.entry.name.as_str()).collect();
    html! {
        @for scheme in schemes() {
            @let lines = shares(scheme);
            @if moves(&lines) { (chart(all, scheme, "share of the weights", &lines, Scale::between(0.0, 1.0))) }
            @let sigma = of_epochs(scheme, all.tasks.len(), |point| point.sigma.clone());
            @if moves(&sigma) {
                @let values = sigma.iter().flatten().filter_map(|(_, value)| *value);
                (chart(all, scheme, "σ", &sigma, Scale::fitting(values)))
            }
        }
        @if !still.is_empty() {
            figure {
                figcaption { "Weights that stay as they are" }
                p.words { (still.join(", ")) }
            }
        }
    }
}

/// Each task's part of the sum of the weights.
fn shares(point: &Point) -> Vec<f64> {
    let sum: f64 = point.weight.iter().sum();
    match sum > 0.0 && sum.is_finite() {
        true => point.weight.iter().map(|weight| weight / sum).collect(),
        false => Vec::new(),
    }
}

/// A line a task: of every epoch that half of the runs noted and more, the mean over these.
fn of_epochs(scheme: &OfScheme, tasks: usize, values: impl Fn(&Point) -> Vec<f64>) -> Lines {
    let mut sums: BTreeMap<usize, (Vec<f64>, u32)> = BTreeMap::new();
    let runs = scheme.entry.runs.iter().filter(|run| run.failure.is_none());
    let most = runs.clone().count() as u32;
    for point in runs.flat_map(|run| run.curves.first()).flatten() {
        let values = values(point);
        if values.len() == tasks {
            let (sum, count) = sums.entry(point.epoch).or_insert((vec![0.0; tasks], 0));
            sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            *count += 1;
        }
    }
    sums.retain(|_, (_, count)| 2 * *count >= most);
    let line = |task: usize| {
        let mean = |(epoch, (sum, count)): (&usize, &(Vec<f64>, u32))| {
            (*epoch as f64, Some(sum[task] / f64::from(*count)))
        };
        sums.iter().map(mean).collect()
    };
    if sums.is_empty() { Vec::new() } else { (0..tasks).map(line).collect() }
}

/// Whether anything changes from epoch to epoch.
fn moves(lines: &Lines) -> bool {
    let is_moving = |line: &Vec<(f64, Option<f64>)>| {
        let first = line.first().and_then(|it| it.1).unwrap_or_default();
        line.iter().filter_map(|it| it.1).any(|value| (value - first).abs() > 1e-6 * first.abs())
    };
    lines.iter().any(is_moving)
}

fn chart(
    all: &Comparison,
    scheme: &OfScheme,
    what: &'static str,
    lines: &Lines,
    y: Scale,
) -> Markup {
    let name = &scheme.entry.name;
    let at_end = |task: usize| lines[task].last().and_then(|it| it.1).map_or("–".into(), number);
    let ends: Vec<String> = all
        .tasks
        .iter()
        .enumerate()
        .map(|(task, it)| format!("{} {}", it.name, at_end(task)))
        .collect();
    let chart = Chart::new(Frame {
        title: format!("{name}: {what}"),
        description: format!("At the end: {}.", ends.join(", ")),
        height: HEIGHT,
        x: Scale::counts(lines.iter().flatten().map(|it| it.0)),
        y,
        x_label: "epoch",
        y_label: what,
        y_format: number,
    });
    html! {
        figure {
            figcaption { (name) ": " (what) }
            (chart.draw(&html! { @for (task, line) in lines.iter().enumerate() { (chart.line(&class(task), line)) } }))
            ul.legend {
                @for (task, it) in all.tasks.iter().enumerate() {
                    (legend(&class(task), &format!("{}: {} at the end", it.name, at_end(task))))
                }
            }
        }
    }
}
