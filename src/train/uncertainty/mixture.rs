//! What several networks say of one number: a mixture of distributions.

use super::{Parts, moments_of};
use crate::tables::NumberEncoding;
use statrs::function::erf::{erfc, erfc_inv};
use statrs::function::gamma::{checked_gamma_ur, ln_gamma};
use std::f64::consts::{FRAC_1_SQRT_2, LN_2, PI, SQRT_2};

/// The distribution that every network takes a label to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Normal, on the scale that is learned.
    Normal,
    /// Laplace, on the scale that is learned.
    Laplace,
    /// Poisson, of the counts themselves.
    Poisson,
    /// Not known.
    Unknown,
}

/// What one network says of a label, on the scale that is learned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Component {
    /// The mean; of an [unknown](Family::Unknown) distribution the answer.
    pub centre: f64,
    /// The variance; 0 of an unknown distribution.
    pub variance: f64,
}

/// What several networks say of one number of one row: one of their distributions, each as likely as the others.
#[derive(Clone, Debug)]
pub struct Mixture<'a> {
    pub(super) encoding: &'a NumberEncoding,
    pub(super) family: Family,
    pub(super) members: Vec<Component>,
}

impl<'a> Mixture<'a> {
    /// The mixture of these distributions, one at least, of labels that are encoded so.
    pub fn new(encoding: &'a NumberEncoding, family: Family, members: Vec<Component>) -> Self {
        Self { encoding, family, members }
    }

    /// The distribution of its members.
    pub fn family(&self) -> Family {
        self.family
    }

    /// What each network says.
    pub fn members(&self) -> &[Component] {
        &self.members
    }

    /// The mean of the members' centres, on the scale that is learned; of counts, counts over their mean in training.
    pub fn centre(&self) -> f64 {
        moments_of(self.members.iter().map(|it| it.centre)).0
    }

    /// Its variance, on the scale that is learned: the mean of the members' variances, and the variance of their centres (divided by
    /// their number).
    pub fn variance(&self) -> Parts {
        let noise = moments_of(self.members.iter().map(|it| it.variance)).0;
        let ignorance = moments_of(self.members.iter().map(|it| it.centre)).1;
        Parts { noise: (self.family != Family::Unknown).then_some(noise), ignorance }
    }

    /// The probability of a label of at most this, on the scale that is learned; `None` where the distribution is unknown.
    pub fn cdf(&self, label: f64) -> Option<f64> {
        let of = |it: &Component| self.member_cdf(*it, label);
        let sum: Option<f64> = self.members.iter().map(of).sum();
        sum.map(|sum| sum / self.members.len() as f64)
    }

    /// The label, on the scale that is learned, that is not exceeded with this probability above 0 and below 1: by bisection on
    /// [`cdf`](Self::cdf). `None` where the distribution is unknown, or for another probability.
    pub fn quantile(&self, probability: f64) -> Option<f64> {
        if !(probability > 0.0 && probability < 1.0) {
            return None;
        }
        match self.family {
            Family::Unknown => None,
            Family::Poisson => Some(self.count_at(probability)? / self.encoding.scaling.std),
            _ => {
                // Below the least of the members' own quantiles all say less, above the largest all say more.
                let own = self.members.iter().map(|it| self.member_quantile(*it, probability));
                let ends = (f64::INFINITY, f64::NEG_INFINITY);
                let (mut low, mut high) =
                    own.fold(ends, |(low, high), it| (low.min(it), high.max(it)));
                if self.cdf(low)? >= probability {
                    return Some(low);
                }
                while low < high {
                    let middle = f64::midpoint(low, high);
                    if middle <= low || middle >= high {
                        break;
                    }
                    match self.cdf(middle)? < probability {
                        true => low = middle,
                        false => high = middle,
                    }
                }
                Some(high)
            }
        }
    }

    /// The number of the column that is not exceeded with this probability: the transform of the column is monotone, so that it is
    /// the [`quantile`](Self::quantile) taken through it.
    pub fn quantile_of_number(&self, probability: f64) -> Option<f64> {
        self.quantile(probability).map(|label| self.encoding.number(label))
    }

    /// The logarithm of the density at a label, on the scale that is learned; of counts, of the probability of the count. `None` where
    /// the distribution is unknown. Without noise it is infinite.
    pub fn log_density(&self, label: f64) -> Option<f64> {
        if self.family == Family::Unknown {
            return None;
        }
        let logs = self.members.iter().map(|it| self.member_log_density(*it, label));
        let largest = logs.clone().fold(f64::NEG_INFINITY, f64::max);
        if largest.is_infinite() {
            return Some(largest);
        }
        let sum: f64 = logs.map(|log| (log - largest).exp()).sum();
        Some(largest + (sum / self.members.len() as f64).ln())
    }

    fn member_cdf(&self, it: Component, label: f64) -> Option<f64> {
        let distance = label - it.centre;
        let of_point = || if distance < 0.0 { 0.0 } else { 1.0 };
        Some(match self.family {
            Family::Unknown => return None,
            Family::Poisson => self.poisson_cdf(it, label * self.encoding.scaling.std),
            _ if it.variance == 0.0 => of_point(),
            Family::Normal => 0.5 * erfc(-distance / it.variance.sqrt() * FRAC_1_SQRT_2),
            Family::Laplace => {
                let half = 0.5 * (-distance.abs() / laplace_scale(it.variance)).exp();
                if distance < 0.0 { half } else { 1.0 - half }
            }
        })
    }

    fn member_quantile(&self, it: Component, probability: f64) -> f64 {
        it.centre + it.variance.sqrt() * standard_quantile(self.family, probability)
    }

    fn member_log_density(&self, it: Component, label: f64) -> f64 {
        let distance = label - it.centre;
        match self.family {
            Family::Poisson => {
                let (rate, count) = (self.rate(it), label * self.encoding.scaling.std);
                match rate == 0.0 {
                    true if count == 0.0 => 0.0,
                    true => f64::NEG_INFINITY,
                    false => count * rate.ln() - rate - ln_gamma(count + 1.0),
                }
            }
            _ if it.variance == 0.0 && distance == 0.0 => f64::INFINITY,
            _ if it.variance == 0.0 => f64::NEG_INFINITY,
            Family::Laplace => {
                let scale = laplace_scale(it.variance);
                -LN_2 - scale.ln() - distance.abs() / scale
            }
            _ => -0.5 * ((2.0 * PI * it.variance).ln() + distance * distance / it.variance),
        }
    }

    /// A member's expected count.
    fn rate(&self, it: Component) -> f64 {
        it.centre * self.encoding.scaling.std
    }

    /// The probability of at most this count.
    fn poisson_cdf(&self, it: Component, count: f64) -> f64 {
        // A count that was divided by the mean and is multiplied again must not fall below itself.
        let count = (count * (1.0 + 8.0 * f64::EPSILON)).floor();
        let rate = self.rate(it);
        match count {
            _ if count < 0.0 => 0.0,
            _ if rate <= 0.0 => 1.0,
            // The series of the exact one has as many terms as this has digits; the normal one is off by less than 0.0002.
            _ if rate > MOST_EXACT => {
                0.5 * erfc((rate - count - 0.5) / rate.sqrt() * FRAC_1_SQRT_2)
            }
            _ => checked_gamma_ur(count + 1.0, rate).unwrap_or(f64::NAN),
        }
    }

    /// The least count that is exceeded with at most the rest of the probability.
    fn count_at(&self, probability: f64) -> Option<f64> {
        let cdf = |count: f64| self.cdf(count / self.encoding.scaling.std);
        let most = self.members.iter().map(|it| self.rate(*it)).fold(0.0, f64::max);
        let (mut low, mut high) = (-1.0, (most + 10.0 * most.sqrt() + 10.0).ceil());
        while cdf(high)? < probability && high < MOST_COUNT {
            (low, high) = (high, 2.0 * high);
        }
        while high - low > 1.0 {
            let middle = f64::midpoint(low, high).floor();
            if middle <= low || middle >= high {
                break;
            }
            match cdf(middle)? < probability {
                true => low = middle,
                false => high = middle,
            }
        }
        Some(high)
    }
}

/// Expected counts up to which the Poisson distribution is taken as it is.
const MOST_EXACT: f64 = 1e6;
/// Counts beyond which `f64` tells neighbours apart no more.
const MOST_COUNT: f64 = 9e15;

/// b of a Laplace distribution with this variance, which is 2b².
pub(super) fn laplace_scale(variance: f64) -> f64 {
    (0.5 * variance).sqrt()
}

/// The quantile of the distribution with mean 0 and variance 1; of an unknown one 0.
pub(super) fn standard_quantile(family: Family, probability: f64) -> f64 {
    match family {
        Family::Normal => -SQRT_2 * erfc_inv(2.0 * probability),
        Family::Laplace => {
            let rest = probability.min(1.0 - probability);
            let size = -(2.0 * rest).ln() * FRAC_1_SQRT_2;
            if probability < 0.5 { -size } else { size }
        }
        Family::Poisson | Family::Unknown => 0.0,
    }
}
