//! Weights that solve what their scheme says they do, by another way or by its own equations.

use super::*;

/// `min ½uᵀGu + qᵀu` over u ≥ 0, by looking at every set of tasks that may be above 0.
fn least_of_all(gram: &[f64], q: &[f64]) -> Vec<f64> {
    let n = q.len();
    let value =
        |u: &[f64]| 0.5 * square(gram, u) + u.iter().zip(q).map(|(u, q)| u * q).sum::<f64>();
    let mut best = (0.0, vec![0.0; n]);
    for set in 1..1u32 << n {
        let free: Vec<usize> = (0..n).filter(|k| set >> k & 1 == 1).collect();
        let rows = free.iter().map(|&i| free.iter().map(|&j| gram[i * n + j]).collect()).collect();
        let solution = eliminated(rows, free.iter().map(|&k| -q[k]).collect());
        let mut u = vec![0.0; n];
        free.iter().zip(&solution).for_each(|(&k, &x)| u[k] = x);
        if u.iter().all(|u| *u >= 0.0) && value(&u) < best.0 {
            best = (value(&u), u);
        }
    }
    best.1
}

/// Gauss's elimination, pivoting by rows.
fn eliminated(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
    let n = b.len();
    for k in 0..n {
        let largest = (k..n).max_by(|&i, &j| a[i][k].abs().total_cmp(&a[j][k].abs())).unwrap();
        a.swap(k, largest);
        b.swap(k, largest);
        for i in k + 1..n {
            let factor = a[i][k] / a[k][k];
            let [above, below] = a.get_disjoint_mut([k, i]).unwrap();
            below.iter_mut().zip(above).skip(k).for_each(|(x, of_k)| *x -= factor * *of_k);
            b[i] -= factor * b[k];
        }
    }
    for k in (0..n).rev() {
        let known: f64 = (k + 1..n).map(|j| a[k][j] * b[j]).sum();
        b[k] = (b[k] - known) / a[k][k];
    }
    b
}

#[test]
fn mgda_and_upgrad_are_the_best_of_all_sets() {
    for (tasks, rows) in problems(6).filter(|(tasks, _)| *tasks <= 8) {
        let mut gram = gram_of(&rows);
        let u = least_of_all(&gram, &vec![-1.0; tasks]);
        let sum: f64 = u.iter().sum();
        let expected: Vec<f64> = u.iter().map(|u| u / sum).collect();
        assert_close(&at_first(&Mgda, &[], &gram), &expected, 1e-4);

        let found = at_first(&Upgrad, &[], &gram);
        let trace: f64 = (0..tasks).map(|k| gram[k * tasks + k]).sum();
        gram.iter_mut().for_each(|g| *g /= trace);
        (0..tasks).for_each(|k| gram[k * tasks + k] += 1e-4);
        let mut expected = vec![1.0 / tasks as f64; tasks];
        for i in 0..tasks {
            let q: Vec<f64> = (0..tasks).map(|k| gram[k * tasks + i] / tasks as f64).collect();
            let u = least_of_all(&gram, &q);
            expected.iter_mut().zip(u).for_each(|(w, u)| *w += u);
        }
        assert_close(&found, &expected, 1e-9);
    }
}

/// The dual of CAGrad is convex: where its gradient is the same on the support of w, and no smaller elsewhere, w is the minimum.
#[test]
fn cagrad_satisfies_its_conditions() {
    for (tasks, rows) in problems(7) {
        let gram = gram_of(&rows);
        let mean = vec![1.0 / tasks as f64; tasks];
        let along = times(&gram, &mean);
        for c in [0.2, 0.4, 0.5, 0.9, 3.0] {
            let weights = at_first(&Cagrad, &[c, 0.0], &gram);
            let z: Vec<f64> = weights.iter().map(|w| w - 1.0 / tasks as f64).collect();
            let radius = c * square(&gram, &mean).sqrt();
            let length = square(&gram, &z).sqrt();
            assert!((length / radius - 1.0).abs() < 1e-4, "K = {tasks}: {length}, {radius}");
            let slopes: Vec<f64> = along.iter().zip(times(&gram, &z)).map(|(a, g)| a + g).collect();
            let least = slopes.iter().copied().fold(f64::INFINITY, f64::min);
            let most = slopes.iter().map(|s| s.abs()).fold(0.0, f64::max);
            for k in 0..tasks {
                assert!(z[k] >= -1e-12);
                let own = (z[k] * gram[k * tasks + k].sqrt()).abs() > 1e-6 * radius;
                assert!(
                    !own || slopes[k] - least < 1e-4 * most,
                    "K = {tasks}: {slopes:?} at {z:?}"
                );
            }
        }
        assert_close(&at_first(&Cagrad, &[0.0, 0.0], &gram), &mean, 1e-12);
    }
}

#[test]
fn fairgrad_and_nash_solve_their_equations() {
    for (tasks, rows) in problems(8) {
        let gram = gram_of(&rows);
        for alpha in [0.25, 0.5, 1.0, 2.0, 5.0, 16.0] {
            let weights = at_first(&Fairgrad, &[alpha], &gram);
            for (k, progress) in times(&gram, &weights).iter().enumerate() {
                let worth = weights[k].powf(-1.0 / alpha);
                // The ridge's part is a millionth of wᵢGᵢᵢ.
                let slack = 2e-6 * weights[k] * gram[k * tasks + k] + 1e-9 * worth;
                assert!(
                    (progress - worth).abs() < slack,
                    "K = {tasks}, α = {alpha}: {progress}, {worth}"
                );
            }
        }
        let nash = at_first(&NashMtl, &[], &gram);
        assert!((square(&gram, &nash) - 1.0).abs() < 1e-3);
        let fair = at_first(&Fairgrad, &[1.0], &gram);
        let scaled: Vec<f64> = fair.iter().map(|w| w / (tasks as f64).sqrt()).collect();
        assert_close(&nash, &scaled, 1e-12);
    }
}

#[test]
fn imtl_g_projects_on_all_alike() {
    for (tasks, rows) in problems(9) {
        let gram = gram_of(&rows);
        let weights = at_first(&ImtlG, &[], &gram);
        assert!((weights.iter().sum::<f64>().abs() - 1.0).abs() < 1e-9);
        let along: Vec<f64> = times(&gram, &weights)
            .iter()
            .enumerate()
            .map(|(k, progress)| progress / gram[k * tasks + k].sqrt())
            .collect();
        assert_close(&along, &vec![along[0]; tasks], 1e-4);
        assert!(along[0] > 0.0);
    }
    // Its weights' sum is below 0 here, and the published formula would climb.
    let rows = [vec![1e-3, 0.0], vec![1.0, 1.1], vec![1.0, -1.0]];
    let weights = at_first(&ImtlG, &[], &gram_of(&rows));
    assert!((weights.iter().sum::<f64>() + 1.0).abs() < 1e-9, "{weights:?}");
    assert!(times(&gram_of(&rows), &weights).iter().all(|progress| *progress > 0.0), "{weights:?}");
}

#[test]
fn eigenvectors_are_those_of_the_matrix() {
    for (tasks, rows) in problems(10) {
        let gram = gram_of(&rows);
        let (values, vectors) = jacobi::eigen(gram.clone(), tasks);
        let scale = values.iter().copied().fold(0.0, f64::max);
        for (i, (value, vector)) in values.iter().zip(vectors.chunks(tasks)).enumerate() {
            let turned: Vec<f64> = times(&gram, vector).iter().map(|x| x / scale).collect();
            let expected: Vec<f64> = vector.iter().map(|x| x * value / scale).collect();
            assert!(turned.iter().zip(&expected).all(|(t, e)| (t - e).abs() < 1e-13), "{i}");
            for (j, other) in vectors.chunks(tasks).enumerate() {
                let dot: f64 = vector.iter().zip(other).map(|(a, b)| a * b).sum();
                assert!((dot - f64::from(i == j)).abs() < 1e-13);
            }
        }
    }
}

/// Turned and scaled, the gradients are orthogonal and as long as the least principal component: their sum of squares says so.
#[test]
fn aligned_mtl_has_the_length_of_the_least_component() {
    for (tasks, rows) in problems(11) {
        let gram = gram_of(&rows);
        let (values, _) = jacobi::eigen(gram.clone(), tasks);
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let found = square(&gram, &at_first(&AlignedMtl, &[], &gram));
        assert!((found / (least / tasks as f64) - 1.0).abs() < 1e-9, "K = {tasks}");
    }
    // What both gradients share is nothing, and what is left out moves neither.
    let opposed = at_first(&AlignedMtl, &[], &[1.0, -1.0, -1.0, 1.0]);
    assert!(opposed.iter().all(|w| w.abs() < 1e-12));
}
