//! How good the model is: a card a task with its figures, and what its answers are like.

use super::run::{Run, TaskFacts};
use super::scale::{fraction, number, percent};
use super::{class, classes, importance, numbers};
use crate::train::{Classification, TaskMetrics};
use maud::{Markup, html};

/// A card a task.
pub(super) fn cards(run: &Run) -> Markup {
    let tasks = run.results.tasks.iter().enumerate();
    html! { @for (index, task) in tasks { (card(run, index, task)) } }
}

fn card(run: &Run, index: usize, task: &TaskFacts) -> Markup {
    let parts = run.results.parts();
    let measured = parts
        .iter()
        .filter_map(|(part, tasks)| Some((*part, tasks.get(&task.name).and_then(Option::as_ref)?)));
    let measured: Vec<(&str, &TaskMetrics)> = measured.collect();
    let training = run.results.training().and_then(|it| it.get(&task.name)?.as_ref());
    let training = training.map(|it| ("training", it)).into_iter();
    let of_class = run.results.by_class.as_ref().and_then(|it| it.get(&task.name));
    let of_class = of_class.map(Vec::as_slice).unwrap_or_default();
    html! {
        article {
            h3 { span.swatch.(class(index)) {} (task.name) " " span.loss { (task.learned()) } }
            @if let Some((part, metrics)) = measured.last() {
                div.blocks {
                    div.block {
                        (figures(run, task, &training.chain(measured.iter().copied()).collect::<Vec<_>>(), &baselines(run, part, &task.name)))
                        @if has_intervals(run, &task.name) {
                            p.words { "Small figures: 95 % of redrawn " (redrawn(run)) " of the " (part) " part." }
                        }
                    }
                    @match metrics {
                        TaskMetrics::Classification(it) => (classes::blocks(task, part, it, of_class)),
                        TaskMetrics::Regression(it) => (numbers::blocks(run, index, part, it)),
                    }
                    (importance::block(run, &task.name, part))
                }
            } @else {
                p.none { "No row outside of the training part has a label of this task." }
            }
        }
    }
}

/// The figures of what the network should beat, on a part.
fn baselines<'a>(run: &'a Run, part: &str, task: &str) -> Vec<(&'static str, &'a TaskMetrics)> {
    let of = |name: &'static str| {
        let figures = run.results.baseline(name, part)?.get(task)?.as_ref()?;
        Some((name, figures))
    };
    ["linear", "constant"].into_iter().filter_map(of).collect()
}

/// The table of a task's figures, a column a part; then, on the last part, where they may as well be, and a column a baseline.
///
/// On a phone its rows are grids, a measure's name above its figures, which takes their meaning from rows and cells: it is said again.
fn figures(
    run: &Run,
    task: &TaskFacts,
    measured: &[(&str, &TaskMetrics)],
    baselines: &[(&str, &TaskMetrics)],
) -> Markup {
    let all = || measured.iter().chain(baselines);
    let columns: Vec<(&str, Vec<Figure>)> =
        all().map(|(name, metrics)| (*name, figures_of(metrics))).collect();
    let judged = measured.len() - 1;
    let intervals = run.results.intervals.as_ref().and_then(|it| it.get(&task.name));
    // Without class weights and smoothing the log loss is the loss; the column of the constant answers says what the commonest class is.
    let is_said = |key: &str| match key {
        "loss" => all().all(|(_, metrics)| is_log_loss(metrics)),
        COMMONEST => !baselines.is_empty(),
        _ => false,
    };
    let lines = columns[judged].1.iter().filter(|it| !is_said(it.key));
    let cell = |column: &[Figure], key: &str| {
        column.iter().find(|it| it.key == key).map_or("–".into(), |it| it.text.clone())
    };
    html! {
        table.figures.measures role="table" style=(format!("--n:{}", columns.len())) {
            caption.unseen { "Figures of " (task.name) }
            thead role="rowgroup" {
                tr role="row" {
                    th scope="col" role="columnheader" { "Measure" }
                    @for (name, _) in &columns { th scope="col" role="columnheader" { (capital(name)) } }
                }
            }
            tbody role="rowgroup" {
                @for line in lines {
                    tr role="row" {
                        th scope="row" role="rowheader" { (line.name) }
                        @for (place, (_, column)) in columns.iter().enumerate() {
                            td role="cell" {
                                (cell(column, line.key))
                                @if let Some(ends) = intervals.and_then(|it| it.get(line.key)).filter(|_| place == judged) {
                                    span.range { (range(*ends, line.key)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Whether a task's loss is its log loss, which is added up in another order.
fn is_log_loss(metrics: &TaskMetrics) -> bool {
    let TaskMetrics::Classification(it) = metrics else { return false };
    match (it.loss, it.scores.log_loss) {
        (Some(loss), Some(log_loss)) => (loss - log_loss).abs() <= 1e-9 * log_loss.abs(),
        (loss, log_loss) => loss == log_loss,
    }
}

/// From where to where a figure may as well be, in few digits.
fn range(ends: [f64; 2], key: &str) -> Markup {
    let brief = |end: f64| match (key, end.abs()) {
        ("accuracy", _) => percent(end),
        ("macro_f1" | "auc" | "average_precision" | "r2", _) => fraction(end),
        (_, size) if size < 1e4 => number(format!("{end:.2e}").parse().unwrap_or(end)),
        _ => number(end.round()),
    };
    // Narrow columns break it between the two.
    html! { span { (brief(ends[0])) } " to " span { (brief(ends[1])) } }
}

fn has_intervals(run: &Run, task: &str) -> bool {
    let of_task = run.results.intervals.as_ref().and_then(|it| it.get(task));
    of_task.is_some_and(|it| !it.is_empty())
}

/// What was drawn anew for the intervals.
fn redrawn(run: &Run) -> String {
    match &run.results.group {
        Some(group) => format!("groups of \"{group}\""),
        None => "rows".into(),
    }
}

/// The key of the share of the commonest class, which `results.json` does not have.
const COMMONEST: &str = "commonest";

/// A figure: what it is called here and in `results.json`, and its value.
struct Figure {
    name: &'static str,
    key: &'static str,
    text: String,
}

/// Names and values of a task's figures.
fn figures_of(metrics: &TaskMetrics) -> Vec<Figure> {
    let optional = |value: Option<f64>, format: fn(f64) -> String| value.map_or("–".into(), format);
    let figure = |name, key, text| Figure { name, key, text };
    let mut figures = match metrics {
        TaskMetrics::Classification(it) => vec![
            figure("Accuracy", "accuracy", percent(it.scores.accuracy)),
            figure("… of the commonest class alone", COMMONEST, optional(commonest(it), percent)),
            figure("Macro F1", "macro_f1", fraction(it.scores.macro_f1)),
            figure("AUC", "auc", optional(it.scores.auc, fraction)),
            figure(
                "Average precision",
                "average_precision",
                optional(it.scores.average_precision, fraction),
            ),
            figure("Log loss", "log_loss", optional(it.scores.log_loss, number)),
        ],
        // Errors of columns in different units have no sum.
        TaskMetrics::Regression(it) if !it.columns.is_empty() => {
            vec![figure("R², mean of the columns", "r2", optional(it.fit.r2, fraction))]
        }
        TaskMetrics::Regression(it) => vec![
            figure("RMSE", "rmse", number(it.fit.rmse)),
            figure("MAE", "mae", number(it.fit.mae)),
            figure("R²", "r2", optional(it.fit.r2, fraction)),
        ],
    };
    figures.push(figure("Loss", "loss", optional(metrics.loss(), number)));
    figures.push(figure("Rows with a label", "labelled", number(metrics.labelled() as f64)));
    figures
}

/// The accuracy of the same answer for all rows, the commonest label; several columns have no such answer.
fn commonest(figures: &Classification) -> Option<f64> {
    if !figures.columns.is_empty() {
        return None;
    }
    let labels = figures.scores.confusion.iter().map(|row| row.iter().sum::<u64>());
    let (all, most) = (labels.clone().sum::<u64>(), labels.max()?);
    (all > 0).then(|| most as f64 / all as f64)
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
