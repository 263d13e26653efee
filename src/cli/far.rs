//! Cells of new rows that a model has learned nothing about: texts that it never saw, and numbers far from all that it saw.

use super::model::Model;
use awl::{Result, Table};
use std::collections::{BTreeMap, BTreeSet};

/// Numbers further from the training part's mean than this many standard deviations are told of.
const FAR: f64 = 100.0;
/// Columns in a sentence are no more than these.
const MOST: usize = 12;

/// What was found so far, by column.
#[derive(Default)]
pub struct Strange {
    unseen: BTreeMap<String, usize>,
    rare: BTreeMap<String, usize>,
    far: BTreeMap<String, usize>,
    /// What is said of columns whose numbers are written with another sign than where the model was trained.
    signs: BTreeSet<String>,
}

impl Strange {
    /// Looks at the rows of a table, or of a part of one.
    pub fn look(&mut self, model: &Model, table: &Table) -> Result<()> {
        let encoder = &model.encoder;
        for (column, cells) in encoder.unseen(table)? {
            *self.unseen.entry(column.into()).or_default() += cells;
        }
        for (column, cells) in encoder.rare(table)? {
            *self.rare.entry(column.into()).or_default() += cells;
        }
        for (column, cells) in encoder.beyond(table, FAR)? {
            *self.far.entry(column.into()).or_default() += cells;
        }
        for feature in encoder.feature_columns() {
            self.look_at_sign(model, &feature.column, table)?;
        }
        Ok(())
    }

    /// 45% and 0.45 may mean the same, but are read as 45 and 0.45.
    fn look_at_sign(&mut self, model: &Model, column: &str, table: &Table) -> Result<()> {
        let known = model.reading.formats.get(column).and_then(|format| format.sign.clone());
        let found = table.reading().formats.get(column).and_then(|(format, _)| format.sign.clone());
        let cells = table.column(column)?;
        if known == found || cells.is_text() || cells.missing() == cells.rows() {
            return Ok(());
        }
        let with = |sign: &Option<String>| match sign {
            Some(sign) => format!("with \"{sign}\""),
            None => "without a sign".into(),
        };
        self.signs.insert(format!(
            "numbers of \"{column}\" are written {} here, but were {} where the model was trained: they are read as they stand",
            with(&found),
            with(&known)
        ));
        Ok(())
    }

    pub fn sentences(&self) -> Vec<String> {
        let sentence = |(columns, what): (&BTreeMap<String, usize>, &str)| {
            (!columns.is_empty()).then(|| format!("{what}: {}", listed(columns)))
        };
        let far =
            format!("numbers more than {FAR} standard deviations from the training rows' mean");
        [
            (
                &self.unseen,
                "texts that the model was not trained on, and that count as none of the known ones",
            ),
            (&self.rare, "texts that few training rows had, or none, and that count as rare"),
            (&self.far, far.as_str()),
        ]
        .into_iter()
        .filter_map(sentence)
        .chain(self.signs.iter().take(MOST).cloned())
        .collect()
    }
}

/// `feature "a" (3 cells), …`
fn listed(columns: &BTreeMap<String, usize>) -> String {
    let words = columns.iter().take(MOST).map(|(column, cells)| match cells {
        1 => format!("feature \"{column}\" (1 cell)"),
        _ => format!("feature \"{column}\" ({cells} cells)"),
    });
    let more = if columns.len() > MOST {
        format!(" … ({} in all)", columns.len())
    } else {
        String::new()
    };
    words.collect::<Vec<_>>().join(", ") + &more
}
