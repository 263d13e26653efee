//! DB-MTL: gradients of `ln L`, brought to the length of the longest. Lin et al., *Dual-Balancing for Multi-Task Learning* (2023).
//! Twin: `shaders/weighting/db_mtl.wgsl`.
//!
//! With `ĝᵢ = gᵢ/Lᵢ`, the direction is `Σ maxⱼ‖ĝⱼ‖/‖ĝᵢ‖ · ĝᵢ`, so that the weight of `gᵢ` is `maxⱼ‖ĝⱼ‖/(‖ĝᵢ‖·Lᵢ)`.
//!
//! The authors take for ĝ a moving average of the gradients (β = 0.9), one gradient a task to keep, and the direction from it, too.
//! What G can tell of earlier steps is lengths: `beta` averages `‖ĝᵢ‖²`, one number a task. That is another scheme than
//! theirs for β > 0, and β = 0, the default, is theirs without the average, which Adam takes of the combined gradient anyway.
//!
//! | where | weights |
//! |---|---|
//! | one task | 1/L |
//! | opposed or dependent gradients | as always: it does not look at angles |
//! | a loss of 0 | counts as 1e-8; one below 0 has no logarithm, and is an error |

use super::{AtStep, REPRESENTATION};
use crate::weighting::{Kind, Scheme, Setting};

/// `wᵢ = maxⱼ‖ĝⱼ‖/(‖ĝᵢ‖·Lᵢ)`, `ĝᵢ = gᵢ/Lᵢ`. Memory: the root mean square of `‖ĝ‖`.
#[derive(Clone, Copy, Debug)]
pub struct DbMtl;

impl Scheme for DbMtl {
    fn name(&self) -> &'static str {
        "db-mtl"
    }

    fn summary(&self) -> &'static str {
        "gradients of the losses' logarithms, brought to the length of the longest"
    }

    fn source(&self) -> &'static str {
        "Lin et al. 2023, arXiv:2308.12029"
    }

    fn kind(&self) -> Kind {
        Kind::Gradients
    }

    fn settings(&self) -> &'static [Setting] {
        const BETA: Setting = Setting {
            name: "beta",
            default: 0.0,
            range: [0.0, 0.999],
            summary: "how much of the earlier steps' lengths of gradients is kept; the authors average the gradients themselves",
        };
        &[BETA, REPRESENTATION]
    }

    fn needs_positive_losses(&self) -> bool {
        true
    }

    fn combine(&self, settings: &[f64], at: &mut AtStep<'_>) -> Vec<f64> {
        let losses: Vec<f64> = (0..at.tasks()).map(|k| at.positive_loss(k)).collect();
        for (k, loss) in losses.iter().enumerate() {
            let length = at.norm(k) / loss;
            let [average, ..] = at.memory[k];
            // The first is taken whole.
            let kept = if average == 0.0 { 0.0 } else { settings[0] };
            at.memory[k][0] = (kept * average * average + (1.0 - kept) * length * length).sqrt();
        }
        let most = at.memory.iter().map(|memory| memory[0]).fold(0.0, f64::max);
        losses.iter().zip(&*at.memory).map(|(loss, memory)| most / memory[0] / loss).collect()
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../../shaders/weighting/db_mtl.wgsl")
    }
}
