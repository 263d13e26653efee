//! What a run draws at random as it goes, the order of the rows and the units dropped: on every engine what
//! `tests/golden/draws.py` finds from the documentation, and different for every seed, epoch and step.

use crate::support::{Make, ON_GPU, linear, numbers, reference, run, schedule, state_of};
use awl::data::{Bootstrap, Dataset, Matrix, Permutation};
use awl::engine::{Recipe, Record};
use awl::network::Dropout;
use awl::{Adam, Loss, Task, Weighting};
use std::collections::HashSet;

fn order(rows: u32, seed: u64, epoch: u64) -> Vec<u32> {
    let order = Permutation::new(rows, seed, epoch);
    (0..rows).map(|position| order.row(position)).collect()
}

/// Which of 16 units are dropped, as bits.
fn dropped(seed: u64, step: u64, row: u32) -> u32 {
    let dropout = Dropout::new(0.5, seed, step);
    (0..16).map(|unit| u32::from(dropout.factor(row, unit) == 0.0) << unit).sum()
}

#[test]
fn orders_are_those_of_the_documentation() {
    for (rows, seed, epoch, expected) in [
        (1, 0, 0, &[0][..]),
        (2, 1, 0, &[0, 1]),
        (5, 0, 0, &[0, 3, 4, 2, 1]),
        (7, (1 << 63) + 5, 3, &[0, 4, 2, 5, 3, 1, 6]),
        (16, 9, (1 << 32) + 1, &[1, 12, 0, 7, 4, 9, 10, 15, 3, 13, 5, 11, 6, 8, 14, 2]),
    ] {
        assert_eq!(order(rows, seed, epoch), expected, "{rows} rows, seed {seed}, epoch {epoch}");
    }
    // The first and last rows, and Σ position·row.
    for (rows, seed, epoch, first, last, sum) in [
        (255, 3, 1, [251, 11, 185, 181], [3, 48, 180, 178], 4_087_446),
        (256, 3, 1, [252, 11, 186, 182], [48, 181, 179, 146], 4_138_416),
        (257, 3, 1, [22, 80, 20, 14], [119, 158, 72, 145], 4_389_892),
        (1_000, 1 << 40, 7, [285, 448, 486, 214], [627, 737, 69, 800], 253_186_079),
        (
            70_000,
            1,
            0,
            [49_949, 49_920, 6_175, 6_417],
            [28_067, 63_727, 5_942, 18_786],
            85_754_561_344_347,
        ),
    ] {
        let found = order(rows, seed, epoch);
        let case = format!("{rows} rows, seed {seed}, epoch {epoch}");
        assert_eq!((&found[..4], &found[found.len() - 4..]), (&first[..], &last[..]), "{case}");
        let places = (0..).zip(&found).map(|(position, &row): (u64, _)| position * u64::from(row));
        assert_eq!(places.sum::<u64>(), sum, "{case}");
    }
}

#[test]
fn dropped_units_are_those_of_the_documentation() {
    for (seed, step, expected) in [
        (0, 1, [0xf9a7, 0x8777, 0x2b97, 0xd3d3]),
        ((1 << 63) + 5, 3, [0x38f8, 0xe35e, 0xda67, 0x435c]),
        (1, (1 << 32) + 1, [0x496e, 0x0ce8, 0x656f, 0xbc92]),
    ] {
        let found = [0, 1, 2, 3].map(|row| dropped(seed, step, row));
        assert_eq!(found, expected, "seed {seed}, step {step}");
    }
}

/// The rows that an engine visits, one a step: the loss of a prediction of 0 is the row's own number.
fn visited(make: Make, rows: usize, seed: u64, steps: usize, change: fn(&mut Recipe)) -> Vec<u32> {
    let tasks = [Task::new("row", Loss::Mae, 1)];
    let mut recipe = linear(&tasks, Weighting::equal(1), Adam::new(0.0), 1);
    recipe.shuffle = true;
    recipe.seed = seed;
    change(&mut recipe);
    let features = Matrix::new(1, vec![0.0; rows]).expect("a column");
    let target: Vec<f32> = (0..rows).map(|row| row as f32).collect();
    let data = Dataset::new(features, vec![numbers(&target)]).expect("a dataset");
    let mut engine = make(recipe, data);
    let mut state = state_of(engine.as_mut());
    state.parameters.fill(0.0);
    engine.load(&state).expect("the state fits");
    let records = run(engine.as_mut(), &schedule(1, rows, steps)).expect("steps");
    let row = |record: &Record| record.tasks[0].loss.expect("a label").round() as u32;
    records.iter().map(row).collect()
}

#[test]
fn every_engine_visits_the_rows_in_the_epochs_orders() {
    for (rows, seed, epochs) in [
        (1, 0, 2),
        (2, 7, 9),
        (5, 0, 5),
        (16, 1 << 63, 4),
        (255, 3, 2),
        (256, 3, 2),
        (257, 3, 2),
        (700, 9, 1),
    ] {
        let epoch = |epoch| order(rows, seed, epoch);
        let expected: Vec<u32> = (0..epochs).flat_map(epoch).collect();
        for (name, make) in ON_GPU.into_iter().chain([("reference", &reference as Make)]) {
            let found = visited(make, rows as usize, seed, expected.len(), |_| ());
            assert_eq!(found, expected, "{name}, {rows} rows");
        }
    }
}

fn drawn(rows: u32, seed: u64) -> Vec<u32> {
    let draws = Bootstrap::new(rows, seed);
    (0..rows).map(|row| draws.row(row)).collect()
}

#[test]
fn rows_drawn_with_replacement_are_those_of_the_documentation() {
    for (rows, seed, expected) in [
        (1, 0, &[0][..]),
        (7, 0, &[0, 5, 5, 0, 1, 6, 2]),
        (16, 9, &[8, 12, 6, 15, 2, 4, 10, 15, 7, 14, 10, 5, 9, 13, 11, 8]),
        (16, (1 << 63) + 5, &[14, 7, 0, 11, 1, 10, 7, 7, 9, 7, 8, 9, 0, 15, 15, 7]),
    ] {
        assert_eq!(drawn(rows, seed), expected, "{rows} rows, seed {seed}");
    }
    let found = drawn(1_000, 3);
    assert_eq!(found[..4], [197, 160, 121, 627]);
    let places = (0..).zip(&found).map(|(place, &row): (u64, _)| place * u64::from(row));
    assert_eq!(places.sum::<u64>(), 252_811_322);
    assert_eq!(found.iter().collect::<HashSet<_>>().len(), 628);
}

/// In every epoch the same, in the epoch's own order.
#[test]
fn every_engine_visits_the_rows_that_were_drawn() {
    for (rows, seed, epochs) in [(1, 0, 2), (7, 0, 3), (256, 3, 2), (300, 9, 2)] {
        let draws = drawn(rows, seed);
        let epoch = |epoch| order(rows, seed, epoch);
        let shuffled = (0..epochs).flat_map(epoch).map(|row| draws[row as usize]).collect();
        let plain: Vec<u32> = (0..epochs).flat_map(|_| draws.clone()).collect();
        let in_order: fn(&mut Recipe) = |recipe| (recipe.bootstrap, recipe.shuffle) = (true, false);
        for (name, make) in ON_GPU.into_iter().chain([("reference", &reference as Make)]) {
            let steps = plain.len();
            let found = visited(make, rows as usize, seed, steps, |it| it.bootstrap = true);
            let shuffled: &Vec<u32> = &shuffled;
            assert_eq!(&found, shuffled, "{name}, {rows} rows");
            let found = visited(make, rows as usize, seed, steps, in_order);
            assert_eq!(found, plain, "{name}, {rows} rows in order");
        }
    }
}

/// Small numbers, where sums and differences meet, and those at the ends of their range.
fn keys() -> Vec<u64> {
    let ends = [31, 32, 33, 63].map(|bit| 1 << bit);
    (0..64).chain(ends).chain(ends.map(|end| end - 1)).chain([u64::MAX - 1, u64::MAX]).collect()
}

#[test]
fn every_seed_and_epoch_has_an_order_of_its_own() {
    let keys = keys();
    let pairs = || keys.iter().flat_map(|&seed| keys.iter().map(move |&epoch| (seed, epoch)));
    for rows in [32, 300] {
        let first = |(seed, epoch)| -> Vec<u32> {
            let order = Permutation::new(rows, seed, epoch);
            (0..16).map(|position| order.row(position)).collect()
        };
        let orders: HashSet<Vec<u32>> = pairs().map(first).collect();
        assert_eq!(orders.len(), keys.len() * keys.len(), "{rows} rows");
    }
}

#[test]
fn every_seed_and_step_drops_units_of_its_own() {
    let keys = keys();
    let pairs = || keys.iter().flat_map(|&seed| keys.iter().map(move |&step| (seed, step)));
    let masks = |(seed, step)| [0, 1, 2, 3].map(|row| dropped(seed, step, row));
    let masks: HashSet<[u32; 4]> = pairs().map(masks).collect();
    assert_eq!(masks.len(), keys.len() * keys.len());
}
