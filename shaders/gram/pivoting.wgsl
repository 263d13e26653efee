// y >= 0 with s = C y + q >= 0 and y s = 0, by parametric principal pivoting: with q + theta d in q's place, d > 0, the answer
// for a large theta is y = 0; as theta falls, y and s change linearly, until one of them reaches 0 and a pivot lets its partner
// grow. Rust twin, which tells more: `weighting::gradients::pivoting`.

// y where it is free, else s, at this theta, and by how much they grow with it. `made` says what they change by for a unit of
// the variables that are 0.
var<workgroup> values: Vector;
var<workgroup> slopes: Vector;
// A bit a task: y is free, and s 0.
var<private> free_tasks: u32;
var<private> pivots_left: u32;

// The task whose value is the next to reach 0, and by how much theta falls until then; no task if none does.
struct Next {
    task: u32,
    by: f32,
}

// At y = 0, where s is `values`, none below 0, and d is `slopes`.
fn begin_path() {
    free_tasks = 0u;
    pivots_left = 3u * tasks;
    for (var i = 0u; i < tasks; i++) {
        made[i] = matrix[i];
    }
}

fn next_of_path() -> Next {
    var next = Next(MOST_TASKS, 0.0);
    for (var k = 0u; k < tasks; k++) {
        let value = values[k / 4u][k % 4u];
        let slope = slopes[k / 4u][k % 4u];
        if slope > 0.0 && (next.task == MOST_TASKS || value < next.by * slope) {
            next = Next(k, value / slope);
        }
    }
    return next;
}

fn advance(by: f32) {
    values = not_negative(values - by * slopes);
}

// Lets the partner of this task's value, which is 0, grow. Whether there was a pivot left.
fn pivot(k: u32) -> bool {
    if pivots_left == 0u {
        return false;
    }
    pivots_left -= 1u;
    // Positive but for rounding.
    let inverse = 1.0 / max(made[k][k / 4u][k % 4u], 0.5 * RIDGE);
    let row = made[k];
    let slope = slopes[k / 4u][k % 4u];
    for (var i = 0u; i < tasks; i++) {
        let factor = made[i][k / 4u][k % 4u] * inverse;
        made[i] -= factor * row;
        made[i][k / 4u][k % 4u] = factor;
        slopes[i / 4u][i % 4u] -= factor * slope;
    }
    made[k] = -inverse * row;
    made[k][k / 4u][k % 4u] = inverse;
    slopes[k / 4u][k % 4u] = -inverse * slope;
    values[k / 4u][k % 4u] = 0.0;
    free_tasks ^= 1u << k;
    return true;
}

// Goes on until theta has fallen by all of this.
fn follow_path(distance: f32) {
    var left = distance;
    var next = next_of_path();
    while next.task < MOST_TASKS && next.by < left {
        advance(next.by);
        left -= next.by;
        if !pivot(next.task) {
            return;
        }
        next = next_of_path();
    }
    advance(left);
}

// y at this theta.
fn solution_of_path() -> Vector {
    return of_free(values);
}

fn of_free(column: Vector) -> Vector {
    var x = column;
    for (var k = 0u; k < tasks; k++) {
        x[k / 4u][k % 4u] *= f32((free_tasks >> k) & 1u);
    }
    return x;
}
