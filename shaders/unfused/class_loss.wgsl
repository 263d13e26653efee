// The loss of each row of a task of classes from its log-probabilities; 0 without a label: row_losses [rows].
//
// One invocation a row.

@group(0) @binding(4) var<storage, read> log_probabilities: array<f32>;
@group(0) @binding(5) var<storage, read_write> row_losses: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = unfolded(workgroup, workgroups) * LANES + lane;
    if row >= step.rows {
        return;
    }
    let task = tasks[which.task];
    var sum = 0.0;
    if has_label(task, label_row(row)) {
        let own = labels[task.label + label_row(row) * task.label_stride];
        sum = -(1.0 - task.parameter) * class_weight(task, own) * log_probabilities[row * task.width + own];
        if task.parameter != 0.0 {
            for (var c = 0u; c < task.width; c++) {
                sum -= task.parameter / f32(task.width) * class_weight(task, c) * log_probabilities[row * task.width + c];
            }
        }
    }
    row_losses[row] = sum;
}
