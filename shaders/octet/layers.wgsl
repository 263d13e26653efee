// The network on eight lanes: a lane holds four rows, one vec4 a unit, and all that a tile of 32 rows needs stays in
// private memory. Made for software adapters, whose vectors have eight lanes: there a value that another lane holds
// costs an instruction (subgroupShuffle), and one from a buffer 200 cycles (docs/performance.md).
//
// Units lie one layer after the other, from the features to the heads, each layer padded with zeros (`Layer` of the
// prologue that `engine::octet` writes). What was a layer's output is overwritten by the gradient there.
// Weights are spread over the lanes: lane = output within a block of 8, a vec4 = 4 neighbouring inputs.
// The weight's gradient is spread the other way: lane = input within a block of 8, near and far = 2 blocks.

// A layer, one of the prologue's table. Sizes that end loops are unknown to the compiler, which would unroll them.
struct Layer {
    inputs: u32,
    outputs: u32,
    padded_inputs: u32,     // a multiple of 16
    padded_outputs: u32,    // the next layer's padded inputs; a multiple of 8 for the heads
    parameter: u32,         // where the weight starts in the parameters; the bias follows it
    input: u32,             // where its inputs start among the units
    output: u32,            // where its outputs start
    weight: u32,            // where it starts among the weights
    sum: u32,               // where it starts in `near_sums` and `far_sums`
    is_last: bool,
}

// 0, as only this program knows.
fn unknown_zero() -> u32 {
    return select(0u, 1u, arrayLength(&tasks) == 0u);
}

// Each is written before it is read; the arrays start with whatever memory holds. An array a component: an element of
// a vec4's array costs as many computed addresses as it has components, one of each of four arrays a single one.
var<private> units_x: array<f32, UNITS>;
var<private> units_y: array<f32, UNITS>;
var<private> units_z: array<f32, UNITS>;
var<private> units_w: array<f32, UNITS>;
var<private> slopes: array<vec4<f32>, SLOPES>;
var<private> weights_x: array<f32, WEIGHTS>;
var<private> weights_y: array<f32, WEIGHTS>;
var<private> weights_z: array<f32, WEIGHTS>;
var<private> weights_w: array<f32, WEIGHTS>;
var<private> biases: array<f32, BLOCKS>;
var<private> near_sums: array<f32, SUMS>;
var<private> far_sums: array<f32, SUMS>;
var<private> bias_sums: array<f32, UNITS>;

fn unit_at(i: u32) -> vec4<f32> {
    return vec4(units_x[i], units_y[i], units_z[i], units_w[i]);
}

fn set_unit(i: u32, x: vec4<f32>) {
    units_x[i] = x.x;
    units_y[i] = x.y;
    units_z[i] = x.z;
    units_w[i] = x.w;
}

fn weight_at(i: u32) -> vec4<f32> {
    return vec4(weights_x[i], weights_y[i], weights_z[i], weights_w[i]);
}

fn set_weight(i: u32, x: vec4<f32>) {
    weights_x[i] = x.x;
    weights_y[i] = x.y;
    weights_z[i] = x.z;
    weights_w[i] = x.w;
}

fn load_parameters(layer: Layer, lane: u32) {
    let quads = layer.padded_inputs / 4u;
    for (var block = 0u; block < layer.padded_outputs / 8u; block++) {
        let output = block * 8u + lane;
        let is_output = output < layer.outputs;
        let at = layer.parameter + output * layer.inputs;
        for (var quad = 0u; quad < quads; quad++) {
            var weight = vec4<f32>();
            for (var j = 0u; j < 4u; j++) {
                let input = quad * 4u + j;
                if is_output && input < layer.inputs {
                    weight[j] = parameters[at + input];
                }
            }
            set_weight(layer.weight + block * quads + quad, weight);
        }
        var bias = 0.0;
        if is_output {
            bias = parameters[layer.parameter + layer.outputs * layer.inputs + output];
        }
        biases[layer.output / 8u + block] = bias;
    }
}

fn clear_sums(layer: Layer) {
    let blocks = layer.padded_inputs / 16u;
    for (var i = 0u; i < layer.padded_outputs * blocks; i++) {
        near_sums[layer.sum + i] = 0.0;
        far_sums[layer.sum + i] = 0.0;
    }
    for (var output = 0u; output < layer.padded_outputs; output++) {
        bias_sums[layer.output + output] = 0.0;
    }
}

// sum + weight . (four inputs), for four rows.
fn times_weight(weight: vec4<f32>, a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>, sum: vec4<f32>) -> vec4<f32> {
    return fma(vec4(weight.w), d, fma(vec4(weight.z), c, fma(vec4(weight.y), b, fma(vec4(weight.x), a, sum))));
}

// sum + gradient . input over four rows.
fn times_input(gradient: vec4<f32>, input: vec4<f32>, sum: f32) -> f32 {
    return fma(gradient.w, input.w, fma(gradient.z, input.z, fma(gradient.y, input.y, fma(gradient.x, input.x, sum))));
}

// Stores a unit's value, through the activation in all layers but the last.
fn store_unit(layer: Layer, unit: u32, x: vec4<f32>) {
    if layer.is_last {
        set_unit(unit, x);
        return;
    }
    let a = activate(ACTIVATION, x.x);
    let b = activate(ACTIVATION, x.y);
    let c = activate(ACTIVATION, x.z);
    let d = activate(ACTIVATION, x.w);
    set_unit(unit, vec4(a.x, b.x, c.x, d.x));
    if ACTIVATION == GELU || ACTIVATION == SILU {
        slopes[unit] = vec4(a.y, b.y, c.y, d.y);
    }
}

// The activation's slope at a unit that still holds its value.
fn slope(unit: u32) -> vec4<f32> {
    if ACTIVATION == GELU || ACTIVATION == SILU {
        return slopes[unit];
    }
    let value = unit_at(unit);
    if ACTIVATION == TANH {
        return 1.0 - value * value;
    }
    return select(vec4(1.0), vec4<f32>(), value <= vec4<f32>());
}

fn forward(layer: Layer) {
    let quads = layer.padded_inputs / 4u;
    for (var block = 0u; block < layer.padded_outputs / 8u; block++) {
        let bias = biases[layer.output / 8u + block];
        var s0 = vec4(subgroupShuffle(bias, 0u));
        var s1 = vec4(subgroupShuffle(bias, 1u));
        var s2 = vec4(subgroupShuffle(bias, 2u));
        var s3 = vec4(subgroupShuffle(bias, 3u));
        var s4 = vec4(subgroupShuffle(bias, 4u));
        var s5 = vec4(subgroupShuffle(bias, 5u));
        var s6 = vec4(subgroupShuffle(bias, 6u));
        var s7 = vec4(subgroupShuffle(bias, 7u));
        for (var quad = 0u; quad < quads; quad++) {
            let weight = weight_at(layer.weight + block * quads + quad);
            let unit = layer.input + quad * 4u;
            let a = unit_at(unit);
            let b = unit_at(unit + 1u);
            let c = unit_at(unit + 2u);
            let d = unit_at(unit + 3u);
            s0 = times_weight(subgroupShuffle(weight, 0u), a, b, c, d, s0);
            s1 = times_weight(subgroupShuffle(weight, 1u), a, b, c, d, s1);
            s2 = times_weight(subgroupShuffle(weight, 2u), a, b, c, d, s2);
            s3 = times_weight(subgroupShuffle(weight, 3u), a, b, c, d, s3);
            s4 = times_weight(subgroupShuffle(weight, 4u), a, b, c, d, s4);
            s5 = times_weight(subgroupShuffle(weight, 5u), a, b, c, d, s5);
            s6 = times_weight(subgroupShuffle(weight, 6u), a, b, c, d, s6);
            s7 = times_weight(subgroupShuffle(weight, 7u), a, b, c, d, s7);
        }
        let unit = layer.output + block * 8u;
        store_unit(layer, unit, s0);
        store_unit(layer, unit + 1u, s1);
        store_unit(layer, unit + 2u, s2);
        store_unit(layer, unit + 3u, s3);
        store_unit(layer, unit + 4u, s4);
        store_unit(layer, unit + 5u, s5);
        store_unit(layer, unit + 6u, s6);
        store_unit(layer, unit + 7u, s7);
    }
}

// Eight values a lane.
struct Octet {
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
    d: vec4<f32>,
    e: vec4<f32>,
    f: vec4<f32>,
    g: vec4<f32>,
    h: vec4<f32>,
}

fn octet_of_units(unit: u32) -> Octet {
    return Octet(
        unit_at(unit), unit_at(unit + 1u), unit_at(unit + 2u), unit_at(unit + 3u),
        unit_at(unit + 4u), unit_at(unit + 5u), unit_at(unit + 6u), unit_at(unit + 7u),
    );
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
fn transposed(lane: u32, x: Octet) -> Octet {
    let ae = exchanged(lane, 4u, x.a, x.e);
    let bf = exchanged(lane, 4u, x.b, x.f);
    let cg = exchanged(lane, 4u, x.c, x.g);
    let dh = exchanged(lane, 4u, x.d, x.h);
    let ac = exchanged(lane, 2u, ae.low, cg.low);
    let bd = exchanged(lane, 2u, bf.low, dh.low);
    let eg = exchanged(lane, 2u, ae.high, cg.high);
    let fh = exchanged(lane, 2u, bf.high, dh.high);
    let ab = exchanged(lane, 1u, ac.low, bd.low);
    let cd = exchanged(lane, 1u, ac.high, bd.high);
    let ef = exchanged(lane, 1u, eg.low, fh.low);
    let gh = exchanged(lane, 1u, eg.high, fh.high);
    return Octet(ab.low, ab.high, cd.low, cd.high, ef.low, ef.high, gh.low, gh.high);
}

// Adds this tile's share of the gradient of the layer's weight and bias; units hold its inputs' values and the
// gradient at its outputs.
fn add_parameter_gradient(layer: Layer, lane: u32) {
    for (var output = 0u; output < layer.padded_outputs; output++) {
        let gradient = unit_at(layer.output + output);
        bias_sums[layer.output + output] += gradient.x + gradient.y + gradient.z + gradient.w;
    }
    let blocks = layer.padded_inputs / 16u;
    for (var block = 0u; block < blocks; block++) {
        let near = transposed(lane, octet_of_units(layer.input + block * 16u));
        let far = transposed(lane, octet_of_units(layer.input + block * 16u + 8u));
        for (var output = 0u; output < layer.padded_outputs; output++) {
            let gradient = unit_at(layer.output + output);
            let at = layer.sum + output * blocks + block;
            var sum = vec2(near_sums[at], far_sums[at]);
            let g0 = subgroupShuffle(gradient, 0u);
            sum = vec2(times_input(g0, near.a, sum.x), times_input(g0, far.a, sum.y));
            let g1 = subgroupShuffle(gradient, 1u);
            sum = vec2(times_input(g1, near.b, sum.x), times_input(g1, far.b, sum.y));
            let g2 = subgroupShuffle(gradient, 2u);
            sum = vec2(times_input(g2, near.c, sum.x), times_input(g2, far.c, sum.y));
            let g3 = subgroupShuffle(gradient, 3u);
            sum = vec2(times_input(g3, near.d, sum.x), times_input(g3, far.d, sum.y));
            let g4 = subgroupShuffle(gradient, 4u);
            sum = vec2(times_input(g4, near.e, sum.x), times_input(g4, far.e, sum.y));
            let g5 = subgroupShuffle(gradient, 5u);
            sum = vec2(times_input(g5, near.f, sum.x), times_input(g5, far.f, sum.y));
            let g6 = subgroupShuffle(gradient, 6u);
            sum = vec2(times_input(g6, near.g, sum.x), times_input(g6, far.g, sum.y));
            let g7 = subgroupShuffle(gradient, 7u);
            sum = vec2(times_input(g7, near.h, sum.x), times_input(g7, far.h, sum.y));
            near_sums[at] = sum.x;
            far_sums[at] = sum.y;
        }
    }
}

// Adds one output's gradient, times its weights for eight inputs, to the gradient at these.
fn times_output(gradient: vec4<f32>, near: vec4<f32>, far: vec4<f32>, sum: ptr<function, Octet>) {
    (*sum).a = fma(vec4(near.x), gradient, (*sum).a);
    (*sum).b = fma(vec4(near.y), gradient, (*sum).b);
    (*sum).c = fma(vec4(near.z), gradient, (*sum).c);
    (*sum).d = fma(vec4(near.w), gradient, (*sum).d);
    (*sum).e = fma(vec4(far.x), gradient, (*sum).e);
    (*sum).f = fma(vec4(far.y), gradient, (*sum).f);
    (*sum).g = fma(vec4(far.z), gradient, (*sum).g);
    (*sum).h = fma(vec4(far.w), gradient, (*sum).h);
}

// Replaces the values of the layer's inputs by the gradient before their activation.
fn replace_by_input_gradient(layer: Layer) {
    let quads = layer.padded_inputs / 4u;
    for (var block = 0u; block < layer.padded_inputs / 8u; block++) {
        var sum: Octet;
        for (var outputs = 0u; outputs < layer.padded_outputs / 8u; outputs++) {
            let at = layer.weight + outputs * quads + block * 2u;
            let near = weight_at(at);
            let far = weight_at(at + 1u);
            let unit = layer.output + outputs * 8u;
            times_output(unit_at(unit), subgroupShuffle(near, 0u), subgroupShuffle(far, 0u), &sum);
            times_output(unit_at(unit + 1u), subgroupShuffle(near, 1u), subgroupShuffle(far, 1u), &sum);
            times_output(unit_at(unit + 2u), subgroupShuffle(near, 2u), subgroupShuffle(far, 2u), &sum);
            times_output(unit_at(unit + 3u), subgroupShuffle(near, 3u), subgroupShuffle(far, 3u), &sum);
            times_output(unit_at(unit + 4u), subgroupShuffle(near, 4u), subgroupShuffle(far, 4u), &sum);
            times_output(unit_at(unit + 5u), subgroupShuffle(near, 5u), subgroupShuffle(far, 5u), &sum);
            times_output(unit_at(unit + 6u), subgroupShuffle(near, 6u), subgroupShuffle(far, 6u), &sum);
            times_output(unit_at(unit + 7u), subgroupShuffle(near, 7u), subgroupShuffle(far, 7u), &sum);
        }
        let unit = layer.input + block * 8u;
        set_unit(unit, slope(unit) * sum.a);
        set_unit(unit + 1u, slope(unit + 1u) * sum.b);
        set_unit(unit + 2u, slope(unit + 2u) * sum.c);
        set_unit(unit + 3u, slope(unit + 3u) * sum.d);
        set_unit(unit + 4u, slope(unit + 4u) * sum.e);
        set_unit(unit + 5u, slope(unit + 5u) * sum.f);
        set_unit(unit + 6u, slope(unit + 6u) * sum.g);
        set_unit(unit + 7u, slope(unit + 7u) * sum.h);
    }
}

// Stores this workgroup's share of the layer's gradients, in the order of the parameters.
fn store_gradient(layer: Layer, share: u32, lane: u32) {
    let blocks = layer.padded_inputs / 16u;
    let start = share * PARAMETERS + layer.parameter;
    for (var output = 0u; output < layer.outputs; output++) {
        for (var block = 0u; block < blocks; block++) {
            let at = layer.sum + output * blocks + block;
            let near = block * 16u + lane;
            if near < layer.inputs {
                gradient_shares[start + output * layer.inputs + near] = near_sums[at];
            }
            if near + 8u < layer.inputs {
                gradient_shares[start + output * layer.inputs + near + 8u] = far_sums[at];
            }
        }
        let bias = subgroupAdd(bias_sums[layer.output + output]);
        if lane == 0u {
            gradient_shares[start + layer.outputs * layer.inputs + output] = bias;
        }
    }
}
