//! Every derivative of the reference engine against central differences of its total, in `f64`.

use crate::support::{assert_close, schedule};
use awl::data::{Dataset, Matrix, Target};
use awl::engine::{Engine, Gradients, Recipe, Reference, State, Step};
use awl::{Activation, Adam, AutomaticWeightedLoss, Loss, Network, SigmaForm, Task, Weighting};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

const ACTIVATIONS: [Activation; 4] =
    [Activation::Relu, Activation::Tanh, Activation::Gelu, Activation::Silu];

/// The trunks: depth 0 to 3.
const TRUNKS: [&[usize]; 4] = [&[], &[5], &[4, 3], &[3, 5, 4]];

/// Small enough to miss the kinks of `relu`, `mae` and `huber`. Rounding then costs some 1e-10, which is
/// 1e-6 of the smallest gradients here.
const STEP: f64 = 1e-6;
const TOLERANCE: f64 = 1e-6;

const PLAIN: Option<SigmaForm> = Some(SigmaForm::Plain);

/// Which rows of a task have a label.
#[derive(Clone, Copy, Debug)]
enum Labels {
    All,
    Some,
    None,
}

/// A network with data, all drawn from the seed.
#[derive(Clone, Debug)]
struct Case {
    tasks: Vec<(Loss, usize, Labels)>,
    activation: Activation,
    hidden: &'static [usize],
    dropout: f64,
    /// What is learned of σ; nothing where weights are given.
    form: Option<SigmaForm>,
    /// Whether each row has a feature of its own, 1 there and 0 elsewhere.
    one_hot: bool,
    seed: u64,
}

/// Every kind of loss with a width.
fn losses() -> Vec<(Loss, usize)> {
    let cross_entropy = |label_smoothing, class_weights: Option<[f32; 4]>| Loss::CrossEntropy {
        label_smoothing,
        class_weights: class_weights.map(Vec::from),
    };
    let weights = Some([0.5, 2.0, 0.0, 1.25]);
    vec![
        (Loss::Mse, 1),
        (Loss::Mse, 3),
        (Loss::Mae, 2),
        (Loss::Huber { delta: 0.5 }, 3),
        (Loss::Quantile { quantile: 0.8 }, 2),
        (Loss::Poisson, 2),
        (Loss::GaussianNll { beta: 0.0 }, 2),
        (Loss::LaplaceNll, 2),
        (Loss::Bce, 3),
        (Loss::cross_entropy(), 4),
        (cross_entropy(0.1, None), 4),
        (cross_entropy(0.0, weights), 4),
        (cross_entropy(0.3, weights), 4),
    ]
}

impl Case {
    const ROWS: usize = 11;

    fn engine(&self) -> (Reference, State) {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let features = if self.one_hot { Self::ROWS } else { 3 };
        let mut uniform = |count: usize| -> Vec<f32> {
            (0..count).map(|_| 4.0 * random.random::<f32>() - 2.0).collect()
        };
        let one_hot = (0..features * features).map(|i| f32::from(i % (features + 1) == 0));
        let inputs = match self.one_hot {
            true => one_hot.collect(),
            false => uniform(Self::ROWS * features),
        };
        let targets = self.tasks.iter().map(|task| target(task, &mut uniform));
        let targets = targets.collect();
        let data = Dataset::new(Matrix::new(features, inputs).expect("features"), targets);

        let tasks: Vec<Task> = (0..)
            .zip(&self.tasks)
            .map(|(i, (loss, width, _)): (usize, _)| Task::new(i.to_string(), loss.clone(), *width))
            .collect();
        let positive = |values: Vec<f32>| values.iter().map(|v| v.abs() + 0.5).collect();
        let numbers = positive(uniform(tasks.len()));
        let weighting = match self.form {
            Some(form) => AutomaticWeightedLoss::starting_at(numbers).with_form(form).into(),
            None => Weighting::fixed(numbers),
        };
        let network = Network::new(features, self.hidden, self.activation, &tasks)
            .and_then(|network| network.with_dropout(self.dropout));
        let mut recipe = Recipe::new(network.expect("a network"), weighting, Adam::new(1e-3));
        recipe.batch = 7;
        recipe.seed = self.seed;
        let mut state = State::initial(&recipe);
        // Wider than the usual start, so that the activations bend.
        state.parameters.iter_mut().for_each(|p| *p *= 2.0);
        let mut engine = Reference::new(recipe, data.expect("a dataset")).expect("an engine");
        engine.load(&state).expect("the state fits");
        (engine, state)
    }

    /// Checks parameters and, where it is learned, σ or its logarithm in a full and in a short batch of the second epoch.
    fn check(&self) {
        let (mut engine, mut state) = self.engine();
        for step in &schedule(7, Self::ROWS, 4)[2..] {
            let gradients = engine.gradients(step).expect("a step");
            let found = differences(&mut engine, &mut state, step, |state| &mut state.parameters);
            let case = format!("{self:?}, {} rows, parameters", step.rows);
            assert_close(&case, &gradients.parameters, &found, TOLERANCE);
            // A weight that is held cannot be moved to see what happens.
            let held = self.tasks.iter().any(|(loss, ..)| loss.predicts_noise());
            if self.form.is_some() && !held {
                let found = differences(&mut engine, &mut state, step, |state| &mut state.sigma);
                let case = format!("{self:?}, {} rows, σ", step.rows);
                assert_close(&case, &gradients.sigma, &found, TOLERANCE);
            }
            self.check_absent(&gradients);
        }
    }

    /// A task without labels has no loss, and takes no part in any gradient.
    fn check_absent(&self, gradients: &Gradients) {
        let outputs: usize = self.tasks.iter().map(|(loss, width, _)| loss.outputs(*width)).sum();
        let mut first = 0;
        for (i, (loss, width, labels)) in self.tasks.iter().enumerate() {
            let width = loss.outputs(*width);
            let mut rows = gradients.predictions.chunks_exact(outputs);
            let zero = rows.all(|row| row[first..first + width].iter().all(|&g| g == 0.0));
            let absent = matches!(labels, Labels::None);
            assert_eq!(gradients.record.tasks[i].loss.is_none(), absent, "{self:?}, task {i}");
            assert_eq!(zero, absent, "{self:?}, task {i}: gradients at its predictions");
            first += width;
        }
    }
}

/// A target whose unlabelled rows hold what no loss may look at.
fn target(task: &(Loss, usize, Labels), uniform: &mut dyn FnMut(usize) -> Vec<f32>) -> Target {
    let (loss, width, labels) = task;
    let labelled = |row: usize| match labels {
        Labels::All => true,
        Labels::Some => row % 3 != 1,
        Labels::None => false,
    };
    let values = uniform(Case::ROWS * width);
    let values = values.iter().enumerate().map(|(i, &value)| match loss {
        _ if !labelled(i / width) => f32::NAN,
        Loss::Bce => (value + 2.0) / 4.0,
        Loss::Poisson => (value + 2.0).round(),
        _ => value,
    });
    let target = if loss.predicts_class() {
        // Never class 2, whose weight is 0: a batch of it alone would have no mean.
        let class = |value: f32| [0, 1, 3][((value + 2.0) * 0.75) as usize % 3];
        let first_column = values.step_by(*width);
        let classes = first_column.map(|v| if v.is_nan() { u32::MAX } else { class(v) });
        Target::classes(classes.collect())
    } else {
        Target::numbers(Matrix::new(*width, values.collect()).expect("a matrix"))
    };
    let mask = (0..Case::ROWS).map(labelled).collect();
    target.labelled(mask).expect("a mask")
}

/// The total's central differences for each of these numbers of the state.
fn differences(
    engine: &mut Reference,
    state: &mut State,
    step: &Step,
    numbers: impl Fn(&mut State) -> &mut Vec<f64>,
) -> Vec<f64> {
    let mut total = |state: &State| {
        engine.load(state).expect("the state fits");
        engine.gradients(step).expect("a step").record.total
    };
    let mut differences = Vec::new();
    for i in 0..numbers(state).len() {
        let here = numbers(state)[i];
        numbers(state)[i] = here + STEP;
        let above = total(state);
        numbers(state)[i] = here - STEP;
        let below = total(state);
        numbers(state)[i] = here;
        differences.push((above - below) / (2.0 * STEP));
    }
    engine.load(state).expect("the state fits");
    differences
}

#[test]
fn one_task_agrees_for_every_loss_activation_and_depth() {
    for (l, (loss, width)) in losses().into_iter().enumerate() {
        for (a, activation) in ACTIVATIONS.into_iter().enumerate() {
            for (depth, hidden) in TRUNKS.into_iter().enumerate() {
                let case = Case {
                    tasks: vec![(loss.clone(), width, Labels::All)],
                    activation,
                    hidden,
                    dropout: 0.0,
                    form: PLAIN,
                    one_hot: false,
                    seed: (100 * l + 10 * a + depth) as u64,
                };
                case.check();
            }
        }
    }
}

/// Two and three tasks of neighbouring losses under every pattern of labels; without a form their weights are given.
fn several_tasks(form: Option<SigmaForm>, one_hot: bool) -> Vec<Case> {
    use Labels::{All, None, Some};
    let patterns: [&[Labels]; 6] = [
        &[All, All],
        &[Some, All],
        &[None, Some],
        &[Some, None, All],
        &[None, None, Some],
        &[None, None],
    ];
    let losses = losses();
    let mut cases = Vec::new();
    for first in 0..losses.len() {
        for (p, pattern) in patterns.into_iter().enumerate() {
            let next = losses.iter().cycle().skip(first).zip(pattern);
            cases.push(Case {
                tasks: next.map(|((l, width), &m)| (l.clone(), *width, m)).collect(),
                activation: ACTIVATIONS[(first + p) % 4],
                hidden: if one_hot { &[] } else { TRUNKS[(first + p) % 3 + 1] },
                dropout: 0.0,
                form,
                one_hot,
                seed: (1000 + 10 * first + p) as u64,
            });
        }
    }
    cases
}

#[test]
fn several_tasks_agree_with_labels_missing() {
    several_tasks(PLAIN, false).iter().for_each(Case::check);
}

#[test]
fn several_tasks_agree_where_the_logarithm_is_learned() {
    several_tasks(Some(SigmaForm::log()), false).iter().for_each(Case::check);
}

#[test]
fn several_tasks_agree_under_given_weights() {
    several_tasks(None, false).iter().for_each(Case::check);
}

/// The masks belong to the step, so that the total is a function of the parameters as ever.
#[test]
fn several_tasks_agree_under_dropout() {
    for case in several_tasks(PLAIN, false) {
        Case { dropout: 0.4, ..case }.check();
    }
}

/// With one-hot rows and no trunk, a row's own weights are added to its predictions: the differences for
/// these weights are those for the predictions.
#[test]
fn the_gradient_at_every_prediction_agrees() {
    for case in several_tasks(PLAIN, true) {
        let (mut engine, mut state) = case.engine();
        let outputs = engine.recipe().network.outputs();
        for step in &schedule(7, Case::ROWS, 4)[2..] {
            let gradients = engine.gradients(step).expect("a step");
            let found = differences(&mut engine, &mut state, step, |state| &mut state.parameters);
            let row_of = |column: usize| -> Vec<f64> {
                (0..outputs).map(|o| found[o * Case::ROWS + column]).collect()
            };
            let order = awl::data::Permutation::new(Case::ROWS as u32, case.seed, step.epoch);
            let positions = step.first..step.first + step.rows;
            let rows = positions.map(|position| order.row(position as u32) as usize);
            let expected: Vec<f64> = rows.flat_map(row_of).collect();
            let name = format!("{case:?}, {} rows, predictions", step.rows);
            assert_close(&name, &gradients.predictions, &expected, TOLERANCE);
        }
    }
}
