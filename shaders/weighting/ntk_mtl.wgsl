// More for tasks whose gradients are short: (tr G / G_kk)^p; setting: p. Rust twin: `weighting::gradients::ntk_mtl`.
fn ntk_mtl_weigh() {
    for (var k = 0u; k < tasks; k++) {
        set_weight(present[k], pow(gram(k, k), -setting(0u)));
    }
}
