// How far Adam by itself has come, kept on the GPU: the steps that were made, the bias corrections of the network's group, and whether
// something that was not finite has stopped it. The host writes `factor` alone, and only when asked to. Rust twin: `optimizer::pass::clock`.

struct Clock {
    steps: u32,
    correction1: f32,       // 1 - beta1^steps
    correction2: f32,       // 1 - beta2^steps
    factor: f32,            // on all learning rates
    stopped: u32,           // why nothing is updated any more; RUNS while it is
    first: atomic<u32>,     // the first parameter, or task, that an update would have left without a finite number
}

const RUNS = 0u;
const BY_TOTAL = 1u;
const BY_SIGMA = 2u;
const BY_PARAMETER = 3u;
const NOWHERE = 0xffffffffu;

// 1 - beta^n after 1 - beta^(n-1), by the moments' own recurrence, which neither cancels nor drifts.
fn advanced(group: Group, corrections: vec2<f32>) -> vec2<f32> {
    return vec2(group.beta1, group.beta2) * corrections + vec2(group.rest1, group.rest2);
}

fn updated_by(
    group: Group, parameter: f32, gradient: f32, first: f32, second: f32, learning_rate: f32, corrections: vec2<f32>,
) -> Updated {
    return adam(
        group, parameter, gradient, first, second,
        learning_rate, learning_rate / corrections.x, sqrt(corrections.y),
    );
}

fn is_all_finite(updated: Updated) -> bool {
    return is_finite(updated.parameter) && is_finite(updated.first) && is_finite(updated.second);
}
