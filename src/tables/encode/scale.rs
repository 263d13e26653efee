//! Features of numbers: from a column's unit to inputs of much the same size, also where outliers are.

use super::Scaling;
use super::number::{are_knots, between, knots, normal_score};
use super::scaling::is_rounding;
use serde::{Deserialize, Serialize};

/// How features of numbers are brought to one scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// To mean 0 and standard deviation 1.
    #[default]
    Standard,
    /// To median 0 and a distance of 1 between the quartiles, and then smoothly within −3 and 3: RealMLP's "robust scaling and
    /// smooth clipping" (Holzmüller, Grinsztajn and Steinwart, *Better by Default*, 2024).
    Robust,
    /// To the normal score of a number's rank among the training rows, at most 5.2 from 0 (scikit-learn's `QuantileTransformer`
    /// with `output_distribution="normal"`; but equal numbers are in the middle of their ranks at either end too).
    Quantile,
}

impl Scale {
    /// The name that users write.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Robust => "robust",
            Self::Quantile => "quantile",
        }
    }
}

/// How the numbers of a feature become inputs, as it was learned.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FittedScale {
    /// By the feature's [`Scaling`].
    #[default]
    Standard,
    /// `z / √(1 + (z/3)²)` of `z = (x − median) / spread`.
    Robust {
        /// The median in the training part.
        median: f64,
        /// From the lower to the upper quartile; where these are equal, half as far as from the smallest to the largest number.
        spread: f64,
    },
    /// Numbers of the training part at evenly spaced ranks, from the smallest to the largest.
    Quantile(Vec<f64>),
}

/// No input of [`Scale::Robust`] is as far from 0.
const CLIP: f64 = 3.0;

impl FittedScale {
    /// Learns from numbers of which some are missing (NaN), and of which two at least differ by more than a rounding.
    pub(super) fn fit(scale: Scale, cells: &[f64]) -> Self {
        match scale {
            Scale::Standard => Self::Standard,
            Scale::Robust => {
                let mut sorted: Vec<f64> =
                    cells.iter().copied().filter(|it| !it.is_nan()).collect();
                sorted.sort_by(f64::total_cmp);
                let last = sorted.len() - 1;
                let quantile = |share: f64| between(&sorted, share * last as f64);
                let (low, high) = (quantile(0.25), quantile(0.75));
                let spread = match is_rounding(high - low, low.abs().max(high.abs())) {
                    false => high - low,
                    // Halved first: their difference may be beyond f64.
                    true => 0.5 * sorted[last] - 0.5 * sorted[0],
                };
                Self::Robust { median: quantile(0.5), spread }
            }
            Scale::Quantile => Self::Quantile(knots(cells)),
        }
    }

    /// Whether it is the feature's scaling alone.
    pub fn is_standard(&self) -> bool {
        *self == Self::Standard
    }

    /// The input of a number.
    pub(super) fn input(&self, scaling: &Scaling, number: f64) -> f64 {
        match self {
            Self::Standard => scaling.standardise(number),
            Self::Robust { median, spread } => {
                let z = (number - median) / spread;
                // Without a square that may leave the numbers of f64; of an infinite z its sign is left.
                if z.is_infinite() { CLIP * z.signum() } else { z / 1_f64.hypot(z / CLIP) }
            }
            Self::Quantile(knots) => normal_score(knots, number),
        }
    }

    /// Whether a file may hold it.
    pub(super) fn is_sound(&self) -> bool {
        match self {
            Self::Standard => true,
            &Self::Robust { median, spread } => Scaling { mean: median, std: spread }.is_sound(),
            Self::Quantile(knots) => are_knots(knots),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The formulas in NumPy: `z = (x - median) / (q75 - q25)`, `z / sqrt(1 + (z/3)**2)`.
    #[test]
    fn robust_inputs_are_those_of_the_formula() {
        let cells = [1.0, 2.0, f64::NAN, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0, 34.0, 1_000.0];
        let scale = FittedScale::fit(Scale::Robust, &cells);
        assert_eq!(scale, FittedScale::Robust { median: 6.5, spread: 16.75 });
        for (number, expected) in [
            (1.0, -0.326_408_856_860_317_9),
            (2.0, -0.267_585_892_648_979_86),
            (6.5, 0.0),
            (8.0, 0.089_512_366_925_629_51),
            (34.0, 1.440_224_359_200_397),
            (1_000.0, 2.996_170_030_098_247),
            (-500.0, -2.985_344_086_283_612),
            (1e200, 3.0),
            (-1.7e308, -3.0),
        ] {
            let found = scale.input(&Scaling::NONE, number);
            assert!((found - expected).abs() < 1e-14, "{number}: {found}, expected {expected}");
        }
    }

    #[test]
    fn equal_quartiles_leave_half_the_range() {
        let mostly_zeros = [0.0, 0.0, 0.0, 10.0, 0.0, 0.0, -4.0, 0.0, 0.0];
        let scale = FittedScale::fit(Scale::Robust, &mostly_zeros);
        assert_eq!(scale, FittedScale::Robust { median: 0.0, spread: 7.0 });
        let found = scale.input(&Scaling::NONE, 10.0);
        assert!((found - 1.289_800_741_177_043_4).abs() < 1e-14, "{found}");
        // 0.3 and 0.1 + 0.2 are one number.
        let rounded = [0.3, 0.1 + 0.2, 0.3, 0.1 + 0.2, 0.3, 0.1 + 0.2, 4.3, 0.3];
        let FittedScale::Robust { spread, .. } = FittedScale::fit(Scale::Robust, &rounded) else {
            panic!("another scale");
        };
        assert_eq!(spread, 2.0);
        let huge = FittedScale::fit(Scale::Robust, &[-1.7e308, 0.0, 0.0, 0.0, 0.0, 1.7e308]);
        assert!(huge.is_sound(), "{huge:?}");
    }

    /// Of `QuantileTransformer(output_distribution="normal", n_quantiles=9)` of scikit-learn 1.9.1, as labels' are.
    #[test]
    fn quantile_inputs_are_scikit_learns() {
        let cells = [1.0, 2.0, 2.0, 3.0, 5.0, f64::NAN, 8.0, 13.0, 21.0, 34.0];
        let scale = FittedScale::fit(Scale::Quantile, &cells);
        for (number, expected) in [
            (0.0, -5.199_337_582_605_575),
            (1.5, -1.534_120_544_352_546_3),
            (2.0, -0.887_146_559_018_876),
            (4.0, -0.157_310_684_610_170_7),
            (20.0, 1.077_515_567_040_280_3),
            (1e300, 5.199_337_582_702_34),
        ] {
            let found = scale.input(&Scaling::NONE, number);
            assert!((found - expected).abs() < 1e-6, "{number}: {found}, expected {expected}");
        }
    }

    #[test]
    fn what_no_table_could_have_given_is_not_sound() {
        for (scale, is_sound) in [
            (FittedScale::Standard, true),
            (FittedScale::Robust { median: 1.0, spread: 2.0 }, true),
            (FittedScale::Robust { median: 1.0, spread: 0.0 }, false),
            (FittedScale::Robust { median: f64::NAN, spread: 1.0 }, false),
            (FittedScale::Quantile(vec![1.0, 2.0, 2.0]), true),
            (FittedScale::Quantile(vec![2.0, 1.0]), false),
            (FittedScale::Quantile(vec![2.0]), false),
        ] {
            assert_eq!(scale.is_sound(), is_sound, "{scale:?}");
        }
    }
}
