//! How the tasks stand weighed: what a run comes to beside its figures.

use crate::weighting::Weighting;
use serde::{Deserialize, Serialize};

/// A σ within this part of its resting place is at rest.
const NEAR: f64 = 0.1;

/// How a task is weighed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weighed {
    /// Its training loss, a mean over the epoch; `None` without a label.
    pub loss: Option<f64>,
    /// Where σ is, without its sign, which means nothing; `None` where none is learned.
    pub sigma: Option<f64>,
    /// [The variance of the noise](Weighting::noise_variance) that its parameter stands for, if its loss is `mse`.
    #[serde(default)]
    pub noise: Option<f64>,
    /// Its weight.
    pub weight: f64,
    /// Its part of the weighted losses' sum.
    pub share: Option<f64>,
    /// Where σ would come to rest at this loss, or at its floor; `None` without one of the two.
    pub rests_at: Option<f64>,
}

impl Weighed {
    /// The tasks by the weighting's parameters, as [`State::sigma`](crate::engine::State::sigma) has them, and their losses.
    pub fn all(weighting: &Weighting, parameters: &[f64], losses: &[Option<f64>]) -> Vec<Self> {
        let weighted = parameters.iter().zip(losses);
        let weighted = weighted
            .filter_map(|(&parameter, loss)| loss.map(|loss| weighting.weight(parameter) * loss));
        let sum: f64 = weighted.sum();
        let task = |(task, (&parameter, &loss)): (usize, (&f64, &Option<f64>))| {
            let (sigma, weight) = (weighting.sigma(task, parameter), weighting.weight(parameter));
            let share = loss.filter(|_| sum > 0.0).map(|loss| weight * loss / sum);
            let rests_at = sigma.and(loss).and_then(|loss| weighting.rests_at(task, loss));
            let noise = weighting.noise_variance(task, parameter);
            Self { loss, sigma: sigma.map(f64::abs), noise, weight, share, rests_at }
        };
        parameters.iter().zip(losses).enumerate().map(task).collect()
    }

    /// Whether σ has come to rest; `None` where that cannot be said.
    pub fn is_at_rest(&self) -> Option<bool> {
        let (sigma, rest) = (self.sigma?, self.rests_at?);
        Some((sigma - rest).abs() <= NEAR * rest)
    }

    /// The means over several networks, task by task.
    pub fn means(of_each: &[Vec<Self>]) -> Vec<Self> {
        let tasks = of_each.iter().map(Vec::len).max().unwrap_or(0);
        let task = |task: usize| {
            let of = |value: fn(&Self) -> Option<f64>| {
                let values: Vec<f64> =
                    of_each.iter().filter_map(|it| value(it.get(task)?)).collect();
                let count = values.len() as f64;
                (count > 0.0).then(|| values.iter().sum::<f64>() / count)
            };
            Self {
                loss: of(|it| it.loss),
                sigma: of(|it| it.sigma),
                noise: of(|it| it.noise),
                weight: of(|it| Some(it.weight)).unwrap_or(0.0),
                share: of(|it| it.share),
                rests_at: of(|it| it.rests_at),
            }
        };
        (0..tasks).map(task).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AutomaticWeightedLoss, SigmaForm};

    /// The resting place of L = σ⁴·2/(1+σ²), the root of the gradient: at σ = 1 a loss of 1.
    #[test]
    fn weights_shares_and_resting_places_are_the_formulas() {
        let awl: Weighting = AutomaticWeightedLoss::new(3).into();
        let found = Weighed::all(&awl, &[1.0, -0.5, 2.0], &[Some(1.0), Some(0.1), None]);
        // 0.5/σ²·L: 0.5 and 0.2.
        assert_eq!(found.iter().map(|it| it.weight).collect::<Vec<_>>(), [0.5, 2.0, 0.125]);
        assert_eq!(found[1].sigma, Some(0.5));
        for (it, share) in found.iter().zip([Some(0.5 / 0.7), Some(0.2 / 0.7), None]) {
            assert!(it.share.zip(share).is_none_or(|(a, b)| (a - b).abs() < 1e-12));
            assert_eq!(it.share.is_some(), share.is_some());
        }
        // 2σ⁴/(1+σ²)
        let noise: Vec<f64> = found.iter().filter_map(|it| it.noise).collect();
        assert!(noise.iter().zip([1.0, 0.1, 6.4]).all(|(a, b)| (a - b).abs() < 1e-12), "{noise:?}");
        assert!((found[0].rests_at.unwrap() - 1.0).abs() < 1e-9);
        assert_eq!(found[0].is_at_rest(), Some(true));
        let rest = found[1].rests_at.unwrap();
        assert!((2.0 * rest.powi(4) / (1.0 + rest * rest) - 0.1).abs() < 1e-9, "{rest}");
        assert_eq!(found[2].is_at_rest(), None);

        let given = Weighed::all(&Weighting::equal(1), &[1.0], &[Some(3.0)]);
        assert_eq!(
            (given[0].sigma, given[0].share, given[0].is_at_rest()),
            (None, Some(1.0), None)
        );
        let log = AutomaticWeightedLoss::new(1).with_form(SigmaForm::Log { floor: 0.1 });
        let low = Weighed::all(&log.into(), &[0.01f64.ln()], &[Some(1e-9)]);
        assert!((low[0].rests_at.unwrap() - 0.1).abs() < 1e-7, "{low:?}");
        assert_eq!(low[0].is_at_rest(), Some(true));
    }

    #[test]
    fn means_are_over_what_is_there() {
        let it = |loss, sigma| Weighed {
            loss,
            sigma,
            noise: None,
            weight: 2.0,
            share: None,
            rests_at: None,
        };
        let found = Weighed::means(&[vec![it(Some(1.0), None)], vec![it(None, Some(3.0))]]);
        assert_eq!(found, [it(Some(1.0), Some(3.0))]);
    }
}
