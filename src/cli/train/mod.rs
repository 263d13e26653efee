//! `awl train`: from a table to a trained model in a run's directory.

mod arguments;
mod compiling;
mod config;
mod data;
mod finish;
mod log;
mod recipe;
mod watch;

pub use self::arguments::Arguments;
use self::compiling::Compiling;
use self::config::Config;
use self::data::Data;
use self::watch::{Notes, Onlooker};
use super::failure::Failure;
use super::rows_seen::RowsSeen;
use super::run_dir::{self, RunDir};
use awl::engine::Engine;
use awl::report::tensorboard::EventWriter;
use awl::train::{Checkpoint, End, Plan, Progress, Run, SigmaPath, Trainer};
use awl::{Error, Recipe};
use pollster::block_on;
use serde_json::json;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Trains, or goes on with a run.
pub fn run(arguments: &Arguments) -> ExitCode {
    let outcome = match &arguments.resume {
        Some(path) => resume(arguments, path),
        None => start(arguments),
    };
    outcome.unwrap_or_else(|failure| failure.report())
}

/// A run that is ready to go on.
struct Ready {
    run: RunDir,
    config: Config,
    data: Data,
    engine: Box<dyn Engine>,
    adapter: String,
    checkpoint: Checkpoint,
    notes: Notes,
}

fn start(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut config = match &arguments.config {
        Some(path) => Config::read(path)?,
        None => Config::default(),
    };
    arguments.apply(&mut config)?;
    let out = arguments.out.clone().unwrap_or_else(run_dir::free_name);
    // Before anything that takes long.
    run_dir::check_free(&out)?;
    let mut data = Data::read(&mut config, arguments)?;
    let recipe = recipe::recipe(&config, &data.encoder, data.training.rows())?;
    foresee(&mut data, &recipe);
    tell(arguments, &data);
    let make = async || {
        let (engine, adapter) = recipe::engine(&config, recipe.clone(), &data.training).await?;
        let mut trainer = Trainer::new(engine);
        let state = recipe::start(&config, &mut trainer, &data.training).await?;
        Ok::<_, Failure>((trainer, adapter, state))
    };
    let (trainer, adapter, state) = compiling::told(arguments, &config, || block_on(make()))?;
    let sigma = |parameter| recipe.weighting.sigma(parameter).unwrap_or(parameter);
    let notes = Notes {
        progress: Default::default(),
        fingerprint: data.fingerprint(),
        seconds: 0.0,
        paths: state.sigma.iter().map(|&start| SigmaPath::new(sigma(start))).collect(),
    };
    let checkpoint = Checkpoint { state, best: None, notes: json!(notes) };
    let apart: Vec<_> = data.validation.iter().chain(&data.test).map(|part| &part.data).collect();
    let seen = RowsSeen::of(&data.training, &apart);
    if seen.natural() >= MANY_EQUAL && !seen.needs_labels() {
        let share = 100.0 * seen.natural();
        let told = format!(
            "{share:.0} % of the rows kept apart have the same features as training rows: figures of repeated rows are better than of \
             new ones"
        );
        eprintln!("warning: {told}");
        data.told.warnings.push(told);
    }
    let files = [
        (run_dir::CONFIG, config.rooted().to_toml()?.into_bytes()),
        (run_dir::CHECKPOINT, checkpoint.to_bytes(&recipe)?),
        (run_dir::ROWS_SEEN, seen.to_bytes()),
    ];
    let run = RunDir::create(&out, &files)?;
    train(
        arguments,
        Ready { run, config, data, engine: trainer.into_engine(), adapter, checkpoint, notes },
    )
}

fn resume(arguments: &Arguments, path: &std::path::Path) -> Result<ExitCode, Failure> {
    let run = RunDir::open(path)?;
    let saved = Config::read(&run.config())?;
    let mut config = saved.clone();
    arguments.apply(&mut config)?;
    check_unchanged(arguments, &saved, &config)?;
    check_table(arguments, path, &config)?;
    let mut data = Data::read(&mut config, arguments)?;
    let file = run.checkpoint().display().to_string();
    let bytes = std::fs::read(run.checkpoint()).map_err(|error| format!("{file}: {error}"))?;
    let recipe = recipe::recipe(&config, &data.encoder, data.training.rows())?;
    foresee(&mut data, &recipe);
    let make = || block_on(recipe::engine(&config, recipe.clone(), &data.training));
    let (engine, adapter) = compiling::told(arguments, &config, make)?;
    let checkpoint = Checkpoint::from_bytes(&file, &bytes, &recipe)?;
    let mut notes: Notes = serde_json::from_value(checkpoint.notes.clone())
        .map_err(|error| format!("{file}: its notes are not those of a run ({error})"))?;
    if notes.fingerprint != data.fingerprint() {
        return Err(Failure::input(format!(
            "{}: the rows are not those that the run was trained on: resume with the same file, or start a new run \
             with --init {}",
            config.data.path.as_deref().unwrap_or(path).display(),
            run.checkpoint().display()
        )));
    }
    go_on(arguments, &plan(&config), &mut notes.progress);
    run_dir::save(&run.config(), config.rooted().to_toml()?.as_bytes())?;
    train(arguments, Ready { run, config, data, engine, adapter, checkpoint, notes })
}

/// Checks that the table which a run was started with can be read again.
fn check_table(
    arguments: &Arguments,
    run: &std::path::Path,
    config: &Config,
) -> Result<(), Failure> {
    let Some(path) = config.data.path.as_ref().filter(|_| arguments.data.is_none()) else {
        return Ok(());
    };
    let problem = if path.as_os_str() == "-" {
        "the run's table came from standard input".into()
    } else if !path.exists() {
        format!("the run's table, {}, is not there any more", path.display())
    } else {
        return Ok(());
    };
    Err(Failure::input(format!(
        "{problem}: name the file with the same rows, awl train --resume {} DATA",
        run.display()
    )))
}

/// A share of rows kept apart that equal training rows is told of from here on: a few may be so by chance.
const MANY_EQUAL: f64 = 0.1;

/// Lets a run that was out of patience go on if it was asked to; says so if there is nothing to go on with.
fn go_on(arguments: &Arguments, plan: &Plan, progress: &mut Progress) {
    let epochs = progress.epochs;
    match progress.end(plan) {
        None => {}
        Some(End::OutOfPatience) if arguments.train.epochs.is_some() => {
            progress.renew_patience();
            eprintln!(
                "the run had stopped for want of patience after {epochs} epochs; patience counts anew from there"
            );
        }
        Some(End::OutOfPatience) => eprintln!(
            "the run has ended: {epochs} epochs are made, and the last of them brought no better validation score; \
             --epochs N goes on to N epochs, --patience 0 without stopping early"
        ),
        Some(_) => eprintln!(
            "the run has ended: all of its {epochs} epochs are made; --epochs N goes on to N"
        ),
    }
}

/// What the configuration says of how long to train.
fn plan(config: &Config) -> Plan {
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
}

/// Checks that a run goes on as it began, but for how long it takes and where its rows lie.
fn check_unchanged(arguments: &Arguments, saved: &Config, config: &Config) -> Result<(), Failure> {
    let flags = &arguments.data_flags;
    let lists = [&flags.features, &flags.ignore, &flags.text].into_iter().any(Option::is_some);
    let mut same = config.clone();
    same.data.path.clone_from(&saved.data.path);
    same.train.epochs = saved.train.epochs;
    same.train.patience = saved.train.patience;
    same.train.log_every = saved.train.log_every;
    same.train.tensorboard = saved.train.tensorboard;
    if same == *saved && !lists {
        return Ok(());
    }
    Err(Failure::input(
        "a run goes on as it began: with --resume only DATA, --epochs, --patience, --log-every and --tensorboard may be \
         given; for other changes start a new run, with --init from this one's model.safetensors if you like",
    ))
}

/// Says what was chosen and what looks wrong.
fn tell(arguments: &Arguments, data: &Data) {
    if !arguments.quiet {
        data.told.choices.iter().for_each(|choice| eprintln!("{choice}"));
    }
    data.told.warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
}

fn train(arguments: &Arguments, ready: Ready) -> Result<ExitCode, Failure> {
    let Ready { run, config, data, engine, adapter, checkpoint, notes } = ready;
    let recipe = engine.recipe().clone();
    if !arguments.quiet {
        let rows = |part: &Option<data::Part>| part.as_ref().map_or(0, |part| part.data.rows());
        eprintln!(
            "{} rows to train on, {} to validate, {} to test; {} parameters; on {adapter}; into {}",
            data.training.rows(),
            rows(&data.validation),
            rows(&data.test),
            recipe.network.parameter_count(),
            run.path().display()
        );
    }
    watch::heed_interrupts();
    let tasks: Vec<String> = recipe.network.tasks().iter().map(|task| task.name.clone()).collect();
    let plan = plan(&config);
    let done = notes.progress.epochs;
    let failed = |path: std::path::PathBuf| move |error| Failure::writing(&path, &error);
    let log =
        log::Log::open(&run.metrics(), &tasks, config.train.log_every, checkpoint.state.step, done);
    let events = match (config.train.tensorboard, checkpoint.state.step) {
        (false, _) => None,
        (true, 0) => Some(EventWriter::create(run.path())),
        (true, step) => Some(EventWriter::resume(run.path(), step)),
    };
    let events = events.transpose();
    let now = Instant::now();
    let bar = watch::bar(plan.epochs, done, arguments.quiet);
    let mut onlooker = Onlooker {
        compiling: Compiling::begin(arguments, &config, &bar),
        recipe,
        tasks,
        log: log.map_err(failed(run.metrics()))?,
        events: events.map_err(Failure::at_run_time)?,
        bar,
        quiet: arguments.quiet,
        epochs: plan.epochs,
        fingerprint: notes.fingerprint,
        paths: notes.paths,
        before: notes.seconds,
        since: now,
        saved: now,
        save_every: Duration::from_secs_f64(arguments.checkpoint_every),
        said: None,
        last: None,
        last_epoch: None,
        run: &run,
        encoder: &data.encoder,
        reading: config.data.read_options(),
    };
    let validation = data.validation.as_ref().map(|part| &part.data);
    let mut training = Run::resume(engine, validation, plan, &checkpoint, notes.progress)?;
    let end = block_on(training.run(&mut onlooker));
    // Where no step was made.
    onlooker.compiling = None;
    onlooker.bar.finish_and_clear();
    let end = end.map_err(|error| explain(error, &config, &run))?;
    let results = block_on(finish::finish(training, &onlooker, &data, adapter))?;
    finish::show(arguments, &run, &data, &results)?;
    if let Some(diverged) = results.diverged {
        return Err(Failure::Run(diverged));
    }
    if end == End::Asked {
        eprintln!("stopped; go on with: awl train --resume {}", run.path().display());
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Why training broke off, and what is left of it.
fn explain(error: Error, config: &Config, run: &RunDir) -> Failure {
    let is_infinite =
        matches!(error, Error::NonFiniteLoss { .. } | Error::NonFiniteGradient { .. });
    let remedy = match is_infinite && !config.data.standardize {
        true => ", or standardise features and targets (without --no-standardize)",
        false => "",
    };
    Failure::Run(format!("{error}{remedy}\nthe last checkpoint is {}", run.checkpoint().display()))
}
