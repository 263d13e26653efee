//! Standardising numbers: `(value − mean) / std`, and back, with as many digits as mean something.

use crate::error::Result;
use crate::tables::Table;
use serde::{Deserialize, Serialize};

/// The mean and the population standard deviation of a column in the training part, in its own unit; 0 and 1 where
/// numbers pass as they are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    /// Mean over the cells that are not missing.
    pub mean: f64,
    /// Standard deviation (divided by n) over the cells that are not missing; 1 for a constant feature.
    pub std: f64,
}

impl Scaling {
    /// Leaves numbers as they are.
    pub const NONE: Self = Self { mean: 0.0, std: 1.0 };

    /// Learns from the numbers that are not missing (NaN); `None` if there is none. The standard deviation is
    /// exactly 0 if and only if all numbers are the same [up to rounding](is_rounding); neither is finite if their sum is not.
    pub(super) fn fit(cells: &[f64]) -> Option<Self> {
        let present = || cells.iter().copied().filter(|number| !number.is_nan());
        let first = present().next()?;
        if are_one_number(present()) {
            // The mean of equal numbers, computed as a sum, can miss them by a rounding.
            return Some(Self { mean: first, std: 0.0 });
        }
        let count = present().count() as f64;
        let mean = present().sum::<f64>() / count;
        // Relative to the largest deviation, so that no square leaves the numbers of f64.
        let largest = present().fold(0.0, |most: f64, number| most.max((number - mean).abs()));
        let squares = present().map(|number| ((number - mean) / largest).powi(2));
        let std = largest * (squares.sum::<f64>() / count).sqrt();
        Some(Self { mean, std })
    }

    /// From the column's unit to standard deviations from the mean.
    pub fn standardise(&self, value: f64) -> f64 {
        (value - self.mean) / self.std
    }

    /// From standard deviations from the mean to the column's unit.
    pub fn restore(&self, standardised: f64) -> f64 {
        self.mean + self.std * standardised
    }

    /// What a prediction says, in the column's unit: restored, and rounded to the last decimal that an `f32` tells apart at
    /// this scale, 2⁻²⁴ of the standard deviation. More digits would be noise, and fewer would lose what was predicted:
    /// of a date among dates of a few days, `f32` itself could only tell four.
    pub fn answer(&self, predicted: f32) -> f64 {
        if *self == Self::NONE {
            // The shortest number that is this f32 and no other.
            return predicted.to_string().parse().unwrap_or(predicted.into());
        }
        rounded(self.restore(predicted.into()), self.std * 2f64.powi(-24))
    }

    /// Whether numbers can be standardised by it.
    pub(super) fn is_sound(&self) -> bool {
        self.mean.is_finite() && self.std.is_finite() && self.std > 0.0
    }

    /// One cell of a table as an input or a label.
    pub(super) fn encode(
        &self,
        table: &Table,
        row: usize,
        column: &str,
        number: f64,
    ) -> Result<f32> {
        let standardised = self.standardise(number) as f32;
        if standardised.is_finite() {
            return Ok(standardised);
        }
        let what = match *self {
            Self::NONE => "has no place among the numbers of 32 bits".into(),
            Self { mean, std } => format!(
                "is too far from the training part's mean {mean:e} (standard deviation {std:e})"
            ),
        };
        let remedy = "correct the cell, or leave it empty";
        Err(table.error_at(row, column, format!("{number:e} {what}: {remedy}")))
    }
}

/// A number with its digits down to the last that is as large as `apart`, how far apart such numbers are.
pub(super) fn rounded(number: f64, apart: f64) -> f64 {
    if number == 0.0 || !number.is_finite() {
        return number + 0.0;
    }
    let place = |number: f64| number.abs().log10().floor() as i32;
    // Of a deviation so small that this is 0, all digits count.
    let digits = place(number).saturating_sub(place(apart));
    match usize::try_from(digits) {
        // The mean's own digits are all there are.
        Ok(digits) if digits > 16 => number,
        digits => {
            let text = format!("{number:.*e}", digits.unwrap_or(0));
            text.parse().unwrap_or(number)
        }
    }
}

/// Whether a difference between numbers of this size may be one of rounding: 0.3 and 0.1 + 0.2 are one number. 64 units in
/// the last place leave room for a few sums more.
pub(crate) fn is_rounding(difference: f64, size: f64) -> bool {
    difference <= 64.0 * f64::EPSILON * size
}

/// Whether all of these numbers are the same up to rounding; so they are where there is none.
pub(crate) fn are_one_number(numbers: impl Iterator<Item = f64>) -> bool {
    let ends = (f64::INFINITY, f64::NEG_INFINITY);
    let (low, high) = numbers.fold(ends, |(low, high), it| (low.min(it), high.max(it)));
    low > high || is_rounding(high - low, low.abs().max(high.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_and_the_population_standard_deviation_are_learned() {
        for (mut cells, mean, std) in [
            // 2 4 4 4 5 5 7 9: mean 5, squares 9 1 1 1 0 0 4 16 = 32, 32/8 = 4.
            (vec![2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0], 5.0, 2.0),
            (vec![-1.0, 1.0], 0.0, 1.0),
            // Three tenths do not add up to 0.3 in f64, and yet this column is constant.
            (vec![0.1, 0.1, 0.1], 0.1, 0.0),
            (vec![3.0], 3.0, 0.0),
            // Squares that f64 cannot hold.
            (vec![-1e-200, 1e-200], 0.0, 1e-200),
            (vec![-1e200, 1e200], 0.0, 1e200),
            // What rounding made of one number is one number, be it large or small.
            (vec![0.3, 0.1 + 0.2], 0.3, 0.0),
            (vec![0.1 + 0.2, 0.3, 0.3], 0.1 + 0.2, 0.0),
            (vec![3e-20, 3e-20 * (1.0 + f64::EPSILON)], 3e-20, 0.0),
            (vec![-7e12, -7e12 - 1e-3], -7e12, 0.0),
            (vec![0.0, -0.0], 0.0, 0.0),
            // What is small is not constant.
            (vec![-1e-9, 1e-9], 0.0, 1e-9),
            (vec![1e-11, 3e-11], 2e-11, 1e-11),
            (vec![0.0, 2e-300], 1e-300, 1e-300),
        ] {
            cells.insert(1, f64::NAN);
            assert_eq!(Scaling::fit(&cells), Some(Scaling { mean, std }), "{cells:?}");
        }
        assert_eq!(Scaling::fit(&[f64::NAN; 2]), None);
    }

    #[test]
    fn restoring_undoes_standardising() {
        let scaling = Scaling { mean: 4_200.0, std: 800.0 };
        assert_eq!(scaling.standardise(5_000.0), 1.0);
        assert_eq!(scaling.restore(-1.5), 3_000.0);
    }

    #[test]
    fn answers_have_the_digits_that_f32_tells_apart_at_their_scale() {
        for (mean, std, predicted, answer) in [
            (4_200.0, 800.0, 0.123_456_79, "4298.76543"),
            (4_200.0, 800.0, 0.0, "4200"),
            (2_460_311.0, 0.25, 0.1, "2460311.025"),
            (2_460_311.0, 0.25, 0.123_456_79, "2460311.0308642"),
            (1.7e9, 86_400.0, 1.0 / 3.0, "1700028800.001"),
            (3e51, 1e51, -0.5, "2.5e51"),
            (3e-47, 1e-47, 0.25, "3.25e-47"),
            (1e-323, 5e-324, 1.0, "1.5e-323"),
            (5.0, 5.0, -1.0, "0"),
            (-1e12, 1e9, 1.0, "-999000000000"),
            (1.0, 1e-12, 1.0, "1.000000000001"),
            // As it is.
            (0.0, 1.0, 0.1, "0.1"),
            (0.0, 1.0, 1e-30, "1e-30"),
        ] {
            let found = Scaling { mean, std }.answer(predicted);
            let expected: f64 = answer.parse().unwrap();
            assert_eq!(found, expected, "{mean} ± {std}, {predicted}");
            let error = (found - Scaling { mean, std }.restore(predicted.into())).abs();
            assert!(error <= std * 2f64.powi(-24), "{error}");
        }
    }
}
