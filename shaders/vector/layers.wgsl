// The network on one vector of a software adapter, LANES lanes: eight, each with four rows of a tile of 32, or sixteen
// with two. What a lane holds of a unit in its rows are Values (vec4 or vec2 of f32), and all that a tile needs stays in
// private memory: on such adapters a value that another lane holds costs an instruction (subgroupShuffle), and one from
// a buffer 200 cycles (docs/performance.md).
//
// Units lie in quads, one tile after the other, in a tile one layer after the other, from the features to the heads,
// each layer padded with zeros (`layer_at` of rows.wgsl); functions know a tile by its first quad. What was a layer's
// output is overwritten by the gradient there.
// Weights are spread over the lanes: lane = output within a block of LANES, in quads of neighbouring inputs; and once
// more, transposed, for the gradient at the inputs: lane = input within a block, in quads of neighbouring outputs.
// The weight's gradient is spread the other way: 16 inputs are SIDES blocks, lane = input within a block, in quads of
// neighbouring outputs.

// A layer, one of the table in rows.wgsl. Sizes that end loops are unknown to the compiler, which would unroll them.
struct Layer {
    inputs: u32,
    outputs: u32,
    input_quads: u32,       // a multiple of four
    output_quads: u32,      // the next layer's input quads; for the heads whole blocks
    parameter: u32,         // where the weight starts in the parameters; the bias follows it
    input: u32,             // its first quad of inputs within a tile
    output: u32,            // its first quad of outputs
    weight: u32,            // where it starts in each array of weights
    sum: u32,               // where it starts in each array of sums
    is_last: bool,
}

// 0, as only this program knows.
fn unknown_zero() -> u32 {
    return select(0u, 1u, arrayLength(&tasks) == 0u);
}

const QUADS = BUNCH * TILE_QUADS;
const BLOCK_QUADS = LANES / 4u;
const BLOCKS = TILE_QUADS / BLOCK_QUADS;
const SIDES = 16u / LANES;

// Each is written before it is read; the arrays start with whatever memory holds. An array for each unit of a quad and
// each of its rows, for each weight of a quad and each of its sums: the first index is always a constant, and all
// that share the second share its computed addresses, one a lane.
var<private> units: array<array<f32, QUADS>, 4u * ROWS>;
var<private> slopes: array<array<f32, QUADS>, 4u * ROWS>;
var<private> weights: array<array<f32, WEIGHTS>, 4>;
var<private> transposed_weights: array<array<f32, WEIGHTS>, 4>;
var<private> biases: array<f32, BLOCKS>;
var<private> sums: array<array<f32, SUMS>, 4u * SIDES>;
var<private> bias_sums: array<array<f32, TILE_QUADS>, 4>;

fn unit_at(quad: u32, i: u32) -> Values {
    var x: Values;
    for (var r = 0u; r < ROWS; r++) {
        x[r] = units[ROWS * i + r][quad];
    }
    return x;
}

fn set_unit(quad: u32, i: u32, x: Values) {
    for (var r = 0u; r < ROWS; r++) {
        units[ROWS * i + r][quad] = x[r];
    }
}

// Its values added up, neighbours first.
fn added(x: Values) -> f32 {
    var sum = 0.0;
    for (var r = 0u; r < ROWS; r += 2u) {
        sum += x[r] + x[r + 1u];
    }
    return sum;
}

fn load_parameters(layer: Layer, lane: u32) {
    for (var block = 0u; block < layer.output_quads / BLOCK_QUADS; block++) {
        let output = block * LANES + lane;
        let is_output = output < layer.outputs;
        let start = layer.parameter + output * layer.inputs;
        for (var quad = 0u; quad < layer.input_quads; quad++) {
            for (var i = 0u; i < 4u; i++) {
                let input = quad * 4u + i;
                var weight = 0.0;
                if is_output && input < layer.inputs {
                    weight = state[member.state + start + input];
                }
                weights[i][layer.weight + block * layer.input_quads + quad] = weight;
            }
        }
        var bias = 0.0;
        if is_output {
            bias = state[member.state + layer.parameter + layer.outputs * layer.inputs + output];
        }
        biases[layer.output / BLOCK_QUADS + block] = bias;
    }
}

fn load_transposed(layer: Layer, lane: u32) {
    for (var block = 0u; block < layer.input_quads / BLOCK_QUADS; block++) {
        let input = block * LANES + lane;
        for (var quad = 0u; quad < layer.output_quads; quad++) {
            for (var o = 0u; o < 4u; o++) {
                let output = quad * 4u + o;
                var weight = 0.0;
                if output < layer.outputs && input < layer.inputs {
                    weight = state[member.state + layer.parameter + output * layer.inputs + input];
                }
                transposed_weights[o][layer.weight + block * layer.output_quads + quad] = weight;
            }
        }
    }
}

fn clear_sums(layer: Layer) {
    for (var i = 0u; i < layer.output_quads * layer.input_quads / 4u; i++) {
        for (var o = 0u; o < 4u * SIDES; o++) {
            sums[o][layer.sum + i] = 0.0;
        }
    }
    for (var quad = 0u; quad < layer.output_quads; quad++) {
        for (var o = 0u; o < 4u; o++) {
            bias_sums[o][layer.output + quad] = 0.0;
        }
    }
}

// Stores a unit's value, through the activation in all layers but the last.
fn store_unit(layer: Layer, quad: u32, i: u32, x: Values) {
    for (var r = 0u; r < ROWS; r++) {
        let activated = activate(ACTIVATION, x[r]);
        units[ROWS * i + r][quad] = select(activated.x, x[r], layer.is_last);
        if ACTIVATION == GELU || ACTIVATION == SILU {
            slopes[ROWS * i + r][quad] = activated.y;
        }
    }
}

// The activation's slope at a unit that still holds its value.
fn slope(quad: u32, i: u32) -> Values {
    if ACTIVATION == GELU || ACTIVATION == SILU {
        var x: Values;
        for (var r = 0u; r < ROWS; r++) {
            x[r] = slopes[ROWS * i + r][quad];
        }
        return x;
    }
    let value = unit_at(quad, i);
    if ACTIVATION == TANH {
        return 1.0 - value * value;
    }
    return select(Values(1.0), Values(), value <= Values());
}

// As many units as there are lanes.
alias Block = array<Values, LANES>;

fn forward(layer: Layer, tile: u32) {
    // Loops that stay loops keep the code small: what does not fit the core's first cache of instructions is slow.
    let block_quads = BLOCK_QUADS + unknown_zero();
    for (var block = 0u; block < layer.output_quads / BLOCK_QUADS; block++) {
        let bias = biases[layer.output / BLOCK_QUADS + block];
        var sum: Block;
        for (var o = 0u; o < LANES; o++) {
            sum[o] = Values(subgroupShuffle(bias, o));
        }
        for (var quad = 0u; quad < layer.input_quads; quad++) {
            for (var i = 0u; i < 4u; i++) {
                let weight = weights[i][layer.weight + block * layer.input_quads + quad];
                let x = unit_at(tile + layer.input + quad, i);
                for (var o = 0u; o < LANES; o++) {
                    sum[o] = fma(Values(subgroupShuffle(weight, o)), x, sum[o]);
                }
            }
        }
        for (var quad = 0u; quad < block_quads; quad++) {
            for (var o = 0u; o < 4u; o++) {
                store_unit(layer, tile + layer.output + block * BLOCK_QUADS + quad, o, sum[o]);
            }
            push_forward(&sum);
        }
    }
}

// Moves the units of the next quad to where those of the first were.
fn push_forward(x: ptr<function, Block>) {
    for (var i = 0u; i < LANES - 4u; i++) {
        (*x)[i] = (*x)[i + 4u];
    }
}

struct Pair {
    low: Values,
    high: Values,
}

// Swaps one lane's high value with the other's low one, between lanes that are `part` apart.
fn exchanged(lane: u32, part: u32, low: Values, high: Values) -> Pair {
    let is_low = (lane & part) == 0u;
    return Pair(
        select(subgroupShuffleXor(high, part), low, is_low), select(high, subgroupShuffleXor(low, part), is_low),
    );
}

// Unit i of lane j becomes unit j of lane i: swaps halves, quarters, and so on down to neighbours.
fn transposed(lane: u32, quad: u32) -> Block {
    var x: Block;
    for (var i = 0u; i < LANES; i++) {
        x[i] = unit_at(quad + i / 4u, i % 4u);
    }
    if LANES > 8u {
        swap_parts(lane, 8u, &x);
    }
    swap_parts(lane, 4u, &x);
    swap_parts(lane, 2u, &x);
    swap_parts(lane, 1u, &x);
    return x;
}

fn swap_parts(lane: u32, part: u32, x: ptr<function, Block>) {
    for (var i = 0u; i < LANES; i++) {
        if (i & part) == 0u {
            let pair = exchanged(lane, part, (*x)[i], (*x)[i | part]);
            (*x)[i] = pair.low;
            (*x)[i | part] = pair.high;
        }
    }
}

// Adds a tile's share of the gradient of the layer's weight; units hold its inputs' values and the gradient at its
// outputs.
fn add_weight_gradient(layer: Layer, tile: u32, lane: u32) {
    let blocks = layer.input_quads / 4u;
    for (var block = 0u; block < blocks; block++) {
        var inputs: array<Block, SIDES>;
        for (var side = 0u; side < SIDES; side++) {
            inputs[side] = transposed(lane, tile + layer.input + block * 4u + side * BLOCK_QUADS);
        }
        for (var quad = 0u; quad < layer.output_quads; quad++) {
            let at = layer.sum + quad * blocks + block;
            for (var o = 0u; o < 4u; o++) {
                let gradient = unit_at(tile + layer.output + quad, o);
                var sum: array<Values, SIDES>;
                for (var row = 0u; row < LANES; row++) {
                    let g = subgroupShuffle(gradient, row);
                    for (var side = 0u; side < SIDES; side++) {
                        sum[side] = fma(g, inputs[side][row], sum[side]);
                    }
                }
                for (var side = 0u; side < SIDES; side++) {
                    sums[o * SIDES + side][at] += added(sum[side]);
                }
            }
        }
    }
}

// Replaces the values of the layer's inputs by the gradient before their activation, which is that of the previous
// layer's bias as well.
fn replace_by_input_gradient(layer: Layer, tile: u32) {
    let block_quads = BLOCK_QUADS + unknown_zero();
    for (var block = 0u; block < layer.input_quads / BLOCK_QUADS; block++) {
        var sum: Block;
        for (var quad = 0u; quad < layer.output_quads; quad++) {
            for (var o = 0u; o < 4u; o++) {
                let weight = transposed_weights[o][layer.weight + block * layer.output_quads + quad];
                let gradient = unit_at(tile + layer.output + quad, o);
                for (var i = 0u; i < LANES; i++) {
                    sum[i] = fma(Values(subgroupShuffle(weight, i)), gradient, sum[i]);
                }
            }
        }
        for (var part = 0u; part < block_quads; part++) {
            let quad = layer.input + block * BLOCK_QUADS + part;
            for (var i = 0u; i < 4u; i++) {
                let gradient = slope(tile + quad, i) * sum[i];
                set_unit(tile + quad, i, gradient);
                bias_sums[i][quad] += added(gradient);
            }
            push_forward(&sum);
        }
    }
}

// Stores this workgroup's share of the layer's gradients, in the order of the parameters.
fn store_gradient(layer: Layer, share: u32, lane: u32) {
    let blocks = layer.input_quads / 4u;
    let start = share * PARAMETERS + layer.parameter; // of all seats' shares
    for (var quad = 0u; quad < layer.output_quads; quad++) {
        for (var block = 0u; block < blocks; block++) {
            let at = layer.sum + quad * blocks + block;
            for (var o = 0u; o < 4u; o++) {
                let output = quad * 4u + o;
                for (var side = 0u; side < SIDES; side++) {
                    let input = block * 16u + side * LANES + lane;
                    if output < layer.outputs && input < layer.inputs {
                        gradient_shares[start + output * layer.inputs + input] = sums[o * SIDES + side][at];
                    }
                }
            }
        }
        for (var o = 0u; o < 4u; o++) {
            let output = quad * 4u + o;
            let bias = subgroupAdd(bias_sums[o][layer.output + quad]);
            if lane == 0u && output < layer.outputs {
                gradient_shares[start + layer.outputs * layer.inputs + output] = bias;
            }
        }
    }
}
