// A matrix product, output = lhs . rhs, of matrices given by their strides, so that either may be transposed. The
// summed dimension may be split into shares, each with an output of its own.
//
// One workgroup a tile of 32 x 32 outputs of one share (shared/tile.wgsl).

struct Product {
    rows: u32,
    columns: u32,
    depth: u32,         // any of these may be STEP_ROWS
    lhs: u32,           // where element (0, 0) lies
    lhs_row: u32,       // from a row to the next
    lhs_k: u32,
    rhs: u32,
    rhs_k: u32,
    rhs_column: u32,
    output: u32,
    shares: u32,
    share_depth: u32,   // summed elements a share
    share_stride: u32,  // from a share's output to the next
}

override lhs_along_k: bool = true;
override rhs_along_k: bool = true;
const STEP_ROWS = 0xffffffffu;

@group(0) @binding(0) var<storage, read> product: Product;
@group(0) @binding(1) var<storage, read> left: array<f32>;
@group(0) @binding(2) var<storage, read> right: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

fn extent(size: u32) -> u32 {
    return select(size, step.rows, size == STEP_ROWS);
}

fn lhs(row: u32, k: u32) -> f32 {
    if row >= extent(product.rows) {
        return 0.0;
    }
    return left[product.lhs + row * product.lhs_row + k * product.lhs_k];
}

fn rhs(k: u32, column: u32) -> f32 {
    if column >= product.columns {
        return 0.0;
    }
    return right[product.rhs + k * product.rhs_k + column * product.rhs_column];
}

fn store(share: u32, row: u32, column: u32, sum: f32) {
    if row < extent(product.rows) && column < product.columns {
        output[product.output + share * product.share_stride + row * product.columns + column] = sum;
    }
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let rows = extent(product.rows);
    let depth = extent(product.depth);
    let across = (product.columns + TILE - 1u) / TILE;
    let down = (rows + TILE - 1u) / TILE;
    let tile = unfolded(workgroup, workgroups);
    let share = tile / (across * down);
    if share >= product.shares {
        return;
    }
    let row = tile / across % down * TILE;
    let column = tile % across * TILE;
    let k_from = min(share * product.share_depth, depth);
    let k_to = min(k_from + product.share_depth, depth);
    let sums = tile_product(row, column, k_from, k_to, lane);
    store_tile(sums, share, row, column, lane);
}
