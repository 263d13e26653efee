//! Figures in numbers: of each task, of all together, and of the trials.

use super::super::scale::{fraction, number};
use super::compared;
use crate::compare::{Comparison, Interval, OfScheme};
use maud::{Markup, html};

/// Told-apart figures are set off.
const LEVEL: f64 = 0.05;

/// How to read what follows.
pub(super) fn reading(all: &Comparison) -> String {
    format!(
        "Means over {} seeds with their intervals of 95 %. Lower losses are better. Against equal weights: the difference of the mean test \
         loss, and the probability of a paired t test after Holm's correction over all tests of the page; below 0.05 is set off.",
        all.protocol.seeds.len()
    )
}

/// A line a scheme.
pub(super) fn of_task(all: &Comparison, task: usize) -> Markup {
    let facts = &all.tasks[task];
    let is_accuracy = facts.figure == "accuracy";
    let write =
        |value: f64| if is_accuracy { format!("{:.1}", 100.0 * value) } else { fraction(value) };
    html! {
        h3 { (facts.name) span.loss { " " (facts.loss) } }
        div.scroll {
            table.figures.wide {
                thead { tr {
                    th scope="col" { "Scheme" }
                    th scope="col" { @if is_accuracy { "Accuracy, %" } @else { "R²" } }
                    th scope="col" { "Test loss" }
                    th scope="col" { "From equal" }
                    th scope="col" { "p" }
                } }
                tbody {
                    @for (_, scheme) in compared(all) {
                        @let it = &scheme.tasks[task];
                        @let class = it.against_equal.filter(|test| test.holm < LEVEL).map(|_| "told");
                        tr {
                            th scope="row" { (scheme.entry.name) (failed(scheme)) }
                            td { (interval(it.figure.as_ref(), write)) }
                            td { (interval(it.loss.as_ref(), number)) }
                            td class=[class] { @if let Some(test) = &it.against_equal { (percent(test.relative)) } }
                            td class=[class] { @if let Some(test) = &it.against_equal { (probability(test.holm)) } }
                        }
                    }
                    @if let Some(loss) = facts.constant_test {
                        tr { th scope="row" { "always one answer" } td {} td { (number(loss)) } td {} td {} }
                    }
                }
            }
        }
    }
}

/// What a scheme comes to over all tasks, and what it was trained with.
pub(super) fn together(all: &Comparison) -> Markup {
    let rule = |name: &str| all.protocol.rules.get(name).cloned().unwrap_or_default();
    html! {
        div.scroll {
            table.figures.wide {
                thead { tr {
                    th scope="col" { "Scheme" }
                    th scope="col" { "Δm, % (+ is better)" }
                    th scope="col" { "Mean rank" }
                    th scope="col" { "ms a step" }
                    th scope="col" { "KiB a step" }
                    th.chosen scope="col" { "Trained with" }
                } }
                tbody {
                    @for (_, scheme) in compared(all) {
                        tr {
                            th scope="row" { (scheme.entry.name) (failed(scheme)) }
                            td { (interval(scheme.delta_m.as_ref(), |value| signed(100.0 * value))) }
                            td { (scheme.mean_rank.map_or("–".into(), |rank| format!("{rank:.2}"))) }
                            td { (all.times.milliseconds_a_step.get(&scheme.entry.name).map_or("–".into(), |it| number(*it))) }
                            td { (scheme.entry.bytes_a_step.map_or("–".into(), |it| number((it as f64 / 1024.0).round()))) }
                            td.chosen { (chosen(scheme)) }
                        }
                    }
                }
            }
        }
        @for scheme in &all.schemes {
            @if let Some(why) = &scheme.entry.not_compared { p.warning { (scheme.entry.name) " was not compared: " (why) } }
        }
        p.words { (rule("delta_m")) " " (rule("mean_rank")) }
    }
}

/// All trials with their scores.
pub(super) fn tried(all: &Comparison) -> Markup {
    let rule = |name: &str| all.protocol.rules.get(name).cloned().unwrap_or_default();
    html! {
        p.words { (rule("choice")) " " (rule("tuning")) }
        details {
            summary { "All trials" }
            div.scroll {
                table.figures.wide {
                    thead { tr {
                        th scope="col" { "Scheme" } th scope="col" { "Rate" } th scope="col" { "Setting" } th scope="col" { "Score" } th scope="col" { "Epoch" }
                    } }
                    tbody {
                        @for scheme in &all.schemes {
                            @for it in &scheme.entry.tried {
                                @let is_chosen = scheme.entry.chosen.iter().any(|best| best.trial == it.trial && best.task == it.task);
                                tr class=[is_chosen.then_some("told")] {
                                    th scope="row" { (scheme.entry.name) @if let Some(task) = &it.task { ", " (task) } }
                                    td { (number(it.trial.learning_rate)) }
                                    td { (it.trial.words()) }
                                    td { (it.score.map_or("failed".into(), number)) }
                                    td { (it.best_epoch) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn chosen(scheme: &OfScheme) -> String {
    let of = scheme.entry.chosen.iter().map(|it| {
        let task = it.task.as_ref().map_or(String::new(), |task| format!("{task}: "));
        let setting = it.trial.words();
        let comma = if setting.is_empty() { "" } else { ", " };
        format!("{task}rate {}{comma}{setting}", number(it.trial.learning_rate))
    });
    of.collect::<Vec<_>>().join("; ")
}

fn failed(scheme: &OfScheme) -> Markup {
    let failed = scheme.entry.runs.iter().filter(|run| run.failure.is_some()).count();
    html! { @if failed > 0 { span.range { (failed) " of " (scheme.entry.runs.len()) " runs failed" } } }
}

fn interval(it: Option<&Interval>, write: impl Fn(f64) -> String) -> Markup {
    html! {
        @match it {
            None => "–",
            Some(it) => {
                (write(it.mean))
                @if let (Some(low), Some(high)) = (it.low, it.high) { span.range { (write(low)) " to " (write(high)) } }
            }
        }
    }
}

fn signed(value: f64) -> String {
    format!("{value:+.2}").replace('-', "−")
}

fn percent(share: f64) -> String {
    format!("{:+.1} %", 100.0 * share).replace('-', "−")
}

fn probability(p: f64) -> String {
    if p < 0.001 { "< 0.001".into() } else { format!("{p:.3}") }
}
