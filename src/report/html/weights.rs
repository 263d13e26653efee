//! How the tasks are weighed in the model.

use super::run::Run;
use super::scale::{number, percent};
use crate::train::{ABOUT_NOISE, Weighed};
use maud::{Markup, html};

/// A line a task, of the epoch that is kept; nothing for runs from before that was noted.
pub(super) fn table(run: &Run) -> Markup {
    let tasks = run.results.tasks.iter();
    let of_task = |name: &str| run.results.weights.get(name);
    let lines: Vec<(&str, &Weighed)> =
        tasks.filter_map(|task| Some((&*task.name, of_task(&task.name)?))).collect();
    if lines.is_empty() {
        return html! {};
    }
    let is_learned = lines.iter().any(|(_, it)| it.sigma.is_some());
    let of = if run.results.members.is_empty() { "" } else { ", means over the networks" };
    html! {
        p.words { "In the epoch that is kept" (of) "." }
        div.scroll {
            table.figures.weighed {
                thead {
                    tr {
                        th scope="col" { "Task" }
                        th scope="col" { "Training loss" }
                        th scope="col" { "Weight" }
                        th scope="col" { "Share" }
                        @if is_learned { th scope="col" { "σ" } th scope="col" { "σ rests at" } }
                    }
                }
                tbody {
                    @for (name, it) in lines {
                        tr {
                            th scope="row" { (name) }
                            td { (optional(it.loss)) }
                            td { (number(it.weight)) }
                            td { (it.share.map_or("–".into(), percent)) }
                            @if is_learned {
                                td { (optional(it.sigma)) }
                                td { (optional(it.rests_at)) @if it.is_at_rest() == Some(true) { ", there" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A line a column: the noise that its task's weight stands for, beside the residuals of rows kept apart; nothing without one.
pub(super) fn noise(run: &Run) -> Markup {
    let noise = &run.results.homoscedastic_noise;
    let part = run.results.parts().last().map(|(part, _)| *part);
    let residual = part.filter(|_| noise.iter().any(|it| it.residual.is_some()));
    html! {
        @if !noise.is_empty() {
            div.scroll {
                table.figures.weighed {
                    thead {
                        tr {
                            th scope="col" { "Noise" }
                            th scope="col" { "By σ" }
                            @if let Some(part) = residual {
                                th scope="col" { "Residual, " (part) }
                                th scope="col" {}
                            }
                        }
                    }
                    tbody {
                        @for it in noise {
                            tr {
                                th scope="row" { (it.column) }
                                td { (number(it.by_weight)) }
                                @if residual.is_some() {
                                    td { (optional(it.residual)) }
                                    td.words { (it.words().unwrap_or_default()) }
                                }
                            }
                        }
                    }
                }
            }
            p.words { "Standard deviations in the columns' own units. " (ABOUT_NOISE) "." }
        }
    }
}

fn optional(value: Option<f64>) -> String {
    value.map_or("–".into(), number)
}
