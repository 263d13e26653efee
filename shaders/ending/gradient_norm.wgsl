// Before the end of a fused step that clips its gradient: adds up the gradient's shares, and its squares in shares of
// their own, from which `finish` knows the norm. A dispatch of its own, since no parameter may be updated before every
// gradient is known.
//
// A lane takes every so-many-th parameter; all sums are made in a fixed order.
// Reads:  gradient_shares [shares, parameters]
// Writes: gradient [parameters], and behind it the sums of squares [workgroups]

@group(0) @binding(0) var<storage, read> gradient_shares: array<f32>;
@group(0) @binding(1) var<storage, read_write> gradient: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let parameters = arrayLength(&gradient) - workgroups.x;
    var squares: LongSum;
    for (var i = workgroup.x * LANES + lane; i < parameters; i += workgroups.x * LANES) {
        var shares: LongSum;
        for (var at = i; at < arrayLength(&gradient_shares); at += parameters) {
            add_term(&shares, gradient_shares[at]);
        }
        let sum = sum_of(shares);
        gradient[i] = sum;
        add_term(&squares, sum * sum);
    }
    let share = sum_over(LANES, lane, sum_of(squares));
    if lane == 0u {
        gradient[parameters + workgroup.x] = share;
    }
}
