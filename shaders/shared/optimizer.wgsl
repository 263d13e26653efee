// The last kernel of a step: applies Adam to every parameter, sigma included, unless training has stopped.
//
// A step stops training when its total is not finite: from then on nothing is updated, so the parameters from
// before it survive. The first such step is kept in `stop`, by atomics, since every workgroup asks.
// Rust twins: `engine::gpu::OptimizerInfo`, `engine::gpu::Resident`.

struct Optimizer {
    parameters: u32,        // of the network; sigma follows them
    gradient_shares: u32,
    loss_shares: u32,
    scheme: u32,
    @align(16) network: Group,
    @align(16) sigma: Group,
}

// `stop`: the first step whose loss, and the first whose gradient, was not finite; NEVER until then.
const LOSS_STOP = 0u;
const GRADIENT_STOP = 1u;

// Whether an earlier step stopped training. Comparing with < keeps this step's own findings out, so
// that all workgroups decide alike.
fn has_stopped() -> bool {
    return min(atomicLoad(&stop[LOSS_STOP]), atomicLoad(&stop[GRADIENT_STOP])) < step.number;
}

// `moments` is [first moments | second moments | 1 - beta1^n | 1 - beta2^n], the first two of the
// network's parameters and sigma, the last two of sigma alone.
fn apply(group: Group, i: u32, gradient: f32, learning_rate: f32, step_size: f32, root_correction: f32) {
    let second = arrayLength(&parameters) + i;
    let updated = adam(
        group, parameters[i], gradient, moments[i], moments[second],
        learning_rate, step_size, root_correction,
    );
    if !is_finite(updated.second) {
        atomicMin(&stop[GRADIENT_STOP], step.number);
        return;
    }
    parameters[i] = updated.parameter;
    moments[i] = updated.first;
    moments[second] = updated.second;
}

fn update_network(i: u32, gradient: f32) {
    apply(optimizer.network, i, gradient, step.learning_rate, step.step_size, step.root_correction);
}

// Sigma's own bias corrections count the steps in which its task had a label: 1 - beta^n by the
// moments' own recurrence, which neither cancels nor drifts.
fn update_sigma(k: u32, gradient: f32) {
    let tasks = arrayLength(&parameters) - optimizer.parameters;
    let first = 2u * arrayLength(&parameters) + k;
    let second = first + tasks;
    moments[first] = optimizer.sigma.beta1 * moments[first] + optimizer.sigma.rest1;
    moments[second] = optimizer.sigma.beta2 * moments[second] + optimizer.sigma.rest2;
    let rate = step.sigma_learning_rate;
    apply(
        optimizer.sigma, optimizer.parameters + k, gradient,
        rate, rate / moments[first], sqrt(moments[second]),
    );
}
