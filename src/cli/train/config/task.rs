//! A task of the configuration: `[[task]]`.

use awl::tables::Transform;
use awl::train::ThresholdAim;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// The first column's name if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub columns: Vec<String>,
    /// Chosen by the columns' cells if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<String>,
    /// Huber's δ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delta: Option<f32>,
    /// Of the loss `quantile`: the share of labels that should be below the answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantile: Option<f32>,
    /// Of the loss `gaussian_nll`: β, by which rows that are explained badly are not neglected; 0 if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta: Option<f32>,
    /// What numbers are put through before they are learned, undone in every answer: `log`, `log1p` or `quantile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transform: Option<Transform>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_smoothing: Option<f32>,
    /// One a class, in the order of the sorted classes, or `balanced`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_weights: Option<ClassWeights>,
    /// Of two classes: a probability, or `f1` or `balanced`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Threshold>,
    /// The task's weight, for the scheme `fixed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f32>,
}

/// How much each class counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ClassWeights {
    Each(Vec<f32>),
    /// `balanced`: by how rare a class is, so that all count alike.
    Word(String),
}

/// The word of [`ClassWeights`].
pub const BALANCED: &str = "balanced";

/// From which probability on the second of two classes is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Threshold {
    /// That probability.
    At(f64),
    /// `f1` or `balanced`: to be chosen by the validation rows.
    Word(String),
}

impl Threshold {
    /// As the flag has it; what is no number is a word, which may be wrong.
    pub fn parse(text: &str) -> Self {
        text.trim().parse().map_or_else(|_| Self::Word(text.trim().into()), Self::At)
    }

    /// The number, or what it is to be chosen for.
    pub fn aim(&self) -> Result<Result<f64, ThresholdAim>, String> {
        match self {
            Self::At(threshold) if *threshold > 0.0 && *threshold < 1.0 => Ok(Ok(*threshold)),
            Self::Word(word) if word == "f1" => Ok(Err(ThresholdAim::F1)),
            Self::Word(word) if word == "balanced" => Ok(Err(ThresholdAim::Balanced)),
            Self::At(other) => Err(format!(
                "threshold {other}: give a probability above 0 and below 1, \"f1\" or \"balanced\""
            )),
            Self::Word(word) => Err(format!(
                "threshold \"{word}\": give a probability above 0 and below 1, \"f1\" or \"balanced\""
            )),
        }
    }
}
