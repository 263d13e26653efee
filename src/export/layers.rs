//! The network itself: the trunk's layers with their activations, and one layer a head.

use super::graph::Graph;
use super::proto::AttributeProto;
use crate::error::{Error, Result};
use crate::network::{Activation, Network};

/// Adds the network's tensors under the names of [`Network::tensors`], with this prefix.
pub(super) fn parameters(
    graph: &mut Graph,
    network: &Network,
    prefix: &str,
    parameters: &[f64],
) -> Result<()> {
    for tensor in network.tensors() {
        let values: Vec<f32> =
            parameters[tensor.range.clone()].iter().map(|&value| value as f32).collect();
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            let value = parameters[tensor.range][index];
            return Err(Error::invalid(
                format!("element {index} of {} is {value:e}, no finite float", tensor.name),
                "export the parameters from before training diverged",
            ));
        }
        graph.tensor(&format!("{prefix}{}", tensor.name), &tensor.shape, &values)?;
    }
    Ok(())
}

/// Adds the trunk on `features` and returns the name of its output, shape `[rows, last hidden width]`. Values are
/// numbered as PyTorch's `nn.Sequential` numbers its modules.
pub(super) fn trunk(
    graph: &mut Graph,
    network: &Network,
    prefix: &str,
    features: String,
) -> Result<String> {
    let mut value = features;
    for layer in 0..network.hidden().len() {
        let linear = linear(graph, &value, &format!("{prefix}trunk.{}", 2 * layer))?;
        let output = format!("/{prefix}trunk.{}", 2 * layer + 1);
        value = activation(graph, network.activation(), &linear, &output)?;
    }
    Ok(value)
}

/// Adds the head of this [key](Network::head_keys) on the trunk's output and returns the name of its predictions, shape
/// `[rows, width]`.
pub(super) fn head(graph: &mut Graph, prefix: &str, key: &str, trunk: &str) -> Result<String> {
    linear(graph, trunk, &format!("{prefix}heads.{key}"))
}

fn linear(graph: &mut Graph, input: &str, layer: &str) -> Result<String> {
    let [weight, bias] = ["weight", "bias"].map(|tensor| format!("{layer}.{tensor}"));
    let transposed = vec![AttributeProto::int("transB", 1)];
    graph.node("Gemm", &[input, &weight, &bias], &format!("/{layer}"), transposed)
}

fn activation(
    graph: &mut Graph,
    activation: Activation,
    input: &str,
    output: &str,
) -> Result<String> {
    match activation {
        Activation::Relu => graph.node("Relu", &[input], output, vec![]),
        Activation::Tanh => graph.node("Tanh", &[input], output, vec![]),
        Activation::Gelu => gelu(graph, input, output),
        Activation::Silu => {
            let gate = graph.node("Sigmoid", &[input], &format!("{output}/gate"), vec![])?;
            graph.node("Mul", &[input, &gate], output, vec![])
        }
    }
}

/// `x·(1 + erf(x/√2))·½`, in the very steps of PyTorch's exporter, which runtimes know and fuse. ONNX's own `Gelu`
/// is of operator set 20.
fn gelu(graph: &mut Graph, x: &str, output: &str) -> Result<String> {
    let root = graph.scalar("/sqrt_2", std::f32::consts::SQRT_2)?;
    let one = graph.scalar("/one", 1.0)?;
    let half = graph.scalar("/half", 0.5)?;
    let scaled = graph.node("Div", &[x, &root], &format!("{output}/scaled"), vec![])?;
    let erf = graph.node("Erf", &[&scaled], &format!("{output}/erf"), vec![])?;
    let twice_phi = graph.node("Add", &[&erf, &one], &format!("{output}/twice_phi"), vec![])?;
    let twice = graph.node("Mul", &[x, &twice_phi], &format!("{output}/twice"), vec![])?;
    graph.node("Mul", &[&twice, &half], output, vec![])
}
