//! A comparison of weightings as a page like that of a run: one HTML file that needs nothing else.
//!
//! | file | what it holds |
//! |---|---|
//! | `intervals.rs` | each task's test losses, scheme by scheme, with their intervals |
//! | `tables.rs` | figures in numbers, what was tried |
//! | `plane.rs` | of two tasks: both test losses of every run, and the front |
//! | `curves.rs` | weights and σ from epoch to epoch |

mod curves;
mod intervals;
mod plane;
mod tables;
#[cfg(test)]
mod tests;

use super::scale::number;
use crate::compare::{Comparison, OfScheme};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::path::Path;

/// The page of a comparison: a self-contained HTML document.
pub fn comparison_html(all: &Comparison) -> String {
    page(all).into_string()
}

fn page(all: &Comparison) -> Markup {
    let file = all.data.file.as_deref().map(Path::new);
    let name = file.and_then(Path::file_name).map_or("a table".into(), |it| it.to_string_lossy());
    html! {
        (DOCTYPE)
        html lang="en" {
            (super::head(&format!("{name}: comparison of weightings")))
            body {
                style { (PreEscaped(include_str!("page.css"))) }
                main {
                    header {
                        h1 { "Which weighting for " (name) "?" }
                        p.summary { (all.conclusion.join(" ")) }
                        @for warning in &all.warnings { p.warning { (warning) } }
                    }
                    section {
                        h2 { "Each task on the test rows" }
                        p.words { (tables::reading(all)) }
                        div.grid { @for task in 0..all.tasks.len() { (intervals::figure(all, task)) } }
                        @for task in 0..all.tasks.len() { (tables::of_task(all, task)) }
                    }
                    section {
                        h2 { "All tasks together" }
                        (tables::together(all))
                    }
                    @if let Some(plane) = plane::figure(all) {
                        section {
                            h2 { "Both losses at once" }
                            div.grid { (plane) }
                        }
                    }
                    section {
                        h2 { "How the tasks were weighed" }
                        p.words { "Means over the seeds; weights as shares of their sum, for as long as half of the runs went on." }
                        div.grid { (curves::all(all)) }
                    }
                    section {
                        h2 { "What was tried" }
                        (tables::tried(all))
                    }
                    @if !all.choices.is_empty() {
                        section {
                            h2 { "Data" }
                            ul.choices { @for choice in &all.choices { li { (choice) } } }
                        }
                    }
                    section {
                        h2 { "How it was made" }
                        (facts(all))
                        ul.choices { @for rule in all.protocol.rules.values() { li { (rule) } } }
                    }
                }
                footer { "Written by awl " (all.version) }
            }
        }
    }
}

/// Schemes that were compared, each with its number.
fn compared(all: &Comparison) -> impl Iterator<Item = (usize, &OfScheme)> {
    let compared = all.schemes.iter().filter(|it| it.entry.not_compared.is_none());
    compared.enumerate().map(|(at, scheme)| (at + 1, scheme))
}

fn facts(all: &Comparison) -> Markup {
    let (protocol, data, times) = (&all.protocol, &all.data, &all.times);
    let listed =
        |values: &[f64]| values.iter().map(|it| number(*it)).collect::<Vec<_>>().join(", ");
    let seeds: Vec<String> = protocol.seeds.iter().map(u64::to_string).collect();
    html! {
        dl {
            dt { "Rows" } dd { (number(data.training as f64)) " training, " (number(data.validation as f64)) " validation, " (number(data.test as f64)) " test" }
            dt { "Seeds" } dd { (seeds.join(", ")) "; of the split " (protocol.split_seed) "; of the trials " (protocol.tuning_seed) }
            dt { "Learning rates" } dd { (listed(&protocol.learning_rates)) "; " (protocol.budget) " trials a scheme at most" }
            dt { "Runs" } dd { "up to " (protocol.epochs) " epochs in batches of " (protocol.batch_size) "; patience " (protocol.patience) }
            dt { "Network" } dd { (number(protocol.parameters as f64)) " parameters, " (number(data.inputs as f64)) " inputs" }
            @if let Some(file) = &data.file { dt { "Table" } dd { (file) } }
            dt { "Fingerprint" } dd { (data.fingerprint) ", of the encoded rows for training and validation" }
            dt { "Engine" } dd { (protocol.engine) ", " (protocol.adapter) }
            @if !times.date.is_empty() { dt { "Ended" } dd { time datetime=(times.date) { (times.date.replace('T', " ").replace('Z', " UTC")) } } }
            dt { "Seconds" } dd { (number(times.seconds)) }
        }
    }
}
