{%- from "block/products" import cell, guard, own, swap, tile_product, weight_gradient -%}
{%- from "block/losses" import task_losses -%}
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

// Units [groups of rows][rows of a group][.][4] of every layer: the features, then what each layer puts out.
{%- for width in widths %}
var<workgroup> H{{ loop.index0 }}: array<array<array<array<vec4<f32>, 4>, {{ width.blocks }}>, {{ group }}>, {{ rows // group }}>;
{%- endfor %}
var<workgroup> losses: array<f32, {{ rows * (tasks | length) }}>;

// The row of the dataset; beyond the end of the batch that of the last row, whose gradient is made 0 at the predictions.
fn source_of(row: u32) -> u32 {
    return order[member.first + min(row, step.rows - 1u)];
}

fn feature(row: u32, column: u32) -> vec4<f32> {
{%- if features % 4 == 0 %}
    return features[source_of(row) * {{ features // 4 }}u + column];
{%- else %}
    let at = source_of(row) * {{ features }}u;
    let columns = 4u * column + vec4(0u, 1u, 2u, 3u);
    let inside = min(columns, vec4({{ features - 1 }}u));
    let values = vec4(
        features[at + inside.x], features[at + inside.y], features[at + inside.z], features[at + inside.w],
    );
    return select(vec4(0.0), values, columns == inside);
{%- endif %}
}

{%- if not is_relu %}

// Values and slopes.
fn activate_quad(x: vec4<f32>) -> array<vec4<f32>, 2> {
    let a = activate({{ activation }}u, x.x);
    let b = activate({{ activation }}u, x.y);
    let c = activate({{ activation }}u, x.z);
    let d = activate({{ activation }}u, x.w);
    return array(vec4(a.x, b.x, c.x, d.x), vec4(a.y, b.y, c.y, d.y));
}
{%- endif %}

{%- if drops %}

fn dropout_factors(row: u32, unit: u32) -> vec4<f32> {
    return vec4(
        dropout_factor(row, unit), dropout_factor(row, unit + 1u),
        dropout_factor(row, unit + 2u), dropout_factor(row, unit + 3u),
    );
}
{%- endif %}

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
    var loss{{ task.number }} = 0.0;
{%- endfor %}
{%- for layer in layers %}
{%- for q in range(4 * layer.gradient.down) %}
{%- for p in range(layer.gradient.across) %}
    var gradient{{ layer.number }}_{{ q }}_{{ p }} = vec4(0.0);
{%- endfor %}
{%- endfor %}
{%- if not layer.is_last %}
    var bias{{ layer.number }} = vec4(0.0);
{%- endif %}
{%- endfor %}
{%- for q in range(heads.gradient.down) %}
    var gradient_of_bias_{{ q }} = vec4(0.0);
{%- endfor %}
{%- for q in range(staged) %}
    var next{{ q }} = feature(workgroup * ROWS + (lane + {{ q * lanes }}u) / {{ widths[0].quads }}u, (lane + {{ q * lanes }}u) % {{ widths[0].quads }}u);
{%- endfor %}
    for (var block = workgroup; block < blocks; block += workgroups) {
        let first = block * ROWS;
{%- for q in range(staged) %}
        {
            let cell = lane + {{ q * lanes }}u;
            let row = cell / {{ widths[0].quads }}u;
            let column = cell % {{ widths[0].quads }}u;
{%- if (q + 1) * lanes > rows * widths[0].quads %}
            if cell < {{ rows * widths[0].quads }}u {
                H0[row / {{ group }}u][row % {{ group }}u][column / 4u][column % 4u] = next{{ q }};
            }
{%- else %}
            H0[row / {{ group }}u][row % {{ group }}u][column / 4u][column % 4u] = next{{ q }};
{%- endif %}
            next{{ q }} = feature((block + workgroups) * ROWS + row, column);
        }
{%- endfor %}
        workgroupBarrier();
{%- for layer in layers %}
{%- if not (layer.is_last or is_relu) %}
{%- for i in range(layer.tile) %}
        var slope{{ layer.number }}_{{ i }} = vec4(0.0);
{%- endfor %}
{%- endif %}
        // Layer {{ layer.number }}, forward.
        {
{%- set out = "H" ~ (layer.number + 1) %}
            {{- tile_product("H" ~ layer.number, layer, group, layer.input_quads, layer.output_quads, layer.transposed, layer.splits_forward, ahead, lanes) }}
{%- if layer.splits_forward %}
            {{- swap(out, layer, group, lanes) }}
{%- endif %}
            {{- guard(layer.lanes, lanes) }}
            {{- own(layer.output_quads, layer.tile, group) }}
            let bias = parameters[seat][{{ layer.bias }}u + column];
{%- for i in range(layer.tile) %}
            let z{{ i }} = sum{{ i }} + bias;
{%- if layer.is_last %}
            {{ cell(out, "own", i, group) }} = z{{ i }};
{%- else %}
{%- if is_relu %}
            var y{{ i }} = select(z{{ i }}, vec4(0.0), z{{ i }} <= vec4(0.0));
{%- else %}
            let both{{ i }} = activate_quad(z{{ i }});
            var y{{ i }} = both{{ i }}[0];
            slope{{ layer.number }}_{{ i }} = both{{ i }}[1];
{%- endif %}
{%- if drops %}
            let factors{{ i }} = dropout_factors(first + tile * {{ layer.tile }}u + {{ i }}u, {{ layer.unit }}u + 4u * column);
            y{{ i }} *= factors{{ i }};
{%- if not is_relu %}
            slope{{ layer.number }}_{{ i }} *= factors{{ i }};
{%- endif %}
{%- endif %}
            {{ cell(out, "own", i, group) }} = y{{ i }};
{%- endif %}
{%- endfor %}
            }
        }
        workgroupBarrier();
{%- endfor %}
        // Losses: a lane a row.
        if lane < ROWS {
            let source = source_of(first + lane);
            let is_inside = first + lane < step.rows;
            let group = lane / {{ group }}u;
            let row = lane % {{ group }}u;
{%- for q in range(heads.output_quads) %}
            let p{{ q }} = H{{ heads.number + 1 }}[group][row][{{ q // 4 }}u][{{ q % 4 }}u];
{%- endfor %}
{%- for task in tasks %}
            {{- task_losses(task) }}
{%- endfor %}
{%- for q in range(heads.output_quads) %}
            H{{ heads.number + 1 }}[group][row][{{ q // 4 }}u][{{ q % 4 }}u] = vec4(
{%- for c in range(4) %}{% if 4 * q + c < heads.outputs %}d{{ 4 * q + c }}{% else %}0.0{% endif %}{% if c < 3 %}, {% endif %}{% endfor -%}
            );
{%- endfor %}
        }
        workgroupBarrier();
{%- for layer in layers | reverse %}
        // Layer {{ layer.number }}, backward.
        {
            {{- weight_gradient(layer, rows, group, lanes, ahead) }}
{%- if layer.number > 0 %}
{%- set below = layers[layer.number - 1] %}
{%- set units = "H" ~ layer.number %}
            {{- tile_product("H" ~ (layer.number + 1), below, group, layer.output_quads, layer.input_quads, layer.natural, layer.splits_backward, ahead, lanes) }}
{%- if is_relu %}
{%- for i in range(below.tile) %}
            var slope{{ below.number }}_{{ i }} = vec4(0.0);
{%- endfor %}
            {{- guard(below.lanes, lanes) }}
            {{- own(below.output_quads, below.tile, group) }}
{%- for i in range(below.tile) %}
            slope{{ below.number }}_{{ i }} = select(vec4(0.0), vec4({% if drops %}KEPT{% else %}1.0{% endif %}), {{ cell(units, "own", i, group) }} > vec4(0.0));
{%- endfor %}
            }
{%- endif %}
            workgroupBarrier();
{%- if layer.splits_backward %}
            {{- swap(units, below, group, lanes) }}
{%- endif %}
            {{- guard(below.lanes, lanes) }}
            {{- own(below.output_quads, below.tile, group) }}
{%- for i in range(below.tile) %}
            let delta{{ i }} = sum{{ i }} * slope{{ below.number }}_{{ i }};
            bias{{ below.number }} += delta{{ i }};
            {{ cell(units, "own", i, group) }} = delta{{ i }};
{%- endfor %}
            }
{%- endif %}
        }
        workgroupBarrier();
{%- endfor %}
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
        losses[{{ task.number * rows }}u + lane] = loss{{ task.number }};
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
