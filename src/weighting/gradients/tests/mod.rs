//! Tests: published vectors, what each scheme promises on random gradients, and solutions found in other ways. Here: the
//! problems, and what is asked of a scheme.

mod memory;
mod promises;
mod published;
mod solutions;

use super::*;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

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
