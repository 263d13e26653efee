// The gradient of every task's loss by itself at the inputs of a layer, already taken through the activation before it: what
// tiled/input_gradient does for the weighted total. Or at the inputs themselves (AT_INPUTS): the representation, where they are the heads'.
//
// One invocation a row and input, all tasks.
// Reads:  columns [tasks] (of the predictions, the first and how many), heads_gradient [seats, rows, outputs] (where the layer is that of the heads, each of which is one task's), else
//         above [seats, rows, outputs, QUADS], tasks side by side; state, slope [seats, rows, inputs]
// Writes: below [seats, rows, inputs, QUADS]

override TASKS: u32 = 1u;
override QUADS: u32 = 1u;
override OF_HEADS: bool = false;
override AT_INPUTS: bool = false;

@group(0) @binding(0) var<storage, read> layer: Layer;
@group(0) @binding(1) var<storage, read> columns: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read> heads_gradient: array<f32>;
@group(0) @binding(3) var<storage, read> above: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> state: array<f32>;
@group(0) @binding(5) var<storage, read> slope: array<f32>;
@group(0) @binding(6) var<storage, read_write> below: array<vec4<f32>>;

fn weight(output: u32, input: u32) -> f32 {
    return state[member.state + layer.weight + output * layer.inputs + input];
}

fn of_task(k: u32, row: u32, input: u32) -> f32 {
    if k >= TASKS {
        return 0.0;
    }
    let own = columns[k];
    var sum = 0.0;
    for (var c = own.x; c < own.x + own.y; c++) {
        sum += heads_gradient[row * layer.outputs + c] * weight(c, input);
    }
    return sum;
}

fn of_tasks(quad: u32, row: u32, input: u32) -> vec4<f32> {
    if OF_HEADS {
        var sums: vec4<f32>;
        for (var i = 0u; i < 4u; i++) {
            sums[i] = of_task(4u * quad + i, row, input);
        }
        return sums;
    }
    var sums: vec4<f32>;
    for (var o = 0u; o < layer.outputs; o++) {
        sums += above[(row * layer.outputs + o) * QUADS + quad] * weight(o, input);
    }
    return sums;
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    take_seat(workgroup);
    let i = unfolded(workgroup, workgroups) * LANES + lane;
    if i >= step.rows * layer.inputs {
        return;
    }
    let row = seat * step.most_rows + i / layer.inputs;
    let at = seat * step.most_rows * layer.inputs + i;
    var factor = 1.0;
    if !AT_INPUTS {
        factor = slope[at];
    }
    for (var quad = 0u; quad < QUADS; quad++) {
        below[at * QUADS + quad] = of_tasks(quad, row, i % layer.inputs) * factor;
    }
}
