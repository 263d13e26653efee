//! Exported models against onnxruntime: penguins with missing cells and an island that training
//! never saw, trained for a few steps, with every activation and every loss.

use crate::python;
use crate::support::gpu;
use awl::tables::{
    EncoderOptions, Predicted, Scale, TargetColumn, TargetEncoding, TargetSpec, Transform,
};
use awl::train::Ensemble;
use awl::{
    Activation, Adam, AutomaticWeightedLoss, Encoder, Engine, GpuEngine, Loss, Network, Recipe,
    Table, Trainer, export,
};
use pollster::block_on;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

const PENGUINS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/penguins/penguins.csv");

const ACTIVATIONS: [(&str, Activation); 4] = [
    ("relu", Activation::Relu),
    ("tanh", Activation::Tanh),
    ("gelu", Activation::Gelu),
    ("silu", Activation::Silu),
];

/// The penguins with two columns of seconds since 1970, which `f32` cannot tell apart, and more cells missing.
fn penguins() -> String {
    let file = std::fs::read_to_string(PENGUINS).expect("the penguins");
    let mut lines = file.lines();
    let mut csv = format!(
        "{},seen,hatched,ringed,price,rain,rank,tally,eggs\n",
        lines.next().expect("a header")
    );
    for (row, line) in lines.enumerate() {
        let mut cells: Vec<String> = line.split(',').map(Into::into).collect();
        // The year is missing only where training does not see it: there it becomes the mean, with no indicator.
        if cells[1] == "Dream" && row % 13 == 0 {
            cells[7] = "NA".into();
        }
        if row % 17 == 0 {
            cells[1] = String::new();
        }
        let seen = 1_700_000_000 + 37 * row;
        let (hatched, ringed) = (seen - 100 * (row % 7), ["left", "right"][row % 3 % 2]);
        let (price, rain) = (50.0 * 1.01_f64.powi(row as i32), (row % 5 * row) as f64 / 10.0);
        let (rank, eggs) = ((row * 7919 % 1000).pow(2), row % 4);
        csv += &format!(
            "{},{seen},{hatched},{ringed},{price},{rain},{rank},{},{eggs}\n",
            cells.join(","),
            row * row % 101
        );
    }
    csv
}

fn train(
    training: &Table,
    activation: Activation,
    options: EncoderOptions,
) -> (Encoder, Network, Trainer<GpuEngine>) {
    let features = ["bill_length_mm", "island", "year", "seen"];
    let smoothed = Loss::CrossEntropy { label_smoothing: 0.1, class_weights: None };
    let targets = [
        TargetSpec::new("species").with_loss(smoothed),
        TargetSpec::of_columns("traits", &["sex", "ringed"]).with_loss(Loss::Bce),
        TargetSpec::new("body_mass_g").with_loss(Loss::Mse),
        TargetSpec::of_columns("shape", &["flipper_length_mm", "bill_depth_mm"])
            .with_loss(Loss::GaussianNll { beta: 0.5 }),
        TargetSpec::new("hatched").with_loss(Loss::Mae),
        TargetSpec::new("price").with_loss(Loss::Mse).with_transform(Transform::Log),
        TargetSpec::new("rain").with_loss(Loss::Mse).with_transform(Transform::Log1p),
        TargetSpec::of_columns("ranks", &["rank", "tally"])
            .with_loss(Loss::Quantile { quantile: 0.6 })
            .with_transform(Transform::Quantile),
        TargetSpec::new("eggs").with_loss(Loss::Poisson),
    ];
    let encoder = Encoder::fit_with(training, &features, &targets, options);
    let encoder = encoder.expect("an encoder");
    let network = Network::new(encoder.features(), &[16, 12], activation, &encoder.tasks());
    let network = network.expect("a network");
    let recipe =
        Recipe::new(network.clone(), AutomaticWeightedLoss::new(targets.len()), Adam::new(0.01));
    let data = encoder.encode(training).expect("a dataset");
    let engine = block_on(GpuEngine::fused(gpu(), recipe, &data)).expect("an engine");
    let mut trainer = Trainer::new(engine);
    block_on(trainer.epochs(20)).expect("20 epochs");
    (encoder, network, trainer)
}

/// Every output of a task as tests/check_onnx.py compares it: what the engine's predictions mean.
fn expect(outputs: &mut Map<String, Value>, target: &TargetColumn, predictions: &[Vec<f32>]) {
    let task = &target.name;
    let each =
        |f: &dyn Fn(&[f32]) -> Value| -> Value { predictions.iter().map(|row| f(row)).collect() };
    let labels_or_numbers = each(&|row| {
        let decoded = target.decode(row).expect("finite predictions");
        let value = |predicted: &Predicted| match predicted {
            Predicted::Class(name) => json!(name),
            Predicted::Number(number) => json!(number),
        };
        decoded.iter().map(value).collect()
    });
    if let TargetEncoding::Numbers(scalings) = &target.encoding {
        let scale: Vec<f64> = scalings
            .iter()
            .enumerate()
            .map(|(column, it)| it.unit().unwrap_or_else(|| spread(target, column, predictions)))
            .collect();
        if target.loss.predicts_noise() {
            let sd = each(&|row| {
                let scales = row[scale.len()..].iter().zip(&scale);
                let variance = |s: f32| target.loss.noise_variance(s.into()).expect("a noise");
                scales.map(|(&s, unit)| json!(unit * variance(s).sqrt())).collect()
            });
            outputs.insert(format!("{task}.sd"), json!({ "scale": scale, "values": sd }));
        }
        outputs.insert(task.clone(), json!({ "scale": scale, "values": labels_or_numbers }));
        return;
    }
    let probabilities = each(&|row| json!(target.probabilities(row).expect("finite predictions")));
    let probabilities = json!({ "scale": 1.0, "values": probabilities });
    outputs.insert(format!("{task}.probabilities"), probabilities);
    outputs.insert(format!("{task}.label"), json!({ "scale": 1.0, "values": labels_or_numbers }));
}

/// The largest answer: what a column on a curve is judged relative to.
fn spread(target: &TargetColumn, column: usize, predictions: &[Vec<f32>]) -> f64 {
    let encoding = &target.encoding.numbers()[column];
    predictions.iter().map(|row| encoding.restore(row[column].into()).abs()).fold(0.0, f64::max)
}

/// Writes model, table and what is expected of them, and returns the directory.
///
/// Of several networks each is the one before it, three epochs later.
fn export_to(
    directory: PathBuf,
    activation: Activation,
    options: EncoderOptions,
    members: usize,
) -> PathBuf {
    let csv = penguins();
    let table = Table::from_csv("penguins", csv.as_bytes()).expect("a table");
    let island = table.column("island").expect("the islands");
    let known = |&row: &usize| island.text(row).is_none_or(|island| island != "Dream");
    let training = table.select(&(0..table.rows()).filter(known).collect::<Vec<_>>());
    let (encoder, network, mut trainer) = train(&training, activation, options);

    let features = encoder.encode_features(&table).expect("features");
    let mut others = encoder.unseen(&table).expect("the features");
    others.extend(encoder.rare(&table).expect("the features"));
    assert!(matches!(others[..], [("island", 100..)]), "{others:?}");
    let (mut together, mut parameters) = (Ensemble::new(&network), Vec::new());
    for member in 0..members {
        if member > 0 {
            block_on(trainer.epochs(3)).expect("epochs");
        }
        let own = block_on(trainer.engine().predict(&features)).expect("predictions");
        together.add(&own).expect("predictions");
        parameters.push(block_on(trainer.engine().state()).expect("a state").parameters);
    }
    let predictions = together.predictions().expect("predictions");
    let mut outputs = Map::new();
    for (target, offset) in encoder.targets().iter().zip(network.offsets()) {
        let own = |row| predictions.row(row)[offset..offset + target.outputs()].to_vec();
        let own: Vec<Vec<f32>> = (0..table.rows()).map(own).collect();
        expect(&mut outputs, target, &own);
    }
    let model = export::onnx_ensemble(&encoder, &network, &parameters).expect("a model");
    std::fs::create_dir_all(&directory).expect("a directory");
    let write = |name: &str, bytes: &[u8]| std::fs::write(directory.join(name), bytes).expect(name);
    write("model.onnx", &model);
    write("data.csv", csv.as_bytes());
    write("expected.json", Value::Object(outputs).to_string().as_bytes());
    directory
}

#[test]
fn onnxruntime_predicts_what_the_engine_predicts() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("onnx");
    let activations = ACTIVATIONS.map(|(name, activation)| {
        export_to(target.join(name), activation, EncoderOptions::default(), 1)
    });
    let several = target.join("several");
    let several = export_to(several, Activation::Silu, EncoderOptions::default(), 3);
    // Torgersen has 52 rows, and is rare among 60.
    let robust = EncoderOptions { scale: Scale::Robust, rare: 60, ..Default::default() };
    let quantile = EncoderOptions { scale: Scale::Quantile, ..Default::default() };
    let scales = [("robust", robust), ("quantile", quantile)]
        .map(|(name, options)| export_to(target.join(name), Activation::Relu, options, 1));
    let directories = [&activations[..], &scales, &[several]].concat();
    if python::has("onnxruntime", "numpy, onnx, onnxruntime") {
        python::judge("check_onnx.py", &directories);
    }
}
