//! `awl compare`: which weighting for this table? From the table to `comparison.json`.
//!
//! | file | what it does |
//! |---|---|
//! | `arguments` | the flags |
//! | `plan` | what is compared, by how many runs: `plan.json` |
//! | `study` | a comparison that is ready to go on, and what each of its runs trains |
//! | `comparing` | all its runs, and what they come to |
//! | `tuning` | the runs that choose |
//! | `testing` | those that are tested |
//! | `facts` | what it says of its tasks, its rows, and how it was made |
//! | `job` | one run, and its file in `runs/` |
//! | `fleet` | runs of one shape, which train together |
//! | `watch` | curves and checkpoints while they do |
//! | `progress` | how far it is, and how long it will take |
//! | `cost` | what a step of each takes |
//! | `rules` | what is compared by what, in words |
//! | `text` | the tables for people |

mod arguments;
mod comparing;
mod cost;
mod facts;
mod fleet;
mod job;
mod plan;
mod progress;
mod rules;
mod study;
mod testing;
mod text;
mod tuning;
mod watch;

pub use self::arguments::Arguments;
use self::plan::Plan;
use self::study::Study;
use super::failure::Failure;
use super::run_dir::{self, RunDir};
use crate::cli::terminal::printable;
use crate::cli::train::config::Config;
use crate::cli::train::data::Data;
use crate::cli::train::{self, watch::heed_interrupts};
use awl::Error;
use awl::compare::Comparison;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Compares, or goes on with a comparison.
pub fn run(arguments: &Arguments) -> ExitCode {
    let outcome = match &arguments.resume {
        Some(path) => resume(arguments, path),
        None => start(arguments),
    };
    outcome.unwrap_or_else(|failure| failure.report())
}

/// Why a comparison did not come to its end.
enum Stopped {
    /// Ctrl-C.
    Asked,
    Failed(Failure),
    /// An engine, or what it was given.
    Engine(Error),
}

impl Stopped {
    fn of(error: Error) -> Self {
        Self::Engine(error)
    }
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What the plan is saved as: what makes a directory that of a comparison.
const PLAN: &str = "plan.json";
const COMPARISON: &str = "comparison.json";
const PAGE: &str = "comparison.html";

fn start(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut config = arguments.configured()?;
    let out = arguments.out.clone().unwrap_or_else(free_name);
    // Before anything that takes long.
    run_dir::check_free(&out).map_err(|failure| match failure {
        Failure::Input(_) if out.join(PLAN).exists() => Failure::input(format!(
            "{}: it exists: name another with --out, or go on with `awl compare --resume {}`",
            out.display(),
            out.display()
        )),
        failure => failure,
    })?;
    let mut plan = Plan::new(arguments, config.train.seed)?;
    let flags = arguments.as_train();
    let data = Data::read(&mut config, &flags)?;
    check(&data)?;
    arguments.fit_to(&mut config, data.training.rows());
    if config.train.epochs == 0 {
        return Err(Failure::input("--epochs 0: nothing would be trained: give 1 or more"));
    }
    train::tell(&flags, &data);
    plan.fingerprint = data.fingerprint();
    plan.choices.clone_from(&data.told.choices);
    plan.warnings.clone_from(&data.told.warnings);
    let as_bytes = |error| Failure::Run(format!("{PLAN}: {error}"));
    let study = Study::new(arguments, config, &plan, data)?;
    let files = [
        (run_dir::CONFIG, study.config.rooted().to_toml()?.into_bytes()),
        (run_dir::SPLIT, study.data.split.to_bytes()),
        (PLAN, serde_json::to_vec_pretty(&plan).map_err(|error| as_bytes(error.to_string()))?),
    ];
    let directory = RunDir::create(&out, &files)?;
    go(arguments, study.within(directory))
}

fn resume(arguments: &Arguments, path: &Path) -> Result<ExitCode, Failure> {
    arguments.check()?;
    let file = path.join(PLAN);
    let Ok(plan) = std::fs::read(&file) else {
        return Err(Failure::input(format!(
            "{}: it has no {PLAN}: name the directory of a comparison that `awl compare` made",
            path.display()
        )));
    };
    let plan: Plan = serde_json::from_slice(&plan)
        .map_err(|error| Failure::input(format!("{}: {error}: start anew", file.display())))?;
    let directory = RunDir::open_to_go_on(path)?;
    let saved = Config::of_run(&directory.config())?;
    let mut config = saved.clone();
    let flags = arguments.as_train();
    flags.apply(&mut config)?;
    let mut same = config.clone();
    same.data.path.clone_from(&saved.data.path);
    if same != saved || train::resume::names_lists(&flags) {
        return Err(Failure::input(
            "a comparison goes on as it began: with --resume only DATA may be given; for other changes start anew",
        ));
    }
    train::resume::check_table(&flags, path, &config)?;
    let data = Data::read(&mut config, &flags)?;
    check(&data)?;
    let split = std::fs::read(directory.split()).unwrap_or_default();
    if data.fingerprint() != plan.fingerprint || split != data.split.to_bytes() {
        return Err(Failure::input(format!(
            "{}: the rows are not those that the comparison began with: resume with the same file, or start anew",
            data.table.name()
        )));
    }
    go(arguments, Study::new(arguments, config, &plan, data)?.within(directory))
}

/// Checks that there is something to compare, to choose by and to test on.
fn check(data: &Data) -> Result<(), Failure> {
    let tasks = data.encoder.targets();
    if let [only] = tasks {
        return Err(Failure::input(format!(
            "\"{}\" is the only task, and with one there is nothing to weigh: give --task twice at least, or train it with `awl train`",
            only.name
        )));
    }
    let lacking = [
        (
            data.validation.is_none(),
            "validate",
            "choose learning rates and epochs by (--validation 0.15)",
        ),
        (data.test.is_none(), "test", "compare on (--test 0.15)"),
    ];
    match lacking.into_iter().find(|(is_lacking, ..)| *is_lacking) {
        Some((_, part, what)) => Err(Failure::input(format!(
            "{}: there are no rows to {part}, and a comparison needs some to {what}",
            data.table.name()
        ))),
        None => Ok(()),
    }
}

fn go(arguments: &Arguments, mut study: Study<'_>) -> Result<ExitCode, Failure> {
    heed_interrupts();
    let outcome = study.compare();
    study.tally.clear();
    let path = study.directory.path().to_path_buf();
    let comparison = match outcome {
        Ok(comparison) => comparison,
        Err(Stopped::Asked) => {
            eprintln!("stopped; go on with: awl compare --resume {}", path.display());
            return Ok(ExitCode::FAILURE);
        }
        Err(Stopped::Failed(failure)) => return Err(failure.and(&left(&path))),
        Err(Stopped::Engine(error)) => return Err(Failure::at_run_time(error).and(&left(&path))),
    };
    let json = serde_json::to_string_pretty(&comparison)
        .map_err(|error| Failure::Run(format!("{COMPARISON}: {error}")))?;
    run_dir::save(&path.join(COMPARISON), format!("{json}\n").as_bytes())?;
    let page = awl::report::comparison_html(&comparison);
    run_dir::save(&path.join(PAGE), page.as_bytes())?;
    show(arguments, &path, &comparison, &json);
    Ok(ExitCode::SUCCESS)
}

/// What is left of a comparison that broke off, and how to go on.
fn left(path: &Path) -> String {
    format!("the runs that are done are saved; go on with: awl compare --resume {}", path.display())
}

fn show(arguments: &Arguments, path: &Path, comparison: &Comparison, json: &str) {
    if !arguments.json {
        comparison.warnings.iter().for_each(|it| eprintln!("warning: {}", printable(it)));
    }
    let mut out = std::io::stdout().lock();
    // A reader who has seen enough closes the pipe; that is no failure.
    let _ = match arguments.json {
        true => writeln!(out, "{json}"),
        false => write!(out, "{}", printable(&text::text(comparison, path))),
    };
}

/// `comparison`, or the first of `comparison-2`, … that is free.
fn free_name() -> PathBuf {
    let mut name = PathBuf::from("comparison");
    let mut number = 2u64;
    while name.exists() {
        name = format!("comparison-{number}").into();
        number += 1;
    }
    name
}
