//! What all schemes promise: of one task, of the order and scale of gradients, of those that are nothing or dependent, and of bad
//! input.

use super::*;

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
        for scheme in schemes().iter().filter(|scheme| scheme.name() != "pcgrad") {
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
        for scheme in schemes() {
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
        for scheme in schemes() {
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
        for scheme in schemes() {
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
