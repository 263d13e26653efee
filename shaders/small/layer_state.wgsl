{#- What a run of steps does with a layer's parameters and moments, which stay in registers from the first step to the
    last; included like layer.wgsl. -#}
{%- set n = layer.number -%}
// Loads the parameters and both moments, a GROUP at a time: each comes in at the end and pushes the others forward.
fn load_{{ n }}(
    lane: u32, weights: ptr<function, Parameters_{{ n }}>, first: ptr<function, Parameters_{{ n }}>,
    second: ptr<function, Parameters_{{ n }}>,
) {
    let vectors = VECTORS_{{ n }} + unknown_zero();
    for (var vector = 0u; vector < vectors; vector += GROUP) {
        for (var i = 0u; i < VECTORS_{{ n }} - GROUP; i++) {
            (*weights)[i] = (*weights)[i + GROUP];
            (*first)[i] = (*first)[i + GROUP];
            (*second)[i] = (*second)[i + GROUP];
        }
        for (var i = 0u; i < GROUP; i++) {
            let at = parameter_at_{{ n }}(vector + i, lane);
            let last = VECTORS_{{ n }} - GROUP + i;
            (*weights)[last] = select(state[member.state + at], 0.0, at == NONE);
            (*first)[last] = select(state[member.state + member.all + at], 0.0, at == NONE);
            (*second)[last] = select(state[member.state + 2u * member.all + at], 0.0, at == NONE);
        }
    }
}

// Stores what `load_{{ n }}` loaded; afterwards every vector is back in its place.
fn store_{{ n }}(
    lane: u32, weights: ptr<function, Parameters_{{ n }}>, first: ptr<function, Parameters_{{ n }}>,
    second: ptr<function, Parameters_{{ n }}>,
) {
    let vectors = VECTORS_{{ n }} + unknown_zero();
    for (var vector = 0u; vector < vectors; vector += GROUP) {
        for (var i = 0u; i < GROUP; i++) {
            let at = parameter_at_{{ n }}(vector + i, lane);
            if at != NONE {
                state[member.state + at] = (*weights)[i];
                state[member.state + member.all + at] = (*first)[i];
                state[member.state + 2u * member.all + at] = (*second)[i];
            }
        }
        rotate_{{ n }}(weights);
        rotate_{{ n }}(first);
        rotate_{{ n }}(second);
    }
}

fn rotate_{{ n }}(vectors: ptr<function, Parameters_{{ n }}>) {
    var front: array<f32, GROUP>;
    for (var i = 0u; i < GROUP; i++) {
        front[i] = (*vectors)[i];
    }
    for (var i = 0u; i < VECTORS_{{ n }} - GROUP; i++) {
        (*vectors)[i] = (*vectors)[i + GROUP];
    }
    for (var i = 0u; i < GROUP; i++) {
        (*vectors)[VECTORS_{{ n }} - GROUP + i] = front[i];
    }
}

// The weight once more, with its inputs along the lanes, for the gradient at the inputs.
fn transpose_{{ n }}(
    lane: u32, weights: ptr<function, Parameters_{{ n }}>, transposed: ptr<function, Transposed_{{ n }}>
) {
    if IS_FIRST_{{ n }} {
        return;
    }
    for (var block = 0u; block < INPUT_BLOCKS_{{ n }}; block++) {
        for (var outputs = 0u; outputs < OUTPUT_BLOCKS_{{ n }}; outputs++) {
            var square: Square;
            for (var i = 0u; i < LANES; i++) {
                let input = block * LANES + i;
                if input < INPUTS_{{ n }} {
                    square[i] = (*weights)[outputs * COLUMNS_{{ n }} + input];
                } else {
                    square[i] = 0.0;
                }
            }
            transpose(lane, &square);
            for (var i = 0u; i < LANES; i++) {
                (*transposed)[(block * OUTPUT_BLOCKS_{{ n }} + outputs) * LANES + i] = square[i];
            }
        }
    }
}

// Adam on every parameter that stays finite; whether all of this lane's did. Registers that hold no parameter have a
// gradient of 0, and stay 0: programs::small sees to it that epsilon is not 0.
fn update_{{ n }}(
    group: Group, weights: ptr<function, Parameters_{{ n }}>, first: ptr<function, Parameters_{{ n }}>,
    second: ptr<function, Parameters_{{ n }}>, gradient: ptr<function, Parameters_{{ n }}>, updates: bool,
) -> bool {
    var finite = true;
    for (var vector = 0u; vector < OUTPUT_BLOCKS_{{ n }} * COLUMNS_{{ n }}; vector++) {
        let updated = adam(
            group, (*weights)[vector], (*gradient)[vector], (*first)[vector], (*second)[vector],
            member.learning_rate, member.step_size, member.root_correction,
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
