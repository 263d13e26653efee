// A Gram matrix as lengths and angles: G = t D C D, with its trace t, the lengths D of the gradients and the cosines C between
// them, with which f32 solves what it could not solve with G. Rust twin: `weighting::gradients::correlation`.

var<workgroup> lengths: Vector;

// Makes the matrix C of G/t. `regularisation` is added to the squares of the lengths, `ridge` to the ones of C.
fn take_cosines(regularisation: f32, ridge: f32) {
    lengths = Vector();
    for (var k = 0u; k < tasks; k++) {
        lengths[k / 4u][k % 4u] = sqrt(gram(k, k) + regularisation);
    }
    for (var i = 0u; i < tasks; i++) {
        let length = lengths[i / 4u][i % 4u];
        matrix[i] = Vector();
        for (var j = 0u; j < tasks; j++) {
            let cosine = gram(i, j) / length / lengths[j / 4u][j % 4u];
            matrix[i][j / 4u][j % 4u] = select(cosine, 1.0 + ridge, i == j);
        }
    }
}

// The solution x of (S C S + diag(own)) x = rhs with S = diag(scale), by Cholesky's factors, of which a pivot is at least `least`.
fn solved(scale: Vector, own: Vector, rhs: Vector, least: f32) -> Vector {
    var scales = scale;
    var owns = own;
    var known = rhs;
    for (var i = 0u; i < tasks; i++) {
        made[i] = Vector();
    }
    // Rows of `made` and `half` are 0 from where they are not known yet.
    var half: Vector;
    for (var j = 0u; j < tasks; j++) {
        let of_j = scales[j / 4u][j % 4u];
        let square = matrix[j][j / 4u][j % 4u] * of_j * of_j + owns[j / 4u][j % 4u] - dot_of(made[j], made[j]);
        let pivot = sqrt(max(square, least));
        half[j / 4u][j % 4u] = (known[j / 4u][j % 4u] - dot_of(made[j], half)) / pivot;
        for (var i = j + 1u; i < tasks; i++) {
            let product = matrix[i][j / 4u][j % 4u] * scales[i / 4u][i % 4u] * of_j;
            made[i][j / 4u][j % 4u] = (product - dot_of(made[i], made[j])) / pivot;
        }
        made[j][j / 4u][j % 4u] = pivot;
    }
    var x: Vector;
    for (var left = tasks; left > 0u; left--) {
        let j = left - 1u;
        let found = half[j / 4u][j % 4u] / made[j][j / 4u][j % 4u];
        x[j / 4u][j % 4u] = found;
        half -= found * made[j];
    }
    return x;
}
