// Keeps a copy of the training state from before a submission, unless training has stopped: a step that cannot be finished
// for a gradient that is not finite has updated some parameters by the time that another finds out.
//
// One invocation an element.
// Reads: parameters, moments, stop        Writes: kept: the parameters, then the moments

@group(0) @binding(0) var<storage, read> parameters: array<f32>;
@group(0) @binding(1) var<storage, read> moments: array<f32>;
@group(0) @binding(2) var<storage, read> stop: array<u32>;
@group(0) @binding(3) var<storage, read_write> kept: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = unfolded(workgroup, workgroups) * LANES + lane;
    if i >= arrayLength(&kept) || min(stop[0], stop[1]) < step.number {
        return;
    }
    let of_parameters = arrayLength(&parameters);
    if i < of_parameters {
        kept[i] = parameters[i];
    } else {
        kept[i] = moments[i - of_parameters];
    }
}
