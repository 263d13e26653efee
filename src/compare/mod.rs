//! Which weighting for my data? The protocol of a comparison that can be believed, its statistics, and what it comes to in words.
//!
//! Every [`Candidate`] is tuned alike: the same list of learning rates, then as many values of what else matters of it as the budget
//! has, each judged by one run on the validation rows. Then all train with the same seeds, from the same first weights and with the
//! same order of the rows, and the test rows are looked at. [`Comparison::of`] puts the runs together; it makes none itself.
//!
//! | file | what it holds |
//! |---|---|
//! | `candidate.rs` | what is compared, and the trials by which it is tuned |
//! | `outcome.rs` | what one run came to |
//! | `facts.rs` | what a comparison says of itself: how it was made, its table and tasks |
//! | `entry.rs` | what of a candidate goes into it |
//! | `comparison.rs` | all runs together: `comparison.json` |
//! | `statistics.rs` | intervals, paired tests, ranks, Δm, the Pareto front |
//! | `words.rs` | what the numbers support, and what they do not |

mod candidate;
mod comparison;
mod entry;
mod facts;
mod outcome;
mod statistics;
mod words;

pub use self::candidate::{Candidate, EQUAL, GROUPS, STL, Trial, candidates};
#[cfg(test)]
pub(crate) use self::comparison::tests::example;
pub use self::comparison::{Against, Comparison, OfScheme, OfTask};
pub use self::entry::{Chosen, Entry, SeedRun, Tried};
pub use self::facts::{DataFacts, Protocol, TaskFacts, Times};
pub use self::outcome::{Curve, Outcome, Point, TestFigures};
pub use self::statistics::{
    Figure, Interval, PairedTest, front, holm, paired, ranks, relative_improvement,
};
