mod scikit_learn;

use super::*;
use crate::data::Target;
use crate::engine::{Engine, Recipe, Reference, Step};
use crate::loss::{Loss, Task};
use crate::{Activation, Adam, Weighting};

/// Metrics of a single task, from its predictions and target.
fn of(task: Task, predictions: &[f32], target: Target) -> Result<Option<TaskMetrics>> {
    let network = Network::new(1, &[], Activation::Relu, &[task])?;
    let features = Matrix::new(1, vec![0.0; target.rows()])?;
    let predictions = Matrix::new(network.outputs(), predictions.to_vec())?;
    let data = Dataset::new(features, vec![target])?;
    Ok(metrics(&network, &predictions, &data)?.remove(0))
}

fn numbers(columns: usize, values: &[f32]) -> Target {
    Target::numbers(Matrix::new(columns, values.to_vec()).unwrap())
}

fn classes(classes: &[u32]) -> Target {
    Target::classes(classes.to_vec())
}

/// Enough cells for threads: what each of several threads finds alone is what they find together.
#[test]
fn figures_are_the_same_on_one_core_and_on_all() {
    const ROWS: usize = 2_500;
    let drawn = |i: usize| ((i * 7919 + i / 1009) % 1009) as f32 / 100.0;
    let mut tasks = vec![Task::new("classes", Loss::cross_entropy(), 60)];
    tasks.push(Task::new("pairs", Loss::Bce, 45));
    tasks.extend((0..8).map(|k| Task::new(format!("number {k}"), Loss::Mse, 6)));
    let network = Network::new(1, &[], Activation::Relu, &tasks).unwrap();
    let target = |task: &Task| match task.loss {
        Loss::CrossEntropy { .. } => {
            classes(&(0..ROWS as u32).map(|i| i * i % 59).collect::<Vec<_>>())
        }
        Loss::Bce => numbers(45, &(0..45 * ROWS).map(|i| (i % 7 / 5) as f32).collect::<Vec<_>>()),
        _ => numbers(6, &(0..6 * ROWS).map(drawn).collect::<Vec<_>>()),
    };
    let targets = tasks.iter().map(target).collect();
    let data = Dataset::new(Matrix::new(1, vec![0.0; ROWS]).unwrap(), targets).unwrap();
    let outputs = network.outputs();
    let predictions = Matrix::new(outputs, (0..outputs * ROWS).map(drawn).collect()).unwrap();
    let find = |_| metrics(&network, &predictions, &data).unwrap();
    let together = find(0);
    // A thread of several starts none of its own.
    for alone in crate::train::parallel::on_threads(2, 2, &find) {
        assert_eq!(alone, together);
    }
}

/// Accuracy or RMSE, whichever the task has, and the number of labelled rows.
fn headline(metrics: &TaskMetrics) -> (f64, usize) {
    match metrics {
        TaskMetrics::Classification(it) => (it.scores.accuracy, it.labelled),
        TaskMetrics::Regression(it) => (it.fit.rmse, it.labelled),
    }
}

fn class_scores(metrics: Option<TaskMetrics>) -> Classification {
    match metrics {
        Some(TaskMetrics::Classification(figures)) => figures,
        other => panic!("{other:?} is not of classes"),
    }
}

fn fits(metrics: Option<TaskMetrics>) -> Regression {
    match metrics {
        Some(TaskMetrics::Regression(figures)) => figures,
        other => panic!("{other:?} is not of numbers"),
    }
}

#[test]
fn metrics_are_what_a_hand_computes() {
    for (what, task, predictions, target, expected) in [
        (
            "three of four classes right, one of them a tie that goes to the first",
            Task::new("t", Loss::cross_entropy(), 3),
            &[2., 1., 0., -3., -2., -1., 5., 5., 0., 1., 9., 0.][..],
            classes(&[0, 2, 0, 0]),
            Some((0.75, 4)),
        ),
        (
            "one of two labelled classes right; NaN and class 99 have no label",
            Task::new("t", Loss::cross_entropy(), 2),
            &[1., 0., f32::NAN, 0., 0., 1.],
            classes(&[0, 99, 0]).labelled(vec![true, false, true]).unwrap(),
            Some((0.5, 2)),
        ),
        (
            "two columns of bce: right, wrong (a logit of 0 is no); right, right; unlabelled",
            Task::new("t", Loss::Bce, 2),
            &[0.1, 0., -1., 2., 9., 9.],
            numbers(2, &[1., 1., 0., 0.9, 0., 0.]).labelled(vec![true, true, false]).unwrap(),
            Some((0.75, 2)),
        ),
        (
            "errors of 3 and 4: the root of 12.5",
            Task::new("t", Loss::Mse, 1),
            &[1., -1., 7.],
            numbers(1, &[4., 3., f32::NAN]).labelled(vec![true, true, false]).unwrap(),
            Some((12.5_f64.sqrt(), 2)),
        ),
        (
            "two columns of mae: squares 1 + 1 + 1 + 13, over 4",
            Task::new("t", Loss::Mae, 2),
            &[1., 1., 1., 0.],
            numbers(2, &[0., 0., 2., 13_f32.sqrt()]),
            Some((2.0, 2)),
        ),
        (
            "huber is measured like the others",
            Task::new("t", Loss::Huber { delta: 0.1 }, 1),
            &[0., 0.],
            numbers(1, &[-10., 10.]),
            Some((10.0, 2)),
        ),
        (
            "nothing is labelled",
            Task::new("t", Loss::Mse, 1),
            &[1.],
            numbers(1, &[1.]).labelled(vec![false]).unwrap(),
            None,
        ),
    ] {
        let found = of(task, predictions, target).unwrap();
        let found = found.as_ref().map(headline);
        let close = match (found, expected) {
            (Some((a, n)), Some((b, m))) => (a - b).abs() < 1e-6 && n == m,
            _ => found == expected,
        };
        assert!(close, "{what}: {found:?}, not {expected:?}");
    }
}

#[test]
fn each_task_is_judged_by_its_own_columns() {
    let tasks = [
        Task::new("kind", Loss::cross_entropy(), 2),
        Task::new("mass", Loss::Mse, 1),
        Task::new("ringed", Loss::Bce, 1),
    ];
    let network = Network::new(1, &[], Activation::Relu, &tasks).unwrap();
    let data = Dataset::new(
        Matrix::new(1, vec![0.0; 2]).unwrap(),
        vec![Target::classes(vec![1, 0]), numbers(1, &[2.0, 2.0]), numbers(1, &[1.0, 1.0])],
    )
    .unwrap();
    // kind, kind, mass, ringed
    let predictions = vec![0.0, 1.0, 5.0, -1.0, 1.0, 0.0, -1.0, 1.0];
    let predictions = Matrix::new(4, predictions).unwrap();
    let found = metrics(&network, &predictions, &data).unwrap();
    let headlines: Vec<_> = found.iter().flatten().map(headline).collect();
    assert_eq!(headlines, [(1.0, 2), (3.0, 2), (0.5, 2)]);
}

#[test]
fn the_loss_is_the_engines() {
    let tasks = [
        Task::new("mse", Loss::Mse, 2),
        Task::new("mae", Loss::Mae, 1),
        Task::new("huber", Loss::Huber { delta: 0.25 }, 1),
        Task::new("bce", Loss::Bce, 2),
        Task::new(
            "weighted",
            Loss::CrossEntropy { label_smoothing: 0.1, class_weights: Some(vec![0.5, 2., 1.]) },
            3,
        ),
        Task::new(
            "weightless",
            Loss::CrossEntropy { label_smoothing: 0.0, class_weights: Some(vec![0.0, 1.0]) },
            2,
        ),
    ];
    let rows = 9;
    let some = |seed: usize, count: usize| -> Vec<f32> {
        (0..count).map(|i| ((i * 37 + seed * 11) % 23) as f32 / 11.5 - 1.0).collect()
    };
    let yes_and_no = some(4, rows * 2).into_iter().map(|x| f32::from(x > 0.0)).collect();
    let mask = (0..rows).map(|row| row % 4 != 1).collect::<Vec<_>>();
    let targets = [
        Target::numbers(Matrix::new(2, some(1, rows * 2)).unwrap()),
        numbers(1, &some(2, rows)),
        numbers(1, &some(3, rows)),
        Target::numbers(Matrix::new(2, yes_and_no).unwrap()),
        classes(&[0, 1, 2, 2, 1, 0, 0, 1, 2]),
        classes(&[0; 9]),
    ];
    let targets = targets.map(|target| target.labelled(mask.clone()).unwrap()).to_vec();
    let data = Dataset::new(Matrix::new(2, some(5, rows * 2)).unwrap(), targets).unwrap();
    let network = Network::new(2, &[5], Activation::Tanh, &tasks).unwrap();
    let recipe = Recipe::new(network.clone(), Weighting::equal(6), Adam::new(1e-3));
    let mut engine = Reference::new(recipe, data.clone()).unwrap();
    let step = Step { number: 1, epoch: 0, batch: 0, first: 0, rows };
    let record = engine.gradients(&step).unwrap().record;
    let predictions = pollster::block_on(engine.predict(data.features())).unwrap();
    let found = metrics(&network, &predictions, &data).unwrap();
    for ((task, found), expected) in tasks.iter().zip(found).zip(record.tasks) {
        let loss = found.as_ref().and_then(TaskMetrics::loss);
        match (loss, expected.loss) {
            // The predictions are rounded to f32.
            (Some(loss), Some(expected)) => {
                assert!((loss / expected - 1.0).abs() < 1e-6, "{}: {loss}, {expected}", task.name);
            }
            (loss, expected) => {
                assert_eq!((task.name.as_str(), loss, expected), ("weightless", None, None));
            }
        }
        assert_eq!(found.unwrap().labelled(), 7);
    }
}

#[test]
fn errors_are_told_in_other_units_and_nothing_else_is() {
    let task = |width| Task::new("t", Loss::Mse, width);
    let one = of(task(1), &[0.5, -0.5], numbers(1, &[0., 1.])).unwrap().unwrap();
    let [raw, grams] = [one.clone(), one.in_units(&[800.0])].map(|figures| fits(Some(figures)));
    assert_eq!((raw.fit.mae, grams.fit.mae), (1.0, 800.0));
    assert_eq!((grams.fit.rmse, grams.fit.r2), (800.0 * raw.fit.rmse, raw.fit.r2));
    assert_eq!((grams.loss, grams.labelled), (raw.loss, raw.labelled));

    let two = of(task(2), &[1., 1., 1., 1.], numbers(2, &[0., 0., 2., 2.])).unwrap().unwrap();
    let two = fits(Some(two.in_units(&[3.0, 4.0])));
    assert_eq!(two.columns.iter().map(|fit| fit.rmse).collect::<Vec<_>>(), [3.0, 4.0]);
    assert_eq!((two.fit.mae, two.fit.rmse), (3.5, 12.5_f64.sqrt()));

    let kind = Task::new("t", Loss::cross_entropy(), 2);
    let kind = of(kind, &[1., 0.], classes(&[0])).unwrap().unwrap();
    assert_eq!(kind.clone().in_units(&[800.0]), kind);
}

#[test]
fn figures_are_written_as_json_and_read_back() {
    let kind = Task::new("t", Loss::cross_entropy(), 2);
    let kind = of(kind, &[1., 0., 3., 0.], classes(&[0, 0])).unwrap().unwrap();
    let mass = of(Task::new("t", Loss::Mse, 2), &[1.; 4], numbers(2, &[0., 3., 0., 4.])).unwrap();
    let both = [kind, mass.unwrap()];
    let text = serde_json::to_string(&both).unwrap();
    assert_eq!(serde_json::from_str::<Vec<TaskMetrics>>(&text).unwrap(), both);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json[0]["confusion"], serde_json::json!([[2, 0], [0, 0]]));
    assert_eq!((&json[0]["accuracy"], &json[0]["auc"]), (&1.0.into(), &serde_json::Value::Null));
    assert_eq!((&json[1]["columns"][1]["mae"], &json[1]["labelled"]), (&2.5.into(), &2.into()));
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let mse = || Task::new("mass", Loss::Mse, 1);
    for (task, predictions, target, message) in [
        (
            mse(),
            vec![1.0, 2.0, 3.0],
            numbers(1, &[0.0, 0.0]),
            "the number of rows of the matrix of predictions is 3, but must be 2",
        ),
        (
            mse(),
            vec![1.0, f32::NAN],
            numbers(1, &[0.0, 0.0]),
            "task \"mass\": a prediction for row 1 is NaN: look for extreme features",
        ),
        (
            mse(),
            vec![1.0],
            Target::classes(vec![0]),
            "task \"mass\": mse needs numbers as targets, not classes",
        ),
        (
            Task::new("kind", Loss::cross_entropy(), 2),
            vec![1.0, 0.0],
            Target::classes(vec![2]),
            "task \"kind\": class 2 at row 0 is outside 0..2",
        ),
    ] {
        let found = of(task, &predictions, target).unwrap_err().to_string();
        assert!(found.starts_with(message), "{found}");
    }
    let network = Network::new(1, &[], Activation::Relu, &[mse()]).unwrap();
    let wide = Matrix::new(2, vec![0.0; 2]).unwrap();
    let data = |targets| Dataset::new(Matrix::new(1, vec![0.0]).unwrap(), targets).unwrap();
    let one = data(vec![numbers(1, &[0.0])]);
    assert!(
        metrics(&network, &wide, &one)
            .unwrap_err()
            .to_string()
            .starts_with("the number of columns of the matrix of predictions is 2, but must be 1")
    );
    let none = data(vec![]);
    assert!(
        metrics(&network, &Matrix::new(1, vec![0.0]).unwrap(), &none)
            .unwrap_err()
            .to_string()
            .starts_with("the number of targets of the dataset is 0, but must be 1")
    );
}
