//! How good the model is: a card a task with its figures, and confusion matrices or predicted against true numbers.

use super::chart::{ACROSS, Chart, down};
use super::colour;
use super::run::{Pair, Run, TaskFacts};
use super::scale::{Scale, number, percent};
use crate::train::{ClassScores, Classification, Fit, TaskMetrics};
use maud::{Markup, html};

/// A confusion matrix of more classes is told as its most confused pairs.
const MOST_CLASSES: usize = 20;
/// A confusion matrix of more classes has the whole width of the page.
const SOME_CLASSES: usize = 10;
/// One of more classes has small cells.
const FEW_CLASSES: usize = 5;
/// Names of more letters stand upright above small cells.
const FEW_LETTERS: usize = 3;
/// How many pairs are told.
const MOST_PAIRS: usize = 15;

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
    let last = measured.last();
    let is_wide = last.is_some_and(|(_, metrics)| match metrics {
        TaskMetrics::Classification(it) => {
            (SOME_CLASSES + 1..=MOST_CLASSES).contains(&it.scores.confusion.len())
        }
        TaskMetrics::Regression(_) => {
            run.results.scatter.get(&task.name).is_some_and(|columns| columns.len() > 1)
        }
    });
    html! {
        article.wide[is_wide] {
            h3 { span.swatch.(colour(index)) {} (task.name) " " span.loss { (task.loss) } }
            @if let Some((part, metrics)) = last {
                div.scroll { (figures(run, task, &measured, &baselines(run, part, &task.name))) }
                @if has_intervals(run, &task.name) { p.words { "Small: 95 % of redrawn " (redrawn(run)) ", " (part) " part." } }
                @match metrics {
                    TaskMetrics::Classification(it) if it.columns.is_empty() => {
                        (confusion(task, 0, part, &it.scores))
                    }
                    TaskMetrics::Classification(it) => {
                        @for (column, scores) in it.columns.iter().enumerate() {
                            (confusion(task, column, part, scores))
                        }
                    }
                    TaskMetrics::Regression(it) => {
                        (columns(task, part, &it.columns))
                        div.grid[is_wide] { (scatters(run, index, task, part)) }
                    }
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
fn figures(
    run: &Run,
    task: &TaskFacts,
    measured: &[(&str, &TaskMetrics)],
    baselines: &[(&str, &TaskMetrics)],
) -> Markup {
    let columns = |of: &[(&str, &TaskMetrics)]| -> Vec<Vec<Figure>> {
        of.iter().map(|(_, metrics)| figures_of(metrics)).collect()
    };
    let (rows, baseline_rows) = (columns(measured), columns(baselines));
    let intervals = run.results.intervals.as_ref().and_then(|it| it.get(&task.name));
    // The column of the constant answers says it.
    let is_shown = |figure: &Figure| figure.key != COMMONEST || baselines.is_empty();
    let cell =
        |rows: &[Figure], line: usize| rows.get(line).map_or("–".into(), |it| it.text.clone());
    html! {
        table.figures {
            caption.unseen { "Figures of " (task.name) }
            thead {
                tr {
                    th scope="col" { "Measure" }
                    @for (part, _) in measured { th scope="col" { (capital(part)) } }
                    @for (name, _) in baselines { th scope="col" { (capital(name)) } }
                }
            }
            tbody {
                @for (line, figure) in rows[0].iter().enumerate().filter(|(_, it)| is_shown(it)) {
                    tr {
                        th scope="row" { (figure.name) }
                        @for (place, part) in rows.iter().enumerate() {
                            td {
                                (cell(part, line))
                                @if let Some(ends) = intervals.and_then(|it| it.get(figure.key)).filter(|_| place + 1 == rows.len()) {
                                    span.range { (range(*ends, figure.key)) }
                                }
                            }
                        }
                        @for baseline in &baseline_rows { td { (cell(baseline, line)) } }
                    }
                }
            }
        }
    }
}

/// From where to where a figure may as well be, in few digits.
fn range(ends: [f64; 2], key: &str) -> String {
    let brief = |end: f64| match end.abs() {
        _ if key == "accuracy" => percent(end),
        size if size < 1e4 => number(format!("{end:.2e}").parse().unwrap_or(end)),
        _ => number(end.round()),
    };
    format!("{} to {}", brief(ends[0]), brief(ends[1]))
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
    let optional = |value: Option<f64>| value.map_or("–".into(), number);
    let figure = |name, key, text| Figure { name, key, text };
    let mut figures = match metrics {
        TaskMetrics::Classification(it) => vec![
            figure("Accuracy", "accuracy", percent(it.scores.accuracy)),
            figure(
                "… of the commonest class alone",
                COMMONEST,
                commonest(it).map_or("–".into(), percent),
            ),
            figure("Macro F1", "macro_f1", number(it.scores.macro_f1)),
            figure("AUC", "auc", optional(it.scores.auc)),
            figure("Log loss", "log_loss", optional(it.scores.log_loss)),
        ],
        // Errors of columns in different units have no sum.
        TaskMetrics::Regression(it) if !it.columns.is_empty() => {
            vec![figure("R², mean of the columns", "r2", optional(it.fit.r2))]
        }
        TaskMetrics::Regression(it) => vec![
            figure("RMSE", "rmse", number(it.fit.rmse)),
            figure("MAE", "mae", number(it.fit.mae)),
            figure("R²", "r2", optional(it.fit.r2)),
        ],
    };
    // Without class weights and smoothing the log loss is the loss.
    let is_log_loss =
        matches!(metrics, TaskMetrics::Classification(it) if it.loss == it.scores.log_loss);
    if !is_log_loss {
        figures.push(figure("Loss", "loss", optional(metrics.loss())));
    }
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

/// The figures of each column of a task of several.
fn columns(task: &TaskFacts, part: &str, columns: &[Fit]) -> Markup {
    if columns.is_empty() {
        return html! {};
    }
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
                        td { (fit.r2.map_or("–".into(), number)) }
                    }
                }
            }
        }
    }
}

fn confusion(task: &TaskFacts, column: usize, part: &str, scores: &ClassScores) -> Markup {
    let matrix = &scores.confusion;
    let of_column = match task.columns.get(column) {
        Some(name) if task.columns.len() > 1 => format!("{name}: "),
        _ => String::new(),
    };
    if matrix.len() > MOST_CLASSES {
        return pairs(task, column, part, matrix);
    }
    let names: Vec<String> = (0..matrix.len()).map(|class| task.class(column, class)).collect();
    let is_small = matrix.len() > FEW_CLASSES;
    let is_long = names.iter().any(|name| name.chars().count() > FEW_LETTERS);
    html! {
        p.words { (of_column) "true class (rows) and answer (columns), " (part) " part" }
        div.scroll {
            table.confusion.many[is_small].upright[is_small && is_long] aria-label=(format!("Confusion matrix of {}", task.name)) {
                thead {
                    tr {
                        td {}
                        @for name in &names { th scope="col" title=(name) { span { (name) } } }
                    }
                }
                tbody {
                    @for (class, row) in matrix.iter().enumerate() {
                        tr {
                            th scope="row" title=(names[class]) { span { (names[class]) } }
                            @let of_class = row.iter().sum::<u64>();
                            @for (answer, &count) in row.iter().enumerate() {
                                (cell(count, of_class, &format!("{} answered as {}", names[class], name_of(&names, answer)), class == answer))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn name_of(names: &[String], class: usize) -> &str {
    names.get(class).map_or("?", String::as_str)
}

/// A cell, the darker the larger its share of its row.
fn cell(count: u64, of_class: u64, what: &str, is_right: bool) -> Markup {
    let share = if of_class == 0 { 0.0 } else { count as f64 / of_class as f64 };
    let strength = format!("--s:{:.2}", 0.9 * share);
    let words = format!("{what}: {count} of {of_class} ({})", percent(share));
    html! {
        td.right[is_right].strong[share > 0.55].zero[count == 0] style=(strength) title=(words) {
            (number(count as f64))
        }
    }
}

/// What is confused most often, where a matrix would be too large.
fn pairs(task: &TaskFacts, column: usize, part: &str, matrix: &[Vec<u64>]) -> Markup {
    let mut wrong: Vec<(u64, usize, usize)> = Vec::new();
    for (class, row) in matrix.iter().enumerate() {
        let others =
            row.iter().enumerate().filter(|&(answer, &count)| answer != class && count > 0);
        wrong.extend(others.map(|(answer, &count)| (count, class, answer)));
    }
    wrong.sort_by_key(|&(count, class, answer)| (std::cmp::Reverse(count), class, answer));
    let of_class = |class: usize| matrix[class].iter().sum::<u64>() as f64;
    html! {
        table.figures {
            caption { "What is confused most often among " (matrix.len()) " classes, " (part) " part" }
            thead { tr { @for head in ["True class", "Answer", "Rows", "Of the class"] { th scope="col" { (head) } } } }
            tbody {
                @for &(count, class, answer) in wrong.iter().take(MOST_PAIRS) {
                    tr {
                        th scope="row" { (task.class(column, class)) }
                        td { (task.class(column, answer)) }
                        td { (number(count as f64)) }
                        td { (percent(count as f64 / of_class(class))) }
                    }
                }
            }
        }
        @if wrong.is_empty() { p.none { "Nothing is confused." } }
    }
}

/// Predicted against true numbers of a part, a chart a column.
fn scatters(run: &Run, index: usize, task: &TaskFacts, part: &str) -> Markup {
    let columns = run.results.scatter.get(&task.name);
    let several = columns.is_some_and(|columns| columns.len() > 1);
    html! {
        @for (column, points) in columns.into_iter().flatten() {
            @if let Some(chart) = scatter(index, column, part, points) {
                figure {
                    figcaption.unseen[!several] { (column) ": predicted against true" }
                    (chart)
                }
            }
        }
    }
}

fn scatter(index: usize, column: &str, part: &str, points: &[Pair]) -> Option<Markup> {
    const SIDE: f64 = 342.0;
    let known = points.iter().filter_map(|&[label, predicted]| Some((label?, predicted?)));
    let known: Vec<(f64, f64)> = known.collect();
    known.first()?;
    // The same numbers on both axes, so that the diagonal is where predictions are right.
    let both = || known.iter().flat_map(|&(label, predicted)| [label, predicted]);
    let low = both().fold(f64::INFINITY, f64::min);
    let high = both().fold(f64::NEG_INFINITY, f64::max);
    let margin = if low < high { 0.04 * (high - low) } else { 1.0 };
    let (low, high) = (low - margin, high + margin);
    let chart = Chart {
        title: format!("{column}: predicted against true"),
        description: format!(
            "{} rows of the {part} part; on the diagonal a prediction is right.",
            known.len()
        ),
        height: SIDE,
        x: Scale::between(low, high, ACROSS),
        y: Scale::between(low, high, down(SIDE)),
        x_label: "true",
        y_label: "predicted",
        y_format: number,
    };
    let words = |(label, predicted): &(f64, f64)| {
        format!("true {}, predicted {}", number(*label), number(*predicted))
    };
    let dots: Vec<_> = known.iter().map(|point| (point.0, point.1, words(point))).collect();
    let marks = html! {
        (chart.line("diagonal", &[(low, Some(low)), (high, Some(high))]))
        (chart.dots(&format!("{} cloud", colour(index)), &dots, 2.4))
    };
    Some(chart.draw(&marks))
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
