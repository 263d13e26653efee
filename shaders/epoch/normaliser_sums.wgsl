// Adds up the shares of each normaliser (epoch/normalisers.wgsl), in a fixed order.
//
// One workgroup a normaliser and member.
// Reads: shares [members, batches, tasks, shares]        Writes: normalisers [members, batches, tasks]

@group(0) @binding(0) var<storage, read> shares: array<f32>;
@group(0) @binding(1) var<storage, read_write> normalisers: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let of_member = arrayLength(&normalisers) / workgroups.z;
    let number = workgroup.z * of_member + unfolded(workgroup, workgroups);
    if number >= (workgroup.z + 1u) * of_member {
        return;
    }
    let count = arrayLength(&shares) / arrayLength(&normalisers);
    var sum: LongSum;
    for (var share = lane; share < count; share += LANES) {
        add_term(&sum, shares[number * count + share]);
    }
    let normaliser = sum_over(LANES, lane, sum_of(sum));
    if lane == 0u {
        normalisers[number] = normaliser;
    }
}
