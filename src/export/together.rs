//! Several networks' predictions as one, as [`Ensemble`](crate::train::Ensemble) puts them together.

use super::graph::Graph;
use super::proto::AttributeProto;
use crate::error::Result;
use crate::loss::Loss;
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
        (TargetEncoding::Numbers(_), _) => {
            let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
            graph.node("Mean", &heads, &name(""), vec![])
        }
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
    let shares: Vec<&str> = shares.iter().map(String::as_str).collect();
    let mean = graph.node("Mean", &shares, &format!("{output}/mean"), vec![])?;
    let log = graph.node("Log", &[&mean], &format!("{output}/log"), vec![])?;
    graph.node("Add", &[&most, &log], output, vec![])
}
