//! Split-conformal calibration: by how many of its own standard deviations an answer was off, on rows that were not learned from.

use crate::error::{Error, Result};
use crate::train::tensors::{Reader, Writer, notes};
use std::collections::BTreeMap;

/// For every column of numbers, how far labels were from the answers in total standard deviations, sorted (Lei, G'Sell, Rinaldo,
/// Tibshirani & Wasserman 2018, "Distribution-Free Predictive Inference for Regression", section 5.2, with the standard deviation
/// as the scale of a residual).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores {
    columns: BTreeMap<String, Vec<f64>>,
}

impl Scores {
    /// The score of a label that is off by so much where the standard deviation is this: where that is 0, the largest number, or 0
    /// if it is off by nothing.
    pub fn score(off: f64, deviation: f64) -> f64 {
        match off.abs() {
            0.0 => 0.0,
            // A file holds no infinite number.
            off => (off / deviation).min(f64::MAX),
        }
    }

    /// The scores of a column, in any order; none are not kept.
    pub fn insert(&mut self, column: &str, mut scores: Vec<f64>) {
        if scores.is_empty() {
            return;
        }
        scores.sort_by(f64::total_cmp);
        self.columns.insert(column.into(), scores);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The sorted scores of a column, if it has any.
    pub fn of(&self, column: &str) -> Option<&[f64]> {
        self.columns.get(column).map(Vec::as_slice)
    }

    /// By how many total standard deviations an interval around an answer has to reach so that a new row's label is in it with at
    /// least the probability `level`, if new rows and these can be exchanged: the ⌈(n + 1)·level⌉-th smallest of n scores. Infinite
    /// where too many answers were wrong without any standard deviation.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a column without scores, a level that is not above 0 and below 1, and where there are too few scores
    /// for the level, with the number that it takes.
    pub fn reach(&self, column: &str, level: f64) -> Result<f64> {
        let Some(scores) = self.of(column) else {
            return Err(Error::invalid(
                format!("there is nothing to calibrate the intervals of \"{column}\" by"),
                "train with validation rows that have this label, or leave out --calibrate",
            ));
        };
        if !(level > 0.0 && level < 1.0) {
            return Err(Error::invalid(
                format!("{level} is no level of an interval"),
                "use a number above 0 and below 1, such as 0.9",
            ));
        }
        // 0.9 of 19 + 1 is 18, whatever rounding makes of it.
        let place = ((scores.len() + 1) as f64 * level - 1e-9).ceil().max(1.0) as usize;
        let score =
            scores.get(place - 1).map(|&it| if it == f64::MAX { f64::INFINITY } else { it });
        score.ok_or_else(|| {
            let needed = (level / (1.0 - level) - 1e-9).ceil();
            Error::invalid(
                format!(
                    "\"{column}\" has {} validation rows with a label, but a calibrated interval of {level} takes {needed} at least",
                    scores.len()
                ),
                "keep more rows for validation (--validation), or ask for a lower level",
            )
        })
    }

    /// A safetensors file with a tensor a column, named as it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for names that the format cannot hold.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut writer = Writer::new(1);
        for (column, scores) in &self.columns {
            writer.push(column.clone(), &[scores.len()], vec![scores.clone()]);
        }
        let counts: BTreeMap<&String, usize> =
            self.columns.iter().map(|(column, scores)| (column, scores.len())).collect();
        writer.finish(&serde_json::json!(counts))
    }

    /// Reads them again; `file` stands for the file in messages.
    ///
    /// # Errors
    /// [`Error::Tensors`](crate::Error::Tensors) for a file that is cut short or not of this kind.
    pub fn from_bytes(file: &str, bytes: &[u8]) -> Result<Self> {
        let counts: BTreeMap<String, usize> =
            serde_json::from_value(notes(file, bytes)?).map_err(|error| Error::Tensors {
                file: file.into(),
                problem: format!("its notes are not those of scores ({error}): train again"),
            })?;
        let mut reader = Reader::new(file, bytes, 1)?;
        let mut scores = Self::default();
        for (column, rows) in counts {
            let values = reader.take(&column, &[rows])?.concat();
            scores.insert(&column, values);
        }
        Ok(scores)
    }
}
