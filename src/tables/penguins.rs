//! The data room on a real table: every expected figure comes from Python's `csv` and `statistics`.

use super::{Encoder, Table};
use crate::data::{Target, Values};
use crate::{Activation, Loss, Network, Task};

const PENGUINS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/penguins/penguins.csv");

fn penguins() -> (Table, Encoder) {
    let table = Table::read_csv(PENGUINS).unwrap();
    let features = ["bill_length_mm", "flipper_length_mm", "island", "sex", "year"];
    let targets = [("species", Loss::cross_entropy()), ("body_mass_g", Loss::Mse)];
    let encoder = Encoder::fit(&table, &features, &targets).unwrap();
    (table, encoder)
}

fn assert_close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-6 * expected.abs(), "{what}: {found}, not {expected}");
}

fn classes_of(target: &Target) -> &[u32] {
    match target.values() {
        Values::Classes(classes) => classes,
        Values::Numbers(_) => panic!("the target is not of classes"),
    }
}

fn labels_of(target: &Target) -> &[f32] {
    match target.values() {
        Values::Numbers(matrix) => matrix.values(),
        Values::Classes(_) => panic!("the target is not of numbers"),
    }
}

#[test]
fn the_penguins_are_read_as_the_file_has_them() {
    let table = Table::read_csv(PENGUINS).unwrap();
    assert_eq!((table.name(), table.rows()), (PENGUINS, 344));
    for (name, missing, mean) in [
        ("species", 0, None),
        ("island", 0, None),
        ("bill_length_mm", 2, Some(43.921_929_824_561_4)),
        ("bill_depth_mm", 2, Some(17.151_169_590_643_274)),
        ("flipper_length_mm", 2, Some(200.915_204_678_362_58)),
        ("body_mass_g", 2, Some(4_201.754_385_964_912)),
        ("sex", 11, None),
        ("year", 0, Some(2_008.029_069_767_441_8)),
    ] {
        let column = table.column(name).unwrap();
        assert_eq!(column.missing(), missing, "{name}");
        assert_eq!(column.is_text(), mean.is_none(), "{name}");
        if let Some(mean) = mean {
            let numbers = table.numbers(name).unwrap();
            let sum: f64 = numbers.iter().filter(|number| !number.is_nan()).sum();
            let found = sum / (344 - missing) as f64;
            assert!((found - mean).abs() < 1e-9, "{name}: {found}");
        }
    }
    let sex = table.column("sex").unwrap();
    let lines: Vec<u64> =
        (0..344).filter(|&row| sex.text(row).is_none()).map(|row| table.line(row)).collect();
    assert_eq!(lines, [5, 10, 11, 12, 13, 49, 180, 220, 258, 270, 273]);
}

#[test]
fn the_penguins_features_are_standardised_flagged_and_one_hot() {
    let (table, encoder) = penguins();
    assert_eq!(
        encoder.feature_names(),
        [
            "bill_length_mm",
            "bill_length_mm=missing",
            "flipper_length_mm",
            "flipper_length_mm=missing",
            "island=Biscoe",
            "island=Dream",
            "island=Torgersen",
            "sex=female",
            "sex=male",
            "year",
        ]
    );
    assert_eq!(encoder.features(), 10);
    let data = encoder.encode(&table).unwrap();
    // (2007 − 2008.02907) / 0.817166 and (2009 − 2008.02907) / 0.817166
    let (y7, y9) = (-1.259_316_1, 1.188_168_3);
    for (row, inputs) in [
        (0, [-0.884_498_7, 0., -1.418_346_6, 0., 0., 0., 1., 0., 1., y7]),
        (3, [0., 1., 0., 1., 0., 0., 1., 0., 0., y7]),
        (343, [1.151_602_2, 0., -0.207_618_8, 0., 0., 1., 0., 1., 0., y9]),
    ] {
        let found = data.features().row(row);
        for ((&found, expected), name) in found.iter().zip(inputs).zip(encoder.feature_names()) {
            assert_close(found.into(), expected, &format!("row {row}, {name}"));
        }
    }
}

#[test]
fn the_penguins_targets_keep_their_classes_their_scale_and_their_gaps() {
    let (table, encoder) = penguins();
    assert_eq!(
        encoder.tasks(),
        [Task::new("species", Loss::cross_entropy(), 3), Task::new("body_mass_g", Loss::Mse, 1),]
    );
    let species = encoder.target("species").unwrap();
    assert_eq!(species.classes().unwrap(), ["Adelie", "Chinstrap", "Gentoo"]);
    assert_eq!(species.numbers(), []);
    let mass = encoder.target("body_mass_g").unwrap();
    let scaling = mass.numbers()[0].scaling;
    assert_eq!(mass.classes(), None);
    assert_close(scaling.mean, 4_201.754_385_964_912, "mean");
    assert_close(scaling.std, 800.781_229_238_452, "std");

    let data = encoder.encode(&table).unwrap();
    let [species, mass] = data.targets() else { panic!("two targets") };
    let mut counts = [0; 3];
    for &class in classes_of(species) {
        counts[class as usize] += 1;
    }
    assert_eq!((counts, species.mask()), ([152, 68, 124], None));
    let unlabelled: Vec<usize> = (0..344).filter(|&row| !mass.has_label(row)).collect();
    assert_eq!(unlabelled, [3, 271]);
    let first = f64::from(labels_of(mass)[0]);
    assert_close(first, -0.564_142_077_099_551_2, "the first penguin's mass");
    assert_close(scaling.restore(first), 3_750.0, "its mass in grams");
}

#[test]
fn the_penguins_are_split_encoded_and_tasks_of_a_network() {
    let table = Table::read_csv(PENGUINS).unwrap();
    let [train, validation, test] = table.split(0, [0.6, 0.2, 0.2]).unwrap();
    let targets = [("species", Loss::cross_entropy()), ("sex", Loss::Bce)];
    let encoder = Encoder::fit(&train, &["body_mass_g"], &targets).unwrap();
    let network = Network::new(encoder.features(), &[8], Activation::Relu, &encoder.tasks());
    assert_eq!(network.unwrap().outputs(), 4);
    for (part, rows) in [(train, 206), (validation, 69), (test, 69)] {
        let data = encoder.encode(&part).unwrap();
        assert_eq!(data.rows(), rows);
        for (task, target) in encoder.tasks().iter().zip(data.targets()) {
            task.check_target(target).unwrap();
        }
    }
}
