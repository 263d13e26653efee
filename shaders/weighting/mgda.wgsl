// The shortest combination of the gradients: min w G w over the simplex. Rust twin: `weighting::gradients::mgda`.
fn mgda_weigh() {
    take_cosines(0.0, RIDGE);
    values = Vector();
    slopes = Vector();
    for (var k = 0u; k < tasks; k++) {
        let inverse = 1.0 / lengths[k / 4u][k % 4u];
        let ahead = f32(k + 1u) / f32(tasks);
        values[k / 4u][k % 4u] = ahead * inverse;
        slopes[k / 4u][k % 4u] = (1.0 + ahead) * inverse;
    }
    begin_path();
    follow_path(1.0);
    var u = solution_of_path();
    for (var k = 0u; k < tasks; k++) {
        u[k / 4u][k % 4u] /= lengths[k / 4u][k % 4u];
    }
    let sum = sum_of_vector(u);
    for (var k = 0u; k < tasks; k++) {
        set_weight(present[k], u[k / 4u][k % 4u] / sum);
    }
}
