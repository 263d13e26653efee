//! CAGrad: within a ball around the mean gradient, the direction that serves the worst-off task best. Liu et al.,
//! *Conflict-Averse Gradient Descent for Multi-task Learning* (2021), Algorithm 1. Twin: `shaders/weighting/cagrad.wgsl`.
//!
//! With `g₀` the mean gradient and `g_w = Jᵀw`: w minimises `g_w·g₀ + c‖g₀‖‖g_w‖` over the simplex, and the direction is
//! `(g₀ + c‖g₀‖·g_w/‖g_w‖) / (1 + c²)`. So the weights are `(1/K + z) / (1 + c²)` with `z ∝ w` and `‖Jᵀz‖ = c‖g₀‖`.
//!
//! Others leave this to a general solver. Here: where z ends, `Gz + G·1/K − μ·1 = s ≥ 0`, `z ≥ 0`, `z·s = 0` for some μ. A path
//! of these (`pivoting.rs`), with `θ = −μ`, starts at z = 0, and `‖Jᵀz‖` grows along it; it ends where that is `c‖g₀‖`.
//!
//! `c` is 0.5 in LibMTL and 0.4 in the authors' scripts; at 0 this is the mean, and far above 1 MGDA's direction. TorchJD
//! leaves the division by `1 + c²` out: `rescale` 0.
//!
//! | where | weights |
//! |---|---|
//! | one task | (1 + c)/(1 + c²) |
//! | gradients that cancel | equal: g₀ is 0 |
//! | dependent gradients | C has its millionth; where some combination of positive weights is 0, these grow to at most a thousand times c‖g₀‖/‖gᵢ‖ |

use super::{AtStep, Correlation, Path, REPRESENTATION, RIDGE};
use crate::weighting::{Kind, Scheme, Setting};

/// The direction within `c‖g₀‖` of the mean gradient that serves the worst-off task best.
#[derive(Clone, Copy, Debug)]
pub struct Cagrad;

impl Scheme for Cagrad {
    fn name(&self) -> &'static str {
        "cagrad"
    }

    fn summary(&self) -> &'static str {
        "near the mean gradient, the direction that serves the worst-off task best"
    }

    fn source(&self) -> &'static str {
        "Liu et al. 2021, arXiv:2110.14048"
    }

    fn kind(&self) -> Kind {
        Kind::Gradients
    }

    fn settings(&self) -> &'static [Setting] {
        const C: Setting = Setting {
            name: "c",
            default: 0.5,
            range: [0.0, 10.0],
            summary: "radius of the ball around the mean gradient, in lengths of that; 0.4 in the authors' scripts",
        };
        const RESCALE: Setting = Setting {
            name: "rescale",
            default: 1.0,
            range: [0.0, 1.0],
            summary: "1 divides by 1 + c², as the authors and LibMTL do; 0 leaves that out, as TorchJD does",
        };
        &[C, RESCALE, REPRESENTATION]
    }

    fn combine(&self, settings: &[f64], at: &mut AtStep<'_>) -> Vec<f64> {
        let [c, rescale] = [settings[0], settings[1]];
        let tasks = at.tasks();
        let gram = Correlation::of(at.gram, tasks, RIDGE);
        // In C's terms, with z = y/d: Cy + C·d/K + θ/d ≥ 0.
        let mean: Vec<f64> = gram.lengths.iter().map(|d| d / tasks as f64).collect();
        let along = gram.times(&mean);
        let square: f64 = along.iter().zip(&mean).map(|(a, d)| a * d).sum();
        let y = grown(&gram, &along, c * c * square.max(0.0));
        let divisor = if rescale == 0.0 { 1.0 } else { 1.0 + c * c };
        let weight = |z: &f64| (1.0 / tasks as f64 + z) / divisor;
        gram.unscaled(&y).iter().map(weight).collect()
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../../shaders/weighting/cagrad.wgsl")
    }
}

/// The y at which `yᵀCy` is `square`.
fn grown(gram: &Correlation, along: &[f64], square: f64) -> Vec<f64> {
    let slopes: Vec<f64> = gram.lengths.iter().map(|d| 1.0 / d).collect();
    let start = along.iter().zip(&slopes).map(|(a, slope)| -a / slope).fold(f64::MIN, f64::max);
    let values = along.iter().zip(&slopes).map(|(a, slope)| (a + start * slope).max(0.0)).collect();
    let mut path = Path::new(&gram.cosines, values, slopes.clone());
    let mut left = square;
    loop {
        // When θ falls by t, yᵀCy grows by 2bt + at².
        let dot = |y: &[f64]| y.iter().zip(&slopes).map(|(y, slope)| y * slope).sum::<f64>();
        let (a, b) = (dot(&path.direction()), dot(&path.solution()));
        let needed = match left > 0.0 && a > 0.0 {
            true => left / (b + (b * b + a * left).sqrt()),
            // At the start, where y = 0 has no direction yet.
            false if left > 0.0 => f64::INFINITY,
            false => 0.0,
        };
        match path.next() {
            Some((k, by)) if by < needed => {
                path.advance(by);
                left -= by * (2.0 * b + a * by);
                if !path.pivot(k) {
                    return path.solution();
                }
            }
            _ => {
                path.advance(if needed.is_finite() { needed } else { 0.0 });
                return path.solution();
            }
        }
    }
}
