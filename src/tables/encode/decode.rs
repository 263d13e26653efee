//! What predictions say: from a row of the network's outputs to classes, and numbers in their columns' units.

use super::threshold::{answer, cut};
use super::{Encoder, TargetColumn, TargetEncoding};
use crate::error::{Error, Result};

/// What is predicted for one row and task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Predicted<'a> {
    /// The class, as the table writes it.
    Class(&'a str),
    /// A number in the column's unit.
    Number(f64),
}

impl std::fmt::Display for Predicted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Class(name) => f.pad(name),
            Self::Number(number) => number.fmt(f),
        }
    }
}

impl Encoder {
    /// What one row of [`Engine::predict`](crate::Engine::predict) says: an answer a column of each task, in the order of
    /// the [targets](Self::targets).
    ///
    /// ```
    /// use awl::tables::Predicted;
    /// use awl::{Encoder, Loss, Table};
    /// let table = Table::from_csv("birds", "length,kind,weight\n38,owl,500\n54,hawk,1100\n".as_bytes())?;
    /// let targets = [("kind", Loss::cross_entropy()), ("weight", Loss::Mse)];
    /// let encoder = Encoder::fit(&table, &["length"], &targets)?;
    /// // The logits of hawk and owl, and the weight in standard deviations (300) from its mean (800).
    /// let answers = encoder.decode(&[-0.2, 1.5, 0.5])?;
    /// assert_eq!(answers, [Predicted::Class("owl"), Predicted::Number(950.0)]);
    /// # Ok::<(), awl::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Mismatch`] for a row of another length than the tasks' outputs together; [`Error::Invalid`], naming the
    /// task, for a prediction that is NaN or infinite.
    pub fn decode(&self, predictions: &[f32]) -> Result<Vec<Predicted<'_>>> {
        let width = self.targets.iter().map(TargetColumn::outputs).sum();
        check_width("the row of predictions", predictions, width, "all tasks' outputs together")?;
        let mut rest = predictions;
        let mut answers = Vec::with_capacity(self.targets.len());
        for target in &self.targets {
            let (own, others) = rest.split_at(target.outputs());
            answers.extend(target.decode(own)?);
            rest = others;
        }
        Ok(answers)
    }
}

impl TargetColumn {
    /// What a row of this task's own predictions says, an answer a column: the class of the highest logit (the first of
    /// several equal ones), the second of two values for a logit above 0 (both: or for a probability above the task's
    /// [threshold](Self::thresholds)), or the number in the column's unit with the
    /// [digits that mean something](super::NumberEncoding::answer).
    ///
    /// # Errors
    /// As [`Encoder::decode`].
    pub fn decode(&self, predictions: &[f32]) -> Result<Vec<Predicted<'_>>> {
        self.check(predictions)?;
        Ok(match &self.encoding {
            TargetEncoding::Numbers(numbers) => {
                let pairs = numbers.iter().zip(predictions);
                let answers = pairs.map(|(encoding, &predicted)| encoding.answer(predicted));
                let answers: Vec<f64> = answers.collect();
                if answers.iter().any(|answer| !answer.is_finite()) {
                    return Err(Error::invalid(
                        format!(
                            "task \"{}\": an answer is beyond the numbers of 64 bits",
                            self.name
                        ),
                        "look for extreme features in its row, or rescale the column",
                    ));
                }
                answers.into_iter().map(Predicted::Number).collect()
            }
            TargetEncoding::Binary(pairs) => {
                let pairs = pairs.iter().zip(predictions).enumerate();
                let is_second =
                    |column, logit: f32| f64::from(logit) > cut(&self.thresholds, column);
                pairs
                    .map(|(column, (names, &logit))| {
                        Predicted::Class(&names[usize::from(is_second(column, logit))])
                    })
                    .collect()
            }
            TargetEncoding::Classes(names) => {
                vec![Predicted::Class(&names[answer(&self.thresholds, predictions)])]
            }
        })
    }

    /// The probabilities that a row of this task's own predictions gives: of every class (softmax), of the second value
    /// of every column of two (sigmoid), and none for numbers.
    ///
    /// # Errors
    /// As [`Encoder::decode`].
    pub fn probabilities(&self, predictions: &[f32]) -> Result<Vec<f64>> {
        self.check(predictions)?;
        let logits = predictions.iter().map(|&logit| f64::from(logit));
        Ok(match &self.encoding {
            TargetEncoding::Numbers(_) => Vec::new(),
            TargetEncoding::Binary(_) => logits.map(|logit| 1.0 / (1.0 + (-logit).exp())).collect(),
            TargetEncoding::Classes(_) => {
                let most = logits.clone().fold(f64::NEG_INFINITY, f64::max);
                let powers = logits.map(|logit| (logit - most).exp());
                let sum: f64 = powers.clone().sum();
                powers.map(|power| power / sum).collect()
            }
        })
    }

    fn check(&self, predictions: &[f32]) -> Result<()> {
        let what = format!("the prediction of task \"{}\"", self.name);
        check_width(&what, predictions, self.outputs(), "the task's outputs")?;
        match predictions.iter().find(|value| !value.is_finite()) {
            None => Ok(()),
            Some(value) => Err(Error::invalid(
                format!("task \"{}\": a prediction is {value}", self.name),
                "look for extreme features in its row, or train with a lower learning rate",
            )),
        }
    }
}

fn check_width(what: &str, predictions: &[f32], expected: usize, why: &str) -> Result<()> {
    if predictions.len() == expected {
        return Ok(());
    }
    Err(Error::Mismatch {
        what: what.into(),
        unit: "values",
        found: predictions.len(),
        expected,
        why: why.into(),
    })
}
