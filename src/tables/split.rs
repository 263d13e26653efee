//! Splitting a table into parts at random, the same way every time for the same seed.

use super::table::Table;
use crate::data::Permutation;
use crate::error::{Error, Result};

impl Table {
    /// Shuffles the rows and deals them out into parts of these fractions of the table, which must add
    /// up to 1.
    ///
    /// Part `k` ends where the fractions up to and with its own end, rounded to the nearest row (halves
    /// up), so that no part is off by a whole row: 344 rows in `[0.6, 0.2, 0.2]` are 206, 69 and 69. Every
    /// row is in exactly one part. The same seed gives the same parts on every machine.
    ///
    /// ```
    /// let table = awl::Table::from_csv("squares", "x,y\n1,1\n2,4\n3,9\n4,16\n".as_bytes())?;
    /// let [train, test] = table.split(0, [0.75, 0.25])?;
    /// assert_eq!((train.rows(), test.rows()), (3, 1));
    /// # Ok::<(), awl::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] for a fraction that is not a number of 0 or more, fractions that do not add up
    /// to 1, or a part that would be left without a row.
    pub fn split<const N: usize>(&self, seed: u64, fractions: [f64; N]) -> Result<[Self; N]> {
        check_fractions(&fractions)?;
        let rows = u32::try_from(self.rows()).map_err(|_| {
            Error::invalid(
                format!("{} has {} rows", self.name(), self.rows()),
                format!("split at most {} rows at once", u32::MAX),
            )
        })?;
        let ends = ends(&fractions, self.rows());
        let start = |part: usize| if part == 0 { 0 } else { ends[part - 1] };
        for (part, &fraction) in fractions.iter().enumerate() {
            if ends[part] <= start(part) {
                return Err(Error::invalid(
                    format!(
                        "part {} of {}, {fraction} of its {rows} rows, would have no row",
                        part + 1,
                        self.name()
                    ),
                    "use a larger fraction, or more rows",
                ));
            }
        }
        let order = Permutation::new(rows, seed, 0);
        let order: Vec<usize> = (0..rows).map(|at| order.row(at) as usize).collect();
        Ok(std::array::from_fn(|part| self.select(&order[start(part)..ends[part]])))
    }
}

fn check_fractions(fractions: &[f64]) -> Result<()> {
    let wrong = |fraction: &&f64| !fraction.is_finite() || **fraction < 0.0;
    if let Some(fraction) = fractions.iter().find(wrong) {
        return Err(Error::invalid(
            format!("a part of a split is {fraction} of the rows"),
            "use fractions between 0 and 1",
        ));
    }
    let sum: f64 = fractions.iter().sum();
    if (sum - 1.0).abs() > 1e-9 {
        return Err(Error::invalid(
            format!("the fractions of a split add up to {sum}"),
            "make them add up to 1",
        ));
    }
    Ok(())
}

/// The row before which each part ends; the last part takes what is left.
fn ends<const N: usize>(fractions: &[f64; N], rows: usize) -> [usize; N] {
    let mut sum = 0.0;
    std::array::from_fn(|part| {
        sum += fractions[part];
        if part + 1 == N {
            rows
        } else {
            // The sum is short of its decimal by some 1e-16, which must not push a half down.
            ((sum * rows as f64 + 1e-9).round() as usize).min(rows)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::Column;

    fn numbered(rows: usize) -> Table {
        let text: String = (0..rows).map(|row| format!("{row}\n")).collect();
        Table::from_csv("rows.csv", format!("row\n{text}").as_bytes()).unwrap()
    }

    fn numbers(table: &Table) -> Vec<usize> {
        match table.column("row").unwrap() {
            Column::Numbers(cells) => cells.iter().map(|cell| cell.unwrap() as usize).collect(),
            Column::Text(_) => panic!("the rows are numbers"),
        }
    }

    #[test]
    fn parts_have_the_promised_sizes_and_share_no_row() {
        for (rows, fractions, sizes) in [
            (344, [0.6, 0.2, 0.2], [206, 69, 69]),
            (10, [0.6, 0.2, 0.2], [6, 2, 2]),
            (10, [0.7, 0.1, 0.2], [7, 1, 2]),
            (3, [1.0 / 3.0; 3], [1, 1, 1]),
            (5, [0.5, 0.2, 0.3], [3, 1, 1]),
            (15, [0.7, 0.2, 0.1], [11, 3, 1]),
            (1_000, [0.998, 0.001, 0.001], [998, 1, 1]),
        ] {
            let parts = numbered(rows).split(3, fractions).unwrap();
            assert_eq!(parts.each_ref().map(Table::rows), sizes, "{rows} rows");
            let mut all: Vec<usize> = parts.iter().flat_map(numbers).collect();
            all.sort_unstable();
            assert_eq!(all, (0..rows).collect::<Vec<_>>(), "{rows} rows");
        }
    }

    #[test]
    fn a_seed_always_gives_the_same_parts_and_another_seed_others() {
        let table = numbered(100);
        let split = |seed| table.split(seed, [0.5, 0.5]).unwrap();
        assert_eq!(split(0), split(0));
        assert_ne!(split(0), split(1));
        let [first, _] = split(0);
        assert_ne!(numbers(&first), (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn a_part_of_everything_is_the_table_shuffled() {
        let [all] = numbered(7).split(0, [1.0]).unwrap();
        assert_eq!(all.rows(), 7);
    }

    #[test]
    fn fractions_that_cannot_be_met_are_refused() {
        for (rows, fractions, message) in [
            (
                10,
                [0.5, -0.5, 1.0],
                "a part of a split is -0.5 of the rows: use fractions between 0 and 1",
            ),
            (10, [f64::NAN, 0.5, 0.5], "a part of a split is NaN"),
            (10, [f64::INFINITY, 0.5, 0.5], "a part of a split is inf"),
            (
                10,
                [0.5, 0.25, 0.125],
                "the fractions of a split add up to 0.875: make them add up to 1",
            ),
            (10, [0.5, 0.5, 0.5], "the fractions of a split add up to 1.5"),
            (
                10,
                [0.96, 0.02, 0.02],
                "part 2 of rows.csv, 0.02 of its 10 rows, would have no row: use a larger",
            ),
            (10, [0.5, 0.5, 0.0], "part 3 of rows.csv, 0 of its 10 rows, would have no row"),
            (2, [0.4, 0.3, 0.3], "part 2 of rows.csv"),
        ] {
            let found = numbered(rows).split(0, fractions).unwrap_err().to_string();
            assert!(found.starts_with(message), "{fractions:?}: {found}");
        }
    }
}
