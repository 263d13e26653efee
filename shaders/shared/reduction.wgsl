// Sums and maxima over the lanes of a workgroup, in a fixed order, so that the same input gives the
// same bits. Every function must be called by all 64 lanes.

var<workgroup> scratch: array<f32, 64>;

// The sum over each run of `width` neighbouring lanes (a power of two), in every lane of the run.
fn sum_over(width: u32, lane: u32, value: f32) -> f32 {
    if width == 1u {
        return value;
    }
    scratch[lane] = value;
    workgroupBarrier();
    for (var half = width / 2u; half > 0u; half /= 2u) {
        if lane % width < half {
            scratch[lane] += scratch[lane + half];
        }
        workgroupBarrier();
    }
    let sum = scratch[lane - lane % width];
    workgroupBarrier();
    return sum;
}

// The maximum over each run of `width` neighbouring lanes, in every lane of the run.
fn max_over(width: u32, lane: u32, value: f32) -> f32 {
    if width == 1u {
        return value;
    }
    scratch[lane] = value;
    workgroupBarrier();
    for (var half = width / 2u; half > 0u; half /= 2u) {
        if lane % width < half {
            scratch[lane] = max(scratch[lane], scratch[lane + half]);
        }
        workgroupBarrier();
    }
    let highest = scratch[lane - lane % width];
    workgroupBarrier();
    return highest;
}
