// The gradient at the predictions times the tasks' weights, on its way from the heads, whose own gradients have none, to the layers
// that tasks share; of members whose schemes weigh these alone.
//
// One invocation a row and task.
// Reads:  columns [tasks] (of the predictions, the first and how many), state
// Writes: gradient [seats, rows, outputs], loss_shares [seats, LOSS_SHARES + 2, TASKS]: the weights, for the record

override TASKS: u32 = 1u;
override LOSS_SHARES: u32 = 1u;
override OUTPUTS: u32 = 1u;

@group(0) @binding(0) var<storage, read> columns: array<vec2<u32>>;
@group(0) @binding(1) var<storage, read> state: array<f32>;
@group(0) @binding(2) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> loss_shares: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    take_seat(workgroup);
    let i = unfolded(workgroup, workgroups) * LANES + lane;
    let k = i % TASKS;
    let row = i / TASKS;
    if row >= step.rows || member.scheme != OF_TRUNK {
        return;
    }
    let weight = state[member.sigma + k];
    let at = (seat * step.most_rows + row) * OUTPUTS + columns[k].x;
    for (var c = 0u; c < columns[k].y; c++) {
        gradient[at + c] *= weight;
    }
    if row == 0u {
        loss_shares[(seat * (LOSS_SHARES + 2u) + LOSS_SHARES) * TASKS + k] = weight;
    }
}
