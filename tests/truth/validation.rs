//! Rows held out of training: their losses on every engine, what is chosen by them, and that training does not notice.

use crate::support::{Make, ON_GPU, assert_each_close, numbers, reference, run, schedule};
use crate::support::{small_gpu, state_of};
use awl::data::{Dataset, Matrix, Target};
use awl::engine::{Engine, GpuEngine, Recipe, Record, State};
use awl::train::{BestEpoch, Checkpoint, End, Epoch, Next, Plan, Progress, Run, Saved};
use awl::train::{Trainer, Watch};
use awl::{Activation, Adam, AutomaticWeightedLoss, Error, Loss, Network, Result, Task};
use pollster::block_on;

/// How far the losses of `f32` kernels may be from the reference's, relative to them: a few times what the driver's logarithm is
/// off by.
const CLOSE: f64 = 5e-6;

/// A number from -1 to 1 that looks drawn.
fn drawn(i: usize) -> f32 {
    ((i * 7919 + i / 1009 * 31) % 1009) as f32 / 504.5 - 1.0
}

/// Every loss, several columns, class weights (one of them 0), smoothing.
fn tasks() -> Vec<Task> {
    let classes = |label_smoothing, class_weights: Option<&[f32]>| Loss::CrossEntropy {
        label_smoothing,
        class_weights: class_weights.map(<[f32]>::to_vec),
    };
    vec![
        Task::new("mse", Loss::Mse, 2),
        Task::new("mae", Loss::Mae, 1),
        Task::new("huber", Loss::Huber { delta: 0.3 }, 3),
        Task::new("quantile", Loss::Quantile { quantile: 0.8 }, 2),
        Task::new("poisson", Loss::Poisson, 2),
        Task::new("bce", Loss::Bce, 3),
        Task::new("kind", Loss::cross_entropy(), 5),
        Task::new("weighed", classes(0.0, Some(&[2.0, 0.25, 0.0])), 3),
        Task::new("smoothed", classes(0.2, Some(&[1.0, 3.0, 0.5, 1.5])), 4),
    ]
}

/// Rows whose labels are missing where `labelled` says so of row and task, and which have weights in every third one.
fn data(tasks: &[Task], rows: usize, labelled: impl Fn(usize, usize) -> bool) -> Dataset {
    let x = Matrix::new(3, (0..3 * rows).map(drawn).collect()).expect("a matrix");
    let weights: Vec<f32> = (0..rows).map(|row| 0.5 + drawn(row).abs()).collect();
    let target = |(k, task): (usize, &Task)| {
        let value = |i: usize| match task.loss {
            Loss::Bce => f32::from(u8::from(drawn(i + k) > 0.2)),
            Loss::Poisson => (3.0 * drawn(i + k).abs()).round(),
            _ => 2.0 * drawn(3 * i + k),
        };
        let target = match task.loss.predicts_class() {
            true => Target::classes((0..rows).map(|i| ((i * i + k) % task.width) as u32).collect()),
            false => {
                let values = (0..rows * task.width).map(value).collect();
                Target::numbers(Matrix::new(task.width, values).expect("a matrix"))
            }
        };
        let target = target.labelled((0..rows).map(|row| labelled(row, k)).collect());
        let target = target.expect("a mask");
        match k % 3 {
            1 => target.weighted(weights.clone()).expect("weights"),
            _ => target,
        }
    };
    Dataset::new(x, tasks.iter().enumerate().map(target).collect()).expect("a dataset")
}

fn recipe(tasks: &[Task]) -> Recipe {
    let network = Network::new(3, &[9], Activation::Tanh, tasks).expect("a network");
    // Of which validation must know nothing.
    let network = network.with_dropout(0.4).expect("a probability");
    let mut recipe = Recipe::new(network, AutomaticWeightedLoss::new(tasks.len()), Adam::new(0.01));
    recipe.batch = 16;
    recipe
}

/// The losses in `f64`: those that a step over all of these rows at once would record.
fn truth(recipe: &Recipe, rows: &Dataset, state: &State) -> Vec<Option<f64>> {
    let mut recipe = recipe.clone();
    recipe.network = recipe.network.with_dropout(0.0).expect("none");
    recipe.batch = rows.rows();
    let mut engine = reference(recipe, rows.clone());
    engine.load(&State { step: 0, ..state.clone() }).expect("the state fits");
    let record = run(engine.as_mut(), &schedule(rows.rows(), rows.rows(), 1)).expect("a step");
    record[0].tasks.iter().map(|task| task.loss).collect()
}

#[track_caller]
fn assert_losses(case: &str, found: &[Option<f64>], expected: &[Option<f64>], tolerance: f64) {
    let known = |losses: &[Option<f64>]| losses.iter().map(Option::is_some).collect::<Vec<_>>();
    assert_eq!(known(found), known(expected), "{case}: which tasks have a loss");
    let values = |losses: &[Option<f64>]| losses.iter().flatten().copied().collect::<Vec<_>>();
    assert_each_close(case, &values(found), &values(expected), tolerance);
}

/// Rows of fewer than a block, of one, of several and some more; all labelled, some, and a task without any.
fn losses_are_those_of_all_rows_at_once(name: &str, make: Make, tolerance: f64) {
    let tasks = tasks();
    let recipe = recipe(&tasks);
    let mut engine = make(recipe.clone(), data(&tasks, 50, |_, _| true));
    let engine = engine.as_mut();
    run(engine, &schedule(16, 50, 7)).expect("steps");
    let state = state_of(engine);
    type Labelled = fn(usize, usize) -> bool;
    let labelled: [Labelled; 4] = [
        |_, _| true,
        |row, k| !(row + k).is_multiple_of(3),
        // None of "bce", and of "kind" in the first block alone.
        |row, k| k != 3 && (k != 4 || row < 2_000),
        // Of "weighed" only the class that weighs nothing.
        |row, k| k != 5 || (row * row + k) % 3 == 2,
    ];
    for rows in [1, 33, 4_096, 9_001] {
        for (case, labelled) in labelled.iter().enumerate() {
            let held_out = data(&tasks, rows, labelled);
            block_on(engine.hold_out(&held_out)).expect("rows that fit");
            let expected = truth(&recipe, &held_out, &state);
            let case = format!("{name}, {rows} rows, labels {case}");
            let found = block_on(engine.validate()).expect("losses");
            assert_losses(&case, &found, &expected, tolerance);
            let again = block_on(engine.validate()).expect("losses");
            assert_eq!(found, again, "{case}: the same bits");
        }
    }
    assert_eq!(state_of(engine), state, "{name}: the state is left alone");
}

#[test]
fn the_references_losses_are_those_of_all_rows_at_once() {
    losses_are_those_of_all_rows_at_once("reference", &reference, 1e-12);
}

#[test]
fn the_gpu_engines_losses_are_the_references() {
    for (name, make) in ON_GPU {
        losses_are_those_of_all_rows_at_once(name, make, CLOSE);
    }
}

/// On a device whose bindings hold 2,730 rows of features, or fewer rows of labels.
#[test]
fn more_rows_than_a_binding_holds_are_streamed() {
    let tasks = tasks();
    let recipe = recipe(&tasks);
    let gpu = small_gpu(64 * 1024);
    let training = data(&tasks, 50, |_, _| true);
    let held_out = data(&tasks, 9_001, |row, k| !(row + k).is_multiple_of(5));
    let mut engine =
        block_on(GpuEngine::fused(&gpu, recipe.clone(), &training)).expect("an engine");
    let large = block_on(GpuEngine::fused(&gpu, recipe.clone(), &held_out)).expect("an engine");
    assert!(!engine.is_streamed() && large.is_streamed());
    block_on(engine.hold_out(&held_out)).expect("rows that are streamed");
    let found = block_on(engine.validate()).expect("losses");
    let expected = truth(&recipe, &held_out, &state_of(&mut engine));
    assert_losses("streamed", &found, &expected, CLOSE);
}

#[test]
fn what_cannot_be_validated_on_is_refused() {
    let tasks = tasks();
    let rows = |count| data(&tasks, count, |_, _| true);
    let others = [&ON_GPU[..2], &[("reference", &reference as Make)]].concat();
    for (name, make) in others {
        let mut engine = make(recipe(&tasks), rows(20));
        let error = block_on(engine.validate()).expect_err("nothing was held out");
        assert!(matches!(error, Error::Invalid { .. }), "{name}: {error}");
        block_on(engine.hold_out(&rows(5))).expect("rows that fit");
        let before = block_on(engine.validate()).expect("losses");
        let narrow = Dataset::new(
            Matrix::new(2, vec![0.0; 10]).expect("a matrix"),
            rows(5).targets().to_vec(),
        );
        let fewer = Dataset::new(rows(5).features().clone(), rows(5).targets()[1..].to_vec());
        for other in [narrow, fewer] {
            let error = block_on(engine.hold_out(&other.expect("a dataset"))).expect_err("misfits");
            assert!(matches!(error, Error::Mismatch { .. }), "{name}: {error}");
        }
        // The rows from before are still there.
        assert_eq!(block_on(engine.validate()).expect("losses"), before, "{name}");
    }
}

/// Notes the epochs, and the checkpoint at the end.
#[derive(Default)]
struct Notes {
    epochs: Vec<Epoch>,
    last: Option<(Saved, Progress)>,
}

impl Watch for Notes {
    fn step(&mut self, _: &Record) -> Result<()> {
        Ok(())
    }

    fn epoch(&mut self, epoch: &Epoch) -> Result<()> {
        self.epochs.push(epoch.clone());
        Ok(())
    }

    fn next(&mut self) -> Next {
        Next::GoOn
    }

    fn failed(&mut self, member: usize, why: &Error) -> Result<()> {
        panic!("member {member} failed: {why}");
    }

    fn save(&mut self, mut checkpoint: Checkpoint, progress: &[Progress]) -> Result<()> {
        let saved = checkpoint.members.pop().expect("the one member");
        self.last = Some((saved, progress[0].clone()));
        Ok(())
    }
}

fn trained(engine: Box<dyn Engine>, validation: Option<&Dataset>, epochs: usize) -> Notes {
    let mut notes = Notes::default();
    let mut training = Run::new(engine, validation, Plan { epochs, patience: None });
    let end = block_on(training.run(&mut notes)).expect("a run");
    assert_eq!(end, End::Finished);
    notes
}

/// A problem that a network learns, then learns by heart: its best epoch is neither the first nor the last.
fn overfitted() -> (Recipe, Dataset, Dataset) {
    let tasks = [Task::new("number", Loss::Mse, 1), Task::new("kind", Loss::cross_entropy(), 3)];
    let rows = |first: usize, count: usize| {
        let x: Vec<f32> = (0..4 * count).map(|i| drawn(4 * first + i)).collect();
        let noise = |row: usize| drawn(5 * (first + row) + 3);
        let y: Vec<f32> = (0..count).map(|row| x[4 * row] + noise(row)).collect();
        let kind = |row: usize| match x[4 * row + 1] + 0.7 * noise(row + 91) {
            z if z < -0.3 => 0,
            z if z < 0.3 => 1,
            _ => 2,
        };
        let kinds = Target::classes((0..count).map(kind).collect());
        let x = Matrix::new(4, x).expect("a matrix");
        Dataset::new(x, vec![numbers(&y), kinds]).expect("a dataset")
    };
    let network = Network::new(4, &[24], Activation::Tanh, &tasks).expect("a network");
    let mut recipe = Recipe::new(network, AutomaticWeightedLoss::new(2), Adam::new(0.01));
    recipe.batch = 8;
    (recipe, rows(0, 40), rows(1_000, 500))
}

/// Each epoch's weights, validated by the reference: the epoch that the GPU engine chose is the one it would choose.
#[test]
fn the_best_epoch_is_the_one_with_the_lowest_loss_of_the_reference() {
    let (recipe, training, held_out) = overfitted();
    const EPOCHS: usize = 40;
    for (name, make) in ON_GPU {
        let notes = trained(make(recipe.clone(), training.clone()), Some(&held_out), EPOCHS);
        let mut trainer = Trainer::new(make(recipe.clone(), training.clone()));
        let mut scores = Vec::new();
        for (number, epoch) in notes.epochs.iter().enumerate() {
            block_on(trainer.epochs(1)).expect("an epoch");
            let losses = truth(&recipe, &held_out, &state_of(trainer.engine()));
            let validation = epoch.validation.as_ref().expect("rows to validate on");
            let case = format!("{name}, epoch {}", number + 1);
            assert_losses(&case, &validation.losses, &losses, CLOSE);
            let score: f64 = losses.iter().flatten().sum();
            let found = validation.score.expect("a score");
            assert_each_close(&case, &[found], &[score], CLOSE);
            let lowest = scores.iter().copied().fold(f64::INFINITY, f64::min);
            if (score - lowest).abs() > 4.0 * CLOSE * lowest {
                assert_eq!(validation.is_best, score < lowest, "{case}");
            }
            scores.push(score);
        }
        let (saved, progress) = notes.last.expect("a checkpoint");
        let lowest = (0..EPOCHS).min_by(|&a, &b| scores[a].total_cmp(&scores[b])).expect("epochs");
        let others = scores.iter().enumerate().filter(|(at, _)| *at != lowest);
        let second = others.map(|(_, score)| *score).fold(f64::INFINITY, f64::min);
        assert!(second > (1.0 + 4.0 * CLOSE) * scores[lowest], "{name}: rounding could decide");
        let Some(BestEpoch { epoch, .. }) = progress.best else { panic!("{name}: no best epoch") };
        assert_eq!(epoch, lowest + 1, "{name}: {scores:?}");
        assert!(1 < epoch && epoch < EPOCHS, "{name}: the choice is too easy: {epoch}");
        let best = saved.best.expect("the best weights");
        let state = best.put_into(&saved.state);
        let score: f64 = truth(&recipe, &held_out, &state).iter().flatten().sum();
        assert_each_close(name, &[score], &[scores[lowest]], 1e-12);
    }
}

/// A start that no epoch is better than is kept; one that is worse changes nothing.
#[test]
fn a_start_that_no_epoch_is_better_than_is_kept() {
    let (recipe, training, held_out) = overfitted();
    // Every step leads away from the minimum.
    let mut wild = recipe.clone();
    wild.optimizer = Adam::new(3.0);
    let all = [&ON_GPU[..], &[("reference", &reference as Make)]].concat();
    for (name, make) in all {
        let notes = trained(make(recipe.clone(), training.clone()), Some(&held_out), 12);
        let (saved, progress) = notes.last.expect("a checkpoint");
        let expected = progress.best.expect("a best epoch");
        let good = saved.best.expect("weights").put_into(&State::initial(&recipe));
        for (recipe, epochs, is_kept) in [(&wild, 3, true), (&recipe, 12, false)] {
            let mut engine = make(recipe.clone(), training.clone());
            let start = if is_kept { good.clone() } else { State::initial(recipe) };
            engine.load(&start).expect("the state fits");
            let mut notes = Notes::default();
            let plan = Plan { epochs, patience: None };
            let mut run = Run::new(engine, Some(&held_out), plan);
            block_on(run.judge_start()).expect("losses");
            assert_eq!(run.progress()[0].best.expect("the start").epoch, 0, "{name}");
            block_on(run.run(&mut notes)).expect("a run");
            // Once a step is made it is too late.
            let best = run.progress()[0].best.expect("a best epoch");
            block_on(run.judge_start()).expect("nothing");
            assert_eq!(run.progress()[0].best, Some(best), "{name}");
            if is_kept {
                assert_eq!(best.epoch, 0, "{name}");
                assert_each_close(name, &[best.score], &[expected.score], CLOSE);
                let (_, kept) = block_on(run.finish()).expect("weights");
                assert_eq!(
                    kept[0].as_ref().expect("weights").parameters,
                    good.parameters,
                    "{name}"
                );
            } else {
                assert_eq!(best, expected, "{name}");
            }
        }
    }
}

#[test]
fn training_does_not_notice_that_it_is_validated() {
    let (recipe, training, held_out) = overfitted();
    let others = [&ON_GPU[..], &[("reference", &reference as Make)]].concat();
    for (name, make) in others {
        let last = |validation: Option<&Dataset>| {
            let notes = trained(make(recipe.clone(), training.clone()), validation, 5);
            let trained = notes.epochs.iter().map(|epoch| (epoch.losses.clone(), epoch.total));
            (notes.last.expect("a checkpoint").0.state, trained.collect::<Vec<_>>())
        };
        assert_eq!(last(None), last(Some(&held_out)), "{name}");
    }
}

/// A prediction of 1e20 or so, whose square is beyond `f32`: the score is taken in `f64`, then and not for ever.
#[test]
fn losses_beyond_f32_are_taken_in_f64() {
    let (recipe, training, held_out) = overfitted();
    let outlier = |x: f32| {
        let mut values = held_out.features().values().to_vec();
        values[77] = x;
        let features = Matrix::new(4, values).expect("a matrix");
        Dataset::new(features, held_out.targets().to_vec()).expect("a dataset")
    };
    let mut recipe = recipe;
    let tasks = recipe.network.tasks().to_vec();
    recipe.network = Network::new(4, &[], Activation::Relu, &tasks).expect("a linear network");
    for (name, make) in ON_GPU {
        let mut engine = make(recipe.clone(), training.clone());
        let state = state_of(engine.as_mut());
        let far = outlier(4e20);
        block_on(engine.hold_out(&far)).expect("rows that fit");
        let overflown = block_on(engine.validate()).expect("losses");
        assert!(overflown.iter().all(|loss| loss.is_some_and(f64::is_nan)), "{name}");
        // The same rows, with parameters that overflow nothing.
        let mut small = state.clone();
        small.parameters.iter_mut().for_each(|parameter| *parameter *= 1e-21);
        engine.load(&small).expect("the state fits");
        let found = block_on(engine.validate()).expect("losses");
        assert_losses(name, &found, &truth(&recipe, &far, &small), CLOSE);

        let notes = trained(make(recipe.clone(), training.clone()), Some(&far), 1);
        let (saved, progress) = notes.last.expect("a checkpoint");
        let expected: f64 = truth(&recipe, &far, &saved.state).iter().flatten().sum();
        let score = progress.best.expect("a finite score is one to choose by").score;
        assert!(score > 1e36, "{name}: {score:e}");
        assert_each_close(name, &[score], &[expected], CLOSE);
    }
}
