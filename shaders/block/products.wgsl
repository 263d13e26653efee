{#- The products of `block`. Everything is unrolled here and not by loops in WGSL, whose bounds drivers would test at every
    round, and loads stand a round before their use: compilers leave those of workgroup memory where they are. -#}

{#- The loads of the c-th vec4 in a block of four: `tile` rows of the units `h`, and four rows of the weights. -#}
{%- macro loads(h, tile, group, block, c, stride) %}
{%- for i in range(tile) %}
let a{{ c }}_{{ i }} = {{ h }}[group{{ i // group }}][{{ i % group }}u][{{ block }}][{{ c }}u];
{%- endfor %}
{%- for j in range(4) %}
let w{{ c }}_{{ j }} = parameters[from_weight + {{ block }} * {{ 16 * stride }}u + {{ (4 * c + j) * stride }}u];
{%- endfor %}
{%- endmacro %}

{%- macro sums(tile, c) %}
{%- for j in range(4) %}
{%- for i in range(tile) %}
z{{ i }} += a{{ c }}_{{ i }}.{{ "xyzw"[j] }} * w{{ c }}_{{ j }};
{%- endfor %}
{%- endfor %}
{%- endmacro %}

{#- `count` vec4s of a block of four. -#}
{%- macro block(h, tile, group, block, count, stride, ahead) %}
{%- for c in range(ahead) %}{{ loads(h, tile, group, block, c, stride) }}{% endfor %}
{%- for c in range(count) %}
{%- if c + ahead < count %}{{ loads(h, tile, group, block, c + ahead, stride) }}{% endif %}
{{- sums(tile, c) }}
{%- endfor %}
{%- endmacro %}

{#- z0 .. z<tile - 1> += the units `h` of a lane's rows, `depth` vec4s, times the weights whose first vec4 is at
    `from_weight` and whose rows are `stride` vec4s long. -#}
{%- macro product(h, tile, group, depth, stride, ahead) %}
{%- set whole = depth // 4 %}
{%- if whole > 1 %}
for (var t = 0u; t < {{ whole }}u; t++) {
    {{- block(h, tile, group, "t", 4, stride, ahead) }}
}
{%- elif whole == 1 %}
{
    {{- block(h, tile, group, "0u", 4, stride, ahead) }}
}
{%- endif %}
{%- if depth % 4 > 0 %}
{
    {{- block(h, tile, group, whole ~ "u", depth % 4, stride, ahead) }}
}
{%- endif %}
{%- endmacro %}

{#- The rows that a lane owns of a layer's outputs: `tile` rows from tile * (lane / width) of the column lane % width. -#}
{%- macro own(width, tile, group) %}
let column = lane % {{ width }}u;
let tile = lane / {{ width }}u;
{%- for m in range(tile // group) %}
let group{{ m }} = {% if tile == group %}tile{% else %}tile * {{ tile // group }}u + {{ m }}u{% endif %};
{%- endfor %}
{%- endmacro %}

{#- A lane's own cell in row i of its tile. -#}
{%- macro own_cell(h, i, group) -%}
{{ h }}[group{{ i // group }}][{{ i % group }}u][column / 4u][column % 4u]
{%- endmacro %}

{#- A row's loads for the gradient of the weights: deltas and inputs. -#}
{%- macro gradient_loads(layer, g, i, n) %}
{%- for q in range(layer.gradient.down) %}
let d{{ n }}_{{ q }} = H{{ layer.number + 1 }}[{{ g }}][{{ i }}u][down{{ q }} / 4u][down{{ q }} % 4u];
{%- endfor %}
{%- for p in range(layer.gradient.across) %}
let h{{ n }}_{{ p }} = H{{ layer.number }}[{{ g }}][{{ i }}u][across{{ p }} / 4u][across{{ p }} % 4u];
{%- endfor %}
{%- endmacro %}

{%- macro gradient_sums(layer, n) %}
{%- for q in range(layer.gradient.down) %}
{%- if layer.is_last %}
gradient_of_bias_{{ q }} += d{{ n }}_{{ q }};
{%- endif %}
{%- for c in range(4) %}
{%- for p in range(layer.gradient.across) %}
gradient{{ layer.number }}_{{ 4 * q + c }}_{{ p }} += d{{ n }}_{{ q }}.{{ "xyzw"[c] }} * h{{ n }}_{{ p }};
{%- endfor %}
{%- endfor %}
{%- endfor %}
{%- endmacro %}

{#- Adds the rows of the block to the gradient of a layer's weights, which stays in registers: a lane has `down` vec4s of
    outputs times `across` vec4s of inputs. -#}
{%- macro weight_gradient(layer, rows, group, lanes, ahead) %}
{%- set tile = layer.gradient %}
{
let first_across = lane % {{ tile.columns }}u;
let first_down = lane / {{ tile.columns }}u;
{%- for q in range(tile.down) %}
let down{{ q }} = first_down + {{ q * tile.rows }}u;
{%- endfor %}
{%- for p in range(tile.across) %}
let across{{ p }} = first_across + {{ p * tile.columns }}u;
{%- endfor %}
{%- set round = [rows, [4, group] | max] | min %}
{%- if tile.lanes < lanes %}
if lane < {{ tile.lanes }}u {
{%- endif %}
{%- if rows > round %}
for (var t = 0u; t < {{ rows // group }}u; t += {{ round // group }}u) {
{%- set g = "t + " %}
{%- else %}
{%- set g = "" %}
{%- endif %}
{%- for n in range(ahead) %}{{ gradient_loads(layer, g ~ (n // group) ~ "u", n % group, n) }}{% endfor %}
{%- for n in range(round) %}
{%- if n + ahead < round %}{{ gradient_loads(layer, g ~ ((n + ahead) // group) ~ "u", (n + ahead) % group, n + ahead) }}{% endif %}
{{- gradient_sums(layer, n) }}
{%- endfor %}
{%- if rows > round %}
}
{%- endif %}
{%- if tile.lanes < lanes %}
}
{%- endif %}
}
{%- endmacro %}
