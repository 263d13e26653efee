// Where awl's weights come to rest. Rust twin: `weighting::inverse`.
fn awl_closed_form_weigh() {
    for (var k = 0u; k < task_count(); k++) {
        let loss = positive_loss(k);
        set_weight(k, select(0.0, 2.0 / (loss + sqrt(loss * loss + 8.0 * loss)), is_labelled(k)));
    }
}
