//! What a comparison says of itself: its tasks, its rows, and how it was made.

use super::{Study, rules};
use crate::cli::failure::Failure;
use awl::compare::{DataFacts, Protocol, TaskFacts};

impl Study<'_> {
    /// What is said of tasks that have no part in any choice.
    pub fn without_reference(&self) -> Vec<String> {
        let pairs = self.network.tasks().iter().zip(&self.constants);
        let without = pairs.filter(|(_, constant)| constant.is_none());
        without.map(|(task, _)| format!(
            "task \"{}\" has no validation loss of a constant answer to be measured by: rates, settings and epochs are chosen by the others",
            task.name
        )).collect()
    }

    pub fn tasks(&self) -> Vec<TaskFacts> {
        let losses = self.constants.iter().zip(&self.constants_test);
        let tasks = self.network.tasks().iter().zip(losses);
        tasks
            .map(|(task, (&constant, &constant_test))| TaskFacts {
                name: task.name.clone(),
                loss: task.loss.name().into(),
                figure: if task.loss.is_of_classes() { "accuracy" } else { "r2" }.into(),
                constant,
                constant_test,
            })
            .collect()
    }

    pub fn facts(&self) -> DataFacts {
        let [training, validation, test] = self.data.sizes();
        DataFacts {
            file: self.config.data.path.as_ref().map(|path| path.display().to_string()),
            fingerprint: self.plan.fingerprint.clone(),
            training,
            validation,
            test,
            inputs: self.network.features(),
        }
    }

    pub fn protocol(&self) -> Result<Protocol, Failure> {
        let train = &self.config.train;
        Ok(Protocol {
            seeds: self.plan.seeds.clone(),
            tuning_seed: self.seed(),
            split_seed: self.config.data.seed_of_the_split(train),
            learning_rates: self.plan.rates.clone(),
            budget: self.plan.budget,
            epochs: train.epochs,
            patience: train.patience,
            batch_size: train.batch_size,
            parameters: self.network.parameter_count(),
            engine: serde_json::to_value(train.engine)
                .ok()
                .and_then(|it| Some(it.as_str()?.to_string()))
                .unwrap_or_default(),
            adapter: self.device.name(),
            rules: rules::all(),
            config: self.config.to_json()?,
        })
    }
}
