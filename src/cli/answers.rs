//! A model's answers as columns of a file: what they are called, and their cells.

use awl::Result;
use awl::tables::{Encoder, Predicted, TargetColumn, TargetEncoding};
use serde_json::Value;
use std::collections::HashSet;

/// What is written in one place.
pub enum Cell {
    Missing,
    Text(String),
    /// With the digits that mean something.
    Number(f64),
    Probability(f64),
}

impl Cell {
    pub fn text(&self) -> String {
        match self {
            Self::Missing => String::new(),
            Self::Text(text) => text.clone(),
            Self::Number(number) => plain(*number),
            Self::Probability(probability) => format!("{probability:.6}"),
        }
    }

    pub fn json(&self) -> Value {
        match self {
            Self::Missing => Value::Null,
            Self::Text(text) => text.as_str().into(),
            Self::Number(number) => (*number).into(),
            Self::Probability(probability) => ((probability * 1e6).round() / 1e6).into(),
        }
    }
}

/// A number as other programs read it: without an exponent where it needs no more than twenty digits.
fn plain(number: f64) -> String {
    match number.abs() {
        0.0 => "0".into(),
        size if (1e-7..1e16).contains(&size) => number.to_string(),
        _ => format!("{number:e}"),
    }
}

/// Gives every column a name that no other has.
#[derive(Default)]
pub struct Names(HashSet<String>);

impl Names {
    /// This name, or if it is taken the same with the suffix, or with the suffix and a number.
    pub fn free(&mut self, name: &str, suffix: &str) -> String {
        let numbered = (2..).map(|number| format!("{name}{suffix}.{number}"));
        let wanted = [name.to_string(), format!("{name}{suffix}")];
        let mut names = wanted.into_iter().chain(numbered);
        let name = names.find(|name| !self.0.contains(name)).unwrap_or(name.into());
        self.0.insert(name.clone());
        name
    }

    /// The names of all tasks' columns. They come before others: what answers are called must not depend on what is beside them.
    pub fn answers(&mut self, encoder: &Encoder) -> Vec<Vec<String>> {
        let targets = encoder.targets().iter();
        targets.map(|it| columns(it).iter().map(|name| self.free(name, "")).collect()).collect()
    }
}

/// What a task's answers are called, one a column.
pub fn answer_names(target: &TargetColumn) -> Vec<String> {
    match &target.columns[..] {
        [_] => vec![target.name.clone()],
        several => several.to_vec(),
    }
}

/// The names of a task's columns: the answers, then every class's probability.
fn columns(target: &TargetColumn) -> Vec<String> {
    let answers = answer_names(target);
    let mut names = answers.clone();
    match &target.encoding {
        TargetEncoding::Numbers(_) => {}
        TargetEncoding::Binary(pairs) => {
            for (answer, pair) in answers.iter().zip(pairs) {
                names.extend(pair.iter().map(|class| format!("{answer}={class}")));
            }
        }
        TargetEncoding::Classes(classes) => {
            names.extend(classes.iter().map(|class| format!("{}={class}", target.name)));
        }
    }
    names
}

/// A task's answers and probabilities.
pub fn answers(target: &TargetColumn, predictions: &[f32], cells: &mut Vec<Cell>) -> Result<()> {
    for answer in target.decode(predictions)? {
        cells.push(match answer {
            Predicted::Class(class) => Cell::Text(class.into()),
            Predicted::Number(number) => Cell::Number(number),
        });
    }
    let probabilities = target.probabilities(predictions)?;
    match &target.encoding {
        TargetEncoding::Binary(_) => {
            cells.extend(probabilities.iter().flat_map(|&p| [1.0 - p, p].map(Cell::Probability)));
        }
        _ => cells.extend(probabilities.into_iter().map(Cell::Probability)),
    }
    Ok(())
}
