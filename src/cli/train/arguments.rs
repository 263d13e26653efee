//! The flags of `awl train`, and how they change a configuration.

use super::config::{
    BALANCED, ClassWeights, Config, EngineName, OptimizerName, ScaleName, ScheduleName, Start, Task,
};
use super::weighting_flags::WeightingFlags;
use crate::cli::reading::ReadingFlags;
use awl::Activation;
use std::path::PathBuf;

/// `awl train`
#[derive(clap::Args)]
pub struct Arguments {
    /// The table: CSV or TSV, also gzipped (and Parquet, where built in); - for standard input.
    #[arg(value_name = "DATA", required_unless_present_any = ["config", "resume"])]
    pub data: Option<PathBuf>,

    /// A task: COLUMN, COLUMN:LOSS, COLUMN:LOSS:TRANSFORM or NAME=COLUMN,COLUMN:LOSS (may be given several times).
    ///
    /// Losses: mse, mae, huber, quantile(0.9), poisson, gaussian_nll, laplace_nll, bce, cross_entropy. Transforms of numbers, undone in every answer: log,
    /// log1p, quantile, as in price:mse:log. Left out, the loss follows from the cells: text or few distinct
    /// whole numbers are classes, two values yes or no, anything else a number.
    #[arg(long = "task", short = 't', value_name = "COLUMN[:LOSS]", required_unless_present_any = ["config", "resume"])]
    pub tasks: Vec<String>,

    /// The run's directory, which must not exist yet [default: run, run-2, …].
    #[arg(long, short, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Go on with the run in this directory, bit for bit as if it had never stopped.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["config", "tasks", "out", "init"])]
    pub resume: Option<PathBuf>,

    /// Take the configuration from this file (as a run saves it in its config.toml); flags win over it.
    #[arg(long, value_name = "FILE.toml")]
    pub config: Option<PathBuf>,

    /// Seconds from one checkpoint to the next: what a crash may cost.
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = seconds)]
    pub checkpoint_every: f64,

    /// Print the results as JSON.
    #[arg(long)]
    pub json: bool,

    /// Print no progress.
    #[arg(long, short)]
    pub quiet: bool,

    #[command(flatten)]
    pub data_flags: DataFlags,
    #[command(flatten)]
    pub reading: ReadingFlags,
    #[command(flatten)]
    pub model: ModelFlags,
    #[command(flatten)]
    pub losses: LossFlags,
    #[command(flatten)]
    pub weighting: WeightingFlags,
    #[command(flatten)]
    pub optimizer: OptimizerFlags,
    #[command(flatten)]
    pub train: TrainFlags,
}

#[derive(Clone, Default, clap::Args)]
#[command(next_help_heading = "Data")]
pub struct DataFlags {
    /// Feature columns [default: all that are neither tasks nor ignored, nor name or number the rows].
    ///
    /// A name with a comma stands as it is, or in double quotes: --features '"GDP per capita, PPP",area'.
    #[arg(long, value_name = "COLUMN,…", allow_hyphen_values = true)]
    pub features: Option<Vec<String>>,
    /// Columns to leave out.
    #[arg(long, value_name = "COLUMN,…", allow_hyphen_values = true)]
    pub ignore: Option<Vec<String>>,
    /// Columns to take as text, as they are written: codes, not quantities.
    #[arg(long, value_name = "COLUMN,…", allow_hyphen_values = true)]
    pub text: Option<Vec<String>>,
    /// A column that says train, validation or test in each row.
    #[arg(long, value_name = "COLUMN", conflicts_with_all = ["validation", "test", "group", "time", "split_seed"])]
    split: Option<String>,
    /// A column that says which rows belong together, such as a person's: all of a group are in one part.
    #[arg(long, value_name = "COLUMN", conflicts_with = "time")]
    group: Option<String>,
    /// A column of times: the newest rows are for the test, the next newest for validation.
    #[arg(long, value_name = "COLUMN", conflicts_with = "split_seed")]
    time: Option<String>,
    /// A column that says how much each row counts in the losses, such as how many cases it stands for.
    #[arg(long, value_name = "COLUMN")]
    weight: Option<String>,
    /// Chooses the split [default: as --seed].
    #[arg(long, value_name = "SEED")]
    split_seed: Option<u64>,
    /// Cross-validation: cut the rows into so many folds, and train a run for each that is tested on it alone.
    #[arg(long, value_name = "NUMBER", value_parser = runs)]
    pub folds: Option<usize>,
    /// Do all of it so many times, with seeds of the split that follow one another.
    #[arg(long, value_name = "NUMBER", value_parser = runs)]
    pub repeats: Option<usize>,
    /// Part of the rows on which the best epoch is chosen, with --folds of those that are not tested on [default: 0.15].
    #[arg(long, value_name = "FRACTION")]
    validation: Option<f64>,
    /// Part of the rows on which the result is judged, once, at the end [default: as --validation].
    #[arg(long, value_name = "FRACTION")]
    test: Option<f64>,
    /// Take numbers as they are.
    #[arg(long)]
    no_standardize: bool,
    /// To what scale features of numbers are brought [default: standard].
    #[arg(long, value_enum, conflicts_with = "no_standardize")]
    scale: Option<ScaleName>,
    /// Texts of a feature that fewer training rows have share one input [default: 2]; 1 keeps all apart, up to 1024 a feature.
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u64).range(1..))]
    rare: Option<u64>,
}

#[derive(Clone, Default, clap::Args)]
#[command(next_help_heading = "Model")]
pub struct ModelFlags {
    /// Widths of the hidden layers [default: 64,64]; "" for a linear model.
    #[arg(long, value_name = "WIDTH,…")]
    hidden: Option<String>,
    /// relu, tanh, gelu or silu [default: relu].
    #[arg(long, value_parser = activation)]
    activation: Option<Activation>,
    /// Share of the hidden units that each step leaves out [default: 0.1].
    #[arg(long, value_name = "SHARE")]
    pub dropout: Option<f64>,
}

#[derive(Clone, Default, clap::Args)]
#[command(next_help_heading = "Losses")]
pub struct LossFlags {
    /// Probability that is spread evenly over all classes, of every task of cross_entropy [default: 0].
    #[arg(long, value_name = "SHARE")]
    pub label_smoothing: Option<f32>,
    /// balanced: the classes of every task of cross_entropy count alike, however rare.
    #[arg(long, value_name = "balanced", value_parser = [BALANCED])]
    pub class_weights: Option<String>,
    /// Of two classes: the probability above which the second one is answered, f1 or balanced [default: 0.5].
    ///
    /// f1 and balanced choose it by the validation rows, for the highest F1 of the rarer class or the highest balanced accuracy. It is
    /// that of every task of two classes, or with the task's name, as in --threshold sick=f1, of that one (may be given several times).
    #[arg(long, value_name = "[TASK=]f1|balanced|PROBABILITY")]
    pub threshold: Vec<String>,
}

impl LossFlags {
    /// Takes them over into a task; whether there was one.
    pub fn apply(&self, task: &mut Task) -> bool {
        set_some(&mut task.label_smoothing, &self.label_smoothing);
        set_some(&mut task.class_weights, &self.class_weights.clone().map(ClassWeights::Word));
        self.first().is_some()
    }

    /// The first that was given.
    pub fn first(&self) -> Option<&'static str> {
        match (self.label_smoothing, &self.class_weights) {
            (Some(_), _) => Some("--label-smoothing"),
            (None, Some(_)) => Some("--class-weights"),
            (None, None) => None,
        }
    }
}

#[derive(Clone, Default, clap::Args)]
#[command(next_help_heading = "Optimizer")]
pub struct OptimizerFlags {
    /// [default: adamw]
    #[arg(long, value_enum)]
    optimizer: Option<OptimizerName>,
    /// Learning rate [default: 0.001].
    #[arg(long, value_name = "RATE")]
    pub lr: Option<f64>,
    /// Weight decay of the network; σ has none [default: 0.1 of adamw, 0 of adam].
    #[arg(long, value_name = "DECAY")]
    weight_decay: Option<f64>,
    /// Scale the network's gradient down to this norm where it is larger.
    #[arg(long, value_name = "NORM")]
    clip: Option<f64>,
    /// How the learning rates change [default: constant].
    #[arg(long, value_enum)]
    schedule: Option<ScheduleName>,
    /// Epochs from one drop of the step schedule to the next [default: 30].
    #[arg(long, value_name = "EPOCHS")]
    schedule_every: Option<usize>,
    /// What the step schedule multiplies by [default: 0.1].
    #[arg(long, value_name = "FACTOR")]
    schedule_factor: Option<f64>,
    /// Epochs in which the learning rates rise to their values [default: 0].
    #[arg(long, value_name = "EPOCHS")]
    warm_up: Option<usize>,
}

#[derive(Clone, Default, clap::Args)]
#[command(next_help_heading = "Training")]
pub struct TrainFlags {
    /// Passes over the training rows, at most: see --patience [default: 300].
    #[arg(long)]
    pub epochs: Option<usize>,
    /// Rows a step [default: 64].
    #[arg(long, value_name = "ROWS")]
    pub batch_size: Option<usize>,
    /// Chooses the split, the first weights and the order of the rows [default: 0].
    #[arg(long)]
    pub seed: Option<u64>,
    /// Networks to train at once, from --seed and the seeds that follow [default: 1]: an ensemble, which answers with the mean
    /// number and the mean probability.
    #[arg(long, value_name = "NUMBER")]
    pub members: Option<usize>,
    /// Have each of --members draw its training rows with replacement: the networks differ more.
    #[arg(long)]
    pub bootstrap: bool,
    /// Visit the rows in the table's order.
    #[arg(long)]
    pub no_shuffle: bool,
    /// Stop after so many epochs without a better validation score; 0: never [default: 20].
    #[arg(long, value_name = "EPOCHS")]
    pub patience: Option<usize>,
    /// Then train once more, from the start, on training and validation rows, for as many epochs as the validation rows chose: that
    /// model is kept.
    #[arg(long)]
    pub refit: bool,
    /// [default: fused]
    #[arg(long, value_enum)]
    pub engine: Option<EngineName>,
    /// Start from the weights in this file, under PyTorch's names.
    #[arg(long, value_name = "FILE.safetensors")]
    pub init: Option<PathBuf>,
    /// What the network is at first: the linear model of every task, or all weights at random [default: random, and linear with more inputs than training rows].
    #[arg(long, value_enum, conflicts_with = "init")]
    pub start: Option<Start>,
    /// Steps from one line of metrics.jsonl to the next [default: 1, more where the lines would be many thousands].
    #[arg(long, value_name = "STEPS")]
    pub log_every: Option<u64>,
    /// Write TensorBoard's event files too.
    #[arg(long)]
    pub tensorboard: bool,
}

/// A number of seconds.
pub fn seconds(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (0.0..1e9).contains(number));
    number.ok_or_else(|| "use a number of 0 or more".into())
}

fn runs(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "use a whole number, such as 5".into())
}

fn activation(text: &str) -> Result<Activation, String> {
    serde_json::from_value(text.into()).map_err(|_| "use relu, tanh, gelu or silu".into())
}

/// Takes a flag's value where it was given.
pub(super) fn set<T: Clone>(value: &mut T, flag: &Option<T>) {
    if let Some(flag) = flag {
        value.clone_from(flag);
    }
}

/// The same where leaving out means something of its own.
pub(super) fn set_some<T: Clone>(value: &mut Option<T>, flag: &Option<T>) {
    if flag.is_some() {
        value.clone_from(flag);
    }
}

impl Arguments {
    /// Changes the configuration by every flag that was given, but for lists of columns and tasks, which only the table's
    /// names tell apart.
    pub fn apply(&self, config: &mut Config) -> Result<(), String> {
        set_some(&mut config.data.path, &self.data);
        let flags = &self.data_flags;
        let mut options = config.data.read_options();
        self.reading.apply(&mut options);
        config.data.take(options);
        set_some(&mut config.data.weight, &flags.weight);
        set_some(&mut config.data.split_seed, &flags.split_seed);
        if flags.folds.is_some() || flags.repeats.is_some() {
            // The file may be that of one fold.
            config.data.fold = None;
        }
        set_some(&mut config.data.folds, &flags.folds);
        set_some(&mut config.data.repeats, &flags.repeats);
        let data = &mut config.data;
        let ways = [
            (&mut data.split, &flags.split),
            (&mut data.group, &flags.group),
            (&mut data.time, &flags.time),
        ];
        if ways.iter().any(|(_, flag)| flag.is_some()) {
            ways.into_iter().for_each(|(way, flag)| way.clone_from(flag));
        }
        if flags.validation.is_some() || flags.test.is_some() {
            config.data.split = None;
        }
        set(&mut config.data.validation, &flags.validation);
        set_some(&mut config.data.test, &flags.test);
        config.data.standardize &= !flags.no_standardize;
        set(&mut config.data.scale, &flags.scale);
        set_some(&mut config.data.rare, &flags.rare.map(|rows| rows as usize));

        if let Some(widths) = &self.model.hidden {
            config.model.hidden = hidden(widths)?;
        }
        set(&mut config.model.activation, &self.model.activation);
        set(&mut config.model.dropout, &self.model.dropout);

        self.weighting.apply(&mut config.weighting);

        let (flags, optimizer) = (&self.optimizer, &mut config.optimizer);
        set(&mut optimizer.name, &flags.optimizer);
        set(&mut optimizer.lr, &flags.lr);
        optimizer.weight_decay = flags.weight_decay.or(optimizer.weight_decay);
        set_some(&mut optimizer.clip, &flags.clip);
        set(&mut optimizer.schedule, &flags.schedule);
        set(&mut optimizer.schedule_every, &flags.schedule_every);
        set(&mut optimizer.schedule_factor, &flags.schedule_factor);
        set(&mut optimizer.warm_up, &flags.warm_up);

        let (flags, train) = (&self.train, &mut config.train);
        set(&mut train.epochs, &flags.epochs);
        set(&mut train.batch_size, &flags.batch_size);
        set(&mut train.seed, &flags.seed);
        set(&mut train.members, &flags.members);
        train.bootstrap |= flags.bootstrap;
        train.shuffle &= !flags.no_shuffle;
        set(&mut train.patience, &flags.patience);
        train.refit |= flags.refit;
        set(&mut train.engine, &flags.engine);
        set_some(&mut train.init, &flags.init);
        if flags.init.is_some() {
            train.start = None;
        }
        set_some(&mut train.start, &flags.start);
        set_some(&mut train.log_every, &flags.log_every);
        train.tensorboard |= flags.tensorboard;
        Ok(())
    }
}

/// `64,32`; nothing for a linear model.
fn hidden(text: &str) -> Result<Vec<usize>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let widths: Result<_, _> = text.split(',').map(|width| width.trim().parse()).collect();
    widths.map_err(|_| format!("--hidden {text}: give widths with commas between, such as 64,64"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_layers_are_widths_with_commas_between() {
        assert_eq!(hidden("64, 32"), Ok(vec![64, 32]));
        assert_eq!(hidden(""), Ok(vec![]));
        assert!(hidden("64;32").unwrap_err().contains("such as 64,64"));
    }
}
