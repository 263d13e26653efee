// Adds up the shares that `loss_alone` kept, in a fixed order: the same input gives the same bits.
//
// One workgroup, a lane a task.
// Reads:            sigma [tasks], normalisers [tasks]
// Reads and writes: results: total, then losses, weights and sigma gradients [tasks] each, then shares
//                   [workgroups, tasks]

struct Sums {
    tasks: u32,
    workgroups: u32,
}

// The weighting scheme.
override SCHEME: u32 = AWL;

@group(0) @binding(0) var<storage, read> sums: Sums;
@group(0) @binding(1) var<storage, read> sigma: array<f32>;
@group(0) @binding(2) var<storage, read_write> results: array<f32>;
@group(0) @binding(3) var<storage, read> normalisers: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
    var total: LongSum;
    for (var k = lane; k < sums.tasks; k += LANES) {
        let weight = task_weight(SCHEME, sigma[k]);
        var loss = 0.0;
        var slope = 0.0;
        var shares: LongSum;
        if normalisers[k] > 0.0 {
            for (var share = 0u; share < sums.workgroups; share++) {
                add_term(&shares, results[1u + 3u * sums.tasks + share * sums.tasks + k]);
            }
            loss = sum_of(shares);
            add_term(&total, weight * loss + regulariser(SCHEME, sigma[k]));
            slope = gradient_at_zero(SCHEME, sigma[k]) + loss * gradient_per_loss(SCHEME, sigma[k]);
        }
        results[1u + k] = loss;
        results[1u + sums.tasks + k] = weight;
        results[1u + 2u * sums.tasks + k] = slope;
    }
    let all = sum_over(LANES, lane, sum_of(total));
    if lane == 0u {
        results[0] = all;
    }
}
