//! `awl train`: from a table to a trained model in a run's directory.

mod arguments;
mod config;
mod data;
mod finish;
mod log;
mod recipe;
mod watch;

pub use self::arguments::Arguments;
use self::config::Config;
use self::data::Data;
use self::watch::{Notes, Onlooker};
use super::failure::Failure;
use super::run_dir::{self, RunDir};
use awl::engine::Engine;
use awl::report::tensorboard::EventWriter;
use awl::train::{Checkpoint, End, Plan, Run, Trainer};
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
    let data = Data::read(&mut config, &arguments.tasks)?;
    tell(arguments, &data);
    let (recipe, engine, adapter) = block_on(engine(&config, &data))?;
    let mut trainer = Trainer::new(engine);
    let state = block_on(recipe::start(&config, &mut trainer, &data.training))?;
    let notes = Notes {
        progress: Default::default(),
        fingerprint: data.fingerprint(),
        seconds: 0.0,
        start: state.sigma.clone(),
    };
    let checkpoint = Checkpoint { state, best: None, notes: json!(notes) };
    let files = [
        (run_dir::CONFIG, config.to_toml()?.into_bytes()),
        (run_dir::CHECKPOINT, checkpoint.to_bytes(&recipe)?),
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
    check_unchanged(&saved, &config)?;
    let data = Data::read(&mut config, &[])?;
    let file = run.checkpoint().display().to_string();
    let bytes = std::fs::read(run.checkpoint()).map_err(|error| format!("{file}: {error}"))?;
    let (recipe, engine, adapter) = block_on(engine(&config, &data))?;
    let checkpoint = Checkpoint::from_bytes(&file, &bytes, &recipe)?;
    let notes: Notes = serde_json::from_value(checkpoint.notes.clone())
        .map_err(|error| format!("{file}: its notes are not those of a run ({error})"))?;
    if notes.fingerprint != data.fingerprint() {
        return Err(Failure::input(format!(
            "{}: the rows are not those that the run was trained on: resume with the same file, or start a new run \
             with --init {}",
            config.data.path.as_deref().unwrap_or(path).display(),
            run.checkpoint().display()
        )));
    }
    run_dir::save(&run.config(), config.to_toml()?.as_bytes())?;
    train(arguments, Ready { run, config, data, engine, adapter, checkpoint, notes })
}

/// Checks that a run goes on as it began, but for how long it takes and where its rows lie.
fn check_unchanged(saved: &Config, config: &Config) -> Result<(), Failure> {
    let mut same = config.clone();
    same.data.path.clone_from(&saved.data.path);
    same.train.epochs = saved.train.epochs;
    same.train.patience = saved.train.patience;
    same.train.log_every = saved.train.log_every;
    same.train.tensorboard = saved.train.tensorboard;
    if same == *saved {
        return Ok(());
    }
    Err(Failure::input(
        "a run goes on as it began: with --resume only DATA, --epochs, --patience, --log-every and --tensorboard may be \
         given; for other changes start a new run, with --init from this one's model.safetensors if you like",
    ))
}

async fn engine(
    config: &Config,
    data: &Data,
) -> Result<(Recipe, Box<dyn Engine>, String), Failure> {
    let recipe = recipe::recipe(config, &data.encoder, data.training.rows())?;
    let (engine, adapter) = recipe::engine(config, recipe.clone(), &data.training).await?;
    Ok((recipe, engine, adapter))
}

/// Says what was chosen and what looks wrong.
fn tell(arguments: &Arguments, data: &Data) {
    if !arguments.quiet {
        data.choices.iter().for_each(|choice| eprintln!("{choice}"));
    }
    data.warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
}

fn train(arguments: &Arguments, ready: Ready) -> Result<ExitCode, Failure> {
    let Ready { run, config, data, engine, adapter, checkpoint, notes } = ready;
    let recipe = engine.recipe().clone();
    if !arguments.quiet {
        let rows = |part: &Option<awl::Dataset>| part.as_ref().map_or(0, awl::Dataset::rows);
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
    let plan = Plan {
        epochs: config.train.epochs,
        patience: (config.train.patience > 0).then_some(config.train.patience),
    };
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
    let mut onlooker = Onlooker {
        recipe,
        tasks,
        log: log.map_err(failed(run.metrics()))?,
        events: events.map_err(Failure::at_run_time)?,
        bar: watch::bar(plan.epochs, done, arguments.quiet),
        quiet: arguments.quiet,
        epochs: plan.epochs,
        fingerprint: notes.fingerprint,
        start: notes.start,
        before: notes.seconds,
        since: now,
        saved: now,
        save_every: Duration::from_secs_f64(arguments.checkpoint_every),
        said: None,
        last: None,
        last_epoch: None,
        run: &run,
        encoder: &data.encoder,
    };
    let validation = data.validation.as_ref();
    let mut training = Run::resume(engine, validation, plan, &checkpoint, notes.progress)?;
    let end = block_on(training.run(&mut onlooker));
    onlooker.bar.finish_and_clear();
    let end = end.map_err(|error| explain(error, &run))?;
    let results = block_on(finish::finish(training, &onlooker, &data, adapter))?;
    finish::show(arguments, &run, &data, &results)?;
    if end == End::Asked {
        eprintln!("stopped; go on with: awl train --resume {}", run.path().display());
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Why training broke off, and what is left of it.
fn explain(error: Error, run: &RunDir) -> Failure {
    match Failure::at_run_time(error) {
        Failure::Run(message) => Failure::Run(format!(
            "{message}\nthe last checkpoint is {}",
            run.checkpoint().display()
        )),
        failure => failure,
    }
}
