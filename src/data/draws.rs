//! What a step draws at random: a hash of the seed, the step and whatever it is drawn for, so that nothing need be kept or drawn in
//! turn.

use super::permutation::{mix as mix32, split_mix};

/// Sets the steps' keys apart from those of the epochs' orders.
const KEYS: u64 = u64::from_be_bytes(*b"dropout ");

/// The key of a step, counted from 1, of a run with this seed: the low and the high word of
/// `split_mix(seed ^ split_mix(step ^ "dropout "))`, the eight letters as a big-endian number.
pub(crate) fn step_key(seed: u64, step: u64) -> [u32; 2] {
    let key = split_mix(seed ^ split_mix(step ^ KEYS));
    [key as u32, (key >> 32) as u32]
}

/// Sets the keys of rows drawn with replacement apart from all others.
const BOOTSTRAP: u64 = u64::from_be_bytes(*b"bootstra");

/// Rows drawn with replacement (Efron 1979, "Bootstrap Methods"), as many as there are, the same in every epoch: in place of row r
/// stands row `mix(mix(r + k₀) + k₁) mod rows`, with `mix` and the words k of [`Permutation`](super::Permutation), of the key
/// `split_mix(seed ^ split_mix("bootstra"))`, the eight letters as a big-endian number. A row is likelier than another by at most
/// one in 2³²/rows. The kernels' twin is `shaders/epoch/order.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    rows: u32,
    key: [u32; 2],
}

impl Bootstrap {
    /// What a run with this seed draws from so many rows (none is taken for one).
    pub fn new(rows: u32, seed: u64) -> Self {
        let key = split_mix(seed ^ split_mix(BOOTSTRAP));
        Self { rows: rows.max(1), key: [key as u32, (key >> 32) as u32] }
    }

    /// The row that stands in place of this one.
    pub fn row(&self, row: u32) -> u32 {
        mix32(mix32(row.wrapping_add(self.key[0])).wrapping_add(self.key[1])) % self.rows
    }

    /// The key, for the kernel.
    pub(crate) fn key(&self) -> [u32; 2] {
        self.key
    }
}

/// Four words from four (Jarzynski & Olano, [*Hash Functions for GPU Rendering*](https://jcgt.org/published/0009/03/02/),
/// 2020, `pcg4d`).
pub(crate) fn pcg4d(mut v: [u32; 4]) -> [u32; 4] {
    v = v.map(|word| word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    mix(&mut v);
    v = v.map(|word| word ^ (word >> 16));
    mix(&mut v);
    v
}

/// Adds to each word the product of two others.
fn mix(v: &mut [u32; 4]) {
    for (word, a, b) in [(0, 1, 3), (1, 2, 0), (2, 0, 1), (3, 1, 2)] {
        v[word] = v[word].wrapping_add(v[a].wrapping_mul(v[b]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of n rows drawn n times a share of 1 − (1 − 1/n)ⁿ is there, 1 − 1/e of many; how often each is drawn is binomial.
    #[test]
    fn rows_are_drawn_as_often_as_chance_has_it() {
        for rows in [7, 100, 1_000, 100_000] {
            let (mut seen, mut squares, seeds) = (0.0, 0.0, 2_000_000 / rows.max(2_000));
            for seed in 0..u64::from(seeds) {
                let draws = Bootstrap::new(rows, seed);
                let mut counts = vec![0_u32; rows as usize];
                (0..rows).for_each(|row| counts[draws.row(row) as usize] += 1);
                seen += counts.iter().filter(|count| **count > 0).count() as f64;
                squares +=
                    counts.iter().map(|count| (f64::from(*count) - 1.0).powi(2)).sum::<f64>();
            }
            let (n, all) = (f64::from(rows), f64::from(rows) * f64::from(seeds));
            let share = 1.0 - (1.0 - 1.0 / n).powf(n);
            // The variance of whether a row is there is at most ¼, of a squared count about 2.
            assert!((seen / all - share).abs() < 4.0 * 0.5 / all.sqrt(), "{rows}: {}", seen / all);
            let variance = 1.0 - 1.0 / n;
            assert!((squares / all - variance).abs() < 4.0 * 1.5 / all.sqrt(), "{rows}: {squares}");
        }
        let [one, other] = [1, 2].map(|seed| Bootstrap::new(100, seed));
        assert!((0..100).any(|row| one.row(row) != other.row(row)), "every seed draws its own");
    }

    #[test]
    fn the_hash_is_that_of_the_paper() {
        // From the paper's listing, in Python's whole numbers modulo 2³².
        for (input, output) in [
            ([0, 0, 0, 0], [251_852_841, 760_645_481, 850_445_371, 3_542_436_074]),
            ([1, 2, 3, 4], [908_250_390, 4_044_648_920, 3_775_961_919, 45_698_095]),
            (
                [31, 1234, 0xdead_beef, 0xffff_ffff],
                [625_335_579, 112_687_300, 3_208_617_586, 3_561_000_599],
            ),
        ] {
            assert_eq!(pcg4d(input), output, "{input:?}");
        }
    }
}
