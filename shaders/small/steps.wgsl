// Whole training steps of small networks, as many as the host asks for, in one dispatch of LANES lanes a network: parameters,
// moments and gradients stay in registers from the first step to the last. For software adapters, where a dispatch
// costs as much as such a step, and for networks whose parameters a core's first cache holds (programs::small).
//
// Lane = unit of a layer, LANES at a time (layer.wgsl), or column of the predictions (task.wgsl); tile.wgsl puts them
// together, and `main` makes steps of it.
//
// Reads:  features, labels, tasks, order, normalisers [members, batches, tasks], optimizers, steps
// Writes: state (shared/optimizer.wgsl), records (shared/records.wgsl), stop

const STEPS_A_DISPATCH = {{ steps_a_dispatch }}u;

// A step as the host writes it: 256 bytes, so that one can also be bound by itself.
struct Slot {
    step: Step,
    padding: array<vec4<u32>, 14>,
}

@group(0) @binding(0) var<storage, read> features: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> tasks: array<Task>;
@group(0) @binding(3) var<storage, read> order: array<u32>;
@group(0) @binding(4) var<storage, read> normalisers: array<f32>;
@group(0) @binding(5) var<storage, read> optimizers: array<Optimizer>;
@group(0) @binding(6) var<storage, read> steps: array<Slot>;
@group(0) @binding(7) var<storage, read> members_of_steps: array<Member>;
@group(0) @binding(8) var<storage, read_write> state: array<f32>;
@group(0) @binding(9) var<storage, read_write> records: array<f32>;
@group(0) @binding(10) var<storage, read_write> stop: array<atomic<u32>>;
@group(1) @binding(0) var<uniform> first_step: Step;
@group(2) @binding(0) var<uniform> first_members: array<Member, MOST_MEMBERS>;

// The step that is being made, and what it is for the workgroup's member.
var<private> step: Step;
var<private> member: Member;

// Takes up a step of the submission.
fn take_up(slot: u32, seat: u32) {
    let stride = (first_step.seats + 3u) / 4u * 4u; // in slots of 256 bytes
    step = steps[slot].step;
    member = members_of_steps[slot * stride + seat];
}

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
    let all = member.all;
    let at = member.sigma + k;
    let corrections = member.state + 3u * all + k;
    return Sigma(state[at], state[all + at], state[2u * all + at], state[corrections], state[corrections + TASKS]);
}

fn store_sigma(lane: u32, sigma: Sigma) {
    if lane < TASKS {
        let all = member.all;
        let at = member.sigma + lane;
        let corrections = member.state + 3u * all + lane;
        state[at] = sigma.value;
        state[all + at] = sigma.first;
        state[2u * all + at] = sigma.second;
        state[corrections] = sigma.correction1;
        state[corrections + TASKS] = sigma.correction2;
    }
}

// apply_to_sigma of shared/optimizer.wgsl, in registers.
fn updated_sigma(group: Group, sigma: Sigma, gradient: f32) -> Sigma {
    let correction1 = group.beta1 * sigma.correction1 + group.rest1;
    let correction2 = group.beta2 * sigma.correction2 + group.rest2;
    let rate = member.sigma_learning_rate;
    let updated = adam(
        group, sigma.value, gradient, sigma.first, sigma.second, rate, rate / correction1, sqrt(correction2),
    );
    return Sigma(updated.parameter, updated.first, updated.second, correction1, correction2);
}

fn is_sound(sigma: Sigma) -> bool {
    return is_finite(sigma.value) && is_finite(sigma.first) && is_finite(sigma.second);
}

// A sound sigma that went below its floor ends there.
fn above_floor(sigma: Sigma, least: f32) -> Sigma {
    var raised = sigma;
    raised.value = max(sigma.value, least);
    return raised;
}

fn record_task(k: u32, loss: f32, weight: f32, sigma: f32, normaliser: f32) {
    records[record_at(TASKS, k, RECORD_LOSS)] = loss;
    records[record_at(TASKS, k, RECORD_WEIGHT)] = weight;
    records[record_at(TASKS, k, RECORD_SIGMA)] = sigma;
    records[record_at(TASKS, k, RECORD_NORMALISER)] = normaliser;
}

{% include "small/tile" %}

{% for layer in layers -%}
{% include "small/layer_state" %}

{% endfor -%}
{% set each_layer = range(layers | length) -%}
{% set each_task = range(tasks | length) -%}
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
    member = first_members[workgroup.z];
    let optimizer = optimizers[member.number];
    {% for k in each_task %}let task_{{ k }} = tasks[TASK_{{ k }}]; {% endfor %}
    var sigma = load_sigma(lane);
    {% for n in each_layer %}var weights_{{ n }}: Parameters_{{ n }}; {% endfor %}
    {% for n in each_layer %}var first_{{ n }}: Parameters_{{ n }}; {% endfor %}
    {% for n in each_layer %}var second_{{ n }}: Parameters_{{ n }}; {% endfor %}
    {% for n in each_layer %}var gradient_{{ n }}: Parameters_{{ n }}; {% endfor %}
    {% for n in each_layer %}var transposed_{{ n }}: Transposed_{{ n }}; {% endfor %}
    {% for n in each_layer %}load_{{ n }}(lane, &weights_{{ n }}, &first_{{ n }}, &second_{{ n }}); {% endfor %}
    step = first_step;
    var stopped = has_stopped();
    let end = first_step.slot + min(first_step.run, STEPS_A_DISPATCH);
    for (var slot = first_step.slot; slot < end; slot++) {
        take_up(slot, workgroup.z);
        {% for n in each_layer %}transpose_{{ n }}(lane, &weights_{{ n }}, &transposed_{{ n }}); {% endfor %}
        {% for n in each_layer %}clear_{{ n }}(&gradient_{{ n }}); {% endfor %}
        {% for k in each_task %}let sigma_{{ k }} = subgroupShuffle(sigma.value, TASK_{{ k }}); {% endfor %}
        {% for k in each_task %}let weight_{{ k }} = task_weight(member.scheme, sigma_{{ k }}); {% endfor %}
        {% for k in each_task %}let normaliser_{{ k }} = normalisers[member.batch * TASKS + TASK_{{ k }}]; {% endfor %}
        {%- for k in each_task %}
        let inverse_{{ k }} = select(0.0, 1.0 / normaliser_{{ k }}, normaliser_{{ k }} > 0.0);
        {%- endfor %}
        {% for k in each_task %}let scale_{{ k }} = weight_{{ k }} * inverse_{{ k }}; {% endfor %}
        {% for k in each_task %}var sums_{{ k }} = LongSum(); {% endfor %}
        for (var first = 0u; first < step.rows; first += LANES) {
            {% for k in each_task %}var sum_{{ k }} = 0.0; {% endfor %}
            add_tile(
                lane, first,
                {% for k in each_task %}task_{{ k }}, {% endfor %}
                {% for k in each_task %}scale_{{ k }}, {% endfor %}
                {% for n in each_layer %}&weights_{{ n }}, {% endfor %}
                {% for n in each_layer %}&transposed_{{ n }}, {% endfor %}
                {% for n in each_layer %}&gradient_{{ n }}, {% endfor %}
                {% for k in each_task %}&sum_{{ k }}, {% endfor %}
            );
            {% for k in each_task %}add_term(&sums_{{ k }}, sum_{{ k }}); {% endfor %}
        }
        var total = 0.0;
        var own_loss = 0.0;
        var has_labels = false;
        {% for k in each_task %}let loss_{{ k }} = lane_sum(vec2(sum_of(sums_{{ k }}), 0.0)).x * inverse_{{ k }}; {% endfor %}
        {%- for k in each_task %}
        total += select(0.0, weight_{{ k }} * loss_{{ k }} + regulariser(member.scheme, sigma_{{ k }}), normaliser_{{ k }} > 0.0);
        {%- endfor %}
        {% for k in each_task %}own_loss = select(own_loss, loss_{{ k }}, lane == TASK_{{ k }}); {% endfor %}
        {%- for k in each_task %}
        has_labels = select(has_labels, normaliser_{{ k }} > 0.0, lane == TASK_{{ k }});
        {%- endfor %}
        if lane == 0u {
            records[record_slot(TASKS)] = total;
            {%- for k in each_task %}
            record_task(TASK_{{ k }}, loss_{{ k }}, weight_{{ k }}, sigma_{{ k }}, normaliser_{{ k }});
            {%- endfor %}
        }
        if lane == 0u && !stopped && !is_finite(total) {
            mark_stop(LOSS_STOP);
        }
        stopped = stopped || !is_finite(total);
        var is_finite_here = true;
        {%- for n in each_layer %}
        let is_finite_{{ n }} =
            update_{{ n }}(optimizer.network, &weights_{{ n }}, &first_{{ n }}, &second_{{ n }}, &gradient_{{ n }}, !stopped);
        {%- endfor %}
        {% for n in each_layer %}is_finite_here = is_finite_here && is_finite_{{ n }}; {% endfor %}
        if member.scheme != FIXED {
            let at_zero = gradient_at_zero(member.scheme, sigma.value);
            let gradient = at_zero + own_loss * gradient_per_loss(member.scheme, sigma.value);
            let updated = updated_sigma(optimizer.sigma, sigma, gradient);
            let learns = has_labels && lane < TASKS && !is_held(optimizer.held, lane);
            is_finite_here = is_finite_here && (is_sound(updated) || !learns);
            if learns && is_sound(updated) && !stopped {
                sigma = above_floor(updated, optimizer.least_sigma);
            }
        }
        if !is_finite_here && !stopped {
            mark_stop(GRADIENT_STOP);
        }
        stopped = stopped || subgroupAny(!is_finite_here);
    }
    {% for n in each_layer %}store_{{ n }}(lane, &weights_{{ n }}, &first_{{ n }}, &second_{{ n }}); {% endfor %}
    store_sigma(lane, sigma);
}
