// A network of one's own: two features, eight tanh units, and two heads side by side, a number and the logits of two classes.
// Parameters lie as in PyTorch: weight [8, 2], bias [8], weight [3, 8], bias [3].

const FEATURES = 2u;
const UNITS = 8u;
const OUTPUTS = 3u;
const BIAS = UNITS * FEATURES;
const HEADS = BIAS + UNITS;
const HEAD_BIAS = HEADS + OUTPUTS * UNITS;

@group(0) @binding(0) var<storage, read> parameters: array<f32>;
@group(0) @binding(1) var<storage, read> features: array<f32>;                  // [rows, 2]
@group(0) @binding(2) var<storage, read_write> units: array<f32>;               // [rows, 8]
@group(0) @binding(3) var<storage, read_write> predictions: array<f32>;         // [rows, 3]
@group(0) @binding(4) var<storage, read> at_predictions: array<f32>;            // their gradient, from the loss pass
@group(0) @binding(5) var<storage, read_write> gradient: array<f32>;            // that of the parameters

// One invocation a row.
@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.x;
    if row >= arrayLength(&features) / FEATURES {
        return;
    }
    for (var u = 0u; u < UNITS; u++) {
        var sum = parameters[BIAS + u];
        for (var f = 0u; f < FEATURES; f++) {
            sum += parameters[u * FEATURES + f] * features[row * FEATURES + f];
        }
        // tanh, which WGSL lets be off by more than this is.
        units[row * UNITS + u] = 1.0 - 2.0 / (exp(2.0 * sum) + 1.0);
    }
    for (var o = 0u; o < OUTPUTS; o++) {
        var sum = parameters[HEAD_BIAS + o];
        for (var u = 0u; u < UNITS; u++) {
            sum += parameters[HEADS + o * UNITS + u] * units[row * UNITS + u];
        }
        predictions[row * OUTPUTS + o] = sum;
    }
}

// The gradient at a unit's sum of a row.
fn at_unit(row: u32, u: u32) -> f32 {
    var sum = 0.0;
    for (var o = 0u; o < OUTPUTS; o++) {
        sum += at_predictions[row * OUTPUTS + o] * parameters[HEADS + o * UNITS + u];
    }
    let unit = units[row * UNITS + u];
    return sum * (1.0 - unit * unit);
}

// What a row adds to the gradient of a parameter.
fn share(i: u32, row: u32) -> f32 {
    if i < BIAS {
        return at_unit(row, i / FEATURES) * features[row * FEATURES + i % FEATURES];
    }
    if i < HEADS {
        return at_unit(row, i - BIAS);
    }
    if i < HEAD_BIAS {
        let at = i - HEADS;
        return at_predictions[row * OUTPUTS + at / UNITS] * units[row * UNITS + at % UNITS];
    }
    return at_predictions[row * OUTPUTS + i - HEAD_BIAS];
}

// One invocation a parameter.
@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= arrayLength(&gradient) {
        return;
    }
    var sum = 0.0;
    for (var row = 0u; row < arrayLength(&features) / FEATURES; row++) {
        sum += share(id.x, row);
    }
    gradient[id.x] = sum;
}
