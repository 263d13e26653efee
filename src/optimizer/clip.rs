//! Gradient clipping by norm.

use crate::error::{Error, Result};

/// What PyTorch's `clip_grad_norm_` adds to the norm before it divides by it.
const MARGIN: f64 = 1e-6;

/// By what a gradient is multiplied so that its norm is at most about `most`: `min(1, most/(‖gradient‖₂ + 1e-6))`, as in
/// PyTorch's `clip_grad_norm_` (Pascanu, Mikolov & Bengio, [*On the difficulty of training recurrent neural
/// networks*](https://arxiv.org/abs/1211.5063), 2013, algorithm 1). NaN where the norm is not finite.
///
/// The kernels' twin is `shaders/shared/clip.wgsl`.
///
/// ```
/// let factor = awl::optimizer::clip_factor(&[3.0, 4.0], 1.0);
/// assert!((factor - 1.0 / 5.000001).abs() < 1e-15);
/// assert_eq!(awl::optimizer::clip_factor(&[3.0, 4.0], 6.0), 1.0);
/// ```
pub fn clip_factor(gradient: &[f64], most: f64) -> f64 {
    let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
    match norm.is_finite() {
        true => (most / (norm + MARGIN)).min(1.0),
        false => f64::NAN,
    }
}

/// Checks the norm to clip at.
///
/// # Errors
/// [`Error::Invalid`] naming the value.
pub(crate) fn check_clip(most: f64) -> Result<()> {
    match most.is_finite() && most > 0.0 {
        true => Ok(()),
        false => Err(Error::invalid(
            format!("gradients are clipped at a norm of {most}"),
            "use a positive number, or clip none",
        )),
    }
}

/// Checks that the norm keeps its meaning in `f32`.
pub(crate) fn check_clip_single(most: f64) -> Result<()> {
    match (most as f32).is_normal() {
        true => Ok(()),
        false => Err(Error::invalid(
            format!("gradients are clipped at a norm of {most}, which f32 cannot hold"),
            "use a less extreme value, or the reference engine, which computes in f64",
        )),
    }
}
