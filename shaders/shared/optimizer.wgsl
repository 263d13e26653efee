// The last kernel of a step: applies Adam to every parameter, sigma included, unless training has stopped.
//
// A step stops training when its total is not finite: from then on nothing is updated, so the parameters from
// before it survive. The first such step is kept in `stop`, by atomics, since every workgroup asks.
// Rust twins: `engine::gpu::OptimizerInfo`, `engine::gpu::Resident`.

// The kernels keep such sizes in storage, not in uniforms: Mesa's llvmpipe unrolls loops whose bounds are uniforms,
// and compiles the kernel anew at every dispatch to do so.
struct Optimizer {
    parameters: u32,        // of the network; sigma follows them
    gradient_shares: u32,
    loss_shares: u32,
    network: Group,
    sigma: Group,
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

fn network_update() -> Update {
    return Update(optimizer.network, step.learning_rate, step.step_size, step.root_correction);
}

// Sigma's own bias corrections count the steps in which its task had a label: 1 - beta^n by the
// moments' own recurrence, which neither cancels nor drifts.
fn sigma_update(k: u32) -> Update {
    let tasks = arrayLength(&parameters) - optimizer.parameters;
    let first = 2u * arrayLength(&parameters) + k;
    let second = first + tasks;
    moments[first] = optimizer.sigma.beta1 * moments[first] + optimizer.sigma.rest1;
    moments[second] = optimizer.sigma.beta2 * moments[second] + optimizer.sigma.rest2;
    let rate = step.sigma_learning_rate;
    return Update(optimizer.sigma, rate, rate / moments[first], sqrt(moments[second]));
}

// `moments` is [first moments | second moments | 1 - beta1^n | 1 - beta2^n], the first two of the
// network's parameters and sigma, the last two of sigma alone.
fn apply(update: Update, i: u32, gradient: f32) {
    let second = arrayLength(&parameters) + i;
    let updated = adam(
        update.group, parameters[i], gradient, moments[i], moments[second],
        update.learning_rate, update.step_size, update.root_correction,
    );
    if is_finite(updated.second) {
        parameters[i] = updated.parameter;
        moments[i] = updated.first;
        moments[second] = updated.second;
    } else {
        atomicMin(&stop[GRADIENT_STOP], step.number);
    }
}
