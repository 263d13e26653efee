//! Variances in the column's own unit.

use super::mixture::{Component, laplace_scale, standard_quantile};
use super::{Family, Mixture, Parts, moments_of};
use crate::tables::Curve;

/// Equally likely values that stand for a distribution where no formula does.
const VALUES: usize = 128;

impl Mixture<'_> {
    /// Its variance in the square of the column's unit: the mean of the members' variances there, and the variance of their means
    /// there. Of columns that are not transformed it is [`variance`](Self::variance) in another unit, exactly; so it is of counts.
    /// Of `log` and `log1p` it is by the moments of the log-normal and the log-Laplace distribution, of which the latter's noise is
    /// infinite from b = ½ on; of `quantile`, by 128 equally likely values of each member's distribution.
    pub fn variance_of_number(&self) -> Parts {
        let unit = self.encoding.scaling.std;
        let moments = self.members.iter().map(|it| match &self.encoding.curve {
            Curve::Line | Curve::Rate => (unit * it.centre, unit * unit * it.variance),
            _ if self.family == Family::Unknown => (self.encoding.number(it.centre), 0.0),
            Curve::Log | Curve::Log1p => self.of_exponential(*it),
            Curve::Quantile(_) => self.of_values(*it),
        });
        let moments: Vec<(f64, f64)> = moments.collect();
        let noise = moments_of(moments.iter().map(|it| it.1)).0;
        let ignorance = moments_of(moments.iter().map(|it| it.0)).1;
        Parts { noise: (self.family != Family::Unknown).then_some(noise), ignorance }
    }

    /// Mean and variance of `e^x` (less 1, if log1p), where x is the member's label in the logarithm's own unit.
    fn of_exponential(&self, it: Component) -> (f64, f64) {
        let unit = self.encoding.scaling.std;
        let (median, variance) =
            (self.encoding.scaling.restore(it.centre).exp(), unit * unit * it.variance);
        match self.family {
            Family::Laplace => {
                // The moment-generating function of a Laplace distribution is 1/(1 − b²t²) below t = 1/b.
                let square = laplace_scale(variance).powi(2);
                let moment = |t: f64| match 1.0 - square * t * t {
                    rest if rest > 0.0 => 1.0 / rest,
                    _ => f64::INFINITY,
                };
                let (first, second) = (moment(1.0), moment(2.0));
                let spread = if second.is_finite() { second - first * first } else { second };
                // Of a mean that is infinite nothing can be told apart: the median is what there is.
                let mean = if first.is_finite() { median * first } else { median };
                (mean, median * median * spread)
            }
            _ => {
                let mean = median * (0.5 * variance).exp();
                (mean, mean * mean * variance.exp_m1())
            }
        }
    }

    /// Mean and variance over equally likely values.
    fn of_values(&self, it: Component) -> (f64, f64) {
        let deviation = it.variance.sqrt();
        let values = (0..VALUES).map(|place| {
            let probability = (place as f64 + 0.5) / VALUES as f64;
            self.encoding
                .number(it.centre + deviation * standard_quantile(self.family, probability))
        });
        moments_of(values.collect::<Vec<_>>().into_iter())
    }
}
