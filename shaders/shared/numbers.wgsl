// Elementary functions that cancel nothing. WGSL lets `log` be wrong by 5e-7 in [0.5, 2] and `tanh` by far more,
// and lets a compiler assume that NaN and infinity never occur; `exp` is as good as the driver's.

// Whether x is neither NaN nor infinite, decided on its bits.
fn is_finite(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

// ln(1 + x) for x >= 0. Below 1 as 2 atanh(s), s = x / (2 + x) <= 1/3, by its series.
fn ln_1p(x: f32) -> f32 {
    if x > 1.0 {
        return log(1.0 + x);
    }
    let s = x / (2.0 + x);
    let t = s * s;
    let series = 1.0 + t * (1.0 / 3.0 + t * (1.0 / 5.0 + t * (1.0 / 7.0 + t * (1.0 / 9.0
        + t * (1.0 / 11.0 + t * (1.0 / 13.0 + t * (1.0 / 15.0)))))));
    return 2.0 * s * series;
}

// e^x - 1 - x, which is never negative: its series near 0, where it would cancel.
fn exp_beyond_line(x: f32) -> f32 {
    if abs(x) < 0.3 {
        return x * x * (1.0 / 2.0 + x * (1.0 / 6.0 + x * (1.0 / 24.0 + x * (1.0 / 120.0 + x * (1.0 / 720.0
            + x * (1.0 / 5040.0))))));
    }
    return exp(x) - 1.0 - x;
}

// 1 / (1 + e^-x), for any x.
fn sigmoid(x: f32) -> f32 {
    let e = exp(-abs(x));
    return select(e, 1.0, x >= 0.0) / (1.0 + e);
}

// tanh x: its series near 0, where 1 - e^-2x would cancel.
fn stable_tanh(x: f32) -> f32 {
    let t = x * x;
    if t < 0.04 {
        return x * (1.0 + t * (-1.0 / 3.0 + t * (2.0 / 15.0 + t * (-17.0 / 315.0 + t * (62.0 / 2835.0)))));
    }
    let e = exp(-2.0 * abs(x));
    return sign(x) * (1.0 - e) / (1.0 + e);
}

// The normal distribution's cumulative function, absolute error below 1e-7: Abramowitz & Stegun, Handbook
// of Mathematical Functions (1964), 7.1.26, which gives the smaller of the two tails without cancelling.
fn normal_cumulative(x: f32) -> f32 {
    let z = abs(x) * 0.7071067812;
    let t = 1.0 / (1.0 + 0.3275911 * z);
    let series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027
        + t * 1.061405429))));
    let tail = 0.5 * series * exp(-z * z);
    return select(tail, 1.0 - tail, x > 0.0);
}
