//! PCGrad: each gradient loses what it has against each of the others, one after the other in a random order. Yu et al.,
//! *Gradient Surgery for Multi-Task Learning* (2020), Algorithm 1. Twin: `shaders/weighting/pcgrad.wgsl`.
//!
//! For each task i, `ĝ = gᵢ`; for each other j in the order drawn for i: where `ĝ·gⱼ < 0`, `ĝ −= (ĝ·gⱼ/‖gⱼ‖²)·gⱼ`. The
//! direction is the sum of all ĝ. As each ĝ is a combination of gradients, G has all that it takes. With more than two tasks a ĝ may end
//! against one that it was made orthogonal to before.
//!
//! | where | weights |
//! |---|---|
//! | one task | 1 |
//! | no conflict | 1 each |
//! | opposed gradients | those at which each is cancelled |
//! | dependent gradients | as always: nothing is solved |

use super::{AtStep, REPRESENTATION};
use crate::data::permutation::mix;
use crate::weighting::{Kind, Scheme, Setting};

/// Conflicts projected away.
#[derive(Clone, Copy, Debug)]
pub struct Pcgrad;

impl Scheme for Pcgrad {
    fn name(&self) -> &'static str {
        "pcgrad"
    }

    fn summary(&self) -> &'static str {
        "each gradient without what it has against each of the others, in a random order"
    }

    fn source(&self) -> &'static str {
        "Yu et al. 2020, arXiv:2001.06782"
    }

    fn kind(&self) -> Kind {
        Kind::Gradients
    }

    fn settings(&self) -> &'static [Setting] {
        &[REPRESENTATION]
    }

    fn combine(&self, _: &[f64], at: &mut AtStep<'_>) -> Vec<f64> {
        let tasks = at.tasks();
        let mut weights = vec![0.0; tasks];
        for i in 0..tasks {
            let mut own = vec![0.0; tasks];
            own[i] = 1.0;
            for j in order(tasks, i, at.key).into_iter().filter(|&j| j != i) {
                let along: f64 = own.iter().enumerate().map(|(k, own)| own * at.gram(k, j)).sum();
                if along < 0.0 {
                    own[j] -= along / at.gram(j, j);
                }
            }
            weights.iter_mut().zip(own).for_each(|(weight, own)| *weight += own);
        }
        weights
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../../shaders/weighting/pcgrad.wgsl")
    }
}

/// The order of the tasks that is drawn for task i: at each place the task whose rank its hash has among all, as where rows
/// are shuffled (`data::Permutation`), with another key for each i.
fn order(tasks: usize, i: usize, [even, odd]: [u32; 2]) -> Vec<usize> {
    let even = even.wrapping_add((i as u32).wrapping_mul(0x9e37_79b9));
    let hash = |place: usize| mix(mix((place as u32).wrapping_add(even)).wrapping_add(odd));
    let rank = |place| (0..tasks).filter(|&other| hash(other) < hash(place)).count();
    (0..tasks).map(rank).collect()
}

#[cfg(test)]
mod tests {
    use super::order;

    #[test]
    fn every_task_is_met_once_and_every_order_is_drawn() {
        let mut seen = std::collections::HashMap::new();
        for step in 0..6_000 {
            let order = order(3, 1, [step, 7]);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2]);
            *seen.entry(order).or_insert(0) += 1;
        }
        // 1,000 of each, with a standard deviation of 29.
        assert!(seen.len() == 6 && seen.values().all(|n| (850..1_150).contains(n)), "{seen:?}");
        let of_other = |i| (0..50).map(|step| order(4, i, [step, 7])).collect::<Vec<_>>();
        assert_ne!(of_other(0), of_other(1));
    }
}
