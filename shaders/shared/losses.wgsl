// The task losses, value and derivative at once, before the division by the task's normaliser.
// Rust twin: `loss::Loss`.

const MSE = 0u;
const MAE = 1u;
const HUBER = 2u;
const BCE = 3u;
const CROSS_ENTROPY = 4u;
const QUANTILE = 5u;
const POISSON = 6u;
// These predict their own noise, from the first of them on.
const GAUSSIAN_NLL = 7u;
const LAPLACE_NLL = 8u;

// Rust twin: `loss::own_noise::MOST_LOG_SCALE`.
const MOST_LOG_SCALE = 30.0;

fn predicts_noise(loss: u32) -> bool {
    return loss >= GAUSSIAN_NLL;
}

fn mse(difference: f32) -> vec2<f32> {
    return vec2(difference * difference, 2.0 * difference);
}

fn mae(difference: f32) -> vec2<f32> {
    return vec2(abs(difference), sign(difference));
}

fn huber(difference: f32, delta: f32) -> vec2<f32> {
    let size = abs(difference);
    if size <= delta {
        return vec2(0.5 * difference * difference, difference);
    }
    return vec2(delta * (size - 0.5 * delta), delta * sign(difference));
}

// The pinball loss of a quantile.
fn pinball(difference: f32, quantile: f32) -> vec2<f32> {
    let slope = select(-quantile, 1.0 - quantile, difference > 0.0);
    return vec2(slope * difference, select(slope, 0.0, difference == 0.0));
}

// Half the Poisson deviance of a count t where p is the logarithm of the expected one: t (e^d - 1 - d), d = p - ln t. A denormal
// count is none, as devices may have it. Far above a small count e^d may overflow where e^p does not, and nothing cancels.
fn poisson(p: f32, count: f32) -> vec2<f32> {
    let expected = exp(p);
    if count < 1.1754944e-38 {
        return vec2(expected);
    }
    let beyond = p - log(count);
    let near = count * exp_beyond_line(min(beyond, 20.0));
    return vec2(select(near, expected - count * (1.0 + beyond), beyond > 20.0), expected - count);
}

// Binary cross-entropy on a logit x: max(x, 0) - x t and the slope sigmoid(x) - t, written so that neither cancels.
fn bce(logit: f32, label: f32) -> vec2<f32> {
    let missed = select(label, 1.0 - label, logit > 0.0);
    let value = abs(logit) * missed + ln_1p(exp(-abs(logit)));
    return vec2(value, (1.0 - label) * sigmoid(logit) - label * sigmoid(-logit));
}

// Loss and slope of one column of numbers.
fn element_loss(task: Task, prediction: f32, label: f32) -> vec2<f32> {
    let difference = prediction - label;
    switch task.loss {
        case MSE: { return mse(difference); }
        case MAE: { return mae(difference); }
        case HUBER: { return huber(difference, task.parameter); }
        case QUANTILE: { return pinball(difference, task.parameter); }
        case POISSON: { return poisson(prediction, label); }
        default: { return bce(prediction, label); }
    }
}

// Loss of one column of numbers whose noise is predicted too, as the logarithm of its scale, and the slopes at the number and there.
fn noise_loss(task: Task, prediction: f32, log_scale: f32, label: f32) -> vec3<f32> {
    let difference = prediction - label;
    let s = clamp(log_scale, -MOST_LOG_SCALE, MOST_LOG_SCALE);
    if task.loss == LAPLACE_NLL {
        let inverse = exp(-s);
        let size = abs(difference) * inverse;
        return vec3(s + size, sign(difference) * inverse, 1.0 - size);
    }
    let scaled = difference * exp(-0.5 * s);
    let square = scaled * scaled;
    // beta
    let kept = exp(task.parameter * s);
    return vec3(0.5 * (s + square), difference * exp((task.parameter - 1.0) * s), 0.5 * kept * (1.0 - square));
}

// What cross-entropy needs to know of a row of logits z whose class is y.
struct ClassRow {
    highest: f32,   // max z
    others: f32,    // sum over c != y of e^(z_c - highest)
    own: f32,       // z_y - highest, at most 0
    weight: f32,    // class weight of y
    weighted_depth: f32,    // sum over c of w_c (highest - z_c); only used with smoothing
}

// ln sum e^(z - highest): exact where the class itself is the highest, which is where it is tiny.
fn log_sum(row: ClassRow) -> f32 {
    if row.own == 0.0 {
        return ln_1p(row.others);
    }
    return log(row.others + exp(row.own));
}

// (1 - s) w_y (-ln p_y) + s/C sum_c w_c (-ln p_c), smoothing s, C classes.
fn class_loss(task: Task, row: ClassRow) -> f32 {
    let level = log_sum(row);
    let own = row.weight * (level - row.own);
    if task.parameter == 0.0 {
        return own;
    }
    let all = task.all_weights * level + row.weighted_depth;
    return (1.0 - task.parameter) * own + task.parameter / f32(task.width) * all;
}

// The slope at logit z of class c: mass p_c - target_c, where target is the label's (smoothed, weighted)
// mass on each class. At the row's own class p_y = 1 - others/sum, so that p_y - 1 does not cancel.
fn class_slope(task: Task, row: ClassRow, is_own: bool, weight: f32, logit: f32) -> f32 {
    let spread = task.parameter / f32(task.width);
    let kept = (1.0 - task.parameter) * row.weight;
    let mass = kept + spread * task.all_weights;
    let sum = row.others + exp(row.own);
    if is_own {
        return mass - kept - spread * weight - mass * row.others / sum;
    }
    return mass * exp(logit - row.highest) / sum - spread * weight;
}
