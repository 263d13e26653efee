// The network on eight lanes: a lane holds four rows, one vec4 a unit, and all that a tile of 32 rows needs stays in
// private memory. Made for software adapters, whose vectors have eight lanes: there a value that another lane holds
// costs an instruction (subgroupShuffle), and one from a buffer 200 cycles (docs/performance.md).
//
// Units lie in quads, one tile after the other, in a tile one layer after the other, from the features to the heads,
// each layer padded with zeros (`Layer` of the prologue that `engine::octet` writes); functions know a tile by its first
// quad. What was a layer's output is overwritten by the gradient there.
// Weights are spread over the lanes: lane = output within a block of 8, in quads of neighbouring inputs.
// The weight's gradient is spread the other way: lane = input within a block of 8, near and far = 2 blocks, in quads of
// neighbouring outputs.

// A layer, one of the prologue's table. Sizes that end loops are unknown to the compiler, which would unroll them.
struct Layer {
    inputs: u32,
    outputs: u32,
    input_quads: u32,       // a multiple of four
    output_quads: u32,      // the next layer's input quads; for the heads a multiple of two
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
const BLOCKS = TILE_QUADS / 2u;

// Each is written before it is read; the arrays start with whatever memory holds. An array for each unit of a quad and
// each of its four rows, for each weight of a quad and each of its sums: the first index is always a constant, and all
// that share the second share its eight computed addresses.
var<private> units: array<array<f32, QUADS>, 16>;
var<private> slopes: array<array<f32, QUADS>, 16>;
var<private> weights: array<array<f32, WEIGHTS>, 4>;
var<private> biases: array<f32, BLOCKS>;
var<private> near_sums: array<array<f32, SUMS>, 4>;
var<private> far_sums: array<array<f32, SUMS>, 4>;
var<private> bias_sums: array<array<f32, TILE_QUADS>, 4>;

fn unit_at(quad: u32, i: u32) -> vec4<f32> {
    return vec4(units[4u * i][quad], units[4u * i + 1u][quad], units[4u * i + 2u][quad], units[4u * i + 3u][quad]);
}

fn set_unit(quad: u32, i: u32, x: vec4<f32>) {
    units[4u * i][quad] = x.x;
    units[4u * i + 1u][quad] = x.y;
    units[4u * i + 2u][quad] = x.z;
    units[4u * i + 3u][quad] = x.w;
}

fn added(x: vec4<f32>) -> f32 {
    return (x.x + x.y) + (x.z + x.w);
}

fn load_parameters(layer: Layer, lane: u32) {
    for (var block = 0u; block < layer.output_quads / 2u; block++) {
        let output = block * 8u + lane;
        let is_output = output < layer.outputs;
        let start = layer.parameter + output * layer.inputs;
        for (var quad = 0u; quad < layer.input_quads; quad++) {
            for (var i = 0u; i < 4u; i++) {
                let input = quad * 4u + i;
                var weight = 0.0;
                if is_output && input < layer.inputs {
                    weight = parameters[start + input];
                }
                weights[i][layer.weight + block * layer.input_quads + quad] = weight;
            }
        }
        var bias = 0.0;
        if is_output {
            bias = parameters[layer.parameter + layer.outputs * layer.inputs + output];
        }
        biases[layer.output / 2u + block] = bias;
    }
}

fn clear_sums(layer: Layer) {
    for (var i = 0u; i < layer.output_quads * layer.input_quads / 4u; i++) {
        for (var o = 0u; o < 4u; o++) {
            near_sums[o][layer.sum + i] = 0.0;
            far_sums[o][layer.sum + i] = 0.0;
        }
    }
    for (var quad = 0u; quad < layer.output_quads; quad++) {
        for (var o = 0u; o < 4u; o++) {
            bias_sums[o][layer.output + quad] = 0.0;
        }
    }
}

// Stores a unit's value, through the activation in all layers but the last.
fn store_unit(layer: Layer, quad: u32, i: u32, x: vec4<f32>) {
    let a = activate(ACTIVATION, x.x);
    let b = activate(ACTIVATION, x.y);
    let c = activate(ACTIVATION, x.z);
    let d = activate(ACTIVATION, x.w);
    set_unit(quad, i, select(vec4(a.x, b.x, c.x, d.x), x, layer.is_last));
    if ACTIVATION == GELU || ACTIVATION == SILU {
        slopes[4u * i][quad] = a.y;
        slopes[4u * i + 1u][quad] = b.y;
        slopes[4u * i + 2u][quad] = c.y;
        slopes[4u * i + 3u][quad] = d.y;
    }
}

// The activation's slope at a unit that still holds its value.
fn slope(quad: u32, i: u32) -> vec4<f32> {
    if ACTIVATION == GELU || ACTIVATION == SILU {
        return vec4(slopes[4u * i][quad], slopes[4u * i + 1u][quad], slopes[4u * i + 2u][quad], slopes[4u * i + 3u][quad]);
    }
    let value = unit_at(quad, i);
    if ACTIVATION == TANH {
        return 1.0 - value * value;
    }
    return select(vec4(1.0), vec4<f32>(), value <= vec4<f32>());
}

// Eight values a lane and row.
alias Octet = array<vec4<f32>, 8>;

fn forward(layer: Layer, tile: u32) {
    // Loops that stay loops keep the code small: what does not fit the core's first cache of instructions is slow.
    let two = 2u + unknown_zero();
    for (var block = 0u; block < layer.output_quads / 2u; block++) {
        let bias = biases[layer.output / 2u + block];
        var sum: Octet;
        for (var o = 0u; o < 8u; o++) {
            sum[o] = vec4(subgroupShuffle(bias, o));
        }
        for (var quad = 0u; quad < layer.input_quads; quad++) {
            for (var i = 0u; i < 4u; i++) {
                let weight = weights[i][layer.weight + block * layer.input_quads + quad];
                let x = unit_at(tile + layer.input + quad, i);
                for (var o = 0u; o < 8u; o++) {
                    sum[o] = fma(vec4(subgroupShuffle(weight, o)), x, sum[o]);
                }
            }
        }
        for (var half = 0u; half < two; half++) {
            for (var o = 0u; o < 4u; o++) {
                store_unit(layer, tile + layer.output + block * 2u + half, o, sum[o]);
                sum[o] = sum[o + 4u];
            }
        }
    }
}

struct Pair {
    low: vec4<f32>,
    high: vec4<f32>,
}

// Swaps one lane's high value with the other's low one, between lanes that are `part` apart.
fn exchanged(lane: u32, part: u32, low: vec4<f32>, high: vec4<f32>) -> Pair {
    let is_low = (lane & part) == 0u;
    return Pair(
        select(subgroupShuffleXor(high, part), low, is_low), select(high, subgroupShuffleXor(low, part), is_low),
    );
}

// Value i of lane j becomes value j of lane i: swaps halves, quarters, then neighbours.
fn transposed(lane: u32, quad: u32) -> Octet {
    var x: Octet;
    for (var i = 0u; i < 8u; i++) {
        x[i] = unit_at(quad + i / 4u, i % 4u);
    }
    swap_parts(lane, 4u, &x);
    swap_parts(lane, 2u, &x);
    swap_parts(lane, 1u, &x);
    return x;
}

fn swap_parts(lane: u32, part: u32, x: ptr<function, Octet>) {
    for (var i = 0u; i < 8u; i++) {
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
        let near = transposed(lane, tile + layer.input + block * 4u);
        let far = transposed(lane, tile + layer.input + block * 4u + 2u);
        for (var quad = 0u; quad < layer.output_quads; quad++) {
            let at = layer.sum + quad * blocks + block;
            for (var o = 0u; o < 4u; o++) {
                let gradient = unit_at(tile + layer.output + quad, o);
                var near_sum = vec4<f32>();
                var far_sum = vec4<f32>();
                for (var row = 0u; row < 8u; row++) {
                    let g = subgroupShuffle(gradient, row);
                    near_sum = fma(g, near[row], near_sum);
                    far_sum = fma(g, far[row], far_sum);
                }
                near_sums[o][at] += added(near_sum);
                far_sums[o][at] += added(far_sum);
            }
        }
    }
}

// Replaces the values of the layer's inputs by the gradient before their activation, which is that of the previous
// layer's bias as well.
fn replace_by_input_gradient(layer: Layer, tile: u32) {
    let two = 2u + unknown_zero();
    for (var block = 0u; block < layer.input_quads / 2u; block++) {
        var sum: Octet;
        for (var outputs = 0u; outputs < layer.output_quads / 2u; outputs++) {
            let at = layer.weight + outputs * layer.input_quads + block * 2u;
            for (var o = 0u; o < 8u; o++) {
                let gradient = unit_at(tile + layer.output + outputs * 2u + o / 4u, o % 4u);
                for (var i = 0u; i < 8u; i++) {
                    sum[i] = fma(vec4(subgroupShuffle(weights[i % 4u][at + i / 4u], o)), gradient, sum[i]);
                }
            }
        }
        for (var half = 0u; half < two; half++) {
            let quad = layer.input + block * 2u + half;
            for (var i = 0u; i < 4u; i++) {
                let gradient = slope(tile + quad, i) * sum[i];
                set_unit(tile + quad, i, gradient);
                bias_sums[i][quad] += added(gradient);
                sum[i] = sum[i + 4u];
            }
        }
    }
}

// Stores this workgroup's share of the layer's gradients, in the order of the parameters.
fn store_gradient(layer: Layer, share: u32, lane: u32) {
    let blocks = layer.input_quads / 4u;
    let start = share * PARAMETERS + layer.parameter;
    for (var quad = 0u; quad < layer.output_quads; quad++) {
        for (var block = 0u; block < blocks; block++) {
            let at = layer.sum + quad * blocks + block;
            let near = block * 16u + lane;
            for (var o = 0u; o < 4u; o++) {
                let output = quad * 4u + o;
                if output < layer.outputs && near < layer.inputs {
                    gradient_shares[start + output * layer.inputs + near] = near_sums[o][at];
                }
                if output < layer.outputs && near + 8u < layer.inputs {
                    gradient_shares[start + output * layer.inputs + near + 8u] = far_sums[o][at];
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
