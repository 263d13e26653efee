// The last kernel of a step: applies Adam to every parameter, sigma included, unless training has stopped.
//
// A step stops training when its total is not finite: from then on nothing is updated, so the parameters from
// before it survive. The first such step is kept in `stop`, by atomics, since every workgroup asks.
// Rust twins: `engine::device::infos::OptimizerInfo`, `engine::device::resident::Resident`.

// The kernels keep such sizes in storage, not in uniforms: Mesa's llvmpipe unrolls loops whose bounds are uniforms,
// and compiles the kernel anew at every dispatch to do so.
struct Optimizer {
    parameters: u32,        // of the network; sigma (the weighting's parameter) follows them
    gradient_shares: u32,
    loss_shares: u32,
    network: Group,
    sigma: Group,
    least_sigma: f32,       // the floor under the weighting's parameter; the least f32 where it has none
}

// `stop`: the first step whose loss, and the first whose gradient, was not finite; NEVER until then.
const LOSS_STOP = 0u;
const GRADIENT_STOP = 1u;

// Whether an earlier step stopped training. Comparing with < keeps this step's own findings out, so
// that all workgroups decide alike.
fn has_stopped() -> bool {
    return min(atomicLoad(&stop[LOSS_STOP]), atomicLoad(&stop[GRADIENT_STOP])) < step.number;
}

// The hyper-parameters of one parameter's update.
struct Update {
    group: Group,
    learning_rate: f32,
    step_size: f32,
    root_correction: f32,
}

fn apply_to_network(group: Group, i: u32, gradient: f32) {
    let update = Update(group, step.learning_rate, step.step_size, step.root_correction);
    _ = apply(update, i, gradient);
}

// Sigma's own bias corrections count the steps in which its task had a label: 1 - beta^n by the
// moments' own recurrence, which neither cancels nor drifts.
fn apply_to_sigma(k: u32, gradient: f32) {
    let tasks = arrayLength(&parameters) - optimizer.parameters;
    let first = 2u * arrayLength(&parameters) + k;
    let second = first + tasks;
    let correction1 = optimizer.sigma.beta1 * moments[first] + optimizer.sigma.rest1;
    let correction2 = optimizer.sigma.beta2 * moments[second] + optimizer.sigma.rest2;
    let rate = step.sigma_learning_rate;
    let update = Update(optimizer.sigma, rate, rate / correction1, sqrt(correction2));
    let at = optimizer.parameters + k;
    if apply(update, at, gradient) {
        parameters[at] = max(parameters[at], optimizer.least_sigma);
        moments[first] = correction1;
        moments[second] = correction2;
    }
}

// Updates a parameter and returns true, or leaves it and its moments as they are and stops training after this step
// if any of the three would not be finite.
//
// `moments` is [first moments | second moments | 1 - beta1^n | 1 - beta2^n], the first two of the
// network's parameters and sigma, the last two of sigma alone.
fn apply(update: Update, i: u32, gradient: f32) -> bool {
    let second = arrayLength(&parameters) + i;
    let updated = adam(
        update.group, parameters[i], gradient, moments[i], moments[second],
        update.learning_rate, update.step_size, update.root_correction,
    );
    if is_finite(updated.parameter) && is_finite(updated.first) && is_finite(updated.second) {
        parameters[i] = updated.parameter;
        moments[i] = updated.first;
        moments[second] = updated.second;
        return true;
    }
    atomicMin(&stop[GRADIENT_STOP], step.number);
    return false;
}
