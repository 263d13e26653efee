//! A run's configuration: `run.toml`, field for field, with its defaults.

mod data;
mod task;

pub use self::data::{Data, ScaleName};
pub use self::task::{BALANCED, ClassWeights, Task, Threshold};

use awl::train::Baselines;
use awl::{Activation, Network};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Everything that determines a run. Saved in the run's directory as it took effect.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub data: Data,
    pub model: Model,
    pub weighting: Weighting,
    pub optimizer: Optimizer,
    pub train: Train,
    pub task: Vec<Task>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    pub hidden: Vec<usize>,
    pub activation: Activation,
    pub dropout: f64,
}

impl Default for Model {
    fn default() -> Self {
        Self { hidden: vec![64, 64], activation: Activation::Relu, dropout: 0.1 }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Weighting {
    /// One of the library's list.
    pub scheme: String,
    /// The scheme's settings that are not as they are by default.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, f64>,
    /// The learning rate of σ, or of what else the scheme learns; the network's if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sigma_lr: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sigma_init: Option<SigmaInit>,
    /// What is learned of σ.
    pub sigma_form: SigmaForm,
    /// The smallest σ of the form `log`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sigma_floor: Option<f32>,
}

impl Default for Weighting {
    fn default() -> Self {
        Self {
            scheme: AWL.into(),
            settings: BTreeMap::new(),
            sigma_lr: None,
            sigma_init: None,
            sigma_form: SigmaForm::default(),
            sigma_floor: None,
        }
    }
}

/// The scheme that has flags of its own.
pub const AWL: &str = "awl";
/// The scheme whose weights stand with the tasks.
pub const FIXED: &str = "fixed";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum SigmaForm {
    /// σ itself, as the original does.
    #[default]
    Plain,
    /// ln σ², which no step carries past σ = 0: for tasks that may be learned exactly, and large learning rates of σ.
    Log,
}

/// Where σ starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SigmaInit {
    All(f32),
    Each(Vec<f32>),
    /// `closed-form`: where σ would come to rest at the losses before the first step.
    Word(String),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerName {
    /// Adam; weight decay is an L2 gradient.
    Adam,
    /// Adam with decoupled weight decay.
    #[default]
    Adamw,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ScheduleName {
    #[default]
    Constant,
    /// Half a cosine, down to 0 at the last step.
    Cosine,
    /// Times `schedule_factor` every `schedule_every` epochs.
    Step,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Optimizer {
    pub name: OptimizerName,
    pub lr: f64,
    /// 0.1 of `adamw` and 0 of `adam`, whose decay is another thing, if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
    pub betas: [f64; 2],
    pub epsilon: f64,
    /// The largest norm of the network's gradient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<f64>,
    pub schedule: ScheduleName,
    pub schedule_every: usize,
    pub schedule_factor: f64,
    /// Epochs in which the learning rate rises to its value.
    pub warm_up: usize,
}

impl Optimizer {
    /// The weight decay that was given, or that which the optimizer has by default (docs/defaults.md).
    pub fn decay(&self) -> f64 {
        self.weight_decay.unwrap_or(match self.name {
            OptimizerName::Adam => 0.0,
            OptimizerName::Adamw => 0.1,
        })
    }
}

impl Default for Optimizer {
    fn default() -> Self {
        Self {
            name: OptimizerName::default(),
            lr: 1e-3,
            weight_decay: None,
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            clip: None,
            schedule: ScheduleName::Constant,
            schedule_every: 30,
            schedule_factor: 0.1,
            warm_up: 0,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum EngineName {
    /// One pass for losses, weighting and gradients, on the GPU.
    #[default]
    Fused,
    /// A kernel an operation, on the GPU.
    Unfused,
    /// f64 on the CPU: slow, and what the others are judged by.
    Reference,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Train {
    pub epochs: usize,
    pub batch_size: usize,
    pub seed: u64,
    /// Networks trained at once, from this seed and those that follow, which answer together.
    #[serde(skip_serializing_if = "is_one")]
    pub members: usize,
    /// Whether each of several networks draws its training rows with replacement.
    #[serde(skip_serializing_if = "is_false")]
    pub bootstrap: bool,
    pub shuffle: bool,
    /// Epochs without a better validation score before training stops; 0: never.
    pub patience: usize,
    pub engine: EngineName,
    /// What the weights are at first, without a file; if left out `linear` where there are more inputs than training rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Start>,
    /// Whether to train once more on training and validation rows, for as many epochs as these chose.
    #[serde(skip_serializing_if = "is_false")]
    pub refit: bool,
    /// A safetensors file to start from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<PathBuf>,
    /// Steps from one line of metrics.jsonl to the next; if left out as many as keep a run's lines of steps below some thousands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_every: Option<u64>,
    /// Whether TensorBoard's event files are written too.
    pub tensorboard: bool,
}

impl Default for Train {
    fn default() -> Self {
        Self {
            epochs: 300,
            batch_size: 64,
            seed: 0,
            members: 1,
            bootstrap: false,
            shuffle: true,
            patience: 20,
            refit: false,
            engine: EngineName::Fused,
            start: None,
            init: None,
            log_every: None,
            tensorboard: false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Start {
    /// The linear model of every task, and the other units at random.
    Linear,
    /// All at random, as PyTorch has it.
    Random,
}

impl Train {
    /// Whether this network, with so many training rows, is to start as the linear model (docs/defaults.md).
    pub fn starts_linear(&self, network: &Network, rows: usize) -> bool {
        let is_asked = match self.start {
            None => network.features() > rows,
            Some(start) => start == Start::Linear,
        };
        is_asked && self.init.is_none() && Baselines::can_start(network)
    }
}

fn is_false(it: &bool) -> bool {
    !it
}

fn is_one(members: &usize) -> bool {
    *members == 1
}

impl Config {
    /// Reads a configuration file. A file that it names is looked for where the program runs, then beside the configuration.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let mut config = Self::parse(&path.display().to_string(), &text)?;
        for file in config.files() {
            let beside = path.parent().map(|folder| folder.join(&*file));
            if let Some(beside) = beside.filter(|beside| !file.exists() && beside.exists()) {
                *file = beside;
            }
        }
        Ok(config)
    }

    /// Reads the configuration that a run saved.
    pub fn of_run(path: &Path) -> Result<Self, String> {
        let mut config = Self::read(path)?;
        config.data.rare.get_or_insert(1);
        Ok(config)
    }

    /// The same configuration with its files named from the root, so that it means the same in any folder.
    pub fn rooted(&self) -> Self {
        let mut rooted = self.clone();
        for file in rooted.files() {
            if let Ok(from_root) = std::path::absolute(&*file) {
                *file = from_root;
            }
        }
        rooted
    }

    /// The files that it names, standard input left out.
    fn files(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let files = [&mut self.data.path, &mut self.train.init].into_iter().flatten();
        files.filter(|file| file.as_os_str() != "-")
    }

    /// Parses a configuration; `name` stands for its file in messages.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        // toml's message shows line, column and what keys there are.
        toml::from_str(text).map_err(|error| format!("{name}: {}", error.to_string().trim_end()))
    }

    /// The configuration as a file.
    pub fn to_toml(&self) -> Result<String, String> {
        toml::to_string(self).map_err(|error| {
            format!("the configuration cannot be saved ({error}): rename the file")
        })
    }

    /// The same for `results.json`: by way of the file's own text, whose numbers are as short as they were given.
    pub fn to_json(&self) -> Result<serde_json::Value, String> {
        // A TOML value of its own has no whole numbers beyond `i64`, which a seed may be.
        toml::from_str(&self.rooted().to_toml()?)
            .map_err(|error| format!("the configuration cannot be read again: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_seed_comes_back_from_what_a_run_saves() {
        for seed in [0, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX] {
            let mut config = Config::default();
            (config.train.seed, config.model.dropout) = (seed, 0.3);
            let text = config.to_toml().unwrap();
            assert_eq!(Config::parse("config.toml", &text).unwrap(), config);
            let json = config.to_json().unwrap();
            assert_eq!(json["train"]["seed"].as_u64(), Some(seed));
            assert_eq!(json["model"]["dropout"].to_string(), "0.3");
        }
    }

    /// What docs/defaults.md says of them.
    #[test]
    fn the_defaults_are_those_that_were_measured() {
        let Config { model, optimizer, train, .. } = Config::default();
        assert_eq!((model.hidden, model.dropout), (vec![64, 64], 0.1));
        assert_eq!((optimizer.name, optimizer.decay()), (OptimizerName::Adamw, 0.1));
        assert_eq!((optimizer.lr, optimizer.schedule), (1e-3, ScheduleName::Constant));
        assert_eq!((train.epochs, train.patience, train.batch_size), (300, 20, 64));
        // Adam's decay is an L2 gradient, of which so much would be far too much.
        assert_eq!(Optimizer { name: OptimizerName::Adam, ..optimizer }.decay(), 0.0);
    }
}
