// Whole training steps of a small network, as many as the host asks for, in one dispatch of LANES lanes: parameters,
// moments and gradients stay in registers from the first step to the last. For software adapters, where a dispatch
// costs as much as such a step, and for networks whose parameters a core's first cache holds (programs::small).
//
// Lane = unit of a layer, LANES at a time (layer.wgsl), or column of the predictions (task.wgsl); tile.wgsl puts them
// together, and run.wgsl makes steps of it. `programs::small` makes those files for a network; what lies here is the same
// for all.
// Reads:  features, labels, tasks, order, normalisers [batches, tasks], optimizer, steps
// Writes: parameters, moments (shared/optimizer.wgsl), records (shared/records.wgsl), stop

// A step as the host writes it: 256 bytes, so that one can also be bound by itself.
struct Slot {
    step: Step,
    padding: array<vec4<u32>, 12>,
}

@group(0) @binding(0) var<storage, read> features: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> tasks: array<Task>;
@group(0) @binding(3) var<storage, read> order: array<u32>;
@group(0) @binding(4) var<storage, read> normalisers: array<f32>;
@group(0) @binding(5) var<storage, read> optimizer: Optimizer;
@group(0) @binding(6) var<storage, read> steps: array<Slot>;
@group(0) @binding(7) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(8) var<storage, read_write> moments: array<f32>;
@group(0) @binding(9) var<storage, read_write> records: array<f32>;
@group(0) @binding(10) var<storage, read_write> stop: array<atomic<u32>, 2>;
@group(1) @binding(0) var<uniform> first_step: Step;

// The step that is being made.
var<private> step: Step;

// Lane k's sigma with all that Adam knows of it.
struct Sigma {
    value: f32,
    first: f32,
    second: f32,
    correction1: f32,
    correction2: f32,
}

fn load_sigma(lane: u32) -> Sigma {
    let k = min(lane, TASKS - 1u);
    let all = arrayLength(&parameters);
    let at = PARAMETERS + k;
    return Sigma(parameters[at], moments[at], moments[all + at], moments[2u * all + k], moments[2u * all + TASKS + k]);
}

fn store_sigma(lane: u32, sigma: Sigma) {
    if lane < TASKS {
        let all = arrayLength(&parameters);
        let at = PARAMETERS + lane;
        parameters[at] = sigma.value;
        moments[at] = sigma.first;
        moments[all + at] = sigma.second;
        moments[2u * all + lane] = sigma.correction1;
        moments[2u * all + TASKS + lane] = sigma.correction2;
    }
}

// apply_to_sigma of shared/optimizer.wgsl, in registers.
fn updated_sigma(sigma: Sigma, gradient: f32) -> Sigma {
    let group = optimizer.sigma;
    let correction1 = group.beta1 * sigma.correction1 + group.rest1;
    let correction2 = group.beta2 * sigma.correction2 + group.rest2;
    let rate = step.sigma_learning_rate;
    let updated = adam(
        group, sigma.value, gradient, sigma.first, sigma.second, rate, rate / correction1, sqrt(correction2),
    );
    return Sigma(updated.parameter, updated.first, updated.second, correction1, correction2);
}

fn is_sound(sigma: Sigma) -> bool {
    return is_finite(sigma.value) && is_finite(sigma.first) && is_finite(sigma.second);
}

// A sound sigma that went below its floor ends there.
fn held(sigma: Sigma) -> Sigma {
    var held = sigma;
    held.value = max(sigma.value, optimizer.least_sigma);
    return held;
}

fn record_task(k: u32, loss: f32, weight: f32, sigma: f32, normaliser: f32) {
    records[record_at(TASKS, k, RECORD_LOSS)] = loss;
    records[record_at(TASKS, k, RECORD_WEIGHT)] = weight;
    records[record_at(TASKS, k, RECORD_SIGMA)] = sigma;
    records[record_at(TASKS, k, RECORD_NORMALISER)] = normaliser;
}
