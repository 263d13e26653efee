// The end of a fused step: adds up the shares of every loss and gradient in a fixed order, computes sigma's
// gradient, applies Adam to all parameters, and writes the step's record.
//
// A lane takes every so-many-th parameter, sigma after the network's. Every lane adds up the losses for itself, since
// all must know whether the total is finite before they update anything; hence more than one parameter a lane.
// Where gradients are clipped (CLIP, shared/clip.wgsl), `gradient_norm` has added up their shares to one, behind which
// lie the sums of their squares, which every lane adds up too.
// Reads:  gradient_shares [seats, shares, parameters], loss_shares [seats, shares + 2, tasks],
//         normalisers [members, batches, tasks]
// Writes: state (shared/optimizer.wgsl), records (shared/records.wgsl), stop

@group(0) @binding(0) var<storage, read> optimizers: array<Optimizer>;
@group(0) @binding(1) var<storage, read_write> state: array<f32>;
@group(0) @binding(2) var<storage, read> gradient_shares: array<f32>;
@group(0) @binding(3) var<storage, read> loss_shares: array<f32>;
@group(0) @binding(4) var<storage, read> normalisers: array<f32>;
@group(0) @binding(5) var<storage, read_write> records: array<f32>;
@group(0) @binding(6) var<storage, read_write> stop: array<atomic<u32>>;

// The mean loss of task k. Every lane adds up all shares: there are few, and a barrier costs more, on software
// adapters far more.
fn mean_loss(shares: u32, tasks: u32, k: u32) -> f32 {
    let first = seat * (shares + 2u) * tasks + k;
    var sum: LongSum;
    for (var share = 0u; share < shares; share++) {
        add_term(&sum, loss_shares[first + share * tasks]);
    }
    return sum_of(sum);
}

fn gradient_of(first: u32, shares: u32, parameters: u32, i: u32) -> f32 {
    var sum: LongSum;
    for (var share = 0u; share < shares; share++) {
        add_term(&sum, gradient_shares[first + share * parameters + i]);
    }
    return sum_of(sum);
}

// By what clipping multiplies the network's gradient.
fn factor_of_step(first: u32, norms: u32) -> f32 {
    if CLIP == 0.0 {
        return 1.0;
    }
    var squares: LongSum;
    for (var norm = 0u; norm < norms; norm++) {
        add_term(&squares, gradient_shares[first + norm]);
    }
    return clip_factor(sum_of(squares));
}

fn finish_sigma(group: Group, least: f32, held: u32, losses: u32, tasks: u32, k: u32, updates: bool) {
    let sigma = state[member.sigma + k];
    records[record_at(tasks, k, RECORD_SIGMA)] = sigma;
    if updates && is_learned(member.scheme) && normalisers[member.batch * tasks + k] > 0.0 {
        let loss = mean_loss(losses, tasks, k);
        let gradient = gradient_at_zero(member.scheme, sigma) + loss * gradient_per_loss(member.scheme, sigma);
        apply_to_sigma(group, least, held, k, gradient);
    }
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    take_seat(workgroup);
    // Read here, outside of loops.
    let optimizer = optimizers[member.number];
    let of_network = optimizer.parameters;
    let losses = optimizer.loss_shares;
    let shares = optimizer.gradient_shares;
    let tasks = member.all - of_network;
    let gradients = seat * (shares * of_network + optimizer.norms);
    let number = unfolded(workgroup, workgroups);
    let lanes = workgroups.x * workgroups.y * LANES;
    let records_step = number == 0u && lane == 0u;
    var sum: LongSum;
    for (var k = 0u; k < tasks; k++) {
        let loss = mean_loss(losses, tasks, k);
        let weight = loss_shares[(seat * (losses + 2u) + losses) * tasks + k];
        let normaliser = normalisers[member.batch * tasks + k];
        if normaliser > 0.0 {
            add_term(&sum, weight * loss + loss_shares[(seat * (losses + 2u) + losses + 1u) * tasks + k]);
        }
        if records_step {
            records[record_at(tasks, k, RECORD_LOSS)] = loss;
            records[record_at(tasks, k, RECORD_WEIGHT)] = weight;
            records[record_at(tasks, k, RECORD_NORMALISER)] = normaliser;
        }
    }
    let total = sum_of(sum);
    if records_step {
        records[record_slot(tasks)] = total;
    }
    let stopped = has_stopped();
    if records_step && !stopped && !is_finite(total) {
        mark_stop(LOSS_STOP);
    }
    let updates = !stopped && is_finite(total);
    let factor = factor_of_step(gradients + shares * of_network, optimizer.norms);
    // Two loops: what a branch skips on other adapters, all lanes walk through on software ones.
    let own = number * LANES + lane;
    for (var i = own; i < select(0u, of_network, updates); i += lanes) {
        var gradient = gradient_of(gradients, shares, of_network, i);
        if CLIP != 0.0 {
            gradient *= factor;
        }
        apply_to_network(optimizer.network, i, gradient);
    }
    for (var k = own; k < tasks; k += lanes) {
        finish_sigma(optimizer.sigma, optimizer.least_sigma, optimizer.held, losses, tasks, k, updates);
    }
    after_records(updates && records_step);
}
