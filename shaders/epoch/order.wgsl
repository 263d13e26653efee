// The order in which an epoch visits the rows: order[at] = row.
//
// One invocation a position and member. Runs once an epoch, so that the steps only read.
// Reads: draws [members]
// Writes: order [members, rows]

// Rows drawn with replacement; Rust twin: `data::Bootstrap`, bit for bit.
struct Draw {
    key_even: u32,
    key_odd: u32,
    is_made: u32,       // 0: every row as it is
    unused: u32,
}

@group(0) @binding(0) var<storage, read_write> order: array<u32>;
@group(0) @binding(1) var<storage, read> draws: array<Draw>;

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
    var row = position;
    if step.domain_bits != 0u {
        row = permuted(position, rows, vec2(member.key_even, member.key_odd), step.domain_bits);
    }
    let draw = draws[member.number];
    if draw.is_made != 0u {
        row = mix(mix(row + draw.key_even) + draw.key_odd) % rows;
    }
    order[at] = row;
}
