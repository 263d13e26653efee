// A whole training step of a small network but for its end, in one dispatch: every workgroup of LANES lanes takes its
// share of the tiles, with all parameters and their gradient in registers or on the stack that they spill to, and stores
// its share of all gradients and losses, which `finish` adds up. For software adapters, and for networks that one core
// alone, as in steps.wgsl, would take longer to train than all cores and a second dispatch.
//
// Reads:  features, labels, tasks, order, state, normalisers [members, batches, tasks]
// Writes: gradient_shares [seats, workgroups, parameters], loss_shares [seats, workgroups + 2, tasks] (tiled/loss.wgsl)

@group(0) @binding(0) var<storage, read> features: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> tasks: array<Task>;
@group(0) @binding(3) var<storage, read> order: array<u32>;
@group(0) @binding(4) var<storage, read> state: array<f32>;
@group(0) @binding(5) var<storage, read> normalisers: array<f32>;
@group(0) @binding(6) var<storage, read_write> gradient_shares: array<f32>;
@group(0) @binding(7) var<storage, read_write> loss_shares: array<f32>;

// Stores a task's share of the loss and, from one workgroup, its weight and regulariser.
fn store_loss(lane: u32, share: u32, shares: u32, k: u32, loss: f32, sigma: f32) {
    let first = seat * (shares + 2u) * TASKS + k;
    if lane == 0u {
        loss_shares[first + share * TASKS] = loss;
    }
    if lane == 0u && share == 0u {
        loss_shares[first + shares * TASKS] = task_weight(member.scheme, sigma);
        loss_shares[first + (shares + 1u) * TASKS] = regulariser(member.scheme, sigma);
    }
}

{% include "small/tile" %}

{% for layer in layers -%}
{% include "small/layer_share" %}

{% endfor -%}
{% set each_layer = range(layers | length) -%}
{% set each_task = range(tasks | length) -%}
@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    take_seat(workgroup);
    {% for k in each_task %}let task_{{ k }} = tasks[TASK_{{ k }}]; {% endfor %}
    {% for k in each_task %}let sigma_{{ k }} = state[member.sigma + TASK_{{ k }}]; {% endfor %}
    {% for k in each_task %}let normaliser_{{ k }} = normalisers[member.batch * TASKS + TASK_{{ k }}]; {% endfor %}
    {%- for k in each_task %}
    let inverse_{{ k }} = select(0.0, 1.0 / normaliser_{{ k }}, normaliser_{{ k }} > 0.0);
    {%- endfor %}
    {% for k in each_task %}let scale_{{ k }} = task_weight(member.scheme, sigma_{{ k }}) * inverse_{{ k }}; {% endfor %}
    {% for k in each_task %}var sums_{{ k }}: LongSum; {% endfor %}
    {% for n in each_layer %}var weights_{{ n }}: Parameters_{{ n }}; {% endfor %}
    {% for n in each_layer %}var gradient_{{ n }}: Parameters_{{ n }}; {% endfor %}
    {% for n in each_layer %}var transposed_{{ n }}: Transposed_{{ n }}; {% endfor %}
    {% for n in each_layer %}load_weights_{{ n }}(lane, &weights_{{ n }}); {% endfor %}
    {% for n in each_layer %}load_transposed_{{ n }}(lane, &transposed_{{ n }}); {% endfor %}
    {% for n in each_layer %}clear_{{ n }}(&gradient_{{ n }}); {% endfor %}
    for (var first = workgroup.x * LANES; first < step.rows; first += workgroups.x * LANES) {
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
    {% for n in each_layer %}store_gradient_{{ n }}(lane, seat * workgroups.x + workgroup.x, &gradient_{{ n }}); {% endfor %}
    {%- for k in each_task %}
    store_loss(
        lane, workgroup.x, workgroups.x, TASK_{{ k }},
        lane_sum(vec2(sum_of(sums_{{ k }}), 0.0)).x * inverse_{{ k }}, sigma_{{ k }}
    );
    {%- endfor %}
}
