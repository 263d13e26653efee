//! `awl train --resume`: a run goes on from its last checkpoint, as it began.

use super::config::Config;
use super::data::Data;
use super::saved::Newest;
use super::watch::{MemberNotes, Notes};
use super::{Arguments, Ready, Started, compiling, conclude, foresee, plan, recipe, refit};
use crate::cli::failure::Failure;
use crate::cli::run_dir::{self, RunDir};
use crate::cli::terminal::printable;
use awl::durable;
use awl::train::{Checkpoint, End, Plan};
use pollster::block_on;
use std::path::Path;
use std::process::ExitCode;

/// Goes on with a run as if it had never stopped.
pub(super) fn run(arguments: &Arguments, path: &Path) -> Result<ExitCode, Failure> {
    let run = RunDir::open_to_go_on(path)?;
    let saved = Config::of_run(&run.config())?;
    let mut config = saved.clone();
    arguments.apply(&mut config)?;
    check_unchanged(arguments, &saved, &config)?;
    check_table(arguments, path, &config)?;
    if config.train.refit {
        return refit::resume(arguments, run, config);
    }
    let data = Data::read(&mut config, arguments)?;
    let ready = reopen(arguments, run, config, data, None)?;
    conclude(arguments, ready)
}

/// Takes up a run where its last checkpoint was.
pub(super) fn reopen(
    arguments: &Arguments,
    run: RunDir,
    config: Config,
    mut data: Data,
    name: Option<String>,
) -> Result<Ready, Failure> {
    let newest = Newest::find(&run)?;
    let file = &newest.file;
    newest.warning().iter().for_each(|warning| eprintln!("warning: {}", printable(warning)));
    let recipes = recipe::recipes(&config, &data.encoder, data.training.rows())?;
    foresee(&mut data, &recipes[0]);
    let make = || block_on(recipe::engine(&config, recipes.clone(), &data.training));
    let (engine, adapter) = compiling::told(arguments, &config, make)?;
    let checkpoint = Checkpoint::from_bytes(file, &newest.bytes, &recipes)?;
    let mut notes: Notes = serde_json::from_value(checkpoint.notes.clone())
        .map_err(|error| format!("{file}: its notes are not those of a run ({error})"))?;
    if notes.fingerprint != data.fingerprint() {
        return Err(Failure::input(format!(
            "{}: the rows are not those that the run was trained on: resume with the same file, or start a new run \
             with --init {file}",
            config.data.path.as_deref().unwrap_or(run.path()).display()
        )));
    }
    let mut members: Vec<MemberNotes> = notes.members.into();
    let made = members.iter().map(|it| it.progress.epochs).max().unwrap_or(0);
    if let Some(epochs) = arguments.train.epochs.filter(|epochs| *epochs < made) {
        return Err(Failure::input(format!(
            "--epochs {epochs}: the run has made {made} already: give as many or more, or leave it out"
        )));
    }
    if name.is_none() {
        go_on(arguments, &plan(&config), &mut members);
    }
    notes.members = members.into();
    if newest.damage.is_some() {
        // Else the next one would take the place of the only whole one.
        let restored = durable::rename(&run.previous_checkpoint(), &run.checkpoint());
        restored.map_err(|error| Failure::writing(&run.checkpoint(), &error))?;
    }
    run_dir::save(&run.config(), config.rooted().to_toml()?.as_bytes())?;
    let state = Started { engine, baselines: None, adapter, checkpoint, notes };
    Ok(Ready { run, config, data, state, name })
}

/// Checks that the table which a run was started with can be read again.
pub(in crate::cli) fn check_table(
    arguments: &Arguments,
    run: &Path,
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

/// Lets networks that were out of patience go on if that was asked for; says so if there is nothing to go on with.
fn go_on(arguments: &Arguments, plan: &Plan, members: &mut [MemberNotes]) {
    let epochs = members.iter().map(|it| it.progress.epochs).max().unwrap_or(0);
    let mut ends: Vec<_> = members.iter().map(|it| it.progress.end(plan)).collect();
    if arguments.train.epochs.is_some() {
        let mut renewed = 0;
        for (member, end) in members.iter_mut().zip(&mut ends) {
            if *end == Some(End::OutOfPatience) {
                member.progress.renew_patience();
                renewed += 1;
                *end = None;
            }
        }
        match (renewed, members.len()) {
            (0, _) => {}
            (_, 1) => eprintln!(
                "the run had stopped for want of patience after {epochs} epochs; patience counts anew from there"
            ),
            (renewed, members) => eprintln!(
                "{renewed} of {members} networks had stopped for want of patience; patience counts anew where each stopped"
            ),
        }
    }
    let last = match ends.iter().all(Option::is_some) {
        true => ends.iter().copied().max_by_key(|end| *end == Some(End::OutOfPatience)).flatten(),
        false => None,
    };
    match last {
        None => {}
        Some(End::OutOfPatience) => eprintln!(
            "the run has ended: {epochs} epochs are made, and the last of them brought no better validation score; \
             --epochs N goes on to N epochs, --patience 0 without stopping early"
        ),
        Some(_) => eprintln!(
            "the run has ended: all of its {epochs} epochs are made; --epochs N goes on to N"
        ),
    }
}

/// Checks that a run goes on as it began, but for how long it takes and where its rows lie.
fn check_unchanged(arguments: &Arguments, saved: &Config, config: &Config) -> Result<(), Failure> {
    let mut same = config.clone();
    same.data.path.clone_from(&saved.data.path);
    same.train.epochs = saved.train.epochs;
    same.train.patience = saved.train.patience;
    same.train.log_every = saved.train.log_every;
    same.train.tensorboard = saved.train.tensorboard;
    if same == *saved && !names_lists(arguments) {
        return Ok(());
    }
    Err(Failure::input(
        "a run goes on as it began: with --resume only DATA, --epochs, --patience, --log-every and --tensorboard may be \
         given; for other changes start a new run, with --init from this one's model.safetensors if you like",
    ))
}

/// Whether flags say which columns are what, or weigh classes: what the configuration does not show before the table is read.
pub(in crate::cli) fn names_lists(arguments: &Arguments) -> bool {
    let flags = &arguments.data_flags;
    [&flags.features, &flags.ignore, &flags.text].into_iter().any(Option::is_some)
        || arguments.losses.first().is_some()
        || !arguments.losses.threshold.is_empty()
}
