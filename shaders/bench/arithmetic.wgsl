// How fast this adapter multiplies and adds: eight independent chains a lane, all in registers.

// Rounds of the loop. 8 chains x 4 components x 2 operations a round.
const ROUNDS = 1024u;

@group(0) @binding(0) var<storage, read_write> values: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let index = unfolded(group, groups) * LANES + lane;
    if index >= arrayLength(&values) {
        return;
    }
    // A factor that no compiler knows and that keeps the chains finite.
    let factor = values[index];
    var a = factor;
    var b = factor + 1.0;
    var c = factor + 2.0;
    var d = factor + 3.0;
    var e = factor + 4.0;
    var f = factor + 5.0;
    var g = factor + 6.0;
    var h = factor + 7.0;
    for (var round = 0u; round < ROUNDS; round++) {
        a = fma(a, factor, factor);
        b = fma(b, factor, factor);
        c = fma(c, factor, factor);
        d = fma(d, factor, factor);
        e = fma(e, factor, factor);
        f = fma(f, factor, factor);
        g = fma(g, factor, factor);
        h = fma(h, factor, factor);
    }
    // The chains tend to 1 from 0.5, which goes on to the next dispatch.
    values[index] = (a + b + c + d + e + f + g + h) / 16.0;
}
