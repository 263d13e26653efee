//! The run in a few plain sentences.

use super::run::Run;
use super::scale::{number, percent};
use crate::train::TaskMetrics;

/// More tasks than these would make no readable sentence.
const MOST_OUTCOMES: usize = 4;

/// What was trained, how long, and what came out.
pub(super) fn summary(run: &Run) -> String {
    let results = &run.results;
    // Without what the driver says of itself in parentheses.
    let adapter = results.adapter.as_ref().and_then(|adapter| adapter.split(" (").next());
    let on = adapter.map_or(String::new(), |adapter| format!(" on {adapter}"));
    let networks = match results.members.len() {
        0 => "One network".into(),
        networks => format!("{networks} networks"),
    };
    let at_most = if results.members.is_empty() { "" } else { " at most" };
    let mut words = format!(
        "{networks} learned {} from {} in {}{at_most}: {}, {}{on}.",
        counted(results.tasks.len() as u64, "task"),
        counted(results.rows.train, "row"),
        counted(results.epochs, "epoch"),
        counted(results.steps, "step"),
        duration(results.seconds),
    );
    if results.best_epoch == Some(0) {
        words += &format!(
            " The model is the linear one that training started from: no epoch was better on the {} kept for validation.",
            counted(results.rows.validation, "row")
        );
    }
    if let Some(best) = super::curves::best_epoch(run) {
        words += &format!(
            " The model is that of epoch {}, which was best on the {} kept for validation.",
            best.epoch,
            counted(results.rows.validation, "row")
        );
    }
    let failed = results.members.iter().filter(|it| it.failure.is_some()).count();
    if !results.members.is_empty() {
        let kept = results.members.len() - failed;
        words += &format!(
            " The model is {} of them, each that of its best epoch, which answer together.",
            match failed {
                0 => "all".to_string(),
                _ => format!("{kept}"),
            }
        );
    }
    match results.parts().last() {
        None => words += " No rows were kept apart to measure it on.",
        Some((part, tasks)) => {
            let rows = match *part {
                "test" => format!(
                    "On the {} of the test part, which no choice was made on",
                    counted(results.rows.test, "row")
                ),
                part => format!("On the {part} rows"),
            };
            let outcomes = results
                .tasks
                .iter()
                .filter_map(|task| Some(outcome(&task.name, tasks.get(&task.name)?.as_ref()?)));
            let outcomes: Vec<String> = outcomes.collect();
            words += &match outcomes.len() {
                ..=MOST_OUTCOMES => format!(" {rows}, {}.", outcomes.join("; ")),
                _ => " How good it is at each task is told below.".into(),
            };
        }
    }
    words
}

/// A task's result: `species is right in 97.1 % of the cases`.
fn outcome(task: &str, metrics: &TaskMetrics) -> String {
    match metrics {
        TaskMetrics::Classification(it) => {
            format!("{task} is right in {} of the cases", percent(it.scores.accuracy))
        }
        TaskMetrics::Regression(it) if !it.columns.is_empty() => match it.fit.r2 {
            Some(r2) => format!("{task} has an R² of {} on average", number(r2)),
            None => format!("{task} is told below"),
        },
        TaskMetrics::Regression(it) => {
            let explained =
                it.fit.r2.filter(|r2| *r2 >= 0.0).map_or(String::new(), |r2| {
                    format!(", {} of its variance explained", percent(r2))
                });
            format!("{task} is off by {} on average{explained}", number(it.fit.mae))
        }
    }
}

/// `1 row`, `2 rows`.
pub(super) fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", number(count as f64))
}

fn duration(seconds: f64) -> String {
    match seconds {
        ..120.0 => format!("{seconds:.1} s"),
        ..7200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}
