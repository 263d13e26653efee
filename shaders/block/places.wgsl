{#- Where the packed parameters come from: what `block` reads, weights padded to vec4s and once more transposed. -#}
// Cells: the floats of a share of the gradient and, laid out alike, of the packed parameters, in which sigma and the
// transposed weights follow. Weights are [outputs, inputs] and biases [outputs], both padded to multiples of 4.

const CELLS = {{ 4 * cells }}u;
const SIGMA_AT = {{ 4 * sigma }}u;
const PACKED = {{ 4 * packed }}u; // of a seat
const NO_PLACE = 0xffffffffu;

// Which of the engine's parameters a cell holds; NO_PLACE for padding.
fn parameter_of(cell: u32) -> u32 {
{%- for layer in layers %}
    if cell < {{ 4 * layer.bias }}u {
        let row = (cell - {{ 4 * layer.natural }}u) / {{ 4 * layer.input_quads }}u;
        let column = (cell - {{ 4 * layer.natural }}u) % {{ 4 * layer.input_quads }}u;
        let is_inside = row < {{ layer.outputs }}u && column < {{ layer.inputs }}u;
        return select(NO_PLACE, {{ layer.weight }}u + row * {{ layer.inputs }}u + column, is_inside);
    }
    if cell < {{ 4 * (layer.bias + layer.output_quads) }}u {
        let row = cell - {{ 4 * layer.bias }}u;
        return select(NO_PLACE, {{ layer.unit }}u + row, row < {{ layer.outputs }}u);
    }
{%- endfor %}
    return NO_PLACE;
}

// Where the transposed weight has the same number; NO_PLACE for a bias.
fn transposed_of(cell: u32) -> u32 {
{%- for layer in layers %}
    if cell < {{ 4 * layer.bias }}u {
        let row = (cell - {{ 4 * layer.natural }}u) / {{ 4 * layer.input_quads }}u;
        let column = (cell - {{ 4 * layer.natural }}u) % {{ 4 * layer.input_quads }}u;
        return {{ 4 * layer.transposed }}u + column * {{ 4 * layer.output_quads }}u + row;
    }
    if cell < {{ 4 * (layer.bias + layer.output_quads) }}u {
        return NO_PLACE;
    }
{%- endfor %}
    return NO_PLACE;
}
