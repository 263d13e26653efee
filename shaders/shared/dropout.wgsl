// Which units a training step drops. Rust twin: `network::Dropout`, bit for bit.

// A unit is dropped where its hash is below this: the probability times 2^32; 0: none ever is.
override DROPS_BELOW: u32 = 0u;
// What the activations of the others are multiplied by: 1 / (1 - the probability).
override KEPT: f32 = 1.0;

// What a unit's activation is multiplied by, and the gradient that comes back to it. `row` is the row's position in the
// batch, `unit` the place of the unit's bias among the parameters.
fn dropout_factor(row: u32, unit: u32) -> f32 {
    let hash = pcg4d(vec4(row, unit, member.draws_low, member.draws_high)).w;
    return select(KEPT, 0.0, hash < DROPS_BELOW);
}
