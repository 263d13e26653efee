//! Cross-validation and repeated splits: several runs of one command, each in a directory of its own, and what they come to together.
//!
//! | file | what it does |
//! |---|---|
//! | `places` | which runs there are, and `folds.csv` |
//! | `rows` | `out_of_fold.csv`: each row's labels, and the answers of the run that it was kept from |
//! | `spread` | a figure of every run, with mean and standard deviation |
//! | `figures` | `results.json`: the figures of all runs |
//! | `pooled` | … and of all tested rows together |
//! | `sentences` | what many runs were told, said once |
//! | `text` | the same for people |
//!
//! A run is begun, trained and judged as one alone is. It is done when its `out_of_fold.csv` is there.

mod figures;
mod places;
mod pooled;
mod rows;
mod sentences;
mod spread;
mod text;

use self::places::Place;
pub use self::places::are_several;
use super::config::Config;
use super::data::{Data, Source};
use super::{Arguments, Ready, begin, finish, resume, train, watch};
use crate::cli::failure::Failure;
use crate::cli::run_dir::{self, RunDir};
use crate::cli::scores;
use crate::cli::terminal::printable;
use awl::train::End;
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Whether the directory is that of several runs.
pub fn is_one(path: &Path) -> bool {
    path.join(run_dir::FOLDS).exists()
}

/// All that is known before the first run is trained.
struct Plan {
    config: Config,
    source: Source,
    places: Vec<Place>,
    /// Of each run.
    foreseen: Vec<Foreseen>,
}

/// What is known of a run before it is trained.
pub struct Foreseen {
    pub sizes: [usize; 3],
    fingerprint: String,
    choices: Vec<String>,
    warnings: Vec<String>,
}

impl Plan {
    /// Splits the table for every run, so that what keeps one of them from being trained is known before the first.
    fn new(arguments: &Arguments, mut config: Config) -> Result<Self, Failure> {
        let places = places::places(&config)?;
        let (source, problems) = Source::read(&mut config, arguments)?;
        source.check(&config, problems)?;
        let foresee = |place: &Place| {
            let data = source.split_anew(&place.config(&config));
            let data = data.map_err(|failure| failure.of(&place.name))?;
            let (sizes, fingerprint) = (data.sizes(), data.fingerprint());
            let (choices, warnings) = (data.told.choices, data.told.warnings);
            Ok::<_, Failure>(Foreseen { sizes, fingerprint, choices, warnings })
        };
        let foreseen = places.iter().map(foresee).collect::<Result<_, _>>()?;
        Ok(Self { config, source, places, foreseen })
    }

    /// What looks wrong with the table, or with some of the splits.
    fn warnings(&self) -> Vec<String> {
        let of_runs = self.places.iter().zip(&self.foreseen);
        sentences::together(of_runs.map(|(place, it)| (place.directory.as_str(), &it.warnings[..])))
    }

    fn tell(&self, arguments: &Arguments) {
        if !arguments.quiet {
            let first = self.foreseen.first().into_iter();
            first.flat_map(|it| &it.choices).for_each(|choice| eprintln!("{}", printable(choice)));
        }
        self.warnings().iter().for_each(|warning| eprintln!("warning: {}", printable(warning)));
    }

    /// `folds.csv`
    fn to_csv(&self) -> String {
        let of_runs = self.places.iter().zip(&self.foreseen);
        places::to_csv(of_runs.map(|(place, it)| (place, it.sizes, it.fingerprint.as_str())))
    }
}

/// Trains all runs into a new directory.
pub fn start(arguments: &Arguments, config: Config, out: &Path) -> Result<ExitCode, Failure> {
    let plan = Plan::new(arguments, config)?;
    plan.tell(arguments);
    let files = [
        (run_dir::CONFIG, plan.config.rooted().to_toml()?.into_bytes()),
        (run_dir::FOLDS, plan.to_csv().into_bytes()),
    ];
    let all = RunDir::create(out, &files)?;
    go(arguments, &plan, &all)
}

/// Goes on with the run that was not done, and makes those that were not begun.
pub fn resume(arguments: &Arguments, path: &Path) -> Result<ExitCode, Failure> {
    let all = RunDir::open_to_go_on(path)?;
    let saved = Config::of_run(&all.config())?;
    let mut config = saved.clone();
    arguments.apply(&mut config)?;
    let mut same = config.clone();
    same.data.path.clone_from(&saved.data.path);
    if same != saved || resume::names_lists(arguments) {
        return Err(Failure::input(
            "several runs of one command go on as they began: with --resume only DATA may be given; for other changes start anew",
        ));
    }
    resume::check_table(arguments, path, &config)?;
    let plan = Plan::new(arguments, config)?;
    let file = path.join(run_dir::FOLDS);
    let known = std::fs::read_to_string(&file);
    if known.map_err(|error| format!("{}: {error}", file.display()))? != plan.to_csv() {
        return Err(Failure::input(format!(
            "{}: the rows are not those that the runs were trained on: resume with the same file, or start anew",
            plan.source.table.name()
        )));
    }
    plan.tell(arguments);
    go(arguments, &plan, &all)
}

/// Makes the runs that are not done, and says what all come to.
fn go(arguments: &Arguments, plan: &Plan, all: &RunDir) -> Result<ExitCode, Failure> {
    for (done, place) in plan.places.iter().enumerate() {
        let path = all.path().join(&place.directory);
        let config = place.config(&plan.config);
        if rows::are_in(&path) {
            check_same(&path, &config)?;
            continue;
        }
        let is_done = !watch::is_interrupted()
            && one(arguments, plan, place, config, all)
                .map_err(|failure| failure.of(&place.name))?;
        if !is_done {
            let (of, all) = (plan.places.len(), all.path().display());
            eprintln!(
                "stopped in {}; {done} of {of} runs are done, each in its directory in {all}, and figures of all are not there \
                 yet; go on with: awl train --resume {all}",
                place.name
            );
            return Ok(ExitCode::FAILURE);
        }
    }
    let figures = figures::Figures::gather(all, &plan.config, &plan.places)?;
    let told = plan.warnings();
    let new = figures.warnings.iter().filter(|warning| !told.contains(warning));
    new.for_each(|warning| eprintln!("warning: {}", printable(warning)));
    let mut json = figures.json();
    run_dir::save(&all.results(), format!("{json:#}\n").as_bytes())?;
    let mut out = std::io::stdout().lock();
    // A reader who has seen enough closes the pipe; that is no failure.
    let _ = if arguments.json {
        json["run"] = Value::from(all.path().display().to_string());
        writeln!(out, "{json:#}")
    } else {
        write!(out, "{}", text::text(all, &figures))
    };
    Ok(ExitCode::SUCCESS)
}

/// Makes one run, or ends it; whether it is done.
fn one(
    arguments: &Arguments,
    plan: &Plan,
    place: &Place,
    config: Config,
    all: &RunDir,
) -> Result<bool, Failure> {
    let path = &all.path().join(&place.directory);
    let data = plan.source.split_anew(&config)?;
    let name = Some(place.name.clone());
    let ready = match path.exists() {
        true => resume::reopen(arguments, RunDir::open_to_go_on(path)?, config, data, name)?,
        false => begin(arguments, config, data, path, name)?,
    };
    let Ready { run, config, data, state, name } = ready;
    let run = run.part_of(all);
    let (end, results) = train(arguments, &run, &config, super::plan(&config), &data, state, name)?;
    if let Some(diverged) = results.diverged {
        return Err(Failure::Run(diverged));
    }
    if end == End::Asked {
        return Ok(false);
    }
    rows::save(&run, place, &data, &results.judged)?;
    if !arguments.quiet {
        eprintln!("{}: {}", place.name, printable(&brief(&results)));
    }
    Ok(true)
}

/// What a run comes to on its test rows, in a line.
fn brief(results: &finish::Results<'_>) -> String {
    let judged = &results.judged;
    judged
        .parts
        .last()
        .map_or(String::new(), |last| scores::brief(&judged.encoder, &last.judgements))
}

/// Checks that a run which is done is the one that is meant: it can be gone on with alone.
fn check_same(path: &Path, config: &Config) -> Result<(), Failure> {
    let mut found = Config::of_run(&RunDir::open(path)?.config())?;
    let expected = config.rooted();
    found.data.path.clone_from(&expected.data.path);
    match found == expected {
        true => Ok(()),
        false => Err(Failure::input(format!(
            "{}: this run was gone on with by itself, and is not like the others any more: start anew",
            path.display()
        ))),
    }
}

/// The first run's data with what all are told, and the sizes of every run's parts; for `awl describe`.
pub fn describe(arguments: &Arguments, config: Config) -> Result<(Data, Vec<Sizes>), Failure> {
    let plan = Plan::new(arguments, config)?;
    let first = plan.places.first().map_or(plan.config.clone(), |place| place.config(&plan.config));
    let mut data = plan.source.split_anew(&first)?;
    data.told.warnings = plan.warnings();
    let names = plan.places.into_iter().map(|place| place.directory);
    Ok((data, names.zip(plan.foreseen.into_iter().map(|it| it.sizes)).collect()))
}

/// A run's directory, and its rows to train on, to validate and to test.
pub type Sizes = (String, [usize; 3]);
