// Adam over all parameters, sigma after the network's, unless training has stopped (shared/optimizer.wgsl).
//
// One invocation a parameter.
// Reads:  gradient [parameters], sigma_gradient [tasks], normalisers [batches, tasks], records (this step's)
// Writes: state, stop

@group(0) @binding(0) var<storage, read> optimizer: Optimizer;
@group(0) @binding(1) var<storage, read_write> state: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read> sigma_gradient: array<f32>;
@group(0) @binding(4) var<storage, read> normalisers: array<f32>;
@group(0) @binding(5) var<storage, read> records: array<f32>;
@group(0) @binding(6) var<storage, read_write> stop: array<atomic<u32>>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    take_seat(vec3(0u));
    let i = unfolded(workgroup, workgroups) * LANES + lane;
    let tasks = arrayLength(&sigma_gradient);
    let total = records[record_slot(tasks)];
    if has_stopped() || !is_finite(total) {
        if i == 0u && !has_stopped() {
            mark_stop(LOSS_STOP);
        }
        return;
    }
    if i < optimizer.parameters {
        apply_to_network(optimizer.network, i, gradient[i]);
    } else if i < member.all {
        let k = i - optimizer.parameters;
        if member.scheme != FIXED && normalisers[member.batch * tasks + k] > 0.0 {
            apply_to_sigma(optimizer.sigma, optimizer.least_sigma, optimizer.held, k, sigma_gradient[k]);
        }
    }
}
