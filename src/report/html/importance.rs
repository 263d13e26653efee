//! What each feature is worth to a task, as a table with bars.

use super::run::Run;
use super::scale::{fraction, number, percent};
use crate::train::{FeatureImportance, TaskImportance};
use maud::{Markup, html};

/// A longer table is cut.
const MOST_FEATURES: usize = 20;

/// The block of a card; nothing where the task has no importance.
pub(super) fn block(run: &Run, task: &str, part: &str) -> Markup {
    let Some(all) = &run.results.importance else { return html! {} };
    let Some(Some(it)) = all.tasks.get(task) else { return html! {} };
    let largest = it.features.iter().map(|it| it.drop).fold(0.0, f64::max);
    let measure = if it.measure == "r2" { "R²" } else { "accuracy" };
    html! {
        div.block {
            table.figures.importance {
                caption { "What each feature is worth, " (part) " part" }
                thead { tr { th scope="col" { "Feature" } th scope="col" { "Drop of " (measure) } } }
                tbody { @for feature in it.features.iter().take(MOST_FEATURES) { (line(it, feature, largest)) } }
            }
            p.words {
                "By how much the " (measure) " (" (written(it, it.figure)) ") falls when a feature's cells are dealt anew among "
                (number(all.rows as f64)) " rows: mean ± standard deviation of " (all.draws) " draws. What several features say alike is not seen."
                @if it.features.len() > MOST_FEATURES { " The first " (MOST_FEATURES) " of " (it.features.len()) " features; results.json has all." }
                @if all.passed_over > 0 { " " (all.passed_over) " features that seemed to matter least were not looked at closely." }
            }
        }
    }
}

fn line(task: &TaskImportance, it: &FeatureImportance, largest: f64) -> Markup {
    let share = if largest > 0.0 { (it.drop / largest).clamp(0.0, 1.0) } else { 0.0 };
    html! {
        tr {
            th scope="row" { (it.feature) }
            td.bar style=(format!("--s:{:.1}%", 100.0 * share)) {
                (written(task, it.drop)) span.spread { " ± " (written(task, it.spread)) }
            }
        }
    }
}

fn written(task: &TaskImportance, value: f64) -> String {
    if task.measure == "r2" { fraction(value) } else { percent(value) }
}
