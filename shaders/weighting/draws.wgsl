// What schemes draw at random. Rust twin: `weighting::draws`.

// cos(2 pi turn) of a turn in [0, 1), by the series of half the angle, since WGSL lets `cos` be wrong by 5e-4.
fn cosine_of_turn(turn: f32) -> f32 {
    let half = 3.1415926536 * (turn - select(0.0, 1.0, turn > 0.5));
    let t = half * half;
    let c = 1.0 + t * (-1.0 / 2.0 + t * (1.0 / 24.0 + t * (-1.0 / 720.0 + t * (1.0 / 40320.0
        + t * (-1.0 / 3628800.0 + t * (1.0 / 479001600.0))))));
    return 2.0 * c * c - 1.0;
}

// A number for task k from the normal distribution.
fn normal(k: u32) -> f32 {
    let words = pcg4d(vec4(k, 0xffffffffu, member.draws_low, member.draws_high));
    let radius = (f32(words.z >> 8u) + 0.5) / 16777216.0;
    let turn = (f32(words.w >> 8u) + 0.5) / 16777216.0;
    return sqrt(2.0 * ln_1p((1.0 - radius) / radius)) * cosine_of_turn(turn);
}
