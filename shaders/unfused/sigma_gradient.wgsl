// The weighting's backward pass: sigma_gradient [tasks], 0 for a task without a label.
//
// One invocation a task.    Reads: losses [tasks], normalisers [batches, tasks], state (sigma)

@group(0) @binding(0) var<storage, read> losses: array<f32>;
@group(0) @binding(1) var<storage, read> normalisers: array<f32>;
@group(0) @binding(2) var<storage, read> state: array<f32>;
@group(0) @binding(3) var<storage, read_write> sigma_gradient: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    take_seat(vec3(0u));
    let tasks = arrayLength(&losses);
    let k = workgroup.x * LANES + lane;
    if k >= tasks {
        return;
    }
    let sigma = state[member.sigma + k];
    let slope = gradient_at_zero(member.scheme, sigma) + losses[k] * gradient_per_loss(member.scheme, sigma);
    sigma_gradient[k] = select(0.0, slope, normalisers[member.batch * tasks + k] > 0.0);
}
