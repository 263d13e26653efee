//! Dropout: which units a training step drops.
//!
//! A hash of the seed, the step, the row and the unit, so that nothing need be kept or drawn in turn: every engine finds
//! the same masks, forward and backward, in a run that goes on as in one that never stopped. The kernels' twin is
//! `shaders/shared/dropout.wgsl`, which must agree bit for bit.
//!
//! With `k₀`, `k₁` the step's key, a unit is dropped where the last word of `pcg4d(row, unit, k₀, k₁)` is below ⌊p·2³²⌋.

use crate::data::{pcg4d, step_key};

/// The masks of one training step, of all hidden layers.
///
/// Inverted dropout (Srivastava et al., [*Dropout*](https://jmlr.org/papers/v15/srivastava14a.html), 2014, in PyTorch's
/// form): with probability p a unit's activation in a row is multiplied by 0, else by 1/(1 − p), and so is the gradient
/// on its way back.
///
/// ```
/// let dropout = awl::network::Dropout::new(0.5, 0, 1);
/// let factors: Vec<f64> = (0..8).map(|unit| dropout.factor(0, unit)).collect();
/// assert!(factors.iter().all(|&factor| factor == 0.0 || factor == 2.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    drops_below: u32,
    kept: f64,
    key: [u32; 2],
}

impl Dropout {
    /// The masks at a probability in [0, 1) of step `step`, counted from 1, of a run with this seed.
    pub fn new(probability: f64, seed: u64, step: u64) -> Self {
        Self {
            drops_below: (probability * 2.0_f64.powi(32)) as u32,
            kept: 1.0 / (1.0 - probability),
            key: step_key(seed, step),
        }
    }

    /// What a unit's activation is multiplied by: 0, or 1/(1 − p). `row` is the row's position in the batch; `unit` is
    /// the place of the unit's bias among the [parameters](crate::network::Layer::bias), which tells the units of all
    /// layers apart.
    pub fn factor(&self, row: u32, unit: u32) -> f64 {
        let [.., hash] = pcg4d([row, unit, self.key[0], self.key[1]]);
        if hash < self.drops_below { 0.0 } else { self.kept }
    }

    /// The constants by which the kernels know the probability.
    pub(crate) fn constants(&self) -> [(&'static str, f64); 2] {
        [("DROPS_BELOW", f64::from(self.drops_below)), ("KEPT", self.kept)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 40 steps' masks of 64 rows of 100 units, 1 where a unit is dropped.
    fn dropped(probability: f64) -> Vec<Vec<f64>> {
        let mask = |step| {
            let dropout = Dropout::new(probability, 3, step);
            let factors =
                (0..64).flat_map(|row| (70..170).map(move |unit| dropout.factor(row, unit)));
            factors.map(|factor| f64::from(u8::from(factor == 0.0))).collect()
        };
        (1..=40).map(mask).collect()
    }

    #[test]
    fn units_are_dropped_as_often_as_asked_for_and_independently() {
        for p in [0.05, 0.3, 0.5, 0.9] {
            let steps = dropped(p);
            // Four standard errors of a mean of independent draws, and of a mean of products of two.
            let check = |what: &str, found: f64, expected: f64, draws: usize| {
                let error = 4.0 * (expected * (1.0 - expected) / draws as f64).sqrt();
                let found_in = (found - expected).abs() < error;
                assert!(found_in, "p = {p}, {what}: {found}, expected {expected} ± {error}");
            };
            let all: Vec<f64> = steps.concat();
            check("all", all.iter().sum::<f64>() / all.len() as f64, p, all.len());
            // Neighbouring units, rows and steps.
            for (what, distance) in [("units", 1), ("rows", 100), ("steps", 6_400)] {
                let pairs = all.iter().zip(&all[distance..]);
                let both = pairs.map(|(a, b)| (a - p) * (b - p)).sum::<f64>();
                let count = (all.len() - distance) as f64;
                let error = 4.0 * p * (1.0 - p) / count.sqrt();
                let mean = both / count;
                assert!(mean.abs() < error, "p = {p}, neighbouring {what}: covariance {mean}");
            }
        }
    }

    #[test]
    fn a_probability_of_0_drops_nothing_and_scales_nothing() {
        let dropout = Dropout::new(0.0, 1, 1);
        assert!((0..10_000).all(|i| dropout.factor(i % 100, i / 100) == 1.0));
    }

    #[test]
    fn seeds_and_steps_choose_other_masks() {
        let mask = |seed, step| -> Vec<f64> {
            let dropout = Dropout::new(0.5, seed, step);
            (0..64).map(|unit| dropout.factor(5, unit)).collect()
        };
        assert_eq!(mask(0, 1), mask(0, 1));
        assert_ne!(mask(0, 1), mask(0, 2));
        assert_ne!(mask(0, 1), mask(1, 1));
    }
}
