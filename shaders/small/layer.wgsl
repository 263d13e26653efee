// One layer of a small network, whose parameters lie in registers. `programs::small` copies this file once a layer, with
// the layer's number for N in every name and the next one's for M, and its constants: INPUTS_N, OUTPUTS_N, PARAMETER_N
// (where its weight starts in the parameters; the bias follows it), IS_FIRST_N and IS_LAST_N. Units_N is two rows of its
// inputs, Units_M of its outputs: array<vec2<f32>, blocks>.
//
// Lane l owns outputs l, LANES + l, 2 LANES + l ...: a block of LANES outputs is one register, and so are their weights
// for one input. Products run over the inputs, each spread to all lanes by a shuffle. Two rows at a time, one component
// of a vec2 each, so that sums do not wait for each other. All loops with constant bounds are unrolled, so that every
// index is a constant: that is what keeps the arrays in registers (gpu::unrolled).

const COLUMNS_N = INPUTS_N + 1u; // the bias is the weight of one more input, 1
const INPUT_BLOCKS_N = (INPUTS_N + LANES - 1u) / LANES;
const OUTPUT_BLOCKS_N = (OUTPUTS_N + LANES - 1u) / LANES;
const TRANSPOSED_N = INPUT_BLOCKS_N * OUTPUT_BLOCKS_N * LANES;
const VECTORS_N = (OUTPUT_BLOCKS_N * COLUMNS_N + GROUP - 1u) / GROUP * GROUP;

alias Parameters_N = array<f32, VECTORS_N>;    // [output blocks][columns], lane = output
alias Transposed_N = array<f32, TRANSPOSED_N>; // [input blocks][outputs], lane = input

// Where a vector's element lies among the parameters, or NONE.
fn parameter_at_N(vector: u32, lane: u32) -> u32 {
    let output = vector / COLUMNS_N * LANES + lane;
    let input = vector % COLUMNS_N;
    let at = select(output * INPUTS_N + input, OUTPUTS_N * INPUTS_N + output, input == INPUTS_N);
    return select(NONE, PARAMETER_N + at, output < OUTPUTS_N);
}

fn clear_N(gradient: ptr<function, Parameters_N>) {
    for (var vector = 0u; vector < VECTORS_N; vector++) {
        (*gradient)[vector] = 0.0;
    }
}

// outputs = f(weight . inputs + bias), and f' there.
fn forward_N(
    weights: ptr<function, Parameters_N>, inputs: ptr<function, Units_N>, outputs: ptr<function, Units_M>,
    slopes: ptr<function, Units_M>,
) {
    for (var block = 0u; block < OUTPUT_BLOCKS_N; block++) {
        (*outputs)[block] = vec2((*weights)[block * COLUMNS_N + INPUTS_N]);
    }
    for (var input = 0u; input < INPUTS_N; input++) {
        let x = spread((*inputs)[input / LANES], input % LANES);
        for (var block = 0u; block < OUTPUT_BLOCKS_N; block++) {
            (*outputs)[block] = fma(vec2((*weights)[block * COLUMNS_N + input]), x, (*outputs)[block]);
        }
    }
    for (var block = 0u; block < OUTPUT_BLOCKS_N; block++) {
        if !IS_LAST_N {
            let x = (*outputs)[block];
            let a = activate(ACTIVATION, x.x);
            let b = activate(ACTIVATION, x.y);
            (*outputs)[block] = vec2(a.x, b.x);
            (*slopes)[block] = vec2(a.y, b.y);
        }
    }
}

// Adds two rows' gradient of the weight and the bias: output_gradient . [inputs, 1].
fn add_gradient_N(
    inputs: ptr<function, Units_N>, output_gradient: ptr<function, Units_M>,
    gradient: ptr<function, Parameters_N>,
) {
    for (var input = 0u; input < INPUTS_N; input++) {
        let x = spread((*inputs)[input / LANES], input % LANES);
        for (var block = 0u; block < OUTPUT_BLOCKS_N; block++) {
            let at = block * COLUMNS_N + input;
            let slope = (*output_gradient)[block];
            (*gradient)[at] = fma(slope.y, x.y, fma(slope.x, x.x, (*gradient)[at]));
        }
    }
    for (var block = 0u; block < OUTPUT_BLOCKS_N; block++) {
        let slope = (*output_gradient)[block];
        (*gradient)[block * COLUMNS_N + INPUTS_N] += slope.x + slope.y;
    }
}

// input_gradient = weight^T . output_gradient * slopes, the gradient before the previous layer's activation.
fn input_gradient_N(
    transposed: ptr<function, Transposed_N>, output_gradient: ptr<function, Units_M>,
    slopes: ptr<function, Units_N>, input_gradient: ptr<function, Units_N>,
) {
    if IS_FIRST_N {
        return;
    }
    for (var block = 0u; block < INPUT_BLOCKS_N; block++) {
        (*input_gradient)[block] = vec2<f32>();
    }
    for (var output = 0u; output < OUTPUTS_N; output++) {
        let slope = spread((*output_gradient)[output / LANES], output % LANES);
        for (var block = 0u; block < INPUT_BLOCKS_N; block++) {
            let weight = vec2((*transposed)[block * OUTPUT_BLOCKS_N * LANES + output]);
            (*input_gradient)[block] = fma(weight, slope, (*input_gradient)[block]);
        }
    }
    for (var block = 0u; block < INPUT_BLOCKS_N; block++) {
        (*input_gradient)[block] *= (*slopes)[block];
    }
}
