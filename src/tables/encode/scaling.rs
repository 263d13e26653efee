//! Standardising numbers: `(value − mean) / std`, and back.

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
    /// exactly 0 if and only if all numbers are the same; neither is finite if their sum is not.
    pub(super) fn fit(cells: &[f64]) -> Option<Self> {
        let present = || cells.iter().copied().filter(|number| !number.is_nan());
        let first = present().next()?;
        if present().all(|number| number == first) {
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

    /// From standard deviations from the mean to the column's unit: what a prediction says.
    pub fn restore(&self, standardised: f64) -> f64 {
        self.mean + self.std * standardised
    }
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
}
