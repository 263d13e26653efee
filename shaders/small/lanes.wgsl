// What the programs for small networks do between the lanes of a vector.

// The most parameters that one loop loads at a time.
const GROUP = 4u;

// Lane `source`'s value, in every lane.
fn spread(x: vec2<f32>, source: u32) -> vec2<f32> {
    return subgroupShuffle(x, source);
}

// Sums and maxima over all lanes, in every lane: neighbours first, always in the same order.
fn lane_sum(x: vec2<f32>) -> vec2<f32> {
    let pairs = x + subgroupShuffleXor(x, 1u);
    let quads = pairs + subgroupShuffleXor(pairs, 2u);
    let octets = quads + subgroupShuffleXor(quads, 4u);
    if LANES == 8u {
        return octets;
    }
    return octets + subgroupShuffleXor(octets, 8u);
}

fn lane_max(x: vec2<f32>) -> vec2<f32> {
    let pairs = max(x, subgroupShuffleXor(x, 1u));
    let quads = max(pairs, subgroupShuffleXor(pairs, 2u));
    let octets = max(quads, subgroupShuffleXor(quads, 4u));
    if LANES == 8u {
        return octets;
    }
    return max(octets, subgroupShuffleXor(octets, 8u));
}

// As many values a lane as there are lanes.
alias Square = array<f32, LANES>;

// Element i of lane j becomes element j of lane i: swaps halves, quarters, and so on down to neighbours.
fn transpose(lane: u32, square: ptr<function, Square>) {
    if LANES > 8u {
        swap_parts(lane, square, 8u);
    }
    swap_parts(lane, square, 4u);
    swap_parts(lane, square, 2u);
    swap_parts(lane, square, 1u);
}

fn swap_parts(lane: u32, square: ptr<function, Square>, part: u32) {
    for (var i = 0u; i < LANES; i++) {
        if (i & part) == 0u {
            let low = (*square)[i];
            let high = (*square)[i | part];
            let is_low = (lane & part) == 0u;
            (*square)[i] = select(subgroupShuffleXor(high, part), low, is_low);
            (*square)[i | part] = select(high, subgroupShuffleXor(low, part), is_low);
        }
    }
}

// 0, as only this program knows: a loop that ends here is not unrolled.
fn unknown_zero() -> u32 {
    return select(0u, 1u, arrayLength(&tasks) == 0u);
}
