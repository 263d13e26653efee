// Before the end of a fused step that clips its gradient: adds up the gradient's shares, and its squares in shares of
// their own, from which `finish` knows the norm. A dispatch of its own, since no parameter may be updated before every
// gradient is known.
//
// A lane takes every so-many-th parameter; all sums are made in a fixed order.
// Reads:  gradient_shares [seats, shares, parameters]
// Writes: gradient [seats, parameters and, behind them, the sums of squares [workgroups]]

@group(0) @binding(0) var<storage, read> gradient_shares: array<f32>;
@group(0) @binding(1) var<storage, read_write> gradient: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let length = arrayLength(&gradient) / step.seats;
    let start = workgroup.z * length;
    let parameters = length - workgroups.x;
    let of_shares = arrayLength(&gradient_shares) / step.seats;
    let first = workgroup.z * of_shares;
    var squares: LongSum;
    for (var i = workgroup.x * LANES + lane; i < parameters; i += workgroups.x * LANES) {
        var shares: LongSum;
        for (var at = i; at < of_shares; at += parameters) {
            add_term(&shares, gradient_shares[first + at]);
        }
        let sum = sum_of(shares);
        gradient[start + i] = sum;
        add_term(&squares, sum * sum);
    }
    let share = sum_over(LANES, lane, sum_of(squares));
    if lane == 0u {
        gradient[start + parameters + workgroup.x] = share;
    }
}
