// The loss of each row of a task of numbers, summed over its columns; 0 without a label: row_losses [rows].
//
// LANES_PER_ROW lanes a row.

override LANES_PER_ROW: u32 = 1u;

@group(0) @binding(4) var<storage, read> predictions: array<f32>;
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
        let at = task.prediction + row * task.prediction_stride;
        let label_at = task.label + label_row(row) * task.label_stride;
        for (var c = part; c < task.width; c += LANES_PER_ROW) {
            let label = bitcast<f32>(labels[label_at + c]);
            if predicts_noise(task.loss) {
                sum += noise_loss(task, predictions[at + c], predictions[at + task.width + c], label).x;
            } else {
                sum += element_loss(task, predictions[at + c], label).x;
            }
        }
    }
    sum = sum_over(LANES_PER_ROW, lane, sum);
    if row < step.rows && part == 0u {
        row_losses[row] = sample_weight(task, label_row(row)) * sum;
    }
}
