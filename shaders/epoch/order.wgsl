// The order in which an epoch visits the rows: order[at] = row.
//
// One invocation a position and member. Runs once an epoch, so that the steps only read.
// Writes: order [members, rows]

@group(0) @binding(0) var<storage, read_write> order: array<u32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    take_seat(workgroup);
    let position = unfolded(workgroup, workgroups) * LANES + lane;
    let rows = arrayLength(&order) / step.seats;
    let at = member.number * rows + position;
    if position >= rows {
        return;
    }
    if step.domain_bits == 0u {
        order[at] = position;
    } else {
        order[at] = permuted(position, rows, vec2(member.key_even, member.key_odd), step.domain_bits);
    }
}
