//! How much each row counts: a column of a table.

use super::Encoder;
use crate::data::Target;
use crate::error::{Error, Result};
use crate::tables::Table;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A column that says how much each row counts in every task's mean loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampleWeights {
    /// The column's name.
    pub column: String,
    /// The training part's mean, by which weights are divided, so that `f32` holds them whatever their unit; it changes no mean loss.
    pub mean: f64,
}

impl SampleWeights {
    /// Learns the mean from the training part.
    ///
    /// # Errors
    /// Those of [`weights`](Self::weights), and [`Error::Table`] for a table without the column or whose weights are all 0.
    fn fit(training: &Table, column: &str) -> Result<Self> {
        let weights = Self::read(training, column)?;
        let mean = weights.iter().sum::<f64>() / weights.len().max(1) as f64;
        if !(mean.is_finite() && mean > 0.0) {
            let wrong = if mean == 0.0 { "all 0" } else { "too large to average" };
            return Err(training.error(format!(
                "the weights of the training rows, column \"{column}\", are {wrong}: correct them, or leave them out"
            )));
        }
        Ok(Self { column: column.into(), mean })
    }

    /// The weights of a table's rows, as they are written.
    ///
    /// # Errors
    /// [`Error::Table`], naming the line and the remedy, for a column that the table lacks, a missing cell, a text, and a negative
    /// number.
    fn weights(&self, table: &Table) -> Result<Vec<f64>> {
        Self::read(table, &self.column)
    }

    fn read(table: &Table, column: &str) -> Result<Vec<f64>> {
        let cells = table.column(column)?;
        let is_word = |row: &usize| cells.number(*row).is_none() && cells.text(*row).is_some();
        let words = (0..table.rows()).filter(is_word).min_by_key(|&row| table.line(row));
        if let (true, Some(row)) = (cells.is_text(), words) {
            let word = cells.text(row).unwrap_or_default();
            let problem =
                format!("\"{word}\" is no weight: name a column of numbers of 0 and more");
            return Err(table.error_at(row, column, problem));
        }
        let weights = table.numbers(column)?.into_owned();
        let wrong = |weight: &f64| !(weight.is_finite() && *weight >= 0.0);
        match weights.iter().position(wrong) {
            None => Ok(weights),
            Some(row) if weights[row].is_nan() => Err(table.error_at(
                row,
                column,
                "a row without a weight: give it one, such as 1, or 0 to have it count for nothing",
            )),
            Some(row) => {
                let problem = format!("a weight of {}: use numbers of 0 and more", weights[row]);
                Err(table.error_at(row, column, problem))
            }
        }
    }

    /// Gives these targets the weights of a table's rows.
    pub(super) fn weigh(&self, table: &Table, targets: Vec<Target>) -> Result<Vec<Target>> {
        let divided = |weight: f64| (weight / self.mean) as f32;
        let weights = self.weights(table)?;
        if let Some(row) = weights.iter().position(|&weight| !divided(weight).is_finite()) {
            let problem = format!(
                "a weight of {:e} has no place beside the training rows' mean of {:e}: correct the cell",
                weights[row], self.mean
            );
            return Err(table.error_at(row, &self.column, problem));
        }
        let weights: Arc<[f32]> = weights.into_iter().map(divided).collect();
        targets.into_iter().map(|target| target.weighted(weights.clone())).collect()
    }
}

impl Encoder {
    /// The same encoder whose rows count as a column of the table says: a task's mean loss is `Σ weight·loss / Σ weight`.
    ///
    /// # Errors
    /// [`Error::Table`], naming the line and the remedy, for a column that the table lacks, a missing cell, a text, a negative number, or
    /// weights that are all 0; [`Error::Invalid`] for a column that is a feature or a target.
    pub fn weighted_by(mut self, training: &Table, column: &str) -> Result<Self> {
        let is_feature = self.features.iter().any(|feature| feature.column == column);
        if is_feature || self.targets.iter().any(|it| it.columns.iter().any(|own| own == column)) {
            let (role, remedy) = match is_feature {
                true => ("a feature", "take it off the features"),
                false => ("a target", "weigh by another column"),
            };
            return Err(Error::invalid(
                format!("column \"{column}\" is {role}, and says how much the rows count"),
                remedy,
            ));
        }
        self.sample_weights = Some(SampleWeights::fit(training, column)?);
        Ok(self)
    }

    /// The column that says how much each row counts, if there is one.
    pub fn sample_weights(&self) -> Option<&SampleWeights> {
        self.sample_weights.as_ref()
    }

    /// How much each row of a table counts, shape `[rows]`; `None` where all count alike: where there is no such column, or this table
    /// lacks it.
    ///
    /// # Errors
    /// [`Error::Table`] for a missing cell, a text, and a negative number.
    pub fn weights_of(&self, table: &Table) -> Result<Option<Vec<f64>>> {
        let known = self.sample_weights.as_ref().filter(|it| table.has(&it.column));
        known.map(|it| it.weights(table)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Loss;

    fn table(weights: [&str; 3]) -> Table {
        let rows = (0..3).map(|row| format!("{row},{},{}\n", row * row, weights[row]));
        let text = "x,y,w\n".to_owned() + &rows.collect::<String>();
        Table::from_csv("t", text.as_bytes()).expect("a table")
    }

    #[test]
    fn weights_are_divided_by_the_training_parts_mean() -> Result<()> {
        let training = table(["1e300", "0", "5e300"]);
        let encoder = Encoder::fit(&training, &["x"], &[("y", Loss::Mse)])?;
        let encoder = encoder.weighted_by(&training, "w")?;
        let data = encoder.encode(&training)?;
        assert_eq!(data.targets()[0].sample_weights().unwrap(), [0.5, 0.0, 2.5]);
        let saved = serde_json::to_string(&encoder).unwrap();
        assert_eq!(serde_json::from_str::<Encoder>(&saved).unwrap(), encoder);
        assert!(
            serde_json::from_str::<Encoder>(&saved.replace("2e+300", "-2.0")).is_err(),
            "{saved}"
        );
        // A table to be judged may lack them.
        let bare = Table::from_csv("t", &b"x,y\n1,2\n"[..])?;
        assert_eq!(encoder.encode(&bare)?.targets()[0].sample_weights(), None);
        assert_eq!(encoder.weights_of(&bare)?, None);
        Ok(())
    }

    #[test]
    fn weights_beyond_32_bits_are_refused() -> Result<()> {
        let training = table(["1", "1", "4"]);
        let encoder = Encoder::fit(&training, &["x"], &[("y", Loss::Mse)])?;
        let encoder = encoder.weighted_by(&training, "w")?;
        let error = encoder.encode(&table(["1", "1e50", "1"])).unwrap_err().to_string();
        assert!(error.contains("line 3, column \"w\"") && error.contains("1e50"), "{error}");
        Ok(())
    }
}
