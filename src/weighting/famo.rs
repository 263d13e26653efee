//! Fast adaptive multitask optimization: weights such that all losses fall at the same rate, from two looks at each batch (Liu et al.,
//! [*FAMO: Fast Adaptive Multitask Optimization*](https://arxiv.org/abs/2306.03792), 2023, algorithm 1).
//!
//! With `z = softmax(ξ)`, what is minimised is `c·Σ zᵢ ln Lᵢ`, `c = 1/Σ zᵢ/Lᵢ` held constant. After the step ξ follows, by an Adam of its
//! own, the gradient `Jᵀ(ln L before − ln L after)`, J the softmax's. All losses have a lower bound of 0 here.

use super::scheme::{Kind, Moment, Scheme, Setting, TaskStep};
use super::softmax::softmax;

static SETTINGS: [Setting; 2] = [
    Setting { name: "rate", summary: "ξ's learning rate", default: 0.025, range: [0.0, 1e3] },
    Setting {
        name: "decay",
        summary: "ξ's weight decay, γ, as an L2 gradient",
        default: 1e-3,
        range: [0.0, 1e3],
    },
];

/// Adam's, as PyTorch has them.
const BETAS: [f64; 2] = [0.9, 0.999];
const EPSILON: f64 = 1e-8;

/// The softmax of ξ, over all tasks.
fn shares(tasks: &[TaskStep]) -> Vec<f64> {
    softmax(tasks.iter().map(|task| task.memory[0]))
}

/// FAMO. Memory: ξ, its two moments, and the number of its updates.
#[derive(Debug)]
pub struct Famo;

impl Scheme for Famo {
    fn name(&self) -> &'static str {
        "famo"
    }

    fn summary(&self) -> &'static str {
        "weights such that all losses fall alike, from each batch before and after the step"
    }

    fn source(&self) -> &'static str {
        "Liu et al. 2023, arXiv:2306.03792"
    }

    fn kind(&self) -> Kind {
        Kind::Losses
    }

    fn settings(&self) -> &'static [Setting] {
        &SETTINGS
    }

    fn needs_positive_losses(&self) -> bool {
        true
    }

    fn weigh(&self, _moment: &Moment<'_>, tasks: &[TaskStep]) -> Option<Vec<f64>> {
        let part =
            |(task, share): (&TaskStep, f64)| task.positive_loss().map_or(0.0, |loss| share / loss);
        let parts: Vec<f64> = tasks.iter().zip(shares(tasks)).map(part).collect();
        let sum: f64 = parts.iter().sum();
        Some(parts.into_iter().map(|part| if sum > 0.0 { part / sum } else { 0.0 }).collect())
    }

    fn follows(&self) -> bool {
        true
    }

    fn follow(&self, moment: &Moment<'_>, tasks: &mut [TaskStep], then: &[Option<f64>]) {
        let [rate, decay] = [moment.settings[0], moment.settings[1]];
        let shares = shares(tasks);
        let falls: Vec<f64> = tasks
            .iter()
            .zip(then)
            .map(|(task, then)| {
                let now = TaskStep { loss: *then, ..*task };
                let fall = task.positive_loss().zip(now.positive_loss());
                fall.map_or(0.0, |(before, now)| (before / now).ln())
            })
            .collect();
        let mean: f64 = shares.iter().zip(&falls).map(|(share, fall)| share * fall).sum();
        for ((task, share), fall) in tasks.iter_mut().zip(shares).zip(falls) {
            let [xi, first, second, updates] = &mut task.memory;
            let gradient = share * (fall - mean) + decay * *xi;
            *updates += 1.0;
            *first = BETAS[0] * *first + (1.0 - BETAS[0]) * gradient;
            *second = BETAS[1] * *second + (1.0 - BETAS[1]) * gradient * gradient;
            let corrections = BETAS.map(|beta| 1.0 - beta.powf(*updates));
            let root = (*second / corrections[1]).sqrt();
            *xi -= rate * (*first / corrections[0]) / (root + EPSILON);
        }
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/weighting/famo.wgsl")
    }
}
