// Random weights, anew in every step. Rust twin: `weighting::rlw`.
fn rlw_after() {
    for (var k = 0u; k < task_count(); k++) {
        set_weight(k, normal(k));
    }
    weights_to_softmax(1.0, true);
}
