// gradient [parameters] = the sum of gradient_shares [shares, parameters], in a fixed order.
//
// One invocation a parameter.

@group(0) @binding(0) var<storage, read> gradient_shares: array<f32>;
@group(0) @binding(1) var<storage, read_write> gradient: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = unfolded(workgroup, workgroups) * LANES + lane;
    let parameters = arrayLength(&gradient);
    if i >= parameters {
        return;
    }
    var sum: LongSum;
    for (var at = i; at < arrayLength(&gradient_shares); at += parameters) {
        add_term(&sum, gradient_shares[at]);
    }
    gradient[i] = sum_of(sum);
}
