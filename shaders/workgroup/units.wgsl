// Units [groups of rows][rows of a group][.][4] of every layer: the features, then what each layer puts out.
{%- for width in widths %}
var<workgroup> H{{ loop.index0 }}: array<array<array<array<vec4<f32>, 4>, {{ width.blocks }}>, {{ group }}>, {{ rows // group }}>;
{%- endfor %}

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
