//! Splitting a table into parts: at random, the same way every time for the same seed, by groups that stay together, by time, by a
//! column of its own, or into folds.
//!
//! | file | what it does |
//! |---|---|
//! | `column` | parts by a column that names them |
//! | `group` | parts that share no group |
//! | `folds` | parts as equal as can be, for cross-validation |
//! | `time` | parts from the oldest rows to the newest |
//! | `strata` | which rows are alike, in classes or in having labels, and how rare that is |
//! | `placement` | a part for every row: rare strata first, then all in proportion |
//! | `deal` | the order in which the parts get rows |

mod column;
mod deal;
mod folds;
mod group;
mod placement;
mod strata;
mod time;

pub use self::strata::Strata;

use self::strata::Labels;
use super::table::Table;
use crate::data::Permutation;
use crate::error::{Error, Result};
use std::collections::HashMap;

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

    /// Splits as [`split`](Self::split) does, into parts of the same sizes, and deals the rows of every stratum out in
    /// these fractions too: each part gets its share of every class, be it ever so rare, and of the labelled rows.
    ///
    /// Rare strata come first, as in Sechidis, Tsoumakas and Vlahavas, *On the stratification of multi-label data* (ECML PKDD
    /// 2011). A class of which fewer than three rows would be due to the first part has one there whatever the seed, as long
    /// as the part has room, since what no training row shows cannot be learned. Labels of which fewer than three would be
    /// due to a part go to the first part, the second and so on, one each, as far as they go round.
    ///
    /// The other rows are then dealt out to what is left of the parts, those with the rarest stratum first: of the rows whose
    /// rarest stratum it is, each part gets its share to within less than two. With one entry those are all of its rows. With
    /// several, a part that is due a row takes the one whose other strata it is shortest of, so that these are seldom more
    /// than two rows off either.
    ///
    /// An entry that tells no rows apart, or of which every cell is another class, has nothing to deal by; where there is no
    /// other, the parts are those of [`split`](Self::split).
    ///
    /// ```
    /// use awl::tables::Strata;
    /// let text = "kind\nowl\nowl\nowl\nowl\nhawk\nhawk\nhawk\nhawk\n";
    /// let table = awl::Table::from_csv("birds", text.as_bytes())?;
    /// let [train, test] = table.split_stratified(0, [0.75, 0.25], &[Strata::Classes("kind".into())])?;
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
        strata: &[Strata],
    ) -> Result<[Self; N]> {
        let ends = self.ends(&fractions)?;
        let sizes: [usize; N] =
            std::array::from_fn(|part| ends[part] - if part == 0 { 0 } else { ends[part - 1] });
        let order = self.shuffled(seed);
        let labels = Labels::of(self, &order, strata)?;
        if labels.is_empty() {
            return self.split(seed, fractions);
        }
        // In the shuffled order again: the parts must not have their rows stratum by stratum.
        let mut parts: [Vec<usize>; N] = sizes.map(Vec::with_capacity);
        for (&row, part) in order.iter().zip(placement::parts(&labels, &sizes)) {
            parts[part].push(row);
        }
        Ok(parts.map(|rows| self.select(&rows)))
    }

    /// Splits so that rows with the same cell in this column, say those of one person, are all in one part: what a model answers of
    /// rows whose group it was trained on says little of new groups. A row whose cell is missing is a group of its own.
    ///
    /// The parts are as near to these fractions of the rows, and of every stratum, as groups of such sizes let them be; every part
    /// that is to have rows has a group. The same seed gives the same parts on every machine.
    ///
    /// ```
    /// let text = "person,x\na,1\na,2\nb,3\nb,4\nc,5\nc,6\nd,7\nd,8\n";
    /// let table = awl::Table::from_csv("people", text.as_bytes())?;
    /// let [train, test] = table.split_grouped(0, [0.75, 0.25], "person", &[])?;
    /// assert_eq!((train.rows(), test.rows()), (6, 2));
    /// # Ok::<(), awl::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`split_stratified`](Self::split_stratified), and [`Error::Invalid`] for fewer groups than parts.
    pub fn split_grouped<const N: usize>(
        &self,
        seed: u64,
        fractions: [f64; N],
        group: &str,
        strata: &[Strata],
    ) -> Result<[Self; N]> {
        self.ends(&fractions)?;
        let order = self.shuffled(seed);
        let (of, groups) = self.groups_in(group, &order)?;
        let wanted = fractions.iter().filter(|&&fraction| fraction > 0.0).count();
        if groups < wanted {
            return Err(Error::invalid(
                format!(
                    "{}: column \"{group}\" has {groups} different cells, but each of {wanted} parts needs one of its own",
                    self.name()
                ),
                "split by another column, or into fewer parts (--validation 0 or --test 0)",
            ));
        }
        let labels = Labels::of(self, &order, strata)?;
        let part_of = group::parts(&labels, &of, groups, &fractions);
        let mut parts: [Vec<usize>; N] = std::array::from_fn(|_| Vec::new());
        for (&row, &group) in order.iter().zip(&of) {
            parts[part_of[group]].push(row);
        }
        Ok(parts.map(|rows| self.select(&rows)))
    }

    /// Splits by time: the first part has the oldest rows, the last one the newest, as the model will meet them. Rows of one time
    /// are all in one part, so that the parts' sizes may differ from these fractions; their rows are in the order of time.
    ///
    /// A column of numbers is its own time. Texts must be dates that cannot be taken for others, with the year first or the month's
    /// name (`2024-03-01`, `2024-03-01 12:30`, `2024-03-01T12:30:00+01:00`, `1 Mar 2024`), with or without a time of the day.
    ///
    /// # Errors
    /// As [`split`](Self::split); [`Error::Table`], naming the line, if there is no such column, for a missing time and for a text
    /// that is none; [`Error::Invalid`] for fewer different times than parts.
    pub fn split_by_time<const N: usize>(
        &self,
        fractions: [f64; N],
        column: &str,
    ) -> Result<[Self; N]> {
        let (rows, ends) = time::order(self, column, &self.ends(&fractions)?)?;
        let start = |part: usize| if part == 0 { 0 } else { ends[part - 1] };
        Ok(std::array::from_fn(|part| self.select(&rows[start(part)..ends[part]])))
    }

    /// The group of each row, as [`split_grouped`](Self::split_grouped) has them: rows with the same cell in this column have the same
    /// number, and one whose cell is missing has a number of its own.
    ///
    /// # Errors
    /// [`Error::Table`] if there is no such column.
    pub fn groups(&self, column: &str) -> Result<Vec<usize>> {
        let order: Vec<usize> = (0..self.rows()).collect();
        Ok(self.groups_in(column, &order)?.0)
    }

    /// The group of the row at each place of this order, and how many there are: numbered as they come.
    fn groups_in(&self, column: &str, order: &[usize]) -> Result<(Vec<usize>, usize)> {
        let cells = self.column(column)?;
        let mut numbers = HashMap::new();
        let mut groups = 0;
        let mut next = || {
            groups += 1;
            groups - 1
        };
        let of = order.iter().map(|&row| match cells.text(row) {
            Some(cell) => *numbers.entry(cell).or_insert_with(&mut next),
            None => next(),
        });
        let of: Vec<usize> = of.collect();
        Ok((of, groups))
    }

    /// The row before which each part ends, if every part is to have rows that should have some.
    fn ends<const N: usize>(&self, fractions: &[f64; N]) -> Result<[usize; N]> {
        check_fractions(fractions)?;
        let rows = self.splittable()?;
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

    /// How many rows there are, which must not be too many.
    fn splittable(&self) -> Result<usize> {
        let rows = self.rows();
        match u32::try_from(rows) {
            Ok(_) => Ok(rows),
            Err(_) => Err(Error::invalid(
                format!("{} has {rows} rows", self.name()),
                format!("split at most {} rows at once", u32::MAX),
            )),
        }
    }

    /// All rows in the order of this seed.
    fn shuffled(&self, seed: u64) -> Vec<usize> {
        let rows = self.rows() as u32;
        let order = Permutation::new(rows, seed, 0);
        (0..rows).map(|at| order.row(at) as usize).collect()
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
mod tests;
