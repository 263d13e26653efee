//! The keyed permutation that shuffles the rows: any position's row from the key alone.
//!
//! No state and no sort: each GPU lane computes its own entry. The kernels' twin is `shaders/shared/permutation.wgsl`,
//! which must agree bit for bit. With `mix` the hash `lowbias32` and `k₀`, `k₁` the low and high words of
//! `split_mix(seed ^ split_mix(epoch))`, which no two epochs of a seed share:
//!
//! | rows n | the row at position p |
//! |---|---|
//! | up to 256 | the rank of `mix(mix(p + k₀) + k₁)` among those of all positions, which are all different. Every order is as likely as any other |
//! | more | where a Feistel network over the smallest power of two that holds all rows takes p, walked on from wherever it lands outside them (Black & Rogaway, *Ciphers with Arbitrary Finite Domains*, 2002) |
//!
//! The network has 8 rounds. Its value is split into a low half of ⌊bits/2⌋ bits and a high half of the others; round r
//! replaces (high, low) by (low, high ^ `mix(low + mix(k + r·0x9e3779b9))`), cut to the bits of high, with k = k₀ in even
//! rounds and k₁ in odd ones. Its orders are half of all, at powers of two, where they are all even; and halves of few bits
//! have too few functions to choose from, which shows to some 25 rows. Hence the ranks, whose cost grows with n².

/// A permutation of `0..rows`, chosen by a seed and an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permutation {
    rows: u32,
    bits: u32,
    key: [u32; 2],
}

/// The most rows that are put in order by rank. That is also as many turns of a loop as a lane makes.
const MOST_RANKED: u32 = 256;
/// Rounds of the Feistel network; even, so that its two unequal halves end where they began.
const ROUNDS: u32 = 8;

impl Permutation {
    /// The order of `rows` rows (none is taken for one) in this epoch of a run with this seed.
    pub fn new(rows: u32, seed: u64, epoch: u64) -> Self {
        let key = split_mix(seed ^ split_mix(epoch));
        Self {
            rows: rows.max(1),
            // Never 0, which tells the kernel to leave the rows in order.
            bits: (u32::BITS - rows.saturating_sub(1).leading_zeros()).max(1),
            key: [key as u32, (key >> 32) as u32],
        }
    }

    /// The row at this position, which is below the number of rows.
    pub fn row(&self, position: u32) -> u32 {
        if self.rows <= MOST_RANKED {
            return self.rank(position);
        }
        let mut row = self.scramble(position);
        while row >= self.rows {
            row = self.scramble(row);
        }
        row
    }

    /// The key, for the kernel.
    pub(crate) fn key(&self) -> [u32; 2] {
        self.key
    }

    /// The width of the Feistel network's domain, for the kernel.
    pub(crate) fn bits(&self) -> u32 {
        self.bits
    }

    /// How many positions have a smaller hash than this one.
    fn rank(&self, position: u32) -> u32 {
        let hash =
            |position: u32| mix(mix(position.wrapping_add(self.key[0])).wrapping_add(self.key[1]));
        let own = hash(position);
        (0..self.rows).map(|other| u32::from(hash(other) < own)).sum()
    }

    /// Where the Feistel network takes a value.
    fn scramble(&self, value: u32) -> u32 {
        let mut low_bits = self.bits / 2;
        let mut high_bits = self.bits - low_bits;
        let mut low = value & ((1 << low_bits) - 1);
        let mut high = value >> low_bits;
        for round in 0..ROUNDS {
            let key = self.key[(round & 1) as usize].wrapping_add(round.wrapping_mul(0x9e37_79b9));
            let mixed = (high ^ mix(low.wrapping_add(mix(key)))) & ((1 << high_bits) - 1);
            (high, low) = (low, mixed);
            (high_bits, low_bits) = (low_bits, high_bits);
        }
        (high << low_bits) | low
    }
}

/// A 32-bit finaliser with low bias (C. Wellons, `lowbias32`, public domain).
pub(crate) fn mix(mut x: u32) -> u32 {
    x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

/// SplitMix64's finaliser (Steele, Lea & Flood, 2014).
pub(crate) fn split_mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On both sides of every change of method, and of powers of two.
    const SIZES: [u32; 20] =
        [1, 2, 3, 4, 5, 7, 8, 9, 31, 33, 100, 255, 256, 257, 511, 512, 513, 1_000, 4_096, 4_097];

    #[test]
    fn every_row_is_visited_once() {
        for rows in SIZES {
            for epoch in 0..3 {
                let mut seen = order(rows, 7, epoch);
                seen.sort_unstable();
                assert_eq!(seen, (0..rows).collect::<Vec<_>>(), "{rows} rows, epoch {epoch}");
            }
        }
    }

    fn order(rows: u32, seed: u64, epoch: u64) -> Vec<u32> {
        let order = Permutation::new(rows, seed, epoch);
        (0..rows).map(|position| order.row(position)).collect()
    }

    /// Σ (count − expected)²/expected over cells that are all as likely, as standard deviations beyond its mean.
    fn excess(counts: impl ExactSizeIterator<Item = u32>, expected: f64, degrees: usize) -> f64 {
        let chi_squared: f64 =
            counts.map(|count| (f64::from(count) - expected).powi(2) / expected).sum();
        (chi_squared - degrees as f64) / (2.0 * degrees as f64).sqrt()
    }

    /// How far χ² may be beyond its mean, in its own standard deviations √(2·degrees). Of fair shuffles one in 176 is
    /// further at 1 degree of freedom, one in 590 at 4, in 3,100 at 16, in 8,700 at 36, and fewer at more; the seeds are
    /// fixed. With Feistel networks for all sizes it was 98 at 7 rows, 5.7 at 12 and 5.0 at 17 (600,000 epochs).
    const MOST_EXCESS: f64 = 4.7;

    #[test]
    fn every_row_is_equally_likely_at_every_position() {
        for (rows, epochs) in [
            (3, 300_000),
            (4, 300_000),
            (5, 300_000),
            (6, 300_000),
            (7, 300_000),
            (8, 300_000),
            (10, 100_000),
            (16, 100_000),
            (17, 100_000),
            (31, 30_000),
            (64, 10_000),
            (255, 3_000),
            (256, 3_000),
            (257, 10_000),
            (300, 10_000),
            (1_000, 10_000),
        ] {
            let mut counts = vec![0u32; (rows * rows) as usize];
            for epoch in 0..epochs {
                for (position, row) in (0..).zip(order(rows, 0, epoch)) {
                    counts[(position * rows + row) as usize] += 1;
                }
            }
            let degrees = ((rows - 1) * (rows - 1)) as usize;
            let excess = excess(counts.into_iter(), epochs as f64 / f64::from(rows), degrees);
            assert!(excess < MOST_EXCESS, "{rows} rows: χ² is {excess:.1} deviations too large");
        }
    }

    /// No order of few rows is left out, or preferred.
    #[test]
    fn every_order_is_equally_likely() {
        for (rows, orders) in [(2, 2), (3, 6), (4, 24), (5, 120), (6, 720), (7, 5_040)] {
            let mut counts = std::collections::HashMap::new();
            let epochs = 50 * orders.max(1_000);
            for epoch in 0..epochs as u64 {
                *counts.entry(order(rows, 1, epoch)).or_insert(0u32) += 1;
            }
            assert_eq!(counts.len(), orders, "{rows} rows: orders seen");
            let excess = excess(counts.into_values(), epochs as f64 / orders as f64, orders - 1);
            assert!(excess < MOST_EXCESS, "{rows} rows: χ² is {excess:.1} deviations too large");
        }
    }
}
