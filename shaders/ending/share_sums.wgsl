// Sums over the shares of a step's gradients and losses, several lanes a sum, in a fixed order.
//
// `work` holds the gradients' shares [seats, GRADIENT_SHARES, CELLS] and, from LOSSES_AT, the losses'
// [seats, LOSS_SHARES + 2, TASKS] (loss.wgsl); the kernel declares it, and CELLS.

override GRADIENT_SHARES: u32 = 1u;
override LOSS_SHARES: u32 = 1u;
override LOSSES_AT: u32 = 0u;
override TASKS: u32 = 1u;
// Lanes that share the sum of a cell, and that of a task: powers of two.
override CELL_PARTS: u32 = 1u;
override TASK_PARTS: u32 = 1u;

fn cell_term(cell: u32, share: u32) -> f32 {
    let term = work[(seat * GRADIENT_SHARES + min(share, GRADIENT_SHARES - 1u)) * CELLS + cell];
    return select(0.0, term, share < GRADIENT_SHARES);
}

// A lane's part of a cell's sum: every CELL_PARTS-th share, eight loads on their way at once. At most 4,096 shares make
// it no more than 512 terms.
fn cell_part(cell: u32, part: u32) -> f32 {
    var sum = 0.0;
    for (var share = part; share < GRADIENT_SHARES; share += 8u * CELL_PARTS) {
        let a = cell_term(cell, share);
        let b = cell_term(cell, share + CELL_PARTS);
        let c = cell_term(cell, share + 2u * CELL_PARTS);
        let d = cell_term(cell, share + 3u * CELL_PARTS);
        let e = cell_term(cell, share + 4u * CELL_PARTS);
        let f = cell_term(cell, share + 5u * CELL_PARTS);
        let g = cell_term(cell, share + 6u * CELL_PARTS);
        let h = cell_term(cell, share + 7u * CELL_PARTS);
        sum += ((a + b) + (c + d)) + ((e + f) + (g + h));
    }
    return sum;
}

// Cells of a workgroup. Lanes of one part lie side by side, and so do the cells that they read.
fn cells_a_workgroup() -> u32 {
    return LANES / CELL_PARTS;
}

// The sum of the cell `lane % cells_a_workgroup()` of the workgroup, in the lanes of part 0.
fn cell_sum(lane: u32, own: f32) -> f32 {
    if CELL_PARTS == 1u {
        return own;
    }
    scratch[lane] = own;
    workgroupBarrier();
    for (var half = LANES / 2u; half >= LANES / CELL_PARTS; half /= 2u) {
        if lane < half {
            scratch[lane] += scratch[lane + half];
        }
        workgroupBarrier();
    }
    let sum = scratch[lane];
    workgroupBarrier();
    return sum;
}

fn loss_share(share: u32, k: u32) -> f32 {
    return work[LOSSES_AT + (seat * (LOSS_SHARES + 2u) + share) * TASKS + k];
}

// The mean loss of task `first + lane / TASK_PARTS`, in all lanes that share it; 0 beyond the last task.
fn mean_loss(first: u32, lane: u32) -> f32 {
    let k = first + lane / TASK_PARTS;
    var sum: LongSum;
    if k < TASKS {
        for (var share = lane % TASK_PARTS; share < LOSS_SHARES; share += TASK_PARTS) {
            add_term(&sum, loss_share(share, k));
        }
    }
    return sum_over(TASK_PARTS, lane, sum_of(sum));
}

fn loss_weight(k: u32) -> f32 {
    return loss_share(LOSS_SHARES, k);
}

fn loss_regulariser(k: u32) -> f32 {
    return loss_share(LOSS_SHARES + 1u, k);
}
