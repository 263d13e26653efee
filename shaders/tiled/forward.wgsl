// A linear layer and its activation: output = f(input . weight^T + bias), slope = f'(...), so that the
// backward pass need not know the activation. Dropout multiplies both, so that it need not know of that either.
//
// One workgroup a tile of 32 rows x 32 outputs (shared/tile.wgsl).
// Reads:  inputs [seats, rows, inputs] (the dataset, through `order`, for the first layer), state
// Writes: output [seats, rows, outputs], slope [seats, rows, outputs] (not for the heads, which have no activation)

@group(0) @binding(0) var<storage, read> layer: Layer;
@group(0) @binding(1) var<storage, read> inputs: array<f32>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read> state: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
@group(0) @binding(5) var<storage, read_write> slope: array<f32>;

const lhs_along_k = true;
const rhs_along_k = true;

fn lhs(row: u32, k: u32) -> f32 {
    if row >= step.rows || k >= layer.inputs {
        return 0.0;
    }
    var source = seat * step.most_rows + row;
    if layer.gathers == 1u {
        source = order[member.first + row];
    }
    return inputs[source * layer.inputs + k];
}

fn rhs(k: u32, column: u32) -> f32 {
    if k >= layer.inputs || column >= layer.outputs {
        return 0.0;
    }
    return state[member.state + layer.weight + column * layer.inputs + k];
}

fn store(share: u32, row: u32, column: u32, sum: f32) {
    if row >= step.rows || column >= layer.outputs {
        return;
    }
    var result = activate(layer.activation, sum + state[member.state + layer.bias + column]);
    if DROPS_BELOW != 0u && layer.activation != NO_ACTIVATION {
        result *= dropout_factor(row, layer.bias + column);
    }
    let at = (seat * step.most_rows + row) * layer.outputs + column;
    output[at] = result.x;
    if layer.activation != NO_ACTIVATION {
        slope[at] = result.y;
    }
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    take_seat(workgroup);
    let across = (layer.outputs + TILE - 1u) / TILE;
    let tile = unfolded(workgroup, workgroups);
    let row = tile / across * TILE;
    let column = tile % across * TILE;
    if row >= step.rows {
        return;
    }
    let sums = tile_product(row, column, 0u, layer.inputs, lane);
    store_tile(sums, 0u, row, column, lane);
}
