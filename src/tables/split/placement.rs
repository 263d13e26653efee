//! A part for every row: one row of each rare stratum where it must be represented, and the others in proportion.
//!
//! Which part gets the next row is [`Deal`]'s to say, whose order holds every stretch of rows to its share. What is left to
//! choose is which row that is: of some that are equally rare, the one whose other strata the part is shortest of.

use super::deal::Deal;
use super::strata::{Kind, Labels};

/// How many rows a part may choose from. More hardly even out better, and all of them would take time with the square of
/// the rows.
const CHOICE: usize = 16;

/// A stratum of which fewer rows than this are due to a part may miss it: [`Deal`] keeps to within two, and where rows have
/// several strata those that are not the rarest depend on the choice.
const RARE: u64 = 3;

/// The part of the row at each place, for parts of these sizes, of which the first is to lack no class.
pub(super) fn parts(labels: &Labels, sizes: &[usize]) -> Vec<usize> {
    let mut placement = Placement::new(labels, sizes);
    placement.place_rare_classes();
    placement.place_rare_labels();
    placement.deal_others()
}

/// The same for parts that are all alike.
pub(super) fn alike(labels: &Labels, sizes: &[usize]) -> Vec<usize> {
    Placement::new(labels, sizes).deal_others()
}

struct Placement<'a> {
    labels: &'a Labels,
    sizes: &'a [usize],
    /// What each part has room for yet.
    room: Vec<usize>,
    /// The part of each place, where it has one.
    part: Vec<Option<usize>>,
    /// Each stratum's rows in each part, and in all.
    placed: Vec<Vec<usize>>,
    placed_in_all: Vec<usize>,
}

impl<'a> Placement<'a> {
    fn new(labels: &'a Labels, sizes: &'a [usize]) -> Self {
        Self {
            labels,
            sizes,
            room: sizes.to_vec(),
            part: vec![None; labels.rows()],
            placed: vec![vec![0; sizes.len()]; labels.strata.len()],
            placed_in_all: vec![0; labels.strata.len()],
        }
    }

    fn put(&mut self, place: usize, part: usize) {
        self.part[place] = Some(part);
        self.room[part] -= 1;
        for &stratum in self.labels.at(place) {
            self.placed[stratum as usize][part] += 1;
            self.placed_in_all[stratum as usize] += 1;
        }
    }

    /// Whether the part has none of the stratum's rows, and might get none if the rows were dealt out now, but can take one.
    fn may_lack(&self, stratum: usize, part: usize) -> bool {
        let room = self.room[part];
        let left: usize = self.room.iter().sum();
        let is_rare = (self.labels.strata[stratum].rows as u64 * room as u64) < RARE * left as u64;
        is_rare && self.placed[stratum][part] == 0 && room > 0
    }

    fn place_rare_classes(&mut self) {
        for stratum in 0..self.labels.strata.len() {
            let it = self.labels.strata[stratum];
            // Its first row is in no other part, since only the first part has rows yet.
            if it.kind == Kind::Class && self.may_lack(stratum, 0) {
                self.put(it.first, 0);
            }
        }
    }

    fn place_rare_labels(&mut self) {
        for stratum in 0..self.labels.strata.len() {
            if self.labels.strata[stratum].kind != Kind::Labelled {
                continue;
            }
            for part in 0..self.sizes.len() {
                let is_free = |&place: &usize| {
                    self.part[place].is_none() && self.labels.at(place).contains(&(stratum as u32))
                };
                if self.may_lack(stratum, part)
                    && let Some(place) = (0..self.part.len()).find(is_free)
                {
                    self.put(place, part);
                }
            }
        }
    }

    /// Deals out the rows that have no part yet; the part of all.
    fn deal_others(mut self) -> Vec<usize> {
        let labels = self.labels;
        let mut others: Vec<usize> =
            (0..self.part.len()).filter(|&place| self.part[place].is_none()).collect();
        // Stable: equally rare rows stay in the seed's order.
        others.sort_by_key(|&place| labels.rarest(place));
        let mut deal = Deal::new(&self.room);
        for stretch in others.chunk_by(|&a, &b| labels.rarest(a) == labels.rarest(b)) {
            let mut later = stretch.iter().copied();
            let mut choice: Vec<usize> = later.by_ref().take(CHOICE).collect();
            for _ in stretch {
                let part = deal.next_part();
                let place = choice.remove(self.shortest(&choice, part));
                choice.extend(later.next());
                self.put(place, part);
            }
        }
        self.part.into_iter().flatten().collect()
    }

    /// Which of these rows the part is shortest of: the first of equal ones.
    fn shortest(&self, choice: &[usize], part: usize) -> usize {
        let (rows, size) = (self.labels.rows() as i128, self.sizes[part] as i128);
        // How far a row's strata are above the part's share of what was placed of them, times the table's rows.
        let above = |&at: &usize| {
            let strata = self.labels.at(choice[at]).iter();
            let above = strata.map(|&stratum| {
                let stratum = stratum as usize;
                self.placed[stratum][part] as i128 * rows
                    - self.placed_in_all[stratum] as i128 * size
            });
            above.sum::<i128>()
        };
        (0..choice.len()).min_by_key(above).unwrap_or_default()
    }
}
