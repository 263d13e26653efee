//! From the configuration to datasets: reading, choosing losses and features, splitting, encoding; and telling of all that was
//! chosen or looks wrong, before a step is made.
//!
//! | file | what it does |
//! |---|---|
//! | `tasks` | tasks as the user names them, each with a loss |
//! | `spelling` | class labels that look like numbers |
//! | `balance` | class weights by which every class counts alike |
//! | `features` | which columns are predicted from, and which look wrong |
//! | `weights` | how much each row counts |
//! | `encoded` | what is lost of the features' cells as they become inputs |
//! | `split` | training, validation and test rows |
//! | `problems` | everything that keeps a table from being trained on, in one message |
//! | `labels` | how many labels each task has, and what the choice of the epoch rests on |

mod balance;
mod encoded;
mod features;
mod labels;
mod problems;
mod spelling;
mod split;
mod tasks;
mod weights;

use self::problems::Problems;
use super::Arguments;
use super::config::Config;
use super::folds;
use super::thresholds;
use crate::cli::failure::Failure;
use crate::cli::reading::columns;
use crate::cli::split_file::{PartName, SplitFile};
use awl::tables::{Decimal, NumberFormat, TargetSpec, name_list, possible_names};
use awl::train::Baselines;
use awl::{Dataset, Encoder, Table};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a run trains on, is validated on and is judged by.
pub struct Data {
    /// All rows.
    pub table: Table,
    pub encoder: Encoder,
    /// What is asked for of the answers between two classes.
    pub thresholds: Vec<thresholds::Rule>,
    /// Columns that were taken as text, whatever their cells.
    pub text: Vec<String>,
    /// How columns of numbers were written.
    pub formats: BTreeMap<String, NumberFormat>,
    pub training: Dataset,
    /// Where the rows of `training` are in the table.
    pub trained_on: Table,
    pub validation: Option<Part>,
    pub test: Option<Part>,
    /// Which part each row is in, and which column keeps rows together.
    pub split: SplitFile,
    pub group: Option<String>,
    /// Strengths of the linear models' penalties, where other rows chose them.
    pub penalties: Option<Vec<f64>>,
    pub told: Told,
}

/// Rows kept apart.
pub struct Part {
    pub table: Table,
    pub data: Dataset,
}

/// What the user is told before training, and `results.json` and the report after it.
#[derive(Clone, Default)]
pub struct Told {
    /// What was chosen for the user, a line each.
    pub choices: Vec<String>,
    /// What the user may not have meant, a line each.
    pub warnings: Vec<String>,
    /// Why each task has its loss, where that was chosen.
    pub reasons: BTreeMap<String, String>,
    /// Labels, missing cells and rows in figures.
    pub data: Value,
    /// What the rows and epochs of a [refit](super::refit) are, and of what its figures.
    pub refit: Option<String>,
}

/// A table with all that was chosen of it before its rows are split.
pub struct Source {
    pub table: Table,
    features: Vec<String>,
    specs: Vec<TargetSpec>,
    told: Told,
}

impl Source {
    /// Reads the table and chooses losses and features; whatever was left to choose is written into the configuration. What keeps
    /// tasks from being learned is not told yet: there may be more.
    pub fn read(config: &mut Config, arguments: &Arguments) -> Result<(Self, Problems), Failure> {
        let mut table = open(config, arguments)?;
        let mut told = Told { choices: table.reading().sentences(), ..Told::default() };
        if !arguments.tasks.is_empty() {
            let parsed = arguments.tasks.iter();
            let parsed = parsed.map(|text| super::task_flag::task(text, table.names()));
            config.task = parsed.collect::<Result<_, _>>()?;
        }
        if config.task.is_empty() {
            return Err(Failure::input(
                "no task is named: give --task COLUMN, or [[task]] in the configuration",
            ));
        }
        table = spelling::keep(table, config, &mut told)?;
        let mut problems = Problems::of(&table, config.task.len());
        let flags = &arguments.losses;
        let specs = tasks::specs(&mut config.task, &table, flags, &mut told, &mut problems)?;
        thresholds::ask(&mut config.task, &flags.threshold, &specs, &table)?;
        let features = features::features(config, &table, &mut told)?;
        told.warnings.extend(known_rows(config));
        Ok((Self { table, features, specs, told }, problems))
    }

    /// Tells of all that keeps the table from being learned from, however its rows are split.
    pub fn check(&self, config: &Config, problems: Problems) -> Result<(), Failure> {
        self.look(config, &self.table, problems)
    }

    fn look(
        &self,
        config: &Config,
        training: &Table,
        mut problems: Problems,
    ) -> Result<(), Failure> {
        problems.look(training, &self.features, &self.specs, config.data.encoder_options())?;
        problems.report()
    }

    /// The same for several splits, after [`check`](Self::check).
    pub fn split_anew(&self, config: &Config) -> Result<Data, Failure> {
        self.split(config, Problems::of(&self.table, config.task.len()))
    }

    /// Splits the rows and prepares them.
    pub fn split(&self, config: &Config, problems: Problems) -> Result<Data, Failure> {
        let mut told = self.told.clone();
        let parts = split::split(config, self.table.clone(), &self.specs, &mut told)?;
        if config.train.refit && parts[1].is_none() {
            return Err(Failure::input(
                "--refit makes as many epochs as the validation rows choose, and there are none: keep some (--validation), or \
                 leave it out",
            ));
        }
        self.prepare(config, parts, told, problems)
    }

    /// The same with the validation rows among those to train on.
    pub fn split_for_refit(&self, config: &Config) -> Result<Data, Failure> {
        let mut told = self.told.clone();
        let parts = split::split(config, self.table.clone(), &self.specs, &mut told)?;
        let parts = match parts {
            [Some(training), Some(validation), test] => {
                [Some(training.joined(&validation)?), None, test]
            }
            parts => parts,
        };
        self.prepare(config, parts, told, Problems::of(&self.table, config.task.len()))
    }

    /// Learns the encoding from the training rows, and encodes all parts.
    fn prepare(
        &self,
        config: &Config,
        [training, validation, test]: [Option<Table>; 3],
        mut told: Told,
        problems: Problems,
    ) -> Result<Data, Failure> {
        let Self { table, features, specs, .. } = self;
        let options = config.data.encoder_options();
        let training = training
            .ok_or_else(|| Failure::input("no row is for training: mark some with \"train\""))?;
        self.look(config, &training, problems)?;
        let encoder = Encoder::fit_with(&training, features, specs, options)?;
        let specs = specs.clone();
        let encoder =
            balance::balance(encoder, &config.task, &training, specs, options, &mut told)?;
        let encoder = weights::weigh(
            encoder,
            config.data.weight.as_deref(),
            &training,
            validation.as_ref(),
            &mut told,
        )?;
        let apart = [("validation", &validation), ("test", &test)];
        encoded::tell(&encoder, options, &training, apart, &mut told)?;
        let parts = labels::Parts {
            whole: table,
            training: &training,
            validation: validation.as_ref(),
            test: test.as_ref(),
        };
        labels::tell(&encoder, &parts, &config.data.missing, &mut told)?;
        let thresholds =
            thresholds::rules(&encoder, &config.task, &training, validation.as_ref(), &mut told)?;
        told.data["file"] = config.data.path.as_ref().map(|path| path.display().to_string()).into();
        told.data["reading"] = json!(table.reading());
        let part = |table: Option<Table>| -> Result<Option<Part>, Failure> {
            let Some(table) = table else { return Ok(None) };
            let data = encoder.encode(&table)?;
            Ok(Some(Part { table, data }))
        };
        let encoded = encoder.encode(&training)?;
        let [validation, test] = [part(validation)?, part(test)?];
        let mut parts = vec![(PartName::Train, &training, encoded.features())];
        let apart = [(PartName::Validation, &validation), (PartName::Test, &test)];
        let apart = apart.into_iter().filter_map(|(name, part)| Some((name, part.as_ref()?)));
        parts.extend(apart.map(|(name, part)| (name, &part.table, part.data.features())));
        Ok(Data {
            split: SplitFile::of(&parts),
            group: config.data.group.clone(),
            penalties: None,
            training: encoded,
            trained_on: training.places(),
            validation,
            test,
            text: config.data.text.clone(),
            formats: formats(table),
            table: table.clone(),
            encoder,
            thresholds,
            told,
        })
    }
}

/// What is said where runs that test on different rows start from the same weights.
fn known_rows(config: &Config) -> Option<String> {
    let init = config.train.init.as_ref()?.display();
    (folds::are_several(config) || config.data.fold.is_some()).then(|| {
        format!(
            "all runs start from {init}: if it was trained on rows of this table, runs are tested on rows that it has seen, and figures \
             are too good; take weights of other rows, or leave --init out"
        )
    })
}

impl Data {
    /// Reads the table and prepares it; whatever was left to choose is written into the configuration.
    pub fn read(config: &mut Config, arguments: &Arguments) -> Result<Self, Failure> {
        let (source, problems) = Source::read(config, arguments)?;
        source.split(config, problems)
    }

    /// What the networks should beat, fitted to the training rows.
    pub fn baselines(&self) -> awl::Result<Baselines> {
        let (tasks, validation) = (self.encoder.tasks(), self.validation.as_ref());
        match &self.penalties {
            Some(penalties) => Baselines::fit_with(&tasks, &self.training, penalties),
            None => Baselines::fit(&tasks, &self.training, validation.map(|part| &part.data)),
        }
    }

    /// Rows to train on, to validate and to test.
    pub fn sizes(&self) -> [usize; 3] {
        let rows = |part: &Option<Part>| part.as_ref().map_or(0, |part| part.data.rows());
        [self.training.rows(), rows(&self.validation), rows(&self.test)]
    }

    /// A number that changes when the rows, their order or their encoding do: FNV-1a of all that an engine is given.
    pub fn fingerprint(&self) -> String {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut add = |bytes: &[u8]| {
            for &byte in bytes {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        let validation = self.validation.as_ref().map(|part| &part.data);
        for part in [Some(&self.training), validation].into_iter().flatten() {
            part.features().values().iter().for_each(|value| add(&value.to_le_bytes()));
            for target in part.targets() {
                match target.values() {
                    awl::data::Values::Numbers(matrix) => {
                        matrix.values().iter().for_each(|value| add(&value.to_le_bytes()));
                    }
                    awl::data::Values::Classes(classes) => {
                        classes.iter().for_each(|class| add(&class.to_le_bytes()));
                    }
                }
                target
                    .sample_weights()
                    .into_iter()
                    .flatten()
                    .for_each(|weight| add(&weight.to_le_bytes()));
                target.mask().into_iter().flatten().for_each(|&labelled| add(&[labelled.into()]));
            }
        }
        format!("{hash:016x}")
    }
}

/// Checks that what stands before a word for missing cells, if anything does, is a column, and no slip.
fn check_words(words: &[String], table: &Table) -> Result<(), Failure> {
    for word in words {
        let Some((name, rest)) = word.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            continue;
        };
        let is_known = word.match_indices('=').any(|(at, _)| table.has(&word[..at]));
        let error = table.column(name).err().filter(|_| !is_known).map(|error| error.to_string());
        if let Some(error) = error.filter(|error| error.contains("did you mean")) {
            return Err(Failure::input(format!("{error} (--missing={name}={rest})")));
        }
    }
    Ok(())
}

/// How each column of numbers is written, plainly or for people.
fn formats(table: &Table) -> BTreeMap<String, NumberFormat> {
    let written = &table.reading().formats;
    let plain = || NumberFormat { decimal: Decimal::Point, grouped: false, sign: None };
    let numbers = table.names().iter().zip(table.columns()).filter(|(_, column)| !column.is_text());
    let format = |name: &String| written.get(name).map_or_else(plain, |(format, _)| format.clone());
    numbers.map(|(name, _)| (name.clone(), format(name))).collect()
}

/// Reads the table, and the lists of columns that only its names tell apart.
fn open(config: &mut Config, arguments: &Arguments) -> Result<Table, Failure> {
    let Some(path) = config.data.path.clone() else {
        return Err(Failure::input(
            "no table is named: give its file, or [data] path in the configuration",
        ));
    };
    let flags = &arguments.data_flags;
    let mut options = config.data.read_options();
    // Which columns are meant is known when the header is: until then, every one that may be.
    if let Some(lists) = &flags.text {
        options.text = lists.iter().flat_map(|list| possible_names(list)).collect();
    }
    options.written = spelling::labels(config, &arguments.tasks);
    let mut table = Table::open_with(&path, &options)?;
    check_words(&config.data.missing, &table)?;
    for (flag, lists, names) in [
        ("--ignore", &flags.ignore, &mut config.data.ignore),
        ("--text", &flags.text, &mut config.data.text),
    ] {
        if let Some(lists) = lists {
            *names = columns(flag, lists, &path, table.names())?;
        }
    }
    if let Some(lists) = &flags.features {
        config.data.features = Some(columns("--features", lists, &path, table.names())?);
    }
    for name in &config.data.text {
        table = table.as_text(name)?;
    }
    let data = &mut config.data;
    for name in
        [&mut data.split, &mut data.group, &mut data.time, &mut data.weight].into_iter().flatten()
    {
        // In quotes, as names with commas may stand elsewhere.
        if let (false, Ok([named])) = (table.has(name), name_list(name, table.names()).as_deref()) {
            name.clone_from(named);
        }
    }
    Ok(table)
}
