// The parameters as `block` reads them, packed anew before the steps of a submission: whoever changed them since, `finish` or
// the host, need not know of the copy.
//
// One invocation a cell and seat. Padding stays 0, as the buffer was made.
// Reads: state        Writes: packed (block/places.wgsl)

@group(0) @binding(0) var<storage, read> state: array<f32>;
@group(0) @binding(1) var<storage, read_write> packed: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    take_seat(workgroup);
    let to = seat * PACKED;
    let cell = unfolded(workgroup, workgroups) * LANES + lane;
    if cell < CELLS {
        let place = parameter_of(cell);
        if place != NO_PLACE {
            packed[to + cell] = state[member.state + place];
            let transposed = transposed_of(cell);
            if transposed != NO_PLACE {
                packed[to + transposed] = state[member.state + place];
            }
        }
    } else if cell - CELLS < {{ tasks | length }}u {
        let k = cell - CELLS;
        packed[to + SIGMA_AT + k] = state[member.sigma + k];
    }
}

{% include "block/places" %}
