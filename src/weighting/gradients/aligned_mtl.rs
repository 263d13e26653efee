//! Aligned-MTL: gradients turned until they are orthogonal and equally long, by as little as that takes. Senushkin et al.,
//! *Independent Component Alignment for Multi-Task Learning* (2023), Algorithm 1. Twin: `shaders/weighting/aligned_mtl.wgsl`.
//!
//! With `G = V·Λ·Vᵀ`: `w = √λ_min · V·Λ^(−½)·Vᵀ·p`, `p = 1/K`, as TorchJD has it; LibMTL's `p = 1` is K times that. Of the
//! eigenvalues, those up to `K·1.2e-7·λ_max` count as 0 and are left out, and λ_min is the least of the others: both
//! libraries' rule for `f32`. The λ_min makes the whole step short where gradients are nearly dependent.
//!
//! | where | weights |
//! |---|---|
//! | one task | 1 |
//! | opposed gradients of equal length | 0: what they share is nothing |
//! | dependent gradients | those of the independent combinations; weights jump where an eigenvalue comes to count as 0 |

use super::jacobi::eigen;
use super::{AtStep, REPRESENTATION};
use crate::weighting::{Kind, Scheme, Setting};

/// `w = √λ_min · V·Λ^(−½)·Vᵀ/K`.
#[derive(Clone, Copy, Debug)]
pub struct AlignedMtl;

impl Scheme for AlignedMtl {
    fn name(&self) -> &'static str {
        "aligned-mtl"
    }

    fn summary(&self) -> &'static str {
        "gradients turned until they are orthogonal and of the same length"
    }

    fn source(&self) -> &'static str {
        "Senushkin et al. 2023, arXiv:2305.19000"
    }

    fn kind(&self) -> Kind {
        Kind::Gradients
    }

    fn settings(&self) -> &'static [Setting] {
        &[REPRESENTATION]
    }

    fn combine(&self, _: &[f64], at: &mut AtStep<'_>) -> Vec<f64> {
        let tasks = at.tasks();
        let trace: f64 = (0..tasks).map(|k| at.gram(k, k)).sum();
        let scaled = at.gram.iter().map(|product| product / trace).collect();
        let (eigenvalues, vectors) = eigen(scaled, tasks);
        let most = eigenvalues.iter().copied().fold(0.0, f64::max);
        let counts =
            |&(value, _): &(f64, &[f64])| value > tasks as f64 * f64::from(f32::EPSILON) * most;
        let kept: Vec<_> =
            eigenvalues.iter().copied().zip(vectors.chunks(tasks)).filter(counts).collect();
        let least = kept.iter().map(|(value, _)| *value).fold(f64::INFINITY, f64::min);
        let mut weights = vec![0.0; tasks];
        for (value, vector) in kept {
            let part = (least / value).sqrt() * vector.iter().sum::<f64>() / tasks as f64;
            weights.iter_mut().zip(vector).for_each(|(weight, v)| *weight += part * v);
        }
        weights
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../../shaders/weighting/aligned_mtl.wgsl")
    }
}
