//! Splitting by a column that says which part its row is in, in the words that people use for the three parts.

use super::super::table::Table;
use crate::error::Result;
use crate::nearest::nearest;

/// What a column says of the part that its row belongs to: the words for each part, the first of which is ours.
const PARTS: [&[&str]; 3] = [
    &["train", "training"],
    &["validation", "val", "valid", "dev"],
    &["test", "testing", "holdout"],
];

impl Table {
    /// Splits by a column that says `train`, `validation` or `test` in every row; the parts come in that order, their rows
    /// in the table's. A part that no row belongs to is `None`.
    ///
    /// Other words for them are understood: `training`; `val`, `valid` and `dev`; `testing` and `holdout`. Capitals do not
    /// count.
    ///
    /// # Errors
    /// [`Error::Table`](crate::Error::Table) if there is no such column, or, naming the line, for a cell that says anything
    /// else or nothing.
    pub fn split_by(&self, column: &str) -> Result<[Option<Self>; 3]> {
        let cells = self.column(column)?;
        let mut parts: [Vec<usize>; 3] = Default::default();
        for row in 0..self.rows() {
            let cell = cells.text(row);
            match cell.as_deref().map(|cell| (part_named(cell), cell)) {
                Some((Some(part), _)) => parts[part].push(row),
                Some((None, cell)) => {
                    let meant = nearest(cell, PARTS.into_iter().flatten().copied())
                        .map(|word| format!(" (did you mean {word}?)"));
                    let problem = format!(
                        "\"{cell}\" is no part of a split{}: write train, validation or test",
                        meant.unwrap_or_default()
                    );
                    return Err(self.error_at(row, column, problem));
                }
                None => {
                    let problem = "the cell is missing, but must say which part the row is in: write train, validation or test";
                    return Err(self.error_at(row, column, problem));
                }
            }
        }
        Ok(parts.map(|rows| (!rows.is_empty()).then(|| self.select(&rows))))
    }
}

fn part_named(cell: &str) -> Option<usize> {
    PARTS.iter().position(|words| words.iter().any(|word| cell.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
mod tests {
    use crate::{Error, Table};

    /// A table whose column `part` has these cells.
    fn table(cells: &[&str]) -> Table {
        let rows: String =
            cells.iter().enumerate().map(|(row, cell)| format!("{row},{cell}\n")).collect();
        Table::from_csv("t.csv", format!("row,part\n{rows}").as_bytes()).unwrap()
    }

    fn numbers(part: Option<Table>) -> Option<Vec<f64>> {
        part.map(|part| part.numbers("row").unwrap().to_vec())
    }

    #[test]
    fn a_column_may_say_which_part_a_row_is_in() {
        let table = table(&["train", "train", "train", "Test", "Test", "TRAIN"]);
        let parts = table.split_by("part").unwrap().map(numbers);
        assert_eq!(parts, [Some(vec![0.0, 1.0, 2.0, 5.0]), None, Some(vec![3.0, 4.0])]);
    }

    #[test]
    fn the_parts_are_known_by_their_other_names_too() {
        for (words, place) in [
            (&["train", "training", "Training"][..], 0),
            (&["validation", "val", "valid", "dev", "Val", "DEV"], 1),
            (&["test", "testing", "holdout", "Holdout"], 2),
        ] {
            for word in words {
                let parts = table(&[word]).split_by("part").unwrap();
                let found = parts.iter().position(Option::is_some);
                assert_eq!(found, Some(place), "{word}");
            }
        }
    }

    #[test]
    fn a_cell_that_names_no_part_is_refused_with_its_line() {
        let remedy = "write train, validation or test";
        for (cell, problem) in [
            ("trian", "\"trian\" is no part of a split (did you mean train?)"),
            ("vaild", "\"vaild\" is no part of a split (did you mean valid?)"),
            ("2", "\"2\" is no part of a split"),
            ("fold", "\"fold\" is no part of a split"),
            ("", "the cell is missing, but must say which part the row is in"),
        ] {
            let error: Error = table(&["train", "train", cell]).split_by("part").unwrap_err();
            let expected = format!("t.csv: line 4, column \"part\": {problem}: {remedy}");
            assert_eq!(error.to_string(), expected);
        }
    }
}
