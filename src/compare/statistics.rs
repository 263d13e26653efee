//! What several runs say together: intervals, paired tests and their correction, ranks, relative improvement, the Pareto front.
//!
//! Pure functions of numbers, held against SciPy's and worked cases.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// A mean of some runs with its interval of 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The arithmetic mean.
    pub mean: f64,
    /// The lower end; `None` of a single value, which has no interval.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// The standard deviation of the values (`n − 1`).
    pub sd: Option<f64>,
    /// Number of values.
    pub count: usize,
}

/// What lies within an interval.
const CONFIDENCE: f64 = 0.95;

impl Interval {
    /// The mean of these values, `mean ± t·sd/√n` with the quantile of Student's t for `n − 1` degrees of freedom; `None` of no value.
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = values.len();
        let mean = mean(values)?;
        let sd = deviation(values, mean);
        let half = sd.and_then(|sd| {
            let t = StudentsT::new(0.0, 1.0, (count - 1) as f64).ok()?;
            Some(quantile(&t, 0.5 + CONFIDENCE / 2.0) * sd / (count as f64).sqrt())
        });
        let ends = half.map(|half| (mean - half, mean + half));
        Some(Self { mean, low: ends.map(|it| it.0), high: ends.map(|it| it.1), sd, count })
    }

    /// The same of a figure that cannot be above 1, as accuracy and R² cannot.
    #[must_use]
    pub fn up_to_one(self) -> Self {
        Self { high: self.high.map(|high| high.min(1.0)), ..self }
    }
}

/// The arithmetic mean; `None` of no value.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The standard deviation about this mean; `None` of fewer than two values.
fn deviation(values: &[f64], mean: f64) -> Option<f64> {
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}

/// The value below which `probability` (above ½) of the distribution lies, by halving: the library's own is as fine as 1e-8 at best.
fn quantile(of: &StudentsT, probability: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while of.cdf(high) < probability {
        high *= 2.0;
    }
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return middle;
        }
        match of.cdf(middle) < probability {
            true => low = middle,
            false => high = middle,
        }
    }
}

/// What a paired test comes to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedTest {
    /// The mean of the differences.
    pub difference: f64,
    /// Student's t of them.
    pub t: f64,
    /// The two-sided probability of a t as far from 0, were there no difference.
    pub p: f64,
}

/// Student's paired t test of the differences between two things in the same runs; `None` of fewer than two, and where all differences
/// are the same, as of things that are one: there is nothing to measure them by.
///
/// The signed-rank test of Wilcoxon asks for no normal distribution, but with five pairs its least two-sided probability is 2/2⁵ =
/// 0.0625: nothing could ever be told apart by it.
pub fn paired(differences: &[f64]) -> Option<PairedTest> {
    let difference = mean(differences)?;
    let sd = deviation(differences, difference)?;
    // Equal numbers, up to the rounding of their mean.
    if sd <= 1e-12 * difference.abs() {
        return None;
    }
    let count = differences.len() as f64;
    let t = difference / (sd / count.sqrt());
    let of = StudentsT::new(0.0, 1.0, count - 1.0).ok()?;
    Some(PairedTest { difference, t, p: (2.0 * of.cdf(-t.abs())).min(1.0) })
}

/// Probabilities of a family of tests, corrected by Holm's step-down method (1979): the chance that even one of them rejects wrongly is
/// at most the level that they are held against.
pub fn holm(probabilities: &[f64]) -> Vec<f64> {
    let count = probabilities.len();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
    let mut corrected = vec![1.0; count];
    let mut least: f64 = 0.0;
    for (place, index) in order.into_iter().enumerate() {
        least = least.max((count - place) as f64 * probabilities[index]).min(1.0);
        corrected[index] = least;
    }
    corrected
}

/// Ranks from 1, the lowest value first; equal values share the mean of their ranks, and NaN are last.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    let key = |index: usize| if values[index].is_nan() { f64::INFINITY } else { values[index] };
    order.sort_by(|&a, &b| key(a).total_cmp(&key(b)));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    while first < order.len() {
        let equal = order[first..].iter().take_while(|&&it| key(it) == key(order[first])).count();
        let shared = first as f64 + (equal + 1) as f64 / 2.0;
        order[first..first + equal].iter().for_each(|&index| ranks[index] = shared);
        first += equal;
    }
    ranks
}

/// A figure of a task, and whether more of it is better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// Its value.
    pub value: f64,
    /// Accuracy rather than an error.
    pub higher_is_better: bool,
}

/// The mean over tasks by how much a figure is better than that of a baseline, relative to the latter: positive is better (Δm, with the
/// sign of LibMTL; Nash-MTL's is the opposite). `None` without a task, and where a baseline is 0.
pub fn relative_improvement(pairs: &[(Figure, Figure)]) -> Option<f64> {
    let of = |(own, baseline): &(Figure, Figure)| {
        let more = (own.value - baseline.value) / baseline.value.abs();
        let better = if own.higher_is_better { more } else { -more };
        better.is_finite().then_some(better)
    };
    let each: Option<Vec<f64>> = pairs.iter().map(of).collect();
    mean(&each?)
}

/// Which points no other one dominates: is as low in both coordinates and lower in one.
pub fn front(points: &[[f64; 2]]) -> Vec<bool> {
    let dominates = |a: &[f64; 2], b: &[f64; 2]| a[0] <= b[0] && a[1] <= b[1] && a != b;
    points.iter().map(|point| !points.iter().any(|other| dominates(other, point))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        let off = (found - expected).abs();
        assert!(off <= 1e-9 * (1.0 + expected.abs()), "{found}, not {expected}");
    }

    /// `scipy.stats.t.interval(0.95, n - 1, mean, sem)` of SciPy 1.17.1.
    #[test]
    fn intervals_are_those_of_scipy() {
        for (values, low, high) in [
            (&[0.31, 0.29, 0.35, 0.3, 0.33][..], 0.286096771061096, 0.345903228938904),
            (&[12.5, 11.0][..], 2.2203464478689803, 21.27965355213102),
            (
                &[0.001, 0.002, 0.0015, 0.004, 0.0022, 0.0009, 0.0011, 0.003][..],
                0.0010522211195059304,
                0.0028727788804940703,
            ),
        ] {
            let found = Interval::of(values).unwrap();
            near(found.low.unwrap(), low);
            near(found.high.unwrap(), high);
        }
    }

    /// `scipy.stats.ttest_rel`.
    #[test]
    fn paired_tests_are_those_of_scipy() {
        for (one, other, t, p) in [
            (
                &[0.31, 0.29, 0.35, 0.3, 0.33][..],
                &[0.33, 0.3, 0.34, 0.34, 0.35][..],
                -1.9694638556693262,
                0.12024334063356425,
            ),
            (
                &[1.0, 2.0, 3.0, 4.0, 5.0][..],
                &[0.5, 1.4, 2.6, 3.4, 4.5][..],
                13.897584579446058,
                0.00015543552359874145,
            ),
            (&[5.0, 7.0][..], &[4.0, 7.5][..], 0.3333333333333333, 0.7951672353008665),
        ] {
            let differences: Vec<f64> = one.iter().zip(other).map(|(a, b)| a - b).collect();
            let found = paired(&differences).unwrap();
            near(found.t, t);
            near(found.p, p);
        }
    }

    /// `statsmodels`' multipletests of this family, worked by hand: 4·0.01, then 3·0.015 and 2·0.03 raised to what stands before, then 0.06.
    #[test]
    fn holm_corrects_step_by_step_and_never_goes_down() {
        let found = holm(&[0.03, 0.01, 0.055, 0.015]);
        let expected = [0.06, 0.04, 0.06, 0.045];
        found.into_iter().zip(expected).for_each(|(found, expected)| near(found, expected));
        assert_eq!(holm(&[0.6, 0.7]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }

    #[test]
    fn a_single_value_has_no_interval_and_none_no_mean() {
        let one = Interval::of(&[3.0]).unwrap();
        assert_eq!((one.mean, one.low, one.high, one.sd, one.count), (3.0, None, None, None, 1));
        assert_eq!(Interval::of(&[]), None);
        let sure = Interval::of(&[0.9, 1.0]).unwrap();
        assert_eq!(sure.up_to_one().high, Some(1.0));
        assert!(sure.high > Some(1.0));
        let same = Interval::of(&[2.0, 2.0]).unwrap();
        assert_eq!((same.low, same.high), (Some(2.0), Some(2.0)));
    }

    #[test]
    fn differences_that_cannot_be_measured_are_not_tested() {
        assert_eq!(paired(&[0.1]), None);
        assert_eq!(paired(&[0.1, 0.1, 0.1]), None);
        assert_eq!(paired(&[0.0, 0.0, 0.0]), None);
    }

    #[test]
    fn equal_values_share_the_mean_of_their_ranks() {
        assert_eq!(ranks(&[3.0, 1.0, 2.0]), [3.0, 1.0, 2.0]);
        assert_eq!(ranks(&[0.5, 0.2, 0.5, 0.9, 0.5]), [3.0, 1.0, 3.0, 5.0, 3.0]);
        assert_eq!(ranks(&[0.5, f64::NAN, 0.1, f64::INFINITY]), [2.0, 3.5, 1.0, 3.5]);
        assert!(ranks(&[]).is_empty());
    }

    /// LibMTL's convention: 10 % more accuracy and 20 % less error are 15 % better.
    #[test]
    fn relative_improvement_is_positive_where_it_is_better() {
        let figure = |value, higher_is_better| Figure { value, higher_is_better };
        let accuracy = (figure(0.55, true), figure(0.5, true));
        let error = (figure(8.0, false), figure(10.0, false));
        near(relative_improvement(&[accuracy, error]).unwrap(), 0.15);
        near(relative_improvement(&[(error.1, error.0)]).unwrap(), -0.25);
        assert_eq!(relative_improvement(&[(error.0, figure(0.0, false))]), None);
        assert_eq!(relative_improvement(&[]), None);
    }

    #[test]
    fn the_front_is_what_nothing_dominates() {
        let points = [[1.0, 3.0], [2.0, 2.0], [3.0, 1.0], [2.0, 3.0], [3.0, 3.0], [1.0, 3.0]];
        assert_eq!(front(&points), [true, true, true, false, false, true]);
    }
}
