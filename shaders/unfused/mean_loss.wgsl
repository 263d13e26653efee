// A task's mean loss: the shares of its sum, added up in a fixed order and divided by its normaliser.
//
// One workgroup.    Reads: sums [shares], normalisers [batches, tasks]        Writes: losses [tasks], one entry

struct Which {
    task: u32,
}

@group(0) @binding(0) var<storage, read> which: Which;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read> normalisers: array<f32>;
@group(0) @binding(3) var<storage, read_write> losses: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
    take_seat(vec3(0u));
    var shares: LongSum;
    for (var share = lane; share < arrayLength(&sums); share += LANES) {
        add_term(&shares, sums[share]);
    }
    let sum = sum_over(LANES, lane, sum_of(shares));
    if lane == 0u {
        let normaliser = normalisers[member.batch * arrayLength(&losses) + which.task];
        losses[which.task] = select(0.0, sum / normaliser, normaliser > 0.0);
    }
}
