//! Baselines against closed forms, conditions of a minimum, and scikit-learn.

use super::*;
use crate::Activation;
use crate::data::Matrix;

fn dataset(features: &[&[f32]], targets: Vec<Target>) -> Dataset {
    let columns = features[0].len();
    let features = Matrix::new(columns, features.concat()).unwrap();
    Dataset::new(features, targets).unwrap()
}

fn numbers(values: &[f32]) -> Target {
    Target::numbers(Matrix::new(1, values.to_vec()).unwrap())
}

/// Parameters task by task: the weights, then the biases.
fn by_task(network: &Network, parameters: &[f64]) -> Vec<f64> {
    let tensors = network.tensors().into_iter();
    tensors.flat_map(|tensor| parameters[tensor.range].to_vec()).collect()
}

fn close(found: &[f64], expected: &[f64], within: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < within, "{found}, not {expected}");
    }
}

/// Ridge in closed form: with one feature `w = Sxy/(Sxx + α)`, α = 1 without validation rows.
#[test]
fn numbers_have_the_ridge_regression_of_the_closed_form() {
    let x = [[1.0f32], [2.0], [4.0], [7.0]];
    let rows: Vec<&[f32]> = x.iter().map(|row| &row[..]).collect();
    let y = [3.0, 1.0, 8.0, 9.0];
    let tasks = [Task::new("y", Loss::Mse, 1)];
    let found = Baselines::fit(&tasks, &dataset(&rows, vec![numbers(&y)]), None).unwrap();
    // Means 3.5 and 5.25; Sxx = 21, Sxy = 26.5.
    let weight = 26.5 / 22.0;
    close(&found.linear, &[weight, 5.25 - 3.5 * weight], 1e-6);
    close(&found.constant, &[0.0, 5.25], 1e-12);
    // The last row counts for nothing without its label.
    let masked = numbers(&y).labelled(vec![true, true, true, false]).unwrap();
    let found = Baselines::fit(&tasks, &dataset(&rows, vec![masked]), None).unwrap();
    close(&found.constant, &[0.0, 4.0], 1e-12);
}

/// A median for absolute errors; logarithms of the odds and of the shares, with half a row each, for classes.
#[test]
fn the_same_answer_for_all_is_the_best_of_its_kind() {
    let rows: Vec<&[f32]> = vec![&[0.0]; 5];
    let tasks = [
        Task::new("a", Loss::Mae, 1),
        Task::new("b", Loss::Bce, 1),
        Task::new("c", Loss::cross_entropy(), 3),
    ];
    let targets = vec![
        numbers(&[9.0, 1.0, 2.0, 100.0, 3.0]),
        numbers(&[1.0, 1.0, 0.0, 1.0, 1.0]),
        Target::classes(vec![0, 2, 0, 0, 2]),
    ];
    let found = Baselines::fit(&tasks, &dataset(&rows, targets), None).unwrap();
    let odds = (4.5f64 / 1.5).ln();
    let shares = [3.5f64, 0.5, 2.5].map(|count| (count / 6.5).ln());
    let expected = [0.0, 3.0, 0.0, odds, 0.0, 0.0, 0.0, shares[0], shares[1], shares[2]];
    close(&by_task(&found.network, &found.constant), &expected, 1e-12);
}

/// Points that no line tells apart.
fn mixed() -> (Vec<[f32; 2]>, Vec<u32>) {
    let value = |i: usize| ((i * i * 7 + 3 * i) % 31) as f32 / 15.5 - 1.0;
    let rows: Vec<[f32; 2]> = (0..60).map(|row| [value(row), value(3 * row + 5)]).collect();
    let class = |(index, row): (usize, &[f32; 2])| match row[0] + 0.8 * value(11 * index + 2) {
        z if z < -0.4 => 0,
        z if z + row[1] < 0.5 => 1,
        _ => 2,
    };
    let classes = rows.iter().enumerate().map(class).collect();
    (rows, classes)
}

/// At the minimum of logistic regression `Σ wᵢ(p − y)x + αW = 0`, and `Σ wᵢ(p − y) = 0` for the biases.
#[test]
fn classes_have_the_logistic_regression_whose_gradient_is_0() {
    let (rows, classes) = mixed();
    let slices: Vec<&[f32]> = rows.iter().map(|row| &row[..]).collect();
    let class_weights = Some(vec![1.0, 3.0, 0.5]);
    for weights in [None, class_weights] {
        let of = |class: u32| {
            weights.as_ref().map_or(1.0, |it: &Vec<f32>| f64::from(it[class as usize]))
        };
        let loss = Loss::CrossEntropy { label_smoothing: 0.0, class_weights: weights.clone() };
        let tasks = [Task::new("kind", loss, 3), Task::new("first", Loss::Bce, 1)];
        let first: Vec<f32> = classes.iter().map(|&class| f32::from(class == 0)).collect();
        let targets = vec![Target::classes(classes.clone()), numbers(&first)];
        let found = Baselines::fit(&tasks, &dataset(&slices, targets), None).unwrap();
        let found = by_task(&found.network, &found.linear);
        let (kind, first_task) = found.split_at(9);
        let mut gradient = [0.0; 9];
        let mut of_first = [first_task[0], first_task[1], 0.0];
        gradient[..6].copy_from_slice(&kind[..6]);
        for ((row, &class), &yes) in rows.iter().zip(&classes).zip(&first) {
            let [x0, x1] = row.map(f64::from);
            let logit = |k: usize| (kind[2 * k] * x0 + kind[2 * k + 1] * x1 + kind[6 + k]).exp();
            let sum: f64 = (0..3).map(logit).sum();
            for k in 0..3 {
                let off = of(class) * (logit(k) / sum - f64::from(class == k as u32));
                gradient[2 * k] += off * x0;
                gradient[2 * k + 1] += off * x1;
                gradient[6 + k] += off;
            }
            let z = first_task[0] * x0 + first_task[1] * x1 + first_task[2];
            let off = 1.0 / (1.0 + (-z).exp()) - f64::from(yes);
            [x0, x1, 1.0].iter().zip(&mut of_first).for_each(|(x, sum)| *sum += off * x);
        }
        close(&gradient, &[0.0; 9], 2e-4);
        close(&of_first, &[0.0; 3], 2e-4);
    }
}

/// The penalty is that of the five with the lowest loss on the validation rows: the strongest where these say the opposite of the
/// training rows, the weakest where they say the same.
#[test]
fn validation_rows_choose_the_penalty() {
    let x = [[1.0f32], [2.0], [4.0], [7.0]];
    let rows: Vec<&[f32]> = x.iter().map(|row| &row[..]).collect();
    let [same, opposite] = [1.0, -1.0].map(|sign| x.map(|[x]| sign * x));
    let tasks = ["opposite", "same"].map(|name| Task::new(name, Loss::Mse, 1));
    let training = dataset(&rows, vec![numbers(&same), numbers(&same)]);
    let validation = dataset(&rows, vec![numbers(&opposite), numbers(&same)]);
    let found = Baselines::fit(&tasks, &training, Some(&validation)).unwrap();
    let found = by_task(&found.network, &found.linear);
    // Sxx = Sxy = 21.
    close(&[found[0], found[2]], &[21.0 / 1_021.0, 21.0 / 21.1], 1e-5);
}

/// Validation rows of a class that no training row has say nothing of the penalty.
#[test]
fn classes_that_were_not_trained_on_do_not_choose_the_penalty() {
    let x: Vec<[f32; 1]> = (0..40).map(|row| [if row % 2 == 0 { 1.0 } else { -1.0 }]).collect();
    let rows: Vec<&[f32]> = x.iter().map(|row| &row[..]).collect();
    let classes = |unseen: u32| -> Vec<u32> {
        (0..40u32).map(|row| if row >= 4 && unseen == 2 { 2 } else { row % 2 }).collect()
    };
    let tasks = [Task::new("kind", Loss::cross_entropy(), 3)];
    let training = dataset(&rows, vec![Target::classes(classes(0))]);
    let fitted = |validation: Vec<u32>| {
        let validation = dataset(&rows, vec![Target::classes(validation)]);
        Baselines::fit(&tasks, &training, Some(&validation)).unwrap().linear
    };
    let clean = fitted(classes(0));
    close(&fitted(classes(2)), &clean, 1e-9);
    assert!(clean[0] > 1.0 && clean[1] < -1.0, "the weakest penalty: {clean:?}");
}

#[test]
fn a_task_without_labels_and_rows_far_apart_are_no_trouble() {
    let tasks = [Task::new("none", Loss::Mse, 1), Task::new("far", Loss::cross_entropy(), 2)];
    let rows: Vec<&[f32]> = vec![&[1e6], &[-1e6], &[1e6], &[-1e6]];
    let none = numbers(&[0.0; 4]).labelled(vec![false; 4]).unwrap();
    let data = dataset(&rows, vec![none, Target::classes(vec![1, 0, 1, 0])]);
    let found = Baselines::fit(&tasks, &data, Some(&data)).unwrap();
    assert!(found.linear.iter().chain(&found.constant).all(|it| it.is_finite()), "{found:?}");
    let linear = by_task(&found.network, &found.linear);
    assert_eq!(linear[..2], [0.0, 0.0]);
    // The second class where the feature is large.
    assert!(linear[3] > linear[2]);
}

/// Two thousand classes of as many features: more weights than there is time for.
#[test]
fn a_model_of_too_many_weights_is_not_fitted_and_named() {
    let row = vec![1.0f32; 2_100];
    let rows: Vec<&[f32]> = vec![&row; 3];
    let tasks = [Task::new("huge", Loss::cross_entropy(), 2_000), Task::new("y", Loss::Mse, 1)];
    let targets = vec![Target::classes(vec![0, 7, 7]), numbers(&[1.0, 2.0, 3.0])];
    let found = Baselines::fit(&tasks, &dataset(&rows, targets), None).unwrap();
    assert_eq!(found.unfitted, ["huge"]);
    let tensors = found.network.tensors();
    let of = |parameters: &[f64], index: usize| parameters[tensors[index].range.clone()].to_vec();
    assert_eq!(of(&found.linear, 1), of(&found.constant, 1));
    assert!(of(&found.linear, 0).iter().all(|weight| *weight == 0.0));
}

/// A network that starts as the linear model gives its answers, whatever its depth and other weights, and leaves these as they were.
#[test]
fn a_network_starts_as_the_linear_model() {
    use crate::engine::{Engine, Recipe, Reference, State};
    use crate::{Adam, Weighting};
    let value = |i: usize| ((i * 29 + i * i) % 41) as f32 / 20.5 - 1.0;
    let x: Vec<[f32; 3]> = (0..30).map(|row| [0, 1, 2].map(|c| value(3 * row + c))).collect();
    let rows: Vec<&[f32]> = x.iter().map(|row| &row[..]).collect();
    let tasks = [Task::new("size", Loss::Mse, 1), Task::new("kind", Loss::cross_entropy(), 3)];
    let sizes: Vec<f32> = x.iter().map(|[a, b, _]| 2.0 * a - b + 7.0).collect();
    let kinds = x.iter().map(|[a, _, c]| u32::from(*a > 0.0) + u32::from(*c > 0.3)).collect();
    let data = dataset(&rows, vec![numbers(&sizes), Target::classes(kinds)]);
    let baselines = Baselines::fit(&tasks, &data, None).unwrap();
    let [_, expected] = baselines.predict(data.features()).unwrap();
    for activation in [Activation::Relu, Activation::Gelu, Activation::Silu, Activation::Tanh] {
        for hidden in [&[][..], &[8], &[9, 8, 12], &[20, 7]] {
            let network = Network::new(3, hidden, activation, &tasks).unwrap();
            let bends = activation == Activation::Tanh && !hidden.is_empty();
            let can = !bends && hidden.iter().all(|&width| width >= 8);
            assert_eq!(Baselines::can_start(&network), can, "{activation:?} {hidden:?}");
            let recipe = Recipe::new(network.clone(), Weighting::equal(2), Adam::new(0.1));
            let mut state = State::initial(&recipe);
            let drawn = state.parameters.clone();
            baselines.start(&network, &mut state.parameters).unwrap();
            if !can {
                assert_eq!(state.parameters, drawn, "{activation:?} {hidden:?}");
                continue;
            }
            let mut engine = Reference::new(recipe, data.clone()).unwrap();
            engine.load(&state).unwrap();
            let found = pollster::block_on(engine.predict(data.features())).unwrap();
            let wide = |matrix: &Matrix| -> Vec<f64> {
                matrix.values().iter().map(|&value| value.into()).collect()
            };
            close(&wide(&found), &wide(&expected), 2e-6);
            if let [first, ..] = network.layers()[..hidden.len()] {
                let others = first.weight + 8 * first.inputs..first.bias;
                assert_eq!(state.parameters[others.clone()], drawn[others], "{hidden:?}");
            }
        }
    }
    let other = Network::new(4, &[8], Activation::Relu, &tasks).unwrap();
    let mut parameters = vec![0.0; other.parameter_count()];
    let error = baselines.start(&other, &mut parameters).unwrap_err().to_string();
    assert!(error.contains("the network to start is 4"), "{error}");
}

/// Given penalties are those that the validation rows would choose, if they are the same.
#[test]
fn penalties_may_be_given() {
    let x: Vec<[f32; 1]> = (0..12).map(|row| [row as f32 - 5.5]).collect();
    let rows: Vec<&[f32]> = x.iter().map(|row| &row[..]).collect();
    let y: Vec<f32> = x.iter().map(|[x]| 0.3 * x).collect();
    let tasks = [Task::new("a", Loss::Mse, 1), Task::new("b", Loss::Bce, 1)];
    let yes: Vec<f32> = (0..12).map(|row| f32::from(row % 3 == 0)).collect();
    let data = dataset(&rows, vec![numbers(&y), numbers(&yes)]);
    let chosen = Baselines::fit(&tasks, &data, Some(&data)).unwrap();
    assert_ne!(chosen.penalties, [1.0, 1.0]);
    let given = Baselines::fit_with(&tasks, &data, &chosen.penalties).unwrap();
    close(&given.linear, &chosen.linear, 1e-4);
    assert_eq!(given.penalties, chosen.penalties);
    assert!(Baselines::fit_with(&tasks, &data, &[1.0]).is_err());
}

/// A row that weighs 3 is three such rows, for both models of every kind of task. The weights are 1 in the mean, as repeated rows are.
#[test]
fn a_row_counts_as_often_as_it_weighs() {
    let weights = [1.0f32, 3.0, 0.0, 2.0, 0.0, 0.0, 1.0, 1.0];
    let x: Vec<[f32; 2]> = (0..8).map(|i| [i as f32 - 3.0, (i * i % 5) as f32]).collect();
    let [y, yes, counts]: [Vec<f32>; 3] = [
        (0..8).map(|i| (i * 7 % 8) as f32).collect(),
        (0..8).map(|i| f32::from(i % 3 == 0)).collect(),
        (0..8).map(|i| (i * 5 % 4) as f32).collect(),
    ];
    let tasks = [
        Task::new("mse", Loss::Mse, 1),
        Task::new("bce", Loss::Bce, 1),
        Task::new("poisson", Loss::Poisson, 1),
        Task::new("kind", Loss::cross_entropy(), 3),
        Task::new("mae", Loss::Mae, 1),
    ];
    let of = |rows: &[usize], weights: Option<&[f32]>| {
        let some = |all: &[f32]| numbers(&rows.iter().map(|&row| all[row]).collect::<Vec<_>>());
        let kinds = Target::classes(rows.iter().map(|row| (row * row % 3) as u32).collect());
        let targets = vec![some(&y), some(&yes), some(&counts), kinds, some(&y)];
        let targets = targets.into_iter().map(|target| match weights {
            Some(weights) => target.weighted(weights).unwrap(),
            None => target,
        });
        let features: Vec<&[f32]> = rows.iter().map(|&row| &x[row][..]).collect();
        Baselines::fit(&tasks, &dataset(&features, targets.collect()), None).unwrap()
    };
    let all: Vec<usize> = (0..8).collect();
    let repeated = (0..8).flat_map(|row| vec![row; weights[row] as usize]).collect::<Vec<_>>();
    let (weighted, repeated, plain) =
        (of(&all, Some(&weights)), of(&repeated, None), of(&all, None));
    close(&weighted.linear, &repeated.linear, 1e-4);
    let heads = weighted.constant.len() - 1;
    close(&weighted.constant[..heads], &repeated.constant[..heads], 1e-9);
    // By hand: labels 0, 7 three times, 5 twice, 2, 1: half of the weight is at 5 or below.
    assert_eq!(weighted.constant[heads], 5.0);
    assert!(weighted.linear.iter().zip(&plain.linear).any(|(a, b)| (a - b).abs() > 0.1));
}
