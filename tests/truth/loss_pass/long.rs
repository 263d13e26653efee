//! Loss passes over so many rows that a loop over them is longer than software drivers make, and that a plain sum of `f32`
//! loses digits.

use super::case::Case;
use crate::large::{HARD, full};
use awl::data::{Matrix, Target};
use awl::loss::Sums;
use awl::{Loss, Task};

fn weighted(weights: &[f32]) -> Loss {
    Loss::CrossEntropy { label_smoothing: 0.0, class_weights: Some(weights.to_vec()) }
}

/// 64 lanes go round once for every 64 rows; software drivers end that after 65,535 rounds.
#[test]
fn class_weights_of_millions_of_rows_are_added_up_to_the_end() {
    let rows = if full() { 10_000_000 } else { 4_300_000 };
    let tasks = vec![Task::new("kind", weighted(&[0.5, 2.0]), 2)];
    Case::random(tasks, rows, 2.0, false).is_right("class weights");
}

/// The same weight over and over rounds the same way each time.
#[test]
fn equal_class_weights_lose_no_digits() {
    for weight in [0.3, 0.7, 1.1] {
        let tasks = vec![Task::new("kind", weighted(&[weight, weight]), 2)];
        let case = Case::random(tasks, 1_000_003, 0.0, false);
        let (found, _) = case.run(Default::default());
        // Equal logits: ln 2, whatever the weights.
        let error = (f64::from(found.losses[0]) / 2f64.ln() - 1.0).abs();
        assert!(error < 3e-6, "weight {weight}: {error:.1e}");
    }
}

#[test]
fn many_masked_tasks_are_right() {
    let (tasks, rows) = if full() { (200, 100_000) } else { (40, 20_000) };
    let task = |k: usize| match k % 3 {
        0 => Task::new(format!("number {k}"), Loss::Mse, 1),
        1 => Task::new(format!("flag {k}"), Loss::Bce, 1),
        _ => Task::new(format!("kind {k}"), weighted(&[0.3, 0.7]), 2),
    };
    Case::random((0..tasks).map(task).collect(), rows, 2.0, true).is_right("masked");
}

/// The mean loss keeps six digits, whatever the rows' losses: of `mae` and `mse`, which are given by the predictions, and of the
/// others by their formulas at them.
#[test]
fn means_over_millions_of_rows_keep_six_digits() {
    let rows = if full() { 10_000_000 } else { 400_003 };
    let losses = [
        Loss::Mae,
        Loss::Mse,
        Loss::Huber { delta: 1.0 },
        Loss::Quantile { quantile: 0.3 },
        Loss::Poisson,
        Loss::Bce,
    ];
    for (name, number) in HARD {
        let some = if full() { &losses[..] } else { &losses[..1] };
        for loss in some {
            let tasks = vec![Task::new("number", loss.clone(), 1)];
            let mut case = Case::random(tasks, rows, 0.0, false);
            // Rates whose exponentials are finite.
            let most = if *loss == Loss::Poisson { 10.0 } else { f32::MAX };
            case.predictions = (0..rows).map(|row| number(row, rows).min(most)).collect();
            let zeros = Matrix::new(1, vec![0.0; rows]).expect("labels");
            case.targets = vec![Target::numbers(zeros)];
            let each = case.predictions.iter().map(|&p| loss.element(p.into(), 0.0).0);
            let expected = each.sum::<f64>() / rows as f64;
            for (sums, tolerance) in [(Sums::Repeatable, 1e-6), (Sums::OneDispatch, 1e-5)] {
                let (found, _) = case.run(sums);
                let error = (f64::from(found.losses[0]) / expected - 1.0).abs();
                assert!(error <= tolerance, "{name}, {loss:?}, {sums:?}: off by {error:.1e}");
            }
        }
    }
}
