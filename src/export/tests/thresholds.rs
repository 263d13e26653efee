//! Models that answer by thresholds.

use super::*;

/// The rows' probabilities lie on both sides of these thresholds, and of one half too.
#[test]
fn a_model_answers_by_its_thresholds() {
    let features = ["length", "year", "seen", "island", "born"];
    let targets = [
        TargetSpec::of_columns("habits", &["tame", "ringed"]).with_loss(Loss::Bce),
        TargetSpec::new("sex").with_loss(Loss::cross_entropy()),
    ];
    let text = TRAINING.lines().enumerate().map(|(line, row)| match line {
        0 => format!("{row},sex\n"),
        line => format!("{row},{}\n", ["f", "m"][line % 2]),
    });
    let text: String = text.collect();
    let table = Table::from_csv("training", text.as_bytes()).unwrap();
    let plain = Encoder::fit_with(&table, &features, &targets, EncoderOptions::default()).unwrap();
    let network = network(&plain, &[5], Activation::Tanh);
    let other = Table::from_csv("other", OTHER.as_bytes()).unwrap();
    let mut recipe = Recipe::new(network.clone(), Weighting::equal(2), Adam::new(0.1));
    recipe.seed = 7;
    let mut engine = Reference::new(recipe, plain.encode(&table).unwrap()).unwrap();
    let predictions = block_on(engine.predict(&plain.encode_features(&other).unwrap())).unwrap();
    // Midway between the lowest two probabilities of every column.
    let middle = |task: usize, column: usize| {
        let target = &plain.targets()[task];
        let own = |row: usize| &predictions.row(row)[network.offsets()[task]..][..target.outputs()];
        let of = |row: usize| target.probabilities(own(row)).unwrap();
        let mut all: Vec<f64> = (0..other.rows()).map(|row| of(row)[column]).collect();
        all.sort_by(f64::total_cmp);
        0.5 * (all[0] + all[1])
    };
    let thresholds = [middle(0, 0), middle(0, 1), middle(1, 1)];
    let encoder = plain.clone().with_thresholds("habits", thresholds[..2].to_vec()).unwrap();
    let encoder = encoder.with_thresholds("sex", thresholds[2..].to_vec()).unwrap();
    let file = onnx(&encoder, &network, &parameters(&network)).unwrap();
    let model = ModelProto::decode(&file[..]).unwrap();
    let values = evaluate(&model, inputs());
    for (target, offset) in encoder.targets().iter().zip(network.offsets()) {
        for row in 0..other.rows() {
            let own = &predictions.row(row)[offset..][..target.outputs()];
            assert_says(&format!("row {row}"), &values, row, target, own);
        }
    }
    // All rows but one.
    let labels = values["sex.label"].texts();
    assert_eq!((0..other.rows()).filter(|&row| labels.row(row)[0] == "m").count(), 3);
    let tasks: serde_json::Value = serde_json::from_str(&model.metadata_props[0].value).unwrap();
    assert_eq!(tasks[1]["thresholds"], serde_json::json!([thresholds[2]]));
}
