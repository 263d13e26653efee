//! Weights that stay as they are: `Σ wᵢ·Lᵢ`.
//!
//! Simple, and hard to beat: tuned weights, and often the plain sum, do as well as what is learned (Kurin et al.,
//! [*In Defense of the Unitary Scalarization*](https://arxiv.org/abs/2201.04122), 2022; Xin et al., [*Do Current Multi-Task
//! Optimization Methods in Deep Learning Even Help?*](https://arxiv.org/abs/2209.11379), 2022).

use super::scheme::{Kind, Scheme};

/// The plain sum of the losses: every weight 1.
#[derive(Debug)]
pub struct Equal;

impl Scheme for Equal {
    fn name(&self) -> &'static str {
        "equal"
    }

    fn summary(&self) -> &'static str {
        "the plain sum of the losses"
    }

    fn source(&self) -> &'static str {
        "every paper's baseline"
    }

    fn kind(&self) -> Kind {
        Kind::Parameter
    }
}

/// A weight of each task's own.
#[derive(Debug)]
pub struct Fixed;

impl Scheme for Fixed {
    fn name(&self) -> &'static str {
        "fixed"
    }

    fn summary(&self) -> &'static str {
        "the weights that are given with the tasks"
    }

    fn source(&self) -> &'static str {
        "linear scalarization"
    }

    fn kind(&self) -> Kind {
        Kind::Parameter
    }
}
