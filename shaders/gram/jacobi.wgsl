// Eigenvalues and eigenvectors of a small symmetric matrix, by Jacobi's rotations. Rust twin: `weighting::gradients::jacobi`.

const MOST_SWEEPS = 14u;
// What f32 knows of a product beside the two squares.
const ROTATES_ABOVE = 1.2e-7;

// Leaves the eigenvalues of `matrix` on its diagonal, and the eigenvectors in the rows of `made`.
fn find_eigenvectors() {
    for (var i = 0u; i < tasks; i++) {
        made[i] = Vector();
        made[i][i / 4u][i % 4u] = 1.0;
    }
    var is_done = false;
    for (var sweep = 0u; sweep < MOST_SWEEPS && !is_done; sweep++) {
        is_done = true;
        for (var i = 0u; i < tasks; i++) {
            for (var j = i + 1u; j < tasks; j++) {
                let ii = matrix[i][i / 4u][i % 4u];
                let jj = matrix[j][j / 4u][j % 4u];
                let ij = matrix[i][j / 4u][j % 4u];
                if abs(ij) > ROTATES_ABOVE * sqrt(abs(ii * jj)) {
                    is_done = false;
                    rotate(i, j, rotation(ii, jj, ij));
                }
            }
        }
    }
}

// Cosine and sine of the rotation that makes `ij` 0.
fn rotation(ii: f32, jj: f32, ij: f32) -> vec2<f32> {
    let tau = (jj - ii) / (2.0 * ij);
    let tangent = select(-1.0, 1.0, tau >= 0.0) / (abs(tau) + sqrt(1.0 + tau * tau));
    let cosine = 1.0 / sqrt(1.0 + tangent * tangent);
    return vec2(cosine, tangent * cosine);
}

fn rotate(i: u32, j: u32, turn: vec2<f32>) {
    for (var part = 0u; part < 4u; part++) {
        let of_i = matrix[i][part];
        let of_j = matrix[j][part];
        matrix[i][part] = turn.x * of_i - turn.y * of_j;
        matrix[j][part] = turn.y * of_i + turn.x * of_j;
        let vector_i = made[i][part];
        let vector_j = made[j][part];
        made[i][part] = turn.x * vector_i - turn.y * vector_j;
        made[j][part] = turn.y * vector_i + turn.x * vector_j;
    }
    for (var k = 0u; k < tasks; k++) {
        let of_i = matrix[k][i / 4u][i % 4u];
        let of_j = matrix[k][j / 4u][j % 4u];
        matrix[k][i / 4u][i % 4u] = turn.x * of_i - turn.y * of_j;
        matrix[k][j / 4u][j % 4u] = turn.y * of_i + turn.x * of_j;
    }
    matrix[i][j / 4u][j % 4u] = 0.0;
    matrix[j][i / 4u][i % 4u] = 0.0;
}
