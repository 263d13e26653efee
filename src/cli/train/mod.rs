//! `awl train`: from a table to a trained model in a run's directory.

pub(in crate::cli) mod arguments;
pub(in crate::cli) mod compiling;
pub(in crate::cli) mod config;
pub(in crate::cli) mod data;
mod describe;
mod explained;
mod finish;
mod folds;
mod judged;
mod log;
mod noise;
pub(in crate::cli) mod recipe;
mod refit;
pub(in crate::cli) mod resume;
mod saved;
mod show;
mod task_flag;
mod thresholds;
pub(in crate::cli) mod watch;
mod weighting_flags;

pub use self::arguments::Arguments;
use self::compiling::Compiling;
use self::config::Config;
use self::data::Data;
pub use self::describe::run as describe;
use self::watch::{MemberNotes, Notes, Onlooker, Seen};
use super::failure::Failure;
use super::rows_seen::RowsSeen;
use super::run_dir::{self, RunDir};
use crate::cli::terminal::printable;
use awl::engine::Engine;
use awl::report::tensorboard::EventWriter;
use awl::train::{Baselines, Checkpoint, End, Plan, Run, Saved, SigmaPath, Trainer};
use awl::{Error, Recipe};
use pollster::block_on;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Trains, or goes on with a run.
pub fn run(arguments: &Arguments) -> ExitCode {
    let outcome = match &arguments.resume {
        Some(path) if folds::is_one(path) => folds::resume(arguments, path),
        Some(path) => resume::run(arguments, path),
        None => start(arguments),
    };
    outcome.unwrap_or_else(|failure| failure.report())
}

/// A run that is ready to go on.
struct Ready {
    run: RunDir,
    config: Config,
    data: Data,
    state: Started,
    /// What it is called among several runs of one command.
    name: Option<String>,
}

/// Where its training stands.
struct Started {
    engine: Box<dyn Engine>,
    /// Where the network began as their linear model, and this program did that.
    baselines: Option<Baselines>,
    adapter: String,
    checkpoint: Checkpoint,
    notes: Notes,
}

/// The configuration file, where one was named, changed by the flags.
fn configured(arguments: &Arguments) -> Result<Config, Failure> {
    let mut config = match &arguments.config {
        Some(path) => Config::read(path)?,
        None => Config::default(),
    };
    arguments.apply(&mut config)?;
    // A run says what it took, whatever the next version takes.
    config.data.rare = Some(config.data.encoder_options().rare);
    refit::check(&config)?;
    Ok(config)
}

fn start(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut config = configured(arguments)?;
    let out = arguments.out.clone().unwrap_or_else(run_dir::free_name);
    // Before anything that takes long.
    run_dir::check_free(&out)?;
    if folds::are_several(&config) {
        return folds::start(arguments, config, &out);
    }
    if config.train.refit {
        return refit::start(arguments, config, &out);
    }
    let data = Data::read(&mut config, arguments)?;
    let ready = begin(arguments, config, data, &out, None)?;
    conclude(arguments, ready)
}

/// Makes a run that has not made a step, in a directory of its own.
fn begin(
    arguments: &Arguments,
    config: Config,
    mut data: Data,
    out: &Path,
    name: Option<String>,
) -> Result<Ready, Failure> {
    let (state, files) = prepare(arguments, &config, &mut data, name.is_none())?;
    let run = RunDir::create(out, &files)?;
    Ok(Ready { run, config, data, state, name })
}

/// A file of a run, by its name in the directory.
type NewFile = (&'static str, Vec<u8>);

/// What a run begins with: its state before the first step, and the files of its directory.
fn prepare(
    arguments: &Arguments,
    config: &Config,
    data: &mut Data,
    tells: bool,
) -> Result<(Started, Vec<NewFile>), Failure> {
    let recipes = recipe::recipes(config, &data.encoder, data.training.rows())?;
    foresee(data, &recipes[0]);
    let apart: Vec<_> = data.validation.iter().chain(&data.test).map(|part| &part.data).collect();
    let seen = RowsSeen::of(&data.training, &apart);
    data.told.warnings.extend(many_equal(&seen));
    // Of several runs all is told before the first.
    if tells {
        tell(arguments, data);
    }
    let fit = || data.baselines();
    let baselines = config
        .train
        .starts_linear(&recipes[0].network, data.training.rows())
        .then(fit)
        .transpose()?;
    let make = async || {
        let (engine, adapter) = recipe::engine(config, recipes.clone(), &data.training).await?;
        let mut trainer = Trainer::new(engine);
        let states =
            recipe::start(config, &mut trainer, &data.training, baselines.as_ref()).await?;
        Ok::<_, Failure>((trainer, adapter, states))
    };
    let (trainer, adapter, states) = compiling::told(arguments, config, || block_on(make()))?;
    let weighting = &recipes[0].weighting;
    let path = |(task, &start): (usize, &f64)| {
        SigmaPath::new(weighting.sigma(task, start).unwrap_or(start))
    };
    let members = states.iter().map(|state| MemberNotes {
        progress: Default::default(),
        paths: state.sigma.iter().enumerate().map(path).collect(),
    });
    let notes = Notes {
        fingerprint: data.fingerprint(),
        seconds: 0.0,
        members: members.collect::<Vec<_>>().into(),
    };
    let members = states.into_iter().map(|state| Saved { state, best: None }).collect();
    let checkpoint = Checkpoint { members, notes: json!(notes) };
    let files = vec![
        (run_dir::CONFIG, config.rooted().to_toml()?.into_bytes()),
        (run_dir::CHECKPOINT, checkpoint.to_bytes(&recipes)?),
        (run_dir::ROWS_SEEN, seen.to_bytes()),
        (run_dir::SPLIT, data.split.to_bytes()),
    ];
    let engine = trainer.into_engine();
    Ok((Started { engine, baselines, adapter, checkpoint, notes }, files))
}

/// What is said where many rows kept apart equal training rows.
fn many_equal(seen: &RowsSeen) -> Option<String> {
    (seen.natural() >= MANY_EQUAL && !seen.needs_labels()).then(|| {
        format!(
            "{:.0} % of the rows kept apart have the same features as training rows: figures of repeated rows are better than of \
             new ones",
            100.0 * seen.natural()
        )
    })
}

/// Trains a run that is the whole of a command, and says what came out.
fn conclude(arguments: &Arguments, ready: Ready) -> Result<ExitCode, Failure> {
    let plan = plan(&ready.config);
    conclude_as(arguments, ready, plan)
}

/// The same with a plan of its own.
fn conclude_as(arguments: &Arguments, ready: Ready, plan: Plan) -> Result<ExitCode, Failure> {
    let Ready { run, config, data, state, name } = ready;
    let (end, results) = train(arguments, &run, &config, plan, &data, state, name)?;
    show::show(arguments, &run, &data, &results)?;
    if let Some(diverged) = results.diverged {
        return Err(Failure::Run(diverged));
    }
    if end == End::Asked {
        stopped(&run);
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Says how to go on.
fn stopped(run: &RunDir) {
    eprintln!("stopped; go on with: awl train --resume {}", run.path().display());
}

/// A share of rows kept apart that equal training rows is told of from here on: a few may be so by chance.
const MANY_EQUAL: f64 = 0.1;

/// What the configuration says of how long to train.
pub(in crate::cli) fn plan(config: &Config) -> Plan {
    let patience = (config.train.patience > 0).then_some(config.train.patience);
    Plan { epochs: config.train.epochs, patience }
}

/// Notes what would stop or surprise a later command, while it can still be changed.
fn foresee(data: &mut Data, recipe: &Recipe) {
    let network = &recipe.network;
    let untrained = vec![0.0; network.parameter_count()];
    if let Err(error) = awl::export::onnx(&data.encoder, network, &untrained) {
        data.told.warnings.push(format!("the model could not be exported to ONNX: {error}"));
    }
    let keys = network.head_keys();
    let renamed = network.tasks().iter().zip(&keys).filter(|(task, key)| task.name != **key);
    let renamed: Vec<String> =
        renamed.map(|(task, key)| format!("heads.{key} for \"{}\"", task.name)).collect();
    if !renamed.is_empty() {
        data.told.choices.push(format!(
            "names of heads in model.safetensors, since PyTorch's modules cannot hold the tasks': {}",
            renamed.join(", ")
        ));
    }
    let held = network.tasks().iter().enumerate().filter(|(k, _)| recipe.weighting.is_held(*k));
    data.told.choices.extend(held.map(|(_, task)| {
        format!(
            "the weight of \"{}\" is held at 1, without a σ: {} learns the noise itself",
            task.name,
            task.loss.name()
        )
    }));
}

/// Says what was chosen and what looks wrong.
pub(in crate::cli) fn tell(arguments: &Arguments, data: &Data) {
    if !arguments.quiet {
        data.told.choices.iter().for_each(|choice| eprintln!("{}", printable(choice)));
    }
    data.told.warnings.iter().for_each(|warning| eprintln!("warning: {}", printable(warning)));
}

/// Trains what is ready, and judges it.
fn train<'a>(
    arguments: &Arguments,
    run: &RunDir,
    config: &Config,
    plan: Plan,
    data: &'a Data,
    state: Started,
    name: Option<String>,
) -> Result<(End, finish::Results<'a>), Failure> {
    let Started { engine, baselines, adapter, checkpoint, notes } = state;
    let recipes = engine.recipes().to_vec();
    let network = &recipes[0].network;
    if !arguments.quiet {
        let name = name.as_ref().map_or(String::new(), |name| format!("{name}: "));
        let [training, validation, test] = data.sizes();
        let networks = match recipes.len() {
            1 => String::new(),
            networks => format!("{networks} networks of "),
        };
        let streamed = match engine.is_streamed() {
            true => ", which gets the rows as steps need them",
            false => "",
        };
        eprintln!(
            "{name}{training} rows to train on, {validation} to validate, {test} to test; {networks}{} parameters; on {adapter}{streamed}; into {}",
            network.parameter_count(),
            run.path().display()
        );
    }
    watch::heed_interrupts();
    let tasks: Vec<String> = network.tasks().iter().map(|task| task.name.clone()).collect();
    let starts_linear = config.train.starts_linear(network, data.training.rows());
    let members: Vec<MemberNotes> = notes.members.into();
    let progress: Vec<_> = members.iter().map(|it| it.progress.clone()).collect();
    let steps = checkpoint.members.iter().map(|it| it.state.step);
    let made: Vec<(u64, usize)> = steps.clone().zip(progress.iter().map(|it| it.epochs)).collect();
    let done = progress.iter().map(|it| it.epochs).min().unwrap_or(0);
    let broken = |failure: Failure| failure.and(&saved::told(run));
    let per_epoch = data.training.rows().div_ceil(config.train.batch_size.max(1)) as u64;
    let steps_to_make = per_epoch.saturating_mul(plan.epochs as u64);
    let every = config.train.log_every.unwrap_or_else(|| log::every(steps_to_make, made.len()));
    let log = log::Log::open(&run.metrics(), &tasks, every, &made);
    let events = match config.train.tensorboard {
        true => events(run, &made),
        false => Ok(Vec::new()),
    };
    let seen = members.into_iter().zip(steps).map(|(member, step)| Seen {
        paths: member.paths,
        step,
        record: None,
        epoch: None,
    });
    let now = Instant::now();
    let bar = watch::bar(name.as_deref(), plan.epochs, done, arguments.quiet);
    let mut onlooker = Onlooker {
        compiling: Compiling::begin(arguments, config, &bar),
        recipes,
        seen: seen.collect(),
        ended: Vec::new(),
        tasks,
        log: log.map_err(|error| broken(Failure::writing(&run.metrics(), &error)))?,
        events: events.map_err(|error| broken(Failure::at_run_time(error)))?,
        bar,
        quiet: arguments.quiet,
        epochs: plan.epochs,
        fingerprint: notes.fingerprint,
        before: notes.seconds,
        since: now,
        saved: now,
        save_every: Duration::from_secs_f64(arguments.checkpoint_every),
        said: None,
        name,
        run,
        encoder: &data.encoder,
        table: &data.trained_on,
        reading: config.data.read_options(),
    };
    let validation = data.validation.as_ref().map(|part| &part.data);
    let mut training = Run::resume(engine, validation, plan, &checkpoint, progress)?;
    if starts_linear {
        let judged = block_on(training.judge_start());
        judged.map_err(|error| saved::explain(error, config, data, run))?;
    }
    let end = block_on(training.run(&mut onlooker));
    // Where no step was made.
    onlooker.compiling = None;
    onlooker.bar.finish_and_clear();
    let end = end.map_err(|error| saved::explain(error, config, data, run))?;
    let results = block_on(finish::finish(training, &onlooker, data, baselines, adapter, config));
    Ok((end, results.map_err(broken)?))
}

/// TensorBoard's event files: in the run's directory, of several networks in a folder for each, which TensorBoard takes for runs.
fn events(run: &RunDir, made: &[(u64, usize)]) -> awl::Result<Vec<EventWriter>> {
    let of_member = |(member, (step, _)): (usize, &(u64, usize))| {
        let folder = match made.len() {
            1 => run.path().to_path_buf(),
            _ => run.path().join(format!("member-{member}")),
        };
        std::fs::create_dir_all(&folder)
            .map_err(|source| Error::File { path: folder.clone(), source })?;
        match step {
            0 => EventWriter::create(&folder),
            step => EventWriter::resume(&folder, *step),
        }
    };
    made.iter().enumerate().map(of_member).collect()
}
