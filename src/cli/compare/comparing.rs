//! All runs, those that choose and then those that are tested, and what they come to.

use super::job::RUNS;
use super::{Stopped, Study, cost, rules};
use crate::cli::failure::Failure;
use awl::compare::{Comparison, Times};
use pollster::block_on;
use std::collections::BTreeMap;

impl Study<'_> {
    /// All runs, and what they come to.
    pub fn compare(&mut self) -> Result<Comparison, Stopped> {
        let runs = self.directory.path().join(RUNS);
        std::fs::create_dir_all(&runs).map_err(|error| Failure::writing(&runs, &error))?;
        let tuned = self.tune()?;
        let mut warnings = self.plan.warnings.clone();
        warnings.extend(self.without_reference());
        warnings.extend(rules::at_the_edge(
            &self.plan.rates,
            tuned.iter().flat_map(|it| {
                it.best()
                    .into_iter()
                    .flatten()
                    .map(|(trial, _)| (it.candidate.name(), trial.learning_rate))
            }),
        ));
        let mut entries = self.test(tuned)?;
        let mut milliseconds = BTreeMap::new();
        for (entry, candidate) in entries.iter_mut().zip(&self.candidates) {
            if entry.not_compared.is_none() {
                let cost =
                    block_on(cost::of(self, *candidate, &entry.chosen)).map_err(Stopped::of)?;
                (entry.bytes_a_step, entry.bytes_on_device) =
                    (cost.bytes_a_step, cost.bytes_on_device);
                milliseconds.insert(entry.name.clone(), cost.milliseconds);
            }
        }
        let now = jiff::Timestamp::now().as_second();
        let date = jiff::Timestamp::from_second(now).map(|date| date.to_string());
        let times = Times {
            date: date.unwrap_or_default(),
            seconds: self.seconds(),
            milliseconds_a_step: milliseconds,
        };
        self.save_seconds()?;
        let (protocol, data, tasks) = (self.protocol()?, self.facts(), self.tasks());
        let comparison = Comparison::of(protocol, data, tasks, entries, warnings, times);
        Ok(Comparison { choices: self.plan.choices.clone(), ..comparison })
    }
}
