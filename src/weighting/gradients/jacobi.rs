//! Eigenvalues and eigenvectors of small symmetric matrices, by Jacobi's rotations.
//!
//! Slow for large matrices and exact for small ones: with the rotations that stop where `|aᵢⱼ| ≤ ε√(aᵢᵢ aⱼⱼ)`, small eigenvalues of
//! positive definite matrices have as many digits as large ones, if it is the scale of the rows that makes them small (Demmel
//! & Veselić, *Jacobi's method is more accurate than QR*, 1992). WGSL twin: `shaders/gram/jacobi.wgsl`.

/// The most sweeps over all pairs. Convergence is quadratic: 16 rows took at most 13, and
/// the last of these turn nothing but rounding.
const MOST_SWEEPS: usize = 14;

/// Eigenvalues, and eigenvectors row by row, of a symmetric n×n matrix given row by row.
pub(super) fn eigen(mut a: Vec<f64>, n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut vectors: Vec<f64> = (0..n * n).map(|at| f64::from(at / n == at % n)).collect();
    for _ in 0..MOST_SWEEPS {
        let mut is_done = true;
        for i in 0..n {
            for j in i + 1..n {
                let (ii, jj, ij) = (a[i * n + i], a[j * n + j], a[i * n + j]);
                // At the precision of the numbers.
                if ij.abs() > f64::EPSILON * (ii * jj).abs().sqrt() {
                    is_done = false;
                    rotate(&mut a, &mut vectors, n, [i, j], rotation(ii, jj, ij));
                }
            }
        }
        if is_done {
            break;
        }
    }
    ((0..n).map(|k| a[k * n + k]).collect(), vectors)
}

/// Cosine and sine of the rotation that makes `ij` 0 (Golub & Van Loan, *Matrix Computations*, 8.5).
fn rotation(ii: f64, jj: f64, ij: f64) -> [f64; 2] {
    let tau = (jj - ii) / (2.0 * ij);
    let tangent = 1f64.copysign(tau) / (tau.abs() + (1.0 + tau * tau).sqrt());
    let cosine = 1.0 / (1.0 + tangent * tangent).sqrt();
    [cosine, tangent * cosine]
}

/// Rotates rows and columns i and j of the matrix, and rows i and j of the vectors.
fn rotate(a: &mut [f64], vectors: &mut [f64], n: usize, [i, j]: [usize; 2], [c, s]: [f64; 2]) {
    let turn = |m: &mut [f64], at: [usize; 2]| {
        let [x, y] = at.map(|at| m[at]);
        m[at[0]] = c * x - s * y;
        m[at[1]] = s * x + c * y;
    };
    for k in 0..n {
        turn(a, [i * n + k, j * n + k]);
        turn(vectors, [i * n + k, j * n + k]);
    }
    for k in 0..n {
        turn(a, [k * n + i, k * n + j]);
    }
    a[i * n + j] = 0.0;
    a[j * n + i] = 0.0;
}
