//! MGDA: the shortest combination of the gradients. Sener & Koltun, *Multi-Task Learning as Multi-Objective Optimization*
//! (2018), eq. 3, after Désidéri, *Multiple-gradient descent algorithm* (2012). Twin: `shaders/weighting/mgda.wgsl`.
//!
//! `min wᵀGw` over `w ≥ 0, Σw = 1`. What comes out is orthogonal to the hull of the gradients: no loss rises along it, and the
//! shortest gradient has the most to say. The authors go there by Frank and Wolfe's method, at most 250 rounds (100 in
//! TorchJD), whose error falls with their number only; here the program is solved, by pivots. The authors'
//! scripts may first divide each gradient by its length or its loss, which is not offered.
//!
//! | where | weights |
//! |---|---|
//! | one task | 1 |
//! | opposed gradients | those at which they cancel: the step is 0, for nothing helps all tasks |
//! | dependent gradients | the shortest `wᵀ(G + 1e-6·diag G)w` of all that are as good: equal gradients share |

use super::{AtStep, Correlation, Path, REPRESENTATION, RIDGE};
use crate::weighting::{Kind, Scheme, Setting};

/// `min wᵀGw` over the simplex.
#[derive(Clone, Copy, Debug)]
pub struct Mgda;

impl Scheme for Mgda {
    fn name(&self) -> &'static str {
        "mgda"
    }

    fn summary(&self) -> &'static str {
        "the shortest combination of the gradients, along which no loss rises"
    }

    fn source(&self) -> &'static str {
        "Sener & Koltun 2018, arXiv:1810.04650"
    }

    fn kind(&self) -> Kind {
        Kind::Gradients
    }

    fn settings(&self) -> &'static [Setting] {
        &[REPRESENTATION]
    }

    fn combine(&self, _: &[f64], at: &mut AtStep<'_>) -> Vec<f64> {
        let tasks = at.tasks();
        let gram = Correlation::of(at.gram, tasks, RIDGE);
        // With u = w/wᵀGw: u ≥ 0, Gu ≥ 1, and where u > 0, Gu = 1. In C's terms, Cy − 1/d ≥ 0. No two tasks reach 0 at once
        // on a path from different θ.
        let slope = |(k, length): (usize, &f64)| (1.0 + (k + 1) as f64 / tasks as f64) / length;
        let slopes: Vec<f64> = gram.lengths.iter().enumerate().map(slope).collect();
        let values = slopes.iter().zip(&gram.lengths).map(|(slope, d)| slope - 1.0 / d).collect();
        let y = Path::new(&gram.cosines, values, slopes).follow(1.0);
        let u = gram.unscaled(&y);
        let sum: f64 = u.iter().sum();
        u.iter().map(|u| u / sum).collect()
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../../shaders/weighting/mgda.wgsl")
    }
}
