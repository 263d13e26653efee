//! What a step draws at random: a hash of the seed, the step and whatever it is drawn for, so that nothing need be kept or drawn in
//! turn.

use super::permutation::split_mix;

/// Sets the steps' keys apart from those of the epochs' orders.
const KEYS: u64 = u64::from_be_bytes(*b"dropout ");

/// The key of a step, counted from 1, of a run with this seed: the low and the high word of
/// `split_mix(seed ^ split_mix(step ^ "dropout "))`, the eight letters as a big-endian number.
pub(crate) fn step_key(seed: u64, step: u64) -> [u32; 2] {
    let key = split_mix(seed ^ split_mix(step ^ KEYS));
    [key as u32, (key >> 32) as u32]
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
