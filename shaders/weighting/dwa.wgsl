// Dynamic weight average; memory: sum and number of this epoch's losses, mean of the last epoch, of the one before. Rust twin:
// `weighting::dwa`.
fn dwa_after() {
    for (var k = 0u; k < task_count(); k++) {
        if is_labelled(k) {
            set_memory(k, 0u, memory_of(k, 0u) + loss_of(k));
            set_memory(k, 1u, memory_of(k, 1u) + 1.0);
        }
        if step.ends_epoch != 0u {
            if memory_of(k, 1u) > 0.0 {
                set_memory(k, 3u, memory_of(k, 2u));
                set_memory(k, 2u, max(memory_of(k, 0u) / memory_of(k, 1u), LEAST_LOSS));
                set_memory(k, 0u, 0.0);
                set_memory(k, 1u, 0.0);
            }
            let before = memory_of(k, 3u);
            set_weight(k, select(1.0, memory_of(k, 2u) / before, before > 0.0) / setting(0u));
        }
    }
    if step.ends_epoch != 0u {
        weights_to_softmax(f32(task_count()), true);
    }
}
