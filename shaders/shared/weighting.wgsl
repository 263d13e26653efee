// The weighting schemes. `parameter` is what is learned of sigma, or the weight where that is given.
// Rust twins: `weighting::Weighting`, `weighting::awl::SigmaForm`.
//
// Automatic weighted loss: total = sum over tasks of 0.5/sigma^2 L + ln(1 + sigma^2), where the parameter is sigma, or
// ln sigma^2, which `Optimizer` keeps above a floor (shared/optimizer.wgsl).

const FIXED = 0u;
const AWL = 1u;
const AWL_LOG = 2u;

// d total / d L
fn task_weight(scheme: u32, parameter: f32) -> f32 {
    if scheme == AWL {
        return 0.5 / (parameter * parameter);
    }
    if scheme == AWL_LOG {
        return 0.5 * exp(-parameter);
    }
    return parameter;
}

// What the task adds to the total beside its weighted loss.
fn regulariser(scheme: u32, parameter: f32) -> f32 {
    if scheme == AWL {
        return ln_1p(parameter * parameter);
    }
    if scheme == AWL_LOG {
        return max(parameter, 0.0) + ln_1p(exp(-abs(parameter)));
    }
    return 0.0;
}

// d total / d parameter = gradient_at_zero + L gradient_per_loss: linear in the loss, so that shares of it add up.
fn gradient_at_zero(scheme: u32, parameter: f32) -> f32 {
    if scheme == AWL {
        return 2.0 * parameter / (1.0 + parameter * parameter);
    }
    if scheme == AWL_LOG {
        return sigmoid(parameter);
    }
    return 0.0;
}

fn gradient_per_loss(scheme: u32, parameter: f32) -> f32 {
    if scheme == AWL {
        return -1.0 / (parameter * parameter * parameter);
    }
    if scheme == AWL_LOG {
        return -0.5 * exp(-parameter);
    }
    return 0.0;
}
