//! Adam and AdamW with parameter groups: the network's parameters in one, the weighting's σ in another; and
//! [schedules](Schedule) of their learning rates, and clipping of gradients. [`AdamPass`] applies it by itself, to your own buffers.
//!
//! Kingma & Ba, *Adam* (2015), algorithm 1; Loshchilov & Hutter, *Decoupled Weight Decay
//! Regularization* (2019), algorithm 2; step for step as PyTorch's `torch.optim.Adam` and `AdamW`.
//! The kernels' twin of [`Group::update`] is `shaders/shared/adam.wgsl`.

mod buffers;
mod clip;
mod pass;
mod schedule;

pub use self::buffers::AdamBuffers;
pub use self::clip::clip_factor;
pub(crate) use self::clip::{check_clip, check_clip_single};
pub use self::pass::{AdamPass, AdamProgress, AdamStop};
pub use self::schedule::{Decay, Schedule};
use crate::error::{Error, Result};
use bytemuck::{Pod, Zeroable};

/// The hyper-parameters of one group of parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Group {
    /// Step size, PyTorch's `lr`; a [`Schedule`] scales it.
    pub learning_rate: f64,
    /// Decay rates of the first and second moment.
    pub betas: (f64, f64),
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Weight decay: an L2 gradient in Adam, decoupled in AdamW.
    pub weight_decay: f64,
    /// Whether the weight decay is decoupled (AdamW).
    pub decoupled: bool,
}

impl Group {
    /// PyTorch's defaults for Adam at this learning rate.
    pub fn new(learning_rate: f64) -> Self {
        Self {
            learning_rate,
            betas: (0.9, 0.999),
            epsilon: 1e-8,
            weight_decay: 0.0,
            decoupled: false,
        }
    }

    /// The group with its learning rate times `factor`.
    pub(crate) fn scaled(&self, factor: f64) -> Self {
        Self { learning_rate: self.learning_rate * factor, ..*self }
    }

    /// One update of one parameter with its moments `[m, v]`; `corrections` are `1 − β₁ᵗ` and `1 − β₂ᵗ`.
    pub fn update(
        &self,
        parameter: f64,
        gradient: f64,
        moments: &mut [f64; 2],
        corrections: [f64; 2],
    ) -> f64 {
        let (beta1, beta2) = self.betas;
        let (parameter, gradient) = if self.decoupled {
            (parameter * (1.0 - self.learning_rate * self.weight_decay), gradient)
        } else {
            (parameter, gradient + self.weight_decay * parameter)
        };
        moments[0] = beta1 * moments[0] + (1.0 - beta1) * gradient;
        moments[1] = beta2 * moments[1] + (1.0 - beta2) * gradient * gradient;
        let denominator = (moments[1] / corrections[1]).sqrt() + self.epsilon;
        parameter - self.learning_rate / corrections[0] * moments[0] / denominator
    }

    /// Checks that the hyper-parameters keep their meaning in `f32`.
    fn check_single(&self, whose: &str) -> Result<()> {
        let (beta1, beta2) = self.betas;
        let conditions = [
            ("the learning rate", self.learning_rate, (self.learning_rate as f32).is_finite()),
            ("the weight decay", self.weight_decay, (self.weight_decay as f32).is_finite()),
            ("a beta", beta1, (beta1 as f32) < 1.0),
            ("a beta", beta2, (beta2 as f32) < 1.0),
            ("epsilon", self.epsilon, self.epsilon as f32 >= f32::MIN_POSITIVE),
        ];
        match conditions.iter().find(|(_, _, holds)| !holds) {
            Some((what, value, _)) => Err(Error::invalid(
                format!("{whose}: {what} is {value}, which f32 cannot hold"),
                "use a less extreme value, or the reference engine, which computes in f64",
            )),
            None => Ok(()),
        }
    }

    fn check(&self, whose: &str) -> Result<()> {
        let bad = |what: &str, value: f64, remedy: &str| {
            Err(Error::invalid(format!("{whose}: {what} is {value}"), remedy))
        };
        let (beta1, beta2) = self.betas;
        if !self.learning_rate.is_finite() || self.learning_rate < 0.0 {
            return bad("the learning rate", self.learning_rate, "use 0 or more");
        }
        for beta in [beta1, beta2] {
            if !(0.0..1.0).contains(&beta) {
                return bad("a beta", beta, "use a number in [0, 1)");
            }
        }
        if !self.epsilon.is_finite() || self.epsilon <= 0.0 {
            return bad("epsilon", self.epsilon, "use a small positive number");
        }
        if !self.weight_decay.is_finite() || self.weight_decay < 0.0 {
            return bad("the weight decay", self.weight_decay, "use 0 or more");
        }
        Ok(())
    }
}

/// `Group` in `adam.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(crate) struct GroupInfo {
    beta1: f32,
    beta2: f32,
    rest1: f32,
    rest2: f32,
    epsilon: f32,
    weight_decay: f32,
    decoupled: u32,
}

impl From<&Group> for GroupInfo {
    fn from(group: &Group) -> Self {
        let (beta1, beta2) = group.betas;
        Self {
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            rest1: (1.0 - beta1) as f32,
            rest2: (1.0 - beta2) as f32,
            epsilon: group.epsilon as f32,
            weight_decay: group.weight_decay as f32,
            decoupled: u32::from(group.decoupled),
        }
    }
}

/// Adam (or AdamW) over the network and, as a group of its own, the weighting.
///
/// ```
/// // torch: Adam([{'params': model.parameters()}, {'params': awl.parameters(), 'weight_decay': 0}],
/// //             lr=1e-3, weight_decay=0.01)
/// let adam = awl::Adam::new(1e-3).weight_decay(0.01);
/// assert_eq!(adam.sigma.weight_decay, 0.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// The network's parameters.
    pub network: Group,
    /// The weighting's parameters (σ); without weight decay unless you set one.
    pub sigma: Group,
}

impl Adam {
    /// Adam with PyTorch's defaults, the same learning rate in both groups.
    pub fn new(learning_rate: f64) -> Self {
        Self { network: Group::new(learning_rate), sigma: Group::new(learning_rate) }
    }

    /// Weight decay for the network; σ keeps none.
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.network.weight_decay = weight_decay;
        self
    }

    /// Decouples the weight decay: AdamW.
    pub fn decoupled(mut self) -> Self {
        self.network.decoupled = true;
        self.sigma.decoupled = true;
        self
    }

    /// A learning rate of its own for σ. Adam moves σ by about this much a step, whatever the loss.
    pub fn sigma_learning_rate(mut self, learning_rate: f64) -> Self {
        self.sigma.learning_rate = learning_rate;
        self
    }

    /// Checks every hyper-parameter.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the group and the value.
    pub(crate) fn check(&self) -> Result<()> {
        self.network.check("the network's optimizer group")?;
        self.sigma.check("σ's optimizer group")
    }

    /// Checks that every hyper-parameter keeps its meaning in `f32`, for engines that compute in it.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the group and the value.
    pub(crate) fn check_single(&self) -> Result<()> {
        self.network.check_single("the network's optimizer group")?;
        self.sigma.check_single("σ's optimizer group")
    }
}
