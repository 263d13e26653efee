{#- The products of `block`. Everything is unrolled here and not by loops in WGSL, whose bounds drivers would test at every
    round, and loads stand a round before their use: compilers leave those of workgroup memory where they are. -#}

{#- The loads of the c-th vec4 in a block of four: `tile` rows of the units `h`, and four rows of the weights. -#}
{%- macro loads(h, tile, group, first, block, c, stride) %}
{%- for i in range(tile) %}
let a{{ c }}_{{ i }} = {{ h }}[row{{ i // group }}][{{ i % group }}u][{{ first }}{{ block }}][{{ c }}u];
{%- endfor %}
{%- for j in range(4) %}
let w{{ c }}_{{ j }} = parameters[seat][from_weight + {{ block }} * {{ 16 * stride }}u + {{ (4 * c + j) * stride }}u];
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
{%- macro block(h, tile, group, first, block, count, stride, ahead) %}
{%- for c in range(ahead) %}{{ loads(h, tile, group, first, block, c, stride) }}{% endfor %}
{%- for c in range(count) %}
{%- if c + ahead < count %}{{ loads(h, tile, group, first, block, c + ahead, stride) }}{% endif %}
{{- sums(tile, c) }}
{%- endfor %}
{%- endmacro %}

{#- z0 .. z<tile - 1> += the units `h` of the rows row<number>, `depth` vec4s from the block `first` on, times the weights whose
    first vec4 is at `from_weight` and whose rows are `stride` vec4s long. -#}
{%- macro product(h, tile, group, first, depth, stride, ahead) %}
{%- set whole = depth // 4 %}
{%- if whole > 1 %}
for (var t = 0u; t < {{ whole }}u; t++) {
    {{- block(h, tile, group, first, "t", 4, stride, ahead) }}
}
{%- elif whole == 1 %}
{
    {{- block(h, tile, group, first, "0u", 4, stride, ahead) }}
}
{%- endif %}
{%- if depth % 4 > 0 %}
{
    {{- block(h, tile, group, first, whole ~ "u", depth % 4, stride, ahead) }}
}
{%- endif %}
{%- endmacro %}

{#- Where the rows of a tile lie: group<number>. -#}
{%- macro rows_of(name, number, tile, group) %}
{%- for m in range([tile // group, 1] | max) %}
let {{ name }}{{ m }} = {% if tile == group %}{{ number }}{% else %}({{ number }}) * {{ tile // group }}u + {{ m }}u{% endif %};
{%- endfor %}
{%- endmacro %}

{#- What a lane owns of a layer's outputs, `width` vec4s wide: `tile` rows of a column. -#}
{%- macro own(width, tile, group) %}
let column = lane % {{ width }}u;
let tile = lane / {{ width }}u;
{{- rows_of("own", "tile", tile, group) }}
{%- endmacro %}

{#- The cell of row i of a tile in the lane's column. -#}
{%- macro cell(h, name, i, group) -%}
{{ h }}[{{ name }}{{ i // group }}][{{ i % group }}u][column / 4u][column % 4u]
{%- endmacro %}

{#- The lanes that have a tile. -#}
{%- macro guard(own_lanes, lanes) %}
{% if own_lanes < lanes %}if lane < {{ own_lanes }}u {% endif %}{
{%- endmacro %}

{#- sum<i> of the rows that a lane owns = the units `h` times the weights, of which `weight` is the first vec4. Where the product
    is split, two lanes take the rows of both through half of the depth each, so that every weight is read for twice the rows:
    a lane then has a part of its own sums, and given<i>, a part of the other's, for `swap`. -#}
{%- macro tile_product(h, layer, group, depth, stride, weight, splits, ahead, lanes) %}
{%- set tile = layer.tile %}
{%- for i in range(tile) %}
var sum{{ i }} = vec4(0.0);
{%- if splits %}
var given{{ i }} = vec4(0.0);
{%- endif %}
{%- endfor %}
{{- guard(layer.lanes, lanes) }}
{{- own(layer.output_quads, tile, group) }}
{%- if splits %}
let half = tile % 2u;
let first_block = half * {{ depth // 8 }}u;
let from_weight = {{ weight }}u + column + half * {{ 2 * depth * stride }}u;
{{- rows_of("row", "tile / 2u", 2 * tile, group) }}
{%- for i in range(2 * tile) %}
var z{{ i }} = vec4(0.0);
{%- endfor %}
{{- product(h, 2 * tile, group, "first_block + ", depth // 2, stride, ahead) }}
{%- for i in range(tile) %}
sum{{ i }} = select(z{{ i }}, z{{ tile + i }}, half == 1u);
given{{ i }} = select(z{{ tile + i }}, z{{ i }}, half == 1u);
{%- endfor %}
{%- else %}
let from_weight = {{ weight }}u + column;
{{- rows_of("row", "tile", tile, group) }}
{%- for i in range(tile) %}
var z{{ i }} = vec4(0.0);
{%- endfor %}
{{- product(h, tile, group, "", depth, stride, ahead) }}
{%- for i in range(tile) %}
sum{{ i }} = z{{ i }};
{%- endfor %}
{%- endif %}
}
{%- endmacro %}

{#- Swaps the parts of each other's sums by way of the cells `to`, whose contents nobody needs any more. -#}
{%- macro swap(to, layer, group, lanes) %}
{{- guard(layer.lanes, lanes) }}
{{- own(layer.output_quads, layer.tile, group) }}
{{- rows_of("other", "tile ^ 1u", layer.tile, group) }}
{%- for i in range(layer.tile) %}
{{ cell(to, "other", i, group) }} = given{{ i }};
{%- endfor %}
}
workgroupBarrier();
{{- guard(layer.lanes, lanes) }}
{{- own(layer.output_quads, layer.tile, group) }}
{%- for i in range(layer.tile) %}
sum{{ i }} += {{ cell(to, "own", i, group) }};
{%- endfor %}
}
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
