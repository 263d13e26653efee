//! GradNorm: weights that are learned so that every task's weighted gradient has the length that suits its pace. Chen et al.,
//! *GradNorm: Gradient Normalization for Adaptive Loss Balancing* (2018), Algorithm 1. Twin: `shaders/weighting/gradnorm.wgsl`.
//!
//! `w = K·softmax(φ)`. With `nᵢ = ‖gᵢ‖`, the tasks' mean `Ḡ` of `wᵢnᵢ`, and the pace `rᵢ = (Lᵢ/Lᵢ(0)) / mean`, φ goes down
//! `Σ |wᵢnᵢ − Ḡ·rᵢ^α|`, `Ḡ·r^α` held constant, whose gradient for wᵢ is `nᵢ·sign(wᵢnᵢ − Ḡ·rᵢ^α)`. It needs no second
//! derivative. φ moves by Adam, at the authors' rate of 0.025; α is their 1.5. The softmax is LibMTL's; the authors divide by the sum.
//!
//! `L(0)` is the loss at the first step at which the task has one (LibMTL: the mean of the first epoch). The weights of a step are those before its
//! own update of φ, and so are 1 at the first.
//!
//! | where | weights |
//! |---|---|
//! | one task | 1 |
//! | opposed or dependent gradients | as always: it does not look at angles |
//! | a loss of 0 | counts as 1e-8; one below 0 has no pace, and is an error |

use super::{AtStep, REPRESENTATION};
use crate::weighting::{Kind, Scheme, Setting};

/// Learned by gradients' lengths. Memory: φ, Adam's two averages, `L(0)`.
#[derive(Clone, Copy, Debug)]
pub struct GradNorm;

/// Adam's, as PyTorch has them.
const BETAS: [f64; 2] = [0.9, 0.999];
const EPSILON: f64 = 1e-8;

/// A weighted length that is nearer to its aim than this part of it is there.
const SLACK: f64 = 1e-6;

impl Scheme for GradNorm {
    fn name(&self) -> &'static str {
        "gradnorm"
    }

    fn summary(&self) -> &'static str {
        "weights learned so that weighted gradients have the lengths that suit the tasks' pace"
    }

    fn source(&self) -> &'static str {
        "Chen et al. 2018, arXiv:1711.02257"
    }

    fn kind(&self) -> Kind {
        Kind::Gradients
    }

    fn settings(&self) -> &'static [Setting] {
        const ALPHA: Setting = Setting {
            name: "alpha",
            default: 1.5,
            range: [0.0, 5.0],
            summary: "how strongly tasks that fall behind are pulled along; 0 brings all weighted gradients to one length",
        };
        const RATE: Setting = Setting {
            name: "rate",
            default: 0.025,
            range: [0.0, 1.0],
            summary: "Adam's learning rate for the weights",
        };
        &[ALPHA, RATE, REPRESENTATION]
    }

    fn needs_positive_losses(&self) -> bool {
        true
    }

    fn combine(&self, settings: &[f64], at: &mut AtStep<'_>) -> Vec<f64> {
        let [alpha, rate] = [settings[0], settings[1]];
        let tasks = at.tasks();
        let weights = softmax(at.memory);
        let losses: Vec<f64> = (0..tasks).map(|k| at.positive_loss(k)).collect();
        for (memory, loss) in at.memory.iter_mut().zip(&losses) {
            if memory[3] == 0.0 {
                memory[3] = *loss;
            }
        }
        let ratios: Vec<f64> = losses.iter().zip(&*at.memory).map(|(l, m)| l / m[3]).collect();
        let mean = |values: &[f64]| values.iter().sum::<f64>() / tasks as f64;
        let mean_ratio = mean(&ratios);
        let lengths: Vec<f64> = (0..tasks).map(|k| at.norm(k)).collect();
        let weighted: Vec<f64> = weights.iter().zip(&lengths).map(|(w, n)| w * n).collect();
        let target = mean(&weighted);
        let slope = |k: usize| {
            let aim = target * (ratios[k] / mean_ratio).powf(alpha);
            let beyond = weighted[k] - aim;
            if beyond.abs() > SLACK * aim { lengths[k] * beyond.signum() } else { 0.0 }
        };
        let slopes: Vec<f64> = (0..tasks).map(slope).collect();
        // Through the softmax: ∂wᵢ/∂φⱼ = wᵢ(δᵢⱼ − wⱼ/K).
        let common = mean(&weights.iter().zip(&slopes).map(|(w, s)| w * s).collect::<Vec<_>>());
        for (k, memory) in at.memory.iter_mut().enumerate() {
            adam(memory, weights[k] * (slopes[k] - common), rate, at.step);
        }
        weights
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../../shaders/weighting/gradnorm.wgsl")
    }
}

/// `K·softmax(φ)`.
fn softmax(memory: &[[f64; 4]]) -> Vec<f64> {
    let most = memory.iter().map(|memory| memory[0]).fold(f64::MIN, f64::max);
    let powers: Vec<f64> = memory.iter().map(|memory| (memory[0] - most).exp()).collect();
    let mean = powers.iter().sum::<f64>() / memory.len() as f64;
    powers.iter().map(|power| power / mean).collect()
}

/// A step of Adam for φ.
fn adam(memory: &mut [f64; 4], gradient: f64, rate: f64, step: u64) {
    let [phi, first, second, _] = memory;
    let step = step.min(1 << 30) as i32;
    *first = BETAS[0] * *first + (1.0 - BETAS[0]) * gradient;
    *second = BETAS[1] * *second + (1.0 - BETAS[1]) * gradient * gradient;
    let [first, second] =
        [*first / (1.0 - BETAS[0].powi(step)), *second / (1.0 - BETAS[1].powi(step))];
    *phi -= rate * first / (second.sqrt() + EPSILON);
}
