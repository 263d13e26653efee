//! Which rows a run was trained on, so that later commands can say when figures are of those.
//!
//! A row is known by a hash of its features as the encoder makes them, so that the order of the file, other columns and
//! missing labels do not matter; where many rows have the same features, as in a table of few categories, by its labels
//! too. Of many rows those with the smallest hashes are kept: a fair sample, since a hash is as good as drawn at random.

use awl::data::Values;
use awl::{Dataset, Matrix};
use std::collections::HashSet;
use std::hash::Hasher;

/// Hashes of rows that a run was trained on.
pub struct RowsSeen {
    /// Whether labels are among what was hashed.
    with_labels: bool,
    /// The share of rows kept apart that equal rows trained on: so many are equal by nature.
    natural: f64,
    /// Sorted.
    hashes: Vec<u64>,
}

/// As many hashes are kept: a megabyte.
const MOST: usize = 1 << 17;
/// Where fewer of the rows have features of their own, their labels are hashed too.
const DISTINCT: f64 = 0.95;
/// A share of equal rows is told of if it is so much larger than the natural one.
const BEYOND: f64 = 0.1;

impl RowsSeen {
    /// Of rows that are trained on, and rows that are not.
    pub fn of(training: &Dataset, apart: &[&Dataset]) -> Self {
        let features = hashes(training, false);
        let distinct = features.iter().collect::<HashSet<_>>().len();
        let with_labels = (distinct as f64) < DISTINCT * features.len() as f64;
        let mut hashes = hashes(training, with_labels);
        hashes.sort_unstable();
        hashes.truncate(MOST);
        let mut seen = Self { with_labels, natural: 0.0, hashes };
        let rows: usize = apart.iter().map(|part| part.rows()).sum();
        let equal: usize = apart.iter().map(|part| seen.equal(part)).sum();
        seen.natural = if rows > 0 { equal as f64 / rows as f64 } else { 0.0 };
        seen
    }

    /// The share of the rows kept apart that equal rows trained on.
    pub fn natural(&self) -> f64 {
        self.natural
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let head = [u64::from(self.with_labels), self.natural.to_bits()];
        head.iter().chain(&self.hashes).flat_map(|word| word.to_le_bytes()).collect()
    }

    /// `None` for other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let word = |bytes: &[u8]| u64::from_le_bytes(std::array::from_fn(|index| bytes[index]));
        let words: Vec<u64> = bytes.chunks_exact(8).map(word).collect();
        let [with_labels, natural, hashes @ ..] = &words[..] else { return None };
        let natural = f64::from_bits(*natural);
        Some(Self { with_labels: *with_labels == 1, natural, hashes: hashes.to_vec() })
    }

    /// Whether labels must be known to tell.
    pub fn needs_labels(&self) -> bool {
        self.with_labels
    }

    /// How many of these rows, about, the run was trained on; 0 if no more are equal than would be by nature.
    pub fn count(&self, data: &Dataset) -> usize {
        let equal = self.equal(data);
        let share = equal as f64 / data.rows() as f64;
        if share > self.natural + BEYOND * (1.0 - self.natural) { equal } else { 0 }
    }

    /// How many of these rows, about, are equal to rows that the run was trained on.
    fn equal(&self, data: &Dataset) -> usize {
        let Some(&last) = self.hashes.last() else { return 0 };
        let all = hashes(data, self.with_labels);
        // Those that would have been kept, had they been trained on.
        let sampled = |hash: &&u64| self.hashes.len() < MOST || **hash <= last;
        let sample: Vec<u64> = all.iter().filter(sampled).copied().collect();
        let found = sample.iter().filter(|hash| self.hashes.binary_search(hash).is_ok()).count();
        match sample.len() {
            0 => 0,
            of => (found as f64 / of as f64 * all.len() as f64).round() as usize,
        }
    }
}

/// A hash of each row's features.
pub fn feature_hashes(features: &Matrix) -> Vec<u64> {
    (0..features.rows()).map(|row| of_features(features, row).finish()).collect()
}

fn of_features(features: &Matrix, row: usize) -> Fnv {
    let mut hasher = Fnv::default();
    features.row(row).iter().for_each(|value| hasher.write_u32(value.to_bits()));
    hasher
}

fn hashes(data: &Dataset, with_labels: bool) -> Vec<u64> {
    let of_row = |row: usize| {
        let mut hasher = of_features(data.features(), row);
        for target in data.targets().iter().filter(|_| with_labels) {
            match (target.has_label(row), target.values()) {
                (false, _) => hasher.write_u8(0),
                (true, Values::Classes(classes)) => hasher.write_u32(classes[row]),
                (true, Values::Numbers(numbers)) => {
                    numbers.row(row).iter().for_each(|value| hasher.write_u32(value.to_bits()));
                }
            }
        }
        hasher.finish()
    };
    (0..data.rows()).map(of_row).collect()
}

/// FNV-1a, stirred at the end: the same on every machine and in every version.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn write_u32(&mut self, value: u32) {
        self.write(&value.to_le_bytes());
    }

    fn finish(&self) -> u64 {
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use awl::Target;

    fn rows(numbers: impl Iterator<Item = usize>) -> Dataset {
        let values: Vec<f32> = numbers.map(|number| number as f32).collect();
        let labels = values.iter().map(|value| *value as u32 % 3).collect();
        let features = Matrix::new(1, values).expect("a column");
        Dataset::new(features, vec![Target::classes(labels)]).expect("a dataset")
    }

    #[test]
    fn rows_that_were_trained_on_are_known_again_in_any_order() {
        let bytes = RowsSeen::of(&rows(0..300), &[]).to_bytes();
        let seen = RowsSeen::from_bytes(&bytes).expect("its own bytes");
        assert!(!seen.needs_labels());
        assert_eq!(seen.count(&rows((0..300).rev())), 300);
        assert_eq!(seen.count(&rows(200..400)), 100);
        assert_eq!(seen.count(&rows(300..400)), 0);
    }

    #[test]
    fn rows_that_are_equal_by_nature_are_no_sign() {
        let few = || rows((0..300).map(|row| row % 7));
        let seen = RowsSeen::of(&few(), &[&few()]);
        assert!(seen.needs_labels());
        assert!((seen.natural() - 1.0).abs() < 1e-12);
        assert_eq!(seen.count(&few()), 0);
    }

    #[test]
    fn of_many_rows_a_sample_is_known() {
        let seen = RowsSeen::of(&rows(0..400_000), &[]);
        let found = seen.count(&rows(300_000..500_000));
        assert!((90_000..110_000).contains(&found), "{found}");
    }
}
