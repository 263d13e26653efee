// The product of two matrices, a tile of 32 x 32 outputs a workgroup: 64 lanes, each with 4 x 4 sums in
// registers, over slices of 16 of the summed dimension that are staged in workgroup memory (4 KiB).
//
// The kernel that uses it says what the matrices are, 0 outside their bounds,
//   fn lhs(row: u32, k: u32) -> f32        fn rhs(k: u32, column: u32) -> f32
// along which index neighbouring elements lie side by side in memory,
//   lhs_along_k: bool                      rhs_along_k: bool
// and what becomes of each sum, leaving out what lies outside the output:
//   fn store(share: u32, row: u32, column: u32, sum: f32)

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
        let l = slice_place(index, lhs_along_k);
        let k = k_from + l.x;
        let i = row + l.y * 4u;
        if k < k_to {
            lhs_slice[l.x * QUADS + l.y] = vec4(lhs(i, k), lhs(i + 1u, k), lhs(i + 2u, k), lhs(i + 3u, k));
        } else {
            lhs_slice[l.x * QUADS + l.y] = vec4(0.0);
        }
        let r = slice_place(index, rhs_along_k);
        let m = k_from + r.x;
        let j = column + r.y * 4u;
        if m < k_to {
            rhs_slice[r.x * QUADS + r.y] = vec4(rhs(m, j), rhs(m, j + 1u), rhs(m, j + 2u), rhs(m, j + 3u));
        } else {
            rhs_slice[r.x * QUADS + r.y] = vec4(0.0);
        }
    }
}

// A lane's 4 x 4 sums, a row a vector. Named, not an array: an array that is indexed by a variable lives in memory on
// some drivers.
struct Sums {
    row0: vec4<f32>,
    row1: vec4<f32>,
    row2: vec4<f32>,
    row3: vec4<f32>,
}

// Adds the products of the slices' d-th elements.
fn add_products(d: u32, lane: u32, sums: ptr<function, Sums>) {
    let l = lhs_slice[d * QUADS + lane / QUADS];
    let r = rhs_slice[d * QUADS + lane % QUADS];
    (*sums).row0 += l.x * r;
    (*sums).row1 += l.y * r;
    (*sums).row2 += l.z * r;
    (*sums).row3 += l.w * r;
}

// The sums over k in [k_from, k_to) for the tile whose first output is (row, column): lane l has rows
// row + 4 (l / 8) .. + 3 and columns column + 4 (l % 8) .. + 3.
fn tile_product(row: u32, column: u32, k_from: u32, k_to: u32, lane: u32) -> Sums {
    var sums: Sums;
    for (var k = k_from; k < k_to; k += DEPTH) {
        stage(row, column, k, k_to, lane);
        workgroupBarrier();
        // Four a round, since software adapters limit the rounds (gpu::rounds).
        for (var d = 0u; d < DEPTH; d += 4u) {
            add_products(d, lane, &sums);
            add_products(d + 1u, lane, &sums);
            add_products(d + 2u, lane, &sums);
            add_products(d + 3u, lane, &sums);
        }
        workgroupBarrier();
    }
    return sums;
}

// Hands every sum to the kernel's `store`.
fn store_tile(sums: Sums, share: u32, row: u32, column: u32, lane: u32) {
    let r = row + lane / QUADS * 4u;
    let c = column + lane % QUADS * 4u;
    store_quad(sums.row0, share, r, c);
    store_quad(sums.row1, share, r + 1u, c);
    store_quad(sums.row2, share, r + 2u, c);
    store_quad(sums.row3, share, r + 3u, c);
}

fn store_quad(quad: vec4<f32>, share: u32, row: u32, column: u32) {
    store(share, row, column, quad.x);
    store(share, row, column + 1u, quad.y);
    store(share, row, column + 2u, quad.z);
    store(share, row, column + 3u, quad.w);
}
