//! Which columns are predicted from, and which of them look wrong.

use super::Told;
use super::problems::ignore;
use crate::cli::failure::Failure;
use crate::cli::train::config::Config;
use awl::Table;
use awl::tables::{Suspect, SuspectKind, shell_word};
use serde_json::json;

/// Names in a list are no more than these.
const MOST_NAMES: usize = 12;

/// The features that were named, or every column that serves for nothing else, neither names nor numbers the rows, and can be
/// learned from at all.
pub fn features(
    config: &mut Config,
    table: &Table,
    told: &mut Told,
) -> Result<Vec<String>, Failure> {
    // A misspelt name must not go unnoticed.
    for column in config.data.ignore.iter().chain(config.data.columns_of_rows()) {
        table.column(column)?;
    }
    let labels: Vec<String> = config.task.iter().flat_map(|task| task.columns.clone()).collect();
    let labels: Vec<String> = labels.iter().map(|name| in_table(table, name)).collect();
    let of_split: Vec<String> =
        config.data.columns_of_the_split().map(|name| in_table(table, name)).collect();
    if let Some(name) = of_split.iter().find(|name| labels.contains(name)) {
        return Err(Failure::input(format!(
            "column \"{name}\" splits the rows, and is to be predicted: name another column for one of the two"
        )));
    }
    let named = config.data.features.clone();
    let mut features = match &named {
        Some(named) => {
            named.iter().try_for_each(|name| table.column(name).map(|_| ()))?;
            named.iter().map(|name| in_table(table, name)).collect()
        }
        None => rest(config, table, &labels)?,
    };
    if let Some(name) = features.iter().find(|name| config.data.ignore.contains(name)) {
        return Err(Failure::input(format!(
            "column \"{name}\" is both among --features and among --ignore: name it in one of them"
        )));
    }
    let suspects = table.suspects(&features, &labels)?;
    if named.is_none() {
        leave_out(&mut features, table, &suspects, told)?;
        told.choices.push(format!("features: {}", listed(&features)));
    }
    warn(table, &features, &labels, &suspects, named.is_some(), told);
    if let Some(name) = of_split.iter().find(|name| features.contains(name)) {
        told.warnings.push(format!(
            "\"{name}\" splits the rows, and is among the features: other parts have values of it that were not trained on"
        ));
    }
    codes(table, &features, told);
    missing(table, &features, told)?;
    told.data["suspects"] = json!(suspects);
    config.data.features = Some(features.clone());
    Ok(features)
}

/// The table's own name of a column, which may be written in another form of Unicode.
pub(super) fn in_table(table: &Table, name: &str) -> String {
    awl::tables::name_list(&format!("\"{}\"", name.replace('"', "\"\"")), table.names())
        .ok()
        .and_then(|mut names| names.pop())
        .unwrap_or_else(|| name.into())
}

/// Every column that serves for nothing else.
fn rest(config: &Config, table: &Table, labels: &[String]) -> Result<Vec<String>, Failure> {
    let others = config.data.ignore.iter().chain(config.data.columns_of_rows());
    let others: Vec<String> = others.map(|name| in_table(table, name)).collect();
    let is_taken = |name: &&String| labels.contains(name) || others.contains(name);
    let rest: Vec<String> = table.names().iter().filter(|name| !is_taken(name)).cloned().collect();
    match rest.is_empty() {
        false => Ok(rest),
        true => Err(Failure::input(format!(
            "{}: no column is left to predict from: name fewer tasks, or ignore fewer columns",
            table.name()
        ))),
    }
}

/// Takes the columns that name or number the rows off the features, and those that no row has.
fn leave_out(
    features: &mut Vec<String>,
    table: &Table,
    suspects: &[Suspect],
    told: &mut Told,
) -> Result<(), Failure> {
    let mut empty = Vec::new();
    for name in &*features {
        let column = table.column(name)?;
        if column.missing() == column.rows() {
            empty.push(name.clone());
        }
    }
    let mut out: Vec<&Suspect> = suspects
        .iter()
        .filter(|it| it.kind.is_left_out() && features.contains(&it.column))
        .collect();
    let is_left = |out: &[&Suspect]| {
        features
            .iter()
            .any(|name| !empty.contains(name) && !out.iter().any(|it| it.column == *name))
    };
    if !is_left(&out) {
        // A table of counted rows, say one a day, may have nothing else to predict from.
        out.retain(|it| it.kind != SuspectKind::RowNumber);
    }
    if !is_left(&out) {
        let mut why = Suspect::sentences(out.iter().copied());
        if !out.is_empty() {
            why.push("--features takes such a column all the same".into());
        }
        if !empty.is_empty() {
            why.push(format!(
                "{} {} no cell",
                listed(&empty),
                if empty.len() == 1 { "has" } else { "have" }
            ));
        }
        return Err(Failure::input(format!(
            "{}: no column is left to predict from: {}",
            table.name(),
            why.join("; ")
        )));
    }
    for sentence in Suspect::sentences(out.iter().copied()) {
        told.warnings.push(format!("{sentence}: left out (--features takes it all the same)"));
    }
    if !empty.is_empty() {
        let verb = if empty.len() == 1 { "has" } else { "have" };
        told.warnings.push(format!("{} {verb} no cell: left out", listed(&empty)));
    }
    let out: Vec<String> = out.into_iter().map(|it| it.column.clone()).collect();
    features.retain(|name| !empty.contains(name) && !out.contains(name));
    Ok(())
}

/// Says what looks wrong with the columns that are used, with what to do about it, and everything once more as one line of
/// flags.
fn warn(
    table: &Table,
    features: &[String],
    labels: &[String],
    suspects: &[Suspect],
    named: bool,
    told: &mut Told,
) {
    let used: Vec<&Suspect> = suspects
        .iter()
        .filter(|it| features.contains(&it.column) || labels.contains(&it.column))
        .collect();
    let mut missing: Vec<String> = Vec::new();
    let mut ignored: Vec<&str> = Vec::new();
    for of_kind in
        used.chunk_by(|a, b| std::mem::discriminant(&a.kind) == std::mem::discriminant(&b.kind))
    {
        let remedy = remedy(&of_kind[0].kind);
        let sentences = Suspect::sentences(of_kind.iter().copied());
        told.warnings.extend(sentences.into_iter().map(|sentence| sentence + remedy));
    }
    for it in used {
        match &it.kind {
            // Of this column alone: elsewhere the same value may mean something.
            SuspectKind::Placeholder { value } => missing.push(format!("{}={value}", it.column)),
            SuspectKind::Outlier { line } => {
                let value = value_on(table, &it.column, *line);
                missing.extend(value.map(|value| format!("{}={value}", it.column)));
            }
            kind if features.contains(&it.column)
                && (matches!(kind, SuspectKind::Leak { .. }) || (named && kind.is_left_out()))
                && !ignored.contains(&it.column.as_str()) =>
            {
                ignored.push(&it.column);
            }
            _ => {}
        }
    }
    let mut flags = Vec::new();
    // A comma separates words.
    missing.retain(|word| !word.contains(','));
    missing.truncate(MOST_NAMES);
    if !missing.is_empty() {
        flags.push(format!("--missing={}", shell_word(&missing.join(","))));
    }
    if !ignored.is_empty() {
        flags.push(ignore(ignored.iter().take(MOST_NAMES).copied()));
    }
    if !flags.is_empty() {
        told.warnings.push(format!("as far as that is so, train with {}", flags.join(" ")));
    }
}

/// What stands in a column on a line.
fn value_on(table: &Table, column: &str, line: u64) -> Option<String> {
    let row = (0..table.rows()).find(|&row| table.line(row) == line)?;
    table.column(column).ok()?.number(row).map(|number| number.to_string())
}

/// Names features of numbers that have the zeros of codes.
fn codes(table: &Table, features: &[String], told: &mut Told) {
    let zeros = &table.reading().leading_zeros;
    let is_number = |name: &str| table.column(name).is_ok_and(|column| !column.is_text());
    let codes: Vec<String> = features
        .iter()
        .filter(|name| zeros.contains_key(*name) && is_number(name))
        .cloned()
        .collect();
    if let Some(example) = codes.first().and_then(|name| zeros.get(name)) {
        told.warnings.push(format!(
            "{} {} zeros before their digits, such as \"{example}\": if they are codes and no quantities, train with {}",
            listed(&codes),
            if codes.len() == 1 { "has cells with" } else { "have cells with" },
            super::problems::ignore(codes.iter().map(String::as_str)).replacen("--ignore", "--text", 1)
        ));
    }
}

/// A feature of which more cells are missing is told of by itself.
const MOSTLY: f64 = 0.5;

/// Says how many cells of the features are missing, and by which word.
fn missing(table: &Table, features: &[String], told: &mut Told) -> Result<(), Failure> {
    let mut counts = serde_json::Map::new();
    let (mut words, mut mostly) = (Vec::new(), Vec::new());
    for name in features {
        let by_word = table.missing(name)?;
        if by_word.is_empty() {
            continue;
        }
        let all: usize = by_word.iter().map(|(_, cells)| cells).sum();
        let shown = by_word.iter().take(3).map(|(word, cells)| match &**word {
            "" => format!("{cells} empty"),
            word => format!("{cells} \"{word}\""),
        });
        words.push(format!("\"{name}\" {}", shown.collect::<Vec<_>>().join(" and ")));
        if all as f64 > MOSTLY * table.rows() as f64 {
            mostly.push(format!("\"{name}\" ({all} of {})", table.rows()));
        }
        let by_word = by_word.iter().map(|(word, cells)| (word.to_string(), (*cells).into()));
        counts.insert(name.clone(), by_word.collect::<serde_json::Map<_, _>>().into());
    }
    told.data["missing_in_features"] = counts.into();
    if !words.is_empty() {
        told.choices.push(format!("missing cells of features: {}", cut(words)));
    }
    if !mostly.is_empty() {
        told.warnings.push(format!("most cells are missing of {}", cut(mostly)));
    }
    Ok(())
}

/// What to do about it, where no flag does.
fn remedy(kind: &SuspectKind) -> &'static str {
    match kind {
        SuspectKind::Outlier { .. } => ": correct it if it is a slip",
        SuspectKind::Unit => ": if it is a quantity, write plain numbers, all in one unit",
        SuspectKind::LookAlikes => ": write them alike if they are one",
        SuspectKind::Date => {
            ": write the months, weekdays or days since some day that matter as numbers"
        }
        _ => "",
    }
}

/// Names in quotes, with commas between, and no more than people read.
pub fn listed(names: &[String]) -> String {
    cut(names.iter().map(|name| format!("\"{name}\"")).collect())
}

/// The first of many words, and how many there are.
pub fn cut(words: Vec<String>) -> String {
    const LONGEST: usize = 600;
    let mut shown = String::new();
    for (index, word) in words.iter().enumerate() {
        if index >= MOST_NAMES || shown.len() + word.len() > LONGEST {
            return format!("{shown} … ({} in all)", words.len());
        }
        if index > 0 {
            shown += ", ";
        }
        shown += &word.chars().take(LONGEST).collect::<String>();
    }
    shown
}
