//! What all runs come to, for people.

use super::figures::{Block, Figure, Figures, NAMES, Task};
use super::spread::Spread;
use crate::cli::run_dir::RunDir;
use crate::cli::scores::{clipped, rounded, significant};
use std::fmt::Write;

/// A line a figure, the network's beside the baselines', and one a task of how it is weighed.
pub fn text(all: &RunDir, figures: &Figures) -> String {
    let Figures { folds, repeats, rows, tasks, .. } = figures;
    let runs = folds.unwrap_or(1) * repeats;
    let (what, shared) = match (folds, repeats) {
        (Some(folds), 1) => (
            format!("{folds} folds of {rows} rows, each row tested once"),
            "folds share their training rows",
        ),
        (Some(folds), repeats) => (
            format!(
                "{folds} folds of {rows} rows, {repeats} times, each row tested {repeats} times"
            ),
            "folds share their training rows",
        ),
        (None, repeats) => (format!("{repeats} splits of {rows} rows"), "splits share rows"),
    };
    let mut text = format!(
        "{what}: mean ± standard deviation over the {runs} {}; that is no standard error, since {shared}\n",
        if folds.is_some() { "folds" } else { "splits" }
    );
    let blocks = |task: &Task| if task.columns.is_empty() { 1 } else { task.columns.len() };
    let names = tasks.iter().flat_map(|it| std::iter::once(&it.whole).chain(&it.columns));
    let width = names.map(|it| it.name.chars().count()).max().unwrap_or(0).clamp(8, 40);
    let [network, linear, constant] = NAMES;
    let _ = writeln!(text, "\n{:width$} {:9}{network:>20}{linear:>20}{constant:>20}", "", "");
    for task in tasks {
        let of = if blocks(task) == 1 { std::slice::from_ref(&task.whole) } else { &task.columns };
        of.iter().for_each(|block| lines(&mut text, block, width, runs));
    }
    let better = tasks.iter().filter(|task| task.better().1 > 0).map(|task| {
        let (better, of) = task.better();
        let figure = word(task.whole.figures[task.headline].name);
        format!("\"{}\" in {better} of {of} ({figure})", task.name)
    });
    let better: Vec<String> = better.collect();
    if !better.is_empty() {
        let _ = writeln!(text, "\nbetter than the linear model: {}", better.join(", "));
    }
    for (name, second, thresholds) in tasks.iter().flat_map(|task| &task.thresholds) {
        let [name, second] = [name, second].map(|it| clipped(it, 40));
        let _ = writeln!(
            text,
            "{name}: \"{second}\" is answered above a probability of {}, each run's own",
            spread("threshold", thresholds, runs)
        );
    }
    let _ = writeln!(text, "\n{:width$} {:>20} {:>20}", "weights", "weight", "σ");
    for task in tasks {
        let name = clipped(&task.name, width);
        let [weight, sigma] = [&task.weight, &task.sigma].map(|it| spread("rmse", it, runs));
        let _ = writeln!(text, "{name:width$} {weight:>20} {sigma:>20}");
    }
    let path = all.path().display();
    let _ = writeln!(
        text,
        "\nanswers of all tested rows: {path}/out_of_fold.csv; each run by itself: {path}/{}, …",
        figures.first
    );
    text
}

/// The lines of a task or column.
fn lines(text: &mut String, block: &Block, width: usize, runs: usize) {
    let mut name = clipped(&block.name, width);
    for Figure { name: figure, of } in &block.figures {
        let cells = of.each_ref().map(|it| spread(figure, it, runs));
        let [network, linear, constant] = cells;
        let line =
            format!("{name:width$} {:9}{network:>20}{linear:>20}{constant:>20}", word(figure));
        text.push_str(line.trim_end());
        text.push('\n');
        name.clear();
    }
}

/// What a figure is called.
fn word(figure: &str) -> &str {
    match figure {
        "macro_f1" => "macro F1",
        "auc" => "AUC",
        "log_loss" => "log loss",
        "rmse" => "RMSE",
        "mae" => "MAE",
        "r2" => "R²",
        other => other,
    }
}

/// `312.4 ± 12.3`, and of how many runs, where not of all.
fn spread(figure: &str, spread: &Spread, runs: usize) -> String {
    let Some(mean) = spread.mean() else { return "–".into() };
    let (scale, unit) = if figure == "accuracy" { (100.0, " %") } else { (1.0, "") };
    let of = match spread.counted() {
        all if all == runs => String::new(),
        counted => format!(" ({counted})"),
    };
    let mean = match figure {
        "accuracy" => format!("{:.1}", scale * mean),
        "rmse" | "mae" => significant(mean),
        _ => rounded(mean),
    };
    let deviation = spread.deviation().map_or("–".into(), |it| as_fine(scale * it, &mean));
    format!("{mean} ± {deviation}{unit}{of}")
}

/// The deviation with as many decimals as the mean is written with.
fn as_fine(deviation: f64, mean: &str) -> String {
    match mean.split_once('.') {
        _ if mean.contains('e') => significant(deviation),
        Some((_, decimals)) => format!("{deviation:.*}", decimals.len()),
        None => format!("{deviation:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deviation_is_written_as_finely_as_the_mean() {
        for (figure, values, expected) in [
            ("accuracy", [0.98, 1.0], "99.0 ± 1.4 %"),
            ("rmse", [310.0, 320.0], "315.0 ± 7.1"),
            ("rmse", [12_000.0, 14_000.0], "13000 ± 1414"),
            ("rmse", [1e9, 3e9], "2.000e9 ± 1.414e9"),
            ("r2", [0.5, 0.6], "0.550 ± 0.071"),
        ] {
            let values = Spread(values.map(Some).to_vec());
            assert_eq!(spread(figure, &values, 2), expected);
        }
        assert_eq!(spread("auc", &Spread(vec![Some(0.5), None]), 2), "0.500 ± – (1)");
        assert_eq!(spread("auc", &Spread(vec![None, None]), 2), "–");
    }
}
