// Between the two halves of Adam by itself (adam_alone): decides whether the step is made, moves the clock on, and applies Adam to the
// sigma of a loss pass, where there is one.
//
// A task without a label keeps its sigma and its moments. So each has bias corrections of its own, which count the steps in which it
// had one, as in shared/optimizer.wgsl.
//
// One workgroup, a lane a task.
// Reads:            settings, results of the loss pass (total, losses, weights, sigma gradients), normalisers [tasks]
// Reads and writes: sigma [tasks], moments: [first | second | 1 - beta1^n | 1 - beta2^n] of [tasks] each, the clock

struct Settings {
    network: Group,
    sigma: Group,
    learning_rate: f32,
    least: f32,             // the floor under sigma; the least f32 where it has none
    tasks: u32,             // 0 without a loss pass
    held: u32,
}

@group(0) @binding(0) var<storage, read> settings: Settings;
@group(0) @binding(1) var<storage, read_write> sigma: array<f32>;
@group(0) @binding(2) var<storage, read_write> moments: array<f32>;
@group(0) @binding(3) var<storage, read> results: array<f32>;
@group(0) @binding(4) var<storage, read> normalisers: array<f32>;
@group(0) @binding(5) var<storage, read_write> clock: Clock;

// Why the step is not made, as far as lane 0 knows before any sigma was looked at; and the first task whose sigma stops it.
var<workgroup> stopped: u32;
var<workgroup> first_task: atomic<u32>;

fn learns(k: u32) -> bool {
    return (normalisers[k] > 0.0) && !is_held(settings.held, k);
}

fn corrections_of(k: u32) -> vec2<f32> {
    let tasks = settings.tasks;
    return advanced(settings.sigma, vec2(moments[2u * tasks + k], moments[3u * tasks + k]));
}

fn updated_sigma(k: u32) -> Updated {
    let tasks = settings.tasks;
    return updated_by(
        settings.sigma, sigma[k], results[1u + 2u * tasks + k], moments[k], moments[tasks + k],
        settings.learning_rate * clock.factor, corrections_of(k),
    );
}

fn apply_to_sigma(k: u32) {
    let tasks = settings.tasks;
    let updated = updated_sigma(k);
    let corrections = corrections_of(k);
    sigma[k] = max(updated.parameter, settings.least);
    moments[k] = updated.first;
    moments[tasks + k] = updated.second;
    moments[2u * tasks + k] = corrections.x;
    moments[3u * tasks + k] = corrections.y;
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
    if lane == 0u {
        atomicStore(&first_task, NOWHERE);
        stopped = clock.stopped;
        if (stopped == RUNS) && !is_finite(results[0]) {
            stopped = BY_TOTAL;
        } else if (stopped == RUNS) && (atomicLoad(&clock.first) != NOWHERE) {
            stopped = BY_PARAMETER;
        }
    }
    workgroupBarrier();
    for (var k = lane; k < settings.tasks; k += LANES) {
        if learns(k) && !is_all_finite(updated_sigma(k)) {
            atomicMin(&first_task, k);
        }
    }
    workgroupBarrier();
    let task = atomicLoad(&first_task);
    let is_made = (stopped == RUNS) && (task == NOWHERE);
    if is_made {
        for (var k = lane; k < settings.tasks; k += LANES) {
            if learns(k) {
                apply_to_sigma(k);
            }
        }
    }
    if lane == 0u {
        if is_made {
            let corrections = advanced(settings.network, vec2(clock.correction1, clock.correction2));
            clock.steps += 1u;
            clock.correction1 = corrections.x;
            clock.correction2 = corrections.y;
        } else if stopped == RUNS {
            clock.stopped = BY_SIGMA;
            atomicStore(&clock.first, task);
        } else {
            clock.stopped = stopped;
        }
    }
}
