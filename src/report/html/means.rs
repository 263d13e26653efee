//! Means over the members of a fleet, whose steps and epochs stand in the log one after the other.

use super::run::{ByTask, Epoch, Losses, Step, TaskStep};
use std::collections::BTreeMap;

/// Values of which there is one a member, by the number of their step or epoch.
pub(super) struct Means<T> {
    by_number: BTreeMap<u64, Vec<T>>,
}

impl<T> Default for Means<T> {
    fn default() -> Self {
        Self { by_number: BTreeMap::new() }
    }
}

/// Something that several of can be put together.
pub(super) trait Mean: Sized {
    /// The mean of one and more of them.
    fn mean(first: Self, others: Vec<Self>) -> Self;
}

impl<T: Mean> Means<T> {
    /// Adds one of this number.
    pub(super) fn add(&mut self, number: u64, value: T) {
        self.by_number.entry(number).or_default().push(value);
    }

    /// One a number, in order.
    pub(super) fn finish(self) -> Vec<T> {
        let together = |mut values: Vec<T>| {
            let others = values.split_off(1);
            values.pop().map(|first| T::mean(first, others))
        };
        self.by_number.into_values().filter_map(together).collect()
    }
}

impl Mean for Step {
    fn mean(first: Self, others: Vec<Self>) -> Self {
        let of = |task: usize, value: fn(&TaskStep) -> Option<f64>| {
            mean([&first].into_iter().chain(&others).map(|step| value(&step.tasks[task])))
        };
        let task = |task| TaskStep {
            loss: of(task, |it| it.loss),
            weight: of(task, |it| it.weight),
            sigma: of(task, |it| it.sigma),
        };
        Self { number: first.number, tasks: (0..first.tasks.len()).map(task).collect() }
    }
}

impl Mean for Epoch {
    fn mean(first: Self, others: Vec<Self>) -> Self {
        if others.is_empty() {
            return first;
        }
        let all = || [&first].into_iter().chain(&others);
        let train = losses(all().map(|epoch| &epoch.train));
        let validation = losses(all().filter_map(|epoch| epoch.validation.as_ref()));
        let rate = mean(all().map(|epoch| epoch.learning_rate));
        Self {
            epoch: first.epoch,
            step: first.step,
            learning_rate: rate,
            train: Losses { losses: train },
            validation: (!validation.is_empty()).then_some(Losses { losses: validation }),
        }
    }
}

fn losses<'a>(all: impl Iterator<Item = &'a Losses> + Clone) -> ByTask<f64> {
    let names = all.clone().next().into_iter().flat_map(|losses| losses.losses.keys());
    let of = |name: &String| mean(all.clone().map(|it| it.losses.get(name).copied().flatten()));
    names.map(|name| (name.clone(), of(name))).collect()
}

/// The mean of those that are there.
fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let values: Vec<f64> = values.flatten().collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(number: u64, loss: Option<f64>, sigma: Option<f64>) -> Step {
        Step { number, tasks: vec![TaskStep { loss, weight: Some(0.5), sigma }] }
    }

    #[test]
    fn steps_of_one_number_are_one_with_the_means_of_what_is_there() {
        let mut means = Means::default();
        for (number, loss, sigma) in [
            (2, Some(1.0), None),
            (1, Some(4.0), Some(1.0)),
            (1, None, Some(2.0)),
            (1, Some(2.0), Some(6.0)),
        ] {
            means.add(number, step(number, loss, sigma));
        }
        let found = means.finish();
        let found: Vec<_> =
            found.iter().map(|it| (it.number, it.tasks[0].loss, it.tasks[0].sigma)).collect();
        assert_eq!(found, [(1, Some(3.0), Some(3.0)), (2, Some(1.0), None)]);
    }
}
