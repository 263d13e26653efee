// Each gradient without what it has against each of the others, in the order drawn for it. Rust twin:
// `weighting::gradients::pcgrad`.
fn pcgrad_weigh() {
    var sum: Vector;
    for (var i = 0u; i < tasks; i++) {
        var own: Vector;
        own[i / 4u][i % 4u] = 1.0;
        let key = draw_key() + vec2(i * 0x9e3779b9u, 0u);
        for (var place = 0u; place < tasks; place++) {
            let j = rank(place, tasks, key);
            var along = 0.0;
            for (var k = 0u; k < tasks; k++) {
                along += own[k / 4u][k % 4u] * gram(k, j);
            }
            let taken = select(0.0, along / gram(j, j), along < 0.0 && j != i);
            own[j / 4u][j % 4u] -= taken;
        }
        sum += own;
    }
    for (var k = 0u; k < tasks; k++) {
        set_weight(present[k], sum[k / 4u][k % 4u]);
    }
}
