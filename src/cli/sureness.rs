//! How sure a part's figures are: intervals, by rows or by groups of rows that belong together.

use awl::tables::Table;
use awl::train::{Intervals, Judgement, intervals};
use awl::{Encoder, Matrix, Result};

/// Intervals of every task's figures on the rows of a table; rows with the same cell in the group's column belong together, and a
/// row without one is a group of its own.
pub fn of(
    encoder: &Encoder,
    table: &Table,
    predictions: &Matrix,
    judgements: &[Judgement],
    group: Option<&str>,
) -> Result<Vec<Intervals>> {
    let groups = group.map(|column| table.groups(column)).transpose()?;
    intervals(encoder, table, predictions, judgements, groups.as_deref())
}

/// What is said above a table that has them, or has none.
pub fn words(group: Option<&str>, intervals: &[Intervals]) -> String {
    match group {
        None if intervals.iter().all(Intervals::is_empty) => {
            "no intervals of so few rows, or of several columns".into()
        }
        Some(group) if intervals.iter().all(Intervals::is_empty) => {
            format!("no intervals of so few groups of \"{group}\"")
        }
        None => "from, to: 95 % of redrawn rows".into(),
        Some(group) => format!("from, to: 95 % of redrawn groups of \"{group}\""),
    }
}
