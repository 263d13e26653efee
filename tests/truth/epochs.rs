//! What is told of an epoch, and what is kept of the best one.

use crate::support::{constant_feature, numbers, reference, regression};
use awl::data::{Dataset, Matrix};
use awl::engine::{Engine, Recipe, Record};
use awl::train::{Checkpoint, Epoch, Next, Plan, Progress, Run, Watch};
use awl::{Activation, Adam, AutomaticWeightedLoss, Error, Network, Result};
use pollster::block_on;

/// Notes all that it is told, and stops the run when asked for the `stops_at`-th time.
#[derive(Default)]
struct Notes {
    asked: usize,
    stops_at: Option<usize>,
    records: Vec<Record>,
    epochs: Vec<Epoch>,
    saved: Option<(Checkpoint, Vec<Progress>)>,
}

impl Watch for Notes {
    fn step(&mut self, record: &Record) -> Result<()> {
        self.records.push(record.clone());
        Ok(())
    }

    fn epoch(&mut self, epoch: &Epoch) -> Result<()> {
        self.epochs.push(epoch.clone());
        Ok(())
    }

    fn next(&mut self) -> Next {
        self.asked += 1;
        if Some(self.asked) == self.stops_at { Next::Stop } else { Next::GoOn }
    }

    fn failed(&mut self, member: usize, why: &Error) -> Result<()> {
        panic!("member {member} failed: {why}");
    }

    fn save(&mut self, checkpoint: Checkpoint, progress: &[Progress]) -> Result<()> {
        self.saved = Some((checkpoint, progress.to_vec()));
        Ok(())
    }
}

/// Eleven rows, two a batch; the second task has a label in two of the six batches.
fn sparse() -> (Recipe, Dataset) {
    let tasks = ["dense", "sparse"].map(regression);
    let network = Network::new(1, &[3], Activation::Tanh, &tasks).expect("a network");
    let mut recipe = Recipe::new(network, AutomaticWeightedLoss::new(2), Adam::new(0.05));
    recipe.batch = 2;
    recipe.shuffle = false;
    let values: Vec<f32> = (0..11).map(|row| row as f32 / 4.0).collect();
    let rare = numbers(&values).labelled((0..11).map(|row| [1, 6, 7].contains(&row)).collect());
    (recipe, constant_feature(0.5, vec![numbers(&values), rare.expect("a mask")]))
}

const PLAN: Plan = Plan { epochs: 3, patience: None };

#[test]
fn an_epochs_loss_is_the_mean_over_the_steps_that_had_a_label() {
    let (recipe, data) = sparse();
    let mut notes = Notes::default();
    block_on(Run::new(reference(recipe, data), None, PLAN).run(&mut notes)).expect("a run");
    for (epoch, records) in notes.epochs.iter().zip(notes.records.chunks(6)) {
        for task in 0..2 {
            let losses: Vec<f64> = records.iter().filter_map(|it| it.tasks[task].loss).collect();
            assert_eq!(losses.len(), [6, 2][task]);
            let mean = losses.iter().sum::<f64>() / losses.len() as f64;
            let told = epoch.losses[task].expect("labels");
            assert!((told - mean).abs() < 1e-12 * mean, "task {task}: {told}, not {mean}");
        }
        let total = records.iter().map(|it| it.total).sum::<f64>() / 6.0;
        assert!((epoch.total - total).abs() < 1e-12 * total.abs(), "{epoch:?}");
    }
}

/// A run looks up after 1, 2, 4, … steps: stopped wherever it does, its epochs are told as if it had gone on.
#[test]
fn a_run_that_stops_in_the_middle_of_an_epoch_tells_of_all_of_it() {
    let (recipe, data) = sparse();
    let engine = || -> Box<dyn Engine> { reference(recipe.clone(), data.clone()) };
    let mut whole = Notes::default();
    block_on(Run::new(engine(), None, PLAN).run(&mut whole)).expect("a run");
    let mut in_the_middle = 0;
    for stops_at in 2..6 {
        let mut notes = Notes { stops_at: Some(stops_at), ..Notes::default() };
        block_on(Run::new(engine(), None, PLAN).run(&mut notes)).expect("a run");
        let (checkpoint, progress) = notes.saved.take().expect("a checkpoint");
        let step = checkpoint.members[0].state.step;
        in_the_middle += usize::from(!step.is_multiple_of(6));
        notes.stops_at = None;
        let resumed = Run::resume(engine(), None, PLAN, &checkpoint, progress);
        block_on(resumed.expect("they belong together").run(&mut notes)).expect("a run");
        assert_eq!(notes.epochs, whole.epochs, "stopped at step {step}");
        assert_eq!(notes.records, whole.records);
    }
    assert!(in_the_middle >= 2, "only {in_the_middle} stops fell into an epoch");
}

/// The held-out labels are the training labels' opposite, so that every epoch is worse than the one before.
#[test]
fn the_best_epochs_sigma_is_kept_with_its_weights() {
    let (recipe, data) = sparse();
    let opposite: Vec<f32> = (0..11).map(|row| -5.0 - row as f32).collect();
    let features = Matrix::new(1, vec![0.5; 11]).expect("a column");
    let held_out = Dataset::new(features, vec![numbers(&opposite), numbers(&opposite)]);
    let held_out = held_out.expect("a dataset");
    let mut run = Run::new(reference(recipe, data), Some(&held_out), PLAN);
    let mut notes = Notes::default();
    block_on(run.run(&mut notes)).expect("a run");
    assert_eq!(run.progress()[0].best.map(|best| best.epoch), Some(1));
    let (mut trainer, mut weights) = block_on(run.finish()).expect("weights");
    let weights = weights.pop().flatten().expect("of the one member");
    // What the second epoch's first step saw before it changed anything.
    let after: Vec<f64> = notes.records[6].tasks.iter().filter_map(|task| task.sigma).collect();
    assert_eq!(weights.sigma, after);
    assert_eq!(block_on(trainer.engine().state()).expect("a state").sigma, after);
    let last: Vec<f64> = notes.records[17].tasks.iter().filter_map(|task| task.sigma).collect();
    assert_ne!(after, last);
}
