// Smooth Tchebycheff; memory: sum and number of the first epoch's losses, their mean, and whether it is known. Rust twin:
// `weighting::stch`.
fn stch_is_warm() -> bool {
    return memory_of(0u, 3u) > 0.0;
}

fn stch_weigh() {
    var count = 0.0;
    for (var k = 0u; k < task_count(); k++) {
        let nadir = max(memory_of(k, 2u), LEAST_LOSS);
        set_weight(k, log(positive_loss(k) / nadir) / setting(0u));
        count += select(0.0, 1.0, is_labelled(k));
    }
    if stch_is_warm() {
        weights_to_softmax(count, false);
    }
    for (var k = 0u; k < task_count(); k++) {
        let part = select(1.0, weight_of(k), stch_is_warm());
        set_weight(k, select(0.0, part / positive_loss(k), is_labelled(k)));
    }
}

fn stch_after() {
    if stch_is_warm() {
        return;
    }
    for (var k = 0u; k < task_count(); k++) {
        if is_labelled(k) {
            set_memory(k, 0u, memory_of(k, 0u) + loss_of(k));
            set_memory(k, 1u, memory_of(k, 1u) + 1.0);
        }
        if step.ends_epoch != 0u {
            let count = memory_of(k, 1u);
            set_memory(k, 2u, select(1.0, memory_of(k, 0u) / count, count > 0.0));
        }
    }
    if step.ends_epoch != 0u {
        for (var k = 0u; k < task_count(); k++) {
            set_memory(k, 3u, 1.0);
        }
    }
}
