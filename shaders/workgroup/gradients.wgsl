{%- for layer in layers %}
{%- for q in range(4 * layer.gradient.down // layer.gradient.slices) %}
{%- for p in range(layer.gradient.across) %}
    var gradient{{ layer.number }}_{{ q }}_{{ p }} = vec4(0.0);
{%- endfor %}
{%- endfor %}
{%- if not layer.is_last %}
    var bias{{ layer.number }} = vec4(0.0);
{%- endif %}
{%- endfor %}
{%- for q in range(heads.gradient.down) %}
    var gradient_of_bias_{{ q }} = {% if heads.gradient.slices == 4 %}0.0{% elif heads.gradient.slices == 2 %}vec2(0.0){% else %}vec4(0.0){% endif %};
{%- endfor %}
