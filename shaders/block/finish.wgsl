// The end of a step of `block`: ending/parallel.wgsl, with the packed copy of every parameter that it updates.

@group(0) @binding(7) var<storage, read_write> packed: array<f32>;

fn keep_parameter(cell: u32, place: u32) {
    packed[cell] = parameters[place];
    let transposed = transposed_of(cell);
    if transposed != NO_PLACE {
        packed[transposed] = parameters[place];
    }
}

fn keep_sigma(k: u32) {
    packed[SIGMA_AT + k] = parameters[optimizer.parameters + k];
}

{% include "block/places" %}
