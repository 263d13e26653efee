//! A look at a whole table before training: which of its columns look wrong, and why.
//!
//! Nothing here changes a cell or refuses a table. Each kind of evidence has a file of its own: columns that number or
//! name the rows ([`rows`], by names from [`names`]), dates ([`dates`]), numbers that stand for missing cells
//! ([`placeholder`]) or lie far from all others ([`outlier`]), numbers written with something around them ([`unit`], which
//! reads them by [`written`]), texts that look alike ([`look_alikes`]), and features that give a label away ([`leak`]).
//! What several of them ask of a column is found in one pass ([`look`]); [`sentences`] says all of it in few words.
//!
//! A rule that cries wolf is worse than none, so every threshold leans towards silence.

mod dates;
mod leak;
mod look;
mod look_alikes;
mod names;
mod outlier;
mod placeholder;
mod rows;
mod sentences;
mod unit;
mod written;

use self::look::Look;
use super::Table;
use crate::error::Result;
use serde::Serialize;
use std::collections::HashMap;

/// What looks wrong with a column.
///
/// ```
/// use awl::Table;
/// use awl::tables::SuspectKind;
/// let rows: String = (1..=30).map(|row| format!("{row},{}\n", row * row % 7)).collect();
/// let table = Table::from_csv("t", format!("id,x\n{rows}").as_bytes())?;
/// let suspects = table.suspects(&["id"], &["x"])?;
/// assert_eq!(suspects[0].kind, SuspectKind::RowNumber);
/// assert_eq!(suspects[0].what, "numbers the rows, 1 to 30");
/// # Ok::<(), awl::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Suspect {
    /// The column concerned.
    pub column: String,
    /// What it is suspected of.
    pub kind: SuspectKind,
    /// What was seen, a clause that fits after `column "x"`: `numbers the rows, 1 to 344`;
    /// `holds -200 in 43 of 240 cells, far from all others (0.1 to 6.2)`.
    pub what: String,
}

/// What a column is suspected of.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SuspectKind {
    /// It counts the rows: nothing that holds for new rows can be learned from it.
    RowNumber,
    /// It names the rows.
    Identifier,
    /// Its texts are nearly all different.
    FreeText,
    /// It holds dates or times as text.
    Date,
    /// One of its values seems to stand for missing cells.
    Placeholder {
        /// The value, as [`Column::text`](super::Column::text) has it.
        value: String,
    },
    /// One of its cells lies far from all others.
    Outlier {
        /// Where the cell is, as [`Table::line`] has it.
        line: u64,
    },
    /// Most of its texts are numbers with something around them: a unit, a currency, a percent sign, separators of
    /// thousands.
    Unit,
    /// Some of its texts differ in capitals, spaces or invisible signs alone.
    LookAlikes,
    /// It determines a label alone.
    Leak {
        /// The column of the label.
        task: String,
    },
}

impl SuspectKind {
    /// Whether such a feature is best left out unless it is asked for: it tells rows apart and says nothing about them.
    pub fn is_left_out(&self) -> bool {
        matches!(self, Self::RowNumber | Self::Identifier | Self::FreeText | Self::Date)
    }

    /// The place of this kind among all.
    fn rank(&self) -> u8 {
        match self {
            Self::RowNumber => 0,
            Self::Identifier => 1,
            Self::FreeText => 2,
            Self::Date => 3,
            Self::Placeholder { .. } => 4,
            Self::Outlier { .. } => 5,
            Self::Unit => 6,
            Self::LookAlikes => 7,
            Self::Leak { .. } => 8,
        }
    }
}

/// What a rule finds in a column: what it is suspected of, and what was seen.
type Finding = (SuspectKind, String);

impl Table {
    /// What looks wrong with these columns, by kind and then in the order of the table's columns. The table should be the
    /// whole one rather than a part of a [split](Self::split), whose rows are shuffled.
    ///
    /// A column may be suspected of several things; but of one that numbers or names the rows, or holds free text or
    /// dates, only what stands around its numbers is looked at further.
    ///
    /// # Errors
    /// [`Error::Table`](crate::Error::Table) if there is no such column, with the name that was probably meant.
    pub fn suspects(
        &self,
        features: &[impl AsRef<str>],
        labels: &[impl AsRef<str>],
    ) -> Result<Vec<Suspect>> {
        let looks =
            self.looks(features.iter().map(AsRef::as_ref), labels.iter().map(AsRef::as_ref))?;
        let mut found = Vec::new();
        let mut may_leak = Vec::new();
        for look in &looks {
            let findings = alone(self, look);
            if look.is_feature && !findings.iter().any(|(kind, _)| kind.is_left_out()) {
                may_leak.push(look);
            }
            found.extend(findings.into_iter().map(|finding| (look, finding)));
        }
        let labels: Vec<&Look> = looks.iter().filter(|look| look.is_label).collect();
        let features = looks.iter().filter(|look| look.is_feature).count();
        found.extend(leak::all(&may_leak, &labels, features));
        found.sort_by_key(|(look, (kind, _))| (kind.rank(), look.place));
        let suspect =
            |(look, (kind, what)): (&Look, _)| Suspect { column: look.name.into(), kind, what };
        Ok(found.into_iter().map(suspect).collect())
    }

    /// Looks once at each of these columns, in their order in the table.
    fn looks<'a>(
        &'a self,
        features: impl Iterator<Item = &'a str>,
        labels: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<Look<'a>>> {
        // Of thousands of columns, each is not to be searched for among all.
        let places: HashMap<&str, usize> =
            self.names().iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
        let mut roles = vec![(false, false); self.names().len()];
        let asked = features.map(|name| (name, false)).chain(labels.map(|name| (name, true)));
        for (name, is_label) in asked {
            match places.get(name) {
                Some(&place) if is_label => roles[place].1 = true,
                Some(&place) => roles[place].0 = true,
                // This is an error, which names the column that was probably meant.
                None => return self.column(name).map(|_| Vec::new()),
            }
        }
        let columns = self.names().iter().zip(self.columns()).zip(roles).enumerate();
        let asked = columns.filter(|(_, (_, (is_feature, is_label)))| *is_feature || *is_label);
        let look =
            |(place, ((name, column), (is_feature, is_label))): (_, ((&'a String, _), _))| {
                Look::new(name, place, column, is_feature, is_label)
            };
        Ok(asked.map(look).collect())
    }
}

/// What most of these texts are, if they are no names: what a task of classes cannot be made of.
pub(super) fn quantity_in<'a>(
    texts: impl ExactSizeIterator<Item = &'a str> + Clone,
) -> Option<&'static str> {
    let most =
        |is: fn(&str) -> bool| 2 * texts.clone().filter(|text| is(text)).count() > texts.len();
    if most(dates::is_date_or_time) {
        Some("they look like dates or times: write them as numbers, say days since some day")
    } else if most(|text| written::Written::read(text).is_some()) {
        Some("they look like quantities: write them as plain numbers, all in one unit")
    } else {
        None
    }
}

/// What looks wrong with a column whatever the others hold.
fn alone(table: &Table, look: &Look<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = rows::numbered(look)
        .or_else(|| rows::named(look))
        .or_else(|| dates::dates(look))
        // Numbers with a slip among them are to be seen to, not left out.
        .or_else(|| if table.has_stray(look.name) { None } else { rows::free_text(look) })
        .into_iter()
        .collect();
    if !matches!(found[..], [(SuspectKind::Date, _)]) {
        found.extend(unit::unit(look));
    }
    if !found.iter().any(|(kind, _)| kind.is_left_out()) {
        found.extend(placeholder::placeholders(look));
        // What stands for missing cells is far from all others by nature.
        if !found.iter().any(|(kind, _)| matches!(kind, SuspectKind::Placeholder { .. })) {
            found.extend(outlier::outliers(table, look));
        }
        found.extend(look_alikes::look_alikes(look));
    }
    found
}

#[cfg(test)]
mod tests;
