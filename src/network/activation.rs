//! The activations of the trunk, with their derivatives in `f64`.

use serde::{Deserialize, Serialize};
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// What follows each of the trunk's layers. The kernels' twin is `shaders/shared/activations.wgsl`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `max(x, 0)`; the derivative at 0 is 0.
    #[default]
    Relu,
    /// `tanh x`.
    Tanh,
    /// `x·Φ(x)` with the normal distribution's exact Φ (torch `GELU(approximate='none')`).
    Gelu,
    /// `x·sigmoid(x)`, also called swish.
    Silu,
}

impl Activation {
    /// The number by which the kernels know the activation.
    pub(crate) fn code(self) -> u32 {
        match self {
            Self::Relu => 0,
            Self::Tanh => 1,
            Self::Gelu => 2,
            Self::Silu => 3,
        }
    }

    /// Value and derivative at `x`.
    pub fn evaluate(self, x: f64) -> (f64, f64) {
        match self {
            Self::Relu if x <= 0.0 => (0.0, 0.0),
            // NaN goes through, so that a diverged trunk cannot look like a quiet one.
            Self::Relu => (x, 1.0),
            Self::Tanh => {
                let t = x.tanh();
                (t, 1.0 - t * t)
            }
            Self::Gelu => {
                let cumulative = 0.5 * libm::erfc(-x * FRAC_1_SQRT_2);
                let density = (-0.5 * x * x).exp() / (2.0 * PI).sqrt();
                (x * cumulative, cumulative + x * density)
            }
            Self::Silu => {
                let sigmoid = 1.0 / (1.0 + (-x).exp());
                (x * sigmoid, sigmoid * (1.0 + x * (1.0 - sigmoid)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_have_their_known_values_and_slopes() {
        use Activation::{Gelu, Relu, Silu, Tanh};
        // Φ(1) and the normal density at 1; sigmoid(1); tanh(1).
        let (cumulative, density) = (0.841_344_746_068_542_9, 0.241_970_724_519_143_37);
        let (sigmoid, tanh) = (0.731_058_578_630_004_9, 0.761_594_155_955_764_9);
        for (activation, x, value, slope) in [
            (Relu, 2.0, 2.0, 1.0),
            (Relu, 0.0, 0.0, 0.0),
            (Relu, -2.0, 0.0, 0.0),
            (Tanh, 1.0, tanh, 1.0 - tanh * tanh),
            (Tanh, -1e4, -1.0, 0.0),
            (Gelu, 0.0, 0.0, 0.5),
            (Gelu, 1.0, cumulative, cumulative + density),
            (Gelu, -1.0, cumulative - 1.0, 1.0 - cumulative - density),
            (Gelu, 1e4, 1e4, 1.0),
            (Gelu, -1e4, 0.0, 0.0),
            (Silu, 0.0, 0.0, 0.5),
            (Silu, 1.0, sigmoid, sigmoid * (2.0 - sigmoid)),
            (Silu, 1e4, 1e4, 1.0),
            (Silu, -1e4, 0.0, 0.0),
        ] {
            let found = activation.evaluate(x);
            let close = (found.0 - value).abs() < 1e-15 && (found.1 - slope).abs() < 1e-15;
            assert!(close, "{activation:?} at {x}: {found:?}, expected {:?}", (value, slope));
        }
    }

    #[test]
    fn nothing_hides_a_nan() {
        use Activation::{Gelu, Relu, Silu, Tanh};
        for activation in [Relu, Tanh, Gelu, Silu] {
            assert!(activation.evaluate(f64::NAN).0.is_nan(), "{activation:?}");
        }
    }
}
