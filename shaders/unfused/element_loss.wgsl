// The loss of each row of a task of numbers, summed over its columns; 0 without a label: row_losses [rows].
//
// One invocation a row.

@group(0) @binding(4) var<storage, read> predictions: array<f32>;
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
        let at = task.prediction + row * task.prediction_stride;
        let label_at = task.label + label_row(row) * task.label_stride;
        for (var c = 0u; c < task.width; c++) {
            sum += element_loss(task, predictions[at + c], bitcast<f32>(labels[label_at + c])).x;
        }
    }
    row_losses[row] = sum;
}
