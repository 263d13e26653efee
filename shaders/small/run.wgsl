// A run of steps, in lines like those of tile.wgsl.

@compute @workgroup_size(LANES)
fn main(@builtin(subgroup_invocation_id) lane: u32) {
    let group = optimizer.network;
    let task_K = tasks[TASK_K];
    var sigma = load_sigma(lane);
    var weights_N: Parameters_N;
    var first_N: Parameters_N;
    var second_N: Parameters_N;
    var gradient_N: Parameters_N;
    var transposed_N: Transposed_N;
    load_N(lane, &weights_N, &first_N, &second_N);
    var stopped = min(atomicLoad(&stop[LOSS_STOP]), atomicLoad(&stop[GRADIENT_STOP])) < first_step.number;
    let end = first_step.record + min(first_step.run, STEPS_A_DISPATCH);
    for (var slot = first_step.record; slot < end; slot++) {
        step = steps[slot].step;
        transpose_N(lane, &weights_N, &transposed_N);
        clear_N(&gradient_N);
        let sigma_K = subgroupShuffle(sigma.value, TASK_K);
        let weight_K = task_weight(sigma_K);
        let normaliser_K = normalisers[step.batch * TASKS + TASK_K];
        let inverse_K = select(0.0, 1.0 / normaliser_K, normaliser_K > 0.0);
        let scale_K = weight_K * inverse_K;
        var sum_K = 0.0;
        for (var first = 0u; first < step.rows; first += LANES) {
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
        var total = 0.0;
        var own_loss = 0.0;
        var has_labels = false;
        let loss_K = lane_sum(vec2(sum_K, 0.0)).x * inverse_K;
        total += select(0.0, weight_K * loss_K + regulariser(sigma_K), normaliser_K > 0.0);
        own_loss = select(own_loss, loss_K, lane == TASK_K);
        has_labels = select(has_labels, normaliser_K > 0.0, lane == TASK_K);
        if lane == 0u {
            records[record_slot(TASKS)] = total;
            record_task(TASK_K, loss_K, weight_K, sigma_K, normaliser_K);
        }
        if lane == 0u && !stopped && !is_finite(total) {
            atomicMin(&stop[LOSS_STOP], step.number);
        }
        stopped = stopped || !is_finite(total);
        var is_finite_here = true;
        let is_finite_N = update_N(group, &weights_N, &first_N, &second_N, &gradient_N, !stopped);
        is_finite_here = is_finite_here && is_finite_N;
        if SCHEME != FIXED {
            let updated = updated_sigma(sigma, gradient_at_zero(sigma.value) + own_loss * gradient_per_loss(sigma.value));
            let learns = has_labels && lane < TASKS;
            is_finite_here = is_finite_here && (is_sound(updated) || !learns);
            if learns && is_sound(updated) && !stopped {
                sigma = held(updated);
            }
        }
        if !is_finite_here && !stopped {
            atomicMin(&stop[GRADIENT_STOP], step.number);
        }
        stopped = stopped || subgroupAny(!is_finite_here);
    }
    store_N(lane, &weights_N, &first_N, &second_N);
    store_sigma(lane, sigma);
}
