//! From a head's predictions to what they mean, as [`Encoder::decode`](crate::Encoder::decode) says it.

use super::graph::{Graph, Kind};
use super::inputs::kind_for;
use super::proto::AttributeProto;
use crate::error::Result;
use crate::tables::{Scaling, TargetColumn, TargetEncoding};
use serde_json::{Value, json};

/// Adds a task's outputs on its head's predictions, shape `[rows, width]`.
pub(super) fn outputs(graph: &mut Graph, target: &TargetColumn, head: &str) -> Result<()> {
    let task = &target.name;
    match &target.encoding {
        TargetEncoding::Numbers(scalings) => numbers(graph, task, scalings, head),
        TargetEncoding::Binary(values) => binary(graph, task, values, head),
        TargetEncoding::Classes(classes) => one_of(graph, task, classes, head),
    }
}

/// What a reader of the model should know of a task: name, loss, columns, outputs, and the classes, of `bce` a pair of
/// values a column.
pub(super) fn description(target: &TargetColumn) -> Value {
    let (task, columns, loss) = (&target.name, &target.columns, target.loss.name());
    let (classes, outputs) = match &target.encoding {
        TargetEncoding::Numbers(_) => (Value::Null, vec![task.clone()]),
        TargetEncoding::Binary(values) => (json!(values), names(task).into()),
        TargetEncoding::Classes(classes) => (json!(classes), names(task).into()),
    };
    json!({ "name": task, "loss": loss, "columns": columns, "classes": classes, "outputs": outputs })
}

/// `mean + std · prediction`, a number a column.
fn numbers(graph: &mut Graph, task: &str, scalings: &[Scaling], head: &str) -> Result<()> {
    let columns = scalings.len();
    let means: Vec<f64> = scalings.iter().map(|scaling| scaling.mean).collect();
    let stds: Vec<f64> = scalings.iter().map(|scaling| scaling.std).collect();
    let [mean, std, wide, scaled] = inner(task, ["mean", "std", "double", "scaled"]);
    let doc = "a number in each column's unit".into();
    let is_double = scalings.iter().any(|&scaling| matches!(kind_for(scaling), Kind::Double));
    let (head, mean, std) = if is_double {
        graph.output(task, Kind::Double, columns, doc)?;
        let head = graph.cast(head, Kind::Double, &wide)?;
        (head, graph.tensor(&mean, &[columns], &means)?, graph.tensor(&std, &[columns], &stds)?)
    } else {
        graph.output(task, Kind::Float, columns, doc)?;
        let [means, stds] = [means, stds].map(|v| v.iter().map(|&v| v as f32).collect::<Vec<_>>());
        (
            head.into(),
            graph.tensor(&mean, &[columns], &means)?,
            graph.tensor(&std, &[columns], &stds)?,
        )
    };
    let scaled = graph.node("Mul", &[&head, &std], &scaled, vec![])?;
    graph.node("Add", &[&scaled, &mean], task, vec![])?;
    Ok(())
}

/// The probability of each column's second value, and the likelier value: the second for a logit above 0.
fn binary(graph: &mut Graph, task: &str, values: &[[String; 2]], head: &str) -> Result<()> {
    let columns = values.len();
    let [probabilities, label] = names(task);
    let doc = "of each column's second value".into();
    graph.output(&probabilities, Kind::Float, columns, doc)?;
    graph.node("Sigmoid", &[head], &probabilities, vec![])?;

    let [second, place, first, index] = inner(task, ["is_second", "place", "first", "index"]);
    let zero = graph.scalar("/zero", 0.0)?;
    let second = graph.node("Greater", &[head, &zero], &second, vec![])?;
    let place = graph.cast(&second, Kind::Int64, &place)?;
    // One list holds the values of all columns, two a column.
    let firsts: Vec<i64> = (0..columns as i64).map(|column| 2 * column).collect();
    let first = graph.tensor(&first, &[columns], &firsts)?;
    let index = graph.node("Add", &[&place, &first], &index, vec![])?;
    labels(graph, &label, &values.concat(), columns, &index)
}

/// The probability of each class, and the class of the highest logit, the first of equal ones.
fn one_of(graph: &mut Graph, task: &str, classes: &[String], head: &str) -> Result<()> {
    let [probabilities, label] = names(task);
    graph.output(&probabilities, Kind::Float, classes.len(), "of each class".into())?;
    graph.node("Softmax", &[head], &probabilities, vec![AttributeProto::int("axis", 1)])?;

    let [index] = inner(task, ["index"]);
    let across = vec![AttributeProto::int("axis", 1), AttributeProto::int("keepdims", 1)];
    let index = graph.node("ArgMax", &[head], &index, across)?;
    labels(graph, &label, classes, 1, &index)
}

/// Adds an output of shape `[rows, columns]`: the text at each index.
fn labels(
    graph: &mut Graph,
    output: &str,
    texts: &[String],
    columns: usize,
    index: &str,
) -> Result<()> {
    graph.output(output, Kind::Text, columns, "the likeliest, as the table writes it".into())?;
    let attributes = vec![
        AttributeProto::ints("keys_int64s", 0..texts.len() as i64),
        AttributeProto::strings("values_strings", texts.iter()),
    ];
    graph.node("LabelEncoder", &[index], output, attributes)?;
    Ok(())
}

/// The names of the outputs of a task of classes.
fn names(task: &str) -> [String; 2] {
    ["probabilities", "label"].map(|output| format!("{task}.{output}"))
}

/// Names for values between a head and its outputs.
fn inner<const N: usize>(task: &str, values: [&str; N]) -> [String; N] {
    values.map(|value| format!("/heads.{task}/{value}"))
}
