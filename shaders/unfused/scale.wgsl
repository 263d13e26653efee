// gradient *= factor, in place: [parameters].
//
// One invocation a parameter.

@group(0) @binding(0) var<storage, read> factor: array<f32>;
@group(0) @binding(1) var<storage, read_write> gradient: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = unfolded(workgroup, workgroups) * LANES + lane;
    if i < arrayLength(&gradient) {
        gradient[i] *= factor[0];
    }
}
