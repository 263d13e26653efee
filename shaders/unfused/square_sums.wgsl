// Shares of the sum of a gradient's squares: each workgroup sums every `workgroups`-th run of 64.
//
// Reads: gradient [parameters]        Writes: sums [workgroups]

@group(0) @binding(0) var<storage, read> gradient: array<f32>;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    var squares: LongSum;
    for (var i = workgroup.x * LANES + lane; i < arrayLength(&gradient); i += workgroups.x * LANES) {
        add_term(&squares, gradient[i] * gradient[i]);
    }
    let sum = sum_over(LANES, lane, sum_of(squares));
    if lane == 0u {
        sums[workgroup.x] = sum;
    }
}
