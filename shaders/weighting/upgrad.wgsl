// Every gradient moved as little as it takes to conflict with none, and their mean. Rust twin: `weighting::gradients::upgrad`.
const UPGRAD_REGULARISATION = 1e-4;

// For gradient i: how much of each is to be added to it, in units of 1/K.
fn upgrad_lifted(i: u32) -> Vector {
    var own = matrix[i];
    var start = 0.0;
    slopes = Vector();
    for (var k = 0u; k < tasks; k++) {
        let slope = 1.0 + f32(k + 1u) / f32(tasks);
        slopes[k / 4u][k % 4u] = slope;
        start = max(start, -own[k / 4u][k % 4u] / slope);
    }
    values = not_negative(own + start * slopes);
    begin_path();
    follow_path(start);
    var u = solution_of_path();
    let length = lengths[i / 4u][i % 4u];
    for (var k = 0u; k < tasks; k++) {
        u[k / 4u][k % 4u] *= length / lengths[k / 4u][k % 4u];
    }
    return u;
}

fn upgrad_weigh() {
    take_cosines(UPGRAD_REGULARISATION, 0.0);
    var sum: Vector;
    for (var i = 0u; i < tasks; i++) {
        let lifted = upgrad_lifted(i);
        sum += lifted;
    }
    for (var k = 0u; k < tasks; k++) {
        set_weight(present[k], (1.0 + sum[k / 4u][k % 4u]) / f32(tasks));
    }
}
