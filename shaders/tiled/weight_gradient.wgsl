// A share of the gradients of a layer's weight and bias: output_gradient^T . [inputs, 1] over a run of rows.
// The column of ones makes the bias one more input. The shares are added up, in order, by the kernel
// that applies Adam: no atomics, no dispatch of its own, the same bits every time.
//
// One workgroup a tile of 32 outputs x 32 inputs of one share (shared/tile.wgsl).
// Reads:  output_gradient [seats, rows, outputs], inputs [seats, rows, inputs] (through `order` for the first layer)
// Writes: gradient_shares [seats, shares, parameters], this layer's part of this share

@group(0) @binding(0) var<storage, read> layer: Layer;
@group(0) @binding(1) var<storage, read> output_gradient: array<f32>;
@group(0) @binding(2) var<storage, read> inputs: array<f32>;
@group(0) @binding(3) var<storage, read> order: array<u32>;
@group(0) @binding(4) var<storage, read_write> gradient_shares: array<f32>;

const lhs_along_k = false;
const rhs_along_k = false;

fn lhs(row: u32, k: u32) -> f32 {
    if row >= layer.outputs {
        return 0.0;
    }
    return output_gradient[(seat * step.most_rows + k) * layer.outputs + row];
}

fn rhs(k: u32, column: u32) -> f32 {
    if column >= layer.inputs {
        return select(0.0, 1.0, column == layer.inputs);
    }
    var source = seat * step.most_rows + k;
    if layer.gathers == 1u {
        source = order[member.first + k];
    }
    return inputs[source * layer.inputs + column];
}

fn store(share: u32, row: u32, column: u32, sum: f32) {
    if row >= layer.outputs || column > layer.inputs {
        return;
    }
    let of_weight = layer.weight + row * layer.inputs + column;
    let of_bias = layer.bias + row;
    gradient_shares[(seat * layer.shares + share) * layer.share_stride + select(of_weight, of_bias, column == layer.inputs)] = sum;
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    take_seat(workgroup);
    let across = (layer.inputs + 1u + TILE - 1u) / TILE;
    let down = (layer.outputs + TILE - 1u) / TILE;
    let tile = unfolded(workgroup, workgroups);
    let share = tile / (across * down);
    if share >= layer.shares {
        return;
    }
    let row = tile / across % down * TILE;
    let column = tile % across * TILE;
    let from_row = min(share * layer.share_rows, step.rows);
    let to_row = min(from_row + layer.share_rows, step.rows);
    let sums = tile_product(row, column, from_row, to_row, lane);
    store_tile(sums, share, row, column, lane);
}
