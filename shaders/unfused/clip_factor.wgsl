// By what the gradient is multiplied to clip its norm (shared/clip.wgsl): the shares of its squares, added up in a
// fixed order.
//
// One workgroup.    Reads: sums [shares]        Writes: factor [1]

@group(0) @binding(0) var<storage, read> sums: array<f32>;
@group(0) @binding(1) var<storage, read_write> factor: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
    var sum: LongSum;
    for (var share = lane; share < arrayLength(&sums); share += LANES) {
        add_term(&sum, sums[share]);
    }
    let squares = sum_over(LANES, lane, sum_of(sum));
    if lane == 0u {
        factor[0] = clip_factor(squares);
    }
}
