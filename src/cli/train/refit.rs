//! `--refit`: the validation rows choose how many epochs to make, and are then learned from too, from the start and with the same
//! seed.
//!
//! | in the run's directory | what it is |
//! |---|---|
//! | `choice/` | the run that chose: one like any other |
//! | `refit.json` | how many epochs that are, and its figures of the validation rows; there once it has ended |
//! | the rest | the run on training and validation rows, whose model is kept |

use super::config::Config;
use super::data::{Data, Source};
use super::finish::FEW;
use super::thresholds::Rule;
use super::{Arguments, Ready, conclude_as, folds, plan, prepare, resume, stopped, tell, train};
use crate::cli::baselines;
use crate::cli::failure::Failure;
use crate::cli::run_dir::{self, RunDir};
use awl::train::{End, Plan};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;

/// The directory of the run that chose.
const CHOICE: &str = "choice";
/// What it chose.
const CHOSEN: &str = "refit.json";

/// What the first run comes to.
#[derive(Serialize, Deserialize)]
struct Chosen {
    epochs: usize,
    /// The strengths of the linear models' penalties, one a task.
    #[serde(default)]
    penalties: Option<Vec<f64>>,
    /// Whether the run was at the end of its epochs, and the best one among the last.
    is_among_last: bool,
    /// The figures of the validation rows, by task.
    validation: Value,
}

/// Checks that it goes with the rest of the configuration.
pub fn check(config: &Config) -> Result<(), Failure> {
    let other = match config.train.members {
        _ if !config.train.refit => return Ok(()),
        _ if folds::are_several(config) => {
            "--folds and --repeats, whose runs are for their figures"
        }
        1 => return Ok(()),
        _ => "--members, of which each has a best epoch of its own",
    };
    Err(Failure::input(format!("--refit does not go with {other}: leave out one of the two")))
}

/// Trains both runs into a new directory.
pub fn start(arguments: &Arguments, mut config: Config, out: &Path) -> Result<ExitCode, Failure> {
    let (source, problems) = Source::read(&mut config, arguments)?;
    let mut data = source.split(&config, problems)?;
    foresee(&source, &config, &data)?;
    tell(arguments, &data);
    let of_choice = choosing(&config);
    let (state, files) = prepare(arguments, &of_choice, &mut data, false)?;
    let own = (run_dir::CONFIG.to_string(), config.rooted().to_toml()?.into_bytes());
    let files = files.into_iter().map(|(name, bytes)| (format!("{CHOICE}/{name}"), bytes));
    let files: Vec<(String, Vec<u8>)> = files.chain([own]).collect();
    let files: Vec<(&str, Vec<u8>)> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    let run = RunDir::create(out, &files)?;
    let choice = RunDir::open_to_go_on(&out.join(CHOICE))?.part_of(&run);
    let name = Some(NAMES[0].into());
    choose(
        arguments,
        &source,
        run,
        config,
        Ready { run: choice, config: of_choice, data, state, name },
    )
}

/// Goes on with whichever of the two was under way.
pub fn resume(arguments: &Arguments, run: RunDir, mut config: Config) -> Result<ExitCode, Failure> {
    if arguments.train.epochs.is_some() || arguments.train.patience.is_some() {
        return Err(Failure::input(
            "--epochs and --patience are no more to be changed of a run with --refit: start a new one",
        ));
    }
    let (source, problems) = Source::read(&mut config, arguments)?;
    if run.checkpoint().exists() {
        let chosen = Chosen::read(&run)?;
        let data = chosen.data(&source, &config, &run)?;
        say(arguments, &data);
        let plan = Plan { epochs: chosen.epochs, patience: None };
        let ready = resume::reopen(arguments, run, config, data, Some(NAMES[1].into()))?;
        return conclude_as(arguments, ready, plan);
    }
    let data = source.split(&config, problems)?;
    let choice = RunDir::open_to_go_on(&run.path().join(CHOICE))?.part_of(&run);
    let name = Some(NAMES[0].into());
    let ready = resume::reopen(arguments, choice, choosing(&config), data, name)?;
    choose(arguments, &source, run, config, ready)
}

/// What the two runs are called where they are told of.
const NAMES: [&str; 2] = ["choice of epochs", "refit"];

/// The configuration of the run that chooses.
fn choosing(config: &Config) -> Config {
    let mut config = config.clone();
    config.train.refit = false;
    config
}

/// Finds what would stop the second run before the first is made.
fn foresee(source: &Source, config: &Config, data: &Data) -> Result<(), Failure> {
    if data.thresholds.iter().any(Rule::is_to_be_chosen) {
        return Err(Failure::input(
            "--refit learns from the validation rows, by which --threshold f1 and --threshold balanced choose: give a probability, or \
             leave out --refit",
        ));
    }
    let again = source.split_for_refit(config)?;
    let [first, second] = [data, &again].map(|data| data.encoder.features());
    if config.train.init.is_some() && first != second {
        return Err(Failure::input(format!(
            "--init: with the validation rows there are {second} inputs in place of {first} (texts that are not rare any more, or \
             cells that are missing), for which the file has no weights: leave out --init or --refit"
        )));
    }
    Ok(())
}

/// Makes the first run, or ends it; then the second one.
fn choose(
    arguments: &Arguments,
    source: &Source,
    run: RunDir,
    config: Config,
    ready: Ready,
) -> Result<ExitCode, Failure> {
    let Ready { run: choice, config: of_choice, data, state, name } = ready;
    let plan = plan(&of_choice);
    let (end, results) = train(arguments, &choice, &of_choice, plan, &data, state, name)?;
    if let Some(diverged) = results.diverged {
        return Err(Failure::Run(diverged));
    }
    if end == End::Asked {
        stopped(&run);
        return Ok(ExitCode::FAILURE);
    }
    let json = results.json();
    let [epochs, made] = ["kept_epoch", "epochs"].map(|key| json[key].as_u64().unwrap_or_default());
    let chosen = Chosen {
        epochs: epochs as usize,
        penalties: baselines::load(&choice, &data.encoder)?.map(|it| it.penalties),
        is_among_last: made as usize == config.train.epochs && epochs + FEW as u64 >= made,
        validation: json["parts"]["validation"].clone(),
    };
    let mut data = chosen.data(source, &config, &run)?;
    say(arguments, &data);
    let (state, files) = prepare(arguments, &config, &mut data, false)?;
    run_dir::save(&run.path().join(CHOSEN), format!("{:#}\n", json!(chosen)).as_bytes())?;
    // By the checkpoint the second run is known to have begun.
    let (last, others): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|(name, _)| *name == run_dir::CHECKPOINT);
    for (name, bytes) in others.into_iter().chain(last) {
        let path = run.path().join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| Failure::writing(folder, &error))?;
        }
        run_dir::save(&path, &bytes)?;
    }
    let plan = Plan { epochs: chosen.epochs, patience: None };
    conclude_as(arguments, Ready { run, config, data, state, name: Some(NAMES[1].into()) }, plan)
}

/// Says what the second run is.
fn say(arguments: &Arguments, data: &Data) {
    if !arguments.quiet {
        data.told.refit.iter().for_each(|sentence| eprintln!("{sentence}"));
    }
    let is_of_choice = |warning: &&String| warning.starts_with(AMONG_LAST);
    let warnings = data.told.warnings.iter().filter(is_of_choice);
    warnings.for_each(|warning| eprintln!("warning: {warning}"));
}

const AMONG_LAST: &str = "the epoch that the validation rows chose is among the last";

impl Chosen {
    fn read(run: &RunDir) -> Result<Self, Failure> {
        let path = run.path().join(CHOSEN);
        let file = path.display();
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
        let chosen = serde_json::from_str(&text).map_err(|error| {
            format!("{file}: it does not say how many epochs were chosen ({error})")
        })?;
        Ok(chosen)
    }

    /// The rows of the second run, with what is told of it.
    fn data(&self, source: &Source, config: &Config, run: &RunDir) -> Result<Data, Failure> {
        let mut data = source.split_for_refit(config)?;
        let [rows, _, test] = data.sizes();
        let epochs = self.epochs;
        let of_test = match test {
            0 => "no row is left to test it on",
            _ => "the test figures are of this model",
        };
        let sentence = format!(
            "refit: trained anew on training and validation rows ({rows}), for the {epochs} epochs that the validation rows chose; \
             {of_test}, and figures of the validation rows are of the run before, in {}",
            run.path().join(CHOICE).display()
        );
        if self.is_among_last {
            let twice = 2 * config.train.epochs;
            data.told.warnings.push(format!("{AMONG_LAST}: more may be better: --epochs {twice}"));
        }
        data.told.choices.push(sentence.clone());
        data.told.refit = Some(sentence);
        data.penalties.clone_from(&self.penalties);
        data.told.data["refit"] = json!(self);
        Ok(data)
    }
}
