//! Weights from gradients: the schemes that look at the Gram matrix `G = J·Jᵀ` of the tasks' gradients.
//!
//! With `gᵢ` the gradient of task i's mean loss for the parameters that all tasks share, row i of J, `Gᵢⱼ = gᵢ·gⱼ` is all
//! that these schemes ask of the gradients, however many parameters there are. Each answers with a weight a task, and the
//! step follows `Jᵀw = Σ wᵢ gᵢ`. What one task has alone, its head, is no matter of these weights: LibMTL and TorchJD let
//! it follow its own task's plain gradient.
//!
//! One module a scheme, which says what it does with one task, with opposed gradients, and with some of which none is
//! independent; beside them `pivoting`, `jacobi` and `correlation`, which they solve with. The kernels' twins lie under the
//! same names in `shaders/weighting` and `shaders/gram`. Knows nothing of networks or GPUs.
//!
//! # What holds for all of them ([`weights`])
//!
//! - **A task without a gradient takes no part.** Its weight is 0, and the others' are what they would be without it: its
//!   batch had no label, or it has nothing left to learn. (MGDA's own answer would be to stand still, IMTL-G's and
//!   FairGrad's to divide by 0.) A gradient counts as 0 below a norm of 1e-19, whose square `f32` does not hold.
//! - **Dependent gradients have an answer.** Where a scheme solves with G, a millionth of every `Gᵢᵢ` is added to it
//!   ([`RIDGE`]), as if each gradient had a thousandth of its length in a direction of its own. That is about what `f32`
//!   knows of G. It changes weights by a millionth of G's condition number, and keeps them finite where there is no other.
//! - **Nothing is NaN silently**: a Gram matrix or loss that is not finite, and weights that overflow, are errors.
//! - Weights do not depend on the order of the tasks, but for PCGrad's draw. All but FairGrad's, Nash-MTL's and DB-MTL's
//!   stay as they are when all losses are multiplied by the same number.

mod aligned_mtl;
mod cagrad;
mod correlation;
mod db_mtl;
mod fairgrad;
mod gradnorm;
mod imtl_g;
mod jacobi;
mod mgda;
mod ntk_mtl;
mod pcgrad;
mod pivoting;
#[cfg(test)]
mod tests;
mod upgrad;

pub(crate) use self::aligned_mtl::AlignedMtl;
pub(crate) use self::cagrad::Cagrad;
use self::correlation::Correlation;
pub(crate) use self::db_mtl::DbMtl;
pub(crate) use self::fairgrad::{Fairgrad, NashMtl};
pub(crate) use self::gradnorm::GradNorm;
pub(crate) use self::imtl_g::ImtlG;
pub(crate) use self::mgda::Mgda;
pub(crate) use self::ntk_mtl::NtkMtl;
pub(crate) use self::pcgrad::Pcgrad;
use self::pivoting::Path;
pub(crate) use self::upgrad::Upgrad;
use crate::error::{Error, Result};
use crate::weighting::{Scheme, Setting};

/// The most tasks that these schemes take: what one lane of a GPU solves for.
pub const MOST_TASKS: usize = 16;

/// The part of every task's own square `Gᵢᵢ` that is added to it where a scheme solves with G.
pub const RIDGE: f64 = 1e-6;

/// The least loss of a scheme whose losses must not be 0.
pub const LEAST_LOSS: f64 = 1e-8;

/// The setting that all these schemes have, after their own: which gradients G is of.
pub const REPRESENTATION: Setting = Setting {
    name: "representation",
    summary: "1 takes gradients at the last shared layer's outputs, 0 those of all shared parameters",
    default: 0.0,
    range: [0.0, 1.0],
};

/// Whether G is that of the gradients at the representation with these settings.
pub(crate) fn at_representation(scheme: &dyn Scheme, settings: &[f64]) -> bool {
    let named = scheme.settings().iter().zip(settings);
    named.into_iter().any(|(setting, &value)| *setting == REPRESENTATION && value != 0.0)
}

/// What a scheme sees of a step, and may remember to the next.
#[derive(Debug)]
pub struct AtStep<'a> {
    /// The Gram matrix of the tasks' gradients, K×K, row by row.
    pub gram: &'a [f64],
    /// The mean losses, K.
    pub losses: &'a [f64],
    /// Four numbers a task, all 0 before the first step.
    pub memory: &'a mut [[f64; 4]],
    /// The step, counted from 1.
    pub step: u64,
    /// The key of this step's random draws.
    pub key: [u32; 2],
}

impl AtStep<'_> {
    /// The number of tasks, K.
    pub fn tasks(&self) -> usize {
        self.losses.len()
    }

    /// `gᵢ·gⱼ`.
    pub fn gram(&self, i: usize, j: usize) -> f64 {
        self.gram[i * self.tasks() + j]
    }

    /// The loss of task k, at least [`LEAST_LOSS`].
    pub fn positive_loss(&self, k: usize) -> f64 {
        self.losses[k].max(LEAST_LOSS)
    }

    /// `‖gᵢ‖`.
    pub fn norm(&self, i: usize) -> f64 {
        self.gram(i, i).sqrt()
    }
}

/// All of them, in the order of [the list](crate::weighting::SCHEMES).
pub fn schemes() -> Vec<&'static dyn Scheme> {
    let all = crate::weighting::SCHEMES.iter().copied();
    all.filter(|scheme| scheme.kind() == crate::weighting::Kind::Gradients).collect()
}

/// Whether a task with this square `‖g‖²` takes part.
fn has_gradient(square: f64) -> bool {
    square >= f64::from(f32::MIN_POSITIVE)
}

/// A scheme's weights, one a task: 0 for tasks without a gradient, whose memory stays as it is, too.
///
/// # Errors
/// [`Error::Invalid`] for another number of tasks than 1 to [`MOST_TASKS`], for a Gram matrix or loss that is not finite,
/// for a loss below 0 where that has no meaning, and where a weight is beyond what is finite. The memory may have
/// changed in the last case only.
pub fn weights(scheme: &dyn Scheme, settings: &[f64], at: &mut AtStep<'_>) -> Result<Vec<f64>> {
    let tasks = at.tasks();
    check(scheme, at)?;
    let present: Vec<usize> = (0..tasks).filter(|&k| has_gradient(at.gram(k, k))).collect();
    let of_pair = |&i: &usize| present.iter().map(move |&j| (i, j));
    let gram: Vec<f64> = present.iter().flat_map(of_pair).map(|(i, j)| at.gram(i, j)).collect();
    let losses: Vec<f64> = present.iter().map(|&k| at.losses[k]).collect();
    let mut memory: Vec<[f64; 4]> = present.iter().map(|&k| at.memory[k]).collect();
    let mut among = AtStep { gram: &gram, losses: &losses, memory: &mut memory, ..*at };
    let found = match present.is_empty() {
        true => Vec::new(),
        false => scheme.combine(settings, &mut among),
    };
    let mut weights = vec![0.0; tasks];
    for ((&k, weight), memory) in present.iter().zip(found).zip(memory) {
        if !weight.is_finite() {
            return Err(Error::invalid(
                format!("{}: the weight of task {k} became {weight}", scheme.name()),
                "bring the losses to scales that are nearer to each other, or use another weighting",
            ));
        }
        weights[k] = weight;
        at.memory[k] = memory;
    }
    Ok(weights)
}

fn check(scheme: &dyn Scheme, at: &AtStep<'_>) -> Result<()> {
    let tasks = at.tasks();
    let name = scheme.name();
    if !(1..=MOST_TASKS).contains(&tasks) {
        return Err(Error::invalid(
            format!("{name} takes 1 to {MOST_TASKS} tasks, not {tasks}"),
            "use a weighting that needs no gradients, such as awl",
        ));
    }
    let lengths =
        [("the Gram matrix", at.gram.len(), tasks * tasks), ("the memory", at.memory.len(), tasks)];
    for (what, found, expected) in lengths {
        if found != expected {
            let why = format!("of {tasks} tasks");
            return Err(Error::Mismatch {
                what: what.into(),
                unit: "entries",
                found,
                expected,
                why,
            });
        }
    }
    for k in 0..tasks {
        let row = &at.gram[k * tasks..][..tasks];
        if let Some(value) = row.iter().chain([&at.losses[k]]).find(|value| !value.is_finite()) {
            return Err(Error::invalid(
                format!("{name}: the loss of task {k}, or a product of its gradient, is {value}"),
                "lower the learning rate, or look for extreme values in its targets",
            ));
        }
        if scheme.needs_positive_losses() && has_gradient(at.gram(k, k)) && at.losses[k] < 0.0 {
            return Err(Error::invalid(
                format!(
                    "{name} needs losses of 0 or more, and that of task {k} is {}",
                    at.losses[k]
                ),
                "use a weighting that takes any loss, such as upgrad",
            ));
        }
    }
    Ok(())
}
