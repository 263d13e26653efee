//! Several networks' predictions as one, as [`Ensemble`](crate::train::Ensemble) puts them together.

use super::graph::Graph;
use super::outputs;
use super::proto::AttributeProto;
use crate::error::Result;
use crate::loss::{Loss, MOST_LOG_SCALE};
use crate::tables::{TargetColumn, TargetEncoding};

/// Adds what the networks' heads of a task say together, in the shape of one: numbers, logarithms of counts, and logits. The head of
/// one network is what it is.
pub(super) fn together(
    graph: &mut Graph,
    target: &TargetColumn,
    key: &str,
    heads: Vec<String>,
) -> Result<String> {
    if let [only] = &heads[..] {
        return Ok(only.clone());
    }
    let name = |part: &str| format!("/together.{key}{part}");
    match (&target.encoding, &target.loss) {
        (TargetEncoding::Numbers(_), Loss::Poisson) => log_mean(graph, &heads, &name("")),
        (TargetEncoding::Numbers(numbers), loss) if loss.predicts_noise() => {
            let width = numbers.len() as i64;
            let (mut means, mut scales) = (Vec::new(), Vec::new());
            for (member, head) in heads.iter().enumerate() {
                let name = |part: &str| name(&format!("/{part}.{member}"));
                means.push(outputs::part(graph, head, &name("numbers"), 0..width)?);
                scales.push(outputs::part(graph, head, &name("log_scales"), width..2 * width)?);
            }
            let mean = mean_of(graph, &means, &name("/numbers"))?;
            let scale = total_scale(graph, loss, &means, &mean, &scales, &name("/log_scales"))?;
            let axis = vec![AttributeProto::int("axis", 1)];
            graph.node("Concat", &[&mean, &scale], &name(""), axis)
        }
        (TargetEncoding::Numbers(_), _) => mean_of(graph, &heads, &name("")),
        (TargetEncoding::Classes(_), _) => {
            let logs = heads.iter().enumerate().map(|(member, head)| {
                let axis = vec![AttributeProto::int("axis", 1)];
                graph.node("LogSoftmax", &[head], &name(&format!("/logs.{member}")), axis)
            });
            let logs: Vec<String> = logs.collect::<Result<_>>()?;
            log_mean(graph, &logs, &name(""))
        }
        (TargetEncoding::Binary(_), _) => {
            // ln of the probability of yes is -ln(1 + e^-x), of no -ln(1 + e^x).
            let (mut yes, mut no) = (Vec::new(), Vec::new());
            for (member, head) in heads.iter().enumerate() {
                let name = |part: &str| name(&format!("/{part}.{member}"));
                let minus = graph.node("Neg", &[head], &name("minus"), vec![])?;
                for (of, x, logs) in [("yes", &minus, &mut yes), ("no", head, &mut no)] {
                    let soft =
                        graph.node("Softplus", &[x], &name(&format!("soft_{of}")), vec![])?;
                    logs.push(graph.node("Neg", &[&soft], &name(of), vec![])?);
                }
            }
            let yes = log_mean(graph, &yes, &name("/yes"))?;
            let no = log_mean(graph, &no, &name("/no"))?;
            graph.node("Sub", &[&yes, &no], &name(""), vec![])
        }
    }
}

/// The logarithm of the scale whose variance is that of the networks' mixture: the mean of their variances of noise, each cut as the
/// loss cuts it, and the variance of their numbers.
fn total_scale(
    graph: &mut Graph,
    loss: &Loss,
    numbers: &[String],
    mean: &str,
    scales: &[String],
    output: &str,
) -> Result<String> {
    let least = graph.scalar("/least_log_scale", -MOST_LOG_SCALE as f32)?;
    let most = graph.scalar("/most_log_scale", MOST_LOG_SCALE as f32)?;
    // The variance is e^s of a normal distribution, 2·e^2s of a Laplace distribution.
    let (factor, times) = if *loss == Loss::LaplaceNll { (2.0_f32, 2.0_f32) } else { (1.0, 1.0) };
    let factor = graph.tensor(&format!("{output}/factor"), &[], &[factor])?;
    let times = graph.tensor(&format!("{output}/times"), &[], &[times])?;
    let (mut variances, mut squares) = (Vec::new(), Vec::new());
    for (member, (number, scale)) in numbers.iter().zip(scales).enumerate() {
        let name = |part: &str| format!("{output}/{part}.{member}");
        let kept = graph.node("Clip", &[scale, &least, &most], &name("kept"), vec![])?;
        let power = graph.node("Mul", &[&kept, &factor], &name("power"), vec![])?;
        let exp = graph.node("Exp", &[&power], &name("exp"), vec![])?;
        variances.push(graph.node("Mul", &[&exp, &times], &name("variance"), vec![])?);
        let off = graph.node("Sub", &[number, mean], &name("off"), vec![])?;
        squares.push(graph.node("Mul", &[&off, &off], &name("square"), vec![])?);
    }
    let noise = mean_of(graph, &variances, &format!("{output}/noise"))?;
    let ignorance = mean_of(graph, &squares, &format!("{output}/ignorance"))?;
    let total = graph.node("Add", &[&noise, &ignorance], &format!("{output}/total"), vec![])?;
    let share = graph.node("Div", &[&total, &times], &format!("{output}/share"), vec![])?;
    let log = graph.node("Log", &[&share], &format!("{output}/log"), vec![])?;
    graph.node("Div", &[&log, &factor], output, vec![])
}

fn mean_of(graph: &mut Graph, values: &[String], output: &str) -> Result<String> {
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    graph.node("Mean", &values, output, vec![])
}

/// The logarithm of the mean of what these are logarithms of, which may overflow.
fn log_mean(graph: &mut Graph, logs: &[String], output: &str) -> Result<String> {
    let all: Vec<&str> = logs.iter().map(String::as_str).collect();
    let most = graph.node("Max", &all, &format!("{output}/most"), vec![])?;
    let mut shares = Vec::with_capacity(logs.len());
    for (member, log) in logs.iter().enumerate() {
        let below =
            graph.node("Sub", &[log, &most], &format!("{output}/below.{member}"), vec![])?;
        shares.push(graph.node("Exp", &[&below], &format!("{output}/share.{member}"), vec![])?);
    }
    let mean = mean_of(graph, &shares, &format!("{output}/mean"))?;
    let log = graph.node("Log", &[&mean], &format!("{output}/log"), vec![])?;
    graph.node("Add", &[&most, &log], output, vec![])
}
