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
