//! What is asked of an encoder beside one column a task: several columns, losses to be chosen, options, and coming back
//! from a file.

use super::*;

fn fit_with(text: &str, specs: &[TargetSpec]) -> Result<Encoder> {
    Encoder::fit_with(&table(text), &["x"], specs, EncoderOptions::default())
}

#[test]
fn a_task_of_several_columns_scales_and_restores_each() {
    // Means 20 and 300, deviations 10 and 100.
    let text = "x,a,b\n0,10,400\n1,30,200\n2,,300\n3,20,\n";
    let size = TargetSpec::of_columns("size", &["a", "b"]).with_loss(Loss::Mse);
    let encoder = fit_with(&text.replace("20,\n", ",\n"), &[size]).unwrap();
    assert_eq!(encoder.tasks(), [Task::new("size", Loss::Mse, 2)]);
    let [a, b] = encoder.target("size").unwrap().numbers() else { panic!("two encodings") };
    assert_eq!((a.scaling.mean, a.scaling.std, b.scaling.mean), (20.0, 10.0, 300.0));
    let data = encoder.encode(&table(text)).unwrap();
    let target = &data.targets()[0];
    assert_eq!(target.mask().unwrap(), [true, true, false, false]);
    let high = (100.0 / b.scaling.std) as f32;
    assert_eq!(labels_of(target)[..4], [-1.0, high, 1.0, -high]);
    let answers = encoder.decode(&[1.5, 0.0]).unwrap();
    assert_eq!(answers, [Predicted::Number(35.0), Predicted::Number(300.0)]);
    assert!(encoder.targets()[0].probabilities(&[1.5, 0.0]).unwrap().is_empty());
}

#[test]
fn a_task_of_several_pairs_of_values_has_an_answer_a_column() {
    let text = "x,wet,kind\n0,yes,owl\n1,no,hawk\n2,,owl\n";
    let both = TargetSpec::of_columns("both", &["wet", "kind"]).with_loss(Loss::Bce);
    let encoder = fit_with(text, &[both]).unwrap();
    assert_eq!(encoder.target("both").unwrap().classes(), None);
    let data = encoder.encode(&table(text)).unwrap();
    assert_eq!(labels_of(&data.targets()[0])[..4], [1.0, 1.0, 0.0, 0.0]);
    assert_eq!(data.targets()[0].mask().unwrap(), [true, true, false]);
    let answers = encoder.decode(&[0.0, 3.0]).unwrap();
    assert_eq!(answers, [Predicted::Class("no"), Predicted::Class("owl")]);
    let odds = encoder.targets()[0].probabilities(&[0.0, 3f32.ln()]).unwrap();
    assert!((odds[0] - 0.5).abs() < 1e-15 && (odds[1] - 0.75).abs() < 1e-7, "{odds:?}");
}

/// Above a probability of 0.8 the logit is above ln 4; the first class is answered at it.
#[test]
fn the_second_of_two_classes_is_answered_above_the_threshold() {
    let text = "x,wet,kind\n0,yes,owl\n1,no,hawk\n2,,owl\n";
    let both = TargetSpec::of_columns("both", &["wet"]).with_loss(Loss::Bce);
    let kind = TargetSpec::new("kind").with_loss(Loss::cross_entropy());
    let plain = fit_with(text, &[both, kind]).unwrap();
    assert_eq!(plain.targets()[1].thresholds(), [0.5]);
    let encoder = plain.clone().with_thresholds("both", vec![0.8]).unwrap();
    let encoder = encoder.with_thresholds("kind", vec![0.2]).unwrap();
    let four = 4f32.ln();
    let answers = |encoder: &Encoder, row: &[f32]| {
        let answers = encoder.decode(row).unwrap();
        answers.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(answers(&encoder, &[four - 1e-5, 3.0, 3.0 - four + 1e-5]), ["no", "owl"]);
    assert_eq!(answers(&encoder, &[four + 1e-5, 3.0, 3.0 - four - 1e-5]), ["yes", "hawk"]);
    assert_eq!(answers(&plain, &[four - 1e-5, 3.0, 3.0 - four + 1e-5]), ["yes", "hawk"]);
    // Probabilities are what they were, and a file holds all of it.
    let both = &encoder.targets()[0];
    assert!((both.probabilities(&[four]).unwrap()[0] - 0.8).abs() < 1e-7);
    let saved = serde_json::to_string(&encoder).unwrap();
    assert_eq!(serde_json::from_str::<Encoder>(&saved).unwrap(), encoder);
    assert!(serde_json::from_str::<Encoder>(&saved.replace("[0.8]", "[1.8]")).is_err());
    for thresholds in [vec![0.0], vec![1.0], vec![f64::NAN], vec![0.4, 0.6]] {
        assert!(plain.clone().with_thresholds("kind", thresholds).is_err());
    }
    assert_eq!(encoder.with_thresholds("both", vec![]).unwrap().targets()[0].thresholds(), [0.5]);
}

#[test]
fn probabilities_of_classes_are_those_of_the_softmax() {
    let encoder =
        Encoder::fit(&table("x,k\n0,a\n1,b\n2,c\n"), &["x"], &[("k", Loss::cross_entropy())]);
    let encoder = encoder.unwrap();
    let found = encoder.targets()[0].probabilities(&[1e4, 1e4, -1e4]).unwrap();
    assert_eq!(found, [0.5, 0.5, 0.0]);
    let found = encoder.targets()[0].probabilities(&[0.0, 2f32.ln(), 1f32.ln()]).unwrap();
    for (found, expected) in found.iter().zip([0.25, 0.5, 0.25]) {
        assert!((found - expected).abs() < 1e-7, "{found}");
    }
}

/// Whole numbers that have one f64 are no class together: refused by name, and told apart as texts.
#[test]
fn labels_beyond_f64_are_refused_or_told_apart() {
    for (labels, one, other) in [
        (["9007199254740992", "9007199254740993", "5"], "9007199254740992", "9007199254740993"),
        (
            ["-18446744073709551615", "7", "-18446744073709551614"],
            "-18446744073709551615",
            "-18446744073709551614",
        ),
        (
            ["1152921504606846976", "1152921504606847000", "NA"],
            "1152921504606846976",
            "1152921504606847000",
        ),
    ] {
        let rows = labels.iter().cycle().take(30).enumerate();
        let rows: String = rows.map(|(row, label)| format!("{row},{label}\n")).collect();
        let text = format!("x,id\n{rows}");
        for loss in [Loss::cross_entropy(), Loss::Bce] {
            let error =
                Encoder::fit(&table(&text), &["x"], &[("id", loss)]).unwrap_err().to_string();
            assert!(error.contains(&format!("column \"id\" holds {one} and {other}")), "{error}");
            assert!(error.contains("--text=id"), "{error}");
        }
        let apart = table(&text).as_text("id").unwrap();
        let encoder = Encoder::fit(&apart, &["x"], &[("id", Loss::cross_entropy())]).unwrap();
        let mut names: Vec<&str> = labels.into_iter().filter(|label| *label != "NA").collect();
        names.sort_unstable();
        assert_eq!(encoder.target("id").unwrap().classes().unwrap(), names);
        // Also in a table that has them as numbers.
        for table in [&apart, &table(&text)] {
            let data = encoder.encode(table).unwrap();
            let Values::Classes(found) = data.targets()[0].values() else { panic!("classes") };
            for (row, label) in labels.iter().cycle().take(30).enumerate() {
                assert_eq!(data.targets()[0].has_label(row), *label != "NA");
                let expected = names.iter().position(|name| name == label).unwrap_or(0);
                assert_eq!(found[row] as usize, expected, "row {row}, {label}");
            }
        }
    }
}

#[test]
fn a_loss_is_chosen_by_the_labels() {
    let column = |cells: &mut dyn Iterator<Item = String>| {
        let rows: String = cells.enumerate().map(|(row, cell)| format!("{row},{cell}\n")).collect();
        table(&format!("x,y\n{rows}"))
    };
    let repeated = |cells: &[&str]| column(&mut (0..40).map(|i| cells[i % cells.len()].into()));
    let mut integers = (0..100).map(|i| (i % 20).to_string());
    let mut sparse = (0..99).map(|i| (i % 20).to_string());
    let mut more = (0..200).map(|i| (i % 21).to_string());
    for (table, loss, why) in [
        (repeated(&["owl", "", "hawk"]), "bce", "two values, \"hawk\" and \"owl\""),
        (repeated(&["1.5", "2.5"]), "bce", "two values, \"1.5\" and \"2.5\""),
        (repeated(&["a", "b", "c"]), "cross_entropy", "3 different texts"),
        (repeated(&["1", "2", "5"]), "cross_entropy", "only 3 different integers"),
        (repeated(&["1", "2", "5.5"]), "mse", "3 different numbers"),
        (column(&mut integers), "cross_entropy", "only 20 different integers"),
        (column(&mut sparse), "mse", "20 different numbers"),
        (column(&mut more), "mse", "21 different numbers"),
    ] {
        let spec = TargetSpec::new("y");
        let found = spec.infer(&table).unwrap();
        assert_eq!((found.loss.name(), found.why.as_str()), (loss, why));
        let encoder = Encoder::fit_with(&table, &["x"], &[spec], EncoderOptions::default());
        assert_eq!(encoder.unwrap().targets()[0].loss, found.loss);
    }
    let pairs = table("x,a,b,c,d\n0,1,no,1,1\n1,2,yes,2,2\n2,1,no,3,5\n3,1,no,4,9\n");
    for (columns, loss, why) in [
        (["a", "b"], "bce", "two values, \"1\" and \"2\"; two values, \"no\" and \"yes\""),
        (["c", "d"], "mse", "4 different numbers; 4 different numbers"),
        (["a", "d"], "mse", "two values, \"1\" and \"2\"; 4 different numbers"),
    ] {
        let found = TargetSpec::of_columns("t", &columns).infer(&pairs).unwrap();
        assert_eq!((found.loss.name(), found.why.as_str()), (loss, why));
    }
}

#[test]
fn tasks_that_cannot_be_are_refused() {
    let text = "x,a,b,k,one,gap,odd\n0,1,,u,7,,1\n1,2,,v,7,,2\n2,,1,w,7,,n/k\n3,,2,u,7,,4\n";
    let of = TargetSpec::of_columns;
    for (specs, message) in [
        (vec![of("t", &NONE)], "task \"t\" has no column: name at least one"),
        (vec![of("", &["a"])], "a task has no name: name every task"),
        (vec![of("t", &["a"]), of("t", &["k"])], "two tasks are named \"t\": give each"),
        (vec![of("t", &["a"]), of("u", &["a"])], "column \"a\" is named twice as a target"),
        (vec![of("t", &["x"])], "column \"x\" is both a feature and a target"),
        (
            vec![of("t", &["a", "k"]).with_loss(Loss::cross_entropy())],
            "task \"t\": cross_entropy takes one column, but 2 are named: make each column a task",
        ),
        (
            vec![of("t", &["a", "k"])],
            "task \"t\": column \"k\" is text, and a task of several columns",
        ),
        (
            vec![of("t", &["a", "b"])],
            "task \"t\": no row of the training part has all of its columns: make each column a task",
        ),
        (vec![of("t", &["one"])], "t.csv: every label of column \"one\" is \"7\""),
        (
            vec![of("t", &["gap"])],
            "t.csv: every cell of column \"gap\" in the training part is missing",
        ),
        (
            vec![of("t", &["odd"])],
            "t.csv: line 4, column \"odd\": \"n/k\" is not a number, but 3 of",
        ),
        (vec![of("t", &["c"])], "t.csv: there is no column \"c\""),
    ] {
        let found = fit_with(text, &specs).unwrap_err().to_string();
        assert!(found.starts_with(message), "{specs:?}: {found}");
    }
}

#[test]
fn without_standardising_numbers_pass_as_they_are() {
    let text = "x,c,y\n10,u,5\n,v,7\n30,u,12\n";
    let options = EncoderOptions { standardize: false, ..Default::default() };
    let specs = [TargetSpec::new("y").with_loss(Loss::Mse)];
    let encoder = Encoder::fit_with(&table(text), &["x", "c"], &specs, options).unwrap();
    let data = encoder.encode(&table(text)).unwrap();
    let inputs = [10., 0., 1., 0., 0., 1., 0., 1., 30., 0., 1., 0.];
    assert_eq!(data.features().values(), inputs);
    assert_eq!(labels_of(&data.targets()[0]), [5., 7., 12.]);
    assert_eq!(encoder.target("y").unwrap().numbers(), [NumberEncoding::NONE]);
    assert_eq!(encoder.decode(&[6.5]).unwrap(), [Predicted::Number(6.5)]);
    let error = encoder.encode(&table("x,c,y\n-1e39,u,1\n")).unwrap_err().to_string();
    let message = "t.csv: line 2, column \"x\": -1e39 has no place among the numbers of 32 bits: correct the cell";
    assert!(error.starts_with(message), "{error}");
}

#[test]
fn features_that_say_nothing_are_listed() {
    let text = "x,one,word,dose,gap,some,y\n1,7,same,0.3,7,a,1\n2,7,same,0.30000000000000004,,,2\n";
    let features = ["x", "one", "word", "dose", "gap", "some"];
    let encoder = Encoder::fit(&table(text), &features, &[("y", Loss::Mse)]).unwrap();
    assert_eq!(encoder.constant(), ["one", "word", "dose"]);
    assert_eq!(encoder.feature_names(), ["x", "gap=missing", "some=a"]);
    // Whatever else may stand there changes nothing.
    let later = table("x,one,word,dose,gap,some\n1,9,other,0.31,1e9,b\n2,,,,,a\n");
    let inputs = encoder.encode_features(&later).unwrap();
    assert_eq!(inputs.values(), [-1.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
}

#[test]
fn an_encoder_comes_back_from_json_with_the_same_bits() {
    let training =
        table("x,c,k,b,y,z\n0.1,u,owl,yes,1.7,3\n0.2,v,hawk,no,0.3,1e-9\n,u,kite,no,,7\n");
    let specs = [
        TargetSpec::new("k").with_loss(Loss::CrossEntropy {
            label_smoothing: 0.1,
            class_weights: Some(vec![0.1, 0.7, 1.3]),
        }),
        TargetSpec::new("b"),
        TargetSpec::of_columns("both", &["y", "z"]).with_loss(Loss::Huber { delta: 0.3 }),
    ];
    let encoder =
        Encoder::fit_with(&training, &["x", "c"], &specs, EncoderOptions::default()).unwrap();
    let json = serde_json::to_string(&encoder).unwrap();
    assert_eq!(serde_json::from_str::<Encoder>(&json).unwrap(), encoder);
    for (sound, broken, named) in [
        ("\"classes\":[\"hawk\",\"kite\",\"owl\"]", "\"classes\":[\"hawk\"]", "task \\\"k\\\""),
        ("\"binary\":[[\"no\",\"yes\"]]", "\"binary\":[]", "task \\\"b\\\""),
        ("\"columns\":[\"y\",\"z\"]", "\"columns\":[\"y\"]", "task \\\"both\\\""),
        ("\"loss\":\"bce\"", "\"loss\":\"mse\"", "task \\\"b\\\""),
        ("\"delta\":0.3", "\"delta\":-0.3", "task \\\"both\\\""),
        ("\"categories\":[\"u\",\"v\"]", "\"categories\":[]", "feature \\\"c\\\""),
        ("\"indicator\":true", "\"indicater\":true", "indicator"),
    ] {
        assert!(json.contains(sound), "{json} lacks {sound}");
        let error = serde_json::from_str::<Encoder>(&json.replace(sound, broken)).unwrap_err();
        assert!(error.to_string().contains(&named.replace('\\', "")), "{broken}: {error}");
    }
}

/// An outlier leaves the other numbers of a feature apart, and its labels are as they were.
#[test]
fn features_have_a_scale_and_targets_their_own() {
    let table = table("x,y\n1,10\n2,20\n,30\n3,10\n4,20\n1000,30\n");
    let specs = [TargetSpec::new("y").with_loss(Loss::Mse)];
    let fit = |options| Encoder::fit_with(&table, &["x"], &specs, options);
    let plain = fit(EncoderOptions::default()).unwrap();
    for scale in [Scale::Robust, Scale::Quantile] {
        let encoder = fit(EncoderOptions { scale, ..Default::default() }).unwrap();
        let data = encoder.encode(&table).unwrap();
        let inputs: Vec<[f32; 2]> =
            (0..6).map(|row| data.features().row(row).try_into().unwrap()).collect();
        // The median, 3, and a missing number are both 0, and told apart by the indicator.
        assert_eq!((inputs[2], inputs[3]), ([0.0, 1.0], [0.0, 0.0]), "{scale:?}");
        assert!(inputs[0][0] < -0.7 && inputs[1][0] < -0.4 && inputs[4][0] > 0.4, "{inputs:?}");
        assert!((2.9..5.3).contains(&inputs[5][0]), "{inputs:?}");
        assert_eq!(data.targets(), plain.encode(&table).unwrap().targets());
        // What is far from all that was learned is far on any scale.
        let far = super::table("x\n2\n1e9\n");
        assert_eq!(encoder.beyond(&far, 100.0).unwrap(), [("x", 1)]);
        let json = serde_json::to_string(&encoder).unwrap();
        assert_eq!(serde_json::from_str::<Encoder>(&json).unwrap(), encoder);
    }
    let old = serde_json::to_string(&plain).unwrap();
    assert!(!old.contains("\"scale\""), "{old}");
    let neither = EncoderOptions { standardize: false, scale: Scale::Robust, rare: 1 };
    let error = fit(neither).unwrap_err().to_string();
    assert!(error.starts_with("numbers cannot be both left as they are and brought to"), "{error}");
}
