// The parameters as `block` reads them, packed anew before the steps of a submission: whoever changed them since, `finish` or
// the host, need not know of the copy.
//
// One invocation a cell. Padding stays 0, as the buffer was made.
// Reads: parameters        Writes: packed (block/places.wgsl)

@group(0) @binding(0) var<storage, read> parameters: array<f32>;
@group(0) @binding(1) var<storage, read_write> packed: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let cell = unfolded(workgroup, workgroups) * LANES + lane;
    if cell < CELLS {
        let place = parameter_of(cell);
        if place != NO_PLACE {
            packed[cell] = parameters[place];
            let transposed = transposed_of(cell);
            if transposed != NO_PLACE {
                packed[transposed] = parameters[place];
            }
        }
    } else if cell - CELLS < {{ tasks | length }}u {
        let k = cell - CELLS;
        packed[SIGMA_AT + k] = parameters[{{ parameters }}u + k];
    }
}

{% include "block/places" %}
