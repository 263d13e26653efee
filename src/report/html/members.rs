//! The networks of a fleet, each alone.

use super::run::{MemberFacts, Run};
use super::scale::{number, percent};
use crate::train::TaskMetrics;
use maud::{Markup, html};

/// A longer table is cut.
const MOST_MEMBERS: usize = 50;

/// A line a network: its seed, its epochs, and how good it is at each task.
pub(super) fn table(run: &Run) -> Markup {
    let members = &run.results.members;
    let part = run.results.parts().last().map(|(part, _)| *part);
    let tasks = &run.results.tasks;
    html! {
        @if let Some(part) = part { p.words { "Accuracy, or the root of the mean squared error, on the " (part) " part." } }
        div.scroll {
            table.figures {
                thead {
                    tr {
                        th scope="col" { "Network" }
                        th scope="col" { "Seed" }
                        th scope="col" { "Epochs" }
                        th scope="col" { "Kept" }
                        @for task in tasks { th scope="col" { (task.name) } }
                    }
                }
                tbody {
                    @for member in members.iter().take(MOST_MEMBERS) {
                        tr {
                            th scope="row" { (member.member) }
                            td { (member.seed) }
                            td { (member.epochs) }
                            td { @if member.failure.is_some() { "–" } @else { (member.kept_epoch) } }
                            @for task in tasks { td { (headline(member, part, &task.name)) } }
                        }
                    }
                }
            }
        }
        @if members.len() > MOST_MEMBERS {
            p.words { (members.len() - MOST_MEMBERS) " more networks stand in results.json." }
        }
        @for member in members {
            @if let Some(why) = &member.failure { p.words { "Network " (member.member) ": " (why) } }
        }
    }
}

fn headline(member: &MemberFacts, part: Option<&str>, task: &str) -> String {
    let figures = part.and_then(|part| member.part(part)?.get(task)?.as_ref());
    match figures {
        None => "–".into(),
        Some(TaskMetrics::Classification(it)) => percent(it.scores.accuracy),
        Some(TaskMetrics::Regression(it)) if it.columns.is_empty() => number(it.fit.rmse),
        Some(TaskMetrics::Regression(it)) => {
            it.fit.r2.map_or("–".into(), |r2| format!("R² {}", number(r2)))
        }
    }
}
