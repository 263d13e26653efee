// values *= 0 where the step drops a unit, 1 / (1 - p) elsewhere (shared/dropout.wgsl), in place: [rows, outputs].
// Of the activations on the way forward, and of the gradient there on the way back.
//
// One invocation an element.

@group(0) @binding(0) var<storage, read> layer: Layer;
@group(0) @binding(1) var<storage, read_write> values: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    take_seat(vec3(0u));
    let i = unfolded(workgroup, workgroups) * LANES + lane;
    if i < step.rows * layer.outputs {
        values[i] *= dropout_factor(i / layer.outputs, layer.bias + i % layer.outputs);
    }
}
