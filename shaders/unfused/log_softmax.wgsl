// log_probabilities [rows, classes] = logits - highest - ln sum e^(logits - highest) of a task of classes.
//
// LANES_PER_ROW lanes a row.

override LANES_PER_ROW: u32 = 1u;

@group(0) @binding(4) var<storage, read> predictions: array<f32>;
@group(0) @binding(5) var<storage, read_write> log_probabilities: array<f32>;

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
    let inside = row < step.rows;
    let at = task.prediction + row * task.prediction_stride;
    var highest = -3.4028234663852886e38;
    if inside {
        for (var c = part; c < task.width; c += LANES_PER_ROW) {
            highest = max(highest, predictions[at + c]);
        }
    }
    highest = max_over(LANES_PER_ROW, lane, highest);
    var sum = 0.0;
    if inside {
        for (var c = part; c < task.width; c += LANES_PER_ROW) {
            sum += exp(predictions[at + c] - highest);
        }
    }
    sum = sum_over(LANES_PER_ROW, lane, sum);
    if inside {
        for (var c = part; c < task.width; c += LANES_PER_ROW) {
            log_probabilities[row * task.width + c] = predictions[at + c] - highest - log(sum);
        }
    }
}
