// A tile of rows through the network, the losses and back. `programs::small` writes a line with names in _N or _M once a
// layer, from the first to the last, or in the other order where it says so; _M is the layer after _N, _L the end of the
// last. It writes a line with names in _K once a task.

// Two rows' features, lane = feature. Lanes past the last hold what no product reads.
fn load_features(lane: u32, rows: vec2<u32>, units: ptr<function, Units_0>) {
    for (var block = 0u; block < INPUT_BLOCKS_0; block++) {
        let at = rows * FEATURES + block * LANES + lane;
        (*units)[block] = vec2(features[at.x], features[at.y]);
    }
}

// Takes LANES rows of the batch, from the given one on, two at a time; adds to the gradient, and to this lane's part of
// each task's summed loss. scale_K is what a task's losses are multiplied by.
fn add_tile(
    lane: u32, first: u32,
    task_K: Task,
    scale_K: f32,
    weights_N: ptr<function, Parameters_N>,
    transposed_N: ptr<function, Transposed_N>,
    gradient_N: ptr<function, Parameters_N>,
    sum_K: ptr<function, f32>,
) {
    // A row a lane; lanes past the end take the last row, for nothing.
    let position = min(first + lane, step.rows - 1u);
    let row = order[step.first + position];
    let label_K = only_label_K(task_K, row);
    let counts_K = u32(is_labelled_K(task_K, row) && first + lane < step.rows);
    let pairs = min(LANES, step.rows - first);
    for (var pair = 0u; pair < pairs; pair += 2u) {
        let rows = vec2(subgroupShuffle(row, pair), subgroupShuffle(row, pair + 1u));
        var units_0: Units_0;
        load_features(lane, rows, &units_0);
        var units_M: Units_M;
        var slopes_M: Units_M;
        var delta_M: Units_M;
        var delta_0: Units_0;
        var slopes_0: Units_0;
        forward_N(weights_N, &units_N, &units_M, &slopes_M);
        delta_L = Units_L();
        let own_K = vec2(subgroupShuffle(label_K, pair), subgroupShuffle(label_K, pair + 1u));
        let is_in_K = vec2(subgroupShuffle(counts_K, pair), subgroupShuffle(counts_K, pair + 1u)) == vec2(1u);
        *sum_K += task_pass_K(lane, task_K, rows, own_K, is_in_K, scale_K, &units_L, &delta_L);
        add_gradient_N(&units_N, &delta_M, gradient_N); input_gradient_N(transposed_N, &delta_M, &slopes_N, &delta_N); // last to first
    }
}
