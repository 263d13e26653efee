{#- The products of a block of rows with weights, for `block` and `resident`. Everything is unrolled here and not by loops in WGSL, whose bounds drivers would test at every
    round, and loads stand a round before their use: compilers leave those of workgroup memory where they are. -#}

{#- Where a product finds its weights: `packed` in storage, from the vec4 `first` on, in rows of `stride` vec4s, laid out along
    what the product puts out; `kept` in workgroup memory, once for both directions: W<layer>[output % 4][output / 4][input / 4],
    read along the outputs forward (`is_forward`), along the inputs backward. -#}
{%- macro weight_load(weights, first, block, c, j) -%}
{%- if weights.is_kept and weights.is_forward -%}
W{{ weights.layer }}[{{ j }}u][column][4u * ({{ first }}{{ block }}) + {{ c }}u]
{%- elif weights.is_kept -%}
W{{ weights.layer }}[{{ j }}u][4u * ({{ first }}{{ block }}) + {{ c }}u][column]
{%- else -%}
parameters[seat][from_weight + {{ block }} * {{ 16 * weights.stride }}u + {{ (4 * c + j) * weights.stride }}u]
{%- endif -%}
{%- endmacro %}

{#- The loads of the c-th vec4 in a block of four: `tile` rows of the units `h`, and four vec4s of the weights. -#}
{%- macro loads(h, tile, group, first, block, c, weights) %}
{%- for i in range(tile) %}
let a{{ c }}_{{ i }} = {{ h }}[row{{ i // group }}][{{ i % group }}u][{{ first }}{{ block }}][{{ c }}u];
{%- endfor %}
{%- for j in range(4) %}
let w{{ c }}_{{ j }} = {{ weight_load(weights, first, block, c, j) }};
{%- endfor %}
{%- endmacro %}

{%- macro sums(tile, c, weights) %}
{%- for j in range(4) %}
{%- set part = "xyzw"[j] %}
{%- if weights.is_kept and weights.is_forward %}
{%- set weight = "vec4(w" ~ c ~ "_0." ~ part ~ ", w" ~ c ~ "_1." ~ part ~ ", w" ~ c ~ "_2." ~ part ~ ", w" ~ c ~ "_3." ~ part ~ ")" %}
{%- else %}
{%- set weight = "w" ~ c ~ "_" ~ j %}
{%- endif %}
{%- for i in range(tile) %}
z{{ i }} += a{{ c }}_{{ i }}.{{ part }} * {{ weight }};
{%- endfor %}
{%- endfor %}
{%- endmacro %}

{#- `count` vec4s of a block of four. -#}
{%- macro block(h, tile, group, first, block, count, weights, ahead) %}
{%- for c in range(ahead) %}{{ loads(h, tile, group, first, block, c, weights) }}{% endfor %}
{%- for c in range(count) %}
{%- if c + ahead < count %}{{ loads(h, tile, group, first, block, c + ahead, weights) }}{% endif %}
{{- sums(tile, c, weights) }}
{%- endfor %}
{%- endmacro %}

{#- z0 .. z<tile - 1> += the units `h` of the rows row<number>, `depth` vec4s from the block `first` on, times the weights of the
    lane's column, which begin at `from_weight` where they are packed. -#}
{%- macro product(h, tile, group, first, depth, weights, ahead) %}
{%- set whole = depth // 4 %}
{%- if whole > 1 %}
for (var t = 0u; t < {{ whole }}u; t++) {
    {{- block(h, tile, group, first, "t", 4, weights, ahead) }}
}
{%- elif whole == 1 %}
{
    {{- block(h, tile, group, first, "0u", 4, weights, ahead) }}
}
{%- endif %}
{%- if depth % 4 > 0 %}
{
    {{- block(h, tile, group, first, whole ~ "u", depth % 4, weights, ahead) }}
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

{#- sum<i> of the rows that a lane owns = the units `h` times the weights. Where the product
    is split, two lanes take the rows of both through half of the depth each, so that every weight is read for twice the rows:
    a lane then has a part of its own sums, and given<i>, a part of the other's, for `swap`. -#}
{%- macro tile_product(h, layer, group, depth, weights, splits, ahead, lanes) %}
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
{%- if not weights.is_kept %}
let from_weight = {{ weights.first }}u + column + half * {{ 2 * depth * weights.stride }}u;
{%- endif %}
{{- rows_of("row", "tile / 2u", 2 * tile, group) }}
{%- for i in range(2 * tile) %}
var z{{ i }} = vec4(0.0);
{%- endfor %}
{{- product(h, 2 * tile, group, "first_block + ", depth // 2, weights, ahead) }}
{%- for i in range(tile) %}
sum{{ i }} = select(z{{ i }}, z{{ tile + i }}, half == 1u);
given{{ i }} = select(z{{ tile + i }}, z{{ i }}, half == 1u);
{%- endfor %}
{%- else %}
{%- if not weights.is_kept %}
let from_weight = {{ weights.first }}u + column;
{%- endif %}
{{- rows_of("row", "tile", tile, group) }}
{%- for i in range(tile) %}
var z{{ i }} = vec4(0.0);
{%- endfor %}
{{- product(h, tile, group, "", depth, weights, ahead) }}
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

{#- The lane as a layer counts those that hold its gradient. -#}
{%- macro gradient_lane(tile, lanes) -%}
{% if tile.first > 0 %}((lane + {{ lanes - tile.first }}u) % {{ lanes }}u){% else %}lane{% endif %}
{%- endmacro %}

{#- Where a slice of the gradient of the vec4 `row` of the last biases lies at the end of a step: in the place of the features. -#}
{%- macro head_cell(row, slice, slices, group) -%}
{%- set rows = 4 // slices -%}
H0[{{ row }} / {{ rows * group }}u][{{ row }} / {{ rows }}u % {{ group }}u][0u][{{ row }} % {{ rows }}u * {{ slices }}u + {{ slice }}]
{%- endmacro %}

{#- A row's loads for the gradient of the weights: deltas, of which a lane takes its slice, and inputs. -#}
{%- macro gradient_loads(layer, g, i, n) %}
{%- for q in range(layer.gradient.down) %}
{%- set delta = "H" ~ (layer.number + 1) ~ "[" ~ g ~ "][" ~ i ~ "u][down" ~ q ~ " / 4u][down" ~ q ~ " % 4u]" %}
{%- if layer.gradient.slices == 4 %}
let d{{ n }}_{{ q }} = {{ delta }}[slice];
{%- elif layer.gradient.slices == 2 %}
let d{{ n }}_{{ q }} = vec2({{ delta }}[2u * slice], {{ delta }}[2u * slice + 1u]);
{%- else %}
let d{{ n }}_{{ q }} = {{ delta }};
{%- endif %}
{%- endfor %}
{%- for p in range(layer.gradient.across) %}
let h{{ n }}_{{ p }} = H{{ layer.number }}[{{ g }}][{{ i }}u][across{{ p }} / 4u][across{{ p }} % 4u];
{%- endfor %}
{%- endmacro %}

{%- macro gradient_sums(layer, n) %}
{%- set slices = layer.gradient.slices %}
{%- for q in range(layer.gradient.down) %}
{%- if layer.is_last %}
gradient_of_bias_{{ q }} += d{{ n }}_{{ q }};
{%- endif %}
{%- for c in range(4 // slices) %}
{%- for p in range(layer.gradient.across) %}
gradient{{ layer.number }}_{{ 4 * q + c }}_{{ p }} += d{{ n }}_{{ q }}{% if slices < 4 %}.{{ "xyzw"[c] }}{% endif %} * h{{ n }}_{{ p }};
{%- endfor %}
{%- endfor %}
{%- endfor %}
{%- endmacro %}

{#- Adds the rows of the block to the gradient of a layer's weights, which stays in registers: a lane has `down` vec4s of
    outputs times `across` vec4s of inputs, or a slice of the outputs of one such square. -#}
{%- macro weight_gradient(layer, rows, group, lanes) %}
{%- set tile = layer.gradient %}
{
{%- if tile.first > 0 %}
let lane = {{ gradient_lane(tile, lanes) }};
{%- endif %}
{%- if tile.slices > 1 %}
let slice = lane / {{ tile.lanes }}u;
let first_across = lane % {{ tile.lanes }}u % {{ tile.columns }}u;
let first_down = lane % {{ tile.lanes }}u / {{ tile.columns }}u;
{%- else %}
let first_across = lane % {{ tile.columns }}u;
let first_down = lane / {{ tile.columns }}u;
{%- endif %}
{%- for q in range(tile.down) %}
let down{{ q }} = first_down + {{ q * tile.rows }}u;
{%- endfor %}
{%- for p in range(tile.across) %}
let across{{ p }} = first_across + {{ p * tile.columns }}u;
{%- endfor %}
{%- set round = tile.round %}
{%- set ahead = tile.ahead %}
{%- if tile.lanes * tile.slices < lanes %}
if lane < {{ tile.lanes * tile.slices }}u {
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
{%- if tile.lanes * tile.slices < lanes %}
}
{%- endif %}
}
{%- endmacro %}
