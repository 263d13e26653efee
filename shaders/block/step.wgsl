{%- from "workgroup/products" import cell, guard, own -%}
{%- set heads = layers[layers | length - 1] -%}
// A whole training step but for its end, in one dispatch, made for the shape of a network: a workgroup takes blocks of
// {{ rows }} rows through forward, losses and backward. What the layers put out, and then its gradients in their place, stays
// in workgroup memory; the gradients of the weights stay in registers over all of the workgroup's blocks.
//
// Reads:  features [rows of the dataset, features], labels, tasks, order, parameters [seats] (block/places.wgsl), normalisers
// Writes: gradient_shares [seats, workgroups, cells], loss_shares [seats, workgroups + 2, tasks] (as loss.wgsl)

const LANES = {{ lanes }}u;
const ROWS = {{ rows }}u;
const TASKS = {{ tasks | length }}u;

@group(0) @binding(0) var<storage, read> features: array<{% if features % 4 == 0 %}vec4<f32>{% else %}f32{% endif %}>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> tasks: array<Task, {{ tasks | length }}>;
@group(0) @binding(3) var<storage, read> order: array<u32>;
@group(0) @binding(4) var<storage, read> parameters: array<array<vec4<f32>, {{ packed }}>>;
@group(0) @binding(5) var<storage, read> normalisers: array<f32>;
@group(0) @binding(6) var<storage, read_write> gradient_shares: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> loss_shares: array<f32>;

{% include "workgroup/units" %}
var<workgroup> losses: array<f32, {{ rows * (tasks | length) }}>;

// The row of the dataset; beyond the end of the batch that of the last row, whose gradient is made 0 at the predictions.
fn source_of(row: u32) -> u32 {
    return order[member.first + min(row, step.rows - 1u)];
}

fn task_of(k: u32) -> Task {
    return tasks[k];
}

@compute @workgroup_size({{ lanes }})
fn main(
    @builtin(workgroup_id) workgroup_id: vec3<u32>,
    @builtin(num_workgroups) num_workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    take_seat(workgroup_id);
    let workgroup = workgroup_id.x;
    let workgroups = num_workgroups.x;
    let blocks = (step.rows + {{ rows - 1 }}u) / {{ rows }}u;
{%- for task in tasks %}
    let normaliser{{ task.number }} = normalisers[member.batch * TASKS + {{ task.number }}u];
    let inverse{{ task.number }} = select(0.0, 1.0 / normaliser{{ task.number }}, normaliser{{ task.number }} > 0.0);
    let scale{{ task.number }} = task_weight(member.scheme, {{ task.sigma }}) * inverse{{ task.number }};
    var loss{{ task.number }}: LongSum;
{%- endfor %}
    {%- include "workgroup/gradients" %}
{%- for q in range(staged) %}
    var next{{ q }} = feature(workgroup * ROWS + (lane + {{ q * lanes }}u) / {{ widths[0].quads }}u, (lane + {{ q * lanes }}u) % {{ widths[0].quads }}u);
{%- endfor %}
    for (var block = workgroup; block < blocks; block += workgroups) {
        {%- include "workgroup/passes" %}
    }
    // The workgroup's share.
    let share = (seat * workgroups + workgroup) * {{ cells }}u;
    let losses_at = seat * (workgroups + 2u) * TASKS;
{%- for layer in layers %}
{%- set tile = layer.gradient %}
    {
        let across = lane % {{ tile.columns }}u;
        let down = lane / {{ tile.columns }}u;
{%- if tile.lanes < lanes %}
        if lane < {{ tile.lanes }}u {
{%- else %}
        {
{%- endif %}
{%- for q in range(tile.down) %}
{%- set is_ragged = (q + 1) * tile.rows > layer.output_quads %}
            {% if is_ragged %}if down + {{ q * tile.rows }}u < {{ layer.output_quads }}u {% endif %}{
{%- for p in range(tile.across) %}
{%- set is_cut = (p + 1) * tile.columns > layer.input_quads %}
                {% if is_cut %}if across + {{ p * tile.columns }}u < {{ layer.input_quads }}u {% endif %}{
{%- for c in range(4) %}
                    gradient_shares[share + {{ layer.natural }}u + (4u * (down + {{ q * tile.rows }}u) + {{ c }}u) * {{ layer.input_quads }}u + across + {{ p * tile.columns }}u] = gradient{{ layer.number }}_{{ 4 * q + c }}_{{ p }};
{%- endfor %}
                }
{%- endfor %}
{%- if layer.is_last %}
                if across == 0u {
                    gradient_shares[share + {{ layer.bias }}u + down + {{ q * tile.rows }}u] = gradient_of_bias_{{ q }};
                }
{%- endif %}
            }
{%- endfor %}
        }
    }
{%- if not layer.is_last %}
    {{- guard(layer.lanes, lanes) }}
        {{- own(layer.output_quads, layer.tile, group) }}
        {{ cell("H" ~ (layer.number + 1), "own", 0, group) }} = bias{{ layer.number }};
    }
{%- endif %}
{%- endfor %}
    if lane < ROWS {
{%- for task in tasks %}
        losses[{{ task.number * rows }}u + lane] = sum_of(loss{{ task.number }});
{%- endfor %}
    }
    workgroupBarrier();
{%- for layer in layers if not layer.is_last %}
    if lane < {{ layer.output_quads }}u {
        var sum = vec4(0.0);
{%- for g in range(rows // layer.tile) %}
        sum += H{{ layer.number + 1 }}[{{ g * layer.tile // group }}u][0u][lane / 4u][lane % 4u];
{%- endfor %}
        gradient_shares[share + {{ layer.bias }}u + lane] = sum;
    }
{%- endfor %}
{%- for task in tasks %}
    if lane == {{ task.number % lanes }}u {
        var sum = 0.0;
{%- for row in range(rows) %}
        sum += losses[{{ task.number * rows + row }}u];
{%- endfor %}
        loss_shares[losses_at + workgroup * TASKS + {{ task.number }}u] = sum * inverse{{ task.number }};
        if workgroup == 0u {
            loss_shares[losses_at + workgroups * TASKS + {{ task.number }}u] = task_weight(member.scheme, {{ task.sigma }});
            loss_shares[losses_at + (workgroups + 1u) * TASKS + {{ task.number }}u] = regulariser(member.scheme, {{ task.sigma }});
        }
    }
{%- endfor %}
}
