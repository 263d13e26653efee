// How a task's parameter becomes its weight, by the form that its scheme has. `parameter` is what is learned, or the weight itself
// where no optimizer learns it: where it is given, or a scheme finds it (weighting/). Rust twins: `weighting::Form`,
// `weighting::awl::SigmaForm`, `weighting::uncertainty`.
//
// Kendall's uncertainty: 0.5 e^-s L + 0.5 s. IMTL-L: e^s L - s.
//
// Automatic weighted loss: total = sum over tasks of 0.5/sigma^2 L + ln(1 + sigma^2), where the parameter is sigma, or
// ln sigma^2, which `Optimizer` keeps above a floor (shared/optimizer.wgsl).

const FIXED = 0u;
const AWL = 1u;
const AWL_LOG = 2u;
const UNCERTAINTY = 3u;
const IMTL_L = 4u;
// The weight of the shared layers' gradient alone (gram/scale.wgsl).
const OF_TRUNK = 5u;

// Whether the optimizer learns the parameter.
fn is_learned(scheme: u32) -> bool {
    return scheme != FIXED && scheme != OF_TRUNK;
}

// d total / d L
fn task_weight(scheme: u32, parameter: f32) -> f32 {
    if scheme == AWL {
        return 0.5 / (parameter * parameter);
    }
    if scheme == AWL_LOG || scheme == UNCERTAINTY {
        return 0.5 * exp(-parameter);
    }
    if scheme == IMTL_L {
        return exp(parameter);
    }
    if scheme == OF_TRUNK {
        return 1.0;
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
    if scheme == UNCERTAINTY {
        return 0.5 * parameter;
    }
    if scheme == IMTL_L {
        return -parameter;
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
    if scheme == UNCERTAINTY {
        return 0.5;
    }
    if scheme == IMTL_L {
        return -1.0;
    }
    return 0.0;
}

fn gradient_per_loss(scheme: u32, parameter: f32) -> f32 {
    if scheme == AWL {
        return -1.0 / (parameter * parameter * parameter);
    }
    if scheme == AWL_LOG || scheme == UNCERTAINTY {
        return -0.5 * exp(-parameter);
    }
    if scheme == IMTL_L {
        return exp(parameter);
    }
    return 0.0;
}
