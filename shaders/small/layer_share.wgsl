// What a workgroup of shares.wgsl loads and stores of a layer, copied like layer.wgsl.

// Loads the parameters, a GROUP at a time: each comes in at the end and pushes the others forward.
fn load_weights_N(lane: u32, weights: ptr<function, Parameters_N>) {
    let vectors = VECTORS_N + unknown_zero();
    for (var vector = 0u; vector < vectors; vector += GROUP) {
        for (var i = 0u; i < VECTORS_N - GROUP; i++) {
            (*weights)[i] = (*weights)[i + GROUP];
        }
        for (var i = 0u; i < GROUP; i++) {
            let at = parameter_at_N(vector + i, lane);
            (*weights)[VECTORS_N - GROUP + i] = select(parameters[at], 0.0, at == NONE);
        }
    }
}

// The weight once more, with its inputs along the lanes, for the gradient at the inputs: to load it takes a little longer
// than to transpose it in registers, and much less code.
fn load_transposed_N(lane: u32, transposed: ptr<function, Transposed_N>) {
    if IS_FIRST_N {
        return;
    }
    let vectors = TRANSPOSED_N + unknown_zero();
    for (var vector = 0u; vector < vectors; vector += GROUP) {
        for (var i = 0u; i < TRANSPOSED_N - GROUP; i++) {
            (*transposed)[i] = (*transposed)[i + GROUP];
        }
        for (var i = 0u; i < GROUP; i++) {
            let input = (vector + i) / (OUTPUT_BLOCKS_N * LANES) * LANES + lane;
            let output = (vector + i) % (OUTPUT_BLOCKS_N * LANES);
            let is_weight = input < INPUTS_N && output < OUTPUTS_N;
            let at = PARAMETER_N + output * INPUTS_N + input;
            (*transposed)[TRANSPOSED_N - GROUP + i] = select(0.0, parameters[at], is_weight);
        }
    }
}

// Stores this workgroup's share of the gradient, in the order of the parameters.
fn store_gradient_N(lane: u32, share: u32, gradient: ptr<function, Parameters_N>) {
    let vectors = VECTORS_N + unknown_zero();
    for (var vector = 0u; vector < vectors; vector += GROUP) {
        for (var i = 0u; i < GROUP; i++) {
            let at = parameter_at_N(vector + i, lane);
            if at != NONE {
                gradient_shares[share * PARAMETERS + at] = (*gradient)[i];
            }
        }
        for (var i = 0u; i < VECTORS_N - GROUP; i++) {
            (*gradient)[i] = (*gradient)[i + GROUP];
        }
    }
}
