// The keyed permutation that shuffles the rows: few by the ranks of their hashes, more by a Feistel network on the
// smallest power of two that holds them, walked on from wherever it lands outside. Rust twin: `data::Permutation`, bit
// for bit, which tells why.

const MOST_RANKED = 256u;
const ROUNDS = 8u;

fn mix(value: u32) -> u32 {
    var x = value;
    x = (x ^ (x >> 16u)) * 0x7feb352du;
    x = (x ^ (x >> 15u)) * 0x846ca68bu;
    return x ^ (x >> 16u);
}

// How many of all positions have a smaller hash than this one.
fn rank(position: u32, rows: u32, key: vec2<u32>) -> u32 {
    let own = mix(mix(position + key.x) + key.y);
    var smaller = 0u;
    for (var other = 0u; other < rows; other++) {
        smaller += u32(mix(mix(other + key.x) + key.y) < own);
    }
    return smaller;
}

fn scramble(value: u32, key: vec2<u32>, bits: u32) -> u32 {
    var low_bits = bits / 2u;
    var high_bits = bits - low_bits;
    var low = value & ((1u << low_bits) - 1u);
    var high = value >> low_bits;
    for (var round = 0u; round < ROUNDS; round++) {
        let round_key = select(key.x, key.y, (round & 1u) == 1u) + round * 0x9e3779b9u;
        let mixed = (high ^ mix(low + mix(round_key))) & ((1u << high_bits) - 1u);
        high = low;
        low = mixed;
        let swapped = high_bits;
        high_bits = low_bits;
        low_bits = swapped;
    }
    return (high << low_bits) | low;
}

// The row at `position` of an order of `rows` rows.
fn permuted(position: u32, rows: u32, key: vec2<u32>, bits: u32) -> u32 {
    if rows <= MOST_RANKED {
        return rank(position, rows, key);
    }
    var row = scramble(position, key, bits);
    while row >= rows {
        row = scramble(row, key, bits);
    }
    return row;
}
