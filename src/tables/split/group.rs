//! Parts that share no group: of rows that belong together, such as those of one person, all are in the same part.
//!
//! Groups are taken from the largest to the smallest, equally large ones in the seed's order; each goes where it brings the parts
//! nearest to their fractions of all rows and of every stratum, by the sum of squares: what scikit-learn's `StratifiedGroupKFold`
//! does for folds, here for parts of any size.

use super::strata::Labels;
use std::collections::BTreeMap;

/// A group: its rows, and how many it has of each stratum.
#[derive(Clone, Default)]
struct Group {
    rows: usize,
    strata: BTreeMap<u32, usize>,
}

/// The part of each of these groups, for parts that are to have these shares of the rows; `of` is the group of the row at each place.
/// Every part with a share has a group; there must be as many groups.
pub(super) fn parts(labels: &Labels, of: &[usize], groups: usize, shares: &[f64]) -> Vec<usize> {
    let mut all = vec![Group::default(); groups];
    for (place, &group) in of.iter().enumerate() {
        all[group].rows += 1;
        for &stratum in labels.at(place) {
            *all[group].strata.entry(stratum).or_default() += 1;
        }
    }
    let mut order: Vec<usize> = (0..groups).collect();
    // Stable: groups are numbered in the seed's order.
    order.sort_by_key(|&group| std::cmp::Reverse(all[group].rows));
    let mut filled = Filled::new(labels, of.len(), shares);
    let mut part_of = vec![0; groups];
    for (done, &group) in order.iter().enumerate() {
        let part = filled.best(&all[group], groups - done);
        filled.put(&all[group], part);
        part_of[group] = part;
    }
    part_of
}

/// What the parts have so far.
struct Filled<'a> {
    labels: &'a Labels,
    total: usize,
    shares: &'a [f64],
    rows: Vec<usize>,
    /// Rows of each stratum in each part.
    strata: Vec<Vec<usize>>,
}

impl<'a> Filled<'a> {
    fn new(labels: &'a Labels, total: usize, shares: &'a [f64]) -> Self {
        let parts = shares.len();
        let strata = vec![vec![0; parts]; labels.strata.len()];
        Self { labels, total, shares, rows: vec![0; parts], strata }
    }

    fn put(&mut self, group: &Group, part: usize) {
        self.rows[part] += group.rows;
        for (&stratum, &rows) in &group.strata {
            self.strata[stratum as usize][part] += rows;
        }
    }

    /// Where this group brings the parts nearest to their shares: the first of equally good ones, or one that has no group yet where
    /// only as many are left.
    fn best(&self, group: &Group, left: usize) -> usize {
        let has_share = |&part: &usize| self.shares[part] > 0.0;
        let is_empty = |&part: &usize| self.rows[part] == 0;
        let wanting: Vec<usize> =
            (0..self.shares.len()).filter(has_share).filter(is_empty).collect();
        let open = match wanting.len() >= left {
            true => wanting,
            false => (0..self.shares.len()).filter(has_share).collect(),
        };
        let cost = |&part: &usize| self.cost(group, part);
        open.into_iter().min_by(|a, b| cost(a).total_cmp(&cost(b))).unwrap_or(0)
    }

    /// How much farther from its shares the part would be.
    fn cost(&self, group: &Group, part: usize) -> f64 {
        let share = self.shares[part];
        let farther = |have: usize, more: usize, of: usize| {
            let off = |rows: usize| (rows as f64 / of as f64 - share).powi(2);
            off(have + more) - off(have)
        };
        let strata = group.strata.iter().map(|(&stratum, &rows)| {
            let stratum = stratum as usize;
            farther(self.strata[stratum][part], rows, self.labels.strata[stratum].rows)
        });
        // All rows count as much as the strata of one row together, and once where there are none.
        let entries = self.labels.at(0).len().max(1) as f64;
        strata.sum::<f64>() + entries * farther(self.rows[part], group.rows, self.total)
    }
}
