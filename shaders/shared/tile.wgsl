// The product of two matrices, a tile of 32 x 32 outputs a workgroup: 64 lanes, each with 4 x 4 sums in
// registers, over slices of 16 of the summed dimension that are staged in workgroup memory (4 KiB).
//
// The kernel that uses it says what the matrices are, 0 outside their bounds:
//   fn lhs(row: u32, k: u32) -> f32        fn rhs(k: u32, column: u32) -> f32
// and along which index neighbouring elements lie side by side in memory:
//   const LHS_ALONG_K: bool                const RHS_ALONG_K: bool

const TILE = 32u;
const DEPTH = 16u;
const QUADS = 8u; // TILE / 4

// [k][row / 4] and [k][column / 4]; lanes own whole vectors, since writing one component may touch all.
var<workgroup> lhs_slice: array<vec4<f32>, 128>;
var<workgroup> rhs_slice: array<vec4<f32>, 128>;

// (k, quad) of the `index`-th vector of a slice, so that neighbouring lanes read neighbouring memory.
fn slice_place(index: u32, along_k: bool) -> vec2<u32> {
    if along_k {
        return vec2(index % DEPTH, index / DEPTH);
    }
    return vec2(index / QUADS, index % QUADS);
}

fn stage(row: u32, column: u32, k_from: u32, k_to: u32, lane: u32) {
    for (var index = lane; index < DEPTH * QUADS; index += LANES) {
        let l = slice_place(index, LHS_ALONG_K);
        let k = k_from + l.x;
        let i = row + l.y * 4u;
        if k < k_to {
            lhs_slice[l.x * QUADS + l.y] = vec4(lhs(i, k), lhs(i + 1u, k), lhs(i + 2u, k), lhs(i + 3u, k));
        } else {
            lhs_slice[l.x * QUADS + l.y] = vec4(0.0);
        }
        let r = slice_place(index, RHS_ALONG_K);
        let m = k_from + r.x;
        let j = column + r.y * 4u;
        if m < k_to {
            rhs_slice[r.x * QUADS + r.y] = vec4(rhs(m, j), rhs(m, j + 1u), rhs(m, j + 2u), rhs(m, j + 3u));
        } else {
            rhs_slice[r.x * QUADS + r.y] = vec4(0.0);
        }
    }
}

// The sums over k in [k_from, k_to) for the tile whose first output is (row, column): lane l has rows
// row + 4 (l / 8) .. + 3, one a vector, and columns column + 4 (l % 8) .. + 3, one a component.
fn tile_product(row: u32, column: u32, k_from: u32, k_to: u32, lane: u32) -> array<vec4<f32>, 4> {
    var sums = array<vec4<f32>, 4>();
    for (var k = k_from; k < k_to; k += DEPTH) {
        stage(row, column, k, k_to, lane);
        workgroupBarrier();
        for (var d = 0u; d < DEPTH; d++) {
            let l = lhs_slice[d * QUADS + lane / QUADS];
            let r = rhs_slice[d * QUADS + lane % QUADS];
            sums[0] += l.x * r;
            sums[1] += l.y * r;
            sums[2] += l.z * r;
            sums[3] += l.w * r;
        }
        workgroupBarrier();
    }
    return sums;
}
