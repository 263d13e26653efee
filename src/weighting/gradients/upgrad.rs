//! UPGrad: every gradient moved as little as it takes to conflict with none, and their mean. Quinton & Rey, *Jacobian Descent
//! for Multi-Objective Optimization* (2024), eq. 5 and Prop. 1. Twin: `shaders/weighting/upgrad.wgsl`.
//!
//! `w = Σᵢ argmin vᵀG̃v over v ≥ eᵢ/K`, with `G̃ = G/tr G + 1e-4·I`, the authors' regularisation. Where no two gradients
//! conflict, that is the mean. No loss rises along it, but for what the regularisation lets pass.
//!
//! | where | weights |
//! |---|---|
//! | one task | 1 |
//! | opposed gradients | those at which they cancel |
//! | dependent gradients | as always: `G̃` is never singular. A gradient shorter than a hundredth of all together counts as independent of them |

use super::{AtStep, Correlation, Path, REPRESENTATION};
use crate::weighting::{Kind, Scheme, Setting};

/// What is added to `G/tr G`, by the authors.
const REGULARISATION: f64 = 1e-4;

/// `w = Σᵢ argmin vᵀG̃v over v ≥ eᵢ/K`.
#[derive(Clone, Copy, Debug)]
pub struct Upgrad;

impl Scheme for Upgrad {
    fn name(&self) -> &'static str {
        "upgrad"
    }

    fn summary(&self) -> &'static str {
        "every gradient moved as little as it takes to conflict with none, and their mean"
    }

    fn source(&self) -> &'static str {
        "Quinton & Rey 2024, arXiv:2406.16232"
    }

    fn kind(&self) -> Kind {
        Kind::Gradients
    }

    fn settings(&self) -> &'static [Setting] {
        &[REPRESENTATION]
    }

    fn combine(&self, _: &[f64], at: &mut AtStep<'_>) -> Vec<f64> {
        let tasks = at.tasks();
        let mut regular = at.gram.to_vec();
        let trace: f64 = (0..tasks).map(|k| at.gram(k, k)).sum();
        (0..tasks).for_each(|k| regular[k * tasks + k] += REGULARISATION * trace);
        let gram = Correlation::of(&regular, tasks, 0.0);
        let mut weights = vec![1.0 / tasks as f64; tasks];
        for i in 0..tasks {
            // With v = eᵢ/K + u: u ≥ 0, G̃u + G̃eᵢ/K ≥ 0. In C's terms, with u = y/d·dᵢ/K: Cy + Ceᵢ ≥ 0.
            let scale = gram.lengths[i] / tasks as f64;
            let y = lifted(&gram, i);
            for (weight, u) in weights.iter_mut().zip(gram.unscaled(&y)) {
                *weight += scale * u;
            }
        }
        weights
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../../shaders/weighting/upgrad.wgsl")
    }
}

/// The y of task i: how much of each direction is to be added to its own, so that the sum conflicts with none.
fn lifted(gram: &Correlation, i: usize) -> Vec<f64> {
    let tasks = gram.tasks;
    let own = &gram.cosines[i * tasks..][..tasks];
    let slopes: Vec<f64> = (0..tasks).map(|k| 1.0 + (k + 1) as f64 / tasks as f64).collect();
    // The least θ at which no value is below 0.
    let start = own.iter().zip(&slopes).map(|(c, slope)| -c / slope).fold(0.0, f64::max);
    let values = own.iter().zip(&slopes).map(|(c, slope)| (c + start * slope).max(0.0)).collect();
    Path::new(&gram.cosines, values, slopes).follow(start)
}
