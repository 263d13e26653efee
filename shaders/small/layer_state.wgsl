// What a run of steps does with a layer's parameters and moments, which stay in registers from the first step to the
// last; copied like layer.wgsl.

// Loads the parameters and both moments, a GROUP at a time: each comes in at the end and pushes the others forward.
fn load_N(
    lane: u32, weights: ptr<function, Parameters_N>, first: ptr<function, Parameters_N>,
    second: ptr<function, Parameters_N>,
) {
    let vectors = VECTORS_N + unknown_zero();
    for (var vector = 0u; vector < vectors; vector += GROUP) {
        for (var i = 0u; i < VECTORS_N - GROUP; i++) {
            (*weights)[i] = (*weights)[i + GROUP];
            (*first)[i] = (*first)[i + GROUP];
            (*second)[i] = (*second)[i + GROUP];
        }
        for (var i = 0u; i < GROUP; i++) {
            let at = parameter_at_N(vector + i, lane);
            let last = VECTORS_N - GROUP + i;
            (*weights)[last] = select(parameters[at], 0.0, at == NONE);
            (*first)[last] = select(moments[at], 0.0, at == NONE);
            (*second)[last] = select(moments[arrayLength(&parameters) + at], 0.0, at == NONE);
        }
    }
}

// Stores what `load_N` loaded; afterwards every vector is back in its place.
fn store_N(
    lane: u32, weights: ptr<function, Parameters_N>, first: ptr<function, Parameters_N>,
    second: ptr<function, Parameters_N>,
) {
    let vectors = VECTORS_N + unknown_zero();
    for (var vector = 0u; vector < vectors; vector += GROUP) {
        for (var i = 0u; i < GROUP; i++) {
            let at = parameter_at_N(vector + i, lane);
            if at != NONE {
                parameters[at] = (*weights)[i];
                moments[at] = (*first)[i];
                moments[arrayLength(&parameters) + at] = (*second)[i];
            }
        }
        rotate_N(weights);
        rotate_N(first);
        rotate_N(second);
    }
}

fn rotate_N(vectors: ptr<function, Parameters_N>) {
    var front: array<f32, GROUP>;
    for (var i = 0u; i < GROUP; i++) {
        front[i] = (*vectors)[i];
    }
    for (var i = 0u; i < VECTORS_N - GROUP; i++) {
        (*vectors)[i] = (*vectors)[i + GROUP];
    }
    for (var i = 0u; i < GROUP; i++) {
        (*vectors)[VECTORS_N - GROUP + i] = front[i];
    }
}

// The weight once more, with its inputs along the lanes, for the gradient at the inputs.
fn transpose_N(lane: u32, weights: ptr<function, Parameters_N>, transposed: ptr<function, Transposed_N>) {
    if IS_FIRST_N {
        return;
    }
    for (var block = 0u; block < INPUT_BLOCKS_N; block++) {
        for (var outputs = 0u; outputs < OUTPUT_BLOCKS_N; outputs++) {
            var square: Square;
            for (var i = 0u; i < LANES; i++) {
                let input = block * LANES + i;
                if input < INPUTS_N {
                    square[i] = (*weights)[outputs * COLUMNS_N + input];
                } else {
                    square[i] = 0.0;
                }
            }
            transpose(lane, &square);
            for (var i = 0u; i < LANES; i++) {
                (*transposed)[(block * OUTPUT_BLOCKS_N + outputs) * LANES + i] = square[i];
            }
        }
    }
}

// Adam on every parameter that stays finite; whether all of this lane's did. Registers that hold no parameter have a
// gradient of 0, and stay 0: programs::small sees to it that epsilon is not 0.
fn update_N(
    group: Group, weights: ptr<function, Parameters_N>, first: ptr<function, Parameters_N>,
    second: ptr<function, Parameters_N>, gradient: ptr<function, Parameters_N>, updates: bool,
) -> bool {
    var finite = true;
    for (var vector = 0u; vector < OUTPUT_BLOCKS_N * COLUMNS_N; vector++) {
        let updated = adam(
            group, (*weights)[vector], (*gradient)[vector], (*first)[vector], (*second)[vector],
            step.learning_rate, step.step_size, step.root_correction,
        );
        // All three are finite if their sum is; one test a register keeps the kernel short.
        let is_sound = is_finite(updated.parameter + updated.first + updated.second);
        let stores = updates && is_sound;
        (*weights)[vector] = select((*weights)[vector], updated.parameter, stores);
        (*first)[vector] = select((*first)[vector], updated.first, stores);
        (*second)[vector] = select((*second)[vector], updated.second, stores);
        finite = finite && is_sound;
    }
    return finite;
}
