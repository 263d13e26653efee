// A layer's part of the Gram matrix of the tasks' gradients: the products of every two tasks' gradients of its weight and bias. Or, of
// those at its outputs (AT_OUTPUTS), the whole matrix.
//
// A workgroup takes every `workgroups`-th tile of 64 elements of the two, a lane each, of which it finds the gradient of every task;
// no task's gradient is ever stored.
// Reads:  deltas [seats, rows, outputs, QUADS] (deltas.wgsl), inputs [seats, rows, inputs] (through `order` for the first layer)
// Writes: shares [seats, SHARES, TASKS, TASKS], from FIRST on

override TASKS: u32 = 1u;
override QUADS: u32 = 1u;
override SHARES: u32 = 1u;
override FIRST: u32 = 0u;
override AT_OUTPUTS: bool = false;
const MOST_QUADS = 4u;

@group(0) @binding(0) var<storage, read> layer: Layer;
@group(0) @binding(1) var<storage, read> deltas: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> inputs: array<f32>;
@group(0) @binding(3) var<storage, read> order: array<u32>;
@group(0) @binding(4) var<storage, read_write> shares: array<f32>;

var<workgroup> tile: array<vec4<f32>, MOST_QUADS * LANES>;

// The input of a row, of which the last is the bias's 1.
fn input_at(row: u32, column: u32) -> f32 {
    if column >= layer.inputs {
        return 1.0;
    }
    var source = seat * step.most_rows + row;
    if layer.gathers == 1u {
        source = order[member.first + row];
    }
    return inputs[source * layer.inputs + column];
}

// The gradient of four tasks for an element.
fn gradient_of(quad: u32, output: u32, column: u32) -> vec4<f32> {
    var sum: vec4<f32>;
    // The first bound is from storage, see shared/optimizer.wgsl.
    let rows = min(layer.shares * layer.share_rows, step.rows);
    for (var row = 0u; row < rows; row++) {
        sum += deltas[((seat * step.most_rows + row) * layer.outputs + output) * QUADS + quad] * input_at(row, column);
    }
    return sum;
}

// The gradients of four tasks at an output of a row.
fn delta_at(quad: u32, element: u32) -> vec4<f32> {
    return deltas[(seat * step.most_rows * layer.outputs + element) * QUADS + quad];
}

fn of_task(k: u32, element: u32) -> f32 {
    return tile[k / 4u * LANES + element][k % 4u];
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    take_seat(workgroup);
    let columns = layer.inputs + 1u;
    var elements = layer.outputs * columns;
    if AT_OUTPUTS {
        // As in gradient_of.
        elements = layer.outputs * min(layer.shares * layer.share_rows, step.rows);
    }
    // Of entries lane, lane + 64, and so on.
    var products: vec4<f32>;
    for (var first = workgroup.x * LANES; first < elements; first += workgroups.x * LANES) {
        let element = min(first + lane, elements - 1u);
        for (var quad = 0u; quad < QUADS; quad++) {
            var gradient: vec4<f32>;
            if AT_OUTPUTS {
                gradient = delta_at(quad, element);
            } else {
                gradient = gradient_of(quad, element / columns, element % columns);
            }
            tile[quad * LANES + lane] = select(vec4(0.0), gradient, first + lane < elements);
        }
        workgroupBarrier();
        for (var part = 0u; part < 4u; part++) {
            let entry = part * LANES + lane;
            if entry < TASKS * TASKS {
                for (var i = 0u; i < LANES; i++) {
                    products[part] += of_task(entry / TASKS, i) * of_task(entry % TASKS, i);
                }
            }
        }
        workgroupBarrier();
    }
    for (var part = 0u; part < 4u; part++) {
        let entry = part * LANES + lane;
        if entry < TASKS * TASKS {
            shares[((seat * SHARES) + FIRST + workgroup.x) * TASKS * TASKS + entry] = products[part];
        }
    }
}
