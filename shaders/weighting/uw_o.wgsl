// Where uncertainty's weights come to rest. Rust twin: `weighting::inverse`.
fn uw_o_weigh() {
    for (var k = 0u; k < task_count(); k++) {
        let loss = positive_loss(k);
        set_weight(k, select(0.0, 1.0 / loss, is_labelled(k)));
    }
}
