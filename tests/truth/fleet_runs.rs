//! Runs of fleets: every member ends as its recipe does in a run alone, with its own best epoch and its own end, also where the
//! fleet is stopped and goes on from a file.

use crate::support::{constant_feature, gpu, numbers, reference, regression};
use awl::data::{Dataset, Matrix};
use awl::engine::{Engine, GpuEngine, Recipe, Record, Turns};
use awl::train::{
    Checkpoint, End, Ensemble, Epoch, Next, Plan, Progress, Run, Trainer, Watch, Weights,
};
use awl::{Activation, Adam, AutomaticWeightedLoss, Error, Network, Result, SigmaForm, Weighting};
use pollster::block_on;
use serde_json::json;

const ROWS: usize = 11;
const BATCH: usize = 2;
const PER_EPOCH: u64 = 6;
/// With the noise below, some members are out of patience early, some late or never.
const PLAN: Plan = Plan { epochs: 27, patience: Some(3) };

fn value(i: usize) -> f32 {
    ((i * i * 7 + 5 * i) % 23) as f32 / 11.5 - 1.0
}

fn data(first: usize) -> Dataset {
    let features = (0..2 * ROWS).map(|i| value(first + i)).collect();
    let label = |task: usize| (0..ROWS).map(|row| value(first + 2 * row + 3 * task)).collect();
    let labels: [Vec<f32>; 2] = [label(0), label(1)];
    let features = Matrix::new(2, features).expect("features");
    Dataset::new(features, labels.iter().map(|it| numbers(it)).collect()).expect("data")
}

fn recipes() -> Vec<Recipe> {
    let tasks = ["one", "other"].map(regression);
    let network = Network::new(2, &[6], Activation::Tanh, &tasks).expect("a network");
    let awl = || AutomaticWeightedLoss::new(2);
    let log = awl().with_form(SigmaForm::log());
    let weightings: [Weighting; 5] =
        [awl().into(), Weighting::equal(2), log.into(), awl().into(), Weighting::equal(2)];
    let member = |(index, weighting): (usize, Weighting)| {
        let rate = [0.02, 0.1, 0.005, 0.05, 0.01][index];
        let mut recipe = Recipe::new(network.clone(), weighting, Adam::new(rate));
        (recipe.batch, recipe.seed) = (BATCH, 3 + index as u64);
        recipe
    };
    weightings.into_iter().enumerate().map(member).collect()
}

fn fleet(recipes: Vec<Recipe>) -> Box<dyn Engine> {
    Box::new(block_on(GpuEngine::fleet(gpu(), recipes, &data(0))).expect("a fleet"))
}

/// All that a run tells, and its last checkpoint.
#[derive(Default)]
struct Notes {
    asked: usize,
    stops_at: Option<usize>,
    records: Vec<Record>,
    epochs: Vec<Epoch>,
    failed: Vec<(usize, String)>,
    saved: Option<(Checkpoint, Vec<Progress>)>,
}

impl Notes {
    /// What it tells of a member, as of a network alone.
    fn of(&self, member: usize) -> (Vec<Record>, Vec<Epoch>) {
        let records = self.records.iter().filter(|it| it.member == member);
        let epochs = self.epochs.iter().filter(|it| it.member == member);
        (
            records.map(|it| Record { member: 0, ..it.clone() }).collect(),
            epochs.map(|it| Epoch { member: 0, ..it.clone() }).collect(),
        )
    }
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

    fn failed(&mut self, member: usize, why: &Error) -> Result<()> {
        self.failed.push((member, why.to_string()));
        Ok(())
    }

    fn next(&mut self) -> Next {
        self.asked += 1;
        if Some(self.asked) == self.stops_at { Next::Stop } else { Next::GoOn }
    }

    fn save(&mut self, checkpoint: Checkpoint, progress: &[Progress]) -> Result<()> {
        self.saved = Some((checkpoint, progress.to_vec()));
        Ok(())
    }
}

/// What a run came to: what it told, how far each member came, and the weights kept of each.
struct Outcome {
    notes: Notes,
    progress: Vec<Progress>,
    weights: Vec<Option<Weights>>,
}

fn finished(mut run: Run<'_, Box<dyn Engine>>, mut notes: Notes) -> Outcome {
    block_on(run.run(&mut notes)).expect("a run");
    let progress = run.progress().to_vec();
    let (_, weights) = block_on(run.finish()).expect("weights");
    Outcome { notes, progress, weights }
}

fn alone(recipe: Recipe, plan: Plan) -> Outcome {
    let held_out = data(100);
    let engine = fleet(vec![recipe]);
    finished(Run::new(engine, Some(&held_out), plan), Notes::default())
}

/// Holds every member of a run against its recipe alone.
fn hold(found: &Outcome, plan: Plan) {
    for (member, recipe) in recipes().into_iter().enumerate() {
        let expected = alone(recipe, plan);
        let [(records, epochs), (of_records, of_epochs)] =
            [found.notes.of(member), expected.notes.of(0)];
        for (found, expected) in records.iter().zip(&of_records) {
            assert_eq!(found, expected, "member {member}");
        }
        for (found, expected) in epochs.iter().zip(&of_epochs) {
            assert_eq!(found, expected, "member {member}");
        }
        let lengths = [(records.len(), epochs.len()), (of_records.len(), of_epochs.len())];
        assert_eq!(lengths[0], lengths[1], "member {member}");
        assert_eq!(found.progress[member], expected.progress[0], "member {member}");
        assert_eq!(found.weights[member], expected.weights[0], "member {member}");
        let saved = |outcome: &Outcome, member: usize| {
            let (checkpoint, _) = outcome.notes.saved.as_ref().expect("a checkpoint");
            checkpoint.members[member].clone()
        };
        assert_eq!(saved(found, member), saved(&expected, 0), "member {member}");
    }
}

#[test]
fn every_member_has_the_best_epoch_and_the_end_that_it_has_alone() {
    let held_out = data(100);
    let outcome = finished(Run::new(fleet(recipes()), Some(&held_out), PLAN), Notes::default());
    let ends: Vec<_> = outcome.progress.iter().map(|it| (it.end(&PLAN), it.epochs)).collect();
    let kinds = [End::Finished, End::OutOfPatience];
    let has = |kind: &End| ends.iter().any(|(end, _)| *end == Some(*kind));
    assert!(kinds.iter().all(has), "the members should end differently: {ends:?}");
    hold(&outcome, PLAN);
}

/// Stopped wherever it looks up, saved to a file and gone on with, the fleet ends as if it had never stopped; also where the
/// members had ended at different epochs and are told to train on, which those that lag behind then do first.
#[test]
fn a_fleet_goes_on_from_a_file_bit_for_bit() {
    let held_out = data(100);
    let mut in_the_middle = 0;
    for stops_at in 2..9 {
        let mut notes = Notes { stops_at: Some(stops_at), ..Notes::default() };
        let end = block_on(Run::new(fleet(recipes()), Some(&held_out), PLAN).run(&mut notes));
        let Ok(End::Asked) = end else { continue };
        let (checkpoint, progress) = notes.saved.take().expect("a checkpoint");
        in_the_middle += usize::from(!checkpoint.members[0].state.step.is_multiple_of(PER_EPOCH));
        let back = through_a_file(&checkpoint);
        notes.stops_at = None;
        let resumed = Run::resume(fleet(recipes()), Some(&held_out), PLAN, &back, progress);
        hold(&finished(resumed.expect("they belong together"), notes), PLAN);
    }
    assert!(in_the_middle >= 2, "only {in_the_middle} stops fell into an epoch");
}

fn through_a_file(checkpoint: &Checkpoint) -> Checkpoint {
    let bytes = checkpoint.to_bytes(&recipes()).expect("bytes");
    assert_eq!(bytes, checkpoint.to_bytes(&recipes()).expect("bytes"));
    let back = Checkpoint::from_bytes("file", &bytes, &recipes()).expect("a checkpoint");
    assert_eq!(back, *checkpoint);
    back
}

#[test]
fn members_that_ended_at_different_epochs_go_on_each_from_its_own() {
    let held_out = data(100);
    let longer = Plan { epochs: 34, patience: None };
    let outcome = finished(Run::new(fleet(recipes()), Some(&held_out), PLAN), Notes::default());
    let ended: Vec<usize> = outcome.progress.iter().map(|it| it.epochs).collect();
    assert!(ended.iter().any(|epochs| *epochs != ended[0]), "{ended:?}");
    let (checkpoint, progress) = outcome.notes.saved.as_ref().expect("a checkpoint");
    let back = through_a_file(checkpoint);
    let resumed = Run::resume(fleet(recipes()), Some(&held_out), longer, &back, progress.clone());
    let notes =
        Notes { records: outcome.notes.records, epochs: outcome.notes.epochs, ..Notes::default() };
    hold(&finished(resumed.expect("they belong together"), notes), longer);
}

/// A member whose loss overflows leaves the others alone, in fleets of all kinds; where all do, the run says why.
#[test]
fn a_member_that_fails_ends_alone() {
    let make = |rates: [f64; 3]| {
        let tasks = [regression("y")];
        let network = Network::new(1, &[], Activation::Relu, &tasks).expect("a network");
        let recipe = |rate| {
            let mut recipe =
                Recipe::new(network.clone(), AutomaticWeightedLoss::new(1), Adam::new(rate));
            recipe.batch = 2;
            recipe
        };
        rates.map(recipe).to_vec()
    };
    let data = constant_feature(1.0, vec![numbers(&[1.0, 2.0, 3.0, 4.0])]);
    let plan = Plan { epochs: 4, patience: None };
    let engine = |name: &str, rates| -> Box<dyn Engine> {
        if name == "fused" {
            return Box::new(
                block_on(GpuEngine::fleet(gpu(), make(rates), &data)).expect("a fleet"),
            );
        }
        let one = |recipe| reference(recipe, data.clone());
        Box::new(Turns::new(make(rates).into_iter().map(one).collect()).expect("a fleet"))
    };
    // Steps so long that their squares overflow f32, and f64.
    for (name, rate) in [("fused", 1e30), ("reference", 1e200)] {
        let engine = || engine(name, [0.01, rate, 0.02]);
        let outcome = finished(Run::new(engine(), Some(&data), plan), Notes::default());
        assert_eq!(outcome.notes.failed.len(), 1, "{name}: {:?}", outcome.notes.failed);
        let (member, why) = &outcome.notes.failed[0];
        assert_eq!(*member, 1, "{name}: {why}");
        let ends: Vec<_> = outcome.progress.iter().map(|it| it.end(&plan)).collect();
        let expected = [End::Finished, End::Failed, End::Finished].map(Some);
        assert_eq!(ends, expected, "{name}");
        assert_eq!(outcome.progress[1].failure.as_ref(), Some(why), "{name}");
        let kept: Vec<bool> = outcome.weights.iter().map(Option::is_some).collect();
        assert_eq!(kept, [true, false, true], "{name}");
        // Its failure is kept with it: a run that goes on does not try again.
        let (checkpoint, progress) = outcome.notes.saved.as_ref().expect("a checkpoint");
        let longer = Plan { epochs: 6, patience: None };
        let resumed = Run::resume(engine(), Some(&data), longer, checkpoint, progress.clone());
        let again = finished(resumed.expect("they belong together"), Notes::default());
        assert_eq!(again.notes.failed, [], "{name}");
        assert_eq!(again.progress.iter().map(|it| it.epochs).max(), Some(6), "{name}");
    }
    let error =
        block_on(Run::new(engine("fused", [1e30; 3]), None, plan).run(&mut Notes::default()));
    assert!(matches!(error, Err(Error::NonFiniteLoss { .. })), "{error:?}");
}

#[test]
fn files_of_fleets_have_a_leading_axis_and_refuse_other_numbers_of_members() {
    let recipes = recipes();
    let outcome = finished(
        Run::new(fleet(recipes.clone()), None, Plan { epochs: 1, patience: None }),
        Notes::default(),
    );
    let weights: Vec<Weights> = outcome.weights.into_iter().flatten().collect();
    let bytes = Weights::fleet_to_bytes(&weights, &recipes, &json!("notes")).expect("bytes");
    let file = safetensors::SafeTensors::deserialize(&bytes).expect("a file");
    let shape = |name: &str| file.tensor(name).expect("a tensor").shape().to_vec();
    assert_eq!(shape("trunk.0.weight"), [5, 6, 2]);
    assert_eq!(shape("heads.other.bias"), [5, 1]);
    assert_eq!(shape("awl.params"), [5, 2]);
    let back = Weights::fleet_from_bytes("w", &bytes, &recipes).expect("weights");
    assert_eq!(back, weights);

    let error = Weights::fleet_from_bytes("w", &bytes, &recipes[..3]).expect_err("five, not three");
    assert!(error.to_string().contains("5 networks, for a fleet of 3"), "{error}");
    let error = Weights::from_bytes("w", &bytes, &recipes[0]).expect_err("five, not one");
    assert!(error.to_string().contains("5 networks"), "{error}");
    let one = weights[3].to_bytes(&recipes[3], &json!(null)).expect("bytes");
    let all = Weights::fleet_from_bytes("w", &one, &recipes).expect("the same for all");
    assert!(all.iter().all(|it| it.parameters == weights[3].parameters));

    let (mut checkpoint, _) = outcome.notes.saved.expect("a checkpoint");
    // Members without a best epoch, beside one that has one.
    checkpoint.members[3].best = Some(weights[1].clone());
    assert_eq!(through_a_file(&checkpoint).members[3].best.as_ref(), Some(&weights[1]));
    let bytes = checkpoint.to_bytes(&recipes).expect("bytes");
    let error = Checkpoint::from_bytes("c", &bytes, &recipes[..4]).expect_err("five, not four");
    assert!(error.to_string().contains("5 members, but 4"), "{error}");
    assert!(checkpoint.to_bytes(&recipes[..4]).is_err());
}

/// The mean of the members' predictions, by the members' own.
#[test]
fn a_fleets_predictions_are_an_ensemble() {
    let mut trainer = Trainer::new(fleet(recipes()));
    block_on(trainer.epochs(2)).expect("epochs");
    let rows = data(50);
    let engine = trainer.engine();
    let each = (0..5).map(|it| block_on(engine.predict_by(it, rows.features())).expect("rows"));
    let each: Vec<Matrix> = each.collect();
    let network = &recipes()[0].network;
    let mut together = Ensemble::new(network);
    each.iter().for_each(|it| together.add(it).expect("a member"));
    let together = together.predictions().expect("an ensemble");
    for (at, found) in together.values().iter().enumerate() {
        let mean = each.iter().map(|it| f64::from(it.values()[at])).sum::<f64>() / 5.0;
        assert_eq!(*found, mean as f32, "value {at}");
    }
}
