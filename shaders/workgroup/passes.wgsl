{%- from "workgroup/products" import cell, guard, own, swap, tile_product, weight_gradient -%}
{%- from "workgroup/losses" import label_words, task_losses -%}
{%- set heads = layers[layers | length - 1] %}
        let first = block * ROWS;
{%- if loads_labels_early %}
        let source = source_of(first + lane);
{%- for task in tasks %}
        {{- label_words(task) }}
{%- endfor %}
{%- endif %}
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
{%- set weights = {"is_kept": keeps_parameters, "layer": layer.number, "is_forward": true, "first": layer.transposed, "stride": layer.output_quads} %}
            {{- tile_product("H" ~ layer.number, layer, group, layer.input_quads, weights, layer.splits_forward, ahead, lanes) }}
{%- if layer.splits_forward %}
            {{- swap(out, layer, group, lanes) }}
{%- endif %}
            {{- guard(layer.lanes, lanes) }}
            {{- own(layer.output_quads, layer.tile, group) }}
            let bias = {% if keeps_parameters %}biases[{{ layer.first_bias }}u + column]{% else %}parameters[seat][{{ layer.bias }}u + column]{% endif %};
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
{%- if not loads_labels_early %}
            let source = source_of(first + lane);
{%- endif %}
            let is_inside = first + lane < step.rows;
            let group = lane / {{ group }}u;
            let row = lane % {{ group }}u;
{%- for q in range(heads.output_quads) %}
            let p{{ q }} = H{{ heads.number + 1 }}[group][row][{{ q // 4 }}u][{{ q % 4 }}u];
{%- endfor %}
{%- for task in tasks %}
{%- if not loads_labels_early %}
            {{- label_words(task) }}
{%- endif %}
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
            {{- weight_gradient(layer, rows, group, lanes) }}
{%- if layer.number > 0 %}
{%- set below = layers[layer.number - 1] %}
{%- set units = "H" ~ layer.number %}
{%- set weights = {"is_kept": keeps_parameters, "layer": layer.number, "is_forward": false, "first": layer.natural, "stride": layer.input_quads} %}
            {{- tile_product("H" ~ (layer.number + 1), below, group, layer.output_quads, weights, layer.splits_backward, ahead, lanes) }}
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
