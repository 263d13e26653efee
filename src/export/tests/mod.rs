//! Exported models: what they say, by an interpreter of their operators, against the reference engine; how they look
//! from outside; and what is refused. `tests/truth/onnx.rs` holds them against onnxruntime, where it is installed.

mod interpreter;
mod normal;
mod refused;
mod thresholds;

use self::interpreter::{Grid, Value, evaluate};
use super::proto::{Extent, GraphProto, ModelProto, ValueInfoProto};
use super::{onnx, onnx_ensemble};
use crate::engine::{Engine, Reference};
use crate::tables::{Column, EncoderOptions, Scale, TargetColumn, TargetEncoding, TargetSpec};
use crate::train::Ensemble;
use crate::{Activation, Adam, Encoder, Error, Loss, Matrix, Network, Recipe, Table, Weighting};
use pollster::block_on;
use prost::Message;
use std::collections::HashMap;

/// Numbers with and without a missing cell, some that `f32` cannot hold; text; targets of every loss.
const TRAINING: &str = "\
length,year,seen,island,born,kind,tame,ringed,weight,wing,tail,hatched,claw,beak,span
38,2007,1700000000,Dream,2020.1,owl,no,a,500,30.5,11,1690000000,3,7,95
54,2008,1700003600,Biscoe,2021.4,hawk,no,b,1100,51,23,1690000100,4,9,120
NA,2008,1700001200,Dream,2020.7,rook,yes,b,420,29,17,1690000900,2.5,8,81
40,2009,1700007777,Skua,NA,owl,yes,a,610,33,10,1690000500,3,6,99
";

/// A missing cell in every column, a text that is no category, and columns in another order.
const OTHER: &str = "\
island,born,year,length,seen
Torgersen,2020.25,2007,44,1700000000
Biscoe,NA,2008,NA,1700009999
NA,2021.5,NA,30.25,NA
Skua,2020,2010,61,1700000001
";

const NUMBERS: [&str; 4] = ["length", "year", "seen", "born"];

fn trained() -> Encoder {
    trained_with(EncoderOptions::default())
}

fn trained_with(options: EncoderOptions) -> Encoder {
    let table = Table::from_csv("training", TRAINING.as_bytes()).unwrap();
    let features = ["length", "year", "seen", "island", "born"];
    let size = Loss::Huber { delta: 1.0 };
    let targets = [
        TargetSpec::new("kind").with_loss(Loss::cross_entropy()),
        TargetSpec::new("weight").with_loss(Loss::Mse),
        TargetSpec::of_columns("habits", &["tame", "ringed"]).with_loss(Loss::Bce),
        TargetSpec::of_columns("size", &["wing", "tail"]).with_loss(size),
        TargetSpec::new("hatched").with_loss(Loss::Mae),
        TargetSpec::of_columns("grip", &["claw", "beak"])
            .with_loss(Loss::GaussianNll { beta: 0.5 }),
        TargetSpec::new("span").with_loss(Loss::LaplaceNll),
    ];
    Encoder::fit_with(&table, &features, &targets, options).unwrap()
}

fn network(encoder: &Encoder, hidden: &[usize], activation: Activation) -> Network {
    Network::new(encoder.features(), hidden, activation, &encoder.tasks()).unwrap()
}

fn parameters(network: &Network) -> Vec<f64> {
    parameters_of(network, 7)
}

fn parameters_of(network: &Network, seed: u64) -> Vec<f64> {
    network.initial_parameters(seed).into_iter().map(f64::from).collect()
}

/// What the reference engine predicts for the other table, shape `[rows, outputs]`.
fn predicted(encoder: &Encoder, network: &Network) -> Vec<Vec<f32>> {
    let predictions = predictions_of(encoder, network, 7);
    (0..predictions.rows()).map(|row| predictions.row(row).to_vec()).collect()
}

/// The same of the network that this seed starts.
fn predictions_of(encoder: &Encoder, network: &Network, seed: u64) -> Matrix {
    let training = Table::from_csv("training", TRAINING.as_bytes()).unwrap();
    let other = Table::from_csv("other", OTHER.as_bytes()).unwrap();
    let weighting = Weighting::equal(network.tasks().len());
    let mut recipe = Recipe::new(network.clone(), weighting, Adam::new(0.1));
    recipe.seed = seed;
    let mut engine = Reference::new(recipe, encoder.encode(&training).unwrap()).unwrap();
    let features = encoder.encode_features(&other).unwrap();
    block_on(engine.predict(&features)).unwrap()
}

/// The other table's columns as the model takes them.
fn inputs() -> HashMap<String, Value> {
    let table = Table::from_csv("other", OTHER.as_bytes()).unwrap();
    let input = |(name, column): (&String, Column<'_>)| {
        let cells = (0..table.rows()).map(|row| column.text(row).unwrap_or_default().into_owned());
        let value = if NUMBERS.contains(&name.as_str()) {
            let cells = cells.map(|cell| cell.parse().unwrap_or(f64::NAN)).collect();
            Value::Numbers(Grid { columns: 1, cells })
        } else {
            Value::Texts(Grid { columns: 1, cells: cells.collect() })
        };
        (name.clone(), value)
    };
    table.names().iter().zip(table.columns()).map(input).collect()
}

#[test]
fn a_model_says_what_the_engine_predicts() {
    for options in [
        EncoderOptions::default(),
        // Dream alone has two rows.
        EncoderOptions { rare: 2, ..Default::default() },
        EncoderOptions { scale: Scale::Robust, ..Default::default() },
        EncoderOptions { scale: Scale::Quantile, ..Default::default() },
    ] {
        assert_predicts_like_the_engine(&trained_with(options));
    }
}

#[test]
fn networks_together_say_what_the_ensemble_says() {
    for noisy in [Loss::GaussianNll { beta: 0.0 }, Loss::LaplaceNll] {
        assert_together(&trained_for_members(noisy));
    }
}

fn assert_together(encoder: &Encoder) {
    let network = network(encoder, &[5], Activation::Tanh);
    let seeds = [7, 8, 9];
    let members: Vec<Vec<f64>> = seeds.iter().map(|&seed| parameters_of(&network, seed)).collect();
    let file = onnx_ensemble(encoder, &network, &members).unwrap();
    let model = ModelProto::decode(&file[..]).unwrap();
    let values = evaluate(&model, inputs());
    let mut ensemble = Ensemble::new(&network);
    for seed in seeds {
        ensemble.add(&predictions_of(encoder, &network, seed)).unwrap();
    }
    let together = ensemble.predictions().unwrap();
    for (target, offset) in encoder.targets().iter().zip(network.offsets()) {
        for row in 0..together.rows() {
            let own = &together.row(row)[offset..offset + target.outputs()];
            assert_says(&format!("row {row}"), &values, row, target, own);
        }
    }
    let notes: Vec<&str> = model.metadata_props.iter().map(|it| it.key.as_str()).collect();
    assert_eq!(notes, ["tasks", "members"]);
    let tensors = model.graph.unwrap().initializer;
    assert!(tensors.iter().any(|tensor| tensor.name == "members.2.heads.kind.bias"));
    let one = onnx_ensemble(encoder, &network, &members[..1]).unwrap();
    assert!(one == onnx(encoder, &network, &members[0]).unwrap());
    assert!(onnx_ensemble(encoder, &network, &[] as &[Vec<f64>]).is_err());
}

/// Targets of every loss, and a count.
fn trained_for_members(noisy: Loss) -> Encoder {
    let table = Table::from_csv("training", TRAINING.as_bytes()).unwrap();
    let features = ["length", "year", "seen", "island", "born"];
    let targets = [
        TargetSpec::new("kind").with_loss(Loss::cross_entropy()),
        TargetSpec::new("weight").with_loss(Loss::Mse),
        TargetSpec::of_columns("habits", &["tame", "ringed"]).with_loss(Loss::Bce),
        TargetSpec::of_columns("size", &["wing", "tail"]).with_loss(Loss::Poisson),
        TargetSpec::new("hatched").with_loss(noisy),
    ];
    Encoder::fit_with(&table, &features, &targets, EncoderOptions::default()).unwrap()
}

fn assert_predicts_like_the_engine(encoder: &Encoder) {
    for hidden in [&[][..], &[5, 4]] {
        for activation in [Activation::Relu, Activation::Tanh, Activation::Gelu, Activation::Silu] {
            let network = network(encoder, hidden, activation);
            let file = onnx(encoder, &network, &parameters(&network)).unwrap();
            let values = evaluate(&ModelProto::decode(&file[..]).unwrap(), inputs());
            let predictions = predicted(encoder, &network);
            for (target, offset) in encoder.targets().iter().zip(network.offsets()) {
                let own = predictions.iter().map(|row| &row[offset..offset + target.outputs()]);
                for (row, predictions) in own.enumerate() {
                    let what = format!("{activation:?} after {hidden:?}, row {row}");
                    assert_says(&what, &values, row, target, predictions);
                }
            }
        }
    }
}

/// Checks a row of a task's outputs against what the engine's predictions mean.
fn assert_says(
    what: &str,
    values: &HashMap<String, Value>,
    row: usize,
    target: &TargetColumn,
    predictions: &[f32],
) {
    let task = &target.name;
    let close = |output: &str, expected: &[f64], scale: &dyn Fn(usize) -> f64| {
        let found = values[output].numbers().row(row);
        assert_eq!(found.len(), expected.len(), "{what}, {output}");
        for (column, (found, expected)) in found.iter().zip(expected).enumerate() {
            let error = (found - expected).abs() / scale(column);
            assert!(error < 1e-6, "{what}, {output}: {found} for {expected}, off by {error:e}");
        }
    };
    if let TargetEncoding::Numbers(scalings) = &target.encoding {
        let pairs = scalings.iter().zip(predictions);
        let numbers: Vec<f64> = pairs.map(|(scaling, &z)| scaling.restore(z.into())).collect();
        close(task, &numbers, &|column| scalings[column].scaling.std);
        if target.loss.predicts_noise() {
            let scales = scalings.iter().zip(&predictions[scalings.len()..]);
            let sd = scales.map(|(it, &s)| {
                it.scaling.std * target.loss.noise_variance(s.into()).unwrap().sqrt()
            });
            let sd: Vec<f64> = sd.collect();
            close(&format!("{task}.sd"), &sd, &|column| sd[column]);
        }
        return;
    }
    let probabilities = target.probabilities(predictions).unwrap();
    close(&format!("{task}.probabilities"), &probabilities, &|_| 1.0);
    let labels = values[&format!("{task}.label")].texts().row(row);
    let decoded: Vec<String> =
        target.decode(predictions).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(labels, decoded, "{what}, {task}");
}

fn exported() -> ModelProto {
    let encoder = trained();
    let network = network(&encoder, &[5, 4], Activation::Silu);
    let file = onnx(&encoder, &network, &parameters(&network)).unwrap();
    ModelProto::decode(&file[..]).unwrap()
}

/// Name, element type and columns of inputs or outputs, all of which have a row a row of the table.
fn shapes(values: &[ValueInfoProto]) -> Vec<(&str, i32, i64)> {
    let shape = |value: &'_ ValueInfoProto| {
        let tensor = value.r#type.clone().unwrap().tensor_type.unwrap();
        let dims: Vec<_> =
            tensor.shape.unwrap().dim.into_iter().map(|d| d.value.unwrap()).collect();
        let [Extent::Param(rows), Extent::Value(columns)] = &dims[..] else { panic!("{dims:?}") };
        assert_eq!(rows, "rows");
        (tensor.elem_type, *columns)
    };
    values.iter().map(|value| (value.name.as_str(), shape(value).0, shape(value).1)).collect()
}

#[test]
fn a_model_has_an_input_a_column_and_its_outputs_by_task() {
    let GraphProto { input, output, .. } = exported().graph.unwrap();
    // `TensorProto.DataType` in onnx.proto.
    let (float, text, double) = (1, 8, 11);
    assert_eq!(
        shapes(&input),
        [
            ("length", float, 1),
            ("year", double, 1),
            ("seen", double, 1),
            ("island", text, 1),
            ("born", double, 1)
        ]
    );
    assert_eq!(
        shapes(&output),
        [
            ("kind.probabilities", float, 3),
            ("kind.label", text, 1),
            ("weight", float, 1),
            ("habits.probabilities", float, 2),
            ("habits.label", text, 2),
            ("size", float, 2),
            ("hatched", double, 1),
            ("grip", float, 2),
            ("grip.sd", float, 2),
            ("span", float, 1),
            ("span.sd", float, 1),
        ]
    );
}

#[test]
fn a_model_says_who_made_it_and_what_its_tasks_are() {
    let model = exported();
    assert_eq!(model.producer_name, "awl");
    assert_eq!(model.producer_version, env!("CARGO_PKG_VERSION"));
    let sets = model.opset_import.iter().map(|set| (set.domain.clone().unwrap(), set.version));
    assert_eq!(sets.collect::<Vec<_>>(), [(String::new(), 13), ("ai.onnx.ml".into(), 2)]);
    let [tasks] = &model.metadata_props[..] else { panic!("one entry") };
    assert_eq!(tasks.key, "tasks");
    let tasks: serde_json::Value = serde_json::from_str(&tasks.value).unwrap();
    let some = serde_json::json!([
        {
            "name": "kind", "loss": "cross_entropy", "columns": ["kind"],
            "classes": ["hawk", "owl", "rook"], "outputs": ["kind.probabilities", "kind.label"]
        },
        { "name": "weight", "loss": "mse", "columns": ["weight"], "classes": null, "outputs": ["weight"] },
        {
            "name": "habits", "loss": "bce", "columns": ["tame", "ringed"],
            "classes": [["no", "yes"], ["a", "b"]], "outputs": ["habits.probabilities", "habits.label"]
        },
    ]);
    assert_eq!(tasks.as_array().unwrap()[..3], some.as_array().unwrap()[..]);
}

#[test]
fn a_model_keeps_its_tensors_under_their_names_in_pytorch() {
    let graph = exported().graph.unwrap();
    let names = graph.initializer.iter().map(|tensor| tensor.name.as_str());
    let names: Vec<&str> = names.filter(|name| !name.starts_with('/')).collect();
    let network = network(&trained(), &[5, 4], Activation::Silu);
    let tensors = network.tensors();
    assert_eq!(names, tensors.iter().map(|tensor| tensor.name.as_str()).collect::<Vec<_>>());
    let weight = graph.initializer.iter().find(|tensor| tensor.name == "trunk.2.weight").unwrap();
    assert_eq!(weight.dims, [4, 5]);
    let floats = parameters(&network)[tensors[2].range.clone()].to_vec();
    let bytes: Vec<u8> = floats.iter().flat_map(|&value| (value as f32).to_le_bytes()).collect();
    assert_eq!(weight.raw_data.as_ref().unwrap(), &bytes);
}

/// Names that PyTorch cannot hold are changed in the tensors and in the nodes that use them, but not in the outputs.
#[test]
fn heads_have_their_keys_and_outputs_the_names_of_the_tasks() {
    let csv = "x,type,Petal.Width\n1,2,3\n2,4,5\n";
    let table = Table::from_csv("t", csv.as_bytes()).unwrap();
    let targets = [("type", Loss::Mse), ("Petal.Width", Loss::Mse)];
    let encoder = Encoder::fit(&table, &["x"], &targets).unwrap();
    let network = network(&encoder, &[3], Activation::Relu);
    let file = onnx(&encoder, &network, &parameters(&network)).unwrap();
    let graph = ModelProto::decode(&*file).unwrap().graph.unwrap();
    let heads: Vec<&[String]> = graph
        .node
        .iter()
        .filter(|node| node.op_type == "Gemm" && node.output[0].starts_with("/heads"))
        .map(|node| &node.input[1..])
        .collect();
    let expected = ["type_", "Petal_Width"]
        .map(|key| ["weight", "bias"].map(|tensor| format!("heads.{key}.{tensor}")));
    assert_eq!(heads, expected);
    for name in expected.as_flattened() {
        assert!(graph.initializer.iter().any(|tensor| tensor.name == *name), "{name}");
    }
    let outputs: Vec<&str> = graph.output.iter().map(|output| output.name.as_str()).collect();
    assert_eq!(outputs, ["type", "Petal.Width"]);
}

/// What becomes of a model from one column of numbers to these targets.
fn from_one_column(column: &str, targets: &[(&str, Loss)]) -> Error {
    let names: Vec<&str> = targets.iter().map(|(name, _)| *name).collect();
    let cells = |cell: &str| vec![cell; names.len()].join(",");
    let csv = format!("{column},{}\n1,{}\n2,{}\n", names.join(","), cells("0"), cells("1"));
    let table = Table::from_csv("t", csv.as_bytes()).unwrap();
    let encoder = Encoder::fit(&table, &[column], targets).unwrap();
    let network = network(&encoder, &[3], Activation::Gelu);
    onnx(&encoder, &network, &parameters(&network)).unwrap_err()
}

#[test]
fn names_that_the_model_needs_for_two_things_are_refused() {
    let [mse, bce] = [Loss::Mse, Loss::Bce];
    let (one, two) = ([("a", bce.clone())], [("a", bce), ("a.label", mse)]);
    for (column, targets, what) in [
        ("a.label", &one[..], "\"a.label\" would be the name of both an input and an output"),
        ("trunk.0.bias", &one, "\"trunk.0.bias\" would be the name of both an input and a tensor"),
        ("/trunk.1", &one, "\"/trunk.1\" would be the name of both an input and an inner value"),
        ("/half", &one, "\"/half\" would be the name of both an input and a tensor"),
        ("x", &two, "\"a.label\" would be the name of two outputs"),
    ] {
        let message = from_one_column(column, targets).to_string();
        let expected =
            format!("{what} of the ONNX model: rename the column or the task, and train again");
        assert_eq!(message, expected, "{column}");
    }
}
