// A direction along which every gradient has the same projection: w ~ G^-1 sqrt(diag G), of sum 1 or -1. Rust twin:
// `weighting::gradients::imtl_g`.
const IMTL_G_LEAST_SUM = 1e-6;

fn imtl_g_weigh() {
    take_cosines(0.0, RIDGE);
    var ones: Vector;
    for (var k = 0u; k < tasks; k++) {
        ones[k / 4u][k % 4u] = 1.0;
    }
    var v = solved(ones, Vector(), ones, 0.5 * RIDGE);
    var sizes = 0.0;
    for (var k = 0u; k < tasks; k++) {
        v[k / 4u][k % 4u] /= lengths[k / 4u][k % 4u];
        sizes += abs(v[k / 4u][k % 4u]);
    }
    let sum = max(abs(sum_of_vector(v)), IMTL_G_LEAST_SUM * sizes);
    for (var k = 0u; k < tasks; k++) {
        set_weight(present[k], v[k / 4u][k % 4u] / sum);
    }
}
