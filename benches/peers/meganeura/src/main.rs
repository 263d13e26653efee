//! meganeura's worker: makes as many training steps as each line of stdin says, and answers with their seconds and the
//! total that the last one saw. Started as `awl-peer-meganeura WORKLOAD FEATURES WIDTH BATCH FILE`; `../workloads.py` says
//! what is in the file.

use meganeura::graph::NodeId;
use meganeura::{Graph, Session, SessionConfig};
use std::io::{BufRead, Write};
use std::time::Instant;

const CLASSES: usize = 10;

/// The words of the inputs' file, in order.
struct Words<'a>(&'a [u8]);

impl Words<'_> {
    fn next(&mut self, count: usize) -> impl Iterator<Item = [u8; 4]> {
        let (words, rest) = self.0.split_at(4 * count);
        self.0 = rest;
        words.chunks_exact(4).map(|word| word.try_into().expect("four bytes"))
    }

    fn numbers(&mut self, count: usize) -> Vec<f32> {
        self.next(count).map(f32::from_le_bytes).collect()
    }

    /// A layer's weight, transposed to `[inputs, outputs]`, and its bias.
    fn layer(&mut self, inputs: usize, outputs: usize) -> Layer {
        let weight = self.numbers(inputs * outputs);
        Layer { weight: transposed(&weight, inputs), bias: self.numbers(outputs), inputs }
    }
}

struct Layer {
    weight: Vec<f32>,
    bias: Vec<f32>,
    inputs: usize,
}

impl Layer {
    /// Some of its outputs as a layer of their own.
    fn part(&self, outputs: std::ops::Range<usize>) -> Self {
        let rows = self.weight.chunks_exact(self.bias.len());
        let weight = rows.flat_map(|row| row[outputs.clone()].to_vec()).collect();
        Self { weight, bias: self.bias[outputs].to_vec(), inputs: self.inputs }
    }
}

/// The transpose of a matrix with so many columns.
fn transposed(values: &[f32], columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| values.iter().copied().skip(column).step_by(columns)).collect()
}

/// A layer of the graph; its parameters are called `NAME.weight` and `NAME.bias`.
fn linear(graph: &mut Graph, input: NodeId, name: &str, layer: &Layer) -> NodeId {
    let outputs = layer.bias.len();
    let weight = graph.parameter(&format!("{name}.weight"), &[layer.inputs, outputs]);
    let bias = graph.parameter(&format!("{name}.bias"), &[outputs]);
    let product = graph.matmul(input, weight);
    graph.bias_add(product, bias)
}

/// Its `cross_entropy_loss` is summed by the host alone, so that none can be weighted within the graph: here from its parts.
fn cross_entropy(graph: &mut Graph, logits: NodeId, one_hot: NodeId) -> NodeId {
    let logarithms = graph.log_softmax(logits);
    let chosen = graph.mul(logarithms, one_hot);
    let mean = graph.mean_all(chosen);
    let factor = graph.scalar(-(CLASSES as f32));
    graph.mul(mean, factor)
}

/// `0.5/σ²·loss + ln(1 + σ²)`, with a parameter σ of this name.
fn weighted(graph: &mut Graph, loss: NodeId, sigma: &str) -> NodeId {
    let sigma = graph.parameter(sigma, &[1]);
    let (half, one) = (graph.scalar(0.5), graph.scalar(1.0));
    let square = graph.mul(sigma, sigma);
    let weight = graph.div(half, square);
    let term = graph.mul(weight, loss);
    let more = graph.add(square, one);
    let regulariser = graph.log(more);
    graph.add(term, regulariser)
}

/// The whole step, with its batch, weights and Adam.
fn session(features: usize, width: usize, rows: usize, words: &mut Words<'_>) -> Session {
    let inputs = words.numbers(rows * features);
    let values = words.numbers(rows);
    let kinds = words.next(rows).map(|word| u32::from_le_bytes(word) as usize);
    let one_hot = |kind| (0..CLASSES).map(move |k| if k == kind { 1.0 } else { 0.0 });
    let kinds: Vec<f32> = kinds.flat_map(one_hot).collect();
    let (first, second) = (words.layer(features, width), words.layer(width, width));
    let heads = words.layer(width, 1 + CLASSES);
    let (value, kind) = (heads.part(0..1), heads.part(1..1 + CLASSES));

    let mut graph = Graph::new();
    let x = graph.input("features", &[rows, features]);
    let y = graph.input("values", &[rows, 1]);
    let classes = graph.input("kinds", &[rows, CLASSES]);
    let hidden = linear(&mut graph, x, "first", &first);
    let hidden = graph.relu(hidden);
    let hidden = linear(&mut graph, hidden, "second", &second);
    let hidden = graph.relu(hidden);
    let prediction = linear(&mut graph, hidden, "value", &value);
    let logits = linear(&mut graph, hidden, "kind", &kind);
    let squares = graph.mse_loss(prediction, y);
    let entropy = cross_entropy(&mut graph, logits, classes);
    let terms =
        [weighted(&mut graph, squares, "sigma.0"), weighted(&mut graph, entropy, "sigma.1")];
    let total = graph.add(terms[0], terms[1]);
    graph.set_outputs(vec![total]);

    let (mut session, _) = meganeura::build(&graph, SessionConfig::from_env());
    for (name, layer) in [("first", first), ("second", second), ("value", value), ("kind", kind)] {
        session.set_parameter(&format!("{name}.weight"), &layer.weight);
        session.set_parameter(&format!("{name}.bias"), &layer.bias);
    }
    for sigma in ["sigma.0", "sigma.1"] {
        session.set_parameter(sigma, &[1.0]);
    }
    for (name, numbers) in [("features", inputs), ("values", values), ("kinds", kinds)] {
        session.set_input(name, &numbers);
    }
    session.set_adam(1e-3, 0.9, 0.999, 1e-8);
    session
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [_, features, width, batch, file] = arguments.as_slice() else {
        return Err("usage: awl-peer-meganeura WORKLOAD FEATURES WIDTH BATCH FILE".into());
    };
    let bytes = std::fs::read(file)?;
    let mut session =
        session(features.parse()?, width.parse()?, batch.parse()?, &mut Words(&bytes));

    let mut out = std::io::stdout().lock();
    let device = &session.device_information().device_name;
    let version = env!("CARGO_PKG_VERSION");
    writeln!(out, r#"{{"version": "meganeura {version}", "device": {device:?}}}"#)?;
    out.flush()?;
    for line in std::io::stdin().lock().lines() {
        let count: usize = line?.trim().parse()?;
        let started = Instant::now();
        for _ in 0..count {
            session.step();
        }
        session.wait();
        let total = session.read_loss();
        let seconds = started.elapsed().as_secs_f64();
        writeln!(out, r#"{{"seconds": {seconds}, "total": {total}}}"#)?;
        out.flush()?;
    }
    Ok(())
}
