// Adds up the shares of every task's loss, in a fixed order, before a `finish` whose every lane would add up many.
//
// One workgroup a task.
// Reads: loss_shares [shares + 2, tasks] (tiled/loss.wgsl)        Writes: sums [1 + 2, tasks], laid out alike

@group(0) @binding(0) var<storage, read> loss_shares: array<f32>;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let k = unfolded(workgroup, workgroups);
    let tasks = arrayLength(&sums) / 3u;
    if k >= tasks {
        return;
    }
    let shares = arrayLength(&loss_shares) / tasks - 2u;
    var sum: LongSum;
    for (var share = lane; share < shares; share += LANES) {
        add_term(&sum, loss_shares[share * tasks + k]);
    }
    let loss = sum_over(LANES, lane, sum_of(sum));
    if lane == 0u {
        sums[k] = loss;
        sums[tasks + k] = loss_shares[shares * tasks + k];
        sums[2u * tasks + k] = loss_shares[(shares + 1u) * tasks + k];
    }
}
