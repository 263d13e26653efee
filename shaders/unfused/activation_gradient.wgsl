// gradient *= f'(input), element by element, in place: [rows, outputs].
//
// One invocation an element.

@group(0) @binding(0) var<storage, read> layer: Layer;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> gradient: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = unfolded(workgroup, workgroups) * LANES + lane;
    if i < step.rows * layer.outputs {
        gradient[i] *= activate(layer.activation, input[i]).y;
    }
}
