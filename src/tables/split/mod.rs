//! Splitting a table into parts: at random, the same way every time for the same seed, or by a column of its own.

mod deal;

use self::deal::Deal;
use super::table::Table;
use crate::data::Permutation;
use crate::error::{Error, Result};
use crate::nearest::nearest;
use std::collections::HashMap;

/// What a column says of the part that its row belongs to.
const PARTS: [&str; 3] = ["train", "validation", "test"];

impl Table {
    /// Shuffles the rows and deals them out into parts of these fractions of the table, which must add
    /// up to 1.
    ///
    /// Part `k` ends where the fractions up to and with its own end, rounded to the nearest row (halves
    /// up), so that no part is off by a whole row: 344 rows in `[0.6, 0.2, 0.2]` are 206, 69 and 69. Every
    /// row is in exactly one part. The same seed gives the same parts on every machine. A fraction of 0 gives a table
    /// [without rows](Self::is_empty).
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
    /// to 1, or a fraction above 0 of which no row would come.
    pub fn split<const N: usize>(&self, seed: u64, fractions: [f64; N]) -> Result<[Self; N]> {
        let ends = self.ends(&fractions)?;
        let start = |part: usize| if part == 0 { 0 } else { ends[part - 1] };
        let order = self.shuffled(seed);
        Ok(std::array::from_fn(|part| self.select(&order[start(part)..ends[part]])))
    }

    /// Splits as [`split`](Self::split) does, into parts of the same sizes, and deals the rows of every class of this
    /// column out in these fractions too: a class is less than two rows off its share in any part, be it ever so rare.
    ///
    /// A class is what the column has as text; the rows whose cell is missing are dealt out as a class of their own. A
    /// column of which every cell differs has nothing to deal by: its rows are split at random.
    ///
    /// ```
    /// let text = "kind\nowl\nowl\nowl\nowl\nhawk\nhawk\nhawk\nhawk\n";
    /// let table = awl::Table::from_csv("birds", text.as_bytes())?;
    /// let [train, test] = table.split_stratified(0, [0.75, 0.25], "kind")?;
    /// let owls = |t: &awl::Table| (0..t.rows()).filter(|&r| t.column("kind").unwrap().text(r).unwrap() == "owl").count();
    /// assert_eq!((owls(&train), owls(&test)), (3, 1));
    /// # Ok::<(), awl::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`split`](Self::split), and [`Error::Table`] if there is no such column.
    pub fn split_stratified<const N: usize>(
        &self,
        seed: u64,
        fractions: [f64; N],
        column: &str,
    ) -> Result<[Self; N]> {
        let ends = self.ends(&fractions)?;
        let sizes: [usize; N] =
            std::array::from_fn(|part| ends[part] - if part == 0 { 0 } else { ends[part - 1] });
        let order = self.shuffled(seed);
        let mut deal = Deal::new(sizes);
        let mut part_at = vec![0; order.len()];
        for place in self.by_class(&order, column)? {
            part_at[place] = deal.next_part();
        }
        // In the shuffled order again: the parts must not have their rows class by class.
        let mut parts: [Vec<usize>; N] = sizes.map(Vec::with_capacity);
        for (&row, part) in order.iter().zip(part_at) {
            parts[part].push(row);
        }
        Ok(parts.map(|rows| self.select(&rows)))
    }

    /// Splits by a column that says `train`, `validation` or `test` in every row (capitals do not count); the parts come
    /// in that order, their rows in the table's. A part that no row belongs to is `None`.
    ///
    /// # Errors
    /// [`Error::Table`] if there is no such column, or, naming the line, for a cell that says anything else or nothing.
    pub fn split_by(&self, column: &str) -> Result<[Option<Self>; 3]> {
        let cells = self.column(column)?;
        let mut parts: [Vec<usize>; 3] = Default::default();
        for row in 0..self.rows() {
            let cell = cells.text(row);
            let part = PARTS
                .iter()
                .position(|part| cell.as_ref().is_some_and(|cell| cell.eq_ignore_ascii_case(part)));
            match (part, cell) {
                (Some(part), _) => parts[part].push(row),
                (None, None) => {
                    let problem = "the cell is missing, but must say which part the row is in: write train, validation or test";
                    return Err(self.error_at(row, column, problem));
                }
                (None, Some(cell)) => {
                    let meant =
                        nearest(&cell, PARTS).map(|part| format!(" (did you mean {part}?)"));
                    let problem = format!(
                        "\"{cell}\" is no part of a split{}: write train, validation or test",
                        meant.unwrap_or_default()
                    );
                    return Err(self.error_at(row, column, problem));
                }
            }
        }
        Ok(parts.map(|rows| (!rows.is_empty()).then(|| self.select(&rows))))
    }

    /// The row before which each part ends, if every part is to have rows that should have some.
    fn ends<const N: usize>(&self, fractions: &[f64; N]) -> Result<[usize; N]> {
        check_fractions(fractions)?;
        let rows = self.rows();
        if u32::try_from(rows).is_err() {
            return Err(Error::invalid(
                format!("{} has {rows} rows", self.name()),
                format!("split at most {} rows at once", u32::MAX),
            ));
        }
        let ends = ends(fractions, rows);
        for (part, &fraction) in fractions.iter().enumerate() {
            let start = if part == 0 { 0 } else { ends[part - 1] };
            if ends[part] <= start && fraction > 0.0 {
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
        Ok(ends)
    }

    /// All rows in the order of this seed.
    fn shuffled(&self, seed: u64) -> Vec<usize> {
        let rows = self.rows() as u32;
        let order = Permutation::new(rows, seed, 0);
        (0..rows).map(|at| order.row(at) as usize).collect()
    }

    /// The places in this order of rows, those of a class together, the classes in the order of their first rows.
    fn by_class(&self, order: &[usize], column: &str) -> Result<Vec<usize>> {
        let cells = self.column(column)?;
        let mut classes = HashMap::new();
        let number = |&row: &usize| {
            let next = classes.len() as u32;
            *classes.entry(cells.text(row)).or_insert(next)
        };
        let class: Vec<u32> = order.iter().map(number).collect();
        let mut places: Vec<usize> = (0..order.len()).collect();
        places.sort_by_key(|&place| class[place]);
        Ok(places)
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
        // What rounding leaves over goes to the last part that is to have rows.
        if fractions[part + 1..].iter().all(|&fraction| fraction == 0.0) {
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

    fn numbered(rows: usize) -> Table {
        let text: String = (0..rows).map(|row| format!("{row}\n")).collect();
        Table::from_csv("rows.csv", format!("row\n{text}").as_bytes()).unwrap()
    }

    fn numbers(table: &Table) -> Vec<usize> {
        table.numbers("row").unwrap().iter().map(|&number| number as usize).collect()
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
            (10, [0.5, 0.5, 0.0], [5, 5, 0]),
            (10, [0.7, 0.0, 0.3], [7, 0, 3]),
            (3, [0.0, 1.0, 0.0], [0, 3, 0]),
            // Fractions that add up to 1 only within a rounding.
            (30, [0.1 + 0.2, 0.7, 0.0], [9, 21, 0]),
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

    /// Rows of a class that repeats by these counts, missing where the class is empty.
    fn classes(counts: &[(&str, usize)]) -> Table {
        let rows = counts.iter().flat_map(|&(class, count)| std::iter::repeat_n(class, count));
        let text: String =
            rows.enumerate().map(|(row, class)| format!("{row},{class}\n")).collect();
        Table::from_csv("t.csv", format!("row,class\n{text}").as_bytes()).unwrap()
    }

    fn count(table: &Table, class: &str) -> usize {
        let column = table.column("class").unwrap();
        (0..table.rows()).filter(|&row| column.text(row).unwrap_or_default() == class).count()
    }

    #[test]
    fn every_class_is_dealt_out_in_the_fractions_of_the_whole() {
        let counts = [("a", 700), ("b", 200), ("c", 50), ("", 40), ("d", 9), ("e", 1)];
        let table = classes(&counts);
        for fractions in [[0.6, 0.2, 0.2], [0.8, 0.1, 0.1], [0.5, 0.0, 0.5], [1.0 / 3.0; 3]] {
            let parts = table.split_stratified(5, fractions, "class").unwrap();
            let random = table.split(5, fractions).unwrap();
            assert_eq!(parts.each_ref().map(Table::rows), random.each_ref().map(Table::rows));
            let mut all: Vec<usize> = parts.iter().flat_map(numbers).collect();
            all.sort_unstable();
            assert_eq!(all, (0..1_000).collect::<Vec<_>>());
            for (part, fraction) in parts.iter().zip(fractions) {
                for (class, rows) in counts {
                    let (found, share) = (count(part, class) as f64, fraction * rows as f64);
                    assert!(
                        (found - share).abs() < 2.0,
                        "{class:?}: {found} of a share of {share}"
                    );
                }
            }
        }
    }

    #[test]
    fn stratified_parts_follow_their_seed_and_are_shuffled() {
        let table = classes(&[("a", 50), ("b", 50)]);
        let split = |seed| table.split_stratified(seed, [0.5, 0.5], "class").unwrap();
        assert_eq!(split(0), split(0));
        assert_ne!(split(0), split(1));
        let [first, _] = split(0);
        let changes = |column: crate::tables::Column<'_>| {
            (1..50).filter(|&row| column.text(row) != column.text(row - 1)).count()
        };
        assert!(changes(first.column("class").unwrap()) > 10);
        // Every cell another class: the seed must still decide.
        let part = |seed| numbers(&table.split_stratified(seed, [0.5, 0.5], "row").unwrap()[0]);
        assert_ne!(part(0), part(1));
        let error = table.split_stratified(0, [0.5, 0.5], "clas").unwrap_err().to_string();
        assert_eq!(error, "t.csv: there is no column \"clas\": did you mean \"class\"?");
    }

    #[test]
    fn a_column_may_say_which_part_a_row_is_in() {
        let table = classes(&[("train", 3), ("Test", 2), ("TRAIN", 1)]);
        let [train, validation, test] = table.split_by("class").unwrap();
        assert_eq!(numbers(&train.unwrap()), [0, 1, 2, 5]);
        assert_eq!(validation, None);
        assert_eq!(numbers(&test.unwrap()), [3, 4]);
    }

    #[test]
    fn a_cell_that_names_no_part_is_refused_with_its_line() {
        for (cell, message) in [
            (
                "trian",
                "t.csv: line 4, column \"class\": \"trian\" is no part of a split (did you mean train?): write train, \
                 validation or test",
            ),
            (
                "2",
                "t.csv: line 4, column \"class\": \"2\" is no part of a split: write train, validation or test",
            ),
            (
                "",
                "t.csv: line 4, column \"class\": the cell is missing, but must say which part the row is in: write",
            ),
        ] {
            let table = classes(&[("train", 2), (cell, 1)]);
            let found = table.split_by("class").unwrap_err().to_string();
            assert!(found.starts_with(message), "{found}");
        }
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
            (2, [0.4, 0.3, 0.3], "part 2 of rows.csv"),
        ] {
            let found = numbered(rows).split(0, fractions).unwrap_err().to_string();
            assert!(found.starts_with(message), "{fractions:?}: {found}");
        }
    }
}
