// Small matrices and vectors, in the hands of one lane. What lies beyond `tasks` is 0, so that rows are taken whole: a row is
// no loop, of whose rounds software drivers make only so many.

// One number a task, the k-th at [k / 4][k % 4]; a matrix in name alone.
alias Vector = mat4x4<f32>;
// A row a task.
alias Matrix = array<Vector, MOST_TASKS>;

// What is large, or lives long, is in workgroup memory, where a lane can index it without spilling registers. These two are the
// problem's matrix, and what is made of it.
var<workgroup> matrix: Matrix;
var<workgroup> made: Matrix;

// x, where it is not below 0, else 0.
fn not_negative(x: Vector) -> Vector {
    let zero = vec4(0.0);
    return Vector(max(x[0], zero), max(x[1], zero), max(x[2], zero), max(x[3], zero));
}

// Number by number.
fn each_times(x: Vector, y: Vector) -> Vector {
    return Vector(x[0] * y[0], x[1] * y[1], x[2] * y[2], x[3] * y[3]);
}

fn dot_of(x: Vector, y: Vector) -> f32 {
    return dot(x[0], y[0]) + dot(x[1], y[1]) + dot(x[2], y[2]) + dot(x[3], y[3]);
}

fn sum_of_vector(x: Vector) -> f32 {
    return dot(x[0] + x[1] + x[2] + x[3], vec4(1.0));
}

fn matrix_times(y: Vector) -> Vector {
    var product: Vector;
    for (var i = 0u; i < tasks; i++) {
        product[i / 4u][i % 4u] = dot_of(matrix[i], y);
    }
    return product;
}
