//! A trained model as a file for other programs: [ONNX](https://onnx.ai), from the table's raw columns to what every
//! task predicts.
//!
//! What comes in is an [`Encoder`], the [`Network`] for its tasks and that network's parameters; what goes out is
//! bytes. Knows nothing of engines, training or files.
//!
//! | file | what it makes |
//! |---|---|
//! | `inputs` | features from columns, an input a category |
//! | `numbers` | columns of numbers: scaled, imputed |
//! | `normal` | normal scores of ranks |
//! | `layers` | the network, its tensors under PyTorch's names |
//! | `together` | several networks' predictions as one |
//! | `outputs` | numbers in their columns' units, probabilities and classes |
//! | `graph` | nodes and values under names of their own |
//! | `proto` | the messages of an ONNX file |

mod graph;
mod inputs;
mod layers;
mod normal;
mod numbers;
mod outputs;
mod proto;
mod together;

use self::graph::Graph;
use self::proto::{IR_VERSION, ModelProto, OperatorSetIdProto, StringStringEntryProto};
use crate::error::{Error, Result};
use crate::network::Network;
use crate::tables::{Encoder, TargetColumn};
use prost::Message;
use serde_json::Value;

/// The operator sets of the model, chosen low so that old readers take it too.
const OPERATOR_SETS: [(&str, i64); 2] = [("", 13), (graph::ML, 2)];

/// What one file can hold: the most that a protobuf message may be.
const MOST_BYTES: usize = i32::MAX as usize;

/// A trained model as the bytes of an ONNX file.
///
/// # Inputs
/// One a feature column, under the column's name and of shape `[rows, 1]`, so that columns are matched by name and
/// not by an order that somebody has to remember; scikit-learn's exporter does the same for data frames.
///
/// | column | type | missing |
/// |---|---|---|
/// | numbers, in the column's unit | `float` | NaN |
/// | numbers of which a `float` would lose too much: far from 0 for how close together they are (mean over 16 standard deviations), say years, or the seconds since 1970; or too large or small; or on the scale `quantile` | `double` | NaN |
/// | text, as the table writes it, without spaces at either end | `string` | empty |
/// | what was the same in every training row | none, or, if it was sometimes missing, any `float` | NaN |
///
/// Standardisation (or another scale), imputation and categories are part of the model. A text that is no category of the training part
/// counts as missing, or as rare where some categories do.
///
/// # Outputs
/// Of each task, in the order of the tasks:
///
/// | losses | output | type and shape | what it is |
/// |---|---|---|---|
/// | `mse`, `mae`, `huber`, `quantile`, `poisson` | `<task>` | `float` (or `double`, as above, and where numbers are transformed) `[rows, columns]` | numbers in their columns' units |
/// | `bce` | `<task>.probabilities` | `float` `[rows, columns]` | of each column's second value |
/// | | `<task>.label` | `string` `[rows, columns]` | the likelier value |
/// | `cross_entropy` | `<task>.probabilities` | `float` `[rows, classes]` | of each class |
/// | | `<task>.label` | `string` `[rows, 1]` | the likeliest class |
///
/// The metadata's entry `tasks` is a JSON array that names each task with its loss, columns, classes and outputs.
/// The model's tensors have the names and shapes of [`Network::tensors`]. It needs operator set 13 and version 2 of
/// `ai.onnx.ml`, which onnxruntime has since version 1.6 (2020).
///
/// `parameters` are those of [`State::parameters`](crate::engine::State::parameters), which the model holds as
/// `float`.
///
/// ```
/// use awl::{Activation, Encoder, Loss, Network, Table, export};
/// let table = Table::from_csv("birds", "length,kind\n38,owl\n54,hawk\n40,owl\n".as_bytes())?;
/// let encoder = Encoder::fit(&table, &["length"], &[("kind", Loss::cross_entropy())])?;
/// let network = Network::new(encoder.features(), &[8], Activation::Relu, &encoder.tasks())?;
/// let parameters = network.initial_parameters(0); // of a trained model: from its state
/// let parameters: Vec<f64> = parameters.into_iter().map(f64::from).collect();
/// let file = export::onnx(&encoder, &network, &parameters)?;
/// assert!(file.len() > 4 * parameters.len());
/// # Ok::<(), awl::Error>(())
/// ```
///
/// # Errors
/// [`Error::Mismatch`] or [`Error::Invalid`] if encoder, network and parameters do not belong together. [`Error::Invalid`]
/// for a parameter that is not finite as a `float`; for a column or task whose name the model needs for
/// something else; for a model that exceeds the 2 GiB of one ONNX file.
pub fn onnx(encoder: &Encoder, network: &Network, parameters: &[f64]) -> Result<Vec<u8>> {
    onnx_ensemble(encoder, network, &[parameters])
}

/// Several trained networks as one ONNX file, which answers with all of them together, as [`Ensemble`](crate::train::Ensemble) does:
/// the mean number, on the scale that is learned, the mean expected count, the mean probability. `<task>.sd` of a loss that predicts
/// its own noise is then of noise and of what the networks differ by, together.
///
/// Inputs and outputs are those of [`onnx`], which this is for one network. The tensors of network 3 of several have the names of
/// [`Network::tensors`] with `members.3.` before them, and the metadata's entry `members` is how many there are.
///
/// # Errors
/// Those of [`onnx`], and [`Error::Invalid`] where there is no network.
pub fn onnx_ensemble(
    encoder: &Encoder,
    network: &Network,
    members: &[impl AsRef<[f64]>],
) -> Result<Vec<u8>> {
    if members.is_empty() {
        return Err(Error::invalid("there is no network to export", "give one at least"));
    }
    members.iter().try_for_each(|it| check_fit(encoder, network, it.as_ref(), members.len()))?;
    let mut graph = Graph::default();
    let features = inputs::features(&mut graph, encoder.feature_columns())?;
    let mut trunks = Vec::with_capacity(members.len());
    for (member, parameters) in members.iter().enumerate() {
        let prefix = prefix(member, members.len());
        layers::parameters(&mut graph, network, &prefix, parameters.as_ref())?;
        trunks.push(layers::trunk(&mut graph, network, &prefix, features.clone())?);
    }
    for (target, key) in encoder.targets().iter().zip(network.head_keys()) {
        let heads = trunks.iter().enumerate();
        let heads = heads.map(|(member, trunk)| {
            layers::head(&mut graph, &prefix(member, members.len()), &key, trunk)
        });
        let heads: Vec<String> = heads.collect::<Result<_>>()?;
        let head = together::together(&mut graph, target, &key, heads)?;
        outputs::outputs(&mut graph, target, &head)?;
    }
    let operator_set = |(domain, version): (&str, i64)| OperatorSetIdProto {
        domain: Some(domain.into()),
        version,
    };
    let tasks: Value = encoder.targets().iter().map(outputs::description).collect();
    let note = |key: &str, value: String| StringStringEntryProto { key: key.into(), value };
    let mut notes = vec![note("tasks", tasks.to_string())];
    if members.len() > 1 {
        notes.push(note("members", members.len().to_string()));
    }
    let model = ModelProto {
        ir_version: IR_VERSION,
        producer_name: "awl".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        doc_string: "From the columns of a table to what every task predicts".into(),
        graph: Some(graph.finish("awl")),
        opset_import: OPERATOR_SETS.map(operator_set).into(),
        metadata_props: notes,
    };
    match model.encoded_len() {
        bytes if bytes > MOST_BYTES => Err(too_large()),
        _ => Ok(model.encode_to_vec()),
    }
}

/// What stands before the names of a network's tensors: nothing where it is the only one.
fn prefix(member: usize, members: usize) -> String {
    if members == 1 { String::new() } else { format!("members.{member}.") }
}

/// Checks that the encoder makes the network's inputs, that its targets are the network's tasks, and that there is a
/// number for every parameter.
fn check_fit(
    encoder: &Encoder,
    network: &Network,
    parameters: &[f64],
    members: usize,
) -> Result<()> {
    let same = |(target, task): (&TargetColumn, &crate::Task)| {
        target.name == task.name && target.width() == task.width
    };
    let (targets, tasks) = (encoder.targets(), network.tasks());
    if targets.len() != tasks.len() || !targets.iter().zip(tasks).all(same) {
        return Err(Error::invalid(
            "the network's tasks are not those of the encoder",
            "make the network from Encoder::tasks, or take the encoder that it was trained with",
        ));
    }
    if network.parameter_count() > MOST_BYTES / size_of::<f32>() / members {
        return Err(too_large());
    }
    let (features, count) = (encoder.features(), network.parameter_count());
    for (what, unit, found, expected, why) in [
        ("the encoder", "inputs", features, network.features(), "the network's inputs"),
        ("the parameters", "entries", parameters.len(), count, "the network's tensors"),
    ] {
        if found != expected {
            return Err(Error::Mismatch {
                what: what.into(),
                unit,
                found,
                expected,
                why: why.into(),
            });
        }
    }
    Ok(())
}

fn too_large() -> Error {
    Error::invalid(
        "the model exceeds the 2 GiB that one ONNX file can hold",
        "use narrower layers or, of several networks, fewer",
    )
}

#[cfg(test)]
mod tests;
