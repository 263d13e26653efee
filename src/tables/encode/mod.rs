//! From tables to datasets: what is learned of each column from the training part alone, and applied to
//! every part.
//!
//! | column | becomes |
//! |---|---|
//! | feature, numbers | standardised, or on another [scale](Scale); missing: the mean or median, with an indicator if training had missing cells |
//! | feature, text | one input a category of the training part, and one for all that are [rare](EncoderOptions::rare); missing: all 0 |
//! | feature, the same in all of the training part | nothing, or whether it is missing |
//! | target of `mse`, `mae`, `huber`, `quantile` | [transformed](Transform) if asked, then standardised; both undone in answers |
//! | target of `poisson` | divided by its mean; predictions are logarithms |
//! | target of `bce` | two values: 0 and 1 |
//! | target of `cross_entropy` | the index of its class among the sorted classes |
//!
//! [`Encoder::decode`] goes back from predictions to classes and numbers in the column's unit.
//!
//! An [`Encoder`] is plain data. Of any part but the one it is fitted on it must know no more than what classes there are:
//! that the scores on the other parts are honest rests on this file.

mod category;
mod decode;
mod feature;
mod noise;
mod number;
mod sample_weights;
mod saved;
mod scale;
mod scaling;
mod spec;
mod target;
mod threshold;
mod yes_no;

pub use self::category::Rare;
pub use self::decode::Predicted;
pub use self::feature::{FeatureColumn, FeatureEncoding};
pub use self::number::{Curve, NumberEncoding, Transform};
pub use self::sample_weights::SampleWeights;
pub use self::scale::{FittedScale, Scale};
pub use self::scaling::Scaling;
pub use self::spec::{EncoderOptions, InferredLoss, TargetSpec};
pub use self::target::{LabelCounts, TargetColumn, TargetEncoding};
pub use self::threshold::LIKELIER;

pub(crate) use self::number::OUTERMOST;
pub(super) use self::scaling::are_one_number;
pub(crate) use self::scaling::is_rounding;
pub(crate) use self::target::Labels;
pub(crate) use self::threshold::{answer, cut};
pub(crate) use self::yes_no::spellings;

use super::Table;
use super::table::quoted;
use crate::data::{Dataset, Matrix, Target};
use crate::error::{Error, Result};
use crate::loss::{Loss, Task};
use crate::nearest::nearest;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// What keeps a feature or a task from being learned.
#[derive(Debug)]
pub struct Problem {
    /// The feature's column, or the task.
    pub name: String,
    /// Which of the two it is.
    pub is_task: bool,
    /// What is wrong, and the remedy.
    pub error: Error,
}

/// How the columns of a table become features and labels, learned from the training part.
///
/// ```
/// use awl::{Encoder, Loss, Table};
/// let text = "kind,length,weight\nowl,38,0.5\nhawk,54,1.1\nowl,40,NA\n";
/// let table = Table::from_csv("birds", text.as_bytes())?;
/// let targets = [("kind", Loss::cross_entropy()), ("weight", Loss::Mse)];
/// let encoder = Encoder::fit(&table, &["length"], &targets)?;
/// let data = encoder.encode(&table)?;
/// assert_eq!((data.rows(), encoder.features()), (3, 1));
/// assert_eq!(encoder.target("kind")?.classes().unwrap(), ["hawk", "owl"]);
/// # Ok::<(), awl::Error>(())
/// ```
///
/// An encoder may be written with [serde] and read again; one that no table could have given is refused then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "saved::Saved")]
pub struct Encoder {
    features: Vec<FeatureColumn>,
    targets: Vec<TargetColumn>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sample_weights: Option<SampleWeights>,
}

impl Encoder {
    /// Learns from the training part how these columns become features and, each with its loss, tasks.
    ///
    /// [`fit_with`](Self::fit_with) for tasks of several columns, losses to be chosen, or numbers left as they are.
    ///
    /// # Errors
    /// As [`fit_with`](Self::fit_with).
    pub fn fit(
        training: &Table,
        features: &[impl AsRef<str>],
        targets: &[(impl AsRef<str>, Loss)],
    ) -> Result<Self> {
        let spec = |(name, loss): &(_, Loss)| {
            TargetSpec::new(AsRef::<str>::as_ref(name)).with_loss(loss.clone())
        };
        let targets: Vec<TargetSpec> = targets.iter().map(spec).collect();
        Self::fit_with(training, features, &targets, EncoderOptions::default())
    }

    /// Learns from the training part how these columns become features and tasks.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a scale of numbers that are left as they are, no feature, no target, a column named twice, be it as a feature and as a target, two tasks
    /// of one name, a task without a column or whose columns no row has all of, or several columns for
    /// `cross_entropy`. [`Error::Table`], naming the column and the remedy, if the table lacks one (with the
    /// name that was probably meant), if one has no cell that is not missing or numbers too large to
    /// average, if a feature is text though most of its cells in the whole file are numbers (see
    /// [`Table::as_text`]), if no feature says anything, or if a target does not suit its loss:
    /// text where numbers are needed, only one value, more than two for `bce`, or for `cross_entropy` more than
    /// 1,024 classes or, from 21 on, fewer than two labels a class on average.
    pub fn fit_with(
        training: &Table,
        features: &[impl AsRef<str>],
        targets: &[TargetSpec],
        options: EncoderOptions,
    ) -> Result<Self> {
        let features: Vec<&str> = features.iter().map(AsRef::as_ref).collect();
        check_names(&features, targets)?;
        options.check()?;
        let columns = features.iter().map(|name| FeatureColumn::fit(training, name, options));
        let targets = targets.iter().map(|spec| TargetColumn::fit(training, spec, options));
        let encoder = Self {
            features: columns.collect::<Result<_>>()?,
            targets: targets.collect::<Result<_>>()?,
            sample_weights: None,
        };
        if encoder.features() == 0 {
            return Err(nothing_to_learn(training, &features, options));
        }
        Ok(encoder)
    }

    /// Everything that keeps these features and tasks from being learned, column by column and task by task, where
    /// [`fit_with`](Self::fit_with) tells of the first thing alone.
    ///
    /// # Errors
    /// Those of [`fit_with`](Self::fit_with) about names and options.
    pub fn problems(
        training: &Table,
        features: &[impl AsRef<str>],
        targets: &[TargetSpec],
        options: EncoderOptions,
    ) -> Result<Vec<Problem>> {
        let features: Vec<&str> = features.iter().map(AsRef::as_ref).collect();
        check_names(&features, targets)?;
        options.check()?;
        let mut problems = Vec::new();
        let mut note = |name: &str, is_task: bool, error: Option<Error>| {
            problems.extend(error.map(|error| Problem { name: name.into(), is_task, error }));
        };
        for name in features {
            note(name, false, FeatureColumn::fit(training, name, options).err());
        }
        for spec in targets {
            note(&spec.name, true, TargetColumn::fit(training, spec, options).err());
        }
        Ok(problems)
    }

    /// Number of inputs of the network.
    pub fn features(&self) -> usize {
        self.features.iter().map(FeatureColumn::width).sum()
    }

    /// A name for every input: `bill_length_mm`, `bill_length_mm=missing`, `island=Biscoe`, `island=rare`, …
    pub fn feature_names(&self) -> Vec<String> {
        let columns = self.features.iter();
        columns.flat_map(FeatureColumn::input_names).collect()
    }

    /// The feature columns, in the order of their inputs.
    pub fn feature_columns(&self) -> &[FeatureColumn] {
        &self.features
    }

    /// The tasks for a [`Network`](crate::Network), in the order of the targets.
    pub fn tasks(&self) -> Vec<Task> {
        self.targets.iter().map(TargetColumn::task).collect()
    }

    /// What each task predicts, in the order of the tasks.
    pub fn targets(&self) -> &[TargetColumn] {
        &self.targets
    }

    /// What the labels and predictions of a task mean: its classes, or its columns' means and standard deviations.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is no such task, with the name that was probably meant.
    pub fn target(&self, task: &str) -> Result<&TargetEncoding> {
        match self.targets.iter().find(|target| target.name == task) {
            Some(target) => Ok(&target.encoding),
            None => {
                let names: Vec<&str> = self.targets.iter().map(|t| t.name.as_str()).collect();
                let what = format!("there is no task \"{task}\"");
                Err(match nearest(task, names.iter().copied()) {
                    Some(meant) => Error::invalid(what, format!("did you mean \"{meant}\"?")),
                    None => Error::invalid(
                        what,
                        format!("the tasks are {}", quoted(names.iter().copied())),
                    ),
                })
            }
        }
    }

    /// The features and labels of a table: features `[rows, features]`, a target a task, with the rows' [weights](Self::weighted_by)
    /// where the table has them.
    ///
    /// # Errors
    /// [`Error::Table`], naming line, column and remedy, for a column that the table lacks, text where
    /// numbers are needed, a class that does not occur in the training part, or a number so far from the
    /// training part's that `f32` cannot hold it, or a row without a weight; [`Error::Invalid`] for a table without rows.
    pub fn encode(&self, table: &Table) -> Result<Dataset> {
        let targets = self.targets.iter().map(|target| target.encode(table));
        let targets = targets.collect::<Result<_>>()?;
        let targets = match &self.sample_weights {
            Some(weights) if table.has(&weights.column) => weights.weigh(table, targets)?,
            _ => targets,
        };
        Dataset::new(self.encode_features(table)?, targets)
    }

    /// The labels of every task of numbers, on the scale that is learned; `None` of classes, and of a task whose columns the table
    /// lacks or that hold what is no such number.
    pub fn encode_numbers(&self, table: &Table) -> Vec<Option<Target>> {
        let of_target = |target: &TargetColumn| {
            matches!(target.encoding, TargetEncoding::Numbers(_)).then(|| target.encode(table).ok())
        };
        self.targets.iter().map(|target| of_target(target).flatten()).collect()
    }

    /// The features of a table alone, shape `[rows, features]`: for rows whose labels are to be predicted.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn encode_features(&self, table: &Table) -> Result<Matrix> {
        let stride = self.features();
        let mut values = vec![0.0; table.rows() * stride];
        let mut offset = 0;
        for column in &self.features {
            column.write(table, &mut values, stride, offset)?;
            offset += column.width();
        }
        Matrix::new(stride, values)
    }

    /// The features that say nothing, since every cell of the training part is the same or a rare text, and none is missing. They
    /// make no input, so that another cell changes no answer.
    pub fn constant(&self) -> Vec<&str> {
        let says_nothing = |feature: &&FeatureColumn| feature.width() == 0;
        let constant = self.features.iter().filter(says_nothing);
        constant.map(|feature| feature.column.as_str()).collect()
    }

    /// The features of numbers that have cells in this table further from the training part's mean than this many standard
    /// deviations, with the number of such cells: the network has learned nothing of how things are there.
    ///
    /// # Errors
    /// [`Error::Table`] for a column that the table lacks, or that holds a text.
    pub fn beyond(&self, table: &Table, deviations: f64) -> Result<Vec<(&str, usize)>> {
        let counts = self
            .features
            .iter()
            .map(|column| Ok((column.column.as_str(), column.beyond(table, deviations)?)));
        counts.filter(|counted| !matches!(counted, Ok((_, 0)))).collect()
    }

    /// The text features without [rare](EncoderOptions::rare) categories that have cells in this table whose category did not
    /// occur in the training part, with the number of such cells; their inputs are all 0.
    ///
    /// # Errors
    /// [`Error::Table`] for a column that the table lacks.
    pub fn unseen(&self, table: &Table) -> Result<Vec<(&str, usize)>> {
        self.others(table, |feature| feature.rare().is_none())
    }

    /// The text features with [rare](EncoderOptions::rare) categories that have cells in this table whose category is rare or did
    /// not occur in the training part, with the number of such cells; they share an input.
    ///
    /// # Errors
    /// [`Error::Table`] for a column that the table lacks.
    pub fn rare(&self, table: &Table) -> Result<Vec<(&str, usize)>> {
        self.others(table, |feature| feature.rare().is_some())
    }

    /// Of those features that have cells whose category has no input of its own, the number of such cells.
    fn others(
        &self,
        table: &Table,
        is_meant: impl Fn(&FeatureColumn) -> bool,
    ) -> Result<Vec<(&str, usize)>> {
        let features = self.features.iter().filter(|feature| is_meant(feature));
        let counts = features.map(|it| Ok((it.column.as_str(), it.others(table)?)));
        counts.filter(|counted| !matches!(counted, Ok((_, 0)))).collect()
    }
}

/// Checks that there is a feature and a target, that tasks have names of their own, and that no column is named twice.
fn check_names(features: &[&str], targets: &[TargetSpec]) -> Result<()> {
    if features.is_empty() {
        return Err(Error::invalid(
            "no feature is named",
            "name at least one column to predict from",
        ));
    }
    if targets.is_empty() {
        return Err(Error::invalid("no target is named", "name at least one column to predict"));
    }
    if targets.iter().any(|target| target.name.is_empty()) {
        return Err(Error::invalid("a task has no name", "name every task"));
    }
    let columns = targets.iter().flat_map(|target| &target.columns);
    let columns: Vec<&str> = columns.map(String::as_str).collect();
    for (role, names) in [("feature", features), ("target", &columns)] {
        if let Some(name) = twice(names) {
            return Err(Error::invalid(
                format!("column \"{name}\" is named twice as a {role}"),
                "name it once",
            ));
        }
    }
    let tasks: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
    if let Some(name) = twice(&tasks) {
        return Err(Error::invalid(
            format!("two tasks are named \"{name}\""),
            "give each a name of its own",
        ));
    }
    match columns.iter().find(|target| features.contains(target)) {
        Some(name) => Err(Error::invalid(
            format!("column \"{name}\" is both a feature and a target"),
            "take it off the features, or the network is shown what it should predict",
        )),
        None => Ok(()),
    }
}

/// The first name that has come before.
fn twice<'a>(names: &[&'a str]) -> Option<&'a str> {
    let mut seen = HashSet::new();
    names.iter().copied().find(|&name| !seen.insert(name))
}

/// The scaling of a column of numbers; the standard deviation of a constant column is 0.
fn scaling(table: &Table, name: &str) -> Result<Scaling> {
    match Scaling::fit(&table.numbers(name)?) {
        None => Err(all_missing(table, name)),
        Some(scaling) if !(scaling.mean.is_finite() && scaling.std.is_finite()) => Err(table
            .error(format!(
                "the numbers of column \"{name}\" are too large to average: rescale them"
            ))),
        Some(scaling) => Ok(scaling),
    }
}

/// That no feature has an input.
fn nothing_to_learn(table: &Table, features: &[&str], options: EncoderOptions) -> Error {
    let says_one_thing = |name: &&str| table.column(name).is_ok_and(|it| it.says_one_thing());
    let named = quoted(features.iter().copied());
    if features.iter().all(says_one_thing) {
        let are = if features.len() == 1 { "is" } else { "are each" };
        return table.error(format!(
            "nothing can be learned from {named}, which {are} the same in every training row: name other features"
        ));
    }
    table.error(format!(
        "nothing can be learned from {named}: no text there is in {} training rows or more: name other features, or \
         keep rare texts apart (--rare 1; in Rust, EncoderOptions::rare)",
        options.rare
    ))
}

fn all_missing(table: &Table, name: &str) -> Error {
    table.error(format!(
        "every cell of column \"{name}\" in the training part is missing: leave the column out, or train \
         on rows that have it"
    ))
}

#[cfg(test)]
mod tests;
