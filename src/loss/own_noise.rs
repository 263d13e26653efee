//! Losses that predict a column's noise beside the column: likelihoods of a location and the logarithm of a scale.
//!
//! The kernels' twin is `noise_loss` in `shaders/shared/losses.wgsl`.

use super::Loss;

/// Logarithms of scales are taken for these at most and least, so that no exponential overflows. Gradients pass as if they were not,
/// as PyTorch's pass its `eps`.
pub(crate) const MOST_LOG_SCALE: f64 = 30.0;

impl Loss {
    /// Loss and derivatives, for the location and for the logarithm of the scale, of one column; not yet divided by the normaliser.
    pub(super) fn pair(&self, location: f64, log_scale: f64, label: f64) -> (f64, [f64; 2]) {
        let difference = location - label;
        let s = log_scale.clamp(-MOST_LOG_SCALE, MOST_LOG_SCALE);
        match self {
            Self::LaplaceNll => {
                let size = difference.abs() * (-s).exp();
                let sign = if difference == 0.0 { 0.0 } else { difference.signum() };
                (s + size, [sign * (-s).exp(), 1.0 - size])
            }
            _ => {
                let beta = f64::from(self.parameter());
                let square = difference * difference * (-s).exp();
                let slopes = [
                    difference * ((beta - 1.0) * s).exp(),
                    0.5 * (beta * s).exp() * (1.0 - square),
                ];
                (0.5 * (s + square), slopes)
            }
        }
    }

    /// The variance of the noise at this logarithm of its scale, as the head predicts it: `eˢ`, of `laplace_nll` `2e²ˢ`; `None` of
    /// losses that predict none.
    pub fn noise_variance(&self, log_scale: f64) -> Option<f64> {
        let s = log_scale.clamp(-MOST_LOG_SCALE, MOST_LOG_SCALE);
        match self {
            Self::GaussianNll { .. } => Some(s.exp()),
            Self::LaplaceNll => Some(2.0 * (2.0 * s).exp()),
            _ => None,
        }
    }

    /// The logarithm of the scale of noise with this variance; `None` of losses that predict none.
    pub(crate) fn log_scale(&self, variance: f64) -> Option<f64> {
        let s = match self {
            Self::GaussianNll { .. } => variance.ln(),
            Self::LaplaceNll => 0.5 * (0.5 * variance).ln(),
            _ => return None,
        };
        Some(s.clamp(-MOST_LOG_SCALE, MOST_LOG_SCALE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values worked out by hand, and slopes by differences, at scales from within the clamp to beyond it.
    #[test]
    fn values_are_those_of_the_likelihoods_and_slopes_their_differences() {
        let gaussian = Loss::GaussianNll { beta: 0.0 };
        // −ln N(1; 0, e²) = ½(2 + e⁻²) + ½ ln 2π
        let (value, _) = gaussian.pair(0.0, 2.0, 1.0);
        assert!((value - 1.067_667_641_618_306).abs() < 1e-14, "{value}");
        // −ln of ½e^(−2/e) with b = e: 1 + 2/e + ln 2
        let (value, _) = Loss::LaplaceNll.pair(3.0, 1.0, 1.0);
        assert!((value - 1.735_758_882_342_884_7).abs() < 1e-14, "{value}");
        for loss in [gaussian, Loss::LaplaceNll] {
            for s in [-29.0, -5.0, 0.0, 5.0, 29.0] {
                for (p, t) in [(0.4, -0.3), (-2.0, 1.0)] {
                    let step = 1e-5;
                    let at = |p: f64, s: f64| loss.pair(p, s, t).0;
                    let slopes = [
                        (at(p + step, s) - at(p - step, s)) / (2.0 * step),
                        (at(p, s + step) - at(p, s - step)) / (2.0 * step),
                    ];
                    for (found, expected) in loss.pair(p, s, t).1.into_iter().zip(slopes) {
                        let tolerance = 1e-4 * expected.abs() + 1e-8;
                        assert!((found - expected).abs() < tolerance, "{loss:?}, s = {s}");
                    }
                }
            }
            for s in [-1e30, -31.0, 31.0, 1e30] {
                let (value, slopes) = loss.pair(1.0, s, 0.0);
                assert!(value.is_finite() && slopes.iter().all(|slope| slope.is_finite()));
                // Back to where it counts.
                assert!(slopes[1] * s > 0.0, "{loss:?}, s = {s}: {slopes:?}");
            }
        }
    }

    /// By the variance to the power of β; at 1 the mean's is that of half a square.
    #[test]
    fn beta_weighs_the_slopes_alone() {
        let plain = Loss::GaussianNll { beta: 0.0 }.pair(2.0, 1.5, 0.5);
        let half = Loss::GaussianNll { beta: 0.5 }.pair(2.0, 1.5, 0.5);
        assert_eq!(plain.0, half.0);
        for (plain, half) in plain.1.into_iter().zip(half.1) {
            assert!((half - plain * 0.75_f64.exp()).abs() < 1e-12);
        }
        let whole = Loss::GaussianNll { beta: 1.0 }.pair(2.0, 1.5, 0.5);
        assert!((whole.1[0] - 1.5).abs() < 1e-12);
    }
}
