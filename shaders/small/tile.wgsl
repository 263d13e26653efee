{#- A tile of rows through a small network, the losses and back, with all that it needs of the network: what steps.wgsl and
    shares.wgsl have in common. -#}
{%- set heads = layers | length -%}
{%- set each_layer = range(layers | length) -%}
{%- set each_task = range(tasks | length) -%}
const LANES = {{ lanes }}u;
const TASKS = {{ tasks | length }}u;
const FEATURES = {{ features }}u;
const PARAMETERS = {{ parameters }}u;
const ACTIVATION = {{ activation }}u;

// Two rows of a layer's inputs, in blocks of LANES: the features, then what each layer puts out, the predictions last.
{%- for blocks in units %}
alias Units_{{ loop.index0 }} = array<vec2<f32>, {{ blocks }}>;
{%- endfor %}

{% for layer in layers -%}
{% include "small/layer" %}

{% endfor -%}
{% for task in tasks -%}
{% include "small/task" %}

{% endfor -%}
// Two rows' features, lane = feature. Lanes past the last hold what no product reads.
fn load_features(lane: u32, rows: vec2<u32>, units: ptr<function, Units_0>) {
    for (var block = 0u; block < INPUT_BLOCKS_0; block++) {
        let at = rows * FEATURES + block * LANES + lane;
        (*units)[block] = vec2(features[at.x], features[at.y]);
    }
}

// Takes LANES rows of the batch, from the given one on, two at a time; adds to the gradient, and to this lane's part of
// each task's summed loss. scale_k is what a task's losses are multiplied by.
fn add_tile(
    lane: u32, first: u32,
    {% for k in each_task %}task_{{ k }}: Task, {% endfor %}
    {% for k in each_task %}scale_{{ k }}: f32, {% endfor %}
    {% for n in each_layer %}weights_{{ n }}: ptr<function, Parameters_{{ n }}>, {% endfor %}
    {% for n in each_layer %}transposed_{{ n }}: ptr<function, Transposed_{{ n }}>, {% endfor %}
    {% for n in each_layer %}gradient_{{ n }}: ptr<function, Parameters_{{ n }}>, {% endfor %}
    {% for k in each_task %}sum_{{ k }}: ptr<function, f32>, {% endfor %}
) {
    // A row a lane; lanes past the end take the last row, for nothing.
    let position = min(first + lane, step.rows - 1u);
    let row = order[member.first + position];
    {% for k in each_task %}let label_{{ k }} = only_label_{{ k }}(task_{{ k }}, row); {% endfor %}
    {%- for k in each_task %}
    let counts_{{ k }} = u32(is_labelled_{{ k }}(task_{{ k }}, row) && first + lane < step.rows);
    {%- endfor %}
    let pairs = min(LANES, step.rows - first);
    for (var pair = 0u; pair < pairs; pair += 2u) {
        let rows = vec2(subgroupShuffle(row, pair), subgroupShuffle(row, pair + 1u));
        var units_0: Units_0;
        load_features(lane, rows, &units_0);
        {% for n in each_layer %}var units_{{ n + 1 }}: Units_{{ n + 1 }}; {% endfor %}
        {% for n in each_layer %}var slopes_{{ n + 1 }}: Units_{{ n + 1 }}; {% endfor %}
        {% for n in each_layer %}var delta_{{ n + 1 }}: Units_{{ n + 1 }}; {% endfor %}
        var delta_0: Units_0;
        var slopes_0: Units_0;
        {%- for n in each_layer %}
        forward_{{ n }}(weights_{{ n }}, &units_{{ n }}, &units_{{ n + 1 }}, &slopes_{{ n + 1 }});
        {%- endfor %}
        delta_{{ heads }} = Units_{{ heads }}();
        {%- for k in each_task %}
        let own_{{ k }} = vec2(subgroupShuffle(label_{{ k }}, pair), subgroupShuffle(label_{{ k }}, pair + 1u));
        {%- endfor %}
        {%- for k in each_task %}
        let is_in_{{ k }} =
            vec2(subgroupShuffle(counts_{{ k }}, pair), subgroupShuffle(counts_{{ k }}, pair + 1u)) == vec2(1u);
        {%- endfor %}
        {%- for k in each_task %}
        *sum_{{ k }} += task_pass_{{ k }}(
            lane, task_{{ k }}, rows, own_{{ k }}, is_in_{{ k }}, scale_{{ k }}, &units_{{ heads }}, &delta_{{ heads }}
        );
        {%- endfor %}
        {%- for n in each_layer | reverse %}
        add_gradient_{{ n }}(&units_{{ n }}, &delta_{{ n + 1 }}, gradient_{{ n }});
        input_gradient_{{ n }}(transposed_{{ n }}, &delta_{{ n + 1 }}, &slopes_{{ n }}, &delta_{{ n }});
        {%- endfor %}
    }
}
