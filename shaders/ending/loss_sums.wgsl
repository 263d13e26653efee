// Adds up the shares of every task's loss, in a fixed order, before a `finish` whose every lane would add up many.
//
// One workgroup a task and seat.
// Reads: loss_shares [seats, shares + 2, tasks] (tiled/loss.wgsl)
// Writes: sums [seats, 1 + 2, tasks], laid out alike

@group(0) @binding(0) var<storage, read> loss_shares: array<f32>;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let k = unfolded(workgroup, workgroups);
    let tasks = arrayLength(&sums) / step.seats / 3u;
    if k >= tasks {
        return;
    }
    let shares = arrayLength(&loss_shares) / step.seats / tasks - 2u;
    let first = workgroup.z * (shares + 2u) * tasks + k;
    let to = workgroup.z * 3u * tasks + k;
    var sum: LongSum;
    for (var share = lane; share < shares; share += LANES) {
        add_term(&sum, loss_shares[first + share * tasks]);
    }
    let loss = sum_over(LANES, lane, sum_of(sum));
    if lane == 0u {
        sums[to] = loss;
        sums[to + tasks] = loss_shares[first + shares * tasks];
        sums[to + 2u * tasks] = loss_shares[first + (shares + 1u) * tasks];
    }
}
