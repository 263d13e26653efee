// The weighting schemes. `parameter` is sigma where the weight is learned, the weight where it is given.
// Rust twin: `weighting::Weighting`.
//
// Automatic weighted loss: total = sum over tasks of 0.5/sigma^2 L + ln(1 + sigma^2).

const FIXED = 0u;
const AWL = 1u;
override SCHEME: u32 = AWL;

// d total / d L
fn task_weight(parameter: f32) -> f32 {
    if SCHEME == AWL {
        return 0.5 / (parameter * parameter);
    }
    return parameter;
}

// What the task adds to the total beside its weighted loss.
fn regulariser(parameter: f32) -> f32 {
    if SCHEME == AWL {
        return ln_1p(parameter * parameter);
    }
    return 0.0;
}

// d total / d parameter = gradient_at_zero + L gradient_per_loss: linear in the loss, so that shares of it add up.
fn gradient_at_zero(parameter: f32) -> f32 {
    if SCHEME == AWL {
        return 2.0 * parameter / (1.0 + parameter * parameter);
    }
    return 0.0;
}

fn gradient_per_loss(parameter: f32) -> f32 {
    if SCHEME == AWL {
        return -1.0 / (parameter * parameter * parameter);
    }
    return 0.0;
}
