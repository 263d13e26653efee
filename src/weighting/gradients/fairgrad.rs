//! FairGrad: α-fair shares of a step among the tasks. Ban & Ji, *Fair Resource Allocation in Multi-Task Learning* (2024), eq. 8.
//! Nash-MTL is its α = 1: Navon et al., *Multi-Task Learning as a Bargaining Game* (2022), eq. 3. Twins:
//! `shaders/weighting/fairgrad.wgsl`, `nash_mtl.wgsl`, `shaders/gram/fair.wgsl`.
//!
//! `Gw = w^(−1/α)`, w > 0: the progress of each task, `gᵢ·Jᵀw`, is what its weight says it is worth. α is 2 in the authors'
//! scripts and 1 in LibMTL; the larger, the more it is the slowest task that counts.
//!
//! With G's trace t, the gradients' lengths d for a trace of 1 and their cosines C, and `w = t^(−α/(1+α))·y/d`, it is
//! `Cy = d^(1/α−1)·y^(−1/α)`: the minimum of a convex function, to which Newton's method goes from anywhere, damped so that no
//! step ends above where it began. At α = 1 the lengths drop out.
//!
//! Nash-MTL's weights are scaled to a combined gradient of length 1, as its authors' clipping (`max_norm` 1) has it: `wᵀGw` is K
//! before that. They are found in every step (`update_weights_every` 1).
//!
//! | where | FairGrad | Nash-MTL |
//! |---|---|---|
//! | one task | ‖g‖^(−2α/(1+α)) | 1/‖g‖ |
//! | opposed gradients | large, for C has its millionth: they cancel; without it there would be none | the same |
//! | losses multiplied by c | weights by c^(−2α/(1+α)) | by 1/c: the step stays |

use super::correlation::solved;
use super::{AtStep, Correlation, REPRESENTATION, RIDGE};
use crate::weighting::{Kind, Scheme, Setting};

/// Rounds of Newton's method. Of 56,000 random problems, however opposed and at α from 0.25 to 16, half were solved to 1e-8
/// in 7, and all but 30 in 60.
const MOST_ROUNDS: usize = 60;

/// `Gw = w^(−1/α)`.
#[derive(Clone, Copy, Debug)]
pub struct Fairgrad;

/// `Gw = 1/w`, scaled to a combined gradient of length 1.
#[derive(Clone, Copy, Debug)]
pub struct NashMtl;

impl Scheme for Fairgrad {
    fn name(&self) -> &'static str {
        "fairgrad"
    }

    fn summary(&self) -> &'static str {
        "α-fair shares of a step among the tasks"
    }

    fn source(&self) -> &'static str {
        "Ban & Ji 2024, arXiv:2402.15638"
    }

    fn kind(&self) -> Kind {
        Kind::Gradients
    }

    fn settings(&self) -> &'static [Setting] {
        const ALPHA: Setting = Setting {
            name: "alpha",
            default: 2.0,
            range: [0.25, 16.0],
            summary: "fairness: the larger, the more the slowest task counts; 1 is proportional fairness, LibMTL's default",
        };
        &[ALPHA, REPRESENTATION]
    }

    fn combine(&self, settings: &[f64], at: &mut AtStep<'_>) -> Vec<f64> {
        fair(at, settings[0])
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../../shaders/weighting/fairgrad.wgsl")
    }
}

impl Scheme for NashMtl {
    fn name(&self) -> &'static str {
        "nash-mtl"
    }

    fn summary(&self) -> &'static str {
        "the Nash bargain of the tasks: FairGrad with α = 1, of length 1"
    }

    fn source(&self) -> &'static str {
        "Navon et al. 2022, arXiv:2202.01017"
    }

    fn kind(&self) -> Kind {
        Kind::Gradients
    }

    fn settings(&self) -> &'static [Setting] {
        &[REPRESENTATION]
    }

    fn combine(&self, _: &[f64], at: &mut AtStep<'_>) -> Vec<f64> {
        let root = (at.tasks() as f64).sqrt();
        fair(at, 1.0).iter().map(|weight| weight / root).collect()
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../../shaders/weighting/nash_mtl.wgsl")
    }
}

/// The solution of `Gw = w^(−1/α)`.
///
/// In y, `½yᵀCy − Σ cᵢφ(yᵢ)` with `φ′ = y^(−1/α)` is convex, and its Hessian, `C + diag(c/α·y^(−1/α−1))`, changes with the
/// relative change of y alone: by `(1 − θ)^(−κ)` at most, κ = 1 + 1/α, where no yᵢ falls by more than its θ-th part. So a step
/// of `1/(1 + κθ)` of Newton's, with its own θ, descends all along, and near the end it is all of Newton's.
fn fair(at: &AtStep<'_>, alpha: f64) -> Vec<f64> {
    let tasks = at.tasks();
    let gram = Correlation::of(at.gram, tasks, RIDGE);
    let kappa = 1.0 + 1.0 / alpha;
    let worth: Vec<f64> = gram.lengths.iter().map(|d| d.powf(1.0 / alpha - 1.0)).collect();
    // The solution for gradients at right angles.
    let mut y: Vec<f64> = worth.iter().map(|worth| worth.powf(1.0 / kappa)).collect();
    for _ in 0..MOST_ROUNDS {
        let demands: Vec<f64> =
            y.iter().zip(&worth).map(|(y, c)| c * y.powf(-1.0 / alpha)).collect();
        let lacking: Vec<f64> =
            demands.iter().zip(gram.times(&y)).map(|(d, has)| d - has).collect();
        // The Hessian times y on both sides, in which the unknown is the relative step, has the better scale.
        let entry = |at: usize| {
            let (i, j) = (at / tasks, at % tasks);
            let own = if i == j { y[i] * demands[i] / alpha } else { 0.0 };
            y[i] * gram.cosines[at] * y[j] + own
        };
        let hessian: Vec<f64> = (0..tasks * tasks).map(entry).collect();
        let scaled: Vec<f64> = lacking.iter().zip(&y).map(|(lacking, y)| lacking * y).collect();
        let step = solved(hessian, &scaled, f64::MIN_POSITIVE);
        let falls = step.iter().map(|step| -step).fold(0.0, f64::max);
        let damped = 1.0 / (1.0 + kappa * falls);
        y.iter_mut().zip(&step).for_each(|(y, step)| *y *= 1.0 + damped * step);
        if step.iter().all(|step| step.abs() < 1e-12) {
            break;
        }
    }
    let scale = gram.trace.powf(-alpha / (1.0 + alpha));
    gram.unscaled(&y).iter().map(|w| scale * w).collect()
}
