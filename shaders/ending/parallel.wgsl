// The end of a fused step on GPUs: adds up the shares of every loss and gradient, several lanes a sum, in a fixed order;
// computes sigma's gradient, applies Adam to all parameters, and writes the step's record. Software adapters take finish.wgsl,
// which has no barriers.
//
// Every workgroup adds up the losses for itself, since all must know whether the total is finite before they update anything.
// Where gradients are clipped (CLIP, shared/clip.wgsl), `sums` has added up their shares to one, and the sums of their squares
// lie at NORMS_AT.
// What the cells of the gradient are, and who keeps a copy of the parameters, the kernel says: parameter_of, keep_parameter,
// keep_sigma.
// Reads:  work (ending/share_sums.wgsl), normalisers [members, batches, tasks]
// Writes: state (shared/optimizer.wgsl), records (shared/records.wgsl), stop

override NORMS: u32 = 0u;
override NORMS_AT: u32 = 0u;

@group(0) @binding(0) var<storage, read> optimizers: array<Optimizer>;
@group(0) @binding(1) var<storage, read_write> state: array<f32>;
@group(0) @binding(2) var<storage, read> work: array<f32>;
@group(0) @binding(3) var<storage, read> normalisers: array<f32>;
@group(0) @binding(4) var<storage, read_write> records: array<f32>;
@group(0) @binding(5) var<storage, read_write> stop: array<atomic<u32>>;

// The step's total, in every lane; tasks without a label in the batch add nothing.
fn total_loss(lane: u32) -> f32 {
    var sum: LongSum;
    for (var first = 0u; first < TASKS; first += LANES / TASK_PARTS) {
        let loss = mean_loss(first, lane);
        let k = first + lane / TASK_PARTS;
        if lane % TASK_PARTS == 0u && k < TASKS {
            if normalisers[member.batch * TASKS + k] > 0.0 {
                add_term(&sum, loss_weight(k) * loss + loss_regulariser(k));
            }
        }
    }
    return sum_over(LANES, lane, sum_of(sum));
}

// By what clipping multiplies the network's gradient.
fn factor_of_step(lane: u32) -> f32 {
    if CLIP == 0.0 {
        return 1.0;
    }
    var squares: LongSum;
    for (var i = lane; i < NORMS; i += LANES) {
        add_term(&squares, work[NORMS_AT + seat * NORMS + i]);
    }
    return clip_factor(sum_over(LANES, lane, sum_of(squares)));
}

// The record of the step, and sigma's update: by one workgroup.
fn finish_tasks(total: f32, updates: bool, lane: u32) {
    if lane == 0u {
        records[record_slot(TASKS)] = total;
    }
    for (var first = 0u; first < TASKS; first += LANES / TASK_PARTS) {
        let loss = mean_loss(first, lane);
        let k = first + lane / TASK_PARTS;
        if lane % TASK_PARTS == 0u && k < TASKS {
            finish_task(k, loss, updates);
        }
    }
}

fn finish_task(k: u32, loss: f32, updates: bool) {
    let sigma = state[member.sigma + k];
    let normaliser = normalisers[member.batch * TASKS + k];
    records[record_at(TASKS, k, RECORD_LOSS)] = loss;
    records[record_at(TASKS, k, RECORD_WEIGHT)] = loss_weight(k);
    records[record_at(TASKS, k, RECORD_SIGMA)] = sigma;
    records[record_at(TASKS, k, RECORD_NORMALISER)] = normaliser;
    if updates && is_learned(member.scheme) && normaliser > 0.0 {
        let gradient = gradient_at_zero(member.scheme, sigma) + loss * gradient_per_loss(member.scheme, sigma);
        let optimizer = optimizers[member.number];
        apply_to_sigma(optimizer.sigma, optimizer.least_sigma, optimizer.held, k, gradient);
        keep_sigma(k);
    }
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    take_seat(workgroup);
    let number = unfolded(workgroup, workgroups);
    let cells = cells_a_workgroup();
    let cell = number * cells + lane % cells;
    let part = lane / cells;
    // On its way while the losses are added up.
    let own = cell_part(min(cell, CELLS - 1u), part);
    let total = total_loss(lane);
    let factor = factor_of_step(lane);
    let sum = cell_sum(lane, own);
    let stopped = has_stopped();
    let updates = !stopped && is_finite(total);
    if number == 0u {
        if lane == 0u && !stopped && !is_finite(total) {
            mark_stop(LOSS_STOP);
        }
        finish_tasks(total, updates, lane);
        after_records(updates, lane);
    }
    if part == 0u && cell < CELLS && updates {
        let place = parameter_of(cell);
        if place != NO_PLACE {
            apply_to_network(optimizers[member.number].network, place, select(sum, sum * factor, CLIP != 0.0));
            keep_parameter(cell, place);
        }
    }
}
