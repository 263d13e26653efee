//! Columns of numbers: standardised or brought to another scale, 0 where one is missing.
//!
//! Columns that are treated alike stand side by side in a group, and the groups beside each other.

use super::graph::{Graph, Kind};
use super::normal;
use crate::error::Result;
use crate::tables::{FeatureColumn, FeatureEncoding, FittedScale, Scaling};

/// A column of numbers.
pub(super) struct Number<'a> {
    /// Its place among the feature columns.
    pub index: usize,
    column: &'a str,
    group: Group,
    /// What is taken off, and divided by.
    scaling: Scaling,
    knots: &'a [f64],
    /// Whether the network has an input for the number, and one that says whether it is missing.
    pub value: bool,
    pub indicator: bool,
}

/// Columns that are treated alike, in the order in which they stand.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Floats,
    Doubles,
    RobustFloats,
    RobustDoubles,
    Quantiles,
}

impl Group {
    /// Before the names of its values.
    fn name(self) -> &'static str {
        match self {
            Self::Floats => "/floats",
            Self::Doubles => "/doubles",
            Self::RobustFloats => "/robust_floats",
            Self::RobustDoubles => "/robust_doubles",
            Self::Quantiles => "/quantiles",
        }
    }

    /// The type in which its numbers come.
    fn kind(self) -> Kind {
        match self {
            Self::Floats | Self::RobustFloats => Kind::Float,
            // One that a float moves may leave the numbers that it equals, and half of their ranks.
            Self::Doubles | Self::RobustDoubles | Self::Quantiles => Kind::Double,
        }
    }

    /// That of a column of numbers, with what is taken off and divided by.
    fn of(scaling: Scaling, scale: &FittedScale) -> (Self, Scaling, &[f64]) {
        match scale {
            FittedScale::Standard => {
                let is_float = matches!(kind_for(scaling), Kind::Float);
                (if is_float { Self::Floats } else { Self::Doubles }, scaling, &[])
            }
            &FittedScale::Robust { median, spread } => {
                let scaling = Scaling { mean: median, std: spread };
                let is_float = matches!(kind_for(scaling), Kind::Float);
                (if is_float { Self::RobustFloats } else { Self::RobustDoubles }, scaling, &[])
            }
            FittedScale::Quantile(knots) => (Self::Quantiles, Scaling::NONE, knots),
        }
    }
}

/// Adds the inputs of the columns of numbers, and gives these columns group by group.
pub(super) fn declare<'a>(
    graph: &mut Graph,
    columns: &'a [FeatureColumn],
) -> Result<Vec<Number<'a>>> {
    let mut numbers = Vec::new();
    for (index, FeatureColumn { column, encoding }) in columns.iter().enumerate() {
        match encoding {
            &FeatureEncoding::Number { scaling, ref scale, indicator } => {
                let (group, scaling, knots) = Group::of(scaling, scale);
                graph.input(column, group.kind(), "a number; NaN where it is missing".into())?;
                let value = true;
                numbers.push(Number { index, column, group, scaling, knots, value, indicator });
            }
            // Of a column that says one thing no more is asked than whether it is missing.
            FeatureEncoding::Constant { indicator: true } => {
                let (group, scaling, knots) = Group::of(Scaling::NONE, &FittedScale::Standard);
                graph.input(column, group.kind(), "any number; NaN where it is missing".into())?;
                let (value, indicator) = (false, true);
                numbers.push(Number { index, column, group, scaling, knots, value, indicator });
            }
            FeatureEncoding::Constant { indicator: false } => {}
            FeatureEncoding::Category { .. } => {
                graph.input(column, Kind::Text, "a text; empty where it is missing".into())?;
            }
        }
    }
    numbers.sort_by_key(|number| number.group);
    Ok(numbers)
}

/// The type in which the numbers of a column come and go: `float`, unless that would move a number near the mean by
/// more than 2⁻²⁰ standard deviations (half an ulp, 2⁻²⁴ of the number), or could not hold it.
pub(super) fn kind_for(Scaling { mean, std }: Scaling) -> Kind {
    let is_resolved = mean.abs() < 16.0 * std;
    if is_resolved && (1e-30..1e30).contains(&std) { Kind::Float } else { Kind::Double }
}

/// Two values of shape `[rows, numbers]`: the inputs, 0 where a number is missing; and whether it is.
pub(super) fn inputs_or_zero(graph: &mut Graph, numbers: &[Number]) -> Result<(String, String)> {
    let (mut inputs, mut or_nan) = (Vec::new(), Vec::new());
    for numbers in numbers.chunk_by(|a, b| a.group == b.group) {
        let group = numbers[0].group;
        let scaled = match group {
            Group::Floats | Group::RobustFloats => standardised_floats(graph, numbers)?,
            Group::Doubles | Group::RobustDoubles => standardised_doubles(graph, numbers)?,
            Group::Quantiles => {
                let x = raw(graph, numbers, group.name())?;
                graph.cast(&x, Kind::Float, "/quantiles/float")?
            }
        };
        inputs.push(match group {
            Group::Floats | Group::Doubles => scaled.clone(),
            Group::RobustFloats | Group::RobustDoubles => clipped(graph, group, &scaled)?,
            Group::Quantiles => scores(graph, numbers)?,
        });
        // What a runtime makes of a NaN that it clips is its own.
        or_nan.push(scaled);
    }
    let all_inputs = graph.side_by_side(inputs.clone(), "/numbers/standardised")?;
    let all_or_nan = match inputs == or_nan {
        true => all_inputs.clone(),
        false => graph.side_by_side(or_nan, "/numbers/or_nan")?,
    };
    let missing = graph.node("IsNaN", &[&all_or_nan], "/numbers/missing", vec![])?;
    let zero = graph.scalar("/zero", 0.0)?;
    let values = graph.node("Where", &[&missing, &zero, &all_inputs], "/numbers", vec![])?;
    Ok((values, missing))
}

/// `(x − mean) / std` in `float`. The mean is taken off in two parts, for one `float` would miss it by half an ulp,
/// which is much where the numbers lie close together far from 0, as years do.
fn standardised_floats(graph: &mut Graph, numbers: &[Number]) -> Result<String> {
    let group = numbers[0].group.name();
    let means: Vec<f32> = numbers.iter().map(|n| n.scaling.mean as f32).collect();
    let rests = numbers.iter().zip(&means).map(|(n, &mean)| n.scaling.mean - f64::from(mean));
    let rests: Vec<f32> = rests.map(|rest| rest as f32).collect();
    let stds: Vec<f32> = numbers.iter().map(|n| n.scaling.std as f32).collect();
    let mean = graph.tensor(&format!("{group}/mean"), &[means.len()], &means)?;
    let rest = graph.tensor(&format!("{group}/mean_rest"), &[rests.len()], &rests)?;
    let std = graph.tensor(&format!("{group}/std"), &[stds.len()], &stds)?;
    let x = raw(graph, numbers, group)?;
    let nearly = graph.node("Sub", &[&x, &mean], &format!("{group}/nearly_centred"), vec![])?;
    let centred = graph.node("Sub", &[&nearly, &rest], &format!("{group}/centred"), vec![])?;
    graph.node("Div", &[&centred, &std], &format!("{group}/standardised"), vec![])
}

/// `(x − mean) / std` in `double`, then as `float`.
fn standardised_doubles(graph: &mut Graph, numbers: &[Number]) -> Result<String> {
    let group = numbers[0].group.name();
    let means: Vec<f64> = numbers.iter().map(|n| n.scaling.mean).collect();
    let stds: Vec<f64> = numbers.iter().map(|n| n.scaling.std).collect();
    let mean = graph.tensor(&format!("{group}/mean"), &[means.len()], &means)?;
    let std = graph.tensor(&format!("{group}/std"), &[stds.len()], &stds)?;
    let x = raw(graph, numbers, group)?;
    let centred = graph.node("Sub", &[&x, &mean], &format!("{group}/centred"), vec![])?;
    let quotient = graph.node("Div", &[&centred, &std], &format!("{group}/quotient"), vec![])?;
    graph.cast(&quotient, Kind::Float, &format!("{group}/standardised"))
}

/// `z / √(1 + (z/3)²)`.
fn clipped(graph: &mut Graph, group: Group, z: &str) -> Result<String> {
    let name = |value: &str| format!("{}/{value}", group.name());
    // Beyond, z is as good as infinite, and its square no float.
    let low = graph.tensor(&name("low"), &[], &[-1e9_f32])?;
    let high = graph.tensor(&name("high"), &[], &[1e9_f32])?;
    let z = graph.node("Clip", &[z, &low, &high], &name("z"), vec![])?;
    let three = graph.tensor(&name("three"), &[], &[3_f32])?;
    let third = graph.node("Div", &[&z, &three], &name("third"), vec![])?;
    let square = graph.node("Mul", &[&third, &third], &name("square"), vec![])?;
    let one = graph.tensor(&name("one"), &[], &[1_f32])?;
    let sum = graph.node("Add", &[&square, &one], &name("sum"), vec![])?;
    let root = graph.node("Sqrt", &[&sum], &name("root"), vec![])?;
    graph.node("Div", &[&z, &root], &name("clipped"), vec![])
}

/// Normal scores of ranks. A number's rank is how far it is through each of the lines from knot to knot, from 0 to 1, summed; a line
/// without length is half behind a number that equals its ends.
fn scores(graph: &mut Graph, numbers: &[Number]) -> Result<String> {
    let zero = graph.tensor("/quantiles/zero", &[], &[0_f64])?;
    let one = graph.tensor("/quantiles/one", &[], &[1_f64])?;
    let mut ranks = Vec::new();
    for &Number { column, knots, .. } in numbers {
        let name = |value: &str| format!("/quantiles/{column}/{value}");
        let lines = knots.len() - 1;
        // Divided by the smallest of lengths, any other difference is far beyond 1.
        let lengths = knots.windows(2).map(|pair| (pair[1] - pair[0]).max(f64::MIN_POSITIVE));
        let lengths: Vec<f64> = lengths.collect();
        let halves = knots.windows(2).map(|pair| if pair[0] == pair[1] { 0.5 } else { 0.0 });
        let halves: Vec<f64> = halves.collect();
        let starts = graph.tensor(&name("starts"), &[lines], &knots[..lines])?;
        let lengths = graph.tensor(&name("lengths"), &[lines], &lengths)?;
        let halves = graph.tensor(&name("halves"), &[lines], &halves)?;
        let beyond = graph.node("Sub", &[column, &starts], &name("beyond"), vec![])?;
        let parts = graph.node("Div", &[&beyond, &lengths], &name("parts"), vec![])?;
        let moved = graph.node("Add", &[&parts, &halves], &name("moved"), vec![])?;
        let through = graph.node("Clip", &[&moved, &zero, &one], &name("through"), vec![])?;
        let share = graph.tensor(&name("share"), &[lines, 1], &vec![1.0 / lines as f64; lines])?;
        ranks.push(graph.node("MatMul", &[&through, &share], &name("rank"), vec![])?);
    }
    let ranks = graph.side_by_side(ranks, "/quantiles/ranks")?;
    normal::scores(graph, &ranks)
}

/// The columns as they come, side by side.
fn raw(graph: &mut Graph, numbers: &[Number], output: &str) -> Result<String> {
    graph.side_by_side(numbers.iter().map(|n| n.column.into()).collect(), output)
}
