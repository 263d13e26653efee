//! What a run draws at random as it goes: the order of the rows, and the units that are dropped.
//!
//! Written a second time, from the documentation of [`data::Permutation`](crate::data::Permutation) and
//! [`network::Dropout`](crate::network::Dropout), whose keys the engines on the GPU are told: what is wrong there is not
//! wrong here too. Nothing wraps: numbers are wide enough for every product, and remainders are taken after.

use std::iter::successors;

const WORD: u64 = 1 << 32;

/// The rows at these positions of an epoch's order of `rows` rows.
pub(super) fn order(
    rows: usize,
    seed: u64,
    epoch: u64,
    positions: impl Iterator<Item = usize>,
) -> Vec<usize> {
    let keys = halves(finalise(seed ^ finalise(epoch)));
    if rows <= 256 {
        return ranks(rows, keys, positions);
    }
    let rows = rows as u64;
    let width = rows.next_power_of_two().ilog2();
    let row = |position: usize| {
        let walk = successors(Some(position as u64), |at| Some(feistel(*at, width, keys)));
        // Where it starts does not count. The walk comes back there, so it does end.
        walk.skip(1).find(|at| *at < rows).map_or(position, |at| at as usize)
    };
    positions.map(row).collect()
}

/// The rows that stand in place of these where as many as there are were drawn with replacement.
pub(super) fn drawn(rows: usize, seed: u64, of: &[usize]) -> Vec<usize> {
    // "bootstra"
    let [low, high] = halves(finalise(seed ^ finalise(0x626f_6f74_7374_7261)));
    let draw = |&row: &usize| scatter((scatter((row as u64 + low) % WORD) + high) % WORD);
    of.iter().map(|row| draw(row) as usize % rows).collect()
}

/// Every position's place in the sequence of all positions by their hashes.
fn ranks(rows: usize, keys: [u64; 2], positions: impl Iterator<Item = usize>) -> Vec<usize> {
    let hash =
        |position: usize| scatter((scatter((position as u64 + keys[0]) % WORD) + keys[1]) % WORD);
    let mut sequence: Vec<usize> = (0..rows).collect();
    sequence.sort_by_key(|&position| hash(position));
    let mut places = vec![0; rows];
    for (place, position) in sequence.into_iter().enumerate() {
        places[position] = place;
    }
    positions.map(|position| places[position]).collect()
}

/// Eight rounds on a number of so many bits: each gives its high part, hashed with the low one, back as the low part.
fn feistel(value: u64, width: u32, keys: [u64; 2]) -> u64 {
    // What low and high parts are below.
    let (mut below_low, mut below_high) = (1 << (width / 2), 1 << width.div_ceil(2));
    let (mut high, mut low) = (value / below_low, value % below_low);
    for (round, key) in (0..8).zip(keys.into_iter().cycle()) {
        let key = (key + round * 0x9e37_79b9) % WORD;
        let hashed = (high ^ scatter((low + scatter(key)) % WORD)) % below_high;
        (high, low) = (low, hashed);
        (below_high, below_low) = (below_low, below_high);
    }
    high * below_low + low
}

/// A training step's dropout.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drops {
    probability: f64,
    keys: [u64; 2],
}

impl Drops {
    /// The dropout of step `step`, counted from 1, of a run with this seed.
    pub(super) fn new(probability: f64, seed: u64, step: u64) -> Self {
        let keys = halves(finalise(seed ^ finalise(step ^ 0x6472_6f70_6f75_7420)));
        Self { probability, keys }
    }

    /// What the activation in row `row` of the batch is multiplied by, of the unit whose bias is parameter `unit`.
    pub(super) fn factor(&self, row: usize, unit: usize) -> f64 {
        let mut words = [row as u64, unit as u64, self.keys[0], self.keys[1]];
        words = words.map(|word| (word * 1_664_525 + 1_013_904_223) % WORD);
        stir(&mut words);
        words = words.map(|word| word ^ (word / (1 << 16)));
        stir(&mut words);
        let dropped = words[3] < (self.probability * WORD as f64).floor() as u64;
        if dropped { 0.0 } else { 1.0 / (1.0 - self.probability) }
    }
}

/// The half of a round of `pcg4d` that lets every word depend on the others.
fn stir([x, y, z, w]: &mut [u64; 4]) {
    *x = (*x + *y * *w) % WORD;
    *y = (*y + *z * *x) % WORD;
    *z = (*z + *x * *y) % WORD;
    *w = (*w + *y * *z) % WORD;
}

/// SplitMix64: its output function after one addition of its increment.
fn finalise(value: u64) -> u64 {
    const RANGE: u128 = 1 << 64;
    let mut value = (u128::from(value) + 0x9e37_79b9_7f4a_7c15) % RANGE;
    for (shift, factor) in [(30, 0xbf58_476d_1ce4_e5b9), (27, 0x94d0_49bb_1331_11eb)] {
        value = (value ^ (value >> shift)) * factor % RANGE;
    }
    (value ^ (value >> 31)) as u64
}

/// `lowbias32`.
fn scatter(mut word: u64) -> u64 {
    for (shift, factor) in [(16, 0x7feb_352d), (15, 0x846c_a68b)] {
        word = (word ^ (word >> shift)) * factor % WORD;
    }
    word ^ (word >> 16)
}

/// The low and the high word.
fn halves(key: u64) -> [u64; 2] {
    [key % WORD, key / WORD]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Bootstrap, Permutation};
    use crate::network::Dropout;

    /// Small numbers and the ends of their range.
    const KEYS: [u64; 9] = [0, 1, 2, 31, 1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63, u64::MAX];

    #[test]
    fn splitmix_gives_its_published_numbers() {
        // The first three of the generator whose state starts at 1234567, as in other languages' test suites.
        let mut state = 1_234_567_u64;
        for expected in
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        {
            assert_eq!(finalise(state), expected);
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        }
    }

    #[test]
    fn orders_are_those_that_the_gpu_is_told() {
        for rows in [1, 2, 3, 5, 16, 255, 256, 257, 300, 512, 1_000, 5_000] {
            for (seed, epoch) in KEYS.into_iter().flat_map(|s| KEYS.map(|e| (s, e))) {
                let told = Permutation::new(rows as u32, seed, epoch);
                let told: Vec<usize> = (0..rows).map(|at| told.row(at as u32) as usize).collect();
                let found = order(rows, seed, epoch, 0..rows);
                assert_eq!(found, told, "{rows} rows, seed {seed}, epoch {epoch}");
            }
        }
    }

    #[test]
    fn draws_are_those_that_the_gpu_is_told() {
        for rows in [1, 2, 7, 256, 1_000] {
            for seed in KEYS {
                let told = Bootstrap::new(rows as u32, seed);
                let told: Vec<usize> = (0..rows).map(|at| told.row(at as u32) as usize).collect();
                let all: Vec<usize> = (0..rows).collect();
                assert_eq!(drawn(rows, seed, &all), told, "{rows} rows, seed {seed}");
            }
        }
    }

    #[test]
    fn factors_are_those_that_the_gpu_is_told() {
        for probability in [0.0, 0.1, 0.25, 0.5, 0.999] {
            for (seed, step) in KEYS.into_iter().flat_map(|s| KEYS.map(|e| (s, e))) {
                let told = Dropout::new(probability, seed, step);
                let found = Drops::new(probability, seed, step);
                for (row, unit) in (0..8).flat_map(|row| (60..90).map(move |unit| (row, unit))) {
                    let case = format!("p = {probability}, seed {seed}, step {step}");
                    let told = told.factor(row, unit);
                    assert_eq!(found.factor(row as usize, unit as usize), told, "{case}");
                }
            }
        }
    }
}
