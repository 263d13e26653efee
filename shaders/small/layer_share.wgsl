{#- What a workgroup of shares.wgsl loads and stores of a layer; included like layer.wgsl. -#}
{%- set n = layer.number -%}
// Loads the parameters, a GROUP at a time: each comes in at the end and pushes the others forward.
fn load_weights_{{ n }}(lane: u32, weights: ptr<function, Parameters_{{ n }}>) {
    let vectors = VECTORS_{{ n }} + unknown_zero();
    for (var vector = 0u; vector < vectors; vector += GROUP) {
        for (var i = 0u; i < VECTORS_{{ n }} - GROUP; i++) {
            (*weights)[i] = (*weights)[i + GROUP];
        }
        for (var i = 0u; i < GROUP; i++) {
            let at = parameter_at_{{ n }}(vector + i, lane);
            (*weights)[VECTORS_{{ n }} - GROUP + i] = select(state[member.state + at], 0.0, at == NONE);
        }
    }
}

// The weight once more, with its inputs along the lanes, for the gradient at the inputs: to load it takes a little longer
// than to transpose it in registers, and much less code.
fn load_transposed_{{ n }}(lane: u32, transposed: ptr<function, Transposed_{{ n }}>) {
    if IS_FIRST_{{ n }} {
        return;
    }
    let vectors = TRANSPOSED_{{ n }} + unknown_zero();
    for (var vector = 0u; vector < vectors; vector += GROUP) {
        for (var i = 0u; i < TRANSPOSED_{{ n }} - GROUP; i++) {
            (*transposed)[i] = (*transposed)[i + GROUP];
        }
        for (var i = 0u; i < GROUP; i++) {
            let input = (vector + i) / (OUTPUT_BLOCKS_{{ n }} * LANES) * LANES + lane;
            let output = (vector + i) % (OUTPUT_BLOCKS_{{ n }} * LANES);
            let is_weight = input < INPUTS_{{ n }} && output < OUTPUTS_{{ n }};
            let at = PARAMETER_{{ n }} + output * INPUTS_{{ n }} + input;
            (*transposed)[TRANSPOSED_{{ n }} - GROUP + i] = select(0.0, state[member.state + at], is_weight);
        }
    }
}

// Stores this workgroup's share of the gradient, in the order of the parameters.
fn store_gradient_{{ n }}(lane: u32, share: u32, gradient: ptr<function, Parameters_{{ n }}>) {
    let vectors = VECTORS_{{ n }} + unknown_zero();
    for (var vector = 0u; vector < vectors; vector += GROUP) {
        for (var i = 0u; i < GROUP; i++) {
            let at = parameter_at_{{ n }}(vector + i, lane);
            if at != NONE {
                gradient_shares[share * PARAMETERS + at] = (*gradient)[i];
            }
        }
        for (var i = 0u; i < VECTORS_{{ n }} - GROUP; i++) {
            (*gradient)[i] = (*gradient)[i + GROUP];
        }
    }
}
