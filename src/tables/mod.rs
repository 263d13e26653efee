//! The user's own tables: reading, splitting, and encoding as numbers.
//!
//! A file becomes a [`Table`], the table is [split](Table::split), an [`Encoder`] learns from the
//! training part how cells become numbers, turns each part into a [`Dataset`](crate::Dataset), and says what
//! predictions mean. Knows nothing of networks, engines or files of runs.

mod column;
mod encode;
mod names;
#[cfg(test)]
mod penguins;
mod read;
mod split;
mod suspects;
mod table;
mod whole;

pub use self::column::Column;
pub use self::encode::{
    Curve, Encoder, EncoderOptions, FeatureColumn, FeatureEncoding, FittedScale, InferredLoss,
    LIKELIER, LabelCounts, NumberEncoding, Predicted, Problem, Rare, SampleWeights, Scale, Scaling,
    TargetColumn, TargetEncoding, TargetSpec, Transform,
};
pub use self::names::{name_list, possible_names, shell_word};
pub use self::read::{Chunks, Decimal, EmptyRows, NumberFormat, ReadOptions, Reading};
pub use self::split::Strata;
pub use self::suspects::{Suspect, SuspectKind};
pub use self::table::Table;

pub(crate) use self::encode::{Labels, OUTERMOST, answer, cut, is_rounding, spellings};
pub(crate) use self::table::quoted;

use self::suspects::quantity_in;
