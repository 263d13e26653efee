//! Where a run's rows come from, and which columns and rows serve for what: `[data]`.

use super::Train;
use awl::tables::{Decimal, EncoderOptions, ReadOptions, Scale};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where the rows come from, and which columns and rows serve for what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Data {
    /// A table's file; `-` is standard input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Feature columns; all that are neither tasks nor ignored if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub features: Option<Vec<String>>,
    /// Columns to leave out.
    pub ignore: Vec<String>,
    /// Columns of numbers to be taken as text: codes, not quantities.
    pub text: Vec<String>,
    /// Words for missing cells beside the usual ones; an empty one takes those away.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// What stands between the cells; recognised if left out, as are the next two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub separator: Option<char>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// A column with `train`, `validation` or `test` in each row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// A column whose equal cells keep their rows in one part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// A column of times: the newest rows are for the test, then come those for validation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// A column that says how much each row counts in the losses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
    /// The seed of the split; that of the training if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split_seed: Option<u64>,
    /// Parts of which each is tested on once: the whole of a cross-validation, or with `fold` the run that tests that one, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folds: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<usize>,
    /// How often all of it is done, with seeds of the split that follow one another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeats: Option<usize>,
    /// Fractions of the rows, where no column splits them; as many for testing as for validation if left out.
    pub validation: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<f64>,
    /// Whether numbers are standardised.
    pub standardize: bool,
    /// To what scale features of numbers are brought.
    pub scale: ScaleName,
    /// Texts of a feature that fewer training rows have share an input; 2 if left out. Of a run that does not say it, 1: it was
    /// made when every text had its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rare: Option<usize>,
}

/// To what scale features of numbers are brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ScaleName {
    /// Mean 0 and standard deviation 1.
    #[default]
    Standard,
    /// Median 0 and a distance of 1 between the quartiles, then smoothly within −3 and 3: for columns with outliers.
    Robust,
    /// Normal scores of the ranks among the training rows: whatever the distribution, a normal one.
    Quantile,
}

/// A text that a single training row has tells of that row alone.
const RARE: usize = 2;

impl Default for Data {
    fn default() -> Self {
        Self {
            path: None,
            features: None,
            ignore: Vec::new(),
            text: Vec::new(),
            missing: Vec::new(),
            separator: None,
            decimal: None,
            encoding: None,
            split: None,
            group: None,
            time: None,
            weight: None,
            split_seed: None,
            folds: None,
            fold: None,
            repeats: None,
            validation: 0.15,
            test: None,
            standardize: true,
            scale: ScaleName::Standard,
            rare: None,
        }
    }
}

impl Data {
    /// The columns that say which part a row is in, or which rows belong together.
    pub fn columns_of_the_split(&self) -> impl Iterator<Item = &String> {
        [&self.split, &self.group, &self.time].into_iter().flatten()
    }

    /// The columns that serve rows as a whole, and are no features unless they are named: those of the split, and their weights.
    pub fn columns_of_rows(&self) -> impl Iterator<Item = &String> {
        self.columns_of_the_split().chain(&self.weight)
    }

    /// The seed of the split.
    pub fn seed_of_the_split(&self, train: &Train) -> u64 {
        self.split_seed.unwrap_or(train.seed)
    }

    /// How columns become numbers.
    pub fn encoder_options(&self) -> EncoderOptions {
        let scale = match self.scale {
            ScaleName::Standard => Scale::Standard,
            ScaleName::Robust => Scale::Robust,
            ScaleName::Quantile => Scale::Quantile,
        };
        EncoderOptions { standardize: self.standardize, scale, rare: self.rare.unwrap_or(RARE) }
    }

    /// How the table is to be read.
    pub fn read_options(&self) -> ReadOptions {
        ReadOptions {
            text: self.text.clone(),
            missing: self.missing.clone(),
            separator: self.separator,
            decimal: self.decimal,
            encoding: self.encoding.clone(),
            ..ReadOptions::default()
        }
    }

    /// Takes over what flags changed of the options.
    pub fn take(&mut self, options: ReadOptions) {
        let ReadOptions { missing, separator, decimal, encoding, .. } = options;
        (self.missing, self.separator) = (missing, separator);
        (self.decimal, self.encoding) = (decimal, encoding);
    }
}
