//! Feature columns: from a table's cell to the network's inputs.

use super::category::{Found, Lookup, Rare, frequent};
use super::{EncoderOptions, FittedScale, Scaling, scaling};
use crate::error::Result;
use crate::tables::Table;
use serde::{Deserialize, Serialize};

/// A feature column and how its cells become inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureColumn {
    /// The column's name in the table.
    pub column: String,
    /// How its cells become inputs.
    pub encoding: FeatureEncoding,
}

/// How the cells of a feature column become inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureEncoding {
    /// A number is standardised, or brought to another [scale](FittedScale), or left as it is, as [`EncoderOptions`] say; where
    /// it is missing, the input is 0: that of the mean, or of the median.
    Number {
        /// Mean and standard deviation in the training part.
        scaling: Scaling,
        /// How it becomes an input.
        #[serde(default, skip_serializing_if = "FittedScale::is_standard")]
        scale: FittedScale,
        /// Whether a second input says that the number is missing (1) or not (0); so if some were
        /// missing in the training part.
        indicator: bool,
    },
    /// A text becomes one input a category: 1 at its own, 0 elsewhere; all 0 where the cell is missing. Words that say yes or
    /// no are found in any capitals.
    ///
    /// If some categories of the training part are [rare](EncoderOptions::rare), one more input, the last, is 1 at every text
    /// that is none of the others: at the rare ones, and at those that did not occur in the training part. Else these
    /// have all 0, since of an input that never moved the weights would be those of chance.
    Category {
        /// The categories with inputs of their own, sorted; none where all are rare and some cells missing.
        categories: Vec<String>,
        /// What the last input stands for, where there are rare categories.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rare: Option<Rare>,
    },
    /// Every cell of the training part is the same, numbers up to rounding (and if some are missing, it is of numbers), or a text
    /// that is rare. What another cell would mean cannot be learned,
    /// so that there is no input for it: of an input that never moved, the weights would be those of chance.
    Constant {
        /// Whether some cells were missing in the training part: the only input says whether one is (1) or not (0).
        indicator: bool,
    },
}

impl FeatureColumn {
    pub(super) fn fit(table: &Table, name: &str, options: EncoderOptions) -> Result<Self> {
        let column = table.column(name)?;
        let indicator = column.missing() > 0;
        table.check_no_stray(name)?;
        let encoding = if column.missing() == column.rows() {
            return Err(super::all_missing(table, name));
        } else if column.says_one_thing() && !(column.is_text() && indicator) {
            FeatureEncoding::Constant { indicator }
        } else if column.is_text() {
            match frequent(column, options.rare) {
                (categories, _) if categories.is_empty() && !indicator => {
                    FeatureEncoding::Constant { indicator }
                }
                (categories, rare) => FeatureEncoding::Category { categories, rare },
            }
        } else {
            let fitted = scaling(table, name)?;
            let scaling = if options.standardize { fitted } else { Scaling::NONE };
            let scale = FittedScale::fit(options.scale, &table.numbers(name)?);
            FeatureEncoding::Number { scaling, scale, indicator }
        };
        Ok(Self { column: name.into(), encoding })
    }

    /// Number of inputs.
    pub fn width(&self) -> usize {
        match &self.encoding {
            FeatureEncoding::Number { indicator, .. } => 1 + usize::from(*indicator),
            FeatureEncoding::Category { categories, rare } => {
                categories.len() + usize::from(rare.is_some())
            }
            FeatureEncoding::Constant { indicator } => usize::from(*indicator),
        }
    }

    /// The names of its inputs: `bill_length_mm`, `bill_length_mm=missing`, `island=Biscoe`, `island=rare`, …
    pub(super) fn input_names(&self) -> Vec<String> {
        let column = &self.column;
        let missing = |indicator: bool| indicator.then(|| format!("{column}=missing"));
        match &self.encoding {
            FeatureEncoding::Number { indicator, .. } => {
                let mut names = vec![column.clone()];
                names.extend(missing(*indicator));
                names
            }
            FeatureEncoding::Category { categories, rare } => {
                let own = categories.iter().map(|category| format!("{column}={category}"));
                own.chain(rare.map(|_| format!("{column}=rare"))).collect()
            }
            FeatureEncoding::Constant { indicator } => missing(*indicator).into_iter().collect(),
        }
    }

    /// Writes this column's inputs into rows of `stride` zeros each, at `offset` in each row.
    pub(super) fn write(
        &self,
        table: &Table,
        values: &mut [f32],
        stride: usize,
        offset: usize,
    ) -> Result<()> {
        if self.width() == 0 {
            return Ok(());
        }
        let rows = values.chunks_exact_mut(stride);
        let rows = rows.map(|row| &mut row[offset..][..self.width()]);
        match &self.encoding {
            FeatureEncoding::Number { scaling, scale, .. } => {
                let cells = table.numbers(&self.column)?;
                for (row, (inputs, &number)) in rows.zip(cells.iter()).enumerate() {
                    match (number.is_nan(), &mut inputs[..]) {
                        (false, [input, ..]) => {
                            *input = match scale {
                                FittedScale::Standard => {
                                    scaling.encode(table, row, &self.column, number)?
                                }
                                // None of which is large.
                                _ => scale.input(scaling, number) as f32,
                            };
                        }
                        (true, [_, missing]) => *missing = 1.0,
                        _ => {}
                    }
                }
            }
            FeatureEncoding::Category { categories, rare } => {
                let found = Lookup::new(categories, table.column(&self.column)?).all();
                for (inputs, found) in rows.zip(found) {
                    match found {
                        Found::Known(category) => inputs[category] = 1.0,
                        Found::Unseen if rare.is_some() => inputs[categories.len()] = 1.0,
                        Found::Unseen | Found::Missing => {}
                    }
                }
            }
            FeatureEncoding::Constant { .. } => {
                let cells = table.numbers(&self.column)?;
                for (inputs, number) in rows.zip(cells.iter()) {
                    inputs[0] = f32::from(u8::from(number.is_nan()));
                }
            }
        }
        Ok(())
    }

    /// Number of cells with a text that has no input of its own.
    pub(super) fn others(&self, table: &Table) -> Result<usize> {
        match &self.encoding {
            FeatureEncoding::Number { .. } | FeatureEncoding::Constant { .. } => Ok(0),
            FeatureEncoding::Category { categories, .. } => {
                let found = Lookup::new(categories, table.column(&self.column)?).all();
                Ok(found.iter().filter(|&&found| found == Found::Unseen).count())
            }
        }
    }

    /// The categories that share an input.
    pub fn rare(&self) -> Option<Rare> {
        match &self.encoding {
            FeatureEncoding::Category { rare, .. } => *rare,
            FeatureEncoding::Number { .. } | FeatureEncoding::Constant { .. } => None,
        }
    }

    /// Number of cells that are further from the training part's mean than this many standard deviations.
    pub(super) fn beyond(&self, table: &Table, deviations: f64) -> Result<usize> {
        match &self.encoding {
            FeatureEncoding::Number { scaling, .. } if *scaling != Scaling::NONE => {
                let cells = table.numbers(&self.column)?;
                let is_far = |number: &&f64| scaling.standardise(**number).abs() > deviations;
                Ok(cells.iter().filter(is_far).count())
            }
            _ => Ok(0),
        }
    }
}
