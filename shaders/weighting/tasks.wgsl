// What the functions of a scheme work on, which lie beside this file, one lane a member. Rust twins: `weighting::TaskStep`,
// `weighting::Moment`.
//
// The kernel has: loss_of(k), the mean loss of task k before the step; is_labelled(k), whether the batch had a label of it;
// weight_of(k) and set_weight(k, weight); and, for what follows the step, then_of(k), the loss after it.

const MEMORY = 4u;
const LEAST_LOSS = 1e-8;

// From storage, see shared/optimizer.wgsl.
fn task_count() -> u32 {
    return member.all - optimizers[member.number].parameters;
}

fn memory_at(k: u32, i: u32) -> u32 {
    return member.state + 3u * member.all + 2u * task_count() + MEMORY * k + i;
}

fn memory_of(k: u32, i: u32) -> f32 {
    return state[memory_at(k, i)];
}

fn set_memory(k: u32, i: u32, value: f32) {
    state[memory_at(k, i)] = value;
}

fn setting(i: u32) -> f32 {
    return optimizers[member.number].settings[i];
}

fn positive_loss(k: u32) -> f32 {
    return max(loss_of(k), LEAST_LOSS);
}

// Replaces the scores that stand as the weights by `total` times their softmax: of all tasks, or of those with a label, the others
// getting 0.
fn weights_to_softmax(total: f32, of_all: bool) {
    let tasks = task_count();
    var highest = -3.4028234663852886e38;
    for (var k = 0u; k < tasks; k++) {
        if of_all || is_labelled(k) {
            highest = max(highest, weight_of(k));
        }
    }
    var sum = 0.0;
    for (var k = 0u; k < tasks; k++) {
        var power = 0.0;
        if of_all || is_labelled(k) {
            power = exp(weight_of(k) - highest);
        }
        set_weight(k, power);
        sum += power;
    }
    for (var k = 0u; k < tasks; k++) {
        set_weight(k, select(0.0, total * weight_of(k) / sum, sum > 0.0));
    }
}
