// Weights learned so that every weighted gradient has the length that suits its task's pace; settings: alpha, the rate; memory: phi,
// Adam's two averages, the first loss. Rust twin: `weighting::gradients::gradnorm`.
const GRADNORM_BETA1 = 0.9;
const GRADNORM_BETA2 = 0.999;
// The natural logarithms of both.
const GRADNORM_LOG_BETA1 = -0.105360515658;
const GRADNORM_LOG_BETA2 = -0.00100050033358;
const GRADNORM_EPSILON = 1e-8;
// What is nearer to its aim than this is there.
const GRADNORM_SLACK = 1e-6;

// 1 - beta^step, which cancels nothing.
fn gradnorm_correction(log_beta: f32) -> f32 {
    let power = log_beta * step_number();
    return -(power + exp_beyond_line(power));
}

fn gradnorm_weights() -> Vector {
    var highest = -3.4028234663852886e38;
    for (var k = 0u; k < tasks; k++) {
        highest = max(highest, memory_of(present[k], 0u));
    }
    var powers: Vector;
    for (var k = 0u; k < tasks; k++) {
        powers[k / 4u][k % 4u] = exp(memory_of(present[k], 0u) - highest);
    }
    let scale = f32(tasks) / sum_of_vector(powers);
    powers *= scale;
    return powers;
}

// The pace of each task, of mean 1.
fn gradnorm_paces() -> Vector {
    var ratios: Vector;
    for (var k = 0u; k < tasks; k++) {
        if memory_of(present[k], 3u) == 0.0 {
            set_memory(present[k], 3u, loss(k));
        }
        ratios[k / 4u][k % 4u] = loss(k) / memory_of(present[k], 3u);
    }
    let mean = sum_of_vector(ratios) / f32(tasks);
    for (var k = 0u; k < tasks; k++) {
        ratios[k / 4u][k % 4u] /= mean;
    }
    return ratios;
}

fn gradnorm_weigh() {
    var weighing = gradnorm_weights();
    var paces = gradnorm_paces();
    var own: Vector;
    for (var k = 0u; k < tasks; k++) {
        own[k / 4u][k % 4u] = sqrt(gram_of(present[k], present[k]));
    }
    let target_length = dot_of(weighing, own) / f32(tasks);
    // The slope for each weight, and through the softmax that for phi.
    var rises: Vector;
    for (var k = 0u; k < tasks; k++) {
        let length = own[k / 4u][k % 4u];
        let aim = target_length * pow(paces[k / 4u][k % 4u], setting(0u));
        let beyond = weighing[k / 4u][k % 4u] * length - aim;
        rises[k / 4u][k % 4u] = select(0.0, length * sign(beyond), abs(beyond) > GRADNORM_SLACK * aim);
    }
    let shared_rise = dot_of(weighing, rises) / f32(tasks);
    for (var k = 0u; k < tasks; k++) {
        let weight = weighing[k / 4u][k % 4u];
        gradnorm_learn(present[k], weight * (rises[k / 4u][k % 4u] - shared_rise));
        set_weight(present[k], weight);
    }
}

// A step of Adam for phi.
fn gradnorm_learn(k: u32, gradient: f32) {
    let first = GRADNORM_BETA1 * memory_of(k, 1u) + (1.0 - GRADNORM_BETA1) * gradient;
    let second = GRADNORM_BETA2 * memory_of(k, 2u) + (1.0 - GRADNORM_BETA2) * gradient * gradient;
    let root = sqrt(second / gradnorm_correction(GRADNORM_LOG_BETA2));
    let step = first / gradnorm_correction(GRADNORM_LOG_BETA1) / (root + GRADNORM_EPSILON);
    set_memory(k, 0u, memory_of(k, 0u) - setting(1u) * step);
    set_memory(k, 1u, first);
    set_memory(k, 2u, second);
}
