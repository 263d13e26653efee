//! From a head's predictions to what they mean, as [`Encoder::decode`](crate::Encoder::decode) says it.

use super::graph::{Graph, Kind};
use super::numbers::kind_for;
use super::proto::AttributeProto;
use crate::error::Result;
use crate::loss::{Loss, MOST_LOG_SCALE};
use crate::tables::{Curve, NumberEncoding, TargetColumn, TargetEncoding, cut};
use serde_json::{Value, json};
use std::ops::Range;

/// Adds a task's outputs on its head's predictions, shape `[rows, outputs]`.
pub(super) fn outputs(graph: &mut Graph, target: &TargetColumn, head: &str) -> Result<()> {
    let task = &target.name;
    match &target.encoding {
        TargetEncoding::Numbers(encodings) if target.loss.predicts_noise() => {
            let [numbers_only, scales] = inner(task, ["numbers", "log_scales"]);
            let width = encodings.len() as i64;
            let means = part(graph, head, &numbers_only, 0..width)?;
            let scales = part(graph, head, &scales, width..2 * width)?;
            numbers(graph, task, encodings, &means)?;
            noise(graph, target, encodings, &scales)
        }
        TargetEncoding::Numbers(encodings) => numbers(graph, task, encodings, head),
        TargetEncoding::Binary(values) => binary(graph, target, values, head),
        TargetEncoding::Classes(classes) => one_of(graph, target, classes, head),
    }
}

/// Some of a head's predictions.
pub(super) fn part(
    graph: &mut Graph,
    head: &str,
    name: &str,
    columns: Range<i64>,
) -> Result<String> {
    let columns: Vec<i64> = columns.collect();
    let at = graph.tensor(&format!("{name}_at"), &[columns.len()], &columns)?;
    graph.node("Gather", &[head, &at], name, vec![AttributeProto::int("axis", 1)])
}

/// The standard deviation of each column's noise: in its unit, or of transformed numbers on the scale that they are learned in.
fn noise(
    graph: &mut Graph,
    target: &TargetColumn,
    encodings: &[NumberEncoding],
    log_scales: &str,
) -> Result<()> {
    // √(e^s), and √2·e^s of Laplace.
    let (power, factor) = match target.loss {
        Loss::LaplaceNll => (1.0_f32, std::f32::consts::SQRT_2),
        _ => (0.5, 1.0),
    };
    let task = &target.name;
    let output = format!("{task}.sd");
    let stds: Vec<f32> =
        encodings.iter().map(|it| factor * it.unit().unwrap_or(1.0) as f32).collect();
    let doc = match encodings.iter().all(|it| it.unit().is_some()) {
        true => "the standard deviation of each column's noise, in its unit",
        false => "the standard deviation of each column's noise, on the scale it is learned in",
    };
    graph.output(&output, Kind::Float, encodings.len(), doc.into())?;
    let [least, most, kept, power_name, halved, sd, unit] =
        inner(task, ["least", "most", "kept", "power", "halved", "noise", "unit"]);
    let least = graph.tensor(&least, &[], &[-MOST_LOG_SCALE as f32])?;
    let most = graph.tensor(&most, &[], &[MOST_LOG_SCALE as f32])?;
    let kept = graph.node("Clip", &[log_scales, &least, &most], &kept, vec![])?;
    let power = graph.tensor(&power_name, &[], &[power])?;
    let halved = graph.node("Mul", &[&kept, &power], &halved, vec![])?;
    let sd = graph.node("Exp", &[&halved], &sd, vec![])?;
    let unit = graph.tensor(&unit, &[encodings.len()], &stds)?;
    graph.node("Mul", &[&sd, &unit], &output, vec![])?;
    Ok(())
}

/// What a reader of the model should know of a task: name, loss, columns, outputs, and the classes, of `bce` a pair of
/// values a column; thresholds where there are others than ½.
pub(super) fn description(target: &TargetColumn) -> Value {
    let (task, columns, loss) = (&target.name, &target.columns, target.loss.name());
    let (classes, outputs) = match &target.encoding {
        TargetEncoding::Numbers(_) if target.loss.predicts_noise() => {
            (Value::Null, vec![task.clone(), format!("{task}.sd")])
        }
        TargetEncoding::Numbers(_) => (Value::Null, vec![task.clone()]),
        TargetEncoding::Binary(values) => (json!(values), names(task).into()),
        TargetEncoding::Classes(classes) => (json!(classes), names(task).into()),
    };
    let mut description = json!({ "name": task, "loss": loss, "columns": columns, "classes": classes, "outputs": outputs });
    if target.has_thresholds() {
        description["thresholds"] = json!(target.thresholds());
    }
    description
}

/// `mean + std · prediction`, a number a column, from or to a curve.
fn numbers(graph: &mut Graph, task: &str, encodings: &[NumberEncoding], head: &str) -> Result<()> {
    let columns = encodings.len();
    let means: Vec<f64> = encodings.iter().map(|it| it.scaling.mean).collect();
    let stds: Vec<f64> = encodings.iter().map(|it| it.scaling.std).collect();
    let [mean, std, wide, scaled, rate, bent] =
        inner(task, ["mean", "std", "double", "scaled", "rate", "transformed"]);
    let doc = "a number in each column's unit".into();
    // A curve may make much of the last digit of 32 bits.
    let is_double = encodings
        .iter()
        .any(|it| !it.curve.is_line() || matches!(kind_for(it.scaling), Kind::Double));
    let (mut head, mean, std) = if is_double {
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
    // The columns of a task share loss and transform.
    let curve = encodings.first().map_or(&Curve::Line, |it| &it.curve);
    if *curve == Curve::Rate {
        head = graph.node("Exp", &[&head], &rate, vec![])?;
    }
    let scaled = graph.node("Mul", &[&head, &std], &scaled, vec![])?;
    let last = match curve {
        Curve::Line | Curve::Rate => task,
        _ => &bent,
    };
    let sum = graph.node("Add", &[&scaled, &mean], last, vec![])?;
    match curve {
        Curve::Line | Curve::Rate => {}
        Curve::Log => {
            graph.node("Exp", &[&sum], task, vec![])?;
        }
        Curve::Log1p => {
            let [power, one] = inner(task, ["power", "one"]);
            let power = graph.node("Exp", &[&sum], &power, vec![])?;
            let one = graph.tensor(&one, &[], &[1.0_f64])?;
            graph.node("Sub", &[&power, &one], task, vec![])?;
        }
        Curve::Quantile(_) => quantiles(graph, task, encodings, &sum)?,
    }
    Ok(())
}

/// From normal scores to numbers: the score's rank, then in straight lines from knot to knot, a column after the other.
fn quantiles(
    graph: &mut Graph,
    task: &str,
    encodings: &[NumberEncoding],
    scores: &str,
) -> Result<()> {
    let [narrow, root, scored, tail, wide, one, sum, half, rank, zero] = inner(
        task,
        ["narrow", "root", "scored", "tail", "wide", "one", "sum", "half", "rank", "zero"],
    );
    // Phi(x) = (1 + erf(x / sqrt 2)) / 2; no runtime has erf in 64 bits.
    let narrow = graph.cast(scores, Kind::Float, &narrow)?;
    let root = graph.tensor(&root, &[], &[std::f32::consts::FRAC_1_SQRT_2])?;
    let scored = graph.node("Mul", &[&narrow, &root], &scored, vec![])?;
    let tail = graph.node("Erf", &[&scored], &tail, vec![])?;
    let wide = graph.cast(&tail, Kind::Double, &wide)?;
    let one = graph.tensor(&one, &[], &[1.0_f64])?;
    let sum = graph.node("Add", &[&wide, &one], &sum, vec![])?;
    let half = graph.tensor(&half, &[], &[0.5_f64])?;
    let rank = graph.node("Mul", &[&sum, &half], &rank, vec![])?;
    let zero = graph.tensor(&zero, &[], &[0.0_f64])?;
    let mut columns = Vec::new();
    for (column, encoding) in encodings.iter().enumerate() {
        let Curve::Quantile(knots) = &encoding.curve else { continue };
        let name = |value: &str| format!("/heads.{task}/{value}.{column}");
        let at = graph.tensor(&name("column"), &[1], &[column as i64])?;
        let own = graph.node(
            "Gather",
            &[&rank, &at],
            &name("own"),
            vec![AttributeProto::int("axis", 1)],
        )?;
        // How far the rank is through each of the lines, from 0 to 1, times how far the line rises.
        let lines = knots.len() - 1;
        let count = graph.tensor(&name("lines"), &[], &[lines as f64])?;
        let place = graph.node("Mul", &[&own, &count], &name("place"), vec![])?;
        let starts: Vec<f64> = (0..lines).map(|line| line as f64).collect();
        let starts = graph.tensor(&name("starts"), &[lines], &starts)?;
        let beyond = graph.node("Sub", &[&place, &starts], &name("beyond"), vec![])?;
        let through = graph.node("Clip", &[&beyond, &zero, &one], &name("through"), vec![])?;
        let rises: Vec<f64> = knots.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let rises = graph.tensor(&name("rises"), &[lines, 1], &rises)?;
        let risen = graph.node("MatMul", &[&through, &rises], &name("risen"), vec![])?;
        let first = graph.tensor(&name("first"), &[], &[knots[0]])?;
        columns.push(graph.node("Add", &[&risen, &first], &name("number"), vec![])?);
    }
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    graph.node("Concat", &columns, task, vec![AttributeProto::int("axis", 1)])?;
    Ok(())
}

/// The probability of each column's second value, and the value: the second for a logit above 0, or for a probability above the
/// column's threshold.
fn binary(
    graph: &mut Graph,
    target: &TargetColumn,
    values: &[[String; 2]],
    head: &str,
) -> Result<()> {
    let task = &target.name;
    let columns = values.len();
    let [probabilities, label] = names(task);
    let doc = "of each column's second value".into();
    graph.output(&probabilities, Kind::Float, columns, doc)?;
    graph.node("Sigmoid", &[head], &probabilities, vec![])?;

    let [second, place, first, index] = inner(task, ["is_second", "place", "first", "index"]);
    let least = match target.has_thresholds() {
        true => {
            let [cuts] = inner(task, ["cuts"]);
            let cuts_of: Vec<f32> =
                (0..columns).map(|column| cut(&target.thresholds, column) as f32).collect();
            graph.tensor(&cuts, &[columns], &cuts_of)?
        }
        false => graph.scalar("/zero", 0.0)?,
    };
    let second = graph.node("Greater", &[head, &least], &second, vec![])?;
    let place = graph.cast(&second, Kind::Int64, &place)?;
    // One list holds the values of all columns, two a column.
    let firsts: Vec<i64> = (0..columns as i64).map(|column| 2 * column).collect();
    let first = graph.tensor(&first, &[columns], &firsts)?;
    let index = graph.node("Add", &[&place, &first], &index, vec![])?;
    labels(graph, &label, &values.concat(), columns, &index)
}

/// The probability of each class, and the class of the highest logit, the first of equal ones; of two with a threshold the second for
/// a probability above it.
fn one_of(graph: &mut Graph, target: &TargetColumn, classes: &[String], head: &str) -> Result<()> {
    let task = &target.name;
    let [probabilities, label] = names(task);
    graph.output(&probabilities, Kind::Float, classes.len(), "of each class".into())?;
    graph.node("Softmax", &[head], &probabilities, vec![AttributeProto::int("axis", 1)])?;

    let [index, cut_name] = inner(task, ["index", "cut"]);
    let index = if target.has_thresholds() {
        let [zero, one, first, second, odds, is_second] =
            inner(task, ["zero", "one", "first", "second", "odds", "is_second"]);
        let mut logit = |place: i64, at: &str, name: &str| {
            let at = graph.tensor(at, &[1], &[place])?;
            graph.node("Gather", &[head, &at], name, vec![AttributeProto::int("axis", 1)])
        };
        let (first, second) = (logit(0, &zero, &first)?, logit(1, &one, &second)?);
        let odds = graph.node("Sub", &[&second, &first], &odds, vec![])?;
        let least = graph.tensor(&cut_name, &[1], &[cut(&target.thresholds, 0) as f32])?;
        let is_second = graph.node("Greater", &[&odds, &least], &is_second, vec![])?;
        graph.cast(&is_second, Kind::Int64, &index)?
    } else {
        let across = vec![AttributeProto::int("axis", 1), AttributeProto::int("keepdims", 1)];
        graph.node("ArgMax", &[head], &index, across)?
    };
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
    graph.output(output, Kind::Text, columns, "the answer, as the table writes it".into())?;
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
