{#- The end of a step, in every lane: losses, the total, the record, and Adam on what the lane holds the gradient of. -#}
{%- from "workgroup/products" import cell, gradient_lane, guard, head_cell, own -%}

{#- What a lane holds of a layer's weights, with `{{ caller(q, p, c) }}` for each vec4 of them: `row` and `column` of its square, and
    `part`, its row in that. -#}
{%- macro own_weights(layer, lanes) %}
{%- set tile = layer.gradient %}
{%- set held = tile.lanes * tile.slices %}
{
    let own = {{ gradient_lane(tile, lanes) }};
{%- if held < lanes %}
    if own < {{ held }}u {
{%- else %}
    {
{%- endif %}
    let across = own % {{ tile.lanes }}u % {{ tile.columns }}u;
    let down = own % {{ tile.lanes }}u / {{ tile.columns }}u;
{%- for q in range(tile.down) %}
    {% if (q + 1) * tile.rows > layer.output_quads %}if down + {{ q * tile.rows }}u < {{ layer.output_quads }}u {% endif %}{
        let row = down + {{ q * tile.rows }}u;
{%- for p in range(tile.across) %}
        {% if (p + 1) * tile.columns > layer.input_quads %}if across + {{ p * tile.columns }}u < {{ layer.input_quads }}u {% endif %}{
            let column = across + {{ p * tile.columns }}u;
{%- for c in range(4 // tile.slices) %}
            {
                let part = {% if tile.slices > 1 %}own / {{ tile.lanes }}u * {{ 4 // tile.slices }}u + {% endif %}{{ c }}u;
                {{- caller(q, p, c) }}
            }
{%- endfor %}
        }
{%- endfor %}
    }
{%- endfor %}
    }
}
{%- endmacro %}

{#- The moments of what a lane holds, on their way while the losses are added up: without a branch, so that lanes which hold less
    load what they do not need. -#}
{%- macro load_own_moments(layer, lanes) %}
{%- set tile = layer.gradient %}
{%- set n = layer.number %}
{%- for q in range(tile.down) %}
{%- for p in range(tile.across) %}
{%- for c in range(4 // tile.slices) %}
        let own{{ n }}_{{ q }}_{{ p }}_{{ c }} = {{ gradient_lane(tile, lanes) }};
        let row{{ n }}_{{ q }}_{{ p }}_{{ c }} = min(4u * (own{{ n }}_{{ q }}_{{ p }}_{{ c }} % {{ tile.lanes }}u / {{ tile.columns }}u + {{ q * tile.rows }}u){% if tile.slices > 1 %} + own{{ n }}_{{ q }}_{{ p }}_{{ c }} / {{ tile.lanes }}u * {{ 4 // tile.slices }}u{% endif %} + {{ c }}u, {{ layer.outputs - 1 }}u);
        let column{{ n }}_{{ q }}_{{ p }}_{{ c }} = min(own{{ n }}_{{ q }}_{{ p }}_{{ c }} % {{ tile.lanes }}u % {{ tile.columns }}u + {{ p * tile.columns }}u, {{ layer.input_quads - 1 }}u);
        let moments{{ n }}_{{ q }}_{{ p }}_{{ c }} = load_moments({{ layer.weight }}u + row{{ n }}_{{ q }}_{{ p }}_{{ c }} * {{ layer.inputs }}u + 4u * column{{ n }}_{{ q }}_{{ p }}_{{ c }}, {% if layer.inputs % 4 == 0 %}4u{% else %}min(4u, {{ layer.inputs }}u - 4u * column{{ n }}_{{ q }}_{{ p }}_{{ c }}){% endif %});
{%- endfor %}
{%- endfor %}
{%- endfor %}
{%- endmacro %}


        // Once more, so that they take no registers before.
        member = member_of(slot, seat);
        optimizer = optimizer_of(member.number);
{%- for layer in layers %}
{{- load_own_moments(layer, lanes) }}
{%- endfor %}
{%- for r in range(bias_rounds) %}
        let bias{{ r }}_place = bias_place(min(lane + {{ r * lanes }}u, BIASES - 1u));
        let bias{{ r }}_moments = load_moments(bias{{ r }}_place.x, bias{{ r }}_place.y);
{%- endfor %}
        // What the lanes have of the biases' gradients and of the losses, in the place of the units, which nobody needs any more.
{%- for layer in layers %}
{%- if layer.is_last %}
{%- call(q, p, c) own_weights(layer, lanes) %}
{%- if p == 0 and c == 0 %}
{%- set slices = layer.gradient.slices %}
                if column == 0u {
                    {{ head_cell("row", "(part / " ~ (4 // slices) ~ "u)", slices, group) }} = vec4(gradient_of_bias_{{ q }}{% if slices == 2 %}, 0.0, 0.0{% endif %});
                }
{%- endif %}
{%- endcall %}
{%- else %}
        {{- guard(layer.lanes, lanes) }}
            {{- own(layer.output_quads, layer.tile, group) }}
            {{ cell("H" ~ (layer.number + 1), "own", 0, group) }} = bias{{ layer.number }};
        }
{%- endif %}
{%- endfor %}
        if lane < ROWS {
{%- for few in tasks | batch(4) %}
            H{{ heads.number + 1 }}[lane / {{ group }}u][lane % {{ group }}u][{{ loop.index0 // 4 }}u][{{ loop.index0 % 4 }}u] = vec4(
                {%- for c in range(4) %}{% if c < few | length %}sum_of(loss{{ few[c].number }}){% else %}0.0{% endif %}{% if c < 3 %}, {% endif %}{% endfor -%}
            );
{%- endfor %}
        }
        workgroupBarrier();
{%- for r in range(bias_rounds) %}
        var bias{{ r }}_gradient = vec4(0.0);
        if lane + {{ r * lanes }}u < BIASES {
            bias{{ r }}_gradient = bias_gradient(lane + {{ r * lanes }}u);
        }
{%- endfor %}
        var loss = 0.0;
        if task < TASKS {
            loss = finish_losses(task, own_normaliser);
        }
{%- if clips %}
        // The norm of the gradient, in two rounds of sums.
        var own_squares = 0.0;
{%- for layer in layers %}
        {%- call(q, p, c) own_weights(layer, lanes) %}
                own_squares += dot(gradient{{ layer.number }}_{{ 4 * q + c }}_{{ p }}, gradient{{ layer.number }}_{{ 4 * q + c }}_{{ p }});
        {%- endcall %}
{%- endfor %}
{%- for r in range(bias_rounds) %}
        own_squares += dot(bias{{ r }}_gradient, bias{{ r }}_gradient);
{%- endfor %}
        squares[lane] = own_squares;
        workgroupBarrier();
        if lane < 16u {
{%- for part in range(1, lanes // 16) %}
            own_squares += squares[lane + {{ 16 * part }}u];
{%- endfor %}
            squares[lane] = own_squares;
        }
{%- endif %}
        workgroupBarrier();
        var total = 0.0;
{%- for task in tasks %}
        total += terms[{{ task.number }}u];
{%- endfor %}
        if lane == 0u {
            records[record_slot(TASKS)] = total;
            if !stopped && !is_finite(total) {
                mark_stop(LOSS_STOP);
            }
        }
        if !stopped && is_finite(total) {
{%- set times = "" %}
{%- if clips %}
            var all_squares = 0.0;
{%- for part in range(16) %}
            all_squares += squares[{{ part }}u];
{%- endfor %}
            let factor = clip_factor(all_squares);
{%- set times = " * factor" %}
{%- endif %}
{%- for layer in layers %}
{%- set n = layer.number %}
            {%- call(q, p, c) own_weights(layer, lanes) %}
                let first = {{ layer.weight }}u + (4u * row + part) * {{ layer.inputs }}u + 4u * column;
                let count = {% if layer.inputs % 4 == 0 %}4u{% else %}min(4u, {{ layer.inputs }}u - 4u * column){% endif %};
                let cell = W{{ n }}[part][row][column];
{%- set gradient = "gradient" ~ n ~ "_" ~ (4 * q + c) ~ "_" ~ p ~ times %}
{%- set before = "moments" ~ n ~ "_" ~ q ~ "_" ~ p ~ "_" ~ c %}
{%- if layer.outputs % 4 == 0 %}
                W{{ n }}[part][row][column] = updated(first, count, cell, {{ before }}, {{ gradient }});
{%- else %}
                let is_row = 4u * row + part < {{ layer.outputs }}u;
                W{{ n }}[part][row][column] = updated(first, select(0u, count, is_row), cell, {{ before }}, {{ gradient }});
{%- endif %}
            {%- endcall %}
{%- endfor %}
{%- for r in range(bias_rounds) %}
            {
                let b = lane + {{ r * lanes }}u;
                if b < BIASES {
                    let place = bias{{ r }}_place;
                    biases[b] = updated(place.x, place.y, biases[b], bias{{ r }}_moments, bias{{ r }}_gradient{{ times }});
                }
            }
{%- endfor %}
            if task < TASKS {
                finish_sigma(task, own_normaliser, loss);
            }
            if !all_sound {
                mark_stop(GRADIENT_STOP);
            }
        }
        storageBarrier();
        workgroupBarrier();
