//! Class labels that look like numbers: where their spelling matters, they are texts.
//!
//! As numbers, the versions 1.1 and 1.10 would be one class, and so would identifiers beyond 2⁵³; 007 would be answered as 7.

use super::Told;
use crate::cli::failure::Failure;
use crate::cli::train::config::{Config, Task};
use awl::Table;
use awl::tables::{TargetSpec, possible_names};
use std::collections::HashMap;

/// Whole numbers from here on are not all told apart.
const INEXACT: f64 = 9_007_199_254_740_992.0;

/// The columns that tasks may be about: until the header is read, every one that may be meant.
pub fn labels(config: &Config, flags: &[String]) -> Vec<String> {
    let mut names: Vec<String> = config.task.iter().flat_map(|task| task.columns.clone()).collect();
    for flag in flags {
        let without_loss = flag.rsplit_once(':').map_or(flag.as_str(), |(before, _)| before);
        let columns = without_loss.split_once('=').map_or(without_loss, |(_, columns)| columns);
        names.extend([flag, without_loss].map(Into::into));
        names.extend([without_loss, columns].into_iter().flat_map(possible_names));
    }
    names
}

/// Takes columns of class labels as text where numbers would not tell them apart, or would spell them otherwise.
pub fn keep(mut table: Table, config: &mut Config, told: &mut Told) -> Result<Table, Failure> {
    for task in &config.task {
        for name in &task.columns {
            let column = table.column(name)?;
            if column.is_text() {
                continue;
            }
            let Some(why) = matters(&table, name)?.filter(|why| are_classes(task, &table, why))
            else {
                continue;
            };
            told.choices.push(format!(
                "labels of \"{name}\" are taken as texts, as they are written: {}",
                why.sentence()
            ));
            table = table.as_text(name)?;
            config.data.text.push(name.clone());
        }
    }
    Ok(table)
}

/// Why the spelling of a column of numbers matters.
enum Why {
    /// Two texts are one number.
    Merged(String, String),
    LeadingZero(String),
    /// They are numbers written for people.
    Written(String),
}

impl Why {
    fn sentence(&self) -> String {
        match self {
            Self::Merged(one, other) => format!("\"{one}\" and \"{other}\" would be one number"),
            Self::Written(text) => format!("a number would not be written as \"{text}\""),
            Self::LeadingZero(text) => format!("a number would lose the zeros of \"{text}\""),
        }
    }
}

/// Whether the labels are classes: as the user says, or as they look.
fn are_classes(task: &Task, table: &Table, why: &Why) -> bool {
    match task.loss.as_deref() {
        Some(loss) => loss == "bce" || loss == "cross_entropy",
        None => {
            let inferred = TargetSpec::of_columns("", &task.columns).infer(table);
            // A quantity has no zeros before its digits.
            matches!(why, Why::LeadingZero(_))
                || inferred.map_or(true, |inferred| inferred.loss.name() != "mse")
        }
    }
}

fn matters(table: &Table, name: &str) -> Result<Option<Why>, Failure> {
    if let Some((_, example)) = table.reading().formats.get(name) {
        return Ok(Some(Why::Written(example.clone())));
    }
    let column = table.column(name)?;
    let mut spelt: HashMap<u64, String> = HashMap::new();
    for row in 0..table.rows() {
        let (Some(text), Some(number)) = (column.text(row), column.number(row)) else { continue };
        let text = plain(&text);
        let digits = text.trim_start_matches('-');
        let has_leading_zero = digits.len() > 1
            && digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        if has_leading_zero {
            return Ok(Some(Why::LeadingZero(text.into())));
        }
        match spelt.get(&(number + 0.0).to_bits()) {
            Some(known) if known != text => {
                return Ok(Some(Why::Merged(known.clone(), text.into())));
            }
            Some(_) => {}
            None if number.abs() >= INEXACT || spelt.len() < 10_000 => {
                spelt.insert((number + 0.0).to_bits(), text.into());
            }
            None => {}
        }
    }
    Ok(None)
}

/// A number without what other programs add to whole ones: `1.0` is `1`.
fn plain(text: &str) -> &str {
    let text = text.strip_prefix('+').unwrap_or(text);
    match text.split_once('.') {
        Some((whole, rest)) if !whole.is_empty() && rest.bytes().all(|byte| byte == b'0') => whole,
        _ => text,
    }
}
