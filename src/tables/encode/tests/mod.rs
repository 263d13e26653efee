use super::*;
use crate::data::{Target, Values};

mod rare;
mod tasks;

const NONE: [&str; 0] = [];

fn table(text: &str) -> Table {
    Table::from_csv("t.csv", text.as_bytes()).unwrap()
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
fn only_the_training_part_is_learned_from() {
    let training = table("x,c,y\n1,a,0\n3,b,10\n");
    let encoder = Encoder::fit(&training, &["x", "c"], &[("y", Loss::Mse)]).unwrap();
    assert_eq!(encoder.feature_names(), ["x", "c=a", "c=b"]);
    // Mean 2, deviation 1; mean 5, deviation 5.
    let later = table("y,x,c\n20,5,b\n,NA,z\n5,2,NA\n");
    let data = encoder.encode(&later).unwrap();
    assert_eq!(data.features().values(), [3., 0., 1., 0., 0., 0., 0., 0., 0.]);
    assert_eq!(labels_of(&data.targets()[0]), [3., 0., 0.]);
    assert_eq!(data.targets()[0].mask().unwrap(), [true, false, true]);
    let strange = table("x,c\n1,z\n2,b\n3,NA\n4,z\n5,Z\n");
    assert_eq!(encoder.unseen(&strange).unwrap(), [("c", 3)]);
    assert_eq!(encoder.unseen(&training).unwrap(), []);
}

#[test]
fn features_that_are_all_the_same_are_nothing_to_learn_from() {
    let text = "x,z,y\n0.1,a,1\n0.1,a,2\n0.1,a,3\n";
    let fit = |features: &[&str]| {
        Encoder::fit(&table(text), features, &[("y", Loss::Mae)]).unwrap_err().to_string()
    };
    assert!(fit(&["x"]).starts_with("t.csv: nothing can be learned from \"x\", which is the same"));
    assert!(fit(&["x", "z"]).contains("from \"x\", \"z\", which are each the same"));
}

#[test]
fn what_is_too_far_from_what_was_learned_is_counted() {
    let training = table("x,z,y\n0,1,1\n2,3,2\n");
    let encoder = Encoder::fit(&training, &["x", "z"], &[("y", Loss::Mse)]).unwrap();
    let far = table("x,z\n1,2\n-1000,2\n1e9,NA\n");
    assert_eq!(encoder.beyond(&far, 100.0).unwrap(), [("x", 2)]);
    assert_eq!(encoder.beyond(&training, 100.0).unwrap(), []);
}

#[test]
fn classes_are_those_of_all_rows_whatever_the_part() {
    let whole = table("x,k,b,y\n0,owl,no,1\n1,hawk,no,2\n2,kite,yes,2\n3,,,2\n");
    let targets = [("k", Loss::cross_entropy()), ("b", Loss::Bce), ("y", Loss::Mse)];
    let training = whole.select(&[0, 1, 3]);
    let encoder = Encoder::fit(&training, &["x"], &targets).unwrap();
    assert_eq!(encoder.target("k").unwrap().classes().unwrap(), ["hawk", "kite", "owl"]);
    assert_eq!(encoder.target("b").unwrap().classes().unwrap(), ["no", "yes"]);
    let counts = |table: &Table| -> Vec<(usize, Vec<usize>, usize)> {
        let counts = encoder.targets().iter().map(|target| target.count(table).unwrap());
        counts.map(|it| (it.labelled, it.classes, it.unknown)).collect()
    };
    assert_eq!(counts(&training), [(2, vec![1, 0, 1], 0), (2, vec![2, 0], 0), (3, vec![], 0)]);
    let strange = table("k,b,y\nwren,maybe,1\nowl,NO,\n");
    assert_eq!(counts(&strange), [(2, vec![0, 0, 1], 1), (2, vec![1, 0], 1), (1, vec![], 0)]);
    // A number's scale is that of the training part, unless all of that is one number.
    let fit = |rows: &[usize]| Encoder::fit(&whole.select(rows), &["x"], &targets[2..]).unwrap();
    assert_eq!(fit(&[0, 1]).target("y").unwrap().numbers()[0].scaling.std, 0.5);
    assert_eq!(fit(&[1, 2]).target("y").unwrap().numbers()[0].scaling.mean, 1.75);
}

#[test]
fn everything_that_is_wrong_is_found_at_once() {
    let table = table("n,gap,stray,one,k\n1,,1,7,a\n2,,2,7,b\n3,,x,7,c\n4,,4,7,d\n");
    let specs = [TargetSpec::new("one"), TargetSpec::new("k").with_loss(Loss::Bce)];
    let found = Encoder::problems(&table, &["n", "gap", "stray"], &specs, Default::default());
    let found: Vec<(String, bool)> =
        found.unwrap().into_iter().map(|problem| (problem.name, problem.is_task)).collect();
    let expected = [("gap", false), ("stray", false), ("one", true), ("k", true)];
    assert_eq!(found, expected.map(|(name, is_task)| (name.to_string(), is_task)));
}

#[test]
fn features_can_be_encoded_without_their_targets() {
    let encoder = Encoder::fit(&table("x,y\n1,a\n3,b\n"), &["x"], &[("y", Loss::Bce)]).unwrap();
    let features = encoder.encode_features(&table("x\n2\n4\n")).unwrap();
    assert_eq!(features, Matrix::new(1, vec![0.0, 2.0]).unwrap());
}

#[test]
fn labels_of_any_two_values_become_0_and_1_in_sorted_order() {
    for (values, names, labels) in [
        (["1", "0", "NA"], ["0", "1"], [1., 0., 0.]),
        (["10", "9", "10"], ["9", "10"], [1., 0., 1.]),
        (["false", "true", "true"], ["false", "true"], [0., 1., 1.]),
        (["Yes", "", "No"], ["No", "Yes"], [1., 0., 0.]),
        (["male", "female", "male"], ["female", "male"], [1., 0., 1.]),
    ] {
        let rows = values.iter().enumerate().map(|(row, value)| format!("{row},{value}\n"));
        let rows: String = rows.collect();
        let table = table(&format!("x,y\n{rows}"));
        let encoder = Encoder::fit(&table, &["x"], &[("y", Loss::Bce)]).unwrap();
        assert_eq!(encoder.target("y").unwrap().classes().unwrap(), names);
        let data = encoder.encode(&table).unwrap();
        let target = &data.targets()[0];
        assert_eq!(labels_of(target), labels, "{values:?}");
        for (row, value) in values.iter().enumerate() {
            assert_eq!(target.has_label(row), !["NA", ""].contains(value));
        }
    }
}

#[test]
fn classes_may_be_numbers_and_are_found_in_text() {
    let training = table("x,y\n0,10\n1,9\n2,\n3,10\n");
    let encoder = Encoder::fit(&training, &["x"], &[("y", Loss::cross_entropy())]).unwrap();
    assert_eq!(encoder.target("y").unwrap().classes().unwrap(), ["9", "10"]);
    let data = encoder.encode(&training).unwrap();
    assert_eq!(classes_of(&data.targets()[0]), [1, 0, 0, 1]);
    assert_eq!(data.targets()[0].mask().unwrap(), [true, true, false, true]);
}

#[test]
fn a_part_may_have_no_label_at_all() {
    let training = table("x,k,y\n0,a,1\n1,b,2\n");
    let targets = [("k", Loss::cross_entropy()), ("y", Loss::Mse)];
    let encoder = Encoder::fit(&training, &["x"], &targets).unwrap();
    let data = encoder.encode(&table("x,k,y\n0,,\n1,NA,\n")).unwrap();
    for target in data.targets() {
        assert_eq!(target.mask().unwrap(), [false, false]);
    }
}

#[test]
fn columns_that_cannot_play_their_role_are_refused_when_fitting() {
    let table = table(
        "n,t,gap,one,word,huge\n1,a,,7,same,1e308\n2,b,,7,same,1.5e308\n3,c,NA,7,same,-1e308\n4,3,,,,1.7e308\n5,4,,,,1e308\n",
    );
    let mse = || Loss::Mse;
    let classes = Loss::cross_entropy;
    for (features, target, loss, message) in [
        (&NONE[..], "n", mse(), "no feature is named: name at least one column"),
        (&["n", "n"], "t", mse(), "column \"n\" is named twice as a feature: name it once"),
        (&["t", "n"], "n", mse(), "column \"n\" is both a feature and a target: take it off"),
        (&["m"], "t", mse(), "t.csv: there is no column \"m\": its columns are \"n\", \"t\""),
        (&["n"], "wrod", mse(), "t.csv: there is no column \"wrod\": did you mean \"word\"?"),
        (
            &["gap"],
            "n",
            mse(),
            "t.csv: every cell of column \"gap\" in the training part is missing: leave",
        ),
        (
            &["n"],
            "gap",
            classes(),
            "t.csv: every cell of column \"gap\" in the training part is missing",
        ),
        (&["n"], "t", mse(), "t.csv: line 2, column \"t\": \"a\" is not a number: write"),
        (&["n"], "one", mse(), "t.csv: every label of column \"one\" is \"7\", so that"),
        (&["n"], "one", Loss::Bce, "t.csv: every label of column \"one\" is \"7\""),
        (&["n"], "word", classes(), "t.csv: every label of column \"word\" is \"same\""),
        (
            &["n"],
            "t",
            Loss::Bce,
            "t.csv: column \"t\" holds 5 different values (\"3\", \"4\", \"a\", \"b\", \"c\"), but bce needs two: use cross_entropy",
        ),
        (
            &["huge"],
            "n",
            mse(),
            "t.csv: the numbers of column \"huge\" are too large to average: rescale",
        ),
    ] {
        let found = Encoder::fit(&table, features, &[(target, loss)]).unwrap_err().to_string();
        assert!(found.starts_with(message), "{features:?}, {target}: {found}");
    }
    let fit =
        |targets: &[(&str, Loss)]| Encoder::fit(&table, &["n"], targets).unwrap_err().to_string();
    assert!(fit(&[]).starts_with("no target is named: name at least one"));
    assert!(
        fit(&[("t", classes()), ("t", classes())])
            .starts_with("column \"t\" is named twice as a target")
    );
}

#[test]
fn a_slip_in_a_column_of_numbers_is_named() {
    let text = |x: &str| format!("x,y\n1.5,0\n{x},1\n2.5,2\n?,3\nN/A,4\n");
    let fit = |x: &str| Encoder::fit(&table(&text(x)), &["x"], &[("y", Loss::Mse)]);
    assert_eq!(fit("-").unwrap().feature_names(), ["x", "x=missing"]);
    let error = fit("2.5kg").unwrap_err().to_string();
    for part in ["t.csv", "line 3", "\"x\"", "\"2.5kg\" is not a number"] {
        assert!(error.contains(part), "{error:?} lacks {part:?}");
    }
}

#[test]
fn a_quantity_is_no_class() {
    let rows: String = (0..2_000).map(|i| format!("{i},{}\n", f64::from(i) / 8.0)).collect();
    let table = table(&format!("x,price\n{rows}"));
    let error = Encoder::fit(&table, &["x"], &[("price", Loss::cross_entropy())]).unwrap_err();
    let error = error.to_string();
    for part in ["\"price\"", "2000 different values", "1024 classes", "mse"] {
        assert!(error.contains(part), "{error:?} lacks {part:?}");
    }
}

#[test]
fn cells_that_training_does_not_cover_are_named_when_encoding() {
    let training = table("x,k,b,y\n0,owl,no,1\n1,hawk,yes,2\n");
    let targets = [("k", Loss::cross_entropy()), ("b", Loss::Bce), ("y", Loss::Mse)];
    let encoder = Encoder::fit(&training, &["x"], &targets).unwrap();
    for (text, message) in [
        (
            "x,k,b,y\n0,owl,no,1\n\n1,kite,no,1\n",
            "t.csv: line 4, column \"k\": the class \"kite\" is none of the task's, \
             which are \"hawk\", \"owl\": correct the cell or leave it empty, or train",
        ),
        ("x,k,b,y\n0,owl,maybe,1\n", "t.csv: line 2, column \"b\": the class \"maybe\" is none of"),
        ("x,k,b,y\n0,owl,no,much\n", "t.csv: line 2, column \"y\": \"much\" is not a number"),
        ("x,k,b,y\n0,7,no,1\n", "t.csv: line 2, column \"k\": the class \"7\" is none of"),
        ("x,k,b,y\nfar,owl,no,1\n", "t.csv: line 2, column \"x\": \"far\" is not a number"),
        (
            "x,k,b,y\n1e300,owl,no,1\n",
            "t.csv: line 2, column \"x\": 1e300 is too far from the training part's mean 5e-1 \
             (standard deviation 5e-1): correct the cell",
        ),
        ("x,k,b,y\n0,owl,no,-1e300\n", "t.csv: line 2, column \"y\": -1e300 is too far"),
        ("x,k,bee,y\n0,owl,no,1\n", "t.csv: there is no column \"b\""),
    ] {
        let found = encoder.encode(&table(text)).unwrap_err().to_string();
        assert!(found.starts_with(message), "{text:?}: {found}");
    }
    let rowless = encoder.encode(&training.select(&[])).unwrap_err();
    assert!(rowless.to_string().starts_with("the dataset has no rows"));
}

#[test]
fn a_misspelt_task_is_met_with_the_nearest_name() {
    let text = "x,species,body_mass_g\n1,a,1\n2,b,2\n";
    let targets = [("species", Loss::cross_entropy()), ("body_mass_g", Loss::Mse)];
    let encoder = Encoder::fit(&table(text), &["x"], &targets).unwrap();
    for (task, message) in [
        ("specie", "there is no task \"specie\": did you mean \"species\"?"),
        ("age", "there is no task \"age\": the tasks are \"species\", \"body_mass_g\""),
    ] {
        assert_eq!(encoder.target(task).unwrap_err().to_string(), message);
    }
}

#[test]
fn a_feature_of_numbers_with_a_few_other_words_is_refused_until_said_to_be_text() {
    let rows = ["1,0", "2,1", "n/k,0", "4,1", "5,0"].join("\n");
    let whole = table(&format!("x,y\n{rows}\n"));
    let fit = |table: &Table| Encoder::fit(table, &["x"], &[("y", Loss::Mse)]);
    let message = "t.csv: line 4, column \"x\": \"n/k\" is not a number, but 4 of the column's 5 cells are: correct \
                   the cell, leave it empty, say that this word means a missing cell (--missing=n/k), or say that the \
                   column is text (--text=x; in Rust, Table::as_text)";
    assert_eq!(fit(&whole).unwrap_err().to_string(), message);
    let part_without_it = whole.select(&[0, 1, 3]);
    assert_eq!(fit(&part_without_it).unwrap_err().to_string(), message);
    let text = whole.as_text("x").unwrap().select(&[2, 3]);
    assert_eq!(fit(&text).unwrap().feature_names(), ["x=4", "x=n/k"]);
    let mostly_text = table("x,y\n1,0\na,1\nb,0\n");
    assert_eq!(fit(&mostly_text).unwrap().feature_names(), ["x=1", "x=a", "x=b"]);
}

#[test]
fn a_column_of_numbers_may_be_taken_as_text() {
    let table = table("class,y\n3,0\n1,1\n,0\n3,1\n");
    let text = table.clone().as_text("class").unwrap();
    let encoder = Encoder::fit(&text, &["class"], &[("y", Loss::Mse)]).unwrap();
    assert_eq!(encoder.feature_names(), ["class=1", "class=3"]);
    let inputs = [0., 1., 1., 0., 0., 0., 0., 1.];
    assert_eq!(encoder.encode_features(&text).unwrap().values(), inputs);
    assert_eq!(encoder.encode_features(&table).unwrap().values(), inputs);
    let error = table.as_text("clas").unwrap_err().to_string();
    assert_eq!(error, "t.csv: there is no column \"clas\": did you mean \"class\"?");
}

#[test]
fn classes_that_are_too_many_for_their_labels_are_refused() {
    let fit = |classes: usize, labels: usize, prefix: &str| {
        let rows = (0..labels).map(|row| format!("{row},{prefix}{}\n", row % classes));
        let table = table(&format!("x,y\n{}0,\n", rows.collect::<String>()));
        Encoder::fit(&table, &["x"], &[("y", Loss::cross_entropy())])
    };
    for (classes, labels) in [(2, 3), (20, 20), (21, 42), (1_024, 2_048)] {
        let encoder = fit(classes, labels, "").unwrap();
        assert_eq!(encoder.tasks()[0].width, classes);
    }
    for (classes, labels, prefix, remedy) in [
        (21, 41, "", "use mse if it is a quantity, leave it out if it numbers the rows"),
        (1_025, 5_000, "", "use mse if it is a quantity"),
        (30, 30, "id", "leave it out if it names the rows, or group its values"),
    ] {
        let message = format!(
            "t.csv: column \"y\" holds {classes} different values in {labels} labels, too many for the classes of \
             cross_entropy (at most 1024 classes, and two labels a class on average): {remedy}"
        );
        let found = fit(classes, labels, prefix).unwrap_err().to_string();
        assert!(found.starts_with(&message), "{found}");
    }
}

#[test]
fn predictions_become_classes_and_numbers_in_the_columns_unit() {
    // Mean 20, deviation 10.
    let training = table("x,k,b,y\n0,owl,yes,10\n1,hawk,no,30\n2,kite,no,\n");
    let targets = [("k", Loss::cross_entropy()), ("b", Loss::Bce), ("y", Loss::Mse)];
    let encoder = Encoder::fit(&training, &["x"], &targets).unwrap();
    for (row, kind, answer, number) in [
        ([2.0, 1.0, -1.0, 0.5, 1.5], "hawk", "yes", 35.0),
        ([-3.0, -2.0, -2.0, 0.0, 0.0], "kite", "no", 20.0),
        ([0.0, 0.0, 0.1, -7.0, -3.0], "owl", "no", -10.0),
    ] {
        let expected =
            [Predicted::Class(kind), Predicted::Class(answer), Predicted::Number(number)];
        assert_eq!(encoder.decode(&row).unwrap(), expected);
    }
    assert_eq!(
        format!("{:>5}{:8.1}", Predicted::Class("owl"), Predicted::Number(35.04)),
        "  owl    35.0"
    );

    // A label that is decoded from its own encoding is the cell that it came from.
    let data = encoder.encode(&training).unwrap();
    let weight = &encoder.targets()[2];
    let found = weight.decode(&labels_of(&data.targets()[2])[..1]).unwrap();
    assert_eq!(found, [Predicted::Number(10.0)]);
}

#[test]
fn predictions_that_are_not_a_row_of_the_tasks_are_refused() {
    let training = table("x,k,y\n0,owl,10\n1,hawk,30\n");
    let targets = [("k", Loss::cross_entropy()), ("y", Loss::Mse)];
    let encoder = Encoder::fit(&training, &["x"], &targets).unwrap();
    let whole = |row: &[f32]| encoder.decode(row).unwrap_err().to_string();
    assert!(whole(&[0.0; 2]).contains("values of the row of predictions is 2, but must be 3"));
    assert!(whole(&[0.0; 4]).contains("values of the row of predictions is 4, but must be 3"));
    assert!(whole(&[0.0, f32::NAN, 0.0]).starts_with("task \"k\": a prediction is NaN: look for"));
    assert!(whole(&[0.0, 0.0, f32::INFINITY]).starts_with("task \"y\": a prediction is inf"));
    let kind = encoder.targets()[0].decode(&[0.0; 3]).unwrap_err().to_string();
    assert!(kind.contains("values of the prediction of task \"k\" is 3, but must be 2"));
}
