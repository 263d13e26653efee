//! A Gram matrix as lengths and angles: `G = t·D·C·D`, with its trace t, the lengths of the gradients on the diagonal of D,
//! and C the cosines between them.
//!
//! Tasks' gradients differ in length by orders of magnitude, and G's condition number by the square of that. C's does not: it
//! is within a factor K of the best that any scaling has (van der Sluis, *Condition numbers and equilibration of matrices*,
//! 1969), so that `f32` solves with C what it could not solve with G. WGSL twin: `shaders/gram/correlation.wgsl`.

/// A Gram matrix without zeros on its diagonal, taken apart.
pub(super) struct Correlation {
    /// Tasks, K.
    pub tasks: usize,
    /// C, K×K row by row, with what was added to its diagonal.
    pub cosines: Vec<f64>,
    /// D: lengths of gradients, of a Gram matrix whose trace is 1.
    pub lengths: Vec<f64>,
    /// The trace, t.
    pub trace: f64,
}

impl Correlation {
    /// Of this Gram matrix, K×K. `ridge` is added to every 1 on C's diagonal.
    pub fn of(gram: &[f64], tasks: usize, ridge: f64) -> Self {
        let trace: f64 = (0..tasks).map(|k| gram[k * tasks + k]).sum();
        let lengths: Vec<f64> = (0..tasks).map(|k| (gram[k * tasks + k] / trace).sqrt()).collect();
        let cosine = |at: usize| {
            let (i, j) = (at / tasks, at % tasks);
            match i == j {
                true => 1.0 + ridge,
                false => gram[at] / trace / lengths[i] / lengths[j],
            }
        };
        Self { tasks, cosines: (0..tasks * tasks).map(cosine).collect(), lengths, trace }
    }

    /// C·y.
    pub fn times(&self, y: &[f64]) -> Vec<f64> {
        self.cosines
            .chunks(self.tasks)
            .map(|row| row.iter().zip(y).map(|(c, y)| c * y).sum())
            .collect()
    }

    /// y/d: weights of the gradients, from weights of gradients of length 1.
    pub fn unscaled(&self, y: &[f64]) -> Vec<f64> {
        y.iter().zip(&self.lengths).map(|(y, length)| y / length).collect()
    }
}

/// The solution of A·x = b for a symmetric positive definite A, n×n row by row, by Cholesky's factors. A pivot is at least
/// `least`, which rounding may bring it below.
pub(super) fn solved(mut a: Vec<f64>, b: &[f64], least: f64) -> Vec<f64> {
    let n = b.len();
    let mut x = b.to_vec();
    // A becomes L, and x L⁻¹b.
    for j in 0..n {
        for i in j..n {
            let known: f64 = (0..j).map(|k| a[i * n + k] * a[j * n + k]).sum();
            let left = a[i * n + j] - known;
            a[i * n + j] = match i == j {
                true => left.max(least).sqrt(),
                false => left / a[j * n + j],
            };
        }
        let known: f64 = (0..j).map(|k| a[j * n + k] * x[k]).sum();
        x[j] = (x[j] - known) / a[j * n + j];
    }
    for j in (0..n).rev() {
        let known: f64 = (j + 1..n).map(|i| a[i * n + j] * x[i]).sum();
        x[j] = (x[j] - known) / a[j * n + j];
    }
    x
}
