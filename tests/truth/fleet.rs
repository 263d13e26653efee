//! Fleets: every member trains as its recipe does alone, to the same bits, whatever becomes of the others.

use crate::support::{gpu, plain_gpu, reference, schedule, state_of};
use awl::data::{Dataset, Matrix, Target};
use awl::engine::{Engine, GpuEngine, Recipe, Record, Reference, State, Turns};
use awl::{
    Activation, Adam, AutomaticWeightedLoss, Gpu, Loss, Network, SigmaForm, Task, Weighting,
};
use pollster::block_on;

const ROWS: usize = 70;
const BATCH: usize = 32;
/// Four epochs, the last batch of each short.
const STEPS: usize = 12;

/// A task of numbers with labels missing, and one of classes.
fn data() -> Dataset {
    let value = |i: usize| ((i * i + 5 * i) % 19) as f32 / 9.5 - 1.0;
    let features = Matrix::new(3, (0..3 * ROWS).map(value).collect()).expect("features");
    let numbers = Matrix::new(1, (0..ROWS).map(|row| value(3 * row) - 0.5).collect());
    let numbers = Target::numbers(numbers.expect("numbers"));
    let masked = numbers.labelled((0..ROWS).map(|row| row % 3 != 1).collect()).expect("labels");
    let classes = Target::classes((0..ROWS as u32).map(|row| row % 4).collect());
    Dataset::new(features, vec![masked, classes]).expect("data")
}

/// Members that differ in all that they may.
fn recipes(hidden: &[usize], dropout: f64, clip: Option<f64>) -> Vec<Recipe> {
    let tasks = [Task::new("number", Loss::Mse, 1), Task::new("kind", Loss::cross_entropy(), 4)];
    let network = Network::new(3, hidden, Activation::Tanh, &tasks).expect("a network");
    let network = network.with_dropout(dropout).expect("a network");
    let awl = || AutomaticWeightedLoss::new(2);
    let log = awl().with_form(SigmaForm::log());
    let weightings: [Weighting; 4] = [awl().into(), log.into(), Weighting::equal(2), awl().into()];
    let member = |(index, weighting): (usize, Weighting)| {
        let mut adam = Adam::new(0.01 * (index + 1) as f64);
        adam.network.weight_decay = 0.01 * index as f64;
        adam.network.decoupled = index == 3;
        let mut recipe = Recipe::new(network.clone(), weighting, adam);
        (recipe.batch, recipe.seed, recipe.clip) = (BATCH, 7 + index as u64, clip);
        recipe.bootstrap = index % 2 == 1;
        recipe
    };
    weightings.into_iter().enumerate().map(member).collect()
}

/// Records, state, losses on held-out rows and predictions of what one recipe comes to alone.
struct Outcome {
    records: Vec<Record>,
    state: State,
    losses: Vec<Option<f64>>,
    predictions: Matrix,
}

fn alone(gpu: &Gpu, recipe: &Recipe) -> Outcome {
    let data = data();
    let mut engine = block_on(GpuEngine::fused(gpu, recipe.clone(), &data)).expect("an engine");
    engine.submit(&schedule(BATCH, ROWS, STEPS)).expect("steps");
    let records = block_on(engine.collect()).expect("records");
    block_on(engine.hold_out(&data)).expect("rows");
    Outcome {
        records,
        state: state_of(&mut engine),
        losses: block_on(engine.validate()).expect("losses"),
        predictions: block_on(engine.predict(data.features())).expect("predictions"),
    }
}

/// Holds every member of an engine against its recipe alone.
fn hold(engine: &mut dyn Engine, gpu: &Gpu, case: &str) {
    let recipes = engine.recipes().to_vec();
    let steps = schedule(BATCH, ROWS, STEPS);
    // Cut within an epoch.
    engine.submit(&steps[..5]).expect("steps");
    engine.submit(&steps[5..]).expect("steps");
    let mut records = block_on(engine.collect()).expect("records");
    records.extend(block_on(engine.collect()).expect("records"));
    let data = data();
    block_on(engine.hold_out(&data)).expect("rows");
    let losses = block_on(engine.validate_members()).expect("losses");
    for (member, recipe) in recipes.iter().enumerate() {
        let expected = alone(gpu, recipe);
        let own = records.iter().filter(|record| record.member == member);
        let own: Vec<Record> = own.map(|it| Record { member: 0, ..it.clone() }).collect();
        assert_eq!(own, expected.records, "{case}, member {member}");
        let state = block_on(engine.state_of(member)).expect("a state");
        assert_eq!(state, expected.state, "{case}, member {member}");
        assert_eq!(losses[member], expected.losses, "{case}, member {member}");
        let predictions = block_on(engine.predict_by(member, data.features()));
        assert_eq!(predictions.expect("predictions"), expected.predictions, "{case}, {member}");
    }
}

#[test]
fn every_member_trains_as_its_recipe_does_alone() {
    for gpu in [gpu(), plain_gpu()] {
        for (hidden, dropout, clip) in [
            (&[8][..], 0.0, None),
            (&[], 0.0, Some(0.1)),
            (&[40, 40], 0.0, Some(0.5)),
            (&[12], 0.3, None),
            (&[150, 40], 0.0, None),
        ] {
            let recipes = recipes(hidden, dropout, clip);
            let alone = block_on(GpuEngine::fused(gpu, recipes[0].clone(), &data()));
            let engine = block_on(GpuEngine::fleet(gpu, recipes, &data()));
            let mut engine = engine.expect("a fleet");
            let case = format!("{hidden:?} by {} on {}", engine.program(), gpu.name());
            let dispatches = alone.expect("an engine").dispatches_per_step();
            assert_eq!(engine.dispatches_per_step(), dispatches, "{case}");
            hold(&mut engine, gpu, &case);
        }
    }
}

#[test]
fn engines_that_take_turns_are_a_fleet_too() {
    let engine = |recipe| block_on(GpuEngine::fused(gpu(), recipe, &data())).expect("an engine");
    let engines = recipes(&[8], 0.0, None).into_iter().map(engine).collect();
    hold(&mut Turns::new(engines).expect("a fleet"), gpu(), "in turns");
}

/// More members than one dispatch serves, of which the last are held against themselves alone.
#[test]
fn a_thousand_members_and_more_are_served() {
    let one = recipes(&[], 0.0, None).swap_remove(0);
    let recipe = |seed| Recipe { seed, ..one.clone() };
    let recipes: Vec<Recipe> = (0..1_100).map(recipe).collect();
    let engine = block_on(GpuEngine::fleet(gpu(), recipes.clone(), &data()));
    let mut engine = engine.expect("a fleet");
    engine.submit(&schedule(BATCH, ROWS, STEPS)).expect("steps");
    let records = block_on(engine.collect()).expect("records");
    assert_eq!(records.len(), STEPS * recipes.len());
    for member in [0, 1_023, 1_024, 1_099] {
        let state = block_on(engine.state_of(member)).expect("a state");
        assert_eq!(state, alone(gpu(), &recipes[member]).state, "member {member}");
    }
}

/// Learning rates that let a loss overflow, and a gradient.
#[test]
fn a_member_that_diverges_stops_alone() {
    for (gpu, rate) in [(gpu(), 1e30), (plain_gpu(), 1e30), (gpu(), 3e38)] {
        let mut recipes = recipes(&[8], 0.0, None);
        recipes[1].optimizer = Adam::new(rate);
        let steps = schedule(BATCH, ROWS, STEPS);
        let lonely = block_on(GpuEngine::fused(gpu, recipes[1].clone(), &data()));
        let mut lonely = lonely.expect("an engine");
        lonely.submit(&steps).expect("steps");
        let made = block_on(lonely.collect()).unwrap_or_default();
        let failure = block_on(lonely.collect()).expect_err("a failure").to_string();

        let engine = block_on(GpuEngine::fleet(gpu, recipes.clone(), &data()));
        let mut engine = engine.expect("a fleet");
        engine.submit(&steps[..STEPS / 2]).expect("steps");
        engine.submit(&steps[STEPS / 2..]).expect("steps");
        let mut records = block_on(engine.collect()).expect("records of the others");
        records.extend(block_on(engine.collect()).expect("records of the others"));
        let of_failed = records.iter().filter(|record| record.member == 1).count();
        assert_eq!(of_failed, made.len());
        assert_eq!(engine.failure(1).expect("a failure").to_string(), failure);
        let state = block_on(engine.state_of(1)).expect("a state");
        assert_eq!(state, state_of(&mut lonely));
        for member in [0, 2, 3] {
            assert!(engine.failure(member).is_none());
            let state = block_on(engine.state_of(member)).expect("a state");
            assert_eq!(state, alone(gpu, &recipes[member]).state, "member {member}");
        }
        // A new state lets it go on.
        engine.load_into(1, &State::initial(&recipes[1])).expect("the state fits");
        assert!(engine.failure(1).is_none());
    }
}

#[test]
fn a_member_that_rests_keeps_its_state_and_holds_nobody_up() {
    let recipes = recipes(&[8], 0.0, None);
    let mut engine = block_on(GpuEngine::fleet(gpu(), recipes.clone(), &data())).expect("a fleet");
    let steps = schedule(BATCH, ROWS, STEPS);
    engine.submit(&steps[..4]).expect("steps");
    block_on(engine.collect()).expect("records");
    engine.rest(0);
    let kept = block_on(engine.state_of(0)).expect("a state");
    engine.submit(&steps[4..]).expect("steps");
    let records = block_on(engine.collect()).expect("records");
    assert!(engine.rests(0) && records.iter().all(|record| record.member != 0));
    assert_eq!((kept.step, block_on(engine.state_of(0)).expect("a state")), (4, kept.clone()));
    for (member, recipe) in recipes.iter().enumerate().skip(1) {
        let state = block_on(engine.state_of(member)).expect("a state");
        assert_eq!(state, alone(gpu(), recipe).state, "member {member}");
    }
    block_on(engine.hold_out(&data())).expect("rows");
    assert!(block_on(engine.validate_members()).expect("losses")[0].is_empty());
    // Loaded, it goes on where it was: to where it would have come without a rest.
    engine.load_into(0, &kept).expect("the state fits");
    (1..recipes.len()).for_each(|member| engine.rest(member));
    engine.submit(&steps[4..]).expect("steps");
    block_on(engine.collect()).expect("records");
    let state = block_on(engine.state_of(0)).expect("a state");
    assert_eq!(state, alone(gpu(), &recipes[0]).state);
}

#[test]
fn members_that_cannot_share_a_step_are_named() {
    let told = |change: &dyn Fn(&mut Recipe)| {
        let mut recipes = recipes(&[8], 0.0, None);
        change(&mut recipes[2]);
        let of_gpu = block_on(GpuEngine::fleet(gpu(), recipes.clone(), &data()));
        let engine = |recipe| Reference::new(recipe, data()).expect("an engine");
        let in_turns = Turns::new(recipes.into_iter().map(engine).collect());
        let told = of_gpu.err().expect("a refusal").to_string();
        assert_eq!(in_turns.expect_err("a refusal").to_string(), told);
        told
    };
    let other = |what| format!("member 2 of the fleet has another {what} than member 0");
    assert!(told(&|it| it.batch = 16).starts_with(&other("batch size")));
    assert!(told(&|it| it.shuffle = false).starts_with(&other("shuffling")));
    assert!(told(&|it| it.clip = Some(1.0)).starts_with(&other("clipping")));
    let wider = |it: &mut Recipe| it.network = recipes(&[9], 0.0, None)[0].network.clone();
    assert!(told(&wider).starts_with(&other("network")));
    let none = block_on(GpuEngine::fleet(gpu(), Vec::new(), &data()));
    assert!(none.err().expect("a refusal").to_string().contains("no member"));
    let mut engine = reference(recipes(&[8], 0.0, None).swap_remove(0), data());
    let absent = block_on(engine.state_of(1)).expect_err("a refusal").to_string();
    assert!(absent.contains("no member 1 in a fleet of 1"), "{absent}");
}
