//! A comparison as tables for people, no wider than 100 columns.

use crate::cli::terminal::one_line;
use awl::compare::{Comparison, Interval, OfScheme, OfTask};
use std::fmt::Write;
use std::path::Path;

/// Columns of a line.
const WIDTH: usize = 100;
/// Letters of a scheme's name.
const NAME: usize = 17;

/// The tables, then the conclusion.
pub fn text(all: &Comparison, directory: &Path) -> String {
    let mut text = String::new();
    let seeds = all.protocol.seeds.len();
    let _ = writeln!(
        text,
        "{} test rows; means over {seeds} seeds and their intervals of 95 %; p: paired t test of the losses\nagainst equal weights, corrected (Holm)\n",
        all.data.test
    );
    for (at, task) in all.tasks.iter().enumerate() {
        let figure = if task.figure == "accuracy" { "accuracy, %" } else { "R²" };
        let name: String = one_line(&task.name).chars().take(NAME).collect();
        let _ = writeln!(
            text,
            "{name:NAME$} {figure:>26} {:>28} {:>12} {:>7}",
            "test loss", "from equal", "p"
        );
        for scheme in compared(all) {
            let _ = writeln!(text, "{}", line(scheme, &scheme.tasks[at], &task.figure).trim_end());
        }
        text.push('\n');
    }
    let _ = writeln!(
        text,
        "{:NAME$} {:>28} {:>6} {:>8} {:>8} {:>9}  chosen",
        "all tasks", "Δm, % (+ is better than stl)", "rank", "rate", "ms/step", "KiB/step"
    );
    for scheme in compared(all) {
        let _ = writeln!(text, "{}", clipped(&summary(all, scheme), WIDTH).trim_end());
    }
    for scheme in all.schemes.iter().filter(|it| it.entry.not_compared.is_some()) {
        let why = scheme.entry.not_compared.as_deref().unwrap_or_default();
        let _ = write!(
            text,
            "{}",
            wrapped(&format!("{:NAME$} not compared: {}", scheme.entry.name, one_line(why)))
        );
    }
    let _ = writeln!(
        text,
        "Δm: the tasks' mean improvement over single-task networks (stl) in accuracy or RMSE; rank: the mean\nover tasks and seeds, equals share theirs\n"
    );
    all.conclusion.iter().for_each(|sentence| text.push_str(&wrapped(&one_line(sentence))));
    let _ = writeln!(
        text,
        "\nall runs, curves and rules: {}",
        directory.join("comparison.json").display()
    );
    text
}

fn compared(all: &Comparison) -> impl Iterator<Item = &OfScheme> {
    all.schemes.iter().filter(|it| it.entry.not_compared.is_none())
}

/// A scheme's line of a task.
fn line(scheme: &OfScheme, task: &OfTask, figure: &str) -> String {
    let scale = if figure == "accuracy" { 100.0 } else { 1.0 };
    let decimals = if figure == "accuracy" { 1 } else { 3 };
    let figure = interval(task.figure.as_ref(), scale, |value| format!("{value:.decimals$}"));
    let loss = interval(task.loss.as_ref(), 1.0, |value| format!("{value:.4}"));
    let (from, p) = match &task.against_equal {
        Some(it) => (format!("{:+.1} %", 100.0 * it.relative), probability(it.holm)),
        None => (String::new(), String::new()),
    };
    let failed = scheme.entry.runs.iter().filter(|run| run.failure.is_some()).count();
    let failed = if failed > 0 { format!("  {failed} failed") } else { String::new() };
    format!("{:NAME$} {figure:>26} {loss:>28} {from:>12} {p:>7}{failed}", scheme.entry.name)
}

/// `97.1 [96.0, 98.2]`
fn interval(it: Option<&Interval>, scale: f64, write: impl Fn(f64) -> String) -> String {
    let Some(it) = it else { return "–".into() };
    let mean = write(scale * it.mean);
    match (it.low, it.high) {
        (Some(low), Some(high)) => {
            format!("{mean} [{}, {}]", write(scale * low), write(scale * high))
        }
        _ => mean,
    }
}

fn probability(p: f64) -> String {
    if p < 0.001 { "<0.001".into() } else { format!("{p:.3}") }
}

/// A scheme's line over all tasks.
fn summary(all: &Comparison, scheme: &OfScheme) -> String {
    let entry = &scheme.entry;
    let delta = interval(scheme.delta_m.as_ref(), 100.0, |value| format!("{value:+.2}"));
    let rank = scheme.mean_rank.map_or("–".into(), |rank| format!("{rank:.2}"));
    let rates: Vec<f64> = entry.chosen.iter().map(|it| it.trial.learning_rate).collect();
    let rate = match &rates[..] {
        [first, rest @ ..] if rest.iter().all(|rate| rate == first) => first.to_string(),
        _ => "by task".into(),
    };
    let milliseconds = all.times.milliseconds_a_step.get(&entry.name);
    let milliseconds = milliseconds.map_or("–".into(), |it| format!("{it:.3}"));
    let bytes = entry.bytes_a_step.map_or("–".into(), |it| format!("{:.0}", it as f64 / 1024.0));
    let chosen = match &entry.chosen[..] {
        [only] if entry.name == "fixed" && only.trial.weights.is_none() => {
            "the weights of equal".into()
        }
        [only] => only.trial.words(),
        several if rate == "by task" => {
            let rates = several.iter().map(|it| it.trial.learning_rate.to_string());
            rates.collect::<Vec<_>>().join(", ")
        }
        _ => String::new(),
    };
    format!(
        "{:NAME$} {delta:>28} {rank:>6} {rate:>8} {milliseconds:>8} {bytes:>9}  {chosen}",
        entry.name
    )
}

fn clipped(text: &str, most: usize) -> String {
    match text.chars().count() {
        count if count > most => text.chars().take(most - 1).chain(['…']).collect(),
        _ => text.into(),
    }
}

/// A sentence on lines of the width, with an end.
fn wrapped(sentence: &str) -> String {
    let mut lines = String::new();
    let mut width = 0;
    for word in sentence.split_whitespace() {
        let letters = word.chars().count();
        if width > 0 && width + 1 + letters > WIDTH {
            lines.push('\n');
            width = 0;
        }
        if width > 0 {
            lines.push(' ');
            width += 1;
        }
        lines.push_str(word);
        width += letters;
    }
    lines + "\n"
}
