//! What rows have in common that parts should have in the same proportion, and how rare each of it is.
//!
//! A *stratum* is a class of a column, or having or lacking a task's labels; every row has one of each entry. Strata are
//! numbered from the rarest to the commonest, so that a row's lowest number is what it is rarest in.

use super::super::table::Table;
use crate::error::Result;
use std::collections::HashMap;

/// What parts should have in the same proportion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strata {
    /// The classes of this column: what it has as text. Rows whose cell is missing are a stratum of their own.
    Classes(String),
    /// Whether the cells of all of these columns are present, as a task of numbers needs them: labelled rows and others.
    Labelled(Vec<String>),
}

/// What a stratum is, which decides where it must be represented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A class: no part can do without it but by being small, and the first one least.
    Class,
    /// Rows that have a label of a task: every part should have some.
    Labelled,
    /// Rows that have none.
    Unlabelled,
}

/// A stratum: what it is, and how many rows it has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stratum {
    pub kind: Kind,
    pub rows: usize,
    /// The first of its rows' places in the shuffled order.
    pub first: usize,
    /// Strata of its entry.
    siblings: usize,
}

/// The strata of all rows, which are named by their places in the shuffled order.
pub(super) struct Labels {
    /// From the rarest to the commonest.
    pub strata: Vec<Stratum>,
    /// The strata of the rows, those of a row together, one an entry.
    of: Vec<u32>,
    entries: usize,
}

/// A way of telling rows apart: the stratum that each place has, as numbers from 0, and what they are.
struct Entry {
    stratum: Vec<u32>,
    kinds: Vec<Kind>,
}

impl Labels {
    /// The strata by which rows can be dealt out: those of entries that tell rows apart, but not each from all others.
    pub(super) fn of(table: &Table, order: &[usize], strata: &[Strata]) -> Result<Self> {
        let mut entries = Vec::new();
        for one in strata {
            match one {
                Strata::Classes(column) => {
                    entries.push(Entry::of_classes(table, order, column)?);
                    entries.push(Entry::of_labels(table, order, std::slice::from_ref(column))?);
                }
                Strata::Labelled(columns) => {
                    entries.push(Entry::of_labels(table, order, columns)?);
                }
            }
        }
        entries.retain(|entry| entry.tells_apart(order.len()));
        Ok(Self::ranked(&entries, order.len()))
    }

    /// Numbers the strata of all entries together. Of equally rare ones those come first whose entry has the fewest: the
    /// thousand names that occur once must not keep the one rare disease from being placed.
    fn ranked(entries: &[Entry], rows: usize) -> Self {
        let mut strata = Vec::new();
        for entry in entries {
            let siblings = entry.kinds.len();
            let first = strata.len();
            strata.extend(entry.kinds.iter().map(|&kind| Stratum {
                kind,
                rows: 0,
                first: rows,
                siblings,
            }));
            for (place, &stratum) in entry.stratum.iter().enumerate() {
                let stratum: &mut Stratum = &mut strata[first + stratum as usize];
                stratum.rows += 1;
                stratum.first = stratum.first.min(place);
            }
        }
        let mut by_rank: Vec<usize> = (0..strata.len()).collect();
        by_rank.sort_by_key(|&number| (strata[number].rows, strata[number].siblings));
        let mut rank = vec![0; strata.len()];
        for (at, &number) in by_rank.iter().enumerate() {
            rank[number] = at as u32;
        }
        let mut of = vec![0; rows * entries.len()];
        let mut first = 0;
        for (index, entry) in entries.iter().enumerate() {
            for (place, &stratum) in entry.stratum.iter().enumerate() {
                of[place * entries.len() + index] = rank[first + stratum as usize];
            }
            first += entry.kinds.len();
        }
        let strata = by_rank.into_iter().map(|number| strata[number]).collect();
        Self { strata, of, entries: entries.len() }
    }

    /// Whether there is nothing to deal rows out by.
    pub(super) fn is_empty(&self) -> bool {
        self.strata.is_empty()
    }

    pub(super) fn rows(&self) -> usize {
        self.of.len() / self.entries.max(1)
    }

    /// The strata of the row at this place.
    pub(super) fn at(&self, place: usize) -> &[u32] {
        &self.of[place * self.entries..][..self.entries]
    }

    /// The rarest of them.
    pub(super) fn rarest(&self, place: usize) -> Option<u32> {
        self.at(place).iter().min().copied()
    }
}

impl Entry {
    fn of_classes(table: &Table, order: &[usize], column: &str) -> Result<Self> {
        let cells = table.column(column)?;
        let mut numbers = HashMap::new();
        let mut kinds = Vec::new();
        let number = |&row: &usize| {
            let class = cells.text(row);
            let kind = if class.is_some() { Kind::Class } else { Kind::Unlabelled };
            *numbers.entry(class).or_insert_with(|| {
                kinds.push(kind);
                kinds.len() as u32 - 1
            })
        };
        let stratum = order.iter().map(number).collect();
        Ok(Self { stratum, kinds })
    }

    fn of_labels(table: &Table, order: &[usize], columns: &[String]) -> Result<Self> {
        let columns: Vec<_> =
            columns.iter().map(|column| table.column(column)).collect::<Result<_>>()?;
        let lacks = |&row: &usize| columns.iter().any(|cells| cells.is_missing(row));
        let stratum: Vec<u32> = order.iter().map(|row| lacks(row).into()).collect();
        let kinds = if stratum.contains(&1) {
            vec![Kind::Labelled, Kind::Unlabelled]
        } else {
            vec![Kind::Labelled]
        };
        Ok(Self { stratum, kinds })
    }

    fn tells_apart(&self, rows: usize) -> bool {
        let all_differ = self.kinds.len() == rows && self.kinds.contains(&Kind::Class);
        self.kinds.len() > 1 && !all_differ
    }
}
