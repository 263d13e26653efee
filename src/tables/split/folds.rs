//! Folds for cross-validation: parts as equal as can be, each of which is tested on once, by what was trained on the others.

use super::strata::Labels;
use super::{Strata, group, placement};
use crate::error::{Error, Result};
use crate::tables::table::{Table, counted};

impl Table {
    /// The rows of each of so many folds: every row is in exactly one, and no fold has more than one row more than another. A model
    /// that is to be tested on one of them is trained on the [others](Self::select).
    ///
    /// Of every stratum each fold gets its share, as [`split_stratified`](Self::split_stratified) has it, but that no fold comes
    /// before the others: rows are dealt out in turns, those with the rarest stratum first, so that of the rows whose rarest stratum
    /// it is each fold has its share to within less than one. With one entry those are all of its rows. The rows of a fold come in
    /// the seed's order; the same seed gives the same folds on every machine.
    ///
    /// ```
    /// use awl::tables::Strata;
    /// let text = "kind\nowl\nowl\nowl\nowl\nhawk\nhawk\n";
    /// let table = awl::Table::from_csv("birds", text.as_bytes())?;
    /// let folds = table.folds(0, 2, &[Strata::Classes("kind".into())])?;
    /// for (fold, rows) in folds.iter().enumerate() {
    ///     let others: Vec<usize> = (0..6).filter(|row| !rows.contains(row)).collect();
    ///     let (training, test) = (table.select(&others), table.select(rows));
    ///     let owls = (0..3).filter(|&row| test.column("kind").unwrap().text(row).unwrap() == "owl");
    ///     assert_eq!((training.rows(), owls.count()), (3, 2), "fold {fold}");
    /// }
    /// # Ok::<(), awl::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] for fewer than two folds, or more than there are rows; [`Error::Table`] if there is no such column.
    pub fn folds(&self, seed: u64, folds: usize, strata: &[Strata]) -> Result<Vec<Vec<usize>>> {
        let rows = self.splittable()?;
        self.check_folds(folds, rows, &counted(rows, "row", "rows"))?;
        let order = self.shuffled(seed);
        let labels = Labels::of(self, &order, strata)?;
        let part_of = match labels.is_empty() {
            true => (0..rows).map(|place| place % folds).collect(),
            false => {
                let size = |fold: usize| rows / folds + usize::from(fold < rows % folds);
                placement::alike(&labels, &(0..folds).map(size).collect::<Vec<_>>())
            }
        };
        Ok(of_parts(folds, &order, &part_of))
    }

    /// The same with no group in two folds: rows with the same cell in this column are all in one, as
    /// [`split_grouped`](Self::split_grouped) has them in one part, and a row whose cell is missing is a group of its own. The folds
    /// are as equal, in rows and in every stratum, as groups of such sizes let them be; each has a group.
    ///
    /// # Errors
    /// As [`folds`](Self::folds), and [`Error::Invalid`] for more folds than groups.
    pub fn folds_grouped(
        &self,
        seed: u64,
        folds: usize,
        group: &str,
        strata: &[Strata],
    ) -> Result<Vec<Vec<usize>>> {
        self.splittable()?;
        let order = self.shuffled(seed);
        let (of, groups) = self.groups_in(group, &order)?;
        let has = format!("{} of \"{group}\"", counted(groups, "group", "groups"));
        self.check_folds(folds, groups, &has)?;
        let labels = Labels::of(self, &order, strata)?;
        let shares = vec![1.0 / folds as f64; folds];
        let part_of_group = group::parts(&labels, &of, groups, &shares);
        let part_of: Vec<usize> = of.iter().map(|&group| part_of_group[group]).collect();
        Ok(of_parts(folds, &order, &part_of))
    }

    /// Checks that so many folds can be made of so many rows or groups, which it `has`.
    fn check_folds(&self, folds: usize, most: usize, has: &str) -> Result<()> {
        if (2..=most).contains(&folds) {
            return Ok(());
        }
        let remedy = match most {
            0 | 1 => "folds need two at least".into(),
            _ => format!("ask for 2 to {most} folds"),
        };
        let problem = format!("{} has {has}, not to be cut into {folds} folds", self.name());
        Err(Error::invalid(problem, remedy))
    }
}

/// The rows of each part; a part is given for every place of the order.
fn of_parts(parts: usize, order: &[usize], part_of: &[usize]) -> Vec<Vec<usize>> {
    let mut rows = vec![Vec::new(); parts];
    for (&row, &part) in order.iter().zip(part_of) {
        rows[part].push(row);
    }
    rows
}
