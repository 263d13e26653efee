//! The activations of the trunk, with their derivatives in `f64`.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// What follows each of the trunk's layers. The kernels' twin is `shaders/shared/activations.wgsl`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
            Self::Relu if x > 0.0 => (x, 1.0),
            Self::Relu => (0.0, 0.0),
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
