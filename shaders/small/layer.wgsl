{#- A layer of a small network, whose parameters lie in registers. Included for every `layer`, with its number n in all names:
    Units_{{ n }} is two rows of its inputs, Units_{{ n + 1 }} of its outputs.

    Lane l owns outputs l, LANES + l, 2 LANES + l ...: a block of LANES outputs is one register, and so are their weights for
    one input. Products run over the inputs, each spread to all lanes by a shuffle. Two rows at a time, one component of a
    vec2 each, so that sums do not wait for each other. All loops with constant bounds are unrolled, so that every index is a
    constant: that is what keeps the arrays in registers (gpu::software). -#}
{%- set n = layer.number -%}
// Layer {{ n }}.
const INPUTS_{{ n }} = {{ layer.inputs }}u;
const OUTPUTS_{{ n }} = {{ layer.outputs }}u;
const PARAMETER_{{ n }} = {{ layer.parameter }}u; // where its weight starts in the parameters; the bias follows it
const IS_FIRST_{{ n }} = {{ layer.is_first }};
const IS_LAST_{{ n }} = {{ layer.is_last }};
const COLUMNS_{{ n }} = INPUTS_{{ n }} + 1u; // the bias is the weight of one more input, 1
const INPUT_BLOCKS_{{ n }} = (INPUTS_{{ n }} + LANES - 1u) / LANES;
const OUTPUT_BLOCKS_{{ n }} = (OUTPUTS_{{ n }} + LANES - 1u) / LANES;
const TRANSPOSED_{{ n }} = INPUT_BLOCKS_{{ n }} * OUTPUT_BLOCKS_{{ n }} * LANES;
const VECTORS_{{ n }} = (OUTPUT_BLOCKS_{{ n }} * COLUMNS_{{ n }} + GROUP - 1u) / GROUP * GROUP;

alias Parameters_{{ n }} = array<f32, VECTORS_{{ n }}>;    // [output blocks][columns], lane = output
alias Transposed_{{ n }} = array<f32, TRANSPOSED_{{ n }}>; // [input blocks][outputs], lane = input

// Where a vector's element lies among the parameters, or NONE.
fn parameter_at_{{ n }}(vector: u32, lane: u32) -> u32 {
    let output = vector / COLUMNS_{{ n }} * LANES + lane;
    let input = vector % COLUMNS_{{ n }};
    let at = select(
        output * INPUTS_{{ n }} + input, OUTPUTS_{{ n }} * INPUTS_{{ n }} + output, input == INPUTS_{{ n }}
    );
    return select(NONE, PARAMETER_{{ n }} + at, output < OUTPUTS_{{ n }});
}

fn clear_{{ n }}(gradient: ptr<function, Parameters_{{ n }}>) {
    for (var vector = 0u; vector < VECTORS_{{ n }}; vector++) {
        (*gradient)[vector] = 0.0;
    }
}

// outputs = f(weight . inputs + bias), and f' there.
fn forward_{{ n }}(
    weights: ptr<function, Parameters_{{ n }}>, inputs: ptr<function, Units_{{ n }}>,
    outputs: ptr<function, Units_{{ n + 1 }}>, slopes: ptr<function, Units_{{ n + 1 }}>,
) {
    for (var block = 0u; block < OUTPUT_BLOCKS_{{ n }}; block++) {
        (*outputs)[block] = vec2((*weights)[block * COLUMNS_{{ n }} + INPUTS_{{ n }}]);
    }
    for (var input = 0u; input < INPUTS_{{ n }}; input++) {
        let x = spread((*inputs)[input / LANES], input % LANES);
        for (var block = 0u; block < OUTPUT_BLOCKS_{{ n }}; block++) {
            (*outputs)[block] = fma(vec2((*weights)[block * COLUMNS_{{ n }} + input]), x, (*outputs)[block]);
        }
    }
    for (var block = 0u; block < OUTPUT_BLOCKS_{{ n }}; block++) {
        if !IS_LAST_{{ n }} {
            let x = (*outputs)[block];
            let a = activate(ACTIVATION, x.x);
            let b = activate(ACTIVATION, x.y);
            (*outputs)[block] = vec2(a.x, b.x);
            (*slopes)[block] = vec2(a.y, b.y);
        }
    }
}

// Adds two rows' gradient of the weight and the bias: output_gradient . [inputs, 1].
fn add_gradient_{{ n }}(
    inputs: ptr<function, Units_{{ n }}>, output_gradient: ptr<function, Units_{{ n + 1 }}>,
    gradient: ptr<function, Parameters_{{ n }}>,
) {
    for (var input = 0u; input < INPUTS_{{ n }}; input++) {
        let x = spread((*inputs)[input / LANES], input % LANES);
        for (var block = 0u; block < OUTPUT_BLOCKS_{{ n }}; block++) {
            let at = block * COLUMNS_{{ n }} + input;
            let slope = (*output_gradient)[block];
            (*gradient)[at] = fma(slope.y, x.y, fma(slope.x, x.x, (*gradient)[at]));
        }
    }
    for (var block = 0u; block < OUTPUT_BLOCKS_{{ n }}; block++) {
        let slope = (*output_gradient)[block];
        (*gradient)[block * COLUMNS_{{ n }} + INPUTS_{{ n }}] += slope.x + slope.y;
    }
}

// input_gradient = weight^T . output_gradient * slopes, the gradient before the previous layer's activation.
fn input_gradient_{{ n }}(
    transposed: ptr<function, Transposed_{{ n }}>, output_gradient: ptr<function, Units_{{ n + 1 }}>,
    slopes: ptr<function, Units_{{ n }}>, input_gradient: ptr<function, Units_{{ n }}>,
) {
    if IS_FIRST_{{ n }} {
        return;
    }
    for (var block = 0u; block < INPUT_BLOCKS_{{ n }}; block++) {
        (*input_gradient)[block] = vec2<f32>();
    }
    for (var output = 0u; output < OUTPUTS_{{ n }}; output++) {
        let slope = spread((*output_gradient)[output / LANES], output % LANES);
        for (var block = 0u; block < INPUT_BLOCKS_{{ n }}; block++) {
            let weight = vec2((*transposed)[block * OUTPUT_BLOCKS_{{ n }} * LANES + output]);
            (*input_gradient)[block] = fma(weight, slope, (*input_gradient)[block]);
        }
    }
    for (var block = 0u; block < INPUT_BLOCKS_{{ n }}; block++) {
        (*input_gradient)[block] *= (*slopes)[block];
    }
}
