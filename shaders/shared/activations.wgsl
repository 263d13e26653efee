// The activations of the trunk with their derivatives: (value, slope) at x.
// Rust twin: `network::Activation`.

const RELU = 0u;
const TANH = 1u;
const GELU = 2u;
const SILU = 3u;
const NO_ACTIVATION = 4u;

fn activate(kind: u32, x: f32) -> vec2<f32> {
    switch kind {
        case RELU: {
            // Written so that NaN stays NaN.
            return select(vec2(x, 1.0), vec2(0.0), x <= 0.0);
        }
        case TANH: {
            let t = stable_tanh(x);
            return vec2(t, 1.0 - t * t);
        }
        case GELU: {
            let cumulative = normal_cumulative(x);
            let density = 0.3989422804 * exp(-0.5 * x * x);
            return vec2(x * cumulative, cumulative + x * density);
        }
        case SILU: {
            let s = sigmoid(x);
            return vec2(x * s, s * (1.0 + x * (1.0 - s)));
        }
        default: {
            return vec2(x, 1.0);
        }
    }
}
