// A whole training step but for its end, in one dispatch: a workgroup takes blocks of 32 rows through forward, losses
// and backward, and adds up its share of every gradient and loss, which `finish` sums. Nothing leaves the workgroup in
// between, so a barrier stands where a dispatch would.
//
// A workgroup takes every `workgroups`-th block. What a layer's outputs, slopes and gradients are stays in its own
// scratch, 32 rows each, which it alone reads; products are shared/tile.wgsl's, losses shared/loss_pass.wgsl's.
// Reads:  layers, features [rows of the dataset, features], labels, tasks, order, parameters (sigma at their end),
//         normalisers [batches, tasks]
// Writes: work: loss shares [workgroups + 2, tasks] (tiled/loss.wgsl), gradient shares [workgroups, parameters], scratch;
//         each starts at a multiple of 64

@group(0) @binding(0) var<storage, read> layers: array<Layer>;
@group(0) @binding(1) var<storage, read> features: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read> tasks: array<Task>;
@group(0) @binding(4) var<storage, read> order: array<u32>;
@group(0) @binding(5) var<storage, read> parameters: array<f32>;
@group(0) @binding(6) var<storage, read> normalisers: array<f32>;
@group(0) @binding(7) var<storage, read_write> work: array<f32>;

// Where this workgroup's parts of `work` start.
var<private> gradient_share: u32;
var<private> block_scratch: u32;
// The block: its first position in the batch, its rows, and whether it is this workgroup's first.
var<private> first_row: u32;
var<private> block_rows: u32;
var<private> is_first_block: bool;
// The product that is being computed.
var<private> product: u32;
var<private> layer: Layer;
var<private> inputs_at: u32; // the layer's inputs in `work`, unless it gathers
var<private> lhs_along_k: bool;
var<private> rhs_along_k: bool;

const FORWARD = 0u;
const WEIGHT_GRADIENT = 1u;
const INPUT_GRADIENT = 2u;

// Rows [block_rows, outputs] of a layer's outputs, then slopes, then gradients.
fn output_at(row: u32, column: u32) -> u32 {
    return block_scratch + layer.scratch + row * layer.outputs + column;
}

fn slope_at(row: u32, column: u32) -> u32 {
    return output_at(row + TILE, column);
}

fn delta_at(row: u32, column: u32) -> u32 {
    return output_at(row + 2u * TILE, column);
}

fn input(row: u32, column: u32) -> f32 {
    if layer.gathers == 1u {
        return features[order[step.first + first_row + row] * layer.inputs + column];
    }
    return work[inputs_at + row * layer.inputs + column];
}

fn lhs(row: u32, k: u32) -> f32 {
    if product == FORWARD && row < block_rows && k < layer.inputs {
        return input(row, k);
    }
    if product == WEIGHT_GRADIENT && row < layer.outputs && k < block_rows {
        return work[delta_at(k, row)];
    }
    if product == INPUT_GRADIENT && row < block_rows && k < layer.outputs {
        return work[delta_at(row, k)];
    }
    return 0.0;
}

fn rhs(k: u32, column: u32) -> f32 {
    if product == FORWARD && k < layer.inputs && column < layer.outputs {
        return parameters[layer.weight + column * layer.inputs + k];
    }
    if product == WEIGHT_GRADIENT && k < block_rows && column <= layer.inputs {
        // The bias is the weight of one more input, 1.
        if column == layer.inputs {
            return 1.0;
        }
        return input(k, column);
    }
    if product == INPUT_GRADIENT && k < layer.outputs && column < layer.inputs {
        return parameters[layer.weight + k * layer.inputs + column];
    }
    return 0.0;
}

fn store(share: u32, row: u32, column: u32, sum: f32) {
    if product == FORWARD && row < block_rows && column < layer.outputs {
        var result = activate(layer.activation, sum + parameters[layer.bias + column]);
        if DROPS_BELOW != 0u && layer.activation != NO_ACTIVATION {
            result *= dropout_factor(first_row + row, layer.bias + column);
        }
        work[output_at(row, column)] = result.x;
        work[slope_at(row, column)] = result.y;
    }
    if product == WEIGHT_GRADIENT && row < layer.outputs && column <= layer.inputs {
        let of_weight = layer.weight + row * layer.inputs + column;
        let at = gradient_share + select(of_weight, layer.bias + row, column == layer.inputs);
        work[at] = select(work[at], 0.0, is_first_block) + sum;
    }
    if product == INPUT_GRADIENT && row < block_rows && column < layer.inputs {
        // The previous layer's gradient, which lies behind its outputs and slopes.
        let at = inputs_at + row * layer.inputs + column;
        work[at + 2u * TILE * layer.inputs] = sum * work[at + TILE * layer.inputs];
    }
}

// All tiles of a product of `rows` x `columns`, summed over `depth`.
fn products(kind: u32, rows: u32, columns: u32, depth: u32, lane: u32) {
    product = kind;
    lhs_along_k = kind != WEIGHT_GRADIENT;
    rhs_along_k = kind == FORWARD;
    for (var row = 0u; row < rows; row += TILE) {
        for (var column = 0u; column < columns; column += TILE) {
            let sums = tile_product(row, column, 0u, depth, lane);
            store_tile(sums, 0u, row, column, lane);
        }
    }
}

fn use_layer(index: u32) {
    layer = layers[index];
    if index > 0u {
        inputs_at = block_scratch + layers[index - 1u].scratch;
    }
}

fn label_row(row: u32) -> u32 {
    return order[step.first + first_row + row];
}

fn prediction_at(at: u32) -> f32 {
    return work[output_at(0u, at)];
}

fn set_gradient(at: u32, value: f32) {
    work[delta_at(0u, at)] = value;
}

// Every task's losses over the block, and the gradient at its predictions.
fn losses(rows: u32, is_first: bool, workgroup: u32, workgroups: u32, lane: u32) {
    let count = arrayLength(&tasks);
    for (var k = 0u; k < count; k++) {
        let normaliser = normalisers[step.batch * count + k];
        let inverse = select(0.0, 1.0 / normaliser, normaliser > 0.0);
        let sigma = parameters[arrayLength(&parameters) - count + k];
        let weight = task_weight(sigma);
        let sum = task_pass(tasks[k], rows, weight * inverse, 0u, 1u, lane);
        if lane == 0u {
            let at = workgroup * count + k;
            work[at] = select(work[at], 0.0, is_first) + sum * inverse;
            if workgroup == 0u {
                work[workgroups * count + k] = weight;
                work[(workgroups + 1u) * count + k] = regulariser(sigma);
            }
        }
    }
}

fn rounded_up(length: u32) -> u32 {
    return (length + 63u) / 64u * 64u;
}

// The shares of a workgroup that a short batch leaves without a block.
fn clear_shares(network: u32, workgroup: u32, lane: u32) {
    for (var i = lane; i < network; i += LANES) {
        work[gradient_share + i] = 0.0;
    }
    for (var k = lane; k < arrayLength(&tasks); k += LANES) {
        work[workgroup * arrayLength(&tasks) + k] = 0.0;
    }
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let count = arrayLength(&layers);
    let heads = layers[count - 1u];
    let network = heads.bias + heads.outputs;
    let shares = rounded_up((workgroups.x + 2u) * arrayLength(&tasks));
    gradient_share = shares + workgroup.x * network;
    // The heads' scratch is the last: three blocks of 32 rows.
    block_scratch = shares + rounded_up(workgroups.x * network)
        + workgroup.x * (heads.scratch + 3u * TILE * heads.outputs);
    if workgroup.x * TILE >= step.rows {
        clear_shares(network, workgroup.x, lane);
    }
    for (var from_row = workgroup.x * TILE; from_row < step.rows; from_row += workgroups.x * TILE) {
        let rows = min(TILE, step.rows - from_row);
        first_row = from_row;
        block_rows = rows;
        is_first_block = from_row == workgroup.x * TILE;
        for (var index = 0u; index < count; index++) {
            use_layer(index);
            products(FORWARD, rows, layers[index].outputs, layers[index].inputs, lane);
            storageBarrier();
        }
        losses(rows, from_row == workgroup.x * TILE, workgroup.x, workgroups.x, lane);
        storageBarrier();
        for (var index = count; index > 0u; index--) {
            let size = layers[index - 1u];
            use_layer(index - 1u);
            products(WEIGHT_GRADIENT, size.outputs, size.inputs + 1u, rows, lane);
            if index > 1u {
                products(INPUT_GRADIENT, rows, size.inputs, size.outputs, lane);
            }
            storageBarrier();
        }
    }
}
