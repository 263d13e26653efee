// The loss of each row of a task of classes from its log-probabilities; 0 without a label: row_losses [rows].
//
// LANES_PER_ROW lanes a row.

override LANES_PER_ROW: u32 = 1u;

@group(0) @binding(4) var<storage, read> log_probabilities: array<f32>;
@group(0) @binding(5) var<storage, read_write> row_losses: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    take_seat(vec3(0u));
    let task = tasks[which.task];
    let row = unfolded(workgroup, workgroups) * (LANES / LANES_PER_ROW) + lane / LANES_PER_ROW;
    let part = lane % LANES_PER_ROW;
    var sum = 0.0;
    if row < step.rows && has_label(task, label_row(row)) {
        if part == 0u {
            let own = labels[task.label + label_row(row) * task.label_stride];
            sum = -(1.0 - task.parameter) * class_weight(task, own) * log_probabilities[row * task.width + own];
        }
        if task.parameter != 0.0 {
            for (var c = part; c < task.width; c += LANES_PER_ROW) {
                sum -= task.parameter / f32(task.width) * class_weight(task, c) * log_probabilities[row * task.width + c];
            }
        }
    }
    sum = sum_over(LANES_PER_ROW, lane, sum);
    if row < step.rows && part == 0u {
        row_losses[row] = sample_weight(task, label_row(row)) * sum;
    }
}
