// The gradient at each prediction of a task of numbers: weight / normaliser times the loss's slope.
//
// One invocation an element; where its noise is predicted, that of the logarithm of its scale too.

@group(0) @binding(4) var<storage, read> predictions: array<f32>;
@group(0) @binding(5) var<storage, read> weights: array<f32>;
@group(0) @binding(6) var<storage, read> normalisers: array<f32>;
@group(0) @binding(7) var<storage, read_write> gradient: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    take_seat(vec3(0u));
    let i = unfolded(workgroup, workgroups) * LANES + lane;
    let task = tasks[which.task];
    let row = i / task.width;
    if row >= step.rows {
        return;
    }
    let c = i % task.width;
    let at = task.prediction + row * task.prediction_stride + c;
    let label_at = task.label + label_row(row) * task.label_stride + c;
    var slope = 0.0;
    var scale_slope = 0.0;
    if has_label(task, label_row(row)) {
        let normaliser = normalisers[member.batch * arrayLength(&tasks) + which.task];
        let scale = select(0.0, weights[which.task] / normaliser, normaliser > 0.0);
        let counted = scale * sample_weight(task, label_row(row));
        let label = bitcast<f32>(labels[label_at]);
        if predicts_noise(task.loss) {
            let slopes = noise_loss(task, predictions[at], predictions[at + task.width], label);
            slope = counted * slopes.y;
            scale_slope = counted * slopes.z;
        } else {
            slope = counted * element_loss(task, predictions[at], label).y;
        }
    }
    gradient[at] = slope;
    if predicts_noise(task.loss) {
        gradient[at + task.width] = scale_slope;
    }
}
