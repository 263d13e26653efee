// The geometric mean. Rust twin: `weighting::geometric`.
fn geometric_weigh() {
    var sum = 0.0;
    var count = 0.0;
    for (var k = 0u; k < task_count(); k++) {
        if is_labelled(k) {
            sum += log(positive_loss(k));
            count += 1.0;
        }
    }
    count = max(count, 1.0);
    for (var k = 0u; k < task_count(); k++) {
        let weight = exp(sum / count - log(positive_loss(k))) / count;
        set_weight(k, select(0.0, weight, is_labelled(k)));
    }
}
