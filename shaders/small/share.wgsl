// A workgroup's share of a step, in lines like those of tile.wgsl.

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let task_K = tasks[TASK_K];
    let sigma_K = parameters[PARAMETERS + TASK_K];
    let normaliser_K = normalisers[step.batch * TASKS + TASK_K];
    let inverse_K = select(0.0, 1.0 / normaliser_K, normaliser_K > 0.0);
    let scale_K = task_weight(sigma_K) * inverse_K;
    var sum_K = 0.0;
    var weights_N: Parameters_N;
    var gradient_N: Parameters_N;
    var transposed_N: Transposed_N;
    load_weights_N(lane, &weights_N);
    load_transposed_N(lane, &transposed_N);
    clear_N(&gradient_N);
    for (var first = workgroup.x * LANES; first < step.rows; first += workgroups.x * LANES) {
        add_tile(
            lane, first,
            task_K,
            scale_K,
            &weights_N,
            &transposed_N,
            &gradient_N,
            &sum_K,
        );
    }
    store_gradient_N(lane, workgroup.x, &gradient_N);
    store_loss(lane, workgroup.x, workgroups.x, TASK_K, lane_sum(vec2(sum_K, 0.0)).x * inverse_K, sigma_K);
}
