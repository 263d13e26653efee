// G w = w^(-1/alpha), by Newton's method, damped so that no step ends above where it began. Rust twin, which tells why:
// `weighting::gradients::fairgrad`.

const MOST_NEWTON_ROUNDS = 60u;

// d^(1/alpha - 1), and y = t^(alpha/(1 + alpha)) d w.
var<workgroup> worths: Vector;
var<workgroup> y: Vector;

// The weights times `factor`.
fn fair(alpha: f32, factor: f32) {
    take_cosines(0.0, RIDGE);
    let kappa = 1.0 + 1.0 / alpha;
    worths = Vector();
    y = Vector();
    for (var k = 0u; k < tasks; k++) {
        let own = pow(lengths[k / 4u][k % 4u], 1.0 / alpha - 1.0);
        worths[k / 4u][k % 4u] = own;
        // The solution for gradients at right angles.
        y[k / 4u][k % 4u] = pow(own, 1.0 / kappa);
    }
    var goes_on = true;
    for (var round = 0u; round < MOST_NEWTON_ROUNDS && goes_on; round++) {
        goes_on = newton(alpha, kappa);
    }
    let scale = factor * pow(trace, -alpha / (1.0 + alpha));
    for (var k = 0u; k < tasks; k++) {
        set_weight(present[k], scale * y[k / 4u][k % 4u] / lengths[k / 4u][k % 4u]);
    }
}

// A step. Whether another has something to do.
fn newton(alpha: f32, kappa: f32) -> bool {
    var owns: Vector;
    var lacking: Vector;
    for (var k = 0u; k < tasks; k++) {
        let own = y[k / 4u][k % 4u];
        let demand = own * worths[k / 4u][k % 4u] * pow(own, -1.0 / alpha);
        owns[k / 4u][k % 4u] = demand / alpha;
        lacking[k / 4u][k % 4u] = demand - own * dot_of(matrix[k], y);
    }
    // The unknown is the relative step.
    var step = solved(y, owns, lacking, LEAST_SQUARE);
    var falls = 0.0;
    var most = 0.0;
    for (var k = 0u; k < tasks; k++) {
        falls = max(falls, -step[k / 4u][k % 4u]);
        most = max(most, abs(step[k / 4u][k % 4u]));
    }
    let damped = 1.0 / (1.0 + kappa * falls);
    y += damped * each_times(y, step);
    return most > 1e-6;
}
