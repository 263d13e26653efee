// The sum of ln L. Rust twin: `weighting::inverse`.
fn scale_invariant_weigh() {
    for (var k = 0u; k < task_count(); k++) {
        let loss = positive_loss(k);
        set_weight(k, select(0.0, 1.0 / loss, is_labelled(k)));
    }
}
