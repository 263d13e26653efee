//! `awl describe`: what the program sees before it trains, with the flags that `awl train` takes.

use super::data::Data;
use super::{Arguments, folds};
use crate::cli::failure::Failure;
use crate::cli::terminal::{one_line, printable};
use awl::Table;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

/// Commonest texts of a column that are named.
const MOST_TEXTS: usize = 5;
/// Letters of one that are shown.
const MOST_LETTERS: usize = 24;

/// Describes the table, the tasks and the split, and trains nothing.
pub fn run(arguments: &Arguments) -> ExitCode {
    match describe(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn describe(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.resume.is_some() {
        return Err(Failure::input(
            "--resume goes on with a run: to describe its table, give --config RUN/config.toml",
        ));
    }
    let mut config = super::configured(arguments)?;
    let (data, runs) = match folds::are_several(&config) {
        true => folds::describe(arguments, config)?,
        false => (Data::read(&mut config, arguments)?, Vec::new()),
    };
    let mut report = report(&data)?;
    if !runs.is_empty() {
        let run = |(name, [train, validation, test]): &(String, [usize; 3])| {
            let sizes = json!({ "train": train, "validation": validation, "test": test });
            (name.clone(), sizes)
        };
        report["runs"] = runs.iter().map(run).collect::<Map<_, _>>().into();
    }
    let mut out = std::io::stdout().lock();
    // A reader who has seen enough closes the pipe; that is no failure.
    let _ = match arguments.json {
        true => writeln!(out, "{report:#}"),
        false => write!(out, "{}", printable(&text(&data, &report, &runs))),
    };
    Ok(())
}

fn report(data: &Data) -> Result<Value, Failure> {
    let [training, validation, test] = data.sizes();
    let columns: Result<Vec<Value>, Failure> =
        data.table.names().iter().map(|name| column(&data.table, name, data)).collect();
    Ok(json!({
        "rows": data.table.rows(),
        "columns": columns?,
        "inputs": data.encoder.features(),
        "split": {
            "train": training,
            "validation": validation,
            "test": test,
        },
        "choices": data.told.choices,
        "warnings": data.told.warnings,
        "data": data.told.data,
    }))
}

/// What a column holds, and what it is used for.
fn column(table: &Table, name: &str, data: &Data) -> Result<Value, Failure> {
    let cells = table.column(name)?;
    let mut counts: HashMap<_, usize> = HashMap::new();
    for text in (0..table.rows()).filter_map(|row| cells.text(row)) {
        *counts.entry(text).or_default() += 1;
    }
    let is_task =
        data.encoder.targets().iter().any(|task| task.columns.iter().any(|it| it == name));
    let is_feature = data.encoder.feature_columns().iter().any(|it| it.column == name);
    let is_weight = data.encoder.sample_weights().is_some_and(|it| it.column == name);
    let used = match (is_task, is_feature, is_weight) {
        (true, ..) => "task",
        (_, true, _) => "feature",
        (_, _, true) => "weight",
        _ => "no",
    };
    let mut column = json!({
        "name": name,
        "type": if cells.is_text() { "text" } else { "number" },
        "used": used,
        "missing": cells.missing(),
        "missing_words": table.missing(name)?.iter().map(|(word, count)| (word.to_string(), json!(count))).collect::<Map<_, _>>(),
        "distinct": counts.len(),
    });
    if cells.is_text() {
        let mut common: Vec<_> = counts.into_iter().collect();
        common.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let common = common.into_iter().take(MOST_TEXTS);
        column["common"] = common.map(|(text, count)| json!([text, count])).collect();
    } else {
        let numbers: Vec<f64> = (0..table.rows()).filter_map(|row| cells.number(row)).collect();
        let (least, most) =
            numbers.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), &it| {
                (least.min(it), most.max(it))
            });
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        // JSON has no infinities: of no number there is none.
        column["least"] = json!(least);
        column["mean"] = json!(mean);
        column["most"] = json!(most);
    }
    Ok(column)
}

fn text(data: &Data, report: &Value, runs: &[folds::Sizes]) -> String {
    let columns = report["columns"].as_array().map_or(&[][..], Vec::as_slice);
    let names = data.table.names().iter().map(|name| name.chars().count());
    let width = names.max().unwrap_or(0).clamp(6, 32);
    let mut text =
        format!("{}: {} rows, {} columns\n\n", data.table.name(), report["rows"], columns.len());
    let _ = writeln!(
        text,
        "{:width$} {:7} {:7} {:>8} {:>9}  holds",
        "column", "type", "used", "missing", "distinct"
    );
    for column in columns {
        let word = |key: &str| column[key].as_str().unwrap_or_default().to_string();
        let count = |key: &str| column[key].as_u64().unwrap_or_default();
        let _ = writeln!(
            text,
            "{:width$} {:7} {:7} {:>8} {:>9}  {}",
            cut(&word("name"), width),
            word("type"),
            word("used"),
            count("missing"),
            count("distinct"),
            holds(column)
        );
    }
    let split = &report["split"];
    text.push('\n');
    for (name, [training, validation, test]) in runs {
        let _ = writeln!(
            text,
            "{name}: {training} rows to train on, {validation} to validate, {test} to test"
        );
    }
    let _ = match runs {
        [] => writeln!(
            text,
            "{} rows to train on, {} to validate, {} to test; {} inputs",
            split["train"], split["validation"], split["test"], report["inputs"]
        ),
        [(first, _), ..] => writeln!(text, "{} inputs in {first}", report["inputs"]),
    };
    for choice in &data.told.choices {
        let _ = writeln!(text, "{choice}");
    }
    for warning in &data.told.warnings {
        let _ = writeln!(text, "warning: {warning}");
    }
    text
}

/// `Adelie 152, Gentoo 124`, or `32.1 to 59.6, on average 43.92`.
fn holds(column: &Value) -> String {
    if let Some(common) = column["common"].as_array() {
        let one = |it: &Value| {
            format!("{} {}", cut(it[0].as_str().unwrap_or_default(), MOST_LETTERS), it[1])
        };
        let more = column["distinct"].as_u64() > Some(common.len() as u64);
        let named: Vec<String> = common.iter().map(one).collect();
        return named.join(", ") + if more { ", …" } else { "" };
    }
    match [&column["least"], &column["most"], &column["mean"]].map(Value::as_f64) {
        [Some(least), Some(most), Some(mean)] => {
            format!("{least} to {most}, on average {}", crate::cli::scores::significant(mean))
        }
        _ => String::new(),
    }
}

fn cut(text: &str, letters: usize) -> String {
    let text = one_line(text);
    match text.chars().count() {
        count if count > letters => text.chars().take(letters - 1).chain(['…']).collect(),
        _ => text.into_owned(),
    }
}
