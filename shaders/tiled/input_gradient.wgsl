// The gradient at a layer's input, already taken through the activation before it:
// input_gradient = (output_gradient . weight) * slope.
//
// One workgroup a tile of 32 rows x 32 inputs (shared/tile.wgsl).
// Reads:  output_gradient [seats, rows, outputs], state, slope [seats, rows, inputs]
// Writes: input_gradient [seats, rows, inputs]

@group(0) @binding(0) var<storage, read> layer: Layer;
@group(0) @binding(1) var<storage, read> output_gradient: array<f32>;
@group(0) @binding(2) var<storage, read> state: array<f32>;
@group(0) @binding(3) var<storage, read> slope: array<f32>;
@group(0) @binding(4) var<storage, read_write> input_gradient: array<f32>;

const lhs_along_k = true;
const rhs_along_k = false;

fn lhs(row: u32, k: u32) -> f32 {
    if row >= step.rows || k >= layer.outputs {
        return 0.0;
    }
    return output_gradient[(seat * step.most_rows + row) * layer.outputs + k];
}

fn rhs(k: u32, column: u32) -> f32 {
    if k >= layer.outputs || column >= layer.inputs {
        return 0.0;
    }
    return state[member.state + layer.weight + k * layer.inputs + column];
}

fn store(share: u32, row: u32, column: u32, sum: f32) {
    if row < step.rows && column < layer.inputs {
        let at = (seat * step.most_rows + row) * layer.inputs + column;
        input_gradient[at] = sum * slope[at];
    }
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    take_seat(workgroup);
    let across = (layer.inputs + TILE - 1u) / TILE;
    let tile = unfolded(workgroup, workgroups);
    let row = tile / across * TILE;
    let column = tile % across * TILE;
    if row >= step.rows {
        return;
    }
    let sums = tile_product(row, column, 0u, layer.outputs, lane);
    store_tile(sums, 0u, row, column, lane);
}
