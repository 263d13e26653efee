//! Models to be exported: any encoder and network, of any numbers under any names.

use super::choices::Choices;
use awl::tables::{EncoderOptions, Scale, TargetSpec, Transform};
use awl::{Activation, Encoder, Loss, Network, Table, export};
use prost::Message;
use proto::ModelProto;
use std::collections::HashSet;

#[allow(dead_code)]
#[path = "../../../src/export/proto.rs"]
mod proto;

/// Exports a model that the bytes choose, and checks the file: that it is one, that every value is made once and before it is used, and
/// that every tensor is as long as it says.
pub fn onnx(bytes: &[u8]) {
    let mut choices = Choices(bytes);
    let Some((encoder, network)) = model(&mut choices) else { return };
    let members = 1 + choices.below(3);
    let parameters: Vec<Vec<f64>> = (0..members)
        .map(|_| (0..network.parameter_count()).map(|_| choices.number()).collect())
        .collect();
    let Ok(bytes) = export::onnx_ensemble(&encoder, &network, &parameters) else { return };
    let read = ModelProto::decode(&bytes[..]).map_err(|error| error.to_string());
    assert_eq!(read.as_ref().map(Message::encode_to_vec), Ok(bytes), "it is read as another");
    check(&read.unwrap_or_default());
}

fn check(model: &ModelProto) {
    let graph = model.graph.clone().unwrap_or_default();
    let mut known = HashSet::new();
    let inputs = graph.input.iter().map(|it| &it.name);
    for name in inputs.chain(graph.initializer.iter().map(|it| &it.name)) {
        assert!(!name.is_empty() && known.insert(name.clone()), "\"{name}\" is there twice");
    }
    for tensor in &graph.initializer {
        let values: i64 = tensor.dims.iter().product();
        let size = if tensor.data_type == proto::data_type::FLOAT { 4 } else { 8 };
        let bytes = tensor.raw_data.as_ref().map_or(0, Vec::len);
        assert_eq!(values as usize * size, bytes, "{}", tensor.name);
    }
    for node in &graph.node {
        for input in &node.input {
            assert!(known.contains(input), "{}: \"{input}\" is not made yet", node.name);
        }
        for output in &node.output {
            assert!(known.insert(output.clone()), "{}: \"{output}\" is made twice", node.name);
        }
    }
    for output in &graph.output {
        assert!(known.contains(&output.name), "the output \"{}\" is never made", output.name);
    }
}

/// An encoder fitted on a table of some columns, and a network for it.
fn model(choices: &mut Choices<'_>) -> Option<(Encoder, Network)> {
    let (rows, columns) = (2 + choices.below(6), 2 + choices.below(4));
    let names: Vec<String> = (0..columns).map(|_| choices.text()).collect();
    let mut text = line(&names);
    let kinds: Vec<bool> = (0..columns).map(|_| choices.below(2) == 0).collect();
    for _ in 0..rows {
        let cells = kinds.iter().map(|is_number| match is_number {
            true => choices.number().to_string(),
            false => choices.text(),
        });
        text += &line(&cells.collect::<Vec<_>>());
    }
    let table = Table::from_csv("a table", text.as_bytes()).ok()?;
    let tasks = 1 + choices.below(table.names().len().saturating_sub(1).max(1));
    let (features, targets) = table.names().split_at(table.names().len().checked_sub(tasks)?);
    let specs: Vec<TargetSpec> = targets.iter().map(|name| target(choices, name)).collect();
    let options = EncoderOptions {
        standardize: choices.below(4) > 0,
        scale: choices.one_of(&[Scale::Standard, Scale::Robust, Scale::Quantile]),
        rare: 1 + choices.below(2),
    };
    let encoder = Encoder::fit_with(&table, features, &specs, options).ok()?;
    let hidden: Vec<usize> = (0..choices.below(3)).map(|_| 1 + choices.below(4)).collect();
    let activation =
        choices.one_of(&[Activation::Relu, Activation::Tanh, Activation::Gelu, Activation::Silu]);
    let network = Network::new(encoder.features(), &hidden, activation, &encoder.tasks()).ok()?;
    Some((encoder, network))
}

fn target(choices: &mut Choices<'_>, name: &str) -> TargetSpec {
    let spec = TargetSpec::new(name).with_transform(choices.one_of(&[
        Transform::None,
        Transform::None,
        Transform::Log,
        Transform::Log1p,
        Transform::Quantile,
    ]));
    match choices.below(8) {
        0 => spec.with_loss(Loss::Mse),
        1 => spec.with_loss(Loss::cross_entropy()),
        2 => spec.with_loss(Loss::Bce),
        3 => spec.with_loss(Loss::Poisson),
        4 => spec.with_loss(Loss::GaussianNll { beta: 0.5 }),
        5 => spec.with_loss(Loss::LaplaceNll),
        _ => spec,
    }
}

/// A line of a table, every cell in quotes.
fn line(cells: &[String]) -> String {
    let quoted = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
    quoted.collect::<Vec<_>>().join(",") + "\n"
}
