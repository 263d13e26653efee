// The end of a step of `block`: ending/parallel.wgsl, with the packed copy of every parameter that it updates.

@group(0) @binding(6) var<storage, read_write> packed: array<f32>;

fn keep_parameter(cell: u32, place: u32) {
    packed[seat * PACKED + cell] = state[member.state + place];
    let transposed = transposed_of(cell);
    if transposed != NO_PLACE {
        packed[seat * PACKED + transposed] = state[member.state + place];
    }
}

fn keep_sigma(k: u32) {
    packed[seat * PACKED + SIGMA_AT + k] = state[member.sigma + k];
}

{% include "block/places" %}
