// The last kernel of a step: applies Adam to every parameter, sigma included, unless training has stopped.
//
// A step stops training of its member when its total is not finite: from then on nothing is updated, so the parameters from
// before it survive. The first such step is kept in `stop`, by atomics, since every workgroup asks.
// Rust twins: `engine::device::infos::OptimizerInfo`, `engine::device::workspace::Workspace`.

// The kernels keep such sizes in storage, not in uniforms: Mesa's llvmpipe unrolls loops whose bounds are uniforms,
// and compiles the kernel anew at every dispatch to do so.
struct Optimizer {
    parameters: u32,        // of the network; sigma (the weighting's parameter) follows them
    gradient_shares: u32,
    loss_shares: u32,
    norms: u32,             // sums of the gradient's squares, where it is clipped
    network: Group,
    sigma: Group,
    least_sigma: f32,       // the floor under the weighting's parameter; the least f32 where it has none
    held: u32,              // a bit for each of the first 32 tasks: 1 where the weighting's parameter stays as it is
    settings: vec4<f32>,
    scheme: u32,            // the weighting's place in `weighting::SCHEMES`
}

// `stop`, two a member: the first step whose loss, and the first whose gradient, was not finite; NEVER until then.
const LOSS_STOP = 0u;
const GRADIENT_STOP = 1u;

fn mark_stop(why: u32) {
    atomicMin(&stop[2u * member.number + why], step.number);
}

// Whether an earlier step stopped training, or a dispatch before this one of the same step, for its losses. Comparing with <
// keeps what other workgroups find of this step's gradient out, so that all decide alike; where one of them stops training for the
// total, none updates anything.
fn has_stopped() -> bool {
    let at = 2u * member.number;
    return atomicLoad(&stop[at + LOSS_STOP]) <= step.number || atomicLoad(&stop[at + GRADIENT_STOP]) < step.number;
}

// The hyper-parameters of one parameter's update.
struct Update {
    group: Group,
    learning_rate: f32,
    step_size: f32,
    root_correction: f32,
}

fn apply_to_network(group: Group, i: u32, gradient: f32) {
    let update = Update(group, member.learning_rate, member.step_size, member.root_correction);
    _ = apply(update, i, gradient);
}

// Sigma's own bias corrections count the steps in which its task had a label: 1 - beta^n by the
// moments' own recurrence, which neither cancels nor drifts.
fn apply_to_sigma(group: Group, least: f32, held: u32, k: u32, gradient: f32) {
    if is_held(held, k) {
        return;
    }
    let of_network = member.sigma - member.state;
    let first = member.state + 3u * member.all + k;
    let second = first + member.all - of_network;
    let correction1 = group.beta1 * state[first] + group.rest1;
    let correction2 = group.beta2 * state[second] + group.rest2;
    let rate = member.sigma_learning_rate;
    let update = Update(group, rate, rate / correction1, sqrt(correction2));
    if apply(update, of_network + k, gradient) {
        state[member.sigma + k] = max(state[member.sigma + k], least);
        state[first] = correction1;
        state[second] = correction2;
    }
}

// Updates a parameter and returns true, or leaves it and its moments as they are and stops training after this step
// if any of the three would not be finite.
//
// `state` is, member by member, [parameters, sigma | first moments | second moments | 1 - beta1^n | 1 - beta2^n | memory], the
// moments of the network's parameters and of sigma, the last three of the tasks alone (weighting/tasks.wgsl).
fn apply(update: Update, i: u32, gradient: f32) -> bool {
    let at = member.state + i;
    let first = at + member.all;
    let second = first + member.all;
    let updated = adam(
        update.group, state[at], gradient, state[first], state[second],
        update.learning_rate, update.step_size, update.root_correction,
    );
    if is_finite(updated.parameter) && is_finite(updated.first) && is_finite(updated.second) {
        state[at] = updated.parameter;
        state[first] = updated.first;
        state[second] = updated.second;
        return true;
    }
    mark_stop(GRADIENT_STOP);
    return false;
}
