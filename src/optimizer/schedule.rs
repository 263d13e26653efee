//! Learning-rate schedules: by what the learning rates of both groups are multiplied, step by step.
//!
//! A closed form of the step's number, so that a run resumed at any step goes on as if it had never stopped.

use crate::error::{Error, Result};

/// How the learning rates change over a run: a warm-up, then a decay.
///
/// With W steps of warm-up, step n (from 1) is made at the [learning rate](crate::optimizer::Group::learning_rate) times
///
/// | | factor | PyTorch |
/// |---|---|---|
/// | n ≤ W | n/W | `LinearLR(1/W, 1, W − 1)` in a `SequentialLR` |
/// | n > W, with t = n − 1 − W | that of the [decay](Decay) at t | the other scheduler, stepped after every step |
///
/// ```
/// use awl::optimizer::Schedule;
/// let schedule = Schedule::cosine(100).warm_up(10);
/// assert_eq!([1, 5, 10, 11, 61, 111].map(|n| schedule.factor(n)), [0.1, 0.5, 1.0, 1.0, 0.5, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Schedule {
    /// Steps over which the factor rises from 0 to 1 in equal parts; 0 leaves the warm-up out.
    pub warm_up: u64,
    /// What follows the warm-up.
    pub decay: Decay,
}

/// A factor on the learning rates that falls with t, the steps made since the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Decay {
    /// 1.
    #[default]
    Constant,
    /// `(1 + cos(π·t/steps))/2`, and 0 from `t = steps` on: PyTorch's `CosineAnnealingLR` to 0, without its rise
    /// afterwards (Loshchilov & Hutter, [*SGDR*](https://arxiv.org/abs/1608.03983), 2017, eq. 5).
    Cosine {
        /// Steps from 1 to 0.
        steps: u64,
    },
    /// `factor^⌊t/every⌋`: PyTorch's `StepLR`.
    Step {
        /// Steps from one fall to the next.
        every: u64,
        /// What each fall multiplies the rates by, above 0 and at most 1.
        factor: f64,
    },
}

impl Schedule {
    /// The same learning rates throughout.
    pub fn constant() -> Self {
        Self::default()
    }

    /// [`Decay::Cosine`]: to 0 in this many steps, those of the warm-up not counted.
    pub fn cosine(steps: u64) -> Self {
        Self { warm_up: 0, decay: Decay::Cosine { steps } }
    }

    /// [`Decay::Step`]: times `factor` every so many steps.
    pub fn step(every: u64, factor: f64) -> Self {
        Self { warm_up: 0, decay: Decay::Step { every, factor } }
    }

    /// The same schedule after this many steps of warm-up.
    pub fn warm_up(self, steps: u64) -> Self {
        Self { warm_up: steps, ..self }
    }

    /// What both groups' learning rates are multiplied by at a step, counted from 1: a number in [0, 1].
    pub fn factor(&self, step: u64) -> f64 {
        if step <= self.warm_up {
            return step as f64 / self.warm_up.max(1) as f64;
        }
        self.decay.factor(step - 1 - self.warm_up)
    }

    /// Checks the schedule's numbers.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the number.
    pub(crate) fn check(&self) -> Result<()> {
        match self.decay {
            Decay::Cosine { steps: 0 } => Err(Error::invalid(
                "the learning rate's cosine has 0 steps",
                "give it the steps of the run, or leave the schedule out",
            )),
            Decay::Step { every: 0, .. } => Err(Error::invalid(
                "the learning rate falls every 0 steps",
                "let it fall every 1 or more, or leave the schedule out",
            )),
            Decay::Step { factor, .. } if !(factor > 0.0 && factor <= 1.0) => Err(Error::invalid(
                format!("the factor by which the learning rate falls is {factor}"),
                "use a number above 0 and at most 1, such as 0.1",
            )),
            _ => Ok(()),
        }
    }
}

impl Decay {
    /// The factor after `t` steps.
    fn factor(self, t: u64) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Cosine { steps } if t >= steps => 0.0,
            Self::Cosine { steps } => {
                let angle = std::f64::consts::PI * t as f64 / steps as f64;
                0.5 * (1.0 + angle.cos())
            }
            Self::Step { every, factor } => factor.powf((t / every.max(1)) as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What PyTorch 2.15 has in `param_groups[0]["lr"]` before each step of an SGD at learning rate 1, where W is
    /// `SequentialLR(optimizer, [LinearLR(optimizer, 1/W, 1, W - 1), the other], [W])`.
    #[test]
    fn factors_are_those_of_pytorch() {
        for (schedule, expected) in [
            (
                Schedule::cosine(7),
                &[
                    1.0,
                    0.9504844339512095,
                    0.8117449009293668,
                    0.6112604669781572,
                    0.38873953302184283,
                    0.18825509907063326,
                    0.04951556604879048,
                    0.0,
                ][..],
            ),
            (Schedule::step(3, 0.1), &[1.0, 1.0, 1.0, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001]),
            (Schedule::step(2, 0.7), &[1.0, 1.0, 0.7, 0.7, 0.49, 0.49, 0.343]),
            (
                Schedule::cosine(5).warm_up(4),
                &[
                    0.25,
                    0.5,
                    0.75,
                    1.0,
                    1.0,
                    0.9045084971874737,
                    0.6545084971874737,
                    0.3454915028125263,
                    0.09549150281252632,
                    0.0,
                ],
            ),
            (
                Schedule::step(2, 0.5).warm_up(3),
                &[1.0 / 3.0, 2.0 / 3.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25],
            ),
        ] {
            for (step, expected) in (1..).zip(expected) {
                let found = schedule.factor(step);
                let error = (found - expected).abs();
                assert!(error < 1e-15, "{schedule:?}, step {step}: {found}, expected {expected}");
            }
        }
    }

    #[test]
    fn a_cosine_stays_at_its_end_and_a_constant_at_1() {
        let last = u64::from(u32::MAX) - 1;
        for step in [8, 14, 15, 1_000, last] {
            assert_eq!(Schedule::cosine(7).factor(step), 0.0, "step {step}");
            let warmed = Schedule::cosine(7).warm_up(3);
            assert_eq!(warmed.factor(step.saturating_add(3)), 0.0, "step {step} after a warm-up");
        }
        for step in [1, 2, last] {
            assert_eq!(Schedule::constant().factor(step), 1.0, "step {step}");
        }
        assert_eq!(Schedule::constant().warm_up(4).factor(last), 1.0);
    }
}
