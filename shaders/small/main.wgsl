// The steps themselves. `engine::small` writes a line with names in _N or _M once a layer, from the first to the last,
// or in the other order where it says so; _M is the layer after _N, _L the end of the last. It writes a line with names
// in _K once a task.

// Two rows' features, lane = feature. Lanes past the last hold what no product reads.
fn load_features(lane: u32, rows: vec2<u32>, units: ptr<function, Units_0>) {
    for (var block = 0u; block < INPUT_BLOCKS_0; block++) {
        let at = rows * FEATURES + block * LANES + lane;
        (*units)[block] = vec2(features[at.x], features[at.y]);
    }
}

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
        var sum_K = 0.0;
        for (var tile = 0u; tile < step.rows; tile += LANES) {
            // A row a lane; lanes past the end take the last row, for nothing.
            let position = min(tile + lane, step.rows - 1u);
            let row = order[step.first + position];
            let label_K = only_label_K(task_K, row);
            let counts_K = u32(is_labelled_K(task_K, row) && tile + lane < step.rows);
            let pairs = min(LANES, step.rows - tile);
            for (var pair = 0u; pair < pairs; pair += 2u) {
                let rows = vec2(subgroupShuffle(row, pair), subgroupShuffle(row, pair + 1u));
                var units_0: Units_0;
                load_features(lane, rows, &units_0);
                var units_M: Units_M;
                var slopes_M: Units_M;
                var delta_M: Units_M;
                var delta_0: Units_0;
                var slopes_0: Units_0;
                forward_N(&weights_N, &units_N, &units_M, &slopes_M);
                delta_L = Units_L();
                let own_K = vec2(subgroupShuffle(label_K, pair), subgroupShuffle(label_K, pair + 1u));
                let is_in_K = vec2(subgroupShuffle(counts_K, pair), subgroupShuffle(counts_K, pair + 1u)) == vec2(1u);
                sum_K += task_pass_K(lane, task_K, rows, own_K, is_in_K, weight_K * inverse_K, &units_L, &delta_L);
                add_gradient_N(&units_N, &delta_M, &gradient_N); input_gradient_N(&transposed_N, &delta_M, &slopes_N, &delta_N); // last to first
            }
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
                sigma = updated;
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
