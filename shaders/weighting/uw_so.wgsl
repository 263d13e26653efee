// Softmax of the inverse losses. Rust twin: `weighting::inverse`.
fn uw_so_weigh() {
    for (var k = 0u; k < task_count(); k++) {
        set_weight(k, 1.0 / positive_loss(k) / setting(0u));
    }
    weights_to_softmax(1.0, false);
}
