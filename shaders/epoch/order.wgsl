// The order in which an epoch visits the rows: order[position] = row.
//
// One invocation a position. Runs once an epoch, so that the steps only read.
// Writes: order [rows]

@group(0) @binding(0) var<storage, read_write> order: array<u32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let position = unfolded(workgroup, workgroups) * LANES + lane;
    let rows = arrayLength(&order);
    if position >= rows {
        return;
    }
    if step.domain_bits == 0u {
        order[position] = position;
    } else {
        order[position] = permuted(position, rows, vec2(step.key_even, step.key_odd), step.domain_bits);
    }
}
