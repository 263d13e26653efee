// Before the end of a fused step that clips its gradient, or has many tasks and shares: adds up all shares to one, and the
// gradient's squares in shares of their own, from which `parallel` knows the norm. A dispatch of its own, since no parameter may
// be updated before every gradient is known.
//
// The first workgroups of a seat take cells, as `parallel` does, then one a task.
// Reads: work (ending/share_sums.wgsl)
// Writes: sums, laid out as `work` with one share of each, and behind it the sums of squares [seats, workgroups of cells]

override SUMMED_LOSSES_AT: u32 = 0u;
override CELLS: u32 = 1u;
override NORMS_AT: u32 = 0u;

@group(0) @binding(0) var<storage, read> work: array<f32>;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    take_seat(workgroup);
    let number = unfolded(workgroup, workgroups);
    let cells = cells_a_workgroup();
    let of_cells = (CELLS + cells - 1u) / cells;
    if number >= of_cells {
        let k = number - of_cells;
        if k < TASKS {
            let loss = mean_loss_by_all(k, lane);
            if lane == 0u {
                let at = SUMMED_LOSSES_AT + 3u * seat * TASKS + k;
                sums[at] = loss;
                sums[at + TASKS] = loss_weight(k);
                sums[at + 2u * TASKS] = loss_regulariser(k);
            }
        }
        return;
    }
    let cell = number * cells + lane % cells;
    let part = lane / cells;
    let sum = cell_sum(lane, cell_part(min(cell, CELLS - 1u), part));
    let is_own = part == 0u && cell < CELLS;
    if is_own {
        sums[seat * CELLS + cell] = sum;
    }
    let squares = sum_over(LANES, lane, select(0.0, sum * sum, is_own));
    if lane == 0u {
        sums[NORMS_AT + seat * of_cells + number] = squares;
    }
}

fn mean_loss_by_all(k: u32, lane: u32) -> f32 {
    var sum: LongSum;
    for (var share = lane; share < LOSS_SHARES; share += LANES) {
        add_term(&sum, loss_share(share, k));
    }
    return sum_over(LANES, lane, sum_of(sum));
}
