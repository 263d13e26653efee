//! Losses against published and closed-form values, and at logits where a naive formula overflows.

use crate::support::state_of;
use crate::support::{
    Make, ON_GPU, assert_close, constant_feature, linear, reference, run, schedule,
};
use awl::data::{Matrix, Target};
use awl::{Adam, Loss, Task, Weighting};
use std::f64::consts::LN_2;

/// Loss, prediction, target; value and derivative.
#[test]
fn losses_of_numbers_have_their_known_values() {
    let huber = || Loss::Huber { delta: 0.5 };
    let quantile = || Loss::Quantile { quantile: 0.875 };
    for (loss, prediction, target, value, derivative) in [
        (Loss::Mse, 3.0, 1.0, 4.0, 4.0),
        (Loss::Mse, -1.0, 1.0, 4.0, -4.0),
        (Loss::Mae, 3.0, 1.0, 2.0, 1.0),
        (Loss::Mae, -1.0, 1.0, 2.0, -1.0),
        (Loss::Mae, 1.0, 1.0, 0.0, 0.0),
        // The parabola, the seam, and the line: ½d², and δ(|d| − ½δ).
        (huber(), 1.25, 1.0, 0.031_25, 0.25),
        (huber(), 0.5, 1.0, 0.125, -0.5),
        (huber(), 4.0, 1.0, 1.375, 0.5),
        (huber(), -2.0, 1.0, 1.375, -0.5),
        // Of a quantile of 7/8, answers below the label cost seven times those above it.
        (quantile(), 1.0, 3.0, 1.75, -0.875),
        (quantile(), 3.0, 1.0, 0.25, 0.125),
        (quantile(), 2.0, 2.0, 0.0, 0.0),
        // Half the deviance: e^p where nothing was counted, nothing where the count is e^p, and t ln t − t + e^p − t·p.
        (Loss::Poisson, 2_f64.ln(), 0.0, 2.0, 2.0),
        (Loss::Poisson, 3_f64.ln(), 3.0, 0.0, 0.0),
        (Loss::Poisson, 0.0, 4.0, 4.0 * 4_f64.ln() - 3.0, -3.0),
        (Loss::Poisson, 5_f64.ln(), 1.0, 4.0 - 5_f64.ln(), 4.0),
        // An undecided logit costs ln 2 whatever the label.
        (Loss::Bce, 0.0, 0.0, LN_2, 0.5),
        (Loss::Bce, 0.0, 1.0, LN_2, -0.5),
        // A logit of ln 3 is a probability of 3/4; a soft label of 3/4 is its minimum.
        (Loss::Bce, 3_f64.ln(), 0.0, 4_f64.ln(), 0.75),
        (Loss::Bce, 3_f64.ln(), 1.0, (4.0 / 3.0_f64).ln(), -0.25),
        (Loss::Bce, 3_f64.ln(), 0.75, 4_f64.ln() - 0.75 * 3_f64.ln(), 0.0),
        // Logits of ±10,000: the loss is the logit or nothing.
        (Loss::Bce, 1e4, 0.0, 1e4, 1.0),
        (Loss::Bce, 1e4, 1.0, 0.0, 0.0),
        (Loss::Bce, -1e4, 0.0, 0.0, 0.0),
        (Loss::Bce, -1e4, 1.0, 1e4, -1.0),
    ] {
        let (found, slope) = loss.element(prediction, target);
        let case = format!("{loss:?} of {prediction} for {target}");
        assert!((found - value).abs() < 1e-12, "{case}: {found}, expected {value}");
        assert!((slope - derivative).abs() < 1e-12, "{case}: slope {slope}, expected {derivative}");
    }
    // The example in the documentation of torch.nn.BCEWithLogitsLoss: logits of 1.5, labels of 1.
    let (found, _) = Loss::Bce.element(1.5, 1.0);
    assert!((found - 0.2014).abs() < 5e-5, "{found}");
}

fn cross_entropy(label_smoothing: f32, class_weights: Option<&[f32]>) -> Loss {
    Loss::CrossEntropy { label_smoothing, class_weights: class_weights.map(<[f32]>::to_vec) }
}

#[test]
fn cross_entropy_has_its_known_values() {
    // Logits 0 and ln 3: probabilities 1/4 and 3/4, costs ln 4 and ln(4/3).
    let quarter = [0.0, 3_f64.ln()];
    let costs = [4_f64.ln(), (4.0 / 3.0_f64).ln()];
    let weights = Some(&[2.0, 5.0][..]);
    let smoothed =
        [0.875 * costs[0] + 0.125 * costs[1], 0.875 * 2.0 * costs[0] + 0.125 * 5.0 * costs[1]];
    let pull = 0.875 * 2.0 + 0.125 * 5.0;
    for (loss, logits, class, value, gradient) in [
        (cross_entropy(0.0, None), quarter, 0, costs[0], [-0.75, 0.75]),
        (cross_entropy(0.0, None), quarter, 1, costs[1], [0.25, -0.25]),
        (cross_entropy(0.0, weights), quarter, 1, 5.0 * costs[1], [1.25, -1.25]),
        (cross_entropy(0.25, None), quarter, 0, smoothed[0], [0.25 - 0.875, 0.75 - 0.125]),
        (
            cross_entropy(0.25, weights),
            quarter,
            0,
            smoothed[1],
            [0.25 * pull - 1.75, 0.75 * pull - 0.625],
        ),
        (cross_entropy(0.0, None), [1e4, -1e4], 0, 0.0, [0.0, 0.0]),
        (cross_entropy(0.0, None), [1e4, -1e4], 1, 2e4, [1.0, -1.0]),
        (cross_entropy(0.0, None), [-1e4, -1e4], 1, LN_2, [0.5, -0.5]),
        (cross_entropy(0.5, None), [1e4, -1e4], 0, 0.25 * 2e4, [0.25, -0.25]),
    ] {
        let mut slopes = [f64::NAN; 2];
        let found = loss.class_row(&logits, class, &mut slopes);
        let case = format!("{loss:?} of {logits:?} for class {class}");
        assert!((found - value).abs() < 1e-11, "{case}: {found}, expected {value}");
        assert!(
            (slopes[0] - gradient[0]).abs() < 1e-11,
            "{case}: {slopes:?}, expected {gradient:?}"
        );
        assert!(
            (slopes[1] - gradient[1]).abs() < 1e-11,
            "{case}: {slopes:?}, expected {gradient:?}"
        );
    }
}

#[test]
fn equal_logits_cost_the_logarithm_of_the_number_of_classes() {
    for classes in [1, 2, 10, 1000] {
        for logit in [0.0, -7.5, 1e4, -1e4] {
            for smoothing in [0.0, 0.1] {
                let loss = cross_entropy(smoothing, None);
                let mut gradient = vec![0.0; classes];
                let found = loss.class_row(&vec![logit; classes], 0, &mut gradient);
                let expected = (classes as f64).ln();
                let case = format!("{classes} classes at {logit}, smoothing {smoothing}");
                assert!((found - expected).abs() < 1e-9, "{case}: {found}, expected {expected}");
                let sum: f64 = gradient.iter().sum();
                assert!(sum.abs() < 1e-9, "{case}: the gradient sums to {sum}");
            }
        }
    }
}

/// Logits of ±10,000 through a whole engine: losses and gradients are finite and what they should be.
pub fn extreme_logits_keep_their_closed_form(make: Make, tolerance: f64) {
    let tasks = [Task::new("bce", Loss::Bce, 4), Task::new("classes", Loss::cross_entropy(), 2)];
    let recipe = linear(&tasks, Weighting::equal(2), Adam::new(0.0), 2);
    let labels = vec![0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0];
    let labels = Target::numbers(Matrix::new(4, labels).expect("a matrix"));
    let data = constant_feature(0.0, vec![labels, Target::classes(vec![0, 1])]);
    let mut engine = make(recipe, data);
    let engine = engine.as_mut();
    let mut state = state_of(engine);
    let biases = [1e4, 1e4, -1e4, -1e4, 1e4, -1e4];
    state.parameters = [[0.0; 6], biases].concat();
    engine.load(&state).expect("the state fits");

    let record = run(engine, &schedule(2, 2, 1)).expect("a step").remove(0);
    let case = format!("{}, logits of ±10,000", engine.name());
    let losses: Vec<f64> = record.tasks.iter().filter_map(|task| task.loss).collect();
    assert_close(&case, &losses, &[5e3, 1e4], tolerance);
    let moments = state_of(engine).moments;
    let gradients: Vec<f64> = moments[6..].iter().map(|[m, _]| m / 0.1).collect();
    assert_close(&case, &gradients, &[0.25, 0.0, 0.0, -0.25, 0.5, -0.5], tolerance);
}

/// What `reduction='mean'` divides by: labelled rows and columns for numbers, the labelled rows' class
/// weights for classes. A batch whose classes all weigh 0 has no loss (PyTorch says NaN).
pub fn means_are_taken_as_pytorch_takes_them(make: Make, tolerance: f64) {
    let weighted = || cross_entropy(0.0, Some(&[2.0, 5.0, 0.0]));
    let tasks = [
        Task::new("numbers", Loss::Mse, 3),
        Task::new("classes", weighted(), 3),
        Task::new("weightless", weighted(), 3),
    ];
    let recipe = linear(&tasks, Weighting::equal(3), Adam::new(0.0), 3);
    let numbers = vec![1.0, 2.0, 3.0, 9.0, 9.0, 9.0, 0.0, 0.0, 2.0];
    let numbers = Target::numbers(Matrix::new(3, numbers).expect("a matrix"));
    let numbers = numbers.labelled(vec![true, false, true]).expect("a mask");
    let classes = [vec![0, 1, 1], vec![2; 3]].map(Target::classes);
    let targets = [vec![numbers], classes.into()].concat();
    let mut engine = make(recipe, constant_feature(0.0, targets));
    let engine = engine.as_mut();
    let mut state = state_of(engine);
    // Predictions of 0; logits for probabilities 1/8, 3/8 and 1/2.
    let logits = [0.0, 3_f64.ln(), 4_f64.ln()];
    state.parameters = [&[0.0; 12][..], &logits, &logits].concat();
    engine.load(&state).expect("the state fits");

    let record = run(engine, &schedule(3, 3, 1)).expect("a step").remove(0);
    let case = format!("{}, means", engine.name());
    let losses: Vec<f64> = record.tasks.iter().filter_map(|task| task.loss).collect();
    let squares = (1.0 + 4.0 + 9.0 + 4.0) / 6.0;
    let costs = (2.0 * 8_f64.ln() + 10.0 * (8.0 / 3.0_f64).ln()) / 12.0;
    assert_close(&case, &losses, &[squares, costs], tolerance);
    assert_eq!(record.tasks[2].loss, None, "{case}: nothing to take a mean of");
    assert_close(&case, &[record.total], &[squares + costs], tolerance);
}

#[test]
fn the_reference_takes_means_as_pytorch_does() {
    means_are_taken_as_pytorch_takes_them(&reference, 1e-12);
}

#[test]
fn the_reference_keeps_extreme_logits_in_closed_form() {
    extreme_logits_keep_their_closed_form(&reference, 1e-12);
}

#[test]
fn the_gpu_engines_take_means_as_pytorch_does() {
    for (_, make) in ON_GPU {
        means_are_taken_as_pytorch_takes_them(make, 1e-6);
        extreme_logits_keep_their_closed_form(make, 1e-6);
    }
}
