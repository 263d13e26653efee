//! Schemes that remember: GradNorm and DB-MTL from step to step.

use super::*;

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
