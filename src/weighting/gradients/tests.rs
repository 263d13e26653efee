//! Tests: published vectors, what each scheme promises on random gradients, and solutions found in other ways.

use super::*;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

/// TorchJD's own example: J = [[−4, 1, 1], [6, 1, 1]].
const TORCHJD: [f64; 4] = [18.0, -22.0, -22.0, 38.0];

/// Settings as they are where none is given.
fn defaults(scheme: &dyn Scheme) -> Vec<f64> {
    scheme.settings().iter().map(|option| option.default).collect()
}

/// Weights at the first step, all losses 1.
fn at_first(scheme: &dyn Scheme, settings: &[f64], gram: &[f64]) -> Vec<f64> {
    let tasks = gram.len().isqrt();
    with_losses(scheme, settings, gram, &vec![1.0; tasks]).expect("weights")
}

fn with_losses(
    scheme: &dyn Scheme,
    settings: &[f64],
    gram: &[f64],
    losses: &[f64],
) -> Result<Vec<f64>> {
    let memory = &mut vec![[0.0; 4]; losses.len()];
    weights(scheme, settings, &mut AtStep { gram, losses, memory, step: 1, key: [3, 4] })
}

/// J·Jᵀ of K rows.
fn gram_of(rows: &[Vec<f64>]) -> Vec<f64> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum();
    rows.iter().flat_map(|a| rows.iter().map(move |b| dot(a, b))).collect()
}

/// Random gradients in a space of so many dimensions, of lengths that differ by up to a factor of e³, and a common part that sets
/// them together (above 0) or against each other.
fn gradients(random: &mut ChaCha8Rng, tasks: usize, dimensions: usize) -> Vec<Vec<f64>> {
    let together = random.random_range(-0.5..0.5);
    (0..tasks)
        .map(|k| {
            let length = random.random_range(0.0f64..3.0).exp();
            let sign = if k % 2 == 0 { 1.0 } else { together };
            let entry = |p| length * (random.random_range(-1.0..1.0) + f64::from(p == 0) * sign);
            (0..dimensions).map(entry).collect()
        })
        .collect()
}

/// Random problems: K from 1 to 16, independent gradients.
fn problems(seed: u64) -> impl Iterator<Item = (usize, Vec<Vec<f64>>)> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..160).map(move |number| {
        let tasks = 1 + number % MOST_TASKS;
        (tasks, gradients(&mut random, tasks, 2 * tasks + 3))
    })
}

fn times(gram: &[f64], w: &[f64]) -> Vec<f64> {
    gram.chunks(w.len()).map(|row| row.iter().zip(w).map(|(g, w)| g * w).sum()).collect()
}

fn square(gram: &[f64], w: &[f64]) -> f64 {
    times(gram, w).iter().zip(w).map(|(g, w)| g * w).sum()
}

#[track_caller]
fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    let scale = expected.iter().fold(0.0f64, |most, w| most.max(w.abs()));
    for (k, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= tolerance * scale, "task {k}: {found:?}, expected {expected:?}");
    }
}

#[test]
fn published_vectors() {
    let half = [0.5];
    let rows: [(&dyn Scheme, &[f64], [f64; 2]); 11] = [
        (&Upgrad, &[], [1.1109, 0.7894]),
        (&AlignedMtl, &[], [0.559072, 0.408261]),
        (&Cagrad, &[0.5, 0.0], [0.704124, 0.5]),
        (&Cagrad, &[0.5, 1.0], [0.704124 / 1.25, 0.4]),
        (&Pcgrad, &[], [2.2222, 1.5789]),
        (&ImtlG, &[], [0.59233, 0.40767]),
        (&Fairgrad, &[1.0], [0.591461, 0.407071]),
        (&Fairgrad, &[2.0], [0.471363, 0.319454]),
        (&Mgda, &[], [0.6, 0.4]),
        (&NtkMtl, &half, [1.763834, 1.213954]),
        (&NtkMtl, &[0.75], [2.342538, 1.337529]),
    ];
    for (scheme, settings, expected) in rows {
        assert_close(&at_first(scheme, settings, &TORCHJD), &expected, 1e-4);
    }
    let db = at_first(&DbMtl, &[0.0], &TORCHJD);
    assert!((db[0] / db[1] - 1.452966).abs() < 1e-6, "{db:?}");
    // The direction that TorchJD tests Nash-MTL by.
    let nash = at_first(&NashMtl, &[], &TORCHJD);
    let direction = [-4.0 * nash[0] + 6.0 * nash[1], nash[0] + nash[1], nash[0] + nash[1]];
    assert_close(&direction, &[0.0542, 0.7061, 0.7061], 1e-4);
}

#[test]
fn one_task() {
    let weight = |scheme: &dyn Scheme, settings: &[f64]| {
        with_losses(scheme, settings, &[9.0], &[2.0]).expect("a weight")[0]
    };
    let rows: [(&dyn Scheme, &[f64], f64); 11] = [
        (&GradNorm, &[1.5, 0.025], 1.0),
        (&Mgda, &[], 1.0),
        (&Pcgrad, &[], 1.0),
        (&Cagrad, &[0.5, 1.0], 1.5 / 1.25),
        (&ImtlG, &[], 1.0),
        (&Fairgrad, &[2.0], 3f64.powf(-4.0 / 3.0)),
        (&NashMtl, &[], 1.0 / 3.0),
        (&AlignedMtl, &[], 1.0),
        (&Upgrad, &[], 1.0),
        (&DbMtl, &[0.0], 0.5),
        (&NtkMtl, &[0.5], 1.0),
    ];
    for (scheme, settings, expected) in rows {
        let found = weight(scheme, settings);
        assert!((found - expected).abs() < 3e-6 * expected, "{}: {found}", scheme.name());
    }
}

#[test]
fn no_loss_rises_where_that_is_promised() {
    let schemes: [&dyn Scheme; 6] = [&Mgda, &ImtlG, &Fairgrad, &NashMtl, &Upgrad, &Cagrad];
    for (tasks, rows) in problems(1) {
        let gram = gram_of(&rows);
        for scheme in schemes {
            // Within a ball of the mean's own length, CAGrad goes where no loss rises.
            let settings =
                if scheme.name() == "cagrad" { vec![1.0, 1.0] } else { defaults(scheme) };
            let weights = at_first(scheme, &settings, &gram);
            let length = square(&gram, &weights).sqrt();
            for (k, progress) in times(&gram, &weights).iter().enumerate() {
                let cosine = progress / (length * gram[k * tasks + k].sqrt());
                // UPGrad's regularisation lets this much pass.
                let least = if scheme.name() == "upgrad" { -0.1 } else { -1e-4 };
                assert!(cosine > least, "{}, K = {tasks}: {cosine}", scheme.name());
            }
        }
    }
}

#[test]
fn the_order_of_tasks_does_not_matter() {
    for (tasks, rows) in problems(2) {
        let turned: Vec<_> = (0..tasks).map(|k| rows[(k + 1) % tasks].clone()).collect();
        for scheme in SCHEMES.iter().filter(|scheme| scheme.name() != "pcgrad") {
            let settings = defaults(*scheme);
            let mut expected = at_first(*scheme, &settings, &gram_of(&rows));
            expected.rotate_left(1);
            assert_close(&at_first(*scheme, &settings, &gram_of(&turned)), &expected, 1e-7);
        }
    }
}

#[test]
fn scales_from_nothing_to_the_largest() {
    for (tasks, rows) in problems(3).take(64) {
        let gram = gram_of(&rows);
        for scheme in SCHEMES {
            let settings = defaults(scheme);
            let expected = at_first(scheme, &settings, &gram);
            for scale in [1e-15, 1e-6, 1e6, 1e15] {
                let scaled: Vec<f64> = gram.iter().map(|g| g * scale * scale).collect();
                let found = at_first(scheme, &settings, &scaled);
                // The powers of the losses' scale that the scheme's page names.
                let power = match scheme.name() {
                    "fairgrad" => -4.0 / 3.0,
                    "nash-mtl" => -1.0,
                    _ => 0.0,
                };
                let expected: Vec<f64> =
                    expected.iter().map(|w| w * f64::powf(scale, power)).collect();
                assert_close(&found, &expected, 1e-9);
            }
            let nothing = vec![0.0; tasks * tasks];
            assert_eq!(at_first(scheme, &settings, &nothing), vec![0.0; tasks]);
        }
    }
}

#[test]
fn a_task_without_a_gradient_takes_no_part() {
    for (tasks, rows) in problems(4).filter(|(tasks, _)| *tasks < MOST_TASKS) {
        let mut more = rows.clone();
        more.insert(tasks / 2, vec![0.0; rows[0].len()]);
        // PCGrad draws by a task's place among those that take part.
        for scheme in SCHEMES {
            let settings = defaults(scheme);
            let mut expected = at_first(scheme, &settings, &gram_of(&rows));
            expected.insert(tasks / 2, 0.0);
            assert_eq!(at_first(scheme, &settings, &gram_of(&more)), expected, "{}", scheme.name());
        }
    }
}

/// More tasks than dimensions, equal gradients, opposed ones, and lengths far apart.
#[test]
fn dependent_gradients_have_an_answer() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut cases = vec![
        vec![vec![1.0, 0.0], vec![1.0, 0.0]],
        vec![vec![1.0, 0.0], vec![-1.0, 0.0]],
        vec![vec![1.0, 0.0], vec![-1e4, 0.0], vec![0.0, 1e-4]],
        vec![vec![1e-9, 2e-9], vec![1e9, -1e9]],
        vec![vec![1.0]; 16],
    ];
    cases.extend((2..=16).map(|tasks| gradients(&mut random, tasks, 2)));
    cases.extend((2..=16).map(|tasks| gradients(&mut random, tasks, 1)));
    for rows in cases {
        let gram = gram_of(&rows);
        for scheme in SCHEMES {
            let weights = at_first(scheme, &defaults(scheme), &gram);
            assert!(weights.iter().all(|w| w.is_finite()), "{}: {weights:?}", scheme.name());
            if ["mgda", "nash-mtl"].contains(&scheme.name()) {
                // No further against a task than the ridge lets it.
                let length = |k: usize| gram[k * rows.len() + k].sqrt();
                let lengths: f64 = (0..rows.len()).map(|k| weights[k] * length(k)).sum();
                for (k, progress) in times(&gram, &weights).iter().enumerate() {
                    assert!(weights[k] >= 0.0, "{}: {weights:?}", scheme.name());
                    let cosine = progress / (lengths * length(k));
                    assert!(cosine > -0.01, "{}: {weights:?}, {cosine}", scheme.name());
                }
            }
        }
    }
}

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

#[test]
fn gradnorm_goes_down_its_slope() {
    // ‖g‖ = 3 and 1: the mean of wn is 2, task 0 is above it and task 1 below, so that Adam's first step is −rate and +rate.
    let memory = &mut [[0.0; 4]; 2];
    let mut step = |step, losses: [f64; 2]| {
        let at = AtStep { gram: &[9.0, 0.0, 0.0, 1.0], losses: &losses, memory, step, key: [0; 2] };
        let mut at = at;
        let weights = weights(&GradNorm, &[1.5, 0.1], &mut at).expect("weights");
        (weights, [at.memory[0], at.memory[1]])
    };
    let (weights, memory) = step(1, [5.0, 7.0]);
    assert_eq!(weights, [1.0, 1.0]);
    assert_close(&[memory[0][0], memory[1][0]], &[-0.1, 0.1], 1e-6);
    assert_eq!([memory[0][3], memory[1][3]], [5.0, 7.0]);
    // Task 0 is where it was and task 1 at a tenth of its loss: r = 20/11, 2/11, so that the aims have changed sides.
    let (weights, after) = step(2, [5.0, 0.7]);
    let powers = [(-0.1f64).exp(), 0.1f64.exp()];
    let expected = powers.map(|power| 2.0 * power / (powers[0] + powers[1]));
    assert_close(&weights, &expected, 1e-6);
    // Finite differences of Σ |wᵢnᵢ − aim| at φ = ∓0.1.
    let value = |phi: [f64; 2], aims: [f64; 2]| {
        let powers = phi.map(f64::exp);
        let w = powers.map(|power| 2.0 * power / (powers[0] + powers[1]));
        (3.0 * w[0] - aims[0]).abs() + (w[1] - aims[1]).abs()
    };
    let mean = (3.0 * expected[0] + expected[1]) / 2.0;
    let aims = [20.0f64, 2.0].map(|part| mean * (part / 11.0).powf(1.5));
    let h = 1e-6;
    let slope = (value([-0.1 + h, 0.1], aims) - value([-0.1 - h, 0.1], aims)) / (2.0 * h);
    assert!(slope < 0.0);
    let first = 0.9 * memory[0][1] + 0.1 * slope;
    assert!((after[0][1] - first).abs() < 1e-7, "{} {first}", after[0][1]);
}

/// Every task's weighted gradient comes to one length at α = 0.
#[test]
fn gradnorm_brings_gradients_to_one_length() {
    let memory = &mut [[0.0; 4]; 3];
    let gram = [100.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 4.0];
    let mut last = vec![];
    for step in 1..=3_000 {
        let at = &mut AtStep { gram: &gram, losses: &[1.0; 3], memory, step, key: [0; 2] };
        last = weights(&GradNorm, &[0.0, 0.005], at).expect("weights");
    }
    let lengths: Vec<f64> = [10.0, 1.0, 2.0].iter().zip(&last).map(|(n, w)| n * w).collect();
    assert_close(&lengths, &[lengths[0]; 3], 0.05);
}

#[test]
fn db_mtl_averages_lengths() {
    let memory = &mut [[0.0; 4]; 2];
    let mut step = |gram: [f64; 4], losses: [f64; 2]| {
        let at = &mut AtStep { gram: &gram, losses: &losses, memory, step: 1, key: [0; 2] };
        weights(&DbMtl, &[0.9], at).expect("weights")
    };
    // ‖g/L‖² = 4 and 1.
    assert_close(&step([16.0, 0.0, 0.0, 9.0], [2.0, 3.0]), &[0.5, 2.0 / 3.0], 1e-12);
    // Then 0.9·4 + 0.1·100 = 13.6, and 1 again.
    let root = 13.6f64.sqrt();
    assert_close(&step([400.0, 0.0, 0.0, 9.0], [2.0, 3.0]), &[0.5, root / 3.0], 1e-12);
}

#[test]
fn bad_input_is_named() {
    let error = |scheme: &dyn Scheme, gram: &[f64], losses: &[f64]| {
        let found = with_losses(scheme, &defaults(scheme), gram, losses);
        found.expect_err("an error").to_string()
    };
    let positive = error(&DbMtl, &[1.0, 0.0, 0.0, 1.0], &[1.0, -0.5]);
    assert!(
        positive.contains("db-mtl needs losses of 0 or more")
            && positive.contains("task 1 is -0.5"),
        "{positive}"
    );
    assert!(error(&GradNorm, &[1.0], &[-1.0]).contains("task 0"));
    assert!(error(&Mgda, &[1.0, f64::NAN, f64::NAN, 1.0], &[1.0, 1.0]).contains("NaN"));
    assert!(error(&Mgda, &[1.0], &[f64::INFINITY]).contains("inf"));
    assert!(error(&Mgda, &[], &[]).contains("not 0"));
    assert!(error(&Mgda, &[0.0; 289], &[1.0; 17]).contains("not 17"));
    assert!(error(&Mgda, &[0.0; 3], &[1.0; 2]).contains("the Gram matrix"));
    assert!(error(&Mgda, &[1.0, 0.0, 0.0, f64::INFINITY], &[1.0; 2]).contains("inf"));
    // The loss of a task that takes no part is none of its business.
    assert!(with_losses(&DbMtl, &[0.0], &[1.0, 0.0, 0.0, 0.0], &[1.0, -1.0]).is_ok());
}
