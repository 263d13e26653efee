//! What answers of a task of classes are like: which classes are taken for which.

use super::probabilities::{calibration, precision_recall};
use super::run::TaskFacts;
use super::scale::{fraction, number, percent};
use crate::train::{ByClass, ClassScores, Classification};
use maud::{Markup, html};

/// A confusion matrix of more classes is told as its most confused pairs.
const MOST_CLASSES: usize = 20;
/// A confusion matrix of more classes has the whole width of the card.
const SOME_CLASSES: usize = 10;
/// One of more classes has small cells.
const FEW_CLASSES: usize = 3;
/// Names of more letters stand upright above small cells.
const FEW_LETTERS: usize = 3;
/// Where a name has more letters than this, numbers stand for all of them above the cells, and before the names beside them.
const MOST_LETTERS: usize = 16;
/// Classes in the table of each: the commonest of more, which would make a long page.
const MOST_LINES: usize = 50;
/// How many pairs are told.
const MOST_PAIRS: usize = 15;

/// The blocks of a card.
pub(super) fn blocks(
    task: &TaskFacts,
    part: &str,
    figures: &Classification,
    by_class: &[ByClass],
) -> Markup {
    let columns = match &figures.columns[..] {
        [] => std::slice::from_ref(&figures.scores),
        columns => columns,
    };
    html! {
        @for (column, scores) in columns.iter().enumerate() {
            (confusion(task, column, part, scores))
            (threshold(task, column))
            @if let Some(of) = by_class.get(column) {
                (each_class(task, column, part, of))
                (precision_recall(task, column, part, of))
                @if let Some(it) = &of.calibration { (calibration(task, column, part, it)) }
            }
        }
    }
}

/// Recall, precision, F1 and the like, a line a class.
fn each_class(task: &TaskFacts, column: usize, part: &str, of: &ByClass) -> Markup {
    let mut lines: Vec<usize> = (0..of.classes.len()).collect();
    lines.sort_by_key(|&class| std::cmp::Reverse(of.classes[class].labelled));
    lines.truncate(MOST_LINES);
    lines.sort_unstable();
    let cell = |value: Option<f64>| value.map_or("–".into(), fraction);
    html! {
        div.block {
            div.scroll role="region" tabindex="0" aria-label=(format!("Classes of {}", task.name)) {
                table.figures {
                    caption { (task.of_column(column)) "Class by class, " (part) " part (AP: average precision)" }
                    thead {
                        tr { @for head in ["Class", "Rows", "Recall", "Precision", "F1", "AP"] { th scope="col" { (head) } } }
                    }
                    tbody {
                        @for class in lines {
                            @let it = &of.classes[class];
                            tr {
                                th scope="row" { (task.class(column, class)) }
                                td { (number(it.labelled as f64)) }
                                td { (cell(it.recall)) }
                                td { (cell(it.precision)) }
                                td { (cell(it.f1)) }
                                td { (cell(it.average_precision)) }
                            }
                        }
                    }
                }
            }
            @if of.classes.len() > MOST_LINES {
                p.words { "The " (MOST_LINES) " commonest of " (of.classes.len()) " classes; results.json has all." }
            }
        }
    }
}

fn confusion(task: &TaskFacts, column: usize, part: &str, scores: &ClassScores) -> Markup {
    let matrix = &scores.confusion;
    if matrix.len() > MOST_CLASSES {
        return html! { div.block { (pairs(task, column, part, matrix)) } };
    }
    let names: Vec<String> = (0..matrix.len()).map(|class| task.class(column, class)).collect();
    let letters = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let is_small = matrix.len() > FEW_CLASSES;
    let is_numbered = letters > MOST_LETTERS;
    let is_upright = is_small && letters > FEW_LETTERS && !is_numbered;
    html! {
        div.block.wide[matrix.len() > SOME_CLASSES] {
            p.words { (task.of_column(column)) "true class (rows) and answer (columns), " (part) " part" }
            div.scroll role="region" tabindex="0" aria-label=(format!("Confusion matrix of {}", task.name)) {
                table.confusion.many[is_small].upright[is_upright] aria-label=(format!("Confusion matrix of {}", task.name)) {
                    thead {
                        tr {
                            td {}
                            @for (class, name) in names.iter().enumerate() {
                                th scope="col" title=(name) {
                                    @if is_numbered { span aria-hidden="true" { (class + 1) } span.unseen { (name) } }
                                    @else { span { (name) } }
                                }
                            }
                        }
                    }
                    tbody {
                        @for (class, row) in matrix.iter().enumerate() {
                            tr {
                                th scope="row" {
                                    (names[class]) @if is_numbered { span.place aria-hidden="true" { (class + 1) } }
                                }
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
}

/// By what a column's answers are given, where not by the likelier class.
fn threshold(task: &TaskFacts, column: usize) -> Markup {
    let Some((it, value)) =
        task.threshold.as_ref().and_then(|it| Some((it, it.values.get(column)?)))
    else {
        return html! {};
    };
    let why = match (it.chosen_for.as_deref(), it.validation.get(column)) {
        (Some(aim), Some(score)) => {
            let of = if aim == "f1" { "F1 of the rarer class" } else { "balanced accuracy" };
            let half = it.validation_at_half.get(column);
            let half = half.map_or(String::new(), |half| format!("; {} at 0.5", fraction(*half)));
            format!(
                ". Chosen by the validation rows for the highest {of} ({} there{half})",
                fraction(*score)
            )
        }
        _ => ", as asked for".into(),
    };
    html! {
        p.words {
            "Threshold: " (task.class(column, 1)) " is answered above a probability of " (number(*value)) (why) "."
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
        table.figures.pairs {
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
        @if wrong.len() > MOST_PAIRS {
            p.words { "The first " (MOST_PAIRS) " of " (number(wrong.len() as f64)) " pairs; results.json has all of them." }
        }
    }
}
