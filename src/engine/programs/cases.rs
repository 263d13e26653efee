//! Tests: networks, data and steps that the programs made for GPUs are held against the reference with. Software adapters
//! compile their kernels for seconds, so all of it is small.

use super::Make;
use crate::data::{Dataset, Matrix, Target};
use crate::engine::device::{Rows, Training, Workspace};
use crate::engine::{Engine, Recipe, Record, Reference, Step};
use crate::gpu::Gpu;
use crate::{Activation, Adam, AutomaticWeightedLoss, Loss, Network, Task};
use pollster::block_on;

/// Rows of the dataset.
const ROWS: usize = 45;

fn smoothed(classes: usize) -> Loss {
    let class_weights = Some((1..=classes).map(|class| class as f32 / 2.0).collect());
    Loss::CrossEntropy { label_smoothing: 0.1, class_weights }
}

/// Tasks of every kind, the second with labels missing, the first and the last but one with weights of the rows.
pub fn mixed() -> Vec<Task> {
    vec![
        Task::new("number", Loss::Huber { delta: 0.5 }, 2),
        Task::new("kind", smoothed(3), 3),
        Task::new("flag", Loss::Bce, 1),
        Task::new("class", Loss::cross_entropy(), 5),
        Task::new("noisy", Loss::GaussianNll { beta: 0.5 }, 2),
        Task::new("far", Loss::LaplaceNll, 1),
    ]
}

/// A number and a kind.
pub fn two() -> Vec<Task> {
    vec![Task::new("number", Loss::Mse, 1), Task::new("kind", Loss::cross_entropy(), 10)]
}

/// A value for every feature and label.
pub fn data(features: usize, tasks: &[Task]) -> Dataset {
    let value = |i: usize| ((i * i + 7 * i) % 23) as f32 / 11.5 - 1.0;
    let target = |(k, task): (usize, &Task)| {
        let target = match task.loss.predicts_class() {
            true => Target::classes(
                (0..ROWS).map(|row| ((row * row + k) % task.width) as u32).collect(),
            ),
            false => {
                let is_flag = task.loss.name() == "bce";
                let of = |i: usize| if is_flag { f32::from(value(i) > 0.0) } else { value(i + k) };
                let numbers = (0..ROWS * task.width).map(of).collect();
                Target::numbers(Matrix::new(task.width, numbers).expect("numbers"))
            }
        };
        let weights: Vec<f32> = (0..ROWS).map(|row| ((row + k) % 4) as f32 / 2.0).collect();
        match k {
            0 | 2 => target.weighted(weights).expect("weights"),
            1 => target.labelled((0..ROWS).map(|row| row % 3 != 1).collect()).expect("labels"),
            _ => target,
        }
    };
    let targets = tasks.iter().enumerate().map(target).collect();
    let values = (0..features * ROWS).map(|i| value(3 * i + 1)).collect();
    Dataset::new(Matrix::new(features, values).expect("features"), targets).expect("data")
}

/// Six steps, by default of two batches an epoch, the second short and shuffled anew.
fn steps(recipe: &Recipe) -> Vec<Step> {
    (1..=6).map(|number| Step::numbered(number, ROWS, recipe.batch)).collect()
}

/// The records of these steps.
fn trained(engine: &mut dyn Engine, steps: &[Step]) -> Vec<Record> {
    engine.submit(steps).expect("steps");
    block_on(engine.collect()).expect("records")
}

/// Holds the program `make`, on a device with what the adapter gives and on a plain one, against the reference: records and
/// parameters of six steps of this network, in a recipe that is changed so.
pub fn agrees(
    make: Make,
    features: usize,
    hidden: &[usize],
    tasks: &[Task],
    change: impl Fn(&mut Recipe),
) {
    let network = Network::new(features, hidden, Activation::Tanh, tasks).expect("a network");
    let mut recipe = Recipe::new(network, AutomaticWeightedLoss::new(tasks.len()), Adam::new(0.01));
    (recipe.batch, recipe.seed) = (25, 3);
    change(&mut recipe);
    let (data, steps) = (data(features, tasks), steps(&recipe));
    let mut reference = Reference::new(recipe.clone(), data.clone()).expect("the reference");
    let expected = trained(&mut reference, &steps);
    let state = block_on(reference.state()).expect("a state");
    for gpu in [block_on(Gpu::new()), block_on(Gpu::plain())] {
        let gpu = gpu.expect("a device");
        let rows =
            block_on(Rows::upload(&gpu, std::slice::from_ref(&recipe), &data, None)).expect("rows");
        let workspace = Workspace::new(&gpu, vec![recipe.clone()], rows.into()).expect("buffers");
        let program = make(&workspace).expect("a program").expect("one for this network");
        let mut training = Training::new(workspace, program);
        // Cut in two: copies of the parameters are made anew.
        training.submit(&steps[..2], &[0]).expect("steps");
        training.submit(&steps[2..], &[0]).expect("steps");
        let mut records = block_on(training.collect()).expect("records");
        records.extend(block_on(training.collect()).expect("records"));
        let case = format!("{features}, {hidden:?}, {}", training.workspace.gpu.name());
        for (record, expected) in records.iter().zip(&expected) {
            let close =
                (record.total - expected.total).abs() <= 2e-5 * (1.0 + expected.total.abs());
            assert!(close, "{case}: {record:?} {expected:?}");
        }
        assert_eq!(records.len(), expected.len(), "{case}");
        let found = block_on(training.workspace.states(&[0], &[6])).expect("a state").remove(0);
        let pairs = found.parameters.iter().zip(&state.parameters);
        let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst <= 2e-4, "{case}: a parameter is off by {worst}");
    }
}

/// Holds a program against the reference with dropout and clipping.
pub fn drop_and_clip(make: Make) {
    agrees(make, 3, &[12], &mixed(), |recipe| {
        recipe.network = recipe.network.clone().with_dropout(0.3).expect("a network");
        recipe.clip = Some(0.05);
    });
}

/// Holds it with dropout of units whose slope is 0 or 1.
pub fn drop_rectified_units(make: Make) {
    let hidden = [20, 8, 12];
    agrees(make, 6, &hidden, &two(), |recipe| {
        let network = Network::new(6, &hidden, Activation::Relu, &two()).expect("a network");
        recipe.network = network.with_dropout(0.2).expect("a network");
    });
}
