// The fused loss pass of a training step: every task's loss, and the gradient of the weighted total at
// every prediction, in one dispatch. Liebel & Korner 2018, eq. 3, with the losses of losses.wgsl.
//
// A workgroup takes every `workgroups`-th tile of rows (shared/loss_pass.wgsl) and stores its share of each
// task's mean loss; `finish` adds the shares in order.
// Reads:  predictions [seats, rows, outputs], labels, tasks, order, state (sigma), normalisers [members, batches, tasks]
// Writes: gradient [seats, rows, outputs], loss_shares [seats, workgroups + 2, tasks]: the shares, then the tasks' weights
//         and regularisers, which `finish` cannot compute itself while it updates sigma

@group(0) @binding(0) var<storage, read> predictions: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> tasks: array<Task>;
@group(0) @binding(3) var<storage, read> order: array<u32>;
@group(0) @binding(4) var<storage, read> state: array<f32>;
@group(0) @binding(5) var<storage, read> normalisers: array<f32>;
@group(0) @binding(6) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(7) var<storage, read_write> loss_shares: array<f32>;

// Where the seat's predictions start, and their gradient.
var<private> start_of_rows: u32;

fn label_row(row: u32) -> u32 {
    return order[member.first + row];
}

fn prediction_at(at: u32) -> f32 {
    return predictions[start_of_rows + at];
}

fn set_gradient(at: u32, value: f32) {
    gradient[start_of_rows + at] = value;
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    take_seat(workgroup);
    start_of_rows = seat * (arrayLength(&predictions) / step.seats);
    let count = arrayLength(&tasks);
    let losses_at = seat * (workgroups.x + 2u) * count;
    for (var k = 0u; k < count; k++) {
        let normaliser = normalisers[member.batch * count + k];
        let inverse = select(0.0, 1.0 / normaliser, normaliser > 0.0);
        let sigma = state[member.sigma + k];
        let weight = task_weight(member.scheme, sigma);
        let sum = task_pass(tasks[k], step.rows, weight * inverse, workgroup.x, workgroups.x, lane);
        if lane == 0u {
            loss_shares[losses_at + workgroup.x * count + k] = sum * inverse;
            if workgroup.x == 0u {
                loss_shares[losses_at + workgroups.x * count + k] = weight;
                loss_shares[losses_at + (workgroups.x + 1u) * count + k] = regulariser(member.scheme, sigma);
            }
        }
    }
}
