//! Texts of few training rows, which share an input.

use super::*;

fn fit(table: &Table, rare: usize) -> Result<Encoder> {
    let options = EncoderOptions { rare, ..Default::default() };
    let specs = [TargetSpec::new("y").with_loss(Loss::Mse)];
    Encoder::fit_with(table, &["c"], &specs, options)
}

/// A row a text, in this order.
fn of_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Table {
    let rows = texts.into_iter().enumerate().map(|(row, text)| format!("{text},{row}\n"));
    table(&format!("c,y\n{}", rows.collect::<String>()))
}

#[test]
fn texts_of_few_rows_share_an_input_with_those_never_seen() {
    let training = of_texts(["a", "b", "d", "a", "e", "NA", "b", "a"]);
    for (rare, names, left) in [
        (1, &["c=a", "c=b", "c=d", "c=e"][..], None),
        (2, &["c=a", "c=b", "c=rare"], Some((2, 2))),
        (3, &["c=a", "c=rare"], Some((3, 4))),
        // A missing cell is no text: the only input says whether there is one.
        (4, &["c=rare"], Some((4, 7))),
    ] {
        let encoder = fit(&training, rare).unwrap();
        assert_eq!(encoder.feature_names(), names, "{rare}");
        let found = encoder.feature_columns()[0].rare();
        assert_eq!(found.map(|it| (it.categories, it.rows)), left, "{rare}");
    }
    let encoder = fit(&training, 2).unwrap();
    let later = of_texts(["b", "e", "new", "NA", "a"]);
    let inputs = encoder.encode_features(&later).unwrap();
    let expected = [[0., 1., 0.], [0., 0., 1.], [0., 0., 1.], [0., 0., 0.], [1., 0., 0.]];
    assert_eq!(inputs.values(), expected.concat());
    assert_eq!(encoder.rare(&later).unwrap(), [("c", 2)]);
    assert_eq!(encoder.unseen(&later).unwrap(), []);
    // Without rare ones, what was never seen is none of the known.
    let encoder = fit(&training, 1).unwrap();
    assert_eq!(encoder.encode_features(&of_texts(["new"])).unwrap().values(), [0.0; 4]);
    assert_eq!(encoder.unseen(&later).unwrap(), [("c", 1)]);
    assert_eq!(encoder.rare(&later).unwrap(), []);
}

#[test]
fn of_too_many_texts_the_most_frequent_have_inputs() {
    let names: Vec<String> = (0..1_100).map(|it| format!("n{it:04}")).collect();
    // Those of the last 300 have two rows.
    let twice = names.iter().enumerate().filter(|(it, _)| *it >= 800).map(|(_, name)| name);
    let training = of_texts(names.iter().chain(twice).map(String::as_str));
    let encoder = fit(&training, 1).unwrap();
    let inputs = encoder.feature_names();
    assert_eq!(inputs.len(), 1_025);
    // 300 of two rows, and of the others the first 724.
    let kept = names[..724].iter().chain(&names[800..]).map(|name| format!("c={name}"));
    assert!(inputs.iter().eq(kept.chain(["c=rare".into()]).collect::<Vec<_>>().iter()));
    let rare = encoder.feature_columns()[0].rare().unwrap();
    assert_eq!((rare.categories, rare.rows), (76, 76));
    // With 2, the limit is not met.
    let encoder = fit(&training, 2).unwrap();
    assert_eq!(encoder.features(), 301);
    assert_eq!(encoder.feature_columns()[0].rare().map(|it| it.categories), Some(800));
}

/// The 1,024 that there may be need not share.
#[test]
fn as_many_texts_as_there_may_be_are_kept_apart() {
    let names: Vec<String> = (0..1_024).map(|it| it.to_string() + "x").collect();
    let encoder = fit(&of_texts(names.iter().map(String::as_str)), 1).unwrap();
    assert_eq!((encoder.features(), encoder.feature_columns()[0].rare()), (1_024, None));
}

#[test]
fn a_feature_of_nothing_but_rare_texts_says_nothing() {
    let ids = table("c,x,y\nk1,1,1\nk2,2,2\nk3,4,3\n");
    let error = fit(&ids, 2).unwrap_err().to_string();
    let message = "t.csv: nothing can be learned from \"c\": no text there is in 2 training rows or more: name other \
                   features, or keep rare texts apart (--rare 1; in Rust, EncoderOptions::rare)";
    assert_eq!(error, message);
    let options = EncoderOptions { rare: 2, ..Default::default() };
    let specs = [TargetSpec::new("y").with_loss(Loss::Mse)];
    let encoder = Encoder::fit_with(&ids, &["c", "x"], &specs, options).unwrap();
    assert_eq!((encoder.constant(), encoder.feature_names()), (vec!["c"], vec!["x".to_string()]));
}

/// Where only yes and no have an input, they are found in any capitals, be they rare ones of the training part.
#[test]
fn what_is_left_is_counted_as_it_is_encoded() {
    let training = of_texts(["yes", "no", "yes", "YES", "no", "maybe"]);
    let encoder = fit(&training, 2).unwrap();
    assert_eq!(encoder.feature_names(), ["c=no", "c=yes", "c=rare"]);
    let rare = encoder.feature_columns()[0].rare().unwrap();
    assert_eq!((rare.categories, rare.rows), (1, 1));
    let inputs = encoder.encode_features(&training).unwrap();
    let sums = [0, 1, 2].map(|at| (0..6).map(|row| inputs.row(row)[at]).sum::<f32>());
    assert_eq!(sums, [2.0, 3.0, 1.0]);
}

#[test]
fn classes_are_never_rare() {
    let training = table("x,k,y\n1,owl,1\n2,owl,2\n3,hawk,3\n4,owl,4\n");
    let options = EncoderOptions { rare: 3, ..Default::default() };
    let specs = [TargetSpec::new("k").with_loss(Loss::cross_entropy())];
    let encoder = Encoder::fit_with(&training, &["x"], &specs, options).unwrap();
    assert_eq!(encoder.target("k").unwrap().classes().unwrap(), ["hawk", "owl"]);
}

#[test]
fn an_encoder_from_before_there_were_rare_texts_means_what_it_meant() {
    let encoder = fit(&of_texts(["a", "b", "a", "d"]), 1).unwrap();
    let json = serde_json::to_value(&encoder).unwrap();
    let old = serde_json::json!({ "category": { "categories": ["a", "b", "d"] } });
    assert_eq!(json["features"][0]["encoding"], old);
    let encoder = fit(&of_texts(["a", "b", "a", "d"]), 2).unwrap();
    let json = serde_json::to_string(&encoder).unwrap();
    assert_eq!(serde_json::from_str::<Encoder>(&json).unwrap(), encoder);
}
