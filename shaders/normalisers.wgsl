// What each task's summed loss is divided by, for every batch of an epoch: the sum of `row_weight` over the
// batch's labelled rows. It depends on labels and order alone, so it is known before any prediction
// is, which is what lets the loss pass write final gradients at once.
//
// One workgroup a batch. Runs once an epoch, after `order`.
// Reads: labels, tasks, order [rows]        Writes: normalisers [batches, tasks]

struct Batches {
    size: u32,
    count: u32,
}

@group(0) @binding(0) var<storage, read> labels: array<u32>;
@group(0) @binding(1) var<storage, read> tasks: array<Task>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read_write> normalisers: array<f32>;
@group(0) @binding(4) var<storage, read> batches: Batches;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let batch = unfolded(workgroup, workgroups);
    if batch >= batches.count {
        return;
    }
    let from_row = batch * batches.size;
    let to_row = min(from_row + batches.size, arrayLength(&order));
    for (var k = 0u; k < arrayLength(&tasks); k++) {
        let task = tasks[k];
        var sum = 0.0;
        if task.mask == NONE && task.class_weights == NONE {
            sum = select(0.0, f32(to_row - from_row), lane == 0u);
            if task.loss != CROSS_ENTROPY {
                sum *= f32(task.width);
            }
        } else {
            for (var i = from_row + lane; i < to_row; i += LANES) {
                if has_label(task, order[i]) {
                    sum += row_weight(task, order[i]);
                }
            }
        }
        let normaliser = sum_over(LANES, lane, sum);
        if lane == 0u {
            normalisers[batch * arrayLength(&tasks) + k] = normaliser;
        }
    }
}
