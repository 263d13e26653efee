//! Data: tables and their encoding, what an engine trains on, and the order in which it visits the rows.
//!
//! A file becomes a [`Table`], the table is [split](Table::split), an [`Encoder`] learns from the
//! training part how cells become numbers, and turns each part into a [`Dataset`]. A program with
//! numbers of its own makes the [`Dataset`] itself. Knows nothing of networks, engines or files of runs.

mod csv;
mod dataset;
mod encode;
mod nearest;
#[cfg(test)]
mod penguins;
mod permutation;
mod split;
mod table;

pub(crate) use self::dataset::check_finite;
pub use self::dataset::{Dataset, Matrix, Target, Values};
pub use self::encode::{
    Encoder, FeatureColumn, FeatureEncoding, Scaling, TargetColumn, TargetEncoding,
};
pub use self::permutation::Permutation;
pub use self::table::{Column, Table};
