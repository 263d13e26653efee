//! Targets of numbers: from a column's unit to the scale that a network learns in, and back from its predictions.

use super::Scaling;
use super::scaling::rounded;
use crate::error::{Error, Result};
use crate::nearest::nearest;
use crate::tables::Table;
use serde::{Deserialize, Serialize};
use statrs::function::erf::{erfc, erfc_inv};
use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};

/// What a target's numbers are put through before they are standardised; undone in every answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// Nothing.
    #[default]
    None,
    /// The natural logarithm, of numbers above 0.
    Log,
    /// `ln(1 + y)`, of numbers above −1.
    Log1p,
    /// The normal score of a number's rank among the training labels (scikit-learn's `QuantileTransformer` with
    /// `output_distribution="normal"`): whatever their distribution, a network learns a normal one. No answer is beyond the
    /// training labels.
    Quantile,
}

impl Transform {
    /// Those that do something.
    pub const ALL: [Self; 3] = [Self::Log, Self::Log1p, Self::Quantile];

    /// The name that users write.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Log => "log",
            Self::Log1p => "log1p",
            Self::Quantile => "quantile",
        }
    }
}

impl std::str::FromStr for Transform {
    type Err = Error;

    /// The transform of this name.
    fn from_str(name: &str) -> Result<Self> {
        let all = [Self::None, Self::Log, Self::Log1p, Self::Quantile];
        all.into_iter().find(|it| it.name() == name).ok_or_else(|| {
            let remedy = match nearest(name, all.map(Self::name)) {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => "use log, log1p or quantile".into(),
            };
            Error::invalid(format!("there is no transform \"{name}\" of targets"), remedy)
        })
    }
}

/// What stands between a column's numbers and a straight line through its predictions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Curve {
    /// Nothing: predictions are in standard deviations from the mean.
    #[default]
    Line,
    /// The labels' natural logarithm.
    Log,
    /// The labels' `ln(1 + y)`.
    Log1p,
    /// Numbers of the training part at evenly spaced ranks, from the smallest to the largest: the labels' normal scores.
    Quantile(Vec<f64>),
    /// The predictions' exponential, times `std`; labels are divided by it (`poisson`).
    Rate,
}

/// How a column of numbers becomes labels, and predictions numbers in its unit: a curve, then standardised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NumberEncoding {
    /// Of the numbers after the curve; of a rate, 0 and the mean number.
    #[serde(flatten)]
    pub scaling: Scaling,
    /// What they are put through first.
    #[serde(default, skip_serializing_if = "Curve::is_line")]
    pub curve: Curve,
}

/// Ranks at which the numbers of a training part are kept, at most; as many as scikit-learn's.
const MOST_KNOTS: usize = 1_000;
/// No rank is nearer to 0 or 1, whose scores are infinite; as scikit-learn has it.
pub(crate) const OUTERMOST: f64 = 1e-7;

impl NumberEncoding {
    /// What was asked for, by which the numbers are on this curve.
    pub fn transform(&self) -> Transform {
        match self.curve {
            Curve::Line | Curve::Rate => Transform::None,
            Curve::Log => Transform::Log,
            Curve::Log1p => Transform::Log1p,
            Curve::Quantile(_) => Transform::Quantile,
        }
    }
}

impl Curve {
    /// Whether it is none.
    pub fn is_line(&self) -> bool {
        *self == Self::Line
    }

    /// Learns from the numbers that are not missing (NaN), one at least.
    pub(super) fn fit(transform: Transform, cells: &[f64]) -> Self {
        match transform {
            Transform::None => Self::Line,
            Transform::Log => Self::Log,
            Transform::Log1p => Self::Log1p,
            Transform::Quantile => Self::Quantile(knots(cells)),
        }
    }

    /// A number on the scale that is standardised; NaN where it has no place there.
    pub(super) fn bend(&self, number: f64) -> f64 {
        match self {
            Self::Line | Self::Rate => number,
            Self::Log if number > 0.0 => number.ln(),
            Self::Log1p if number > -1.0 => number.ln_1p(),
            Self::Log | Self::Log1p => f64::NAN,
            Self::Quantile(_) if number.is_nan() => f64::NAN,
            Self::Quantile(knots) => normal_score(knots, number),
        }
    }

    /// Back from the scale that is standardised.
    fn straighten(&self, bent: f64) -> f64 {
        match self {
            Self::Line | Self::Rate => bent,
            Self::Log => bent.exp(),
            Self::Log1p => bent.exp_m1(),
            Self::Quantile(knots) => {
                between(knots, 0.5 * erfc(-bent * FRAC_1_SQRT_2) * (knots.len() - 1) as f64)
            }
        }
    }

    /// Why a number has no place on the curve, and the remedy.
    pub(super) fn refusal(&self, number: f64) -> Option<&'static str> {
        match self {
            Self::Log if number <= 0.0 => {
                Some("has no logarithm: use the transform log1p, which takes 0, or quantile")
            }
            Self::Log1p if number <= -1.0 => {
                Some("is not above -1, as ln(1 + y) needs: use the transform quantile")
            }
            Self::Rate if number < 0.0 => {
                Some("is below 0, but poisson is for counts: use mse, or correct the cell")
            }
            _ => None,
        }
    }
}

/// Of the numbers that are not missing (NaN), one at least, those at evenly spaced ranks, from the smallest to the largest.
pub(super) fn knots(cells: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = cells.iter().copied().filter(|it| !it.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    let knots = sorted.len().clamp(2, MOST_KNOTS);
    let rank = |knot: usize| knot as f64 / (knots - 1) as f64;
    let knot = |knot: usize| between(&sorted, rank(knot) * (sorted.len() - 1) as f64);
    (0..knots).map(knot).collect()
}

/// Whether a file may hold them.
pub(super) fn are_knots(knots: &[f64]) -> bool {
    let sorted = knots.windows(2).all(|pair| pair[0] <= pair[1]);
    knots.len() > 1 && sorted && knots.iter().all(|knot| knot.is_finite())
}

/// The value at a place between sorted ones, in a straight line from one to the next.
pub(super) fn between(sorted: &[f64], place: f64) -> f64 {
    let below = (place.floor() as usize).min(sorted.len() - 1);
    let above = (below + 1).min(sorted.len() - 1);
    let share = place - below as f64;
    // Neither adds a rounding to equal numbers.
    sorted[below] + share * (sorted[above] - sorted[below])
}

/// The rank of a number among knots, from 0 to 1; in the middle of those that equal it.
fn rank(knots: &[f64], number: f64) -> f64 {
    let place = |below: usize| match (below, knots.len()) {
        (0, _) => 0.0,
        (below, all) if below == all => (all - 1) as f64,
        (below, _) => {
            let (low, high) = (knots[below - 1], knots[below]);
            (below - 1) as f64 + (number - low) / (high - low)
        }
    };
    // The first and the last of equal knots are where it comes to from below and from above.
    let first = knots.partition_point(|knot| *knot < number);
    let last = knots.partition_point(|knot| *knot <= number);
    let middle = match first == last {
        true => place(first),
        false => (first + last - 1) as f64 / 2.0,
    };
    middle / (knots.len() - 1) as f64
}

/// The normal score of a number's rank among knots.
pub(super) fn normal_score(knots: &[f64], number: f64) -> f64 {
    let rank = rank(knots, number).clamp(OUTERMOST, 1.0 - OUTERMOST);
    -SQRT_2 * erfc_inv(2.0 * rank)
}

impl NumberEncoding {
    /// Numbers that pass as they are.
    pub const NONE: Self = Self { scaling: Scaling::NONE, curve: Curve::Line };

    /// A number of the column as a label; NaN where it has no place on the curve.
    pub fn label(&self, number: f64) -> f64 {
        self.scaling.standardise(self.curve.bend(number))
    }

    /// Back from a label to the number of the column.
    pub fn number(&self, label: f64) -> f64 {
        self.curve.straighten(self.scaling.restore(label))
    }

    /// What a prediction says in the column's unit.
    pub fn restore(&self, predicted: f64) -> f64 {
        match self.curve {
            Curve::Rate => self.scaling.std * predicted.exp(),
            _ => self.number(predicted),
        }
    }

    /// Which prediction says this number: the inverse of [`restore`](Self::restore).
    pub fn predicted(&self, number: f64) -> f64 {
        match self.curve {
            Curve::Rate => (number / self.scaling.std).ln(),
            _ => self.label(number),
        }
    }

    /// The same with [the digits that mean something](Scaling::answer).
    pub fn answer(&self, predicted: f32) -> f64 {
        let (at, ulp) = (f64::from(predicted), f64::from(2_f32.powi(-24)));
        match self.curve {
            Curve::Line => self.scaling.answer(predicted),
            // How far apart the answers to neighbouring predictions are.
            _ => {
                let apart = (self.restore(at + 0.5) - self.restore(at - 0.5)).abs();
                rounded(self.restore(at), apart * ulp)
            }
        }
    }

    /// The unit of a difference of 1 between predictions, where it is the same everywhere.
    pub fn unit(&self) -> Option<f64> {
        self.curve.is_line().then_some(self.scaling.std)
    }

    /// One cell of a table as a label.
    pub(super) fn encode(&self, table: &Table, row: usize, column: &str, cell: f64) -> Result<f32> {
        match self.curve.refusal(cell) {
            Some(why) => Err(table.error_at(row, column, format!("{cell} {why}"))),
            None if self.curve.is_line() => self.scaling.encode(table, row, column, cell),
            None => self.scaling.encode(table, row, column, self.curve.bend(cell)),
        }
    }

    /// Whether a file may hold it.
    pub(super) fn is_sound(&self) -> bool {
        let knots = match &self.curve {
            Curve::Quantile(knots) => are_knots(knots),
            Curve::Rate => self.scaling.mean == 0.0,
            _ => true,
        };
        knots && self.scaling.is_sound()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantile(cells: &[f64]) -> Curve {
        Curve::fit(Transform::Quantile, cells)
    }

    #[test]
    fn curves_have_their_known_values() {
        for (curve, number, bent) in [
            (Curve::Log, 1.0, 0.0),
            (Curve::Log, std::f64::consts::E, 1.0),
            (Curve::Log1p, 0.0, 0.0),
            (Curve::Log1p, 1e-12, 1e-12),
            (Curve::Line, -3.5, -3.5),
            // Φ(1) = 0.841344746068543: the rank of a number at that share of an even spread.
            (quantile(&[0.0, 1.0]), 0.841_344_746_068_543, 1.0),
            (quantile(&[0.0, 1.0]), 0.5, 0.0),
            (quantile(&[10.0, 20.0, 20.0, 20.0, 40.0]), 20.0, 0.0),
        ] {
            let found = curve.bend(number);
            assert!((found - bent).abs() < 1e-6, "{curve:?} of {number}: {found}");
            assert!((curve.straighten(bent) - number).abs() < 1e-5, "{curve:?} back from {bent}");
        }
        assert!(Curve::Log.bend(0.0).is_nan() && Curve::Log1p.bend(-1.0).is_nan());
        // The ends: Φ⁻¹(1e-7) = −5.199337582.
        assert!((quantile(&[2.0, 3.0]).bend(1.0) + 5.199_337_582).abs() < 1e-6);
        assert_eq!(quantile(&[2.0, 3.0]).straighten(80.0), 3.0);
        assert_eq!(quantile(&[2.0, 3.0]).straighten(-80.0), 2.0);
    }

    /// Of `QuantileTransformer(output_distribution="normal", n_quantiles=9)` of scikit-learn 1.9.1, fitted on these numbers.
    #[test]
    fn normal_scores_are_scikit_learns() {
        let numbers = [1.0, 2.0, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0, 34.0];
        let curve = quantile(&numbers);
        for (number, expected) in [
            (0.0, -5.199_337_582_605_575),
            (1.5, -1.534_120_544_352_546_3),
            (2.0, -0.887_146_559_018_876),
            (2.5, -0.488_776_411_114_669_5),
            (4.0, -0.157_310_684_610_170_7),
            (8.0, 0.318_639_363_964_375_14),
            (20.0, 1.077_515_567_040_280_3),
            (34.0, 5.199_337_582_702_34),
        ] {
            let found = curve.bend(number);
            assert!((found - expected).abs() < 1e-6, "{number}: {found}, expected {expected}");
        }
    }

    #[test]
    fn what_is_bent_comes_back() {
        let numbers: Vec<f64> = (0..2_500).map(|i| f64::from(i * i) / 1e3 + 0.25).collect();
        for transform in [Transform::None, Transform::Log, Transform::Log1p, Transform::Quantile] {
            let curve = Curve::fit(transform, &numbers);
            let scaling = Scaling { mean: 1.5, std: 0.75 };
            let encoding = NumberEncoding { scaling, curve };
            for number in [0.25, 0.3, 1.0, 17.5, 4_000.0, 6_245.251] {
                let back = encoding.number(encoding.label(number));
                assert!((back - number).abs() < 1e-6 * number.max(1.0), "{transform:?}: {back}");
                assert_eq!(encoding.restore(encoding.predicted(number)), back);
            }
        }
    }

    #[test]
    fn a_rate_is_an_exponential_of_predictions_alone() {
        let rate = NumberEncoding { scaling: Scaling { mean: 0.0, std: 4.0 }, curve: Curve::Rate };
        assert_eq!((rate.label(8.0), rate.number(2.0), rate.restore(0.0)), (2.0, 8.0, 4.0));
        assert!((rate.restore(2_f64.ln()) - 8.0).abs() < 1e-12);
        assert!((rate.predicted(8.0) - 2_f64.ln()).abs() < 1e-12);
        // Eight digits are all that an f32 tells apart.
        assert_eq!(rate.answer(0.5), 6.594_885_1);
        assert_eq!(rate.unit(), None);
    }
}
