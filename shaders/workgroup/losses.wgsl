{#- A task's losses over a block of rows, a lane a row: adds to its loss, and makes d<column>, the gradient at each of its
    predictions, from p<quad>, the predictions. The losses themselves are shared/losses.wgsl. -#}

{%- macro prediction(column) -%} p{{ column // 4 }}.{{ "xyzw"[column % 4] }} {%- endmacro %}

{#- The words of a row's label: `source` is the row of the dataset. -#}
{%- macro label_words(task) %}
{%- set k = task.number %}
let label{{ k }} = task_of({{ k }}u).label + source * task_of({{ k }}u).label_stride;
{%- for c in range(1 if task.is_class else task.width) %}
let word{{ k }}_{{ c }} = labels[label{{ k }} + {{ c }}u];
{%- endfor %}
{%- endmacro %}

{%- macro task_losses(task) %}
{%- set k = task.number %}
{#- How much the row counts, where rows differ. -#}
{%- set weigh = "weight" ~ k ~ " * " if task.is_sample_weighted else "" %}
// Task {{ k }}.
var task{{ k }} = task_of({{ k }}u);
task{{ k }}.loss = {{ task.loss }}u;
task{{ k }}.width = {{ task.width }}u;
{%- if not task.is_masked %}
task{{ k }}.mask = NONE;
{%- endif %}
{%- if not task.is_weighted %}
task{{ k }}.class_weights = NONE;
{%- endif %}
{%- if task.is_sample_weighted %}
let weight{{ k }} = sample_weight(task{{ k }}, source);
{%- endif %}
let counts{{ k }} = is_inside && has_label(task{{ k }}, source);
{%- if task.is_class %}
{%- if not task.is_smoothed %}
task{{ k }}.parameter = 0.0;
{%- endif %}
let class{{ k }} = word{{ k }}_0;
var row{{ k }}: ClassRow;
row{{ k }}.highest = {{ prediction(task.first) }};
{%- for c in range(1, task.width) %}
row{{ k }}.highest = max(row{{ k }}.highest, {{ prediction(task.first + c) }});
{%- endfor %}
{%- for c in range(task.width) %}
{
    let depth = {{ prediction(task.first + c) }} - row{{ k }}.highest;
    row{{ k }}.others += select(exp(depth), 0.0, class{{ k }} == {{ c }}u);
    row{{ k }}.own += select(0.0, depth, class{{ k }} == {{ c }}u);
{%- if task.is_smoothed %}
    row{{ k }}.weighted_depth -= class_weight(task{{ k }}, {{ c }}u) * depth;
{%- endif %}
}
{%- endfor %}
row{{ k }}.weight = class_weight(task{{ k }}, class{{ k }});
add_term(&loss{{ k }}, select(0.0, {{ weigh }}class_loss(task{{ k }}, row{{ k }}), counts{{ k }}));
{%- for c in range(task.width) %}
let d{{ task.first + c }} = select(0.0, {{ weigh }}scale{{ k }} * class_slope(task{{ k }}, row{{ k }}, class{{ k }} == {{ c }}u, class_weight(task{{ k }}, {{ c }}u), {{ prediction(task.first + c) }}), counts{{ k }});
{%- endfor %}
{%- elif task.predicts_noise %}
{%- for c in range(task.width) %}
let all{{ task.first + c }} = noise_loss(task{{ k }}, {{ prediction(task.first + c) }}, {{ prediction(task.first + task.width + c) }}, bitcast<f32>(word{{ k }}_{{ c }}));
let d{{ task.first + c }} = select(0.0, {{ weigh }}scale{{ k }} * all{{ task.first + c }}.y, counts{{ k }});
let d{{ task.first + task.width + c }} = select(0.0, {{ weigh }}scale{{ k }} * all{{ task.first + c }}.z, counts{{ k }});
{%- endfor %}
add_term(&loss{{ k }}, select(0.0, {{ weigh }}({% for c in range(task.width) %}{% if c %} + {% endif %}all{{ task.first + c }}.x{% endfor %}), counts{{ k }}));
{%- else %}
{%- for c in range(task.width) %}
let both{{ task.first + c }} = element_loss(task{{ k }}, {{ prediction(task.first + c) }}, bitcast<f32>(word{{ k }}_{{ c }}));
let d{{ task.first + c }} = select(0.0, {{ weigh }}scale{{ k }} * both{{ task.first + c }}.y, counts{{ k }});
{%- endfor %}
add_term(&loss{{ k }}, select(0.0, {{ weigh }}({% for c in range(task.width) %}{% if c %} + {% endif %}both{{ task.first + c }}.x{% endfor %}), counts{{ k }}));
{%- endif %}
{%- endmacro %}
