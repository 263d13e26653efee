//! A run as a page: one HTML file that needs nothing else, no network, no script, no font.
//!
//! | file | what it holds |
//! |---|---|
//! | `run.rs` | reading the run directory |
//! | `words.rs` | the run in plain sentences |
//! | `results.rs` | a card a task with its figures |
//! | `classes.rs` | … and which classes are taken for which |
//! | `probabilities.rs` | … and whether their probabilities can be believed |
//! | `importance.rs` | … and what each feature is worth |
//! | `numbers.rs` | … and predicted against true numbers |
//! | `members.rs` | the networks of a fleet, each alone |
//! | `means.rs` | what the networks of a fleet come to on average |
//! | `weights.rs` | how the tasks are weighed in the model |
//! | `curves.rs` | losses, σ, weights, shares, learning rate |
//! | `comparison/` | a comparison of weightings, a page of its own |
//! | `chart.rs`, `scale.rs` | charts as inline SVG; axes and numbers |
//! | `page.css` | colours for light, dark and paper, and how the page folds for a phone |
//!
//! The markup is made by `maud`, which escapes every text that is put into it.

mod chart;
mod classes;
mod comparison;
mod curves;
mod importance;
mod means;
mod members;
mod numbers;
mod probabilities;
mod results;
mod run;
mod scale;
#[cfg(test)]
mod tests;
mod weights;
mod words;

pub use self::comparison::comparison_html;
use self::run::Run;
use crate::error::Result;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::path::Path;

/// The page of a run directory as `awl train` leaves it: a self-contained HTML document from its `config.toml`,
/// `metrics.jsonl` and `results.json`.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid), naming file and line, if one of the three is missing, cut off or not what
/// it should be; [`Error::File`](crate::Error::File) if it cannot be read.
pub fn html(run_dir: &Path) -> Result<String> {
    Ok(page(&Run::read(run_dir)?).into_string())
}

fn page(run: &Run) -> Markup {
    let shares = (run.results.tasks.len() > 1).then(|| curves::shares(run)).flatten();
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(&format!("{}: training report", run.name)))
            body {
                main {
                    header {
                        h1 { (run.name) }
                        p.summary { (words::summary(run)) }
                        @for warning in &run.results.warnings { p.warning { (warning) } }
                    }
                    section {
                        h2 { "Results" }
                        div.cards { (results::cards(run)) }
                    }
                    @if !run.results.members.is_empty() {
                        section {
                            h2 { "Each network alone" }
                            (members::table(run))
                        }
                    }
                    section {
                        h2 { "Losses" }
                        @if !run.results.members.is_empty() {
                            p.words { "Curves are means over the networks that made the step." }
                        }
                        div.grid { (curves::losses(run)) }
                    }
                    section {
                        h2 { "How the tasks were weighed" }
                        (weights::table(run))
                        (weights::noise(run))
                        div.grid {
                            @for figure in [curves::sigma(run), curves::weights(run), shares, curves::learning_rate(run)].into_iter().flatten() {
                                (figure)
                            }
                        }
                    }
                    @if !run.results.choices.is_empty() {
                        section {
                            h2 { "Data" }
                            ul.choices { @for choice in &run.results.choices { li { (choice) } } }
                        }
                    }
                    section {
                        h2 { "How it was made" }
                        (facts(run))
                        pre { (run.config) }
                    }
                }
                footer { "Written by awl " (env!("CARGO_PKG_VERSION")) }
            }
        }
    }
}

/// What stands before a page's body.
fn head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            // Nothing on this page asks for anything; a browser would refuse if it did.
            meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:";
            meta name="color-scheme" content="light dark";
            link rel="icon" href="data:,";
            title { (title) }
            style { (PreEscaped(include_str!("page.css"))) }
        }
    }
}

/// Rows, steps and time.
fn facts(run: &Run) -> Markup {
    let results = &run.results;
    let rows = &results.rows;
    let parts = [("training", rows.train), ("validation", rows.validation), ("test", rows.test)];
    let parts = parts.into_iter().filter(|(_, rows)| *rows > 0);
    let parts: Vec<String> =
        parts.map(|(part, rows)| format!("{} {part}", scale::number(rows as f64))).collect();
    html! {
        dl {
            dt { "Rows" } dd { (parts.join(", ")) }
            dt { "Epochs" } dd { (results.epochs) @if let Some(best) = curves::best_epoch(run) { ", the best " (best.epoch) } }
            dt { "Steps" } dd { (scale::number(results.steps as f64)) }
            @if let Some(seed) = results.seed {
                dt { "Seed" }
                dd { (seed) @if let Some(split) = results.split_seed { ", of the split " (split) } }
            }
            @if let Some(file) = &results.data.file { dt { "Table" } dd { (file) } }
            @if let Some(fingerprint) = &results.fingerprint {
                dt { "Fingerprint" } dd { (fingerprint) ", of the encoded rows for training and validation" }
            }
            @if let Some(date) = &results.date { dt { "Ended" } dd { time datetime=(date) { (date.replace('T', " ").replace('Z', " UTC")) } } }
            @if let Some(version) = &results.version { dt { "awl" } dd { (version) } }
            dt { "Seconds" } dd { (scale::number(results.seconds)) }
            @if let Some(adapter) = &results.adapter { dt { "Adapter" } dd { (adapter) } }
        }
    }
}

/// Colours that can be told apart on white, on black and by colour-blind eyes.
const COLOURS: usize = 6;

/// The style classes of a task's lines and areas: a colour and, where colours repeat, a pattern of dashes or a lighter area. Of 24
/// tasks no two look the same.
fn class(task: usize) -> String {
    format!("{} d{}", colour(task), task / COLOURS % 4)
}

/// The style class of a task's colour.
fn colour(task: usize) -> String {
    format!("c{}", task % COLOURS)
}

/// An entry of a legend.
fn legend(class: &str, words: &str) -> Markup {
    let mark = if class.contains("filled") { "area" } else { "line" };
    html! {
        li {
            svg.key viewBox="0 0 24 10" aria-hidden="true" {
                @if mark == "area" { path class=(format!("area {class}")) d="M1 1H23V9H1Z" {} }
                @else { path class=(format!("line {class}")) d="M1 5H23" {} }
            }
            span { (words) }
        }
    }
}
