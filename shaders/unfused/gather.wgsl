// batch [rows, columns] = the rows of `source` that the epoch's order puts into this step.
//
// One invocation an element.

struct Gather { columns: u32 }

@group(0) @binding(0) var<storage, read> gather: Gather;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read_write> batch: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    take_seat(vec3(0u));
    let i = unfolded(workgroup, workgroups) * LANES + lane;
    if i < step.rows * gather.columns {
        batch[i] = source[order[member.first + i / gather.columns] * gather.columns + i % gather.columns];
    }
}
