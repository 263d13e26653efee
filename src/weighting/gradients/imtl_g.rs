//! IMTL-G: a direction along which every task's gradient has the same projection. Liu et al., *Towards Impartial Multi-task
//! Learning* (2021), 3.1; in G's terms by Quinton & Rey, *Jacobian Descent* (2024). Twin: `shaders/weighting/imtl_g.wgsl`.
//!
//! `v = G⁻¹·√diag G`, `w = v/|Σv|`; with the cosines C and lengths d of the gradients, `v = C⁻¹1/d`. TorchJD takes G's pseudo-inverse,
//! which is another answer only where gradients depend on each other; here C has its millionth.
//!
//! Weights may be negative. Then their sum may be, too, and the formula as published, `v/Σv`, would turn round and climb along
//! every gradient: the sum's sign is left out here.
//!
//! | where | weights |
//! |---|---|
//! | one task | 1 |
//! | opposed gradients | those at which they cancel (TorchJD: 0) |
//! | a sum near 0 | none passes a million in all: `Σv` counts as at least 1e-6·Σ|v| |

use super::correlation::solved;
use super::{AtStep, Correlation, REPRESENTATION, RIDGE};
use crate::weighting::{Kind, Scheme, Setting};

/// The least part of `Σ|v|` that is divided by.
const LEAST_SUM: f64 = 1e-6;

/// `w ∝ G⁻¹·√diag G`, of sum 1.
#[derive(Clone, Copy, Debug)]
pub struct ImtlG;

impl Scheme for ImtlG {
    fn name(&self) -> &'static str {
        "imtl-g"
    }

    fn summary(&self) -> &'static str {
        "a direction along which every gradient has the same projection"
    }

    fn source(&self) -> &'static str {
        "Liu et al. 2021, Towards Impartial Multi-task Learning (ICLR)"
    }

    fn kind(&self) -> Kind {
        Kind::Gradients
    }

    fn settings(&self) -> &'static [Setting] {
        &[REPRESENTATION]
    }

    fn combine(&self, _: &[f64], at: &mut AtStep<'_>) -> Vec<f64> {
        let gram = Correlation::of(at.gram, at.tasks(), RIDGE);
        let y = solved(gram.cosines.clone(), &vec![1.0; gram.tasks], 0.5 * RIDGE);
        let v = gram.unscaled(&y);
        let sizes: f64 = v.iter().map(|v| v.abs()).sum();
        let sum = v.iter().sum::<f64>().abs().max(LEAST_SUM * sizes);
        v.iter().map(|v| v / sum).collect()
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../../shaders/weighting/imtl_g.wgsl")
    }
}
