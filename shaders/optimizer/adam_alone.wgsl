// Adam by itself, on a caller's own buffers: one update of each parameter.
//
// A step is all or nothing. Before it, with CHECKS, the same update is worked out and only looked at; `adam_sigma` then makes the step,
// or stops. That reads everything twice, and spares who calls it half a step taken by a gradient with a NaN in it.
//
// One invocation a parameter.
// Reads:            settings, gradient [parameters]
// Reads and writes: parameters, first and second moments [parameters each]; the clock, with CHECKS only its `first`

override CHECKS: bool = false;

struct Settings {
    group: Group,
    learning_rate: f32,
    parameters: u32,
    parameters_at: u32,     // where the first of them lies in its binding, whose start is aligned
    gradient_at: u32,
    number: u32,            // of the first parameter among those of all buffers
}

@group(0) @binding(0) var<storage, read> settings: Settings;
@group(0) @binding(1) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(2) var<storage, read_write> first: array<f32>;
@group(0) @binding(3) var<storage, read_write> second: array<f32>;
@group(0) @binding(4) var<storage, read> gradient: array<f32>;
@group(0) @binding(5) var<storage, read_write> clock: Clock;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = unfolded(workgroup, workgroups) * LANES + lane;
    if i >= settings.parameters || clock.stopped != RUNS {
        return;
    }
    // The clock goes on between the two.
    var corrections = vec2(clock.correction1, clock.correction2);
    if CHECKS {
        corrections = advanced(settings.group, corrections);
    }
    let at = settings.parameters_at + i;
    let updated = updated_by(
        settings.group, parameters[at], gradient[settings.gradient_at + i], first[i], second[i],
        settings.learning_rate * clock.factor, corrections,
    );
    if !CHECKS {
        parameters[at] = updated.parameter;
        first[i] = updated.first;
        second[i] = updated.second;
    } else if !is_all_finite(updated) {
        atomicMin(&clock.first, settings.number + i);
    }
}
