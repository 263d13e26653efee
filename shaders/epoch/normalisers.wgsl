// What each task's summed loss is divided by, for every batch of an epoch: the sum of `row_weight` over the batch's labelled
// rows. It depends on labels and order alone, so it is known before any prediction is, which is what lets the loss pass write
// final gradients at once.
//
// One workgroup a share of the rows of a batch, a task and a member. Where there is more than one share, `normaliser_sums` adds them
// up. Runs once an epoch, after `order`.
// Reads: labels, tasks, order [members, rows]        Writes: shares [members, batches, tasks, shares]

struct Batches {
    rows: u32,       // of all batches, as many as there is room for in the order or fewer
    size: u32,       // rows of a batch
    count: u32,
    shares: u32,     // of a batch
    share_rows: u32,
}

// Whether the rows come in an order; else row i is the i-th.
override HAS_ORDER: bool = true;

@group(0) @binding(0) var<storage, read> labels: array<u32>;
@group(0) @binding(1) var<storage, read> tasks: array<Task>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read_write> shares: array<f32>;
@group(0) @binding(4) var<storage, read> batches: Batches;

fn row_at(first: u32, position: u32) -> u32 {
    if HAS_ORDER {
        return order[first + position];
    }
    return position;
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = unfolded(workgroup, workgroups);
    let of_batch = arrayLength(&tasks) * batches.shares;
    if number / of_batch >= batches.count {
        return;
    }
    let first = number / of_batch * batches.size;
    let end = min(first + batches.size, batches.rows);
    let from_row = min(first + number % batches.shares * batches.share_rows, end);
    let to_row = min(from_row + batches.share_rows, end);
    let task = tasks[number % of_batch / batches.shares];
    let of_member = workgroup.z * (arrayLength(&order) / workgroups.z);
    var sum: LongSum;
    if task.mask == NONE && task.class_weights == NONE && task.sample_weights == NONE {
        sum.block = select(0.0, f32(to_row - from_row), lane == 0u);
        if task.loss != CROSS_ENTROPY {
            sum.block *= f32(task.width);
        }
    } else {
        for (var i = from_row + lane; i < to_row; i += LANES) {
            let row = row_at(of_member, i);
            add_term(&sum, select(0.0, row_weight(task, row), has_label(task, row)));
        }
    }
    let share = sum_over(LANES, lane, sum_of(sum));
    if lane == 0u {
        shares[workgroup.z * batches.count * of_batch + number] = share;
    }
}
