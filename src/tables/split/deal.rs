//! Dealing rows out to parts so that every stretch of them falls into the parts' proportions.

/// Deals `Σ sizes` rows, one at a time, to parts of these sizes.
///
/// After any number of rows each part has had its share of them to within less than one row, so that of any stretch in
/// between, say the rows of one class, it gets its share to within less than two.
///
/// R. Tijdeman, *The chairman assignment problem*, Discrete Mathematics 32 (1980): of the parts that are at least
/// `1/(2n−2)` of a row short of their share, the one whose own limit would be broken first takes the next row. Everything
/// is counted in whole numbers.
///
/// Parts of one size, or of which the first are larger by one row, get rows in turns, so that of any stretch each has its share to
/// within less than one.
pub(super) struct Deal {
    sizes: Vec<usize>,
    dealt: Vec<usize>,
    rows: i128,
    next: i128,
}

impl Deal {
    pub(super) fn new(sizes: &[usize]) -> Self {
        let rows = sizes.iter().sum::<usize>() as i128;
        Self { sizes: sizes.to_vec(), dealt: vec![0; sizes.len()], rows, next: 0 }
    }

    /// The part that gets the next row; there must be one left.
    pub(super) fn next_part(&mut self) -> usize {
        self.next += 1;
        let slack = (2 * self.sizes.len() as i128 - 2).max(1);
        let (rows, next) = (self.rows, self.next);
        let (size, dealt) =
            (|part: usize| self.sizes[part] as i128, |part: usize| self.dealt[part] as i128);
        let is_short = |part: &usize| slack * (size(*part) * next - rows * dealt(*part)) >= rows;
        // The number of rows after which the part is a whole row less 1/slack short: (dealt + 1 − 1/slack)·rows/size.
        let limit = |part: usize| (dealt(part) + 1) * slack - 1;
        let part = (0..self.sizes.len())
            .filter(is_short)
            .min_by(|&a, &b| (limit(a) * size(b)).cmp(&(limit(b) * size(a))));
        let part = part.expect("a row is left, so that some part is short of one");
        self.dealt[part] += 1;
        part
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check<const N: usize>(sizes: [usize; N]) -> Result<(), TestCaseError> {
        let mut deal = Deal::new(&sizes);
        let rows: usize = sizes.iter().sum();
        for dealt in 1..=rows {
            deal.next_part();
            for part in 0..N {
                let share = (sizes[part] * dealt) as f64 / rows as f64;
                prop_assert!(
                    (deal.dealt[part] as f64 - share).abs() < 1.0,
                    "{sizes:?} after {dealt}"
                );
            }
        }
        prop_assert_eq!(&deal.dealt[..], sizes);
        Ok(())
    }

    proptest! {
        #[test]
        fn no_part_is_ever_a_whole_row_off_its_share(a in 0usize..90, b in 0usize..40, c in 0usize..40, d in 1usize..9) {
            check([a, b, c, d])?;
            check([a, b, d])?;
            check([a, d])?;
            check([d])?;
        }

        #[test]
        fn parts_of_one_size_get_rows_in_turns(parts in 1usize..30, size in 0usize..30, larger in 0usize..30) {
            let sizes: Vec<usize> =
                (0..parts).map(|part| size + usize::from(part < larger % parts)).collect();
            let mut deal = Deal::new(&sizes);
            for dealt in 0..sizes.iter().sum() {
                prop_assert_eq!(deal.next_part(), dealt % parts);
            }
        }
    }
}
