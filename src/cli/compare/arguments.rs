//! The flags of `awl compare`: those of `awl train` that say what is trained, and its own.

use crate::cli::failure::Failure;
use crate::cli::reading::ReadingFlags;
use crate::cli::train::arguments::{
    DataFlags, LossFlags, ModelFlags, OptimizerFlags, TrainFlags, seconds,
};
use crate::cli::train::config::{Config, EngineName, Start};
use crate::cli::train::{self};
use std::path::PathBuf;

/// `awl compare`
#[derive(clap::Args)]
pub struct Arguments {
    /// The table: CSV or TSV, also gzipped (and Parquet, where built in); - for standard input.
    #[arg(value_name = "DATA", required_unless_present_any = ["config", "resume"])]
    pub data: Option<PathBuf>,

    /// A task, as of `awl train`: COLUMN, COLUMN:LOSS, COLUMN:LOSS:TRANSFORM or NAME=COLUMN,COLUMN:LOSS (two at least).
    #[arg(long = "task", short = 't', value_name = "COLUMN[:LOSS]", required_unless_present_any = ["config", "resume"])]
    pub tasks: Vec<String>,

    /// What to compare: names as of `awl train --weighting`, losses for all whose weights need no gradients, or all; stl, a network a
    /// task, and equal are always among them [default: losses].
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', conflicts_with = "resume")]
    pub schemes: Option<Vec<String>>,

    /// Runs that each is tested by: from --seed and the seeds that follow [default: 5].
    #[arg(long, value_name = "NUMBER", conflicts_with = "resume")]
    pub seeds: Option<usize>,

    /// Learning rates that are tried of each [default: 0.001,0.003,0.01].
    #[arg(long, value_name = "RATE,…", value_delimiter = ',', conflicts_with = "resume")]
    pub rates: Option<Vec<f64>>,

    /// Runs by which each is tuned, at most: one a learning rate, the others for its setting at the best of them [default: 7].
    ///
    /// That is the learning rate of what a scheme learns, the first setting of another one, the weights of fixed.
    #[arg(long, value_name = "RUNS", conflicts_with = "resume")]
    pub budget: Option<usize>,

    /// The comparison's directory, which must not exist yet [default: comparison, comparison-2, …].
    #[arg(long, short, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Go on with the comparison in this directory, to the figures that there would have been.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["config", "tasks", "out"])]
    pub resume: Option<PathBuf>,

    /// Take table, tasks and network from this file (as a run saves it in its config.toml); flags win over it.
    #[arg(long, value_name = "FILE.toml")]
    pub config: Option<PathBuf>,

    /// Seconds from one checkpoint to the next: what a crash may cost.
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = seconds)]
    pub checkpoint_every: f64,

    /// Print the comparison as JSON.
    #[arg(long)]
    pub json: bool,

    /// Print no progress.
    #[arg(long, short)]
    pub quiet: bool,

    #[command(flatten)]
    data_flags: DataFlags,
    #[command(flatten)]
    reading: ReadingFlags,
    #[command(flatten)]
    model: ModelFlags,
    #[command(flatten)]
    losses: LossFlags,
    #[command(flatten)]
    optimizer: OptimizerFlags,
    #[command(flatten)]
    training: TrainingFlags,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Training")]
struct TrainingFlags {
    /// Passes over the training rows, at most [default: as many as make 2000 steps, but no more than 300].
    #[arg(long)]
    epochs: Option<usize>,
    /// Rows a step [default: 64, doubled until an epoch has 400 steps at most].
    #[arg(long, value_name = "ROWS")]
    batch_size: Option<usize>,
    /// Chooses the split, and the first weights and the order of the rows of the first run [default: 0].
    #[arg(long)]
    seed: Option<u64>,
    /// Visit the rows in the table's order.
    #[arg(long)]
    no_shuffle: bool,
    /// Stop a run after so many epochs without a better validation score; 0: never [default: 20].
    #[arg(long, value_name = "EPOCHS")]
    patience: Option<usize>,
    /// [default: fused]
    #[arg(long, value_enum)]
    engine: Option<EngineName>,
    /// What networks are at first, as of `awl train`.
    #[arg(long, value_enum)]
    start: Option<Start>,
}

/// Steps of a run, about, unless --epochs says more.
const STEPS: usize = 2_000;
/// Steps of an epoch, at most, unless --batch-size says otherwise.
const STEPS_AN_EPOCH: usize = 400;

impl Arguments {
    /// The same as flags of `awl train`, without those of its own.
    pub fn as_train(&self) -> train::Arguments {
        let own = &self.training;
        train::Arguments {
            data: self.data.clone(),
            tasks: self.tasks.clone(),
            out: self.out.clone(),
            resume: self.resume.clone(),
            config: self.config.clone(),
            checkpoint_every: self.checkpoint_every,
            json: self.json,
            quiet: self.quiet,
            data_flags: self.data_flags.clone(),
            reading: self.reading.clone(),
            model: self.model.clone(),
            losses: self.losses.clone(),
            weighting: Default::default(),
            optimizer: self.optimizer.clone(),
            train: TrainFlags {
                epochs: own.epochs,
                batch_size: own.batch_size,
                seed: own.seed,
                no_shuffle: own.no_shuffle,
                patience: own.patience,
                engine: own.engine,
                start: own.start,
                ..TrainFlags::default()
            },
        }
    }

    /// Refuses what is of training alone.
    pub fn check(&self) -> Result<(), Failure> {
        let refused = [
            (self.optimizer.lr.is_some(), "--lr", "every scheme's rate is chosen: give --rates"),
            (
                self.data_flags.folds.is_some(),
                "--folds",
                "all runs share one split: compare with several --split-seed instead",
            ),
            (
                self.data_flags.repeats.is_some(),
                "--repeats",
                "all runs share one split: compare with several --split-seed instead",
            ),
            (
                !self.losses.threshold.is_empty(),
                "--threshold",
                "the likelier class is the answer here: leave it out",
            ),
        ];
        match refused.into_iter().find(|(is_given, ..)| *is_given) {
            Some((_, flag, why)) => Err(Failure::input(format!("{flag} is of `awl train`; {why}"))),
            None => Ok(()),
        }
    }

    /// The configuration: that of the file, or the defaults of a comparison, changed by the flags.
    pub fn configured(&self) -> Result<Config, Failure> {
        self.check()?;
        let mut config = match &self.config {
            Some(path) => Config::read(path)?,
            None => {
                let mut config = Config::default();
                // Many runs: on software drivers a step with dropout takes five times as long and more.
                config.model.dropout = 0.0;
                config
            }
        };
        // Every scheme is as it is by default, but for what is tuned of it.
        config.weighting = Default::default();
        config.task.iter_mut().for_each(|task| (task.weight, task.threshold) = (None, None));
        config.train.members = 1;
        config.train.bootstrap = false;
        config.train.refit = false;
        config.train.tensorboard = false;
        config.train.init = None;
        (config.data.folds, config.data.fold, config.data.repeats) = (None, None, None);
        self.as_train().apply(&mut config)?;
        config.data.rare = Some(config.data.encoder_options().rare);
        Ok(config)
    }

    /// Chooses batch and epochs by the number of training rows, where neither flags nor a file say them.
    pub fn fit_to(&self, config: &mut Config, rows: usize) {
        if self.config.is_some() {
            return;
        }
        if self.training.batch_size.is_none() {
            while rows.div_ceil(config.train.batch_size) > STEPS_AN_EPOCH {
                config.train.batch_size *= 2;
            }
        }
        if self.training.epochs.is_none() {
            let per_epoch = rows.div_ceil(config.train.batch_size.max(1)).max(1);
            config.train.epochs = STEPS.div_ceil(per_epoch).min(config.train.epochs);
        }
    }
}
