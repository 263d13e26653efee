// Fast adaptive multitask optimization; memory: xi, its two moments, the number of its updates. Rust twin: `weighting::famo`.
const FAMO_BETA1 = 0.9;
const FAMO_BETA2 = 0.999;

fn famo_shares() {
    for (var k = 0u; k < task_count(); k++) {
        set_weight(k, memory_of(k, 0u));
    }
    weights_to_softmax(1.0, true);
}

fn famo_weigh() {
    famo_shares();
    var sum = 0.0;
    for (var k = 0u; k < task_count(); k++) {
        set_weight(k, select(0.0, weight_of(k) / positive_loss(k), is_labelled(k)));
        sum += weight_of(k);
    }
    for (var k = 0u; k < task_count(); k++) {
        set_weight(k, select(0.0, weight_of(k) / sum, sum > 0.0));
    }
}

fn famo_fall(k: u32) -> f32 {
    let fall = log(positive_loss(k) / max(then_of(k), LEAST_LOSS));
    return select(0.0, fall, is_labelled(k));
}

fn famo_follow() {
    famo_shares();
    var mean = 0.0;
    for (var k = 0u; k < task_count(); k++) {
        mean += weight_of(k) * famo_fall(k);
    }
    for (var k = 0u; k < task_count(); k++) {
        let xi = memory_of(k, 0u);
        let gradient = weight_of(k) * (famo_fall(k) - mean) + setting(1u) * xi;
        let first = FAMO_BETA1 * memory_of(k, 1u) + (1.0 - FAMO_BETA1) * gradient;
        let second = FAMO_BETA2 * memory_of(k, 2u) + (1.0 - FAMO_BETA2) * gradient * gradient;
        let updates = memory_of(k, 3u) + 1.0;
        let root = sqrt(second / (1.0 - pow(FAMO_BETA2, updates)));
        set_memory(k, 0u, xi - setting(0u) * first / (1.0 - pow(FAMO_BETA1, updates)) / (root + 1e-8));
        set_memory(k, 1u, first);
        set_memory(k, 2u, second);
        set_memory(k, 3u, updates);
    }
}
