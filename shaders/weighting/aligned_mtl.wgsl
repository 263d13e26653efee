// Gradients turned until they are orthogonal and of the same length: sqrt(least) V Lambda^-1/2 V^T 1/K. Rust twin:
// `weighting::gradients::aligned_mtl`.
fn aligned_mtl_weigh() {
    for (var i = 0u; i < tasks; i++) {
        matrix[i] = Vector();
        for (var j = 0u; j < tasks; j++) {
            matrix[i][j / 4u][j % 4u] = gram(i, j);
        }
    }
    find_eigenvectors();
    var most = 0.0;
    for (var k = 0u; k < tasks; k++) {
        most = max(most, matrix[k][k / 4u][k % 4u]);
    }
    // Those up to here count as 0.
    let zero = f32(tasks) * 1.1920929e-7 * most;
    var least = most;
    for (var k = 0u; k < tasks; k++) {
        let value = matrix[k][k / 4u][k % 4u];
        least = select(least, min(least, value), value > zero);
    }
    var sum: Vector;
    for (var k = 0u; k < tasks; k++) {
        let value = matrix[k][k / 4u][k % 4u];
        let counts = select(0.0, 1.0, value > zero);
        let part = counts * sqrt(least / max(value, least)) * sum_of_vector(made[k]) / f32(tasks);
        sum += part * made[k];
    }
    for (var k = 0u; k < tasks; k++) {
        set_weight(present[k], sum[k / 4u][k % 4u]);
    }
}
