// What a scheme does with the losses of a batch, by a dispatch of its own (PHASE): finds the step's weights before it, or
// changes what it keeps after it. A workgroup a member, whose first lane does it.
//
// What the schemes of the fleet do is made for it (`engine::rules`).
// Reads:  optimizers, loss_shares [seats, LOSS_SHARES + 2, tasks] (tiled/loss.wgsl), normalisers [members, batches, tasks],
//         records (of the step, where it was made), gram_shares [seats, GRAM_SHARES, tasks, tasks] (gram/products.wgsl), the last
//         REPRESENTATION_SHARES of which are of the gradients at the representation
// Writes: state, stop, found [seats, 2 + tasks, tasks]: the losses, the weights, then the Gram matrix of the gradients

const WEIGH = 0u;
const AFTER = 1u;
const FOLLOW = 2u;
const COMBINE = 3u;
override PHASE: u32 = WEIGH;
override LOSS_SHARES: u32 = 1u;
override GRAM_SHARES: u32 = 1u;
override REPRESENTATION_SHARES: u32 = 0u;

@group(0) @binding(0) var<storage, read> optimizers: array<Optimizer>;
@group(0) @binding(1) var<storage, read_write> state: array<f32>;
@group(0) @binding(2) var<storage, read> loss_shares: array<f32>;
@group(0) @binding(3) var<storage, read> normalisers: array<f32>;
@group(0) @binding(4) var<storage, read> records: array<f32>;
@group(0) @binding(5) var<storage, read_write> stop: array<atomic<u32>>;
@group(0) @binding(6) var<storage, read_write> found: array<f32>;
@group(0) @binding(7) var<storage, read> gram_shares: array<f32>;

fn found_at(which: u32, k: u32) -> u32 {
    return ((2u + task_count()) * seat + which) * task_count() + k;
}

fn gram_of(i: u32, j: u32) -> f32 {
    return found[found_at(2u + i, j)];
}

fn step_number() -> f32 {
    return f32(step.number);
}

fn draw_key() -> vec2<u32> {
    return vec2(member.draws_low, member.draws_high);
}

fn loss_of(k: u32) -> f32 {
    if PHASE == WEIGH || PHASE == COMBINE {
        return found[found_at(0u, k)];
    }
    return records[record_at(task_count(), k, RECORD_LOSS)];
}

fn then_of(k: u32) -> f32 {
    return found[found_at(0u, k)];
}

fn is_labelled(k: u32) -> bool {
    return normalisers[member.batch * task_count() + k] > 0.0;
}

fn weight_of(k: u32) -> f32 {
    if PHASE == AFTER {
        return state[member.sigma + k];
    }
    return found[found_at(1u, k)];
}

fn set_weight(k: u32, weight: f32) {
    if PHASE == AFTER {
        state[member.sigma + k] = weight;
    } else {
        found[found_at(1u, k)] = weight;
    }
}

fn add_up_losses(lane: u32) {
    let tasks = task_count();
    let first = seat * (LOSS_SHARES + 2u) * tasks;
    for (var k = lane; k < tasks; k += LANES) {
        var sum: LongSum;
        for (var share = 0u; share < LOSS_SHARES; share++) {
            add_term(&sum, loss_shares[first + share * tasks + k]);
        }
        found[found_at(0u, k)] = sum_of(sum);
    }
}

fn add_up_products(lane: u32) {
    let entries = task_count() * task_count();
    let of_parameters = GRAM_SHARES - REPRESENTATION_SHARES;
    let at_representation = looks_at_representation();
    let first = select(0u, of_parameters, at_representation);
    let end = select(of_parameters, GRAM_SHARES, at_representation);
    for (var entry = lane; entry < entries; entry += LANES) {
        var sum: LongSum;
        for (var share = first; share < end; share++) {
            add_term(&sum, gram_shares[(seat * GRAM_SHARES + share) * entries + entry]);
        }
        found[found_at(2u, entry)] = sum_of(sum);
    }
}

// Whether the scheme knows what to do with these losses.
fn losses_are_good() -> bool {
    for (var k = 0u; k < task_count(); k++) {
        let loss = loss_of(k);
        if is_labelled(k) && (!is_finite(loss) || (loss < 0.0 && needs_positive_losses())) {
            return false;
        }
    }
    return true;
}

fn weights_are_finite() -> bool {
    for (var k = 0u; k < task_count(); k++) {
        if !is_finite(weight_of(k)) {
            return false;
        }
    }
    return true;
}

// Without weights the step is not made.
fn find_weights() {
    if !losses_are_good() {
        mark_stop(LOSS_STOP);
        return;
    }
    if PHASE == WEIGH {
        weigh_step();
    } else if !combine_gradients() {
        mark_stop(LOSS_STOP);
        return;
    }
    if !weights_are_finite() {
        mark_stop(LOSS_STOP);
        return;
    }
    for (var k = 0u; k < task_count(); k++) {
        state[member.sigma + k] = weight_of(k);
    }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    take_seat(workgroup);
    if PHASE != AFTER {
        add_up_losses(lane);
    }
    if PHASE == COMBINE {
        add_up_products(lane);
    }
    storageBarrier();
    if lane != 0u || has_stopped() {
        return;
    }
    switch PHASE {
        case WEIGH: {
            if weighs_first() {
                find_weights();
            }
        }
        case COMBINE: {
            if combines_gradients() {
                find_weights();
            }
        }
        case AFTER: {
            if is_finite(records[record_slot(task_count())]) {
                after_step();
            }
        }
        default: {
            follow_step();
        }
    }
}
