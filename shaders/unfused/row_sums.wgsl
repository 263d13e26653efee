// Shares of a task's summed loss: each workgroup sums every `workgroups`-th run of 64 rows.
//
// Reads: row_losses [rows]        Writes: sums [workgroups]

@group(0) @binding(0) var<storage, read> row_losses: array<f32>;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    var losses: LongSum;
    for (var row = workgroup.x * LANES + lane; row < step.rows; row += workgroups.x * LANES) {
        add_term(&losses, row_losses[row]);
    }
    let sum = sum_over(LANES, lane, sum_of(losses));
    if lane == 0u {
        sums[workgroup.x] = sum;
    }
}
