//! Random weights, anew in every step: `w = softmax(z)`, z from the normal distribution (Lin et al., [*Reasonable Effectiveness of
//! Random Weighting*](https://arxiv.org/abs/2111.10603), 2022). What learns weights should beat it.

use super::draws::normal;
use super::scheme::{Kind, Moment, Scheme, TaskStep};
use super::softmax::softmax;

/// Random weights.
#[derive(Debug)]
pub struct Rlw;

impl Scheme for Rlw {
    fn name(&self) -> &'static str {
        "rlw"
    }

    fn summary(&self) -> &'static str {
        "random weights, anew in every step"
    }

    fn source(&self) -> &'static str {
        "Lin et al. 2022, arXiv:2111.10603"
    }

    fn kind(&self) -> Kind {
        Kind::Parameter
    }

    fn after(&self, moment: &Moment<'_>, tasks: &mut [TaskStep]) {
        let weights = softmax((0..tasks.len()).map(|k| normal(moment.key, k)));
        tasks.iter_mut().zip(weights).for_each(|(task, weight)| task.weight = weight);
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/weighting/rlw.wgsl")
    }
}
