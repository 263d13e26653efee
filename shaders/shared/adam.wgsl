// One Adam update. Kingma & Ba 2015, algorithm 1, with L2 weight decay, or decoupled (AdamW, Loshchilov &
// Hutter 2019), in PyTorch's order of operations. Rust twin: `optimizer::Group::update`.

struct Group {
    beta1: f32,
    beta2: f32,
    // 1 - beta, rounded once from f64: in f32 the difference would lose digits.
    rest1: f32,
    rest2: f32,
    epsilon: f32,
    weight_decay: f32,
    decoupled: u32,
}

struct Updated {
    parameter: f32,
    first: f32,
    second: f32,
}

// step_size = learning rate / (1 - beta1^t), root_correction = sqrt(1 - beta2^t)
fn adam(
    group: Group, parameter: f32, gradient: f32, first: f32, second: f32,
    learning_rate: f32, step_size: f32, root_correction: f32,
) -> Updated {
    var start = parameter;
    var slope = gradient;
    if group.decoupled == 1u {
        start -= learning_rate * group.weight_decay * parameter;
    } else {
        slope += group.weight_decay * parameter;
    }
    var updated: Updated;
    updated.first = group.beta1 * first + group.rest1 * slope;
    updated.second = group.beta2 * second + group.rest2 * slope * slope;
    let denominator = sqrt(updated.second) / root_correction + group.epsilon;
    updated.parameter = start - step_size * updated.first / denominator;
    return updated;
}

// Whether the weighting's parameter of task k stays as it is; `held` has a bit for each of the first 32 tasks.
fn is_held(held: u32, k: u32) -> bool {
    return k < 32u && ((held >> k) & 1u) == 1u;
}
