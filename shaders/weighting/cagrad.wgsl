// Within a ball around the mean gradient, the direction that serves the worst-off task best; settings: c, whether to divide by
// 1 + c^2. Rust twin, which tells how: `weighting::gradients::cagrad`.
fn cagrad_weigh() {
    let c = setting(0u);
    take_cosines(0.0, RIDGE);
    var mean = lengths;
    let parts = 1.0 / f32(tasks);
    mean *= parts;
    let along = matrix_times(mean);
    let square = max(dot_of(along, mean), 0.0);
    var z = cagrad_grown(along, c * c * square);
    let divisor = select(1.0 + c * c, 1.0, setting(1u) == 0.0);
    for (var k = 0u; k < tasks; k++) {
        set_weight(present[k], (parts + z[k / 4u][k % 4u] / lengths[k / 4u][k % 4u]) / divisor);
    }
}

// The y at which y C y is `square`.
fn cagrad_grown(along: Vector, square: f32) -> Vector {
    var means = along;
    var start = -3.4028234663852886e38;
    var inverses: Vector;
    for (var k = 0u; k < tasks; k++) {
        let length = lengths[k / 4u][k % 4u];
        inverses[k / 4u][k % 4u] = 1.0 / length;
        start = max(start, -means[k / 4u][k % 4u] * length);
    }
    slopes = inverses;
    values = not_negative(along + start * slopes);
    begin_path();
    var left = square;
    var goes_on = left > 0.0;
    while goes_on {
        // When theta falls by t, y C y grows by 2 b t + a t^2; a is 0 where y = 0 has no direction yet.
        let a = -dot_of(of_free(slopes), inverses);
        let b = dot_of(of_free(values), inverses);
        let next = next_of_path();
        var needed = next.by;
        if a > 0.0 {
            needed = left / (b + sqrt(b * b + a * max(left, 0.0)));
        }
        let is_near = next.task == MOST_TASKS || (a > 0.0 && needed <= next.by);
        let by = select(next.by, max(needed, 0.0), is_near);
        advance(by);
        left -= by * (2.0 * b + a * by);
        goes_on = !is_near && left > 0.0 && pivot(next.task);
    }
    return of_free(values);
}
