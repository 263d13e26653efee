//! NTK-MTL: tasks that learn slowly by their neural tangent kernel get more. Qin et al., *NTKMTL: Mitigating Task Imbalance in
//! Multi-Task Learning from Neural Tangent Kernel Perspective* (2025). Twin:
//! `shaders/weighting/ntk_mtl.wgsl`.
//!
//! `wᵢ = (tr G/Gᵢᵢ)^p`, p = 0.5: at 0.5 every gradient is brought to the same length, that of all together; at 0 weights are equal.
//! It does not look at angles.
//!
//! | where | weights |
//! |---|---|
//! | one task | 1 |
//! | opposed or dependent gradients | as always |

use super::{AtStep, REPRESENTATION};
use crate::weighting::{Kind, Scheme, Setting};

/// `wᵢ = (tr G/Gᵢᵢ)^p`.
#[derive(Clone, Copy, Debug)]
pub struct NtkMtl;

impl Scheme for NtkMtl {
    fn name(&self) -> &'static str {
        "ntk-mtl"
    }

    fn summary(&self) -> &'static str {
        "more for the tasks whose gradients are short beside those of all together"
    }

    fn source(&self) -> &'static str {
        "Qin et al. 2025, arXiv:2510.18258"
    }

    fn kind(&self) -> Kind {
        Kind::Gradients
    }

    fn settings(&self) -> &'static [Setting] {
        const POWER: Setting = Setting {
            name: "p",
            default: 0.5,
            range: [0.0, 1.0],
            summary: "0 weighs all tasks the same, 0.5 brings all gradients to one length",
        };
        &[POWER, REPRESENTATION]
    }

    fn combine(&self, settings: &[f64], at: &mut AtStep<'_>) -> Vec<f64> {
        let trace: f64 = (0..at.tasks()).map(|k| at.gram(k, k)).sum();
        (0..at.tasks()).map(|k| (trace / at.gram(k, k)).powf(settings[0])).collect()
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../../shaders/weighting/ntk_mtl.wgsl")
    }
}
