// Gradients of the losses' logarithms, brought to the length of the longest; setting: how much of the earlier lengths is kept;
// memory: their root mean square. Rust twin: `weighting::gradients::db_mtl`.
fn db_mtl_weigh() {
    var most = 0.0;
    for (var k = 0u; k < tasks; k++) {
        let length = sqrt(gram_of(present[k], present[k])) / loss(k);
        let average = memory_of(present[k], 0u);
        let kept = select(setting(0u), 0.0, average == 0.0);
        // By the longer, whose square may be too large.
        let scale = max(length, average);
        let parts = vec2(average, length) / scale;
        let now = scale * sqrt(kept * parts.x * parts.x + (1.0 - kept) * parts.y * parts.y);
        set_memory(present[k], 0u, now);
        most = max(most, now);
    }
    for (var k = 0u; k < tasks; k++) {
        set_weight(present[k], most / memory_of(present[k], 0u) / loss(k));
    }
}
