// The weighting's forward pass: weights [tasks] and the step's record, whose total is the weighted sum.
//
// One workgroup; lane 0 sums.    Reads: losses [tasks], normalisers [batches, tasks], state (sigma)

@group(0) @binding(0) var<storage, read> losses: array<f32>;
@group(0) @binding(1) var<storage, read> normalisers: array<f32>;
@group(0) @binding(2) var<storage, read> state: array<f32>;
@group(0) @binding(3) var<storage, read_write> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> records: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
    take_seat(vec3(0u));
    if lane != 0u {
        return;
    }
    let tasks = arrayLength(&losses);
    var total: LongSum;
    for (var k = 0u; k < tasks; k++) {
        let sigma = state[member.sigma + k];
        let normaliser = normalisers[member.batch * tasks + k];
        weights[k] = task_weight(member.scheme, sigma);
        if normaliser > 0.0 {
            add_term(&total, weights[k] * losses[k] + regulariser(member.scheme, sigma));
        }
        records[record_at(tasks, k, RECORD_LOSS)] = losses[k];
        records[record_at(tasks, k, RECORD_WEIGHT)] = weights[k];
        records[record_at(tasks, k, RECORD_SIGMA)] = sigma;
        records[record_at(tasks, k, RECORD_NORMALISER)] = normaliser;
    }
    records[record_slot(tasks)] = sum_of(total);
}
